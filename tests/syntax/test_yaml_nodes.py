"""YAML to nodes: every place lies in its text."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.diagnostics.model import has_errors, related
from eryphc.ir.catlet import Catlet, Record
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from eryphc.syntax.nodes import MappingNode, ScalarNode
from eryphc.syntax.yaml_nodes import compose
from syntax.trees import places, plain, some, values

# Pieces of YAML, well formed or not, as hands write them.
PIECES = (
    *("name: ", "a", "- ", "\n", "\r\n", "  ", ":", ", ", "{", "}", "[", "]", '"', "'", "|\n"),
    *("&a ", "*a", "#c", "!!str ", "---\n", "\u00e9", "\U0001f600"),
    "fodder:\n- name: x\n  content:\n    a: b\n",
)
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@some
@given(values)
def test_yaml_is_read_as_it_was_written(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    outcome = compose(SourceText("a.yaml", text))
    assert outcome.value is not None, outcome.diagnostics
    expected = yaml.compose(text, Loader=yaml.SafeLoader)
    assert plain(outcome.value) == _composed(expected)
    assert all(0 <= start <= end <= len(text) for start, end in places(outcome.value))


def _composed(node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_composed(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_composed(key): _composed(value) for key, value in node.value}
    return node.value


@settings(max_examples=400)
@given(pieces)
def test_every_place_lies_in_its_text(text: str) -> None:
    source = SourceText("a.yaml", text)
    outcome = read_catlet(source, notation=Notation.YAML)
    assert outcome.value is not None or has_errors(outcome.diagnostics)
    for diagnostic in outcome.diagnostics:
        assert diagnostic.primary is not None
        for label in (diagnostic.primary, *related(diagnostic)):
            assert 0 <= label.span.start <= label.span.end <= len(text)
            line, column = source.position(label.span.start)
            assert 1 <= line <= source.line_count
            assert 1 <= column <= len(source.line(line)) + 2
    for record in _records(outcome.value):
        for key in record.places:
            span = record.place(key)
            assert span is not None
            assert 0 <= span.start <= span.end <= len(text)


def _records(catlet: Catlet | None) -> list[Record]:
    if catlet is None:
        return []
    lists = (catlet.drives, catlet.networks, catlet.variables, catlet.fodder, catlet.capabilities)
    return [catlet, *(record for records in lists for record in records or ())]


class TestScalarsAreKept:
    def test_a_tree_of_the_pure_parser_is_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from eryphc.syntax import yaml_nodes

        text = "a: &x [1, 'two', \"three\"]\nb: |\n  four\n  five\nc: {d: e}\nf: *x\n? g\n: - h\n"
        fast = compose(SourceText("a.yaml", text)).value
        monkeypatch.setattr(yaml_nodes, "_Parser", yaml.Loader)
        pure = compose(SourceText("a.yaml", text)).value
        assert isinstance(fast, MappingNode)
        assert isinstance(pure, MappingNode)
        assert places(fast) == places(pure)
        styles = [n.style for _, n in fast.entries if isinstance(n, ScalarNode)]
        assert styles == [n.style for _, n in pure.entries if isinstance(n, ScalarNode)]
