"""The values of one key of a configuration while part after part was laid onto it.

Many parts ask when their piece was seen last, so each place is searched once for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Final

from eryphc.guest.cloudconfig.losses import Lost
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    Value,
    identity,
)

_ABSENT: Final = "absent"
_BROKEN: Final = "broken"


class History:
    """The values of one top-level key, and of each the number of the part that made it."""

    def __init__(self, key: Value, states: Iterable[MappingNode]) -> None:
        self._values: list[tuple[Node | None, int]] = []
        before: Node | None = None
        for number, state in enumerate(states):
            value = state.get(key)
            if value is not before or not self._values:
                self._values.append((value, number))
                before = value
        self._gone_items: dict[tuple[Value, ...], dict[Hashable, int]] = {}
        self._gone_values: dict[tuple[Value, ...], dict[Hashable, int]] = {}

    def gone_since(self, lost: Lost) -> int:
        """The part after which the piece is lost as it is in the end; 0 where it never was there.

        The piece counts as present while more than it is lost, or only some of it.
        """
        steps = lost.steps
        if lost.rank:
            items = self._gone_items.get(steps)
            if items is None:
                items = self._gone_items[steps] = self._items(steps)
            name = (lost.rank, identity(lost.node))
            return max(items.get(name, 0), items.get(_BROKEN, 0))
        values = self._gone_values.get(steps)
        if values is None:
            values = self._gone_values[steps] = self._values_at(steps)
        found = values.get(_BROKEN, 0)
        if isinstance(lost.node, Scalar):
            found = max(found, values.get(identity(lost.node), 0))
            return max(found, values.get(_ABSENT, 0)) if lost.node.value is None else found
        # A map against a map, a list against a list is looked into.
        return max(found, values.get(type(lost.node).__name__, 0))

    def _items(self, steps: tuple[Value, ...]) -> dict[Hashable, int]:
        """For each item of the list at `steps` the part after which it was there no more."""
        gone: dict[Hashable, int] = {}
        before: Node | None = None
        held: list[Hashable] = []
        for value, after in self._until_replaced():
            node, broken = _at(value, steps)
            if broken or not isinstance(node, Sequence):
                gone[_BROKEN] = after
            elif node is before:
                gone.update((name, after) for name in held)
            else:
                ranks: Counter[Hashable] = Counter()
                held = []
                for item in node.items:
                    name = identity(item)
                    ranks[name] += 1
                    held.append((ranks[name], name))
                gone.update((name, after) for name in held)
            before = node
        return gone

    def _values_at(self, steps: tuple[Value, ...]) -> dict[Hashable, int]:
        gone: dict[Hashable, int] = {}
        for value, after in self._until_replaced():
            node, broken = _at(value, steps)
            if broken:
                gone[_BROKEN] = after
            elif node is None:
                gone[_ABSENT] = after
            else:
                gone[identity(node) if isinstance(node, Scalar) else type(node).__name__] = after
        return gone

    def _until_replaced(self) -> Iterable[tuple[Node | None, int]]:
        """Each value but the last, with the part that replaced it."""
        for (value, _), (_, after) in pairwise(self._values):
            yield value, after


def _at(node: Node | None, steps: tuple[Value, ...]) -> tuple[Node | None, bool]:
    """What stands at the end of `steps`, and whether a map is missing on the way there."""
    for step in steps:
        if not isinstance(node, MappingNode):
            return None, True
        node = node.get(step)
    return node, False
