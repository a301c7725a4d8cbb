"""Which fodder entry a node came from, and its place in the author's document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from eryphc.diagnostics.model import Label, trail
from eryphc.diagnostics.said import Said, named
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, copied, descendants
from eryphc.guest.cloudconfig.reader import ReadEntry
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Stretch
from eryphc.origin import Origin, Step


def fodder_name(fodder: Fodder) -> str:
    return fodder.name or "(without a name)"


def fodder_said(fodder: Fodder) -> Said:
    """The name of a fodder entry inside a message."""
    return named(fodder_name(fodder), fodder.place("name") or fodder.at())


def content_of(fodder: Fodder) -> Content:
    """The content of a fodder entry that is fed: only references and removals have none."""
    if fodder.content is None:
        raise ValueError(f"fodder entry {fodder.name!r} has no content")
    return fodder.content


def content_label(fodder: Fodder, start: int, end: int, message: str = "") -> Label:
    """The place of some characters of a fodder entry, cut at the end of the line."""
    content = content_of(fodder)
    text = content.text
    line_end = text.find("\n", start)
    if line_end == -1:
        line_end = len(text)
    end = max(start, min(end, line_end))
    # What stands behind the last character of a block is no part of it.
    stripped = text[start:end].rstrip() or text[start:end]
    return Label(content.span(start, start + len(stripped)), message)


def own_trees(entries: Iterable[ReadEntry]) -> Iterator[ReadEntry]:
    """The entries, each with nodes of its own: a node tells its fodder.

    The reader gives all fodder of one text the same nodes.
    """
    seen: set[int] = set()
    for entry in entries:
        root = entry.reading.root
        if root is None:
            yield entry
        elif id(root) in seen:
            yield entry._replace(reading=entry.reading._replace(root=copied(root)))
        else:
            seen.add(id(root))
            yield entry


def origin_of(fodder: Fodder) -> Origin:
    """Where the text of a fodder entry came from, and whether it is secret."""
    origin = fodder.text_origin
    return origin._replace(secret=True) if fodder.secret else origin


def values_of(fodder: Fodder, content: Content) -> tuple[Stretch, ...]:
    """The values of variables in a text, which is that of the fodder entry or a part of it."""
    return tuple(
        stretch
        for stretch in content.stretches(origin_of(fodder))
        if stretch.origin.step is Step.SUBSTITUTED
    )


def _is_stand_in(origin: Origin | None) -> bool:
    while origin is not None and origin.step is not Step.STAND_IN:
        origin = origin.via
    return origin is not None


def _unknown() -> NoReturn:
    raise LookupError("a node belongs to no fodder entry")


class Provenance:
    """The fodder of one merge and its trees: which fodder a node of the result came from.

    A node is found among the nodes of the trees, or by the nodes that it was made of. One that
    belongs to no fodder is an error of this program and raises: it could hold any secret. Owners
    are computed on first use, so a merge without findings computes none.
    """

    __slots__ = ("_entries", "_owners", "_sources", "some_secret")

    def __init__(
        self,
        sources: Iterable[tuple[Fodder, MappingNode]],
        entries: Sequence[int] | None = None,
    ) -> None:
        """`entries` are the positions of the fodder in its catlet, in the order of `sources`."""
        self._sources = tuple(sources)
        self._entries = range(len(self._sources)) if entries is None else tuple(entries)
        self.some_secret = any(fodder.secret for fodder, _ in self._sources)
        self._owners: dict[int, int] | None = None

    @property
    def fodder_entries(self) -> tuple[Fodder, ...]:
        return tuple(fodder for fodder, _ in self._sources)

    def _index(self) -> dict[int, int]:
        owners = self._owners
        if owners is None:
            owners = {}
            for index, (_, root) in enumerate(self._sources):
                for each in descendants(root):
                    if owners.setdefault(id(each), index) != index:
                        raise LookupError("a node belongs to two fodder entries")
            self._owners = owners
        return owners

    def _owner(self, node: Node) -> tuple[int, Node]:
        """The fodder of a node by its position in the merge, and the node that stands there."""
        owners = self._index()
        while (index := owners.get(id(node))) is None:
            node = node.sources[-1] if node.sources else _unknown()
        return index, node

    def fodder(self, node: Node) -> Fodder:
        return self._sources[self._owner(node)[0]][0]

    def secret(self, node: Node) -> bool:
        """Whether any of the texts that a node came from is secret."""
        if not self.some_secret:
            return False
        owners = self._index()
        asked = [node]
        while asked:
            here = asked.pop()
            index = owners.get(id(here))
            if index is None:
                asked += here.sources or _unknown()
            elif self._sources[index][0].secret:
                return True
        return False

    def number(self, node: Node) -> int:
        """Position of the fodder entry in the merge."""
        return self._owner(node)[0]

    def origin(self, node: Node) -> Origin:
        """Where a node came from. Of what several went into, the last stands for its place."""
        owners = self._index()
        while (index := owners.get(id(node))) is None and len(node.sources) == 1:
            node = node.sources[0]
        if index is None:
            last = self.origin(node.sources[-1]) if node.sources else _unknown()
            return Origin(
                span=last.span,
                step=Step.MERGED,
                gene=last.gene,
                via=last,
                secret=self.secret(node),
            )
        fodder = self._sources[index][0]
        content = content_of(fodder)
        for start, end, value in values_of(fodder, content):
            if start <= node.start and node.end <= end:
                return value
        # What stands behind the last character of a block is no part of it.
        length = len(content.text[node.start : node.end].rstrip())
        return origin_of(fodder)._replace(span=content.span(node.start, node.start + length))

    def place(self, node: Node) -> tuple[int, Fodder, Node]:
        """The fodder entry that holds a node, by position in its catlet and as it was read.

        With it the node itself, or the one that stands for its place.
        """
        index, written = self._owner(node)
        return self._entries[index], self._sources[index][0], written

    def written(self, node: Node) -> str:
        """What stands in the fodder for a node, as its author or the value of a variable has it."""
        index, written = self._owner(node)
        return content_of(self._sources[index][0]).text[written.start : written.end]

    def is_open(self, node: Node) -> bool:
        """Whether a value that only the deployment knows stands in the text of a node."""
        index, written = self._owner(node)
        fodder = self._sources[index][0]
        return any(
            start < written.end and written.start < end and _is_stand_in(origin)
            for start, end, origin in values_of(fodder, content_of(fodder))
        )

    def label(self, node: Node, message: str = "") -> Label:
        index, written = self._owner(node)
        return content_label(self._sources[index][0], written.start, written.end, message)

    def key_label(self, owner: MappingNode, key: object, message: str = "") -> Label:
        """The place of a key of `owner`."""
        node = owner.keys.get(key)  # type: ignore[call-overload]
        return self.label(node if isinstance(node, Scalar) else owner, message)

    def chain(self, node: Node) -> tuple[Label, ...]:
        return trail(self.fodder(node).text_origin)
