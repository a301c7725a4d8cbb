"""The stages of a compile, one type each, so that passes cannot run out of turn.

read → `Pedigree` → breed → `Bred` → feed → `Fed` → substitute → `Substituted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from eryphc.diagnostics.model import Label
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, Fodder
from eryphc.ir.volume import Volume
from eryphc.source import SourceText, Span

# Stands in chains for the place where the spec names its parent. What ancestors are read and
# bred to is so the same for every spec, until a pass reports something (`passes.places.rooted`).
FROM_SPEC = Label(Span(SourceText("", ""), 0, 0), "the parent is named in the spec")


class Document(NamedTuple):
    """One catlet document of a pedigree, lowered and checked.

    `depth` 0 is the author's. `geneset` is the final gene set it was read from (None for the
    author's), `chain` the places that led to it, outermost first; that of an ancestor begins
    with `FROM_SPEC`. Of a `partial` one not every value could be read: it is good for finding
    more faults, not for substitution.
    """

    catlet: Catlet
    source: SourceText
    depth: int
    geneset: GeneSetId | None = None
    chain: tuple[Label, ...] = ()
    partial: bool = False


class Pedigree(NamedTuple):
    """The author's document and its ancestors, youngest first.

    `resolved` maps every gene set as written (with its tag) to the final one. `os_types` has the
    `_os_type` of each ancestor's gene set that states one, nearest first.
    """

    documents: tuple[Document, ...]
    resolved: Mapping[GeneSetId, GeneSetId]
    os_types: tuple[str, ...] = ()


class Bred(NamedTuple):
    """Inheritance applied, normalised, defaults set. `removals` wait for feeding (D1)."""

    catlet: Catlet
    pedigree: Pedigree
    removals: tuple[Fodder, ...] = ()


class PinnedGene(NamedTuple):
    """One gene of the closure with the variant chosen for the architecture.

    `sha256` is over the gene's normalised text (cli.md), or a volume's known digest, or None.
    `form` is `json` for a gene from a packed pool. `volume` is what is known of a volume.
    """

    type: GeneType
    id: GeneId
    architecture: Architecture
    sha256: str | None = None
    form: str | None = None
    volume: Volume | None = None


class Fed(NamedTuple):
    """Every reference expanded into foods; `genes` is the whole closure, by type and id."""

    catlet: Catlet
    pedigree: Pedigree
    genes: tuple[PinnedGene, ...]


class Substituted(NamedTuple):
    """Every food holds the text a guest gets. `uses_vm_id` names foods that use `{{ vmId }}`."""

    catlet: Catlet
    pedigree: Pedigree
    genes: tuple[PinnedGene, ...]
    uses_vm_id: tuple[str, ...] = ()
