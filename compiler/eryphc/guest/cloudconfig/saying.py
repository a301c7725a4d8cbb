"""Keys and entries of cloud-configs inside messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from eryphc.diagnostics.said import Own, Said, Where, Words, named, own
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Value
from eryphc.guest.cloudconfig.provenance import Provenance


def key_said(key: Value, where: Where = None, *, secret: bool) -> Words:
    """A key of a fodder entry. Of a secret one only keys that the schema knows are shown.

    They are words of cloud-init, wherever they stand; any other text may have become a key by
    mistake.
    """
    text = key if isinstance(key, str) else repr(key)
    if not secret:
        return named(text, where)
    return Own(text) if text in _known_keys() else Said(text, where)


def below(path: Words, key: Words) -> Words:
    """`path` and one more key."""
    return own("{}.{}", path, key) if path else key


class Names:
    """How the nodes of one merge are called: each name with the place where it was written."""

    def __init__(self, provenance: Provenance) -> None:
        self._provenance = provenance

    def key(self, owner: MappingNode, key: Value) -> Words:
        provenance = self._provenance
        node = owner.keys.get(key, owner)
        secret = provenance.some_secret and bool(provenance.fodder(node).secret)
        return key_said(key, lambda: provenance.key_label(owner, key).span, secret=secret)

    def entry(self, path: Words, item: Node, number: int) -> Own:
        """An entry of the list `path` by its name or path, by its number where it has none."""
        name = name_node(item)
        if name is None:
            return own("{}[{}]", path, number)
        said = named(
            str(name.value), lambda: self._provenance.label(name).span, instead=str(number)
        )
        return own("{}[{}]", path, said)


def name_node(item: Node) -> Scalar | None:
    """What an entry of a list is known by; never a value that stands alone, it may be a secret."""
    if isinstance(item, MappingNode):
        for key in ("name", "path"):
            node = item.get(key)
            if isinstance(node, Scalar) and isinstance(node.value, str):
                return node
    if isinstance(item, Scalar) and item.value == "default":
        return item
    return None


@lru_cache(maxsize=1)
def _known_keys() -> frozenset[str]:
    """Every key that cloud-init's schema has anywhere."""
    from eryphc.guest.cloudconfig.verdict import schema

    return frozenset(_properties(schema()))


def _properties(below: Any) -> Iterator[str]:
    if isinstance(below, dict):
        properties = below.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for each in below.values():
            yield from _properties(each)
    elif isinstance(below, list):
        for each in below:
            yield from _properties(each)
