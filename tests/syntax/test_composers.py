"""The two ways from YAML to nodes give the same: libyaml's composer, and parse events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.source import SourceText
from eryphc.syntax import yaml_nodes
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from places import CHECKOUT, PUBLISHED
from saying import said

PIECES = (
    *("name: ", "a", "- ", "\n", "\n", "\r\n", "  ", ":", ", ", "{", "}", "[", "]", '"', "'"),
    *("|\n", "| # c\n", ">-\n", "&a ", "*a", "#c", " #c", "!!str ", "! ", "---\n", "...\n", "? "),
    *("%YAML 1.1\n", "%", "&", "\u00e9", "\U0001f600", "\ufeff", "\u2028", "\x85", "\t", "\\x41"),
    *("a && b", "date +%s", "#!/bin/sh", "a: b\n", "- a\n- b\n", "k: [a, {b: c}]\n"),
)
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def whole(node: Node | None) -> Any:
    """All that a tree says."""
    if node is None:
        return None
    if isinstance(node, AliasNode):
        return "alias", node.anchor, node.start, node.end
    shared = node.start, node.end, node.tag, node.anchor
    if isinstance(node, ScalarNode):
        return "scalar", node.value, node.style, *shared
    if isinstance(node, SequenceNode):
        return "sequence", node.flow, [whole(item) for item in node.items], *shared
    assert isinstance(node, MappingNode)
    return "mapping", node.flow, [(whole(k), whole(v)) for k, v in node.entries], *shared


def both(text: str) -> tuple[Any, Any]:
    """The tree and the codes of what is wrong, as a build gets them, and from events alone."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for composes in (True, False):
            patch.setattr(yaml_nodes, "_composes", composes)
            outcome = yaml_nodes.compose(SourceText("x", text))
            found.append(
                (whole(outcome.value), [said(each).message for each in outcome.diagnostics])
            )
    return found[0], found[1]


@settings(max_examples=600)
@given(pieces)
def test_pieces(text: str) -> None:
    composed, built = both(text)
    assert composed == built


def documents() -> Iterator[Path]:
    for folder in (CHECKOUT / "stdlib-genes", CHECKOUT / "examples", PUBLISHED):
        yield from folder.rglob("*.yaml")


def test_real_documents() -> None:
    count = 0
    for path in documents():
        composed, built = both(path.read_bytes().decode("utf-8-sig"))
        assert composed == built, path
        count += 1
    assert count > 50


@pytest.mark.parametrize("depth", [1, 99, 100, 101, 249, 250, 500, 999, 1_001, 30_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[{a: ", "}]")]
)
def test_deep(depth: int, opening: str, closing: str) -> None:
    composed, built = both(opening * depth + "x" + closing * depth)
    assert composed == built


def test_long() -> None:
    for text in (
        "".join(f"k{number}: v\n" for number in range(2_000)),
        f"[{', '.join('a' * 9_999)}]",
        f"[{', '.join('a' * 10_001)}]",
    ):
        composed, built = both(text)
        assert composed == built


def test_plain_documents_are_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What people write does not go the slower way."""
    if not yaml_nodes._composes:
        pytest.skip("this PyYAML has no libyaml")

    def refused(*_: object) -> Node:
        raise AssertionError("built from events")

    monkeypatch.setattr(yaml_nodes, "build", refused)
    text = "name: web\nfodder:\n- name: a\n  content: |\n    #!/bin/sh\n    date +%s || true\n"
    outcome = yaml_nodes.compose(SourceText("x", text))
    assert isinstance(outcome.value, MappingNode)
