"""Text of fodder, and where each of its characters was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from eryphc.source import Span


class Written(NamedTuple):
    """Content as an author wrote it: a scalar or a slice of the document.

    `span` covers the node in its document. `first_line` is the 1-based line of the document
    that holds the first line of the content; lines then follow one another, as they do in
    slices and literal blocks. For other styles only lines found as they stand are mapped.
    """

    span: Span
    first_line: int


class Insertion(NamedTuple):
    """One replaced stretch: `start` to `end` of the new text stood at `old_start` to `old_end`."""

    start: int
    end: int
    old_start: int
    old_end: int


class Substituted(NamedTuple):
    """Content whose references were replaced; `insertions` in order of place."""

    base: Content
    insertions: tuple[Insertion, ...]


ContentOrigin: TypeAlias = Written | Substituted


@dataclass(frozen=True, slots=True)
class Content:
    """Text with LF line ends (CR stays only where a quoted scalar has it).

    `origin` takes no part in equality: content that says the same is the same.
    """

    text: str
    origin: ContentOrigin = field(compare=False, repr=False)

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
        return _written_span(self.text, origin, start, end)

    @property
    def whole(self) -> Span:
        """The place of the whole content."""
        origin = self.origin
        return origin.base.whole if isinstance(origin, Substituted) else origin.span


def _before(insertions: tuple[Insertion, ...], offset: int, *, last: bool = False) -> int:
    """The offset in the text before substitution that corresponds to `offset`."""
    shift = 0
    for insertion in insertions:
        if offset < insertion.start or (offset == insertion.start and last):
            break
        if offset < insertion.end or (offset == insertion.end and last):
            return insertion.old_end if last else insertion.old_start
        shift = insertion.old_end - insertion.end
    return offset + shift


def _written_span(text: str, origin: Written, start: int, end: int) -> Span:
    first = _written_offset(text, origin, start)
    if first is None:
        return origin.span
    last = _written_offset(text, origin, end)
    if last is None or last < first:
        last = first
    return Span(origin.span.source, first, last)


def _written_offset(text: str, origin: Written, offset: int) -> int | None:
    source = origin.span.source
    line_start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    content_line = text[line_start:] if line_end == -1 else text[line_start:line_end]
    number = origin.first_line + text.count("\n", 0, line_start)
    if number > source.line_count:
        return None
    written = source.line(number)
    column = offset - line_start
    if not content_line:
        return source.line_start(number) + min(column, len(written))
    at = written.find(content_line)
    if at == -1:
        return None
    if written.endswith(content_line):
        at = len(written) - len(content_line)
    return source.line_start(number) + at + column
