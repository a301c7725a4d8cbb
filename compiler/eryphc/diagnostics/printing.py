"""Diagnostics as text for people: message, place, the source line with the fault underlined.

What is printed may come from hostile documents, so control characters are shown as escapes.
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Diagnostic, Label, Level
from eryphc.diagnostics.trail import related
from eryphc.source import Span

_LINE_WIDTH = 160
_COLORS = {Level.ERROR: "31", Level.WARNING: "33", Level.NOTE: "36"}
# Marks that reorder what is shown could make a line read as something else.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def plain(text: str) -> str:
    """`text` without anything a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(
        c
        if (c.isprintable() and c not in _REORDERING) or c == " "
        else " "
        if c == "\t"
        else f"\\u{ord(c):04x}"
        if ord(c) <= 0xFFFF
        else f"\\U{ord(c):08x}"
        for c in text
    )


def text(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """All diagnostics, each followed by an empty line; empty text for none."""
    return "".join(_one(diagnostic, _Paint(color=color)) + "\n" for diagnostic in diagnostics)


class _Paint:
    def __init__(self, *, color: bool) -> None:
        self.color = color

    def __call__(self, code: str, words: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self.color else words


def _one(diagnostic: Diagnostic, paint: _Paint) -> str:
    tone = _COLORS[diagnostic.level]
    head = paint(f"1;{tone}", f"{diagnostic.level.value}[{diagnostic.code.number}]")
    lines = [head + paint("1", f": {plain(diagnostic.message)}")]
    gutter = " "
    if diagnostic.primary is not None:
        span = diagnostic.primary.span
        width = len(str(span.line))
        gutter = " " * width
        lines.append(f"{gutter}{paint('34', '-->')} {place(span)}")
        if not diagnostic.secret:
            lines += _snippet(diagnostic.primary, width, tone, paint)
    for label in related(diagnostic):
        words = f": {plain(label.message)}" if label.message else ""
        lines.append(f"{gutter}{paint('34', ':::')} {place(label.span)}{words}")
    lines += [f"{gutter} {paint('34', '=')} note: {plain(note)}" for note in diagnostic.notes]
    if diagnostic.help is not None:
        first, *more = diagnostic.help.split("\n")
        lines.append(f"{gutter} {paint('34', '=')} {paint('32', 'help')}: {plain(first)}")
        lines += [f"{gutter}         {plain(line)}" for line in more]
    return "".join(f"{line}\n" for line in lines)


def place(span: Span) -> str:
    """FILE:LINE:COLUMN."""
    line, column = span.source.position(span.start)
    return f"{plain(span.source.name)}:{line}:{column}"


def _snippet(label: Label, width: int, tone: str, paint: _Paint) -> list[str]:
    span = label.span
    line, column = span.source.position(span.start)
    shown = span.source.line(line)
    if not shown.strip():
        return []
    start = column - 1
    end = min(start + max(span.end - span.start, 1), max(len(shown), start + 1))
    if len(shown) > _LINE_WIDTH:
        # A long line is cut around the place, with an ellipsis at each cut.
        left = max(0, min(start - _LINE_WIDTH // 3, len(shown) - _LINE_WIDTH))
        cut = shown[left : left + _LINE_WIDTH]
        shown = ("…" if left else "") + cut + ("…" if left + _LINE_WIDTH < len(shown) else "")
        start = start - left + (1 if left else 0)
        end = min(end - left + (1 if left else 0), len(shown))
    before = plain(shown[:start])
    marked = plain(shown[start:end]) or " "
    after = plain(shown[end:])
    bar = paint("34", "|")
    words = f" {plain(label.message)}" if label.message else ""
    return [
        f"{' ' * width} {bar}",
        f"{paint('34', str(line))} {bar} {before}{marked}{after}",
        f"{' ' * width} {bar} {' ' * _columns(before)}"
        + paint(tone, "^" * max(_columns(marked), 1) + words),
    ]


def _columns(shown: str) -> int:
    """How wide a text stands in a terminal: East Asian wide characters take two columns."""
    if shown.isascii():
        return len(shown)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in ("W", "F") else 1 for c in shown)


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """How many errors and warnings there are, in words; empty for none."""
    words = []
    for level, name in ((Level.ERROR, "error"), (Level.WARNING, "warning")):
        count = sum(1 for diagnostic in diagnostics if diagnostic.level is level)
        if count:
            words.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " and ".join(words)
