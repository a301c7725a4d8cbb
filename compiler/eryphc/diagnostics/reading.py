"""E01xx: what is wrong with a document as text, YAML or JSON, and with its shape."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level
from eryphc.source import Span

NOT_YAML = Code("E0101", "not-yaml")
CHARACTER_REFUSED = Code("E0102", "character-refused")
TAB_REFUSED = Code("E0103", "tab-refused")
SECOND_DOCUMENT = Code("E0104", "second-document")
ALIAS_UNKNOWN = Code("E0105", "alias-unknown")
DOCUMENT_TOO_LARGE = Code("E0106", "document-too-large")
TOO_DEEP = Code("E0107", "too-deep")
TOO_MANY_ENTRIES = Code("E0108", "too-many-entries")
TOO_MANY_ALIASES = Code("E0109", "too-many-aliases")


def _error(
    code: Code,
    message: str,
    span: Span,
    label: str = "",
    *,
    help: str | None = None,  # noqa: A002
    notes: Iterable[str] = (),
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    return Diagnostic(
        code=code,
        level=Level.ERROR,
        message=message,
        primary=Label(span, label),
        notes=tuple(notes),
        help=help,
        related=related,
    )


def not_yaml(
    problem: str, span: Span, context: str | None = None, context_span: Span | None = None
) -> Diagnostic:
    message = f"the document is not valid YAML: {problem}"
    related = (Label(context_span, context),) if context and context_span else ()
    return _error(NOT_YAML, message, span, "here", related=related)


def character_refused(character: str, span: Span) -> Diagnostic:
    name = f"U+{ord(character):04X}"
    return _error(
        CHARACTER_REFUSED,
        f"the character {name} may not stand in a document as it is",
        span,
        "this character",
        help=f'write it inside double quotes as "\\u{ord(character):04X}", or remove it'
        if ord(character) <= 0xFFFF
        else "remove it",
    )


def tab_refused(span: Span) -> Diagnostic:
    return _error(
        TAB_REFUSED,
        "a tab may not be used here",
        span,
        "this tab",
        help="use spaces; a tab is kept only inside quotes and literal blocks",
    )


def second_document(span: Span) -> Diagnostic:
    return _error(
        SECOND_DOCUMENT,
        "a second document begins here, and a file holds exactly one",
        span,
        "after the end of the first document",
        help="move it to a file of its own, or remove the `---` or `...` in front of it",
    )


def alias_unknown(name: str, span: Span, known: Collection[str]) -> Diagnostic:
    close = get_close_matches(name, known, n=1)
    return _error(
        ALIAS_UNKNOWN,
        f"the alias `*{name}` has no anchor `&{name}` before it",
        span,
        "no such anchor",
        help=f"did you mean `*{close[0]}`?" if close else None,
    )


def document_too_large(span: Span) -> Diagnostic:
    return _error(
        DOCUMENT_TOO_LARGE, "the document is larger than 2 MiB, the most that is read", span
    )


def too_deep(limit: int, span: Span) -> Diagnostic:
    return _error(
        TOO_DEEP, f"the document nests deeper than {limit} levels", span, "one level too deep"
    )


def too_many_entries(limit: int, span: Span) -> Diagnostic:
    return _error(
        TOO_MANY_ENTRIES, f"more than {limit:,} entries in one list or mapping", span, "too many"
    )


def too_many_aliases(limit: int, span: Span) -> Diagnostic:
    return _error(TOO_MANY_ALIASES, f"more than {limit:,} aliases in one document", span)
