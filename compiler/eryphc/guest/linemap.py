"""Where each line of the guest's files came from, computed on demand.

A line has the origin of the text that it stands in; a stretch of it that holds the value of a
variable has an origin of its own. The same data makes a source map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.emit import Emitted, Mark, write_document
from eryphc.guest.cloudconfig.nodes import Node, Scalar
from eryphc.guest.cloudconfig.provenance import (
    Provenance,
    content_of,
    origin_of,
    values_of,
)
from eryphc.guest.cloudconfig.tree import block_lines
from eryphc.guest.document import (
    AdapterNetwork,
    ConfigTree,
    GuestDocument,
    KeptText,
    NetworkFile,
    UserDataPart,
)
from eryphc.guest.encode import PartText, network_config
from eryphc.guest.model import Adapter
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content
from eryphc.origin import DEFAULTED, Origin, Step
from eryphc.source import SourceText, Span


class Lines(NamedTuple):
    """The lines `first` to `last` of a text came from `origin`.

    The first of them is `source_line` of its document, 0 where no document holds it. `step` 1:
    each next line is the next line there; 0: all are that one.
    """

    first: int
    last: int
    origin: Origin
    source_line: int
    step: int


class LineStretch(NamedTuple):
    """The columns `first` to `last` (exclusive) of a line came from `origin`."""

    line: int
    first: int
    last: int
    origin: Origin


class LineMap(NamedTuple):
    """The origin of every line of a text, in order, and of stretches that have another."""

    lines: tuple[Lines, ...]
    stretches: tuple[LineStretch, ...] = ()


class _Line(NamedTuple):
    origin: Origin
    source_line: int = 0


def origin_of_part(document: GuestDocument, part: UserDataPart) -> Origin:
    """Where a part came from: its fodder entry, or the last of those it was merged from."""
    last = origin_of(document.fodder[part.entries[-1]])
    if len(part.entries) == 1:
        return last
    return Origin(span=last.span, step=Step.MERGED, gene=last.gene, via=last, secret=part.secret)


def map_of_part(document: GuestDocument, made: PartText) -> LineMap:
    """The map of the text of a part."""
    body = made.part.body
    if isinstance(body, KeptText):
        return _Kept(document.fodder[made.part.entries[0]], body).map(made.text)
    if made.emitted is None:
        raise ValueError("the text of a tree comes with the places of its nodes")
    return _Tree(body, made.emitted).map()


def map_of_meta_data(document: GuestDocument) -> LineMap:
    """The map of `meta-data`: the instance id, the host name."""
    return LineMap(
        _runs(_at(origin) for origin in (document.instance_id_origin, document.hostname_origin))
    )


def map_of_network_config(document: GuestDocument) -> LineMap | None:
    """The map of `network-config`, None where there is none."""
    network = document.network
    if network is None:
        return None
    if isinstance(network, AdapterNetwork):
        return LineMap(_runs(_of_adapters(network)))
    if network.added:
        return LineMap(_runs(_of_completed(network)))
    text = network_config(network).decode()
    return LineMap(_runs(_in_file(network.source, start) for start, _ in _lines(text)))


def _of_adapters(network: AdapterNetwork) -> Iterator[_Line]:
    lines = network_config(network).decode().count("\n")
    each = (lines - 2) // len(network.adapters)
    yield from (_at(DEFAULTED), _at(DEFAULTED))
    for adapter in network.adapters:
        yield from [_at(adapter.origin)] * each


def _of_completed(network: NetworkFile) -> Iterator[_Line]:
    added: dict[int, Adapter] = {id(node): adapter for node, adapter in network.added}
    for _, marks, count in _chunks(write_document(network.root)):
        node = marks[0].node
        adapter = added.get(id(node))
        line = _in_file(network.source, node.start) if adapter is None else _at(adapter.origin)
        yield from [line] * count


def _in_file(source: SourceText, offset: int) -> _Line:
    origin = Origin(span=Span(source, 0, len(source.text)), step=Step.GIVEN)
    return _Line(origin, source.position(min(offset, len(source.text)))[0])


def _at(origin: Origin) -> _Line:
    return _Line(origin, 0 if origin.span is None else origin.span.line)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line; what follows the last line feed is a line if it is not empty."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end == -1 else end
        yield start, end
        start = end + 1


def _runs(lines: Iterable[_Line]) -> tuple[Lines, ...]:
    """The lines with what belongs together in one."""
    runs: list[Lines] = []
    for number, line in enumerate(lines, start=1):
        if runs:
            run = runs[-1]
            if run.origin is line.origin or run.origin == line.origin:
                ahead = line.source_line - run.source_line
                single = run.first == run.last
                if ahead == number - run.first and line.source_line and (single or run.step == 1):
                    runs[-1] = run._replace(last=number, step=1)
                    continue
                if ahead == 0 and (single or run.step == 0):
                    runs[-1] = run._replace(last=number, step=0)
                    continue
        runs.append(Lines(number, number, line.origin, line.source_line, 0))
    return tuple(runs)


def _hidden(line: _Line) -> _Line:
    """A line that holds a secret. The secret gets no stretch, because its length is secret too."""
    return line._replace(origin=line.origin._replace(secret=True))


class _Text:
    """The text of one fodder entry: where its lines came from, and the values in them."""

    def __init__(self, fodder: Fodder, content: Content) -> None:
        self.content = content
        self.origin = origin_of(fodder)
        self.values = values_of(fodder, content)

    def line(self, start: int, end: int) -> _Line:
        """The origin of the characters from `start` to `end`, which are (in) one line."""
        for first, last, origin in self.values:
            if first <= start and end <= last and start < last:
                return _at(origin)
        return _Line(self.origin, self.content.span(start, end).line)

    def stretches(self, start: int, end: int, number: int, column: int) -> Iterator[LineStretch]:
        """The values among the characters from `start` to `end`, which stand at `column`."""
        if self.origin.secret:
            return
        for first, last, origin in self.values:
            first, last = max(first, start), min(last, end)
            if first < last and (first, last) != (start, end):
                ahead = column - start
                yield LineStretch(number, first + ahead, last + ahead, origin)


class _Kept(_Text):
    """A text that reaches the guest as its author wrote it."""

    def __init__(self, fodder: Fodder, body: KeptText) -> None:
        super().__init__(fodder, body.content)
        self.added = body.added

    def map(self, text: str) -> LineMap:
        lines: list[_Line] = []
        stretches: list[LineStretch] = []
        places = _lines(self.content.text)
        for number, (start, _) in enumerate(_lines(text), start=1):
            if number - 1 == self.added:
                lines.append(_at(DEFAULTED))
                continue
            first, last = next(places)
            lines.append(self.line(first, last))
            # A byte order mark stands before the first character.
            column = 1 + text.startswith("\ufeff", start)
            stretches += self.stretches(first, last, number, column)
        return LineMap(_runs(lines), tuple(stretches))


def _chunks(emitted: Emitted) -> Iterator[tuple[int, list[Mark], int]]:
    """Each chunk: the number of its first line, its marks, and how many lines it has."""
    marks: dict[int, list[Mark]] = {}
    for mark in emitted.marks:
        marks.setdefault(mark.chunk, []).append(mark)
    number = 1
    for index, chunk in enumerate(emitted.chunks):
        count = chunk.count("\n") + 1
        yield number, marks.get(index, []), count
        number += count


class _Tree:
    """A merged cloud-config."""

    def __init__(self, tree: ConfigTree, emitted: Emitted) -> None:
        self.provenance: Provenance = tree.provenance
        self.emitted = emitted
        self.texts: dict[tuple[int, int], _Text] = {}

    def map(self) -> LineMap:
        lines: list[_Line] = []
        stretches: list[LineStretch] = []
        for (number, marks, _), chunk in zip(
            _chunks(self.emitted), self.emitted.chunks, strict=True
        ):
            first, *rest = chunk.split("\n")
            if not marks:
                lines.append(_at(DEFAULTED))
                continue
            origins = [self.line(mark.node) for mark in marks]
            here = origins[0]
            lines.append(_hidden(here) if any(each.origin.secret for each in origins) else here)
            ends = [after.column for after in marks[1:]] + [len(first)]
            for mark, line, end in zip(marks, origins, ends, strict=True):
                found = list(self.stretches(mark, first[mark.column : end], number))
                if line != here and not found and not line.origin.secret:
                    origin = self.provenance.origin(mark.node)
                    stretches.append(LineStretch(number, mark.column + 1, end + 1, origin))
                stretches += found
            for behind, (below, more) in enumerate(self.below(marks[-1].node, rest), start=1):
                lines.append(below)
                stretches += (each._replace(line=number + behind) for each in more)
        return LineMap(_runs(lines), tuple(stretches))

    def text(self, node: Node) -> tuple[_Text, Node]:
        """The text that a node stands in, and the node that stands there."""
        entry, fodder, written = self.provenance.place(node)
        key = entry, id(fodder.content)
        text = self.texts.get(key)
        if text is None:
            text = self.texts[key] = _Text(fodder, content_of(fodder))
        return text, written

    def line(self, node: Node) -> _Line:
        origin = self.provenance.origin(node)
        if origin.step is Step.MERGED:
            return _at(origin)
        text, written = self.text(node)
        return text.line(written.start, written.end)

    def stretches(self, mark: Mark, shown: str, number: int) -> Iterator[LineStretch]:
        """The values in a scalar that is written as `shown`, as far as they stand there."""
        text, written = self.text(mark.node)
        if text.origin.secret:
            return
        for first, last, origin in text.values:
            if written.start <= first and last <= written.end:
                value = text.content.text[first:last]
                at = shown.find(value)
                if at != -1 and shown.count(value) == 1 and value != shown:
                    start = mark.column + 1 + at
                    yield LineStretch(number, start, start + len(value), origin)

    def below(self, node: Node, rest: list[str]) -> Iterator[tuple[_Line, list[LineStretch]]]:
        """The further lines of a scalar."""
        if not rest:
            return
        text, written = self.text(node)
        places = block_lines(text.content.text, written) if isinstance(written, Scalar) else None
        if places is None or self.provenance.origin(node).step is Step.MERGED:
            line = self.line(node)
            yield from ((line, []) for _ in rest)
            return
        # Empty lines at the end belong to the last line that there is.
        places += [places[-1]] * (len(rest) - len(places))
        for shown, (start, end) in zip(rest, places, strict=False):
            column = 1 + len(shown) - (end - start)
            yield text.line(start, end), list(text.stretches(start, end, 0, column))
