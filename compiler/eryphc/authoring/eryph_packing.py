"""A tag of an author to the packed form of eryph: files below its folder, the same each time.

Genes are packed `plain`, so that their hashes follow from their texts alone.
Source: docs/reference/genes-and-pools.md, "The packed layout", "Gene hashes".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from eryphc.authoring.sources import AuthoredTag
from eryphc.canonical import Json, read_json
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import TagContents
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import MOST_GENES
from eryphc.genepool.image_config import metadata_fault
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.model import GeneText, Variant
from eryphc.genepool.packed import GeneManifest, canonical_json, gene_manifest_of
from eryphc.genepool.packed_set import packed_set
from eryphc.identifiers import ANY, Architecture, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, FodderGene
from eryphc.ir.document import document
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.source import SourceText
from eryphc.syntax.identifiers import parse_set_source

ARCHITECTURES: Final = (ANY, Architecture("hyperv", "any"), Architecture("hyperv", "amd64"))
"""What a packed gene can be for, in the order in which they are packed."""
_VERSION: Final = "1.1"
_NO_VERSION: Final = "1.0"
"""What a manifest without a version counts as."""
_MARK: Final = b"\xef\xbb\xbf"


class EryphGene(NamedTuple):
    """A packed gene. `data` is its JSON, `yaml` what it was made of, None for one that was JSON."""

    type: GeneType
    name: str
    architecture: Architecture
    manifest: GeneManifest
    data: bytes
    yaml: bytes | None

    @property
    def hash(self) -> str:
        """`sha256:` and 64 hex digits."""
        return f"sha256:{self.manifest.hash}"


class EryphTag(NamedTuple):
    """A packed tag. `manifest` is the text of its `geneset-tag.json`, `identity` what a lock would
    call it by."""

    id: GeneSetId
    manifest: str
    identity: str
    genes: tuple[EryphGene, ...]

    @property
    def files(self) -> FrozenMap[bytes]:
        """The files in the folder of the tag, by their paths."""
        files = {MANIFEST: self.manifest.encode("ascii")}
        for gene in self.genes:
            folder = gene.manifest.hash
            files[f"{folder}/gene.json"] = _MARK + gene.manifest.canonical().encode("ascii")
            if gene.yaml is not None:
                files[f"{folder}/gene.yaml"] = _MARK + gene.yaml
            files[f"{folder}/{gene.manifest.parts[0]}.part"] = gene.data
        return FrozenMap(files)


def eryph_packed(authored: AuthoredTag) -> Outcome[EryphTag]:
    """The packed form of a tag.

    Errors: texts that break the rules of the language, and what the form cannot say (E1033): disks,
    other architectures, and sources of fodder that name no gene.
    """
    found: list[Diagnostic] = []
    made = tuple(_genes(authored, found))
    if sum(each.gene.type is GeneType.FODDER for each in made) > MOST_GENES:
        found.append(_cannot(authored, f"it has more than {MOST_GENES} fodder genes"))
    fault = metadata_fault(authored.tag.manifest.metadata)
    if fault is not None:
        found.append(_cannot(authored, f"the metadata of its manifest {fault}"))
    if has_errors(found):
        return Outcome(None, tuple(found))
    parent = next((each.parent for each in made if each.parent is not None), None)
    genes = tuple(each.gene for each in made)
    manifest = _manifest(authored, genes, parent)
    try:
        identity = packed_set(manifest, authored.id, str(authored.id)).identity
    except ImageError as refused:
        return Outcome(None, (*found, refused.diagnostic))
    text = canonical_json(manifest)
    return Outcome(EryphTag(authored.id, text, identity, genes), tuple(found))


def local_files(contents: TagContents) -> FrozenMap[bytes] | None:
    """A tag as eryph keeps it unpacked in a local pool; None for one whose genes are no JSON.

    Source: docs/reference/genes-and-pools.md, "The local pool of eryph".
    """
    genes = [file for file in contents.files if file.type in (GeneType.CATLET, GeneType.FODDER)]
    if not genes or any(file.form != "json" for file in genes):
        return None
    listed: dict[GeneType, list[Json]] = {GeneType.CATLET: [], GeneType.FODDER: []}
    files: dict[str, bytes] = {}
    merged: list[str] = []
    for file in genes:
        kind, data = GeneType(file.type), file.text.removesuffix(b"\n")
        name, architecture = file.name or "catlet", file.architecture or ANY
        digest = f"sha256:{_plain(kind, name, architecture, data).hash}"
        listed[kind].append(
            digest
            if kind is GeneType.CATLET
            else {"name": name, "hash": digest, "arch": str(architecture)}
        )
        files[file.path] = data
        merged.append(digest)
    manifest: dict[str, Json] = {"version": _VERSION, "geneset": str(contents.id)}
    if contents.ref is not None:
        manifest["ref"] = contents.ref
    if listed[GeneType.FODDER]:
        manifest["fodder"] = listed[GeneType.FODDER]
    for catlet in listed[GeneType.CATLET]:
        manifest["catlet"] = catlet
    if contents.metadata:
        manifest["metadata"] = dict(contents.metadata)
    files["genes.json"] = canonical_json({"MergedGenes": merged}).encode("ascii")
    files[MANIFEST] = canonical_json(manifest).encode("ascii")
    return FrozenMap(files)


class _Made(NamedTuple):
    """A packed gene, and the parent that it names as a catlet."""

    gene: EryphGene
    parent: str | None = None


def _genes(authored: AuthoredTag, found: list[Diagnostic]) -> Iterator[_Made]:
    """The catlet, then the fodder by architecture and name."""
    tag = authored.tag
    for name in tag.names(GeneType.VOLUME):
        for variant in tag.variants(GeneType.VOLUME, name).value or ():
            where = f"the disk `{name}` for `{variant.architecture}`"
            found.append(
                _cannot(authored, f"{where}: disks are not packed, only catlets and fodder")
            )
    for kind in (GeneType.CATLET, GeneType.FODDER):
        for variant in _ordered(authored, kind, found):
            if variant.architecture not in ARCHITECTURES:
                problem = f"no gene is for `{variant.architecture}` there, as `{variant.name}` is"
                found.append(_cannot(authored, problem))
                continue
            read = tag.read(variant)
            found += read.diagnostics
            if read.value is not None:
                made = _gene(authored, variant, read.value, found)
                if made is not None:
                    yield made


def _ordered(authored: AuthoredTag, kind: GeneType, found: list[Diagnostic]) -> Sequence[Variant]:
    variants: list[Variant] = []
    for name in authored.tag.names(kind):
        read = authored.tag.variants(kind, name)
        found += read.diagnostics
        variants += read.value or ()
    known = {architecture: at for at, architecture in enumerate(ARCHITECTURES)}
    last = len(known)
    return sorted(
        variants,
        key=lambda each: (known.get(each.architecture, last), each.architecture, each.name),
    )


def _gene(
    authored: AuthoredTag, variant: Variant, text: GeneText, found: list[Diagnostic]
) -> _Made | None:
    is_json = text.form == "json"
    notation = Notation.JSON if is_json else Notation.YAML
    read: Outcome[Catlet] | Outcome[FodderGene]
    if variant.type is GeneType.CATLET:
        read = read_catlet(text.source, notation=notation)
    else:
        read = read_fodder_gene(text.source, notation=notation)
    found += read.diagnostics
    if read.value is None or has_errors(read.diagnostics):
        return None
    for problem in _unsaid(read.value):
        found.append(_cannot(authored, problem))
    data = canonical_json(document(read.value)).encode("ascii")
    gene = EryphGene(
        type=variant.type,
        name=variant.name,
        architecture=variant.architecture,
        manifest=_plain(variant.type, variant.name, variant.architecture, data),
        data=data,
        yaml=None if is_json else text.raw.encode("utf-8", "replace"),
    )
    return _Made(gene, read.value.parent if isinstance(read.value, Catlet) else None)


def _unsaid(value: Catlet | FodderGene) -> Iterator[str]:
    """What eryphc alone understands."""
    for fodder in value.fodder or ():
        if fodder.source is not None and parse_set_source(fodder.source) is not None:
            yield "a source of fodder names a gene there, `gene:ORG/SET:NAME`, and not a whole set"


def _plain(kind: GeneType, name: str, architecture: Architecture, data: bytes) -> GeneManifest:
    """`gene.json` of a gene that is stored as it is."""
    part = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return gene_manifest_of(
        {
            "version": _VERSION,
            "name": name,
            "type": kind.value,
            "format": "plain",
            "filename": f"{name}.json",
            "parts": [f"sha1:{part}"],
            "size": len(data),
            "original_size": len(data),
            "arch": str(architecture),
        }
    )


def _manifest(
    authored: AuthoredTag, genes: Iterable[EryphGene], parent: str | None
) -> dict[str, object]:
    """The tag manifest with its genes, its members in their order."""
    tag = authored.tag
    written = _written(tag.manifest.source)
    manifest: dict[str, object] = {
        "version": written.get("version") or _NO_VERSION,
        "geneset": str(authored.id),
    }
    if tag.manifest.ref is not None:
        manifest["ref"] = tag.manifest.ref
    fodder = [
        {"name": gene.name, "hash": gene.hash, "arch": str(gene.architecture)}
        for gene in genes
        if gene.type is GeneType.FODDER
    ]
    if fodder:
        manifest["fodder"] = fodder
    for gene in genes:
        if gene.type is GeneType.CATLET:
            manifest["catlet"] = gene.hash
    if parent is not None:
        manifest["parent"] = parent
    if isinstance(written.get("metadata"), dict):
        manifest["metadata"] = dict(tag.manifest.metadata)
    return manifest


def _written(source: SourceText) -> dict[str, object]:
    """The members of a manifest that was read before."""
    try:
        found = read_json(source.text.encode())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cannot(authored: AuthoredTag, problem: str) -> Diagnostic:
    return sharing.not_publishable(str(authored.id), problem)
