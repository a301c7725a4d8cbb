"""What of one configuration another does not hold any more: keys and items of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import TypeAlias

from eryphc.diagnostics.said import Words
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    Value,
    identity,
    same,
)
from eryphc.guest.cloudconfig.saying import Names, below


class Lost(NamedTuple):
    """One value or one item of a list that is lost.

    `instead` is what stands in its place: the other value, the list without the item, or the lost
    value itself where there is nothing. `steps` are the keys below the top-level one; of an item
    they lead to its list, and `rank` says of how many equal ones it is the last (0: no item).
    """

    path: Words
    node: Node
    instead: Node
    steps: tuple[Value, ...]
    rank: int = 0

    @property
    def joins(self) -> bool:
        """Whether it would stand beside the present value if the two joined as far as possible."""
        return self.rank > 0 or self.instead is self.node

    @property
    def clash(self) -> bool:
        """Whether a map stands against a list."""
        kinds = {type(self.node), type(self.instead)}
        return not self.rank and kinds == {MappingNode, Sequence}

    @property
    def spot(self) -> Spot:
        return self.steps, self.rank, identity(self.node)


Spot: TypeAlias = tuple[tuple[Value, ...], int, Hashable]
"""Where in a configuration a value stands, whose text ever it came from."""


class Loss(NamedTuple):
    """All that is lost below one top-level key, in order."""

    key: Value
    lost: tuple[Lost, ...]

    @property
    def paths(self) -> tuple[Words, ...]:
        return tuple(each.path for each in self.lost)

    @property
    def node(self) -> Node:
        """The first of the lost values."""
        return self.lost[0].node


class Counts:
    """How often lists hold what. Many parts are compared with one result."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[Sequence, Counter[Hashable]]] = {}

    def of(self, items: Sequence) -> Counter[Hashable]:
        known = self._known.get(id(items))
        if known is None:
            # The list is kept, so that no other gets its number.
            known = self._known[id(items)] = items, Counter(map(identity, items.items))
        return known[1]


def between(
    before: MappingNode, after: MappingNode, names: Names, counts: Counts | None = None
) -> Iterator[Loss]:
    """Losses by top-level key, in the order of `before`.

    A map loses keys, a list loses items that the other list does not hold (as often), a single
    value is lost when another stands in its place. What is equal is not lost, and a null (which
    may ask for a removal) is not missed. `names` tells how the nodes are called.
    """
    counts = counts or Counts()
    for key, value in before.entries.items():
        other = after.get(key)
        if value is other:
            continue
        lost = tuple(_lost(value, other, names.key(before, key), (), counts, names))
        if lost:
            yield Loss(key, lost)


def _lost(
    before: Node,
    after: Node | None,
    path: Words,
    steps: tuple[Value, ...],
    counts: Counts,
    names: Names,
) -> Iterator[Lost]:
    if before is after:
        return
    if isinstance(before, MappingNode) and isinstance(after, MappingNode):
        for key, value in before.entries.items():
            here = below(path, names.key(before, key))
            yield from _lost(value, after.get(key), here, (*steps, key), counts, names)
    elif isinstance(before, Sequence) and isinstance(after, Sequence):
        yield from _lost_items(before, after, path, steps, counts, names)
    elif after is None:
        if not isinstance(before, Scalar) or before.value is not None:
            yield Lost(path, before, before, steps)
    elif not same(before, after):
        yield Lost(path, before, after, steps)


def _lost_items(
    before: Sequence,
    after: Sequence,
    path: Words,
    steps: tuple[Value, ...],
    counts: Counts,
    names: Names,
) -> Iterator[Lost]:
    if after.items[: len(before.items)] == before.items:
        return
    held = counts.of(after)
    ranks: Counter[Hashable] = Counter()
    for number, item in enumerate(before.items):
        name = identity(item)
        ranks[name] += 1
        if ranks[name] > held[name]:
            yield Lost(names.entry(path, item, number), item, after, steps, ranks[name])
