"""What a gene pool gives: tags of gene sets, their manifests, the text of genes, volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.pools import Neighbours
from eryphc.frozen import NamedTuple
from eryphc.identifiers import Architecture, GeneSetId, GeneType
from eryphc.ir.volume import Volume
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import Node

__all__ = [
    "GenePool",
    "GeneSetTag",
    "GeneText",
    "ListedGene",
    "Manifest",
    "Variant",
    "Volume",
]


class ListedGene(NamedTuple):
    """An entry of a packed manifest. `digest` is the gene's hash, `sha256:` and 64 hex digits."""

    type: GeneType
    name: str
    architecture: Architecture
    digest: str


class Manifest(NamedTuple):
    """`geneset-tag.json` of one tag, as far as building needs it.

    `ref` is the gene set this tag stands for, as written; `ref_span` its place. `genes` is
    empty in a source tree. Source: docs/reference/genes-and-pools.md, "The tag manifest".
    """

    source: SourceText
    ref: str | None = None
    ref_span: Span | None = None
    os_type: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    genes: tuple[ListedGene, ...] = ()


class Variant(NamedTuple):
    """One gene for one architecture. `path` is its file (None where it has none of its own)."""

    type: GeneType
    name: str
    architecture: Architecture
    path: Path | None = None
    digest: str | None = None
    volume: Volume | None = None


class GeneText(NamedTuple):
    """Text of a catlet or fodder gene, or the description of a volume.

    `raw` is the text as it lies in the pool, `sha256` the hash of its canonical form
    (`files.canonical_text`) as 64 hex digits. `form` is `json` for a gene from a packed pool, else
    None. `root` is the tree of the text where finding it has read it already.
    """

    source: SourceText
    raw: str
    sha256: str
    form: str | None = None
    root: Node | None = None


class GeneSetTag(Protocol):
    """One tag of one gene set, as one pool has it."""

    @property
    def id(self) -> GeneSetId: ...

    @property
    def manifest(self) -> Manifest: ...

    def variants(self, kind: GeneType, name: str) -> Outcome[tuple[Variant, ...]]:
        """The gene `name` (lower case) for each architecture it exists for; empty: no such gene."""
        ...

    def names(self, kind: GeneType) -> tuple[str, ...]:
        """Names of all genes of one type, sorted. May read every file of the tag."""
        ...

    def read(self, variant: Variant) -> Outcome[GeneText]:
        """The text of a gene that `variants` gave; of a volume its description.

        No value and no finding: a volume that is only a file.
        """
        ...


class GenePool(Protocol):
    """Where gene sets are found. The same question always gets the same object."""

    @property
    def label(self) -> str:
        """How messages call it: a path relative to the working folder, or a name."""
        ...

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        """The tag, or None where this pool does not have it."""
        ...

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        """What else there is near a gene set that this pool does not have, for messages."""
        ...

    def labels(self) -> tuple[str, ...]:
        """The pools that were asked, in order."""
        ...
