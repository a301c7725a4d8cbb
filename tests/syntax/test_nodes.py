"""Texts to trees: every place lies in its text, and printing and reading again changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.diagnostics.model import has_errors
from eryphc.diagnostics.trail import related
from eryphc.ir.catlet import Catlet, Record
from eryphc.ir.document import document
from eryphc.ir.yaml_text import yaml_text
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText, Span
from eryphc.syntax.json_nodes import compose_json
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from eryphc.syntax.yaml_nodes import compose

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t")
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
some = settings(max_examples=150)
# Pieces of YAML, well formed or not, as hands write them.
PIECES = (
    *("name: ", "a", "- ", "\n", "\r\n", "  ", ":", ", ", "{", "}", "[", "]", '"', "'", "|\n"),
    *("&a ", "*a", "#c", "!!str ", "---\n", "\u00e9", "\U0001f600"),
    "fodder:\n- name: x\n  content:\n    a: b\n",
)
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


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


def written(value: Any) -> Any:
    """A value as the texts that JSON writes for it."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    return value if isinstance(value, str) else json.dumps(value)


@some
@given(values)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        outcome = compose_json(SourceText("a.json", text))
        assert outcome.value is not None, outcome.diagnostics
        assert plain(outcome.value) == written(value)
        assert all(0 <= start <= end <= len(text) for start, end in places(outcome.value))


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
        for span in record.places.values():
            assert isinstance(span, Span)
            assert 0 <= span.start <= span.end <= len(text)


def _records(catlet: Catlet | None) -> list[Record]:
    if catlet is None:
        return []
    lists = (catlet.drives, catlet.networks, catlet.variables, catlet.fodder, catlet.capabilities)
    return [catlet, *(record for records in lists for record in records or ())]


foods: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.from_regex(r"[a-z]{3,8}", fullmatch=True), "content": texts.filter(str.strip)},
    optional={"secret": st.booleans(), "type": st.just("shellscript")},
)
keys: dict[str, st.SearchStrategy[Any]] = {
    "hostname": texts,
    "cpu": st.builds(lambda n: {"count": n}, st.integers(1, 240)),
    "fodder": st.lists(foods, max_size=3, unique_by=lambda food: food["name"]),
    "variables": st.lists(
        st.fixed_dictionaries({"name": st.just("v"), "value": texts}), max_size=1
    ),
}
catlets = st.fixed_dictionaries(
    {"name": st.from_regex(r"[a-z]{3,8}", fullmatch=True)},
    optional=keys,
)


@some
@given(catlets)
def test_printing_and_reading_gives_the_same(data: dict[str, Any]) -> None:
    source = SourceText("a.json", json.dumps(data))
    first = read_catlet(source, notation=Notation.JSON).value
    assert first is not None
    again = read_catlet(SourceText("a.yaml", yaml_text(document(first))), notation=Notation.YAML)
    assert again.value is not None, again.diagnostics
    assert document(again.value) == document(first)


class TestSource:
    @pytest.mark.parametrize(
        ("text", "offset", "position"),
        [
            pytest.param("", 0, (1, 1), id="empty"),
            pytest.param("ab\ncd", 4, (2, 2), id="line feed"),
            pytest.param("ab\r\ncd", 4, (2, 1), id="carriage return and line feed"),
            pytest.param("ab\rcd", 4, (2, 2), id="carriage return alone"),
            pytest.param("ab\n", 3, (2, 1), id="behind the last line"),
            pytest.param("\U0001f600b", 1, (1, 2), id="a character is one column"),
        ],
    )
    def test_position(self, text: str, offset: int, position: tuple[int, int]) -> None:
        assert SourceText("a", text).position(offset) == position

    @some
    @given(st.text("a\r\n", max_size=12))
    def test_lines_are_those_of_an_editor(self, text: str) -> None:
        source = SourceText("a", text)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert source.line_count == len(lines)
        assert [source.line(n + 1) for n in range(len(lines))] == lines
        for offset in range(len(text) + 1):
            line, column = source.position(offset)
            assert source.line_start(line) + column - 1 == offset


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
