"""Which food a node came from, and its place in the author's document."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.diagnostics.model import Label
from eryphc.diagnostics.trail import trail
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, descendants
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content


def food_name(food: Fodder) -> str:
    return food.name or "(without a name)"


def content_of(food: Fodder) -> Content:
    """The content of a food that is fed: only references and removals have none."""
    if food.content is None:
        raise ValueError(f"food {food.name!r} has no content")
    return food.content


def content_label(food: Fodder, start: int, end: int, message: str = "") -> Label:
    """The place of the characters `start` to `end` of a food, cut at the end of the line."""
    content = content_of(food)
    text = content.text
    line_end = text.find("\n", start)
    if line_end == -1:
        line_end = len(text)
    end = max(start, min(end, line_end))
    # What stands behind the last character of a block is no part of it.
    stripped = text[start:end].rstrip() or text[start:end]
    return Label(content.span(start, start + len(stripped)), message)


class Provenance:
    """The foods of one merge and their trees. Owners are worked out when first asked for.

    A merge whose foods agree asks for none, so it pays for none.
    """

    __slots__ = ("_owners", "_some_secret", "_sources")

    def __init__(self, sources: Iterable[tuple[Fodder, MappingNode]]) -> None:
        self._sources = tuple(sources)
        self._some_secret = any(food.secret for food, _ in self._sources)
        self._owners: dict[int, int] | None = None

    @property
    def foods(self) -> tuple[Fodder, ...]:
        return tuple(food for food, _ in self._sources)

    def _index(self, node: Node) -> tuple[int, Node]:
        owners = self._owners
        if owners is None:
            owners = {}
            for index, (_, root) in enumerate(self._sources):
                for each in descendants(root):
                    owners.setdefault(id(each), index)
            self._owners = owners
        while True:
            index = owners.get(id(node), -1)
            if index >= 0 or node.source is None:
                return max(index, 0), node
            node = node.source

    def food(self, node: Node) -> Fodder:
        return self._sources[self._index(node)[0]][0]

    def secret(self, node: Node) -> bool:
        """Whether the text that a node came from is secret."""
        return self._some_secret and bool(self.food(node).secret)

    def number(self, node: Node) -> int:
        """Position of the food in the merge."""
        return self._index(node)[0]

    def label(self, node: Node, message: str = "") -> Label:
        index, origin = self._index(node)
        return content_label(self._sources[index][0], origin.start, origin.end, message)

    def key_label(self, owner: MappingNode, key: object, message: str = "") -> Label:
        """The place of a key of `owner`."""
        node = owner.keys.get(key)  # type: ignore[call-overload]
        return self.label(node if isinstance(node, Scalar) else owner, message)

    def chain(self, node: Node) -> tuple[Label, ...]:
        return trail(self.food(node).text_origin)
