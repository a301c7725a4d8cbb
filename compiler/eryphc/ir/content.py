"""Text of fodder, and where each of its characters was written."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple, TypeAlias

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

    `secret`: what was put there must not be shown.
    """

    start: int
    end: int
    old_start: int
    old_end: int
    secret: bool = False


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
        """Its size alone: any text may be secret."""
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

    @property
    def whole(self) -> Span:
        """The place of the whole content."""
        origin = self.origin
        return origin.base.whole if isinstance(origin, Substituted) else origin.span


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
