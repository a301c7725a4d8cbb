"""Rules are asked in their order, and say what they look for."""

from __future__ import annotations

from collections.abc import Iterator

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.lint.engine import Rule, first, judge, kinds

SHORT = Code("W9001", "short")
EMPTY = Code("N9002", "empty")
LOUD = Code("W9003", "loud")


def _short(text: str) -> Iterator[Diagnostic]:
    if len(text) < 3:
        yield finding(SHORT if text else EMPTY, f"`{text}` is short")


def _loud(text: str) -> list[Diagnostic]:
    return [finding(LOUD, "a capital") for letter in text if letter.isupper()]


RULES = (Rule(LOUD, _loud), Rule(SHORT, _short, more=(EMPTY,)))


def test_every_rule_is_asked_in_order() -> None:
    assert [found.code for found in judge(RULES, "AB")] == [LOUD, LOUD, SHORT]
    assert judge(RULES, "quiet") == []
    assert judge((), "AB") == []


def test_the_first_finding_stops_the_rules_behind_it() -> None:
    assert [found.code for found in first(RULES, "AB")] == [LOUD, LOUD]
    assert [found.code for found in first(RULES, "ab")] == [SHORT]
    assert first(RULES, "quiet") == []


def test_what_is_looked_for() -> None:
    assert kinds(RULES) == {"W9001", "N9002", "W9003"}
    assert kinds(RULES[:1], RULES[:1]) == {"W9003"}
    assert kinds(RULES[:1], (SHORT, EMPTY)) == {"W9001", "N9002", "W9003"}
    assert kinds() == frozenset()
