"""From the tree of one cloud-config to the same with today's names for its keys.

Only names that every guest in use understands are introduced.
Source: docs/reference/guest-configuration.md, "Merging cloud-configs".
"""

from __future__ import annotations

from collections.abc import Mapping

from eryphc.diagnostics.said import Said
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.keys import CA_CERTS_SPELLINGS, SPELLINGS, USER_SPELLINGS
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, Value
from eryphc.guest.cloudconfig.tree import Fault, FaultKind, Reading


class Respelled(NamedTuple):
    """A key under its old name, at `start` to `end` of the text."""

    old: str
    new: str
    version: str
    start: int
    end: int


class Canonical(NamedTuple):
    """A text as data with today's names; `root` as in `tree.Reading`."""

    root: MappingNode | None
    faults: tuple[Fault, ...]
    respelled: tuple[Respelled, ...] = ()


def canonical(reading: Reading) -> Canonical:
    """The data under today's names; what has none of the old ones is the same nodes."""
    if reading.root is None:
        return Canonical(None, reading.faults)
    faults = list(reading.faults)
    respelled: list[Respelled] = []
    root = _root(reading.root, respelled, faults)
    return Canonical(root, tuple(faults), tuple(respelled))


def _root(root: MappingNode, respelled: list[Respelled], faults: list[Fault]) -> MappingNode:
    root = _respell(root, SPELLINGS, respelled, faults)
    changed: dict[Value, Node] = {}
    certificates = root.get("ca_certs")
    if isinstance(certificates, MappingNode):
        changed["ca_certs"] = _respell(certificates, CA_CERTS_SPELLINGS, respelled, faults)
    user = root.get("user")
    if isinstance(user, MappingNode):
        changed["user"] = _respell(user, USER_SPELLINGS, respelled, faults)
    users = root.get("users")
    if isinstance(users, Sequence):
        items = tuple(
            _respell(item, USER_SPELLINGS, respelled, faults)
            if isinstance(item, MappingNode)
            else item
            for item in users.items
        )
        if any(new is not old for new, old in zip(items, users.items, strict=True)):
            changed["users"] = Sequence(items, users.start, users.end, (users,))
    changed = {key: node for key, node in changed.items() if node is not root.entries[key]}
    if not changed:
        return root
    return MappingNode({**root.entries, **changed}, root.keys, root.start, root.end, (root,))


def _respell(
    node: MappingNode,
    spellings: Mapping[object, tuple[str, str]],
    respelled: list[Respelled],
    faults: list[Fault],
) -> MappingNode:
    if spellings.keys().isdisjoint(node.entries):
        return node
    entries: dict[Value, Node] = {}
    keys: dict[Value, Scalar] = {}
    for key, value in node.entries.items():
        place = node.keys[key]
        known = spellings.get(key)
        name: Value = key
        if known is not None:
            name = known[0]
            respelled.append(Respelled(str(key), known[0], known[1], place.start, place.end))
        if name in entries:
            first = keys[name]
            faults.append(
                Fault(
                    kind=FaultKind.DUPLICATE_KEY,
                    start=place.start,
                    end=place.end,
                    words=Said(str(name)),
                    first=(first.start, first.end),
                )
            )
        entries[name] = value
        keys[name] = place
    return MappingNode(entries, keys, node.start, node.end, (node,))
