"""Trees of nodes, and values to make them of."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from eryphc.syntax.nodes import AliasNode, MappingNode, Node, SequenceNode

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t")
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
some = settings(max_examples=150)


def places(node: Node) -> list[tuple[int, int]]:
    found = [(node.start, node.end)]
    if isinstance(node, SequenceNode):
        for item in node.items:
            found += places(item)
    elif isinstance(node, MappingNode):
        for key, value in node.entries:
            found += places(key) + places(value)
    return found


def plain(node: Node) -> Any:
    """The tree as nested lists of the texts in it."""
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {plain(key): plain(value) for key, value in node.entries}
    assert not isinstance(node, AliasNode)
    return node.value
