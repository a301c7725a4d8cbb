"""Diagnostics to the same without lines that hold a secret: what is shown of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from eryphc.diagnostics.model import Diagnostic, Label
from eryphc.ir.catlet import Catlet, FodderGene, Record, Variable
from eryphc.source import SourceText, Span

# A document that cannot be read cannot tell what is secret in it either; one that speaks of
# secrets at all is then not shown.
_SPEAKS_OF_SECRETS = re.compile(r"secret[\"']?\s*:(?!\s*(?:false|no|off)\b)", re.IGNORECASE)

_SHORTEST = 4
_TOLD_ANYWHERE = 8
_QUOTED = re.compile(r"`([^`]*)`")
REDACTED = "#REDACTED"


def conceal(diagnostics: Iterable[Diagnostic], records: Iterable[Record]) -> tuple[Diagnostic, ...]:
    """The diagnostics without the secrets of `records`.

    One whose line a secret stands on is marked `secret`; a secret value that has got into words,
    since an alias uses it elsewhere, is replaced.
    """
    found = tuple(diagnostics)
    if not found:
        return found
    by_source: dict[int, list[Span]] = {}
    texts: set[str] = set()
    for record in records:
        for span in _secrets(record):
            by_source.setdefault(id(span.source), []).append(span)
        texts.update(_secret_texts(record))
    if not by_source and not texts:
        return found
    # The longest first: one secret may be a part of another.
    words = sorted(texts, key=lambda text: (-len(text), text))
    return tuple(_redacted(_hidden(diagnostic, by_source), words) for diagnostic in found)


def conceal_unread(diagnostics: Iterable[Diagnostic], source: SourceText) -> tuple[Diagnostic, ...]:
    """The diagnostics of a document that could not be read at all."""
    found = tuple(diagnostics)
    if found and _SPEAKS_OF_SECRETS.search(source.text):
        return tuple(diagnostic._replace(secret=True) for diagnostic in found)
    return found


def _variables(record: Record) -> Iterable[Variable]:
    if isinstance(record, (Catlet, FodderGene)):
        yield from record.variables or ()
        for food in record.fodder or ():
            yield from food.variables or ()


def _secret_texts(record: Record) -> Iterable[str]:
    """Secret values that are long enough to be told from the words around them."""
    for variable in _variables(record):
        value = (variable.value or "").strip()
        if variable.secret and len(value) >= _SHORTEST:
            yield value


def _secrets(record: Record) -> Iterable[Span]:
    """The places of secret values: of variables, and of the contents of secret foods."""
    if not isinstance(record, (Catlet, FodderGene)):
        return
    for food in record.fodder or ():
        if food.secret:
            if food.content is not None:
                yield food.content.whole
            if (place := food.place("content")) is not None:
                yield place
    for variable in _variables(record):
        if variable.secret and (place := variable.place("value")) is not None:
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
            return _unquoted(diagnostic._replace(secret=True), span.text)
    return diagnostic


def _unquoted(diagnostic: Diagnostic, secret: str) -> Diagnostic:
    """The diagnostic without the words that it quotes from the secret text it points into."""

    def shown(quoted: re.Match[str]) -> str:
        # A name of one or two letters tells nothing, and is in every text.
        return f"`{REDACTED}`" if len(quoted[1]) > 2 and quoted[1] in secret else quoted[0]

    def clean(text: str) -> str:
        return _QUOTED.sub(shown, text)

    return diagnostic._replace(
        message=clean(diagnostic.message),
        notes=tuple(clean(note) for note in diagnostic.notes),
        help=clean(diagnostic.help) if diagnostic.help is not None else None,
    )


def _redacted(diagnostic: Diagnostic, words: Sequence[str]) -> Diagnostic:
    def clean(text: str) -> str:
        for word in words:
            if word not in text:
                continue
            if len(word) >= _TOLD_ANYWHERE:
                text = text.replace(word, REDACTED)
            else:
                # `admin` is no secret inside the name `admin-linux`.
                alone = rf"(?<![\w.-]){re.escape(word)}(?![\w.-])"
                text = re.sub(alone, REDACTED, text)
        return text

    primary, help_text = diagnostic.primary, diagnostic.help
    cleaned = diagnostic._replace(
        message=clean(diagnostic.message),
        primary=Label(primary.span, clean(primary.message)) if primary is not None else None,
        related=tuple(Label(label.span, clean(label.message)) for label in diagnostic.related),
        notes=tuple(clean(note) for note in diagnostic.notes),
        help=clean(help_text) if help_text is not None else None,
    )
    return diagnostic if cleaned == diagnostic else cleaned._replace(secret=True)
