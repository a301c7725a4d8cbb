"""The shape of a diagnostic. Wording lives in the catalogue modules beside this file."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from eryphc.origin import Origin
from eryphc.source import Span

T = TypeVar("T")


class Level(StrEnum):
    """How much a finding matters: an error stops the run, a note never counts."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(NamedTuple):
    """A kind of finding. A released number is never given to another kind."""

    number: str
    name: str


class Label(NamedTuple):
    """A place, and what is to be said of it in a few words."""

    span: Span
    message: str = ""


class Diagnostic(NamedTuple):
    """One finding.

    `message` alone says what is wrong and names the thing. `related` are other places that it
    speaks of, `via` is an origin in the faulty document, which tells what led there (`trail`
    puts it into words). `notes` are facts, `help` the next step. `secret` keeps the source line
    from being shown.
    """

    code: Code
    level: Level
    message: str
    primary: Label | None = None
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    secret: bool = False
    via: Origin | None = None


_LEVELS = {"E": Level.ERROR, "W": Level.WARNING, "N": Level.NOTE}


def finding(
    code: Code,
    message: str,
    span: Span | None = None,
    label: str = "",
    *,
    help: str | None = None,  # noqa: A002
    notes: Iterable[str] = (),
    related: Iterable[Label] = (),
) -> Diagnostic:
    """A diagnostic of the level that the letter of its code says."""
    return Diagnostic(
        code=code,
        level=_LEVELS[code.number[0]],
        message=message,
        primary=Label(span, label) if span is not None else None,
        notes=tuple(notes),
        help=help,
        related=tuple(related),
    )


def code_of(level: Level, *codes: Code) -> Code:
    """The one of `codes` whose letter says `level`."""
    return next(code for code in codes if _LEVELS[code.number[0]] is level)


class Outcome(NamedTuple, Generic[T]):
    """What a pass gives: a value, and what it found.

    `value` is None only where one of the diagnostics is an error.
    """

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by file, place and code, so that the output is the same every time.

    What is said twice of one place is said once, at its gravest level.
    """

    def key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
        place = diagnostic.primary
        if place is None:
            return ("", -1, -1, diagnostic.code.number, diagnostic.message)
        span = place.span
        return (span.source.name, span.start, span.end, diagnostic.code.number, diagnostic.message)

    levels = list(Level)
    seen: set[tuple[object, ...]] = set()
    result: list[Diagnostic] = []
    for diagnostic in sorted(diagnostics, key=lambda d: (key(d), levels.index(d.level))):
        identity = key(diagnostic)
        if identity not in seen:
            seen.add(identity)
            result.append(diagnostic)
    return tuple(result)


_MOST_SHOWN = 1_000
_LONGEST = 2_000


def bounded(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """As many as anybody reads, the gravest first to stay; none with endless words."""
    if len(diagnostics) > _MOST_SHOWN:
        levels = list(Level)
        by_level = sorted(
            range(len(diagnostics)), key=lambda at: (levels.index(diagnostics[at].level), at)
        )
        diagnostics = tuple(diagnostics[at] for at in sorted(by_level[:_MOST_SHOWN]))
    return tuple(d if _is_short(d) else _shortened(d) for d in diagnostics)


def _is_short(diagnostic: Diagnostic) -> bool:
    help_text = diagnostic.help
    return (
        len(diagnostic.message) <= _LONGEST
        and (help_text is None or len(help_text) <= _LONGEST)
        and all(len(note) <= _LONGEST for note in diagnostic.notes)
    )


def _shortened(diagnostic: Diagnostic) -> Diagnostic:
    def short(text: str) -> str:
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."

    return diagnostic._replace(
        message=short(diagnostic.message),
        notes=tuple(short(note) for note in diagnostic.notes),
        help=short(diagnostic.help) if diagnostic.help is not None else None,
    )
