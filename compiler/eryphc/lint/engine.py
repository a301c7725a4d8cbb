"""Rules over typed subjects, and which kinds of findings a module looks for.

Each kind of subject has a record and a closed tuple of rules beside it. To add a rule, write its
function there and one line in that tuple. Where a finding is a by-product of other work, such as
merging, and can be lowered, its kind is in the tuple `KINDS` of the module that makes it. A test
holds modules to what they declare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeAlias, TypeVar

from eryphc.diagnostics.model import Code, Diagnostic
from eryphc.frozen import NamedTuple

S = TypeVar("S")


class Rule(NamedTuple, Generic[S]):
    """What a subject is searched for.

    `code` has the name of the rule and its default level, the catalogue its wording. `more` are
    further kinds that one search finds with it.
    """

    code: Code
    find: Callable[[S], Iterable[Diagnostic]]
    more: tuple[Code, ...] = ()


Declared: TypeAlias = "tuple[Rule[Any] | Code, ...]"
"""What a module looks for: its rules, or the kinds of by-products."""


def judge(rules: Iterable[Rule[S]], subject: S) -> list[Diagnostic]:
    """All findings, in the order of the rules."""
    return [diagnostic for rule in rules for diagnostic in rule.find(subject)]


def first(rules: Iterable[Rule[S]], subject: S) -> list[Diagnostic]:
    """The findings of the first rule that has any: what it finds stops the others."""
    for rule in rules:
        for diagnostic in (found := iter(rule.find(subject))):
            return [diagnostic, *found]
    return []


def kinds(*declared: Declared) -> frozenset[str]:
    """The numbers of the kinds of findings that are looked for where all this runs."""
    return frozenset(
        code.number
        for several in declared
        for each in several
        for code in ((each.code, *each.more) if isinstance(each, Rule) else (each,))
    )
