"""Where values come from and where a fault is shown: places inside a value, origins, chains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from eryphc import origin as origins
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import field_names, replace
from eryphc.ir.catlet import Place, Record
from eryphc.ir.stages import Document
from eryphc.origin import DEFAULTED, Origin, Step
from eryphc.source import Span

R = TypeVar("R", bound=Record)


def part(record: Record, key: str, text: str, wanted: str) -> Span | None:
    """The place of `wanted` inside the value `text` of `key`; the whole value where it is unclear.

    Letter case is ignored: identifiers are lower case, what an author wrote need not be.
    """
    span = record.place(key)
    if span is None:
        return record.at()
    start = span.text.find(text)
    inside = text.lower().rfind(wanted.lower())
    if start == -1 or inside == -1:
        return span
    at = span.start + start + inside
    return Span(span.source, at, at + len(wanted))


def inherited(child: Record, parent: Record, keys: Iterable[str]) -> dict[str, Place]:
    """The places of `child` with the origins of what it inherits from `parent`."""
    places = dict(child.places)
    for key in keys:
        if key in parent.places:
            places[key] = parent.origin(key)
        else:
            places.pop(key, None)
    return places


def defaulted(record: Record, *keys: str) -> dict[str, Place]:
    """The places of `record` once it gets values for `keys` that no document has.

    What is written but blank keeps its place: faults are shown there.
    """
    places = dict(record.places)
    for key in keys:
        span, document = record.place(key), record.document
        plain = span is None and document is None
        places[key] = DEFAULTED if plain else Origin(span=span, step=Step.DEFAULTED, via=document)
    return places


def brought(record: R, document: Origin) -> R:
    """The record, and all in it, as part of a document that came as `document` says."""
    changes: dict[str, Any] = {"document": document}
    for name in field_names(record):
        value = getattr(record, name)
        if isinstance(value, Record):
            changes[name] = brought(value, document)
        elif isinstance(value, tuple) and value and isinstance(value[0], Record):
            changes[name] = tuple(brought(item, document) for item in value)
    return replace(record, **changes)


def chained(diagnostics: Iterable[Diagnostic], origin: Origin | None) -> tuple[Diagnostic, ...]:
    """The diagnostics of a document with what led to it; `origin` is in that document."""
    if origin is None:
        return tuple(diagnostics)
    return tuple(d._replace(via=origin) for d in diagnostics)


def rooted(diagnostics: Iterable[Diagnostic], root: Origin | None) -> tuple[Diagnostic, ...]:
    """The diagnostics with origins that do not end open."""
    return tuple(
        d if d.via is None else d._replace(via=origins.rooted(d.via, root)) for d in diagnostics
    )


def in_documents(
    diagnostics: Iterable[Diagnostic], documents: Iterable[Document]
) -> tuple[Diagnostic, ...]:
    """The diagnostics, each with what led to the document in which it lies."""
    known = {id(document.source): document.origin for document in documents}
    return tuple(
        d._replace(via=known.get(id(d.primary.span.source), d.via)) if d.primary is not None else d
        for d in diagnostics
    )
