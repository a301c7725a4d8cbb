"""What the loader in guests reads is known without asking it each time."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import event, given, settings

from eryphc.source import SourceText
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from eryphc.syntax.pure_yaml import compose_as_loaded, may_load_alone, reads_alike
from eryphc.syntax.yaml_nodes import compose
from yaml_texts import texts

# A PyYAML without libyaml has the pure scanner alone.
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without libyaml"),
]


def _shape(node: Node) -> object:
    match node:
        case ScalarNode():
            return node.value, node.style, node.tag, node.anchor
        case SequenceNode():
            return node.tag, node.anchor, [_shape(item) for item in node.items]
        case MappingNode():
            return node.tag, node.anchor, [(_shape(k), _shape(v)) for k, v in node.entries]
        case AliasNode():
            return node.anchor


@given(texts)
@settings(max_examples=3_000, deadline=None)
def test_what_reads_alike_does(text: str) -> None:
    source = SourceText("", text)
    ours = compose(source).value
    loaded = compose_as_loaded(source).value
    if ours is None:
        assert loaded is None or may_load_alone(text)
        return
    alike = reads_alike(text, ours)
    event(f"alike: {alike}")
    if alike:
        assert loaded is not None
    if loaded is not None and "\ufeff" not in text:
        assert _shape(loaded) == _shape(ours)


@given(texts)
@settings(max_examples=2_000, deadline=None)
def test_the_loader_itself_refuses_the_same(text: str) -> None:
    if text.startswith("\ufeff"):
        return
    try:
        composed = yaml.compose(text, Loader=yaml.SafeLoader)
        refused = False
    except (yaml.YAMLError, ValueError, OverflowError):
        composed, refused = None, True
    outcome = compose_as_loaded(SourceText("", text))
    assert (outcome.value is None) == refused
    if composed is not None and outcome.value is not None:
        assert isinstance(outcome.value, ScalarNode) == isinstance(composed, yaml.ScalarNode) or (
            isinstance(outcome.value, AliasNode)
        )


@pytest.mark.parametrize(
    "text",
    [
        "a: one\t# set",
        "a:\t# first\n  b: 1",
        "a: b\tc",
        "- a\t",
        "a: |\t\n  b",
        "a: |#\n  b",
        "# a\tcomment",
        "{b: why?}",
        "[a, b?, c]",
        "a: !!str 1",
        "a: &a 1\nb: &a 2",
        "%YAML 1.1\n---\na",
        "a\n# b\n\ufeff",
    ],
)
def test_what_might_differ_is_looked_at(text: str) -> None:
    outcome = compose(SourceText("", text))
    assert outcome.value is not None
    assert not reads_alike(text, outcome.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  x\n  \tindented\n  x\ty\nb: >-\n  a\n   \tb\nc: 1",
        'a: \'\t\'\nb: "x\t\\t"\nc: "a\n \tb"',
        "a: why?\nb: 'why?'",
        "a: [1, '?']",
        "a: it's\nb: 100%\nc: wow!",
        "# comments\n{}",
        "a: |2-\n    x\n",
        "a: | # a comment\n  x\n",
        "",
    ],
)
def test_what_is_everyday_is_not_scanned_again(text: str) -> None:
    outcome = compose(SourceText("", text))
    assert outcome.value is not None
    assert reads_alike(text, outcome.value)
