"""The stages of a compile, one type each, so that passes cannot run out of turn.

read → `Pedigree` → breed → `Bred` → feed → `Fed` → substitute → `Substituted`.
"""

from __future__ import annotations

from collections.abc import Mapping

from eryphc.frozen import NamedTuple
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, Fodder, Record
from eryphc.ir.volume import Volume
from eryphc.origin import Origin, rooted
from eryphc.source import SourceText


class Document(NamedTuple):
    """One catlet document of a pedigree, lowered and checked.

    `depth` 0 is the author's. `geneset` is the final gene set it was read from (None for the
    author's), `origin` what led to it (None for the author's); that of an ancestor has an open
    end, for it is the same for every spec (`Pedigree.root`). Of a `partial` one not every value
    could be read: it is good for finding more faults, not for substitution.
    """

    catlet: Catlet
    source: SourceText
    depth: int
    geneset: GeneSetId | None = None
    origin: Origin | None = None
    partial: bool = False

    @property
    def parent_origin(self) -> Origin | None:
        """Where the document names its parent."""
        return self.catlet.origin("parent") if "parent" in self.catlet.places else None


class Pedigree(NamedTuple):
    """The author's document and its ancestors, youngest first.

    `resolved` maps every gene set as written (with its tag) to the final one. `os_types` has the
    `_os_type` of each ancestor's gene set that states one, nearest first.
    """

    documents: tuple[Document, ...]
    resolved: Mapping[GeneSetId, GeneSetId]
    os_types: tuple[str, ...] = ()

    @property
    def root(self) -> Origin | None:
        """Where the author names the parent: the end of the origins of all that is inherited."""
        return self.documents[0].parent_origin


class Bred(NamedTuple):
    """Inheritance applied, normalised, defaults set. `removals` wait for feeding."""

    catlet: Catlet
    pedigree: Pedigree
    removals: tuple[Fodder, ...] = ()


class PinnedGene(NamedTuple):
    """One gene of the closure with the variant chosen for the architecture.

    `sha256` is over the gene's normalised text, or a volume's known digest, or None.
    `form` is `json` for a gene from a packed pool. `volume` is what is known of a volume.
    """

    type: GeneType
    id: GeneId
    architecture: Architecture
    sha256: str | None = None
    form: str | None = None
    volume: Volume | None = None


class Fed(NamedTuple):
    """Every reference expanded; `genes` is the whole closure, by type and id."""

    catlet: Catlet
    pedigree: Pedigree
    genes: tuple[PinnedGene, ...]


class Substituted(NamedTuple):
    """Every fodder entry holds the text a guest gets. `uses_vm_id` names fodder entries that use
    `{{ vmId }}`.
    """

    catlet: Catlet
    pedigree: Pedigree
    genes: tuple[PinnedGene, ...]
    uses_vm_id: tuple[str, ...] = ()

    def origin(self, record: Record, key: str = "") -> Origin:
        """Where a value of a record of this catlet comes from, up to the author's document."""
        return rooted(record.origin(key), self.pedigree.root)
