"""What passes remember of gene pools, so that specifications share work.

A session owns one memory and hands it to the passes; without one they remember nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeAlias
from weakref import WeakKeyDictionary

from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.genepool.model import GenePool, GeneSetTag, GeneText
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Document, PinnedGene
from eryphc.passes.genes import catlet_genes, fodder_genes

_MOST_BRED = 64

FoundGenes: TypeAlias = dict[
    tuple[GeneType, GeneId, Architecture], tuple[PinnedGene, GeneText | None]
]
"""Genes and their texts by the architecture of the build."""


class Lineage(NamedTuple):
    """What a spec's parent brings into a pedigree: the same for every spec that names it."""

    documents: tuple[Document, ...]
    resolved: Mapping[GeneSetId, GeneSetTag]
    os_types: tuple[str, ...]


class Ancestors(NamedTuple):
    """What a spec inherits, and the documents that it was bred from, oldest last."""

    documents: tuple[Document, ...]
    value: Catlet
    diagnostics: tuple[Diagnostic, ...]


class PassMemory:
    """Lineages and genes by the pools that had them, as long as these live; ancestors as bred;
    documents of genes as read.

    None of it depends on a specification. A lineage with a finding is None, and genes that gave a
    finding are not kept.
    """

    def __init__(self) -> None:
        self._lineages: WeakKeyDictionary[
            GenePool, dict[tuple[GeneSetId, GeneSetId], Lineage | None]
        ] = WeakKeyDictionary()
        self._genes: WeakKeyDictionary[
            GenePool,
            FoundGenes,
        ] = WeakKeyDictionary()
        self._bred: OrderedDict[tuple[int, ...], Ancestors] = OrderedDict()
        self.catlet_gene = catlet_genes()
        self.fodder_gene = fodder_genes()

    def lineages(self, pools: GenePool) -> dict[tuple[GeneSetId, GeneSetId], Lineage | None]:
        """By the parent as it is written and the gene set that it stands for."""
        return self._lineages.setdefault(pools, {})

    def genes(self, pools: GenePool) -> FoundGenes:
        """By the architecture of the build."""
        return self._genes.setdefault(pools, {})

    def bred(self, documents: tuple[Document, ...]) -> Ancestors | None:
        return self._bred.get(_identity(documents))

    def remember(self, ancestors: Ancestors) -> None:
        """Keep what the documents were bred to; the oldest of many is forgotten."""
        # The documents are kept, so that no new object gets the `id()` of one of them.
        self._bred[_identity(ancestors.documents)] = ancestors
        if len(self._bred) > _MOST_BRED:
            self._bred.popitem(last=False)


def _identity(documents: tuple[Document, ...]) -> tuple[int, ...]:
    return tuple(id(document.catlet) for document in documents)
