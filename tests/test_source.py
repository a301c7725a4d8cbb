"""Texts: where a character stands, as editors count it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.source import SourceText

some = settings(max_examples=150)


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
