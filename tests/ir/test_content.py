"""Characters of contents, found where the author wrote them, however many are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.ir import content as module
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.origin import Origin, Step, placeless
from eryphc.source import SourceText, Span
from work import grows_evenly

LINES = st.lists(st.text(alphabet="ab ", max_size=4), min_size=1, max_size=6)


def written(lines: list[str], *, indent: str = "    ") -> Content:
    text = "content: |\n" + "".join(f"{indent if line else ''}{line}\n" for line in lines)
    source = SourceText("spec.yaml", text)
    return Content("".join(f"{line}\n" for line in lines), Written(Span(source, 9, len(text)), 1))


@given(LINES, st.data())
def test_a_character_is_found_in_its_line_and_column(lines: list[str], data: st.DataObject) -> None:
    content = written(lines)
    offset = data.draw(st.integers(0, len(content.text) - 1))
    before = content.text[:offset]
    line, column = before.count("\n"), offset - (before.rfind("\n") + 1)
    place = content.span(offset, offset)
    assert place.line == line + 2
    assert place.column == column + 1 + (4 if lines[line] else 0)


@given(st.lists(st.sampled_from(["x", "yy", "{{ a }}", "{{b}}", "\n"]), max_size=8), st.data())
def test_a_character_after_replaced_references_is_found(
    pieces: list[str], data: st.DataObject
) -> None:
    values = {"{{ a }}": "", "{{b}}": "long\nvalue"}
    base = written("".join(pieces).split("\n"))
    text, insertions, places = "", [], []
    at = 0
    for piece in pieces:
        new = values.get(piece, piece)
        if piece in values:
            insertions.append(Insertion(len(text), len(text) + len(new), at, at + len(piece)))
            places += [(at, at + len(piece))] * len(new)
        else:
            places += [(at + each, at + each + 1) for each in range(len(new))]
        text += new
        at += len(piece)
    text += "\n"
    places.append((at, at + 1))
    content = Content(text, Substituted(base, tuple(insertions)))
    offset = data.draw(st.integers(0, len(text) - 1))
    assert content.span(offset, offset + 1) == base.span(*places[offset])


def test_a_line_that_is_not_in_the_document_is_the_whole_scalar() -> None:
    source = SourceText("spec.yaml", 'content: "one\\ntwo"\n')
    span = Span(source, 9, 19)
    assert Content("one\ntwo", Written(span)).span(4, 5) == span


def places(count: int) -> int:
    """Asks for the place of a character in each of so many lines; how many are different."""
    content = written([f"- command {number} of a very long list" for number in range(count)])
    insertions = tuple(
        Insertion(each, each + 1, each, each + 1) for each in range(0, 10 * count, 10)
    )
    substituted = Content(content.text, Substituted(content, insertions))
    return len({substituted.span(at, at + 5).line for at in range(0, 30 * count, 30)})


def test_thousands_of_places_in_one_text_are_found_one_by_one() -> None:
    assert grows_evenly(places, 1_000)
    assert places(20_000) > 15_000


def test_the_lines_of_a_text_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Counted:
        def finditer(self, text: str) -> Iterator[re.Match[str]]:
            read.append(len(text))
            return re.finditer("\n", text)

    monkeypatch.setattr(module, "_LINE_END", Counted())
    assert places(100) > 70
    assert len(read) == 1


WRITTEN = Origin(Span(SourceText("spec.yaml", ""), 0, 0), Step.WRITTEN)
GIVEN = placeless(Step.GIVEN)


def stretches(content: Content) -> list[tuple[str, Step, str | None]]:
    return [
        (content.text[start:end], origin.step, origin.variable)
        for start, end, origin in content.stretches(WRITTEN)
    ]


def test_other_line_ends_leave_a_value_in_one_stretch() -> None:
    base = written(["a {{ b }} c"])
    value = Insertion(2, 6, 2, 9, "b", GIVEN)
    filled = Content("a x\r\ny c\n", Substituted(base, (value,)))
    unix = Content("a x\ny c\n", Substituted(filled, (Insertion(3, 4, 3, 5),)))
    assert stretches(unix) == [
        ("a ", Step.WRITTEN, None),
        ("x\ny", Step.SUBSTITUTED, "b"),
        (" c\n", Step.WRITTEN, None),
    ]
    places = [stretch.origin.span for stretch in unix.stretches(WRITTEN)]
    assert [place.text for place in places if place] == ["a ", "{{ b }}", " c\n"]


@given(st.lists(st.sampled_from(["x", "\r\n", "{{ a }}", "{{b}}", "{{ '{{' }}"]), max_size=8))
def test_stretches_are_the_whole_text(pieces: list[str]) -> None:
    names = {"{{ a }}": "a", "{{b}}": "b"}
    values = {"{{ a }}": "", "{{b}}": "long\r\nvalue", "{{ '{{' }}": "{{"}
    base = Content("".join(pieces), Written(WRITTEN.span or Span(SourceText("", ""), 0, 0)))
    text, at, owners = "", 0, ""
    insertions: list[Insertion] = []
    for piece in pieces:
        new = values.get(piece, piece)
        name = names.get(piece)
        if piece in values:
            ends = len(text), len(text) + len(new), at, at + len(piece)
            insertions.append(Insertion(*ends, name, GIVEN if name else None))
        text, at, owners = text + new, at + len(piece), owners + (name or ".") * len(new)
    content = Content(text, Substituted(base, tuple(insertions)))
    found = "".join((each[2] or ".") * len(each[0]) for each in stretches(content))
    assert found == owners
