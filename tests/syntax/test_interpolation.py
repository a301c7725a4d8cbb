"""Placeholders: the pattern that finds them takes exactly what the grammar takes."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from eryphc.syntax.grammars import grammar, refused_at
from eryphc.syntax.interpolation import ReferenceKind, scan
from eryphc.syntax.names import (
    WHITE_SPACE,
)

# The definition of docs/reference/language.md, "Placeholders", as one pattern.
_BLANK = f"[{re.escape(WHITE_SPACE)}]"
_PLACEHOLDER = re.compile(rf"\{{\{{{_BLANK}*([^{re.escape(WHITE_SPACE)}]*?){_BLANK}*\}}\}}")


@settings(max_examples=1000)
@given(st.text("{} a'\"\n\x85\x1c-", max_size=24))
@example("{{{ a }}}")
@example("{{{a}}}")
@example("{{}}{{ }}")
@example("{{ '{{' }}")
@example("{{a}}}}")
@example("{{ {{ a }} }}")
@example("{{a b}} {{ c")
def test_placeholders(text: str) -> None:
    expected = [(m.start(), m.end(), m[1]) for m in _PLACEHOLDER.finditer(text)]
    assert [(r.start, r.end, r.name) for r in scan(text)] == expected


@settings(max_examples=300)
@given(st.one_of(st.text("aZ_9{'\"-\u00e9", max_size=6), st.text("a", min_size=48, max_size=53)))
@example("'{{'")
@example('"{{"')
def test_what_stands_in_a_placeholder(run: str) -> None:
    kinds = {"variable": ReferenceKind.VARIABLE, "escape": ReferenceKind.ESCAPE}
    if refused_at("interpolation", "reference", run) is None:
        kind = kinds[str(grammar("interpolation").parse(run, start="reference").data)]
    else:
        kind = ReferenceKind.INVALID
    found = scan("{{ " + run + " }}")
    if "}}" not in run:
        assert [reference.kind for reference in found] == [kind]
