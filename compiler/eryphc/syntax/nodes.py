"""The tree of one document: scalars, sequences, mappings and aliases with their places.

Nothing is converted here: a scalar is its text and how it was quoted. Places are offsets into
the text of the document.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_ENTRIES = 10_000
MAX_ALIASES = 1_000
MAX_DIRECTIVES = 100
MAX_EXPANDED = 16 * 1024 * 1024


class Style(Enum):
    """How a scalar was written. The JSON styles tell the type of a JSON value."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"
    LITERAL = "literal"
    FOLDED = "folded"
    JSON_TEXT = "text"
    JSON_NUMBER = "number"
    JSON_WORD = "word"


class ScalarNode:
    __slots__ = ("anchor", "end", "start", "style", "tag", "value")

    def __init__(
        self,
        value: str,
        style: Style,
        start: int,
        end: int,
        tag: str | None = None,
        anchor: str | None = None,
    ) -> None:
        self.value = value
        self.style = style
        self.start = start
        self.end = end
        self.tag = tag
        self.anchor = anchor


class SequenceNode:
    """`end` of a block sequence is where the next token begins."""

    __slots__ = ("anchor", "end", "flow", "items", "start", "tag")

    def __init__(
        self, start: int, *, flow: bool, tag: str | None = None, anchor: str | None = None
    ) -> None:
        self.items: list[Node] = []
        self.start = start
        self.end = start
        self.flow = flow
        self.tag = tag
        self.anchor = anchor


class MappingNode:
    """`entries` in document order, duplicates included. `end` as in sequences."""

    __slots__ = ("anchor", "end", "entries", "flow", "start", "tag")

    def __init__(
        self, start: int, *, flow: bool, tag: str | None = None, anchor: str | None = None
    ) -> None:
        self.entries: list[tuple[Node, Node]] = []
        self.start = start
        self.end = start
        self.flow = flow
        self.tag = tag
        self.anchor = anchor


class AliasNode:
    """`*anchor`. `target` is the latest node of that name before it, None where there is none."""

    __slots__ = ("anchor", "end", "start", "target")

    def __init__(self, anchor: str, start: int, end: int, target: Node | None) -> None:
        self.anchor = anchor
        self.start = start
        self.end = end
        self.target = target


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode | AliasNode
