"""Rules over typed subjects.

Each kind of subject has a record and a closed tuple of rules beside it. To add a rule, write its
function there and one line in that tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from eryphc.diagnostics.model import Code, Diagnostic

S = TypeVar("S")


class Rule(NamedTuple, Generic[S]):
    """What a subject is searched for.

    `code` has the name of the rule and its default level, the catalogue its wording. `more` are
    further kinds that one search finds with it.
    """

    code: Code
    find: Callable[[S], Iterable[Diagnostic]]
    more: tuple[Code, ...] = ()


def judge(rules: Iterable[Rule[S]], subject: S) -> list[Diagnostic]:
    """All findings, in the order of the rules."""
    return [diagnostic for rule in rules for diagnostic in rule.find(subject)]


def kinds(*rules: Iterable[Rule[Any]]) -> frozenset[str]:
    """The numbers of the kinds of findings that a subject is searched for where these rules run."""
    return frozenset(
        code.number for each in rules for rule in each for code in (rule.code, *rule.more)
    )
