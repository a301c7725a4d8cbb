"""Diagnostics as they leave the tool: plain data, with the words and lines that may be shown.

Nothing here leads back to a document. A renderer or a program gets only text that was decided to be
public when the diagnostic was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from eryphc.diagnostics.model import Diagnostic, Label, Level, related
from eryphc.diagnostics.secrecy import NOTHING_KNOWN, Secrets
from eryphc.frozen import NamedTuple
from eryphc.source import Span


class ShownPlace(NamedTuple):
    """A place in a document. Lines and columns count from 1, columns in characters; ends are
    exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Snippet(NamedTuple):
    """The line of a document that a diagnostic is about, and its marked characters from 0.

    A long line is cut around the place, with an ellipsis at each cut.
    """

    text: str
    start: int
    end: int


class ShownLabel(NamedTuple):
    """One step of what led to a finding."""

    message: str
    place: ShownPlace


class ShownDiagnostic(NamedTuple):
    """One finding, as `--diagnostics json` prints it. `snippet` None: there is no line to show."""

    code: str
    name: str
    level: Level
    message: str
    place: ShownPlace | None = None
    label: str | None = None
    related: tuple[ShownLabel, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    snippet: Snippet | None = None

    @property
    def file(self) -> str | None:
        return self.place.file if self.place is not None else None

    @property
    def line(self) -> int | None:
        return self.place.line if self.place is not None else None

    @property
    def column(self) -> int | None:
        return self.place.column if self.place is not None else None

    @property
    def end_line(self) -> int | None:
        return self.place.end_line if self.place is not None else None

    @property
    def end_column(self) -> int | None:
        return self.place.end_column if self.place is not None else None

    def data(self) -> dict[str, Any]:
        """The object of `--diagnostics json`, without what only text shows."""
        return {
            "code": self.code,
            "name": self.name,
            "level": self.level.value,
            "message": self.message,
            **_place_data(self.place),
            "label": self.label,
            "related": [
                {"message": label.message, **_place_data(label.place)} for label in self.related
            ],
            "notes": list(self.notes),
            "help": self.help,
        }


def _place_data(place: ShownPlace | None) -> dict[str, Any]:
    if place is None:
        return dict.fromkeys(ShownPlace._fields)
    return place._asdict()


def show(
    diagnostics: Iterable[Diagnostic], secrets: Secrets = NOTHING_KNOWN
) -> tuple[ShownDiagnostic, ...]:
    """The diagnostics as data for people and programs, with what `secrets` lets them say."""
    return tuple(_shown(each, secrets) for each in diagnostics)


def _shown(closed: Diagnostic, secrets: Secrets) -> ShownDiagnostic:
    diagnostic = secrets.formed(closed)
    primary = diagnostic.primary
    hidden = primary is None or diagnostic.secret or not secrets.shows_line(primary.span)
    return ShownDiagnostic(
        code=diagnostic.code.number,
        name=diagnostic.code.name,
        level=diagnostic.level,
        message=diagnostic.message,
        place=None if primary is None else _place(primary.span),
        label=None if primary is None else primary.message or None,
        related=tuple(map(_label, related(diagnostic))),
        notes=diagnostic.notes,
        help=diagnostic.help,
        snippet=None if primary is None or hidden else _snippet(primary.span),
    )


def _label(label: Label) -> ShownLabel:
    return ShownLabel(label.message, _place(label.span))


def _place(span: Span) -> ShownPlace:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return ShownPlace(span.source.name, line, column, end_line, end_column)


def _snippet(span: Span) -> Snippet | None:
    line, column = span.source.position(span.start)
    text = span.source.line(line)
    if not text.strip():
        return None
    start = column - 1
    end = min(start + max(span.end - span.start, 1), max(len(text), start + 1))
    if len(text) > _LINE_WIDTH:
        left = max(0, min(start - _LINE_WIDTH // 3, len(text) - _LINE_WIDTH))
        cut = text[left : left + _LINE_WIDTH]
        text = ("…" if left else "") + cut + ("…" if left + _LINE_WIDTH < len(text) else "")
        start = start - left + (1 if left else 0)
        end = min(end - left + (1 if left else 0), len(text))
    return Snippet(text, start, end)


_LEVELS = tuple(Level)
_MOST_SHOWN = 1_000
_LINE_WIDTH = 160
_LONGEST = 2_000


def ordered(diagnostics: Iterable[ShownDiagnostic]) -> tuple[ShownDiagnostic, ...]:
    """Sorted by file, place and code, so that the output is the same every time.

    If the same finding is made twice at one place, it is listed once, at the more severe level.
    """
    seen: set[tuple[object, ...]] = set()
    result: list[ShownDiagnostic] = []
    for diagnostic in sorted(diagnostics, key=lambda d: (*_key(d), _LEVELS.index(d.level))):
        identity = _key(diagnostic)
        if identity not in seen:
            seen.add(identity)
            result.append(diagnostic)
    return tuple(result)


def _key(diagnostic: ShownDiagnostic) -> tuple[ShownPlace, str, str]:
    place = diagnostic.place or ShownPlace("", -1, -1, -1, -1)
    return place, diagnostic.code, diagnostic.message


def bounded(diagnostics: Sequence[ShownDiagnostic]) -> tuple[ShownDiagnostic, ...]:
    """At most as many as a person would read: the most severe ones stay. Long words are cut."""
    if len(diagnostics) > _MOST_SHOWN:
        by_level = sorted(
            range(len(diagnostics)), key=lambda at: (_LEVELS.index(diagnostics[at].level), at)
        )
        diagnostics = [diagnostics[at] for at in sorted(by_level[:_MOST_SHOWN])]
    return tuple(d if _is_short(d) else _shortened(d) for d in diagnostics)


def _is_short(diagnostic: ShownDiagnostic) -> bool:
    texts = (diagnostic.message, diagnostic.help or "", *diagnostic.notes)
    return all(len(text) <= _LONGEST for text in texts)


def _shortened(diagnostic: ShownDiagnostic) -> ShownDiagnostic:
    def short(text: str) -> str:
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."

    return diagnostic._replace(
        message=short(diagnostic.message),
        notes=tuple(short(note) for note in diagnostic.notes),
        help=short(diagnostic.help) if diagnostic.help is not None else None,
    )
