"""Cloud-config as data with places: what a guest's loader makes of a text, and where from.

Nodes are shared (by aliases, by the memory of texts, by merges) and never changed once built.
"""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Hashable, Iterator, Mapping
from typing import Literal, TypeAlias


class Tagged:
    """What `!!set`, `!!omap` and `!!pairs` load as: a set, or a list of pairs.

    It counts as one value: nothing merges it or looks into it. The values of a set are null.
    """

    __slots__ = ("entries", "tag")

    def __init__(
        self, tag: Literal["set", "omap", "pairs"], entries: tuple[tuple[Node, Node], ...]
    ) -> None:
        self.tag = tag
        self.entries = entries

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"!!{self.tag}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tagged) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> Hashable:
        pairs = tuple((identity(key), identity(value)) for key, value in self.entries)
        return self.tag, frozenset(pairs) if self.tag == "set" else pairs


Value: TypeAlias = bool | int | float | str | bytes | dt.date | Tagged | None
"""A scalar of YAML 1.1; a point in time is a `datetime`, which is a `date` too."""

Plain: TypeAlias = "Value | list[Plain] | dict[Value, Plain]"


class Scalar:
    """`start` and `end` are offsets into the text of the fodder that holds the node.

    `sources` are the nodes that one was made of, in order, where no fodder holds it as it is.
    The last of them stands for its place.
    """

    __slots__ = ("end", "sources", "start", "value")

    def __init__(
        self, value: Value, start: int = 0, end: int = 0, sources: tuple[Node, ...] = ()
    ) -> None:
        self.value = value
        self.start = start
        self.end = end
        self.sources = sources


class Sequence:
    """`sources` as in scalars."""

    __slots__ = ("end", "items", "sources", "start")

    def __init__(
        self,
        items: tuple[Node, ...],
        start: int = 0,
        end: int = 0,
        sources: tuple[Node, ...] = (),
    ) -> None:
        self.items = items
        self.start = start
        self.end = end
        self.sources = sources


class MappingNode:
    """`entries` in order; `keys` has the node of each key; `sources` as in scalars."""

    __slots__ = ("end", "entries", "keys", "sources", "start")

    def __init__(
        self,
        entries: Mapping[Value, Node],
        keys: Mapping[Value, Scalar],
        start: int = 0,
        end: int = 0,
        sources: tuple[Node, ...] = (),
    ) -> None:
        self.entries = entries
        self.keys = keys
        self.start = start
        self.end = end
        self.sources = sources

    def get(self, key: Value) -> Node | None:
        return self.entries.get(key)

    def text(self, key: Value) -> str | None:
        """The value of `key` where it is text."""
        node = self.entries.get(key)
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


Node: TypeAlias = Scalar | Sequence | MappingNode

MAX_PATH = 4096
MAX_PATH_DEPTH = 256

EMPTY = MappingNode({}, {})
"""What merging begins with; it belongs to no fodder."""


def made_of(*nodes: Node) -> tuple[Node, ...]:
    """The `sources` of a node that all of `nodes` went into."""
    return tuple(node for node in nodes if node is not EMPTY)


def copied(root: MappingNode) -> MappingNode:
    """The same data in nodes of its own; what aliases share stays shared."""
    done: dict[int, Node] = {}

    def copy(node: Node) -> Node:
        known = done.get(id(node))
        if known is None:
            known = done[id(node)] = (
                Scalar(node.value, node.start, node.end)
                if isinstance(node, Scalar)
                else Sequence(tuple(map(copy, node.items)), node.start, node.end)
                if isinstance(node, Sequence)
                else copy_of_map(node)
            )
        return known

    def copy_of_map(node: MappingNode) -> MappingNode:
        entries = {key: copy(value) for key, value in node.entries.items()}
        keys = {
            key: Scalar(place.value, place.start, place.end) for key, place in node.keys.items()
        }
        return MappingNode(entries, keys, node.start, node.end)

    return copy_of_map(root)


def plain(node: Node) -> Plain:
    """The data alone, as dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def file_path(path: str) -> str:
    """A path as a guest reads it (`os.path.abspath` in the root folder)."""
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")


def folders_of(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first, without the root; none of a path that is absurd.

    Linux takes 4096 bytes of a path.
    """
    if len(path) > MAX_PATH or path.count("/") > MAX_PATH_DEPTH:
        return
    folder = posixpath.dirname(file_path(path))
    while folder != "/":
        yield folder
        folder = posixpath.dirname(folder)


def kind(node: Node) -> str:
    """What the node is, in words for a message."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, MappingNode):
        return "a map"
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (str, bytes)):
        return "text"
    if isinstance(value, Tagged):
        return "a set" if value.tag == "set" else "a list of pairs"
    return "a date"


def same(one: Node, other: Node) -> bool:
    """Whether both hold the same data; `1`, `true` and `1.0` differ, the order of keys does not."""
    if one is other:
        return True
    if isinstance(one, Scalar):
        return isinstance(other, Scalar) and same_value(one.value, other.value)
    if isinstance(one, Sequence):
        return (
            isinstance(other, Sequence)
            and len(one.items) == len(other.items)
            and all(map(same, one.items, other.items))
        )
    if not isinstance(other, MappingNode) or len(one.entries) != len(other.entries):
        return False
    theirs = other.entries
    return all(key in theirs and same(value, theirs[key]) for key, value in one.entries.items())


def same_value(one: Value, other: Value) -> bool:
    if type(one) is not type(other):
        return False
    # Not-a-number is the same setting as not-a-number.
    return one == other or (one != one and other != other)


def identity(node: Node) -> Hashable:
    """Equal for nodes that are `same`, so that many can be compared in one pass."""
    if isinstance(node, Scalar):
        value = node.value
        return (type(value), value if value == value else "nan")
    if isinstance(node, Sequence):
        return (Sequence, *map(identity, node.items))
    return frozenset((key, identity(value)) for key, value in node.entries.items())


def descendants(node: Node) -> Iterator[Node]:
    """The node, its keys and all below it, each occurrence once."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        if isinstance(here, Sequence):
            stack.extend(here.items)
        elif isinstance(here, MappingNode):
            stack.extend(here.keys.values())
            stack.extend(here.entries.values())
