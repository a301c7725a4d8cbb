"""The level of each finding: choices for its kind, and comments that silence one finding.

Findings go in as they were made and come out with their level in this project, or not at all. The
command line counts before the project file, and the project file before a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from eryphc.diagnostics.model import Diagnostic, Label, Level
from eryphc.frozen import NamedTuple
from eryphc.source import SourceText

if TYPE_CHECKING:
    from eryphc.diagnostics.allowances import Allowance
    from eryphc.diagnostics.codes import Kind, Refused
    from eryphc.diagnostics.shown import ShownDiagnostic


class Choice(StrEnum):
    """What an option or the project file chooses for a kind of finding; the strictest last."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


Choices = Mapping[str, Choice]
"""By the number of the kind."""
NO_CHOICES: Choices = MappingProxyType({})
_MARK = "eryphc:"


def choices(said: Iterable[tuple[Choice, Iterable[str]]]) -> Choices:
    """The choices for kinds, by their numbers. Of two choices for one kind the stricter counts."""
    order = list(Choice)
    found: dict[str, Choice] = {}
    for choice, numbers in said:
        for number in numbers:
            known = found.get(number, choice)
            found[number] = max(known, choice, key=order.index)
    return found


def chosen(word: str, choice: Choice, *, suggest: bool = True) -> str | Refused:
    """The number of the kind that `word` names, or why it cannot be given this choice.

    `suggest`: also search for a similar name, which takes a while.
    """
    from eryphc.diagnostics.codes import Refused, kind_of, unknown_word

    kind = kind_of(word)
    if kind is None:
        return unknown_word(word, suggest=suggest)
    if choice is not Choice.DENY and not kind.silenceable:
        return Refused(
            f"`{kind.name}` ({kind.number}) is an error that cannot be lowered",
            f"`eryphc explain {kind.number}` says what it means",
        )
    return kind.number


def speaks_to_us(source: SourceText) -> bool:
    """Whether a document may have comments for this tool. JSON has no comments."""
    return _MARK in source.text and not source.name.lower().endswith(".json")


def is_for_us(comment: str) -> bool:
    """Whether a comment line is for this tool."""
    if _MARK not in comment:
        return False
    from eryphc.diagnostics.allowances import is_for_us

    return is_for_us(comment)


def _level(level: Level, choice: Choice, *, soft: bool) -> Level | None:
    """The level that a finding gets by a choice for its kind; None: it is not reported."""
    if level is Level.ERROR and not soft:
        return level
    match choice:
        case Choice.ALLOW:
            return None
        case Choice.WARN:
            return Level.WARNING
        case Choice.DENY:
            return Level.ERROR


def leveled(diagnostics: Iterable[ShownDiagnostic], asked: Choices) -> Iterator[ShownDiagnostic]:
    """Findings that have left their documents, with the levels of the choices made."""
    from eryphc.diagnostics.codes import kind_of

    for diagnostic in diagnostics:
        choice = asked.get(diagnostic.code)
        kind = kind_of(diagnostic.code)
        if choice is None or kind is None:
            yield diagnostic
            continue
        level = _level(diagnostic.level, choice, soft=kind.soft)
        if level is not None:
            yield diagnostic._replace(level=level)


class Applied(NamedTuple):
    """Findings with the levels they have, and the keys of the comments that silence some."""

    diagnostics: tuple[Diagnostic, ...]
    used: frozenset[tuple[str, int]]


def _everywhere(name: str) -> bool:  # noqa: ARG001
    return True


_Known: TypeAlias = "Mapping[tuple[str, int], Sequence[Allowance]]"
"""The comments of a document, by the kind and the line of the findings that they are for."""


def _allowances(source: SourceText) -> _Known:
    if not speaks_to_us(source):
        return {}
    from eryphc.diagnostics.allowances import comments_of

    known: dict[tuple[str, int], list[Allowance]] = {}
    for allowance in comments_of(source).allowances:
        for line in dict.fromkeys(allowance.lines):
            known.setdefault((allowance.kind.number, line), []).append(allowance)
    return known


class LevelPolicy(NamedTuple):
    """The choices of levels in one project; `asked` are those of the command line or a request.

    `own` tells from the name of a document whether it lies in the project: comments in other
    documents cover less.
    """

    asked: Choices = NO_CHOICES
    project: Choices = NO_CHOICES
    own: Callable[[str], bool] = _everywhere

    def applied(self, diagnostics: Iterable[Diagnostic]) -> Applied:
        """The findings as they count here; what is allowed is left out."""
        result: list[Diagnostic] = []
        used: set[tuple[str, int]] = set()
        known: dict[int, _Known] = {}
        for diagnostic in diagnostics:
            covering = self._covering(diagnostic, known)
            used.update(allowance.key for allowance in covering)
            decided = self._decided(diagnostic, silenced=bool(covering))
            if decided is not None:
                result.append(decided)
        return Applied(tuple(result), frozenset(used))

    def _decided(self, diagnostic: Diagnostic, *, silenced: bool) -> Diagnostic | None:
        number = diagnostic.code.number
        choice = self.asked.get(number) or self.project.get(number)
        if choice is None and silenced:
            choice = Choice.ALLOW
        if choice is None:
            return diagnostic
        level = _level(diagnostic.level, choice, soft=diagnostic.code.soft)
        return None if level is None else diagnostic._replace(level=level)

    def _covering(self, diagnostic: Diagnostic, known: dict[int, _Known]) -> Sequence[Allowance]:
        """The comments that cover a finding: that of its line, and that of the line above."""
        if diagnostic.primary is None:
            return ()
        span = diagnostic.primary.span
        allowances = known.get(id(span.source))
        if allowances is None:
            allowances = known[id(span.source)] = _allowances(span.source)
        if not allowances:
            return ()
        return [
            allowance
            for allowance in allowances.get((diagnostic.code.number, span.line), ())
            if self._covers(allowance.kind, diagnostic.primary, diagnostic.related)
        ]

    def _covers(self, kind: Kind, place: Label, related: Collection[Label]) -> bool:
        """Whether a comment may silence a finding there.

        In a foreign gene a comment covers only findings about the text of this gene. Findings that
        involve other texts, and findings about security, are for the user of the gene to decide.
        """
        source = place.span.source
        if self._is_own(source):
            return True
        if kind.security:
            return False
        return not kind.reaches or any(label.span.source is source for label in related)

    def _is_own(self, source: SourceText) -> bool:
        return not source.foreign and self.own(source.name)

    def malformed(self, documents: Iterable[SourceText]) -> tuple[Diagnostic, ...]:
        """What is wrong with the comments of the project's own documents."""
        sources = [each for each in documents if speaks_to_us(each) and self._is_own(each)]
        if not sources:
            return ()
        from eryphc.diagnostics.allowances import malformed

        return malformed(sources)

    def unused(
        self,
        documents: Iterable[SourceText],
        used: Collection[tuple[str, int]],
        ran: Collection[str],
    ) -> tuple[Diagnostic, ...]:
        """The comments of own documents that silence nothing, where the rules in `ran` ran.

        A rule that did not run for each target might still find something.
        """
        sources = [each for each in documents if speaks_to_us(each) and self._is_own(each)]
        if not sources:
            return ()
        from eryphc.diagnostics.allowances import unused

        return unused(sources, used, ran)
