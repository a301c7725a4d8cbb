"""The places in a text of fodder where values of variables stand."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from copy import copy
from typing import Final

from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Substituted
from eryphc.origin import Origin, Step
from eryphc.source import Span

_BRACES: Final = "{{"
_MARK: Final = "Zplace"
# Values that stay text wherever they stand, as `cloudconfig/filled.py` proves; a colon may end a
# key in a flow collection, so it is not among them. Behind a backslash they may be an escape.
_HARMLESS: Final = re.compile(
    r"[A-Za-z0-9_/](?:[A-Za-z0-9_./@+=~%$()^;-]| (?=[A-Za-z0-9_./@+=~%$()^;-]))*"
)


class Place(NamedTuple):
    """A reference and what stands there: the name and the value of a variable, its origin, and
    where the reference was written. `start` and `end` lie in the text with its values.
    """

    name: str
    value: str
    origin: Origin | None
    span: Span
    start: int
    end: int

    @property
    def secret(self) -> bool:
        return self.origin is not None and self.origin.secret

    @property
    def stood_in(self) -> bool:
        """Whether the value only stands for one that is not known yet."""
        return self.origin is not None and any(
            each.step is Step.STAND_IN for each in self.origin.chain()
        )


class Placed:
    """A text with values, and the same text with a harmless word at the place of each.

    `text` is what a guest gets, `marked` the text with stand-ins; both have LF line ends.
    """

    __slots__ = ("_kept", "_mark", "marked", "places", "text")

    def __init__(self, between: Sequence[str], places: Sequence[Place]) -> None:
        mark = _MARK
        while any(mark in each for each in between):
            mark += "a"
        pieces, marks = [between[0]], [between[0]]
        length = len(between[0])
        placed: list[Place] = []
        for number, (place, after) in enumerate(zip(places, between[1:], strict=True)):
            start, length = length, length + len(place.value)
            placed.append(place._replace(start=start, end=length))
            pieces += (place.value, after)
            marks += (f"{mark}{number}Z", after)
            length += len(after)
        self.places = tuple(placed)
        self.text = "".join(pieces)
        self.marked = "".join(marks)
        self._mark = re.compile(mark + "([0-9]+)Z")
        self._kept: frozenset[int] = frozenset()

    def numbers(self, text: str) -> list[int]:
        """Which places a piece of the marked text holds, in order."""
        return [int(match[1]) for match in self._mark.finditer(text)]

    def filled(self, text: str) -> str:
        """A piece of the marked text with the values in it."""
        return self._mark.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        number = int(match[1])
        return match[0] if number in self._kept else self.places[number].value

    def without(self, numbers: Iterable[int]) -> Placed:
        """The same text with stand-ins for the values of some places, whose numbers stay."""
        other = copy(self)
        other._kept = frozenset(numbers)
        other.text = other.filled(self.marked)
        return other

    def is_suspicious(self, number: int) -> bool:
        """Whether a value may be anything else than a piece of its scalar."""
        return number not in self._kept and not _HARMLESS.fullmatch(self.places[number].value)

    def is_one(self, text: str) -> bool:
        """Whether a piece of the marked text is one place and nothing else."""
        return self._mark.fullmatch(text) is not None

    def marks(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Start and end of each stand-in of a piece of the marked text, and its number."""
        for match in self._mark.finditer(text):
            yield match.start(), match.end(), int(match[1])


def placed(content: Content) -> Placed | None:
    """The places of values in a content; None where no value was inserted."""
    origin = content.origin
    while isinstance(origin, Substituted):
        if any(each.variable is not None for each in origin.insertions):
            return _placed(content, origin)
        content = origin.base
        origin = content.origin
    return None


def _placed(content: Content, origin: Substituted) -> Placed:
    written = origin.base.text
    between: list[str] = []
    places: list[Place] = []
    piece, at = "", 0
    for each in origin.insertions:
        piece += written[at : each.old_start]
        at = each.old_end
        value = content.text[each.start : each.end]
        if each.variable is None:
            piece += value
            continue
        between.append(_lines(piece))
        span = origin.base.span(each.old_start, each.old_end)
        places.append(Place(each.variable, _lines(value), each.value, span, 0, 0))
        piece = ""
    between.append(_lines(piece + written[at:]).rstrip("\0"))
    between[0] = between[0].removeprefix("\ufeff")
    return Placed(between, places)


# Findings of the target `hyperv` about values that only a deployment knows are about their places.
_ABOUT_PLACES: Final = "07"


def without_stand_ins(
    found: Iterable[Diagnostic], fodder_entries: Iterable[Fodder]
) -> list[Diagnostic]:
    """The findings that are not about a value that stands for another."""
    lines = {
        (id(place.span.source), place.span.line)
        for fodder in fodder_entries
        if fodder.content is not None and (known := placed(fodder.content)) is not None
        for place in known.places
        # Other notations have one place for all that is in a text.
        if place.stood_in and place.span.text.startswith(_BRACES)
    }
    return [each for each in found if not _is_about(each, lines)]


def _is_about(found: Diagnostic, lines: Container[tuple[int, int]]) -> bool:
    """Whether a finding points at the line of a stand-in: at the value, or at its key."""
    if found.primary is None or found.code.number[1:3] == _ABOUT_PLACES:
        return False
    span = found.primary.span
    return (id(span.source), span.line) in lines


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text
