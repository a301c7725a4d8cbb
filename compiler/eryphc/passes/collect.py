"""The genes a bred catlet needs, each in the variant that fits the architecture.

Source: docs/reference/language.md, "The closure"; docs/reference/genes-and-pools.md,
"Architectures".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from eryphc.diagnostics import pools as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import NamedTuple
from eryphc.genepool.model import GenePool, GeneSetTag, GeneText, Variant
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Record
from eryphc.ir.stages import Bred, PinnedGene
from eryphc.passes.memory import PassMemory
from eryphc.passes.places import chained, part
from eryphc.source import Span
from eryphc.syntax.identifiers import parse_gene

# Processors are looked at only among genes for one hypervisor or any.
_ANY = "any"


class Closure(NamedTuple):
    """Every gene of a catlet by type and id, and the text of those that are fed."""

    genes: tuple[PinnedGene, ...]
    fodder: dict[GeneId, GeneText]


class _Wanted(NamedTuple):
    """A gene, and the record whose value of `key` names it."""

    type: GeneType
    id: GeneId
    record: Record
    key: str

    @property
    def span(self) -> Span | None:
        """The name of the gene; all of a value that names the gene set alone."""
        written = self.record.at(self.key)
        if written is None or self.key != "source":
            return written
        return part(self.record, self.key, written.text, self.id.name)


def collect(
    bred: Bred, pools: GenePool, architecture: Architecture, memory: PassMemory
) -> Outcome[Closure]:
    """Choose and read the genes. All that are missing or do not fit are reported together."""
    found: list[Diagnostic] = []
    pinned: dict[tuple[GeneType, GeneId], PinnedGene] = {}
    fodder: dict[GeneId, GeneText] = {}
    seen: set[tuple[GeneType, GeneId]] = set()
    known = memory.genes(pools)
    for wanted in _wanted(bred):
        key = (wanted.type, wanted.id)
        if key in seen:
            continue
        seen.add(key)
        value = known.get((*key, architecture))
        if value is None:
            gene = _gene(wanted, pools, architecture)
            if gene.diagnostics:
                found.extend(chained(gene.diagnostics, wanted.record.origin(wanted.key)))
            value = gene.value
            if value is None:
                continue
            if not gene.diagnostics:
                known[*key, architecture] = value
        pinned[key], text = value
        if wanted.type is GeneType.FODDER and text is not None:
            fodder[wanted.id] = text
    if has_errors(found):
        return Outcome(None, tuple(found))
    genes = tuple(sorted(pinned.values(), key=lambda gene: (gene.type.value, str(gene.id))))
    return Outcome(Closure(genes=genes, fodder=fodder), tuple(found))


def best_match(
    gene: GeneId, variants: Sequence[Variant], wanted: Architecture, span: Span | None
) -> Variant | Diagnostic:
    """The variant for an architecture: exact, for its hypervisor, for its processor, for any."""
    present = [variant.architecture for variant in variants]
    hypervisor = [v for v in variants if v.architecture.hypervisor in (wanted.hypervisor, _ANY)]
    if not hypervisor:
        return wording.gene_not_for_hypervisor(gene, wanted, present, span)
    fitting = {
        v.architecture: v
        for v in hypervisor
        if v.architecture.processor in (wanted.processor, _ANY)
    }
    for choice in choices(wanted):
        if choice in fitting:
            return fitting[choice]
    return wording.gene_not_for_processor(gene, wanted, present, span)


def choices(wanted: Architecture) -> tuple[Architecture, ...]:
    """The architectures whose variant of a gene serves `wanted`, the best first.

    Source: docs/reference/genes-and-pools.md, "Architectures".
    """
    return (
        wanted,
        Architecture(wanted.hypervisor, _ANY),
        Architecture(_ANY, wanted.processor),
        Architecture(_ANY, _ANY),
    )


def _wanted(bred: Bred) -> Iterator[_Wanted]:
    documents = bred.pedigree.documents
    for child, ancestor in pairwise(documents):
        if ancestor.geneset is not None:
            id_ = GeneId(ancestor.geneset, "catlet")
            yield _Wanted(GeneType.CATLET, id_, child.catlet, "parent")
    for drive in bred.catlet.drives or ():
        source = drive.source
        gene = parse_gene(source) if source is not None and source.startswith("gene:") else None
        if source is not None and isinstance(gene, GeneId):
            yield _Wanted(GeneType.VOLUME, gene, drive, "source")
    for fodder in bred.catlet.fodder or ():
        gene = parse_gene(fodder.source) if fodder.source is not None else None
        if isinstance(gene, GeneId):
            kind = GeneType.CATLET if gene.name == "catlet" else GeneType.FODDER
            yield _Wanted(kind, gene, fodder, "source")


def _gene(
    wanted: _Wanted, pools: GenePool, architecture: Architecture
) -> Outcome[tuple[PinnedGene, GeneText | None]]:
    tag = _tag(pools, wanted.id.geneset)
    if tag is None:
        fault = wording.gene_set_not_found(
            wanted.id.geneset, wanted.span, wording.NO_NEIGHBOURS, pools.labels()
        )
        return Outcome(None, (fault,))
    variants = tag.variants(wanted.type, wanted.id.name)
    if variants.value is None or has_errors(variants.diagnostics):
        return Outcome(None, variants.diagnostics)
    if not variants.value:
        fault = wording.gene_not_found(wanted.id, wanted.type, wanted.span, tag.names(wanted.type))
        if wanted.type is GeneType.FODDER:
            from eryphc.genepool.source_tree import faults_of, in_words, passed_over

            passed = passed_over(tag)
            # A gene that is broken is not missing.
            broken = faults_of(passed, wanted.id.name)
            if broken:
                return Outcome(None, (*variants.diagnostics, *broken))
            names = tag.names(wanted.type)
            words = in_words(passed)
            fault = wording.gene_not_found(wanted.id, wanted.type, wanted.span, names, words)
        return Outcome(None, (*variants.diagnostics, fault))
    variant = best_match(wanted.id, variants.value, architecture, wanted.span)
    if isinstance(variant, Diagnostic):
        return Outcome(None, (*variants.diagnostics, variant))
    if wanted.type is GeneType.VOLUME:
        digest = variant.volume.sha256 if variant.volume is not None else None
        pin = PinnedGene(
            type=wanted.type,
            id=wanted.id,
            architecture=variant.architecture,
            sha256=digest,
            volume=variant.volume,
        )
        return Outcome((pin, None), variants.diagnostics)
    text = tag.read(variant)
    diagnostics = (*variants.diagnostics, *text.diagnostics)
    if text.value is None:
        return Outcome(None, diagnostics)
    pin = PinnedGene(
        type=wanted.type,
        id=wanted.id,
        architecture=variant.architecture,
        sha256=text.value.sha256,
        form=text.value.form,
    )
    return Outcome((pin, text.value), diagnostics)


def _tag(pools: GenePool, geneset: GeneSetId) -> GeneSetTag | None:
    found = pools.find(geneset)
    return found.value if found is not None else None
