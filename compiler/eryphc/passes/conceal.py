"""Diagnostics to the same without lines that hold a secret: what is shown of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from eryphc.diagnostics.model import Diagnostic
from eryphc.ir.catlet import Catlet, FodderGene, Record
from eryphc.source import SourceText, Span

# A document that cannot be read cannot tell what is secret in it either; one that speaks of
# secrets at all is then not shown.
_SPEAKS_OF_SECRETS = re.compile(r"secret[\"']?\s*:(?!\s*(?:false|no|off)\b)", re.IGNORECASE)


def conceal(diagnostics: Iterable[Diagnostic], records: Iterable[Record]) -> tuple[Diagnostic, ...]:
    """The diagnostics, those marked `secret` whose line a secret of `records` stands on."""
    found = tuple(diagnostics)
    if not found:
        return found
    by_source: dict[int, list[Span]] = {}
    for record in records:
        for span in _secrets(record):
            by_source.setdefault(id(span.source), []).append(span)
    if not by_source:
        return found
    return tuple(_hidden(diagnostic, by_source) for diagnostic in found)


def conceal_unread(diagnostics: Iterable[Diagnostic], source: SourceText) -> tuple[Diagnostic, ...]:
    """The diagnostics of a document that could not be read at all."""
    found = tuple(diagnostics)
    if found and _SPEAKS_OF_SECRETS.search(source.text):
        return tuple(replace(diagnostic, secret=True) for diagnostic in found)
    return found


def _secrets(record: Record) -> Iterable[Span]:
    """The places of secret values: of variables, and of the contents of secret foods."""
    if not isinstance(record, (Catlet, FodderGene)):
        return
    variables = list(record.variables or ())
    for food in record.fodder or ():
        if food.secret:
            if food.content is not None:
                yield food.content.whole
            if (place := food.places.get("content")) is not None:
                yield place
        variables += food.variables or ()
    for variable in variables:
        if variable.secret and (place := variable.places.get("value")) is not None:
            yield place


def _hidden(diagnostic: Diagnostic, secrets: Mapping[int, list[Span]]) -> Diagnostic:
    if diagnostic.primary is None:
        return diagnostic
    place = diagnostic.primary.span
    source = place.source
    line_start = source.line_start(place.line)
    line_end = line_start + len(source.line(place.line))
    for span in secrets.get(id(source), ()):
        if span.start <= line_end and span.end >= line_start:
            return replace(diagnostic, secret=True)
    return diagnostic
