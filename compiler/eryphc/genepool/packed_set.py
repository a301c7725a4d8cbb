"""A tag in the original's packed form: its manifest and the JSON of its genes, as a pool gives it.

Nothing here fetches. Source: docs/reference/genes-and-pools.md, "The tag manifest", "Gene hashes",
"The gene pool API of eryph".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eryphc.canonical import Json, canonical, digest_of, read_json
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Outcome, has_errors
from eryphc.frozen import NamedTuple
from eryphc.genepool import image
from eryphc.genepool.contents import (
    ContentFile,
    TagContents,
    final_name,
    manifest_file,
    path_of,
)
from eryphc.genepool.files import MAX_GENE_BYTES, canonical_text, decode
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import Details
from eryphc.genepool.image_config import GeneSetConfig, ListedFile, metadata_fault
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.manifest import read_manifest, stated_name
from eryphc.genepool.model import ListedGene
from eryphc.genepool.packed import DamagedError, GeneManifest, expanded, is_part
from eryphc.identifiers import GeneSetId, GeneType
from eryphc.source import SourceText
from eryphc.syntax.identifiers import parse_gene_set

FORM: Final = "eryph"
"""How locks call the packed form."""
_MEMBERS: Final = (
    "version", "geneset", "ref", "volumes", "fodder", "catlet", "parent", "metadata"
)  # fmt: skip
_GENE_MEMBERS: Final = ("name", "hash", "arch")


class PackedSet(NamedTuple):
    """A packed manifest. `data` is its canonical JSON, whose digest is the identity of the tag.

    `genes` are its catlet and fodder genes, `disks` its volumes; `ref` is in full.
    """

    data: bytes
    id: GeneSetId
    ref: str | None
    metadata: tuple[tuple[str, str], ...]
    genes: tuple[ListedGene, ...]
    disks: tuple[ListedGene, ...]

    @property
    def identity(self) -> str:
        return digest_of(self.data)

    @property
    def paths(self) -> tuple[str, ...]:
        """The canonical paths of `genes`."""
        return tuple(
            path_of(gene.type, gene.name, gene.architecture, "json") for gene in self.genes
        )


def packed_set(value: object, asked: GeneSetId, where: str) -> PackedSet:
    """The manifest in JSON data, which stands under the name `asked`.

    Unknown members and those that are null do not count, as in the file that the packer writes.
    Raises ImageError: E1017, E1019.
    """
    if not isinstance(value, dict):
        raise _malformed(where, "is no object")
    for key in ("version", "parent"):
        if not isinstance(value.get(key), str | None):
            raise _malformed(where, f"has a `{key}` that is no text")
    try:
        data = canonical(_reduced(value))
    except ValueError:
        raise _malformed(where, "holds what is no text") from None
    if len(data) > image.MOST_CONFIG:
        raise _malformed(where, f"is larger than {image.MOST_CONFIG} bytes")
    source = SourceText(f"{where}/{MANIFEST}", data.decode(), regions=())
    source.foreign = True
    named = stated_name(source)
    if named is not None and named != asked:
        raise ImageError(sharing.wrong_gene_set(where, asked, named))
    read = read_manifest(source, asked)
    if read.value is None or has_errors(read.diagnostics):
        raise ImageError(read.diagnostics[0])
    manifest = read.value
    fault = metadata_fault(manifest.metadata)
    if fault is not None:
        raise _malformed(where, f"has metadata that {fault}")
    for kind in GeneType:
        count = sum(gene.type is kind for gene in manifest.genes)
        if count > image.MOST_GENES:
            raise _malformed(where, f"lists more than {image.MOST_GENES} genes of type `{kind}`")
    found = PackedSet(
        data=data,
        id=asked,
        ref=_final(manifest.ref, where),
        metadata=manifest.metadata,
        genes=tuple(gene for gene in manifest.genes if gene.type is not GeneType.VOLUME),
        disks=tuple(gene for gene in manifest.genes if gene.type is GeneType.VOLUME),
    )
    if len(set(found.paths)) < len(found.paths):
        raise _malformed(where, "lists a gene twice for one architecture")
    return found


def stored_set(data: bytes, asked: GeneSetId, where: str) -> PackedSet:
    """The manifest that was checked before. Raises ImageError."""
    try:
        value = read_json(data)
    except ValueError:
        raise _malformed(where, "is no JSON") from None
    return packed_set(value, asked, where)


def gene_text(gene: ListedGene, manifest: GeneManifest, parts: Sequence[bytes]) -> bytes:
    """The JSON of a catlet or fodder gene, in the form that is hashed. Raises DamagedError.

    The manifest is the one that the tag lists, and each part the one that the manifest names.
    """
    checked_manifest(gene, manifest)
    for name, part in zip(manifest.parts, parts, strict=True):
        if not is_part(part, name):
            raise DamagedError(f"the part `{name}` does not have the hash that names it")
    packed = b"".join(parts)
    if manifest.members.get("size", len(packed)) != len(packed):
        raise DamagedError("its parts do not have the size that `gene.json` says")
    if len(packed) > MAX_GENE_BYTES:
        raise DamagedError("it is larger than 5 MiB")
    data = expanded(manifest, packed)
    if manifest.members.get("original_size", len(data)) != len(data):
        raise DamagedError("unpacked it does not have the size that `gene.json` says")
    text, damaged = decode(data)
    if damaged:
        raise DamagedError("it is no UTF-8")
    return canonical_text(text)


def checked_manifest(gene: ListedGene, manifest: GeneManifest) -> None:
    """Raises DamagedError for a manifest that is not of the gene."""
    if f"sha256:{manifest.hash}" != gene.digest:
        raise DamagedError("its manifest does not have the hash that its gene set lists")
    if str(manifest.members.get("type", "")).lower() != gene.type.value:
        raise DamagedError("its manifest is of another type than its gene set lists")


Requires = Callable[[TagContents], Outcome[tuple[GeneSetId, ...]]]
"""The gene sets that the catlet gene of a tag names."""


def contents_of_set(packed: PackedSet, texts: Mapping[str, bytes]) -> TagContents:
    """A tag whole; `texts` has the JSON of its genes by their canonical paths."""
    files = [manifest_file(packed.id, packed.ref, packed.metadata)]
    for gene, path in zip(packed.genes, packed.paths, strict=True):
        files.append(
            ContentFile(path, gene.type.value, texts[path], gene.name, gene.architecture, "json")
        )
    files.sort(key=lambda file: file.path)
    return TagContents(packed.id, packed.ref, packed.metadata, tuple(files))


def config_of_set(
    packed: PackedSet, contents: TagContents, requires: tuple[GeneSetId, ...]
) -> GeneSetConfig:
    """What stands for the tag in a pool, as the config does for an image."""
    return GeneSetConfig(
        data=packed.data,
        identity=packed.identity,
        id=packed.id,
        ref=packed.ref,
        metadata=packed.metadata,
        files=tuple(
            ListedFile(
                file.path,
                file.type,
                file.digest,
                len(file.text),
                file.name,
                file.architecture,
                file.form,
            )
            for file in contents.files
        ),
        details=Details(requires=requires),
        form=FORM,
        disks=packed.disks,
    )


def _reduced(value: Mapping[str, Any]) -> dict[str, Json]:
    """The members that the packer writes."""
    found: dict[str, Json] = {}
    for key in _MEMBERS:
        member = value.get(key)
        if key in ("fodder", "volumes") and isinstance(member, list):
            found[key] = [
                {each: gene[each] for each in _GENE_MEMBERS if gene.get(each) is not None}
                if isinstance(gene, dict)
                else gene
                for gene in member
            ]
        elif member is not None:
            found[key] = member
    return found


def _final(ref: str | None, where: str) -> str | None:
    if ref is None:
        return None
    name = final_name(ref)
    if not isinstance(parse_gene_set(name), GeneSetId):
        raise _malformed(where, "refers to what is no gene set")
    return name


def _malformed(where: str, problem: str) -> ImageError:
    return ImageError(sharing.malformed_set(where, f"`{MANIFEST}` {problem}"))
