"""A gene set as written to the tag that holds its genes.

Source: docs/reference/genes-and-pools.md, "References between tags".
"""

from __future__ import annotations

from eryphc.diagnostics import pools as wording
from eryphc.diagnostics.model import Diagnostic, Label, Outcome, has_errors
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.identifiers import GeneSetId
from eryphc.source import Span
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

MOST_GENE_SETS = 5


def resolve(geneset: GeneSetId, pools: GenePool, span: Span | None) -> Outcome[GeneSetTag]:
    """The tag at the end of the references of `geneset`, which is named at `span`.

    Each `ref` is looked up anew from the first pool. Errors: a gene set that no pool has, a loop,
    more than five gene sets in a chain, a manifest that cannot be read.
    """
    visited: list[GeneSetId] = []
    found: list[Diagnostic] = []
    current, place = geneset, span
    while True:
        if current in visited:
            return _failed(
                found, wording.reference_loop([*visited, current], place), geneset, place, span
            )
        if len(visited) >= MOST_GENE_SETS:
            fault = wording.references_too_many([*visited, current], MOST_GENE_SETS, place)
            return _failed(found, fault, geneset, place, span)
        outcome = pools.find(current)
        if outcome is None:
            near = pools.neighbours(current)
            fault = wording.gene_set_not_found(current, place, near, pools.labels())
            return _failed(found, fault, geneset, place, span)
        tag = outcome.value
        if tag is None or has_errors(outcome.diagnostics):
            return Outcome(
                None,
                (*found, *(_used(d, geneset, span) for d in outcome.diagnostics)),
            )
        found.extend(_used(d, geneset, span) for d in outcome.diagnostics)
        visited.append(current)
        if tag.manifest.ref is None:
            return Outcome(tag, tuple(found))
        parsed = parse_gene_set(tag.manifest.ref)
        place = tag.manifest.ref_span or place
        if isinstance(parsed, NameFault):
            fault = wording.identifier_malformed(parsed.message, place)
            return _failed(found, fault, geneset, place, span)
        current = parsed


def _failed(
    found: list[Diagnostic],
    fault: Diagnostic,
    geneset: GeneSetId,
    place: Span | None,
    span: Span | None,
) -> Outcome[GeneSetTag]:
    if place is not span:
        fault = _used(fault, geneset, span)
    return Outcome(None, (*found, fault))


def _used(diagnostic: Diagnostic, geneset: GeneSetId, span: Span | None) -> Diagnostic:
    """Findings of the pool, which also show the line of a catlet that needs the gene set."""
    if span is None:
        return diagnostic
    label = Label(span, f"`{geneset}` is named here")
    if diagnostic.primary is None:
        return diagnostic._replace(primary=label)
    return diagnostic._replace(related=(label, *diagnostic.related))
