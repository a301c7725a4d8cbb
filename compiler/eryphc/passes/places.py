"""Where a fault is shown: narrower places inside a value, and the chain that led to a document."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.diagnostics.model import Diagnostic, Label
from eryphc.identifiers import GeneSetId
from eryphc.ir.catlet import Places, Record
from eryphc.ir.stages import FROM_SPEC, Document, Pedigree
from eryphc.source import Span


def part(record: Record, key: str, text: str, wanted: str) -> Span | None:
    """The place of `wanted` inside the value `text` of `key`; the whole value where it is unclear.

    Letter case is ignored: identifiers are lower case, what an author wrote need not be.
    """
    span = record.at(key)
    if span is None or key not in record.places:
        return span
    start = span.text.find(text)
    inside = text.lower().rfind(wanted.lower())
    if start == -1 or inside == -1:
        return span
    at = span.start + start + inside
    return Span(span.source, at, at + len(wanted))


def inherited(child: Record, parent: Record, keys: Iterable[str]) -> Places:
    """The places of `child` with those of `parent` for the values that it inherits."""
    places = dict(child.places)
    for key in keys:
        if key in parent.places:
            places[key] = parent.places[key]
        else:
            places.pop(key, None)
    return places


def chained(diagnostics: Iterable[Diagnostic], chain: tuple[Label, ...]) -> tuple[Diagnostic, ...]:
    """The diagnostics with the places that led to them in front."""
    if not chain:
        return tuple(diagnostics)
    return tuple(d._replace(related=(*chain, *d.related)) for d in diagnostics)


def parent_label(spec: Document, parent: GeneSetId | None) -> Label | None:
    """Where the spec names its parent; `parent` is its final gene set."""
    span = spec.catlet.at("parent")
    return None if span is None else Label(span, f"the parent `{parent}` is named here")


def root_of(pedigree: Pedigree) -> Label | None:
    """What stands for `FROM_SPEC` in the chains of a pedigree."""
    documents = pedigree.documents
    return parent_label(documents[0], documents[1].geneset) if len(documents) > 1 else None


def rooted(diagnostics: Iterable[Diagnostic], root: Label | None) -> tuple[Diagnostic, ...]:
    """The diagnostics with `root` for `FROM_SPEC`."""
    return tuple(
        d._replace(related=rooted_chain(d.related, root)) if FROM_SPEC in d.related else d
        for d in diagnostics
    )


def rooted_chain(chain: tuple[Label, ...], root: Label | None) -> tuple[Label, ...]:
    """A chain as people read it."""
    if FROM_SPEC not in chain:
        return chain
    labels = (root if label is FROM_SPEC else label for label in chain)
    return tuple(label for label in labels if label is not None)


def in_documents(
    diagnostics: Iterable[Diagnostic], documents: Iterable[Document]
) -> tuple[Diagnostic, ...]:
    """The diagnostics, each with the chain of the document in which it lies."""
    chains = {id(document.source): document.chain for document in documents}
    return tuple(
        d._replace(related=(*chains.get(id(d.primary.span.source), ()), *d.related))
        if d.primary is not None
        else d
        for d in diagnostics
    )
