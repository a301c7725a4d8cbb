"""A catlet as text: reading what was printed gives the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eryphc.ir.document import document, yaml_text
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from syntax.trees import some, texts

fodder_entries: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.from_regex(r"[a-z]{3,8}", fullmatch=True), "content": texts.filter(str.strip)},
    optional={"secret": st.booleans(), "type": st.just("shellscript")},
)
keys: dict[str, st.SearchStrategy[Any]] = {
    "hostname": texts,
    "cpu": st.builds(lambda n: {"count": n}, st.integers(1, 240)),
    "fodder": st.lists(fodder_entries, max_size=3, unique_by=lambda fodder: fodder["name"]),
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
