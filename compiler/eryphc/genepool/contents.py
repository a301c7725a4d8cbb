"""All that a tag holds, each text under its canonical path: what locks and images pin.

The canonical form of a tag does not depend on the pool that it lies in: a gene is called by its
name and not by its file, and `geneset-tag.json` is written anew.
Source: docs/reference/genes-and-pools.md, "The canonical form of a tag".
"""

from __future__ import annotations

from typing import Final

from eryphc.canonical import Json, canonical, digest_of
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import NamedTuple
from eryphc.genepool.files import canonical_text
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.model import GeneSetTag, GeneText
from eryphc.identifiers import ANY, Architecture, GeneSetId, GeneType

MANIFEST_TYPE: Final = "manifest"
_FOLDERS: Final = {GeneType.FODDER: "fodder", GeneType.VOLUME: "volumes"}
_VERSION: Final = "1.1"


class ContentFile(NamedTuple):
    """One text of a tag. `type` is `manifest`, `catlet`, `fodder`, `volume` (a description),
    `readme` or `changelog`; only genes have a name and an architecture. `form` is `json` for genes
    of packed pools. `text` is UTF-8 with LF line ends, one of them at the end.
    """

    path: str
    type: str
    text: bytes
    name: str | None = None
    architecture: Architecture | None = None
    form: str | None = None

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hex digits."""
        return digest_of(self.text)


class TagContents(NamedTuple):
    """A tag whole. `ref` is the gene set that it stands for, in full and in lower case; `files` are
    sorted by path."""

    id: GeneSetId
    ref: str | None
    metadata: tuple[tuple[str, str], ...]
    files: tuple[ContentFile, ...]


def path_of(kind: GeneType, name: str, architecture: Architecture, form: str | None = None) -> str:
    """The canonical path of a gene in the folder of its tag."""
    suffix = "json" if form == "json" else "yaml"
    if kind is GeneType.CATLET:
        return f"catlet.{suffix}"
    between = "" if architecture == ANY else f"{_parts(architecture)}/"
    return f"{_FOLDERS[kind]}/{between}{name}.{suffix}"


def disk_path(name: str, architecture: Architecture, suffix: str) -> str:
    """The canonical path of a disk file; `suffix` begins with a dot."""
    described = path_of(GeneType.VOLUME, name, architecture)
    return described.removesuffix(".yaml") + suffix.lower()


def _parts(architecture: Architecture) -> str:
    hypervisor, processor = architecture
    return hypervisor if processor == "any" else f"{hypervisor}/{processor}"


def manifest_file(
    geneset: GeneSetId, ref: str | None, metadata: tuple[tuple[str, str], ...]
) -> ContentFile:
    """`geneset-tag.json` as canonical JSON and a line feed."""
    data: dict[str, Json] = {"version": _VERSION, "geneset": str(geneset)}
    if ref is not None:
        data["ref"] = ref
    if metadata:
        data["metadata"] = dict(metadata)
    return ContentFile(MANIFEST, MANIFEST_TYPE, canonical(data) + b"\n")


def contents_of(tag: GeneSetTag) -> Outcome[TagContents]:
    """The canonical files of a tag: its manifest, its genes, the descriptions of its volumes.

    Errors: texts that cannot be read. A gene without a name of its own is none.
    """
    found: list[Diagnostic] = []
    ref = None if tag.manifest.ref is None else final_name(tag.manifest.ref)
    metadata = tag.manifest.metadata
    files = [manifest_file(tag.id, ref, metadata)]
    for kind in GeneType:
        for name in tag.names(kind):
            variants = tag.variants(kind, name)
            found += variants.diagnostics
            for variant in variants.value or ():
                read = tag.read(variant)
                found += read.diagnostics
                if read.value is not None:
                    files.append(_gene_file(kind, name, variant.architecture, read.value))
    if has_errors(found):
        return Outcome(None, tuple(found))
    files.sort(key=lambda file: file.path)
    return Outcome(TagContents(tag.id, ref, metadata, tuple(files)), tuple(found))


def _gene_file(
    kind: GeneType, name: str, architecture: Architecture, gene: GeneText
) -> ContentFile:
    return ContentFile(
        path=path_of(kind, name, architecture, gene.form),
        type=kind.value,
        text=canonical_text(gene.raw),
        name=name,
        architecture=architecture,
        form=gene.form,
    )


def final_name(text: str) -> str:
    """A gene set as it is written in locks and images: with a tag, in lower case."""
    lower = text.strip().lower()
    return lower if lower.count("/") != 1 else f"{lower}/latest"
