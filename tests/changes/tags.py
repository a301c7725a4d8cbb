"""Tags of a gene set as data, for tests that compare them."""

from __future__ import annotations

from collections.abc import Mapping

from eryphc.genepool.contents import ContentFile, TagContents, manifest_file, path_of
from eryphc.identifiers import ANY, Architecture, GeneSetId, GeneType

KIT = GeneSetId("acme", "kit", "1.0")
NEXT = GeneSetId("acme", "kit", "1.1")
HYPERV = Architecture("hyperv", "amd64")
HYPERV_ANY = Architecture("hyperv", "any")
ARM = Architecture("any", "arm64")


def gene(
    text: str,
    name: str = "motd",
    kind: GeneType = GeneType.FODDER,
    architecture: Architecture = ANY,
    form: str | None = None,
) -> ContentFile:
    path = path_of(kind, name, architecture, form)
    return ContentFile(path, kind.value, text.encode(), name, architecture, form)


def catlet(text: str) -> ContentFile:
    return gene(text, "catlet", GeneType.CATLET)


def volume(text: str, architecture: Architecture = HYPERV) -> ContentFile:
    return gene(text, "sda", GeneType.VOLUME, architecture)


def tag(
    *files: ContentFile,
    id_: GeneSetId = KIT,
    metadata: Mapping[str, str] | None = None,
    ref: str | None = None,
) -> TagContents:
    pairs = tuple((metadata or {}).items())
    every = (manifest_file(id_, ref, pairs), *files)
    return TagContents(id_, ref, pairs, tuple(sorted(every, key=lambda file: file.path)))


def fodder(variables: str = "", entries: str = "- {name: motd, content: hello}") -> str:
    """The text of a fodder gene; `variables` and `entries` are lists in YAML."""
    declared = f"variables:\n{variables}\n" if variables else ""
    return f"name: motd\n{declared}fodder:\n{entries}\n"
