"""The reader reads each text once, however often and in whatever form it is asked for."""

from __future__ import annotations

import pytest

from eryphc.guest.cloudconfig import reader as module
from eryphc.guest.cloudconfig import tree
from eryphc.guest.cloudconfig.provenance import own_trees
from eryphc.guest.cloudconfig.reader import TextReader
from guest.cloudconfig.entries import entries, fodder


def test_one_text_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def syntax_of(text: str) -> object:
        parsed.append(text)
        return tree.syntax_of(text)

    monkeypatch.setattr(module, "syntax_of", syntax_of)
    reader = TextReader()
    content = fodder("a: [1, 2]").content
    assert content is not None
    first = reader.read(content)
    assert reader.read(content) is first
    assert reader.read_text(content.text) is first
    assert reader.read_any(content.text).root is first.root
    assert reader.syntax(content.text).value is not None
    assert parsed == [content.text]


def test_the_reader_forgets() -> None:
    reader = TextReader()
    kept = reader.read_text("kept: 1")
    for number in range(1_000):
        reader.read_text(f"a{number}: 1")
        assert reader.read_text("kept: 1") is kept
    assert len(reader._known) == module._MOST
    reader.read_text("# " + "x" * module._LONGEST)
    assert all(len(text) <= module._LONGEST for text in reader._known)


def test_fodder_of_one_text_has_nodes_of_its_own() -> None:
    text = "a: &x [1]\nb: *x\n"
    first, second = own_trees(entries([fodder(text, "one"), fodder(text, "two")]))
    assert first.reading.root is not None
    assert second.reading.root is not None
    assert first.reading.root is not second.reading.root
    nodes = second.reading.root.entries
    assert nodes["a"] is not first.reading.root.entries["a"]
    # An alias stays one: expanding them could be a bomb.
    assert nodes["a"] is nodes["b"]
    assert (nodes["a"].start, nodes["a"].end) == (3, 9)
