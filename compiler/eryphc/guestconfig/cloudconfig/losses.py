"""What of one configuration another does not hold any more: keys and items of lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from eryphc.guestconfig.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    Value,
    identity,
    same,
)


class Loss(NamedTuple):
    """All that is lost below one top-level key. `node` is the first of the lost values.

    `instead` has for each what stands in its place: the other value, the list without the item,
    or the lost value itself where there is nothing.
    """

    key: Value
    paths: tuple[str, ...]
    nodes: tuple[Node, ...]
    instead: tuple[Node, ...]

    @property
    def node(self) -> Node:
        return self.nodes[0]


IsSecret: TypeAlias = Callable[[Node], bool]
"""Whether the text that a node came from is a secret."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def shown_key(key: Value, *, secret: bool) -> str:
    """A key as part of a path; in a secret text only what looks like a word of cloud-config."""
    text = key if isinstance(key, str) else repr(key)
    return "…" if secret and _WORD.fullmatch(text) is None else text


def between(before: MappingNode, after: MappingNode, secret: IsSecret) -> Iterator[Loss]:
    """Losses by top-level key, in the order of `before`.

    A map loses keys, a list loses items that the other list does not hold (as often), a single
    value is lost when another stands in its place. What is equal is not lost, and a null (which
    may ask for a removal) is not missed. `secret` tells
    whether the text a node came from is one.
    """
    for key, value in before.entries.items():
        hidden = secret(value)
        path = shown_key(key, secret=hidden)
        lost = list(_lost(value, after.get(key), path, hidden=hidden))
        if lost:
            yield Loss(
                key=key,
                paths=tuple(path for path, _, _ in lost),
                nodes=tuple(node for _, node, _ in lost),
                instead=tuple(node for _, _, node in lost),
            )


def _lost(
    before: Node, after: Node | None, path: str, *, hidden: bool
) -> Iterator[tuple[str, Node, Node]]:
    if before is after:
        return
    if isinstance(before, MappingNode) and isinstance(after, MappingNode):
        for key, value in before.entries.items():
            below = f"{path}.{shown_key(key, secret=hidden)}"
            yield from _lost(value, after.get(key), below, hidden=hidden)
    elif isinstance(before, Sequence) and isinstance(after, Sequence):
        yield from _lost_items(before, after, path, hidden=hidden)
    elif after is None:
        if not isinstance(before, Scalar) or before.value is not None:
            yield path, before, before
    elif not same(before, after):
        yield path, before, after


def _lost_items(
    before: Sequence, after: Sequence, path: str, *, hidden: bool
) -> Iterator[tuple[str, Node, Node]]:
    left = Counter(map(identity, after.items))
    for number, item in enumerate(before.items):
        name = identity(item)
        if left[name]:
            left[name] -= 1
        else:
            yield f"{path}[{number if hidden else _shown(item, number)}]", item, after


def _shown(item: Node, number: int) -> str:
    """An item by its name or path where it has one; never by what it says, it may be a secret."""
    if isinstance(item, MappingNode):
        for key in ("name", "path"):
            name = item.text(key)
            if name is not None:
                return name
    if isinstance(item, Scalar) and item.value == "default":
        return "default"
    return str(number)
