"""Text of fodder, and where each of its characters was written."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from eryphc.frozen import NamedTuple
from eryphc.origin import Origin, Step
from eryphc.source import Span

_LINE_END: Final = re.compile("\n")


class Written(NamedTuple):
    """Content as an author wrote it: a scalar or a slice of the document.

    `span` covers the node in its document. `skipped` lines after the first of the span the
    content begins; lines then follow one another, as they do in slices and literal blocks. For
    other styles only lines found as they stand are mapped.
    """

    span: Span
    skipped: int = 0

    @property
    def first_line(self) -> int:
        """The 1-based line of the document that holds the first line of the content."""
        return self.span.line + self.skipped


class Insertion(NamedTuple):
    """One replaced stretch: `start` to `end` of the new text stood at `old_start` to `old_end`.

    Where the value of a variable was inserted, `variable` is its name and `value` the origin of
    the value. Else the new text is the old in other characters, such as an escape or a line end.
    """

    start: int
    end: int
    old_start: int
    old_end: int
    variable: str | None = None
    value: Origin | None = None


class Stretch(NamedTuple):
    """The characters `start` to `end` of a text, which have one origin."""

    start: int
    end: int
    origin: Origin


class Substituted(NamedTuple):
    """Content whose references were replaced; `insertions` in order of place."""

    base: Content
    insertions: tuple[Insertion, ...]


ContentOrigin: TypeAlias = Written | Substituted


class Content:
    """Text with LF line ends (CR stays only where a quoted scalar has it); never changed.

    `origin` takes no part in equality: content that says the same is the same.
    """

    __slots__ = ("_places", "origin", "text")

    def __init__(self, text: str, origin: ContentOrigin) -> None:
        self.text: Final = text
        self.origin: Final = origin
        # Thousands of diagnostics may ask about one text: its lines are looked up once.
        self._places: _Places | None = None

    def __repr__(self) -> str:
        """Its length alone: the text may be secret."""
        return f"Content({len(self.text)} characters)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def span(self, start: int, end: int) -> Span:
        """The place in the author's document of the characters `start` to `end`.

        Where single characters cannot be followed (folded and escaped text), the place is
        the whole scalar.
        """
        origin = self.origin
        if isinstance(origin, Substituted):
            return origin.base.span(
                _before(origin.insertions, start), _before(origin.insertions, end, last=True)
            )
        places = self._places
        if places is None:
            places = self._places = _Places(self.text, origin)
        first = places.offset(start)
        if first is None:
            return origin.span
        last = places.offset(end)
        return Span(origin.span.source, first, first if last is None else max(first, last))

    def stretches(self, written: Origin) -> Iterator[Stretch]:
        """The whole text in stretches of one origin each; `written` is that of its author's text.

        Values come via where they were given, bound or declared; everything else was written.
        """
        for start, end, insertion in self._parts():
            span = self.span(start, end)
            if insertion is None or insertion.value is None:
                yield Stretch(start, end, written._replace(span=span))
                continue
            value = insertion.value
            origin = Origin(
                span=span,
                step=Step.SUBSTITUTED,
                variable=insertion.variable,
                gene=written.gene,
                via=value,
                secret=written.secret or value.secret,
            )
            yield Stretch(start, end, origin)

    def _parts(self) -> list[_Part]:
        """The text in parts, each with the insertion of a value that it is."""
        if not isinstance(self.origin, Substituted):
            return _joined([(0, len(self.text), None)])
        base = self.origin.base._parts()
        parts: list[_Part] = []
        at = old = 0
        for insertion in self.origin.insertions:
            parts += _cut(base, old, insertion.old_start, at - old)
            value: Insertion | None = insertion
            if insertion.value is None:
                first = _cut(base, insertion.old_start, insertion.old_start + 1, 0)
                value = first[0][2] if first else None
            parts.append((insertion.start, insertion.end, value))
            at, old = insertion.end, insertion.old_end
        parts += _cut(base, old, old + len(self.text) - at, at - old)
        return _joined(parts)

    @property
    def whole(self) -> Span:
        """The place of the whole content."""
        origin = self.origin
        return origin.base.whole if isinstance(origin, Substituted) else origin.span


# Start and end in a text, and the insertion of a value that stands there.
_Part: TypeAlias = "tuple[int, int, Insertion | None]"


def _cut(parts: Sequence[_Part], start: int, end: int, shift: int) -> list[_Part]:
    """The parts between `start` and `end`, moved by `shift`."""
    first = max(0, bisect_right(parts, start, key=lambda part: part[0]) - 1)
    found: list[_Part] = []
    for index in range(first, len(parts)):
        own_start, own_end, insertion = parts[index]
        if own_start >= end:
            break
        if own_end > start:
            found.append((max(own_start, start) + shift, min(own_end, end) + shift, insertion))
    return found


def _joined(parts: Sequence[_Part]) -> list[_Part]:
    """The parts without empty ones, neighbours of one origin as one.

    What stood before and behind an empty value was written in two places.
    """
    joined: list[_Part] = []
    before: object = parts
    for start, end, insertion in parts:
        if start < end and insertion is before:
            joined[-1] = (joined[-1][0], end, insertion)
        elif start < end:
            joined.append((start, end, insertion))
        if start < end or insertion is not None:
            before = insertion
    return joined


class _Places:
    """Where the lines of a written text begin in their document, found when first asked for."""

    __slots__ = ("_found", "_origin", "_starts", "_text")

    def __init__(self, text: str, origin: Written) -> None:
        self._text = text
        self._origin = origin
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._found: dict[int, int | None] = {}

    def offset(self, offset: int) -> int | None:
        """The offset in the document of the character at `offset`, None if it is unknown."""
        index = bisect_right(self._starts, offset) - 1
        if index not in self._found:
            self._found[index] = self._line(index)
        start = self._found[index]
        return None if start is None else start + offset - self._starts[index]

    def _line(self, index: int) -> int | None:
        source = self._origin.span.source
        number = self._origin.first_line + index
        if number > source.line_count:
            return None
        following = index + 1 < len(self._starts)
        end = self._starts[index + 1] - 1 if following else len(self._text)
        line = self._text[self._starts[index] : end]
        if not line:
            return source.line_start(number)
        written = source.line(number)
        if written.endswith(line):
            return source.line_start(number) + len(written) - len(line)
        at = written.find(line)
        return None if at == -1 else source.line_start(number) + at


def _before(insertions: tuple[Insertion, ...], offset: int, *, last: bool = False) -> int:
    """The offset in the text before substitution that corresponds to `offset`."""
    bisect = bisect_left if last else bisect_right
    index = bisect(insertions, offset, key=lambda insertion: insertion.start) - 1
    if index < 0:
        return offset
    insertion = insertions[index]
    if offset < insertion.end or (offset == insertion.end and last):
        return insertion.old_end if last else insertion.old_start
    return offset + insertion.old_end - insertion.end
