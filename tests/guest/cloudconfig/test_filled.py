"""A template that is filled gives what reading the text gives, or is not used."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.guest.cloudconfig import filled as module
from eryphc.guest.cloudconfig.filled import Templates
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.cloudconfig.tree import Reading, read
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.source import SourceText, Span

PLACE = "{{ x }}"
# Where a value may stand, well or badly; `@` is the place.
LINES = (
    *("plain: @\n", "plain: a @ b\n", "plain: a@\n", "plain: 0x@\n", "plain: -@\n", "plain: :@\n"),
    *("single: '@'\n", "single: 'a '' @'\n", 'double: "@ b"\n', 'double: "a\\@"\n', 'x: "\\x4@"\n'),
    *("flow: [a, @]\n", "flow: {a: @, b: c}\n", "flow: [@: b]\n", "flow: {'a'@: b}\n"),
    *("literal: |\n  @\n", "literal: |\n  a\n    @ b\n\n  c\n", "folded: >-\n  a\n  @\n  b\n"),
    *("hint: |@\n  a\n", "deep:\n- a: @\n  b: [1, @]\n- - @\n", "more: a\n  @\n  b\n"),
    *("@: key\n", "? @\n: a\n", "tagged: !@ a\n", "tagged: !!int @\n", "anchor: &@ a\n"),
    *("alias: *@\n", "# @\n", "a: b # @\n", "a: b #@\n", "<<: {a: @}\n", "a: @\na: b\n"),
    *("@\n", "@@\n", "twice: @@\n", "twice: '@.@'\n", "date: 2001-01-@\n", "---@\n", "%@\n"),
    *("not: marked\n", "a: yes\n", "b: 0644\n", "c: [1, 2]\n", "t: 1:30\n", "Zplace0Z: @\n"),
)
HARMLESS = ("web", "8080", "a b", "http://h:80/p", "a@b.c", "yes", "0644", "1:30", "~", "=", "1.")
HARD = ("", " ", " a", "a ", "a: b", "a #b", "#b", "- a", "-", "'", '"', "a\nb", "[a]", "a,b", "!")
INSIDE = ("a'b", 'a"b', "a\\b", "a]b", "a}b", "a#b", "a\tb", "a|b", "a!b", "a&b", "a?b", "a\x00b")
HARDER = (
    *INSIDE,
    "\\",
    "{",
    "*a",
    "&a",
    "a:",
    ":a",
    "é",
    "\t",
    "---",
    "...",
    "%",
    "@a",
    "|",
    "9" * 1_200,
)
values = st.sampled_from((*HARMLESS, *HARD, *HARDER)) | st.text(max_size=6)
templates = st.lists(st.sampled_from(LINES), min_size=1, max_size=5).map("".join)


def whole(node: Node) -> Any:
    """All that a tree says, the types of scalars and the order of keys too."""
    if isinstance(node, Scalar):
        return type(node.value), repr(node.value), node.start, node.end
    if isinstance(node, Sequence):
        return [whole(item) for item in node.items], node.start, node.end
    assert isinstance(node, MappingNode)
    entries = [(key, whole(value)) for key, value in node.entries.items()]
    keys = [(key, whole(place)) for key, place in node.keys.items()]
    return entries, keys, node.start, node.end


def content(template: str, given: list[str]) -> Content:
    """`template` with its places filled, as substitution gives it."""
    base_text = template.replace("@", PLACE)
    source = SourceText("gene.yaml", base_text)
    base = Content(base_text, Written(Span(source, 0, len(base_text))))
    pieces: list[str] = []
    insertions: list[Insertion] = []
    at = length = 0
    for number, place in enumerate(re.finditer(re.escape(PLACE), base_text)):
        value = given[number % len(given)]
        length += place.start() - at
        pieces += (base_text[at : place.start()], value)
        insertions.append(Insertion(length, length + len(value), place.start(), place.end()))
        length += len(value)
        at = place.end()
    text = "".join((*pieces, base_text[at:]))
    return Content(text, Substituted(base, tuple(insertions)))


def twice(made: Content) -> Reading | None:
    """The reading by template: the second text of one has it."""
    templates = Templates()
    templates.read(made)
    return templates.read(made)


@settings(max_examples=1_500)
@given(templates, st.lists(values, min_size=1, max_size=3))
def test_as_read(template: str, given: list[str]) -> None:
    made = content(template, given)
    reading = twice(made)
    if reading is None:
        return
    again = read(made.text)
    assert again.faults == ()
    assert again.root is not None
    assert reading.root is not None
    assert whole(reading.root) == whole(again.root)


@pytest.mark.parametrize("line", [line for line in LINES[:29] if "@" in line])
def test_each_line_alone(line: str) -> None:
    for value in (*HARMLESS, *HARD, *HARDER):
        made = content(line, [value])
        reading = twice(made)
        if reading is not None:
            again = read(made.text)
            assert reading.root is not None
            assert again.root is not None
            assert again.faults == ()
            assert whole(reading.root) == whole(again.root), value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("packages: [@]\n", "nginx"),
        ("users:\n- name: @\n  ssh_authorized_keys:\n  - @\n", "ssh-ed25519 AAAA+/= me@host"),
        ("write_files:\n- path: /a\n  content: |\n    <h1>@</h1>\n", "Site of customer-7"),
        ("port: @\nurl: @\n", "http://h:80/"),
        ("a: '@'\nb: \"@\"\nc: >\n  x\n  @\n", "8080"),
    ],
)
def test_what_is_usual_is_filled(line: str, value: str) -> None:
    assert twice(content(line, [value])) is not None


def test_two_fodder_entries_of_one_template_share_no_nodes() -> None:
    templates = Templates()
    _, first, second = (
        templates.read(content("a: @\nb: {c: d}\n", [value])) for value in ("w", "x", "y")
    )
    assert first is not None
    assert second is not None
    assert first.root is not None
    assert second.root is not None
    assert first.root.entries["b"] is not second.root.entries["b"]
    assert first.root.keys["b"] is not second.root.keys["b"]


def test_templates_are_forgotten() -> None:
    templates = Templates()
    for number in range(1_000):
        templates.read(content(f"a{number}: @\n", ["x"]))
        templates.read(content("kept: @\n", [f"y{number}"]))
    known = templates._known
    assert len(known) <= module._MOST
    (kept,) = [made for (text, _), made in known.items() if "kept" in text]
    assert isinstance(kept, module._Template)
