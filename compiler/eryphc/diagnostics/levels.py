"""What each finding counts as: what is said of its kind, and comments that silence one finding.

Findings go in as they were made and come out with the level they have here, or not at all. What
is asked for (the command line) decides before the project file, and this before a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from eryphc.diagnostics.findings import Findings
from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding
from eryphc.source import SourceText, Span

if TYPE_CHECKING:
    from eryphc.diagnostics.codes import Kind
    from eryphc.diagnostics.shown import ShownDiagnostic

ALLOWANCE_MALFORMED = Code("W0920", "allowance-malformed")
ALLOWANCE_UNUSED = Code("W0921", "allowance-unused")


class Choice(StrEnum):
    """What an option or the project file says of a kind of finding; the gravest last."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


Choices = Mapping[str, Choice]
"""By the number of the kind."""
NO_CHOICES: Choices = MappingProxyType({})


def choices(said: Iterable[tuple[Choice, Iterable[str]]]) -> Choices:
    """What is said of kinds, given by their numbers. Of two choices for one the graver holds."""
    order = list(Choice)
    found: dict[str, Choice] = {}
    for choice, numbers in said:
        for number in numbers:
            known = found.get(number, choice)
            found[number] = max(known, choice, key=order.index)
    return found


class Refused(NamedTuple):
    """Why nothing can be chosen for a word."""

    message: str
    help: str | None = None


def chosen(word: str, choice: Choice) -> str | Refused:
    """The number of the kind that `word` names, or why it cannot be given this choice."""
    from eryphc.diagnostics.codes import kind_of

    kind = kind_of(word)
    if kind is None:
        return _unknown(word)
    if choice is not Choice.DENY and not kind.silenceable:
        return Refused(
            f"`{kind.name}` ({kind.number}) is an error that cannot be lowered",
            f"`eryphc explain {kind.number}` says what it means",
        )
    return kind.number


def _unknown(word: str, *, suggest: bool = True) -> Refused:
    from eryphc.diagnostics.words import clipped

    meant = None
    if suggest and len(word) <= _LONGEST_NAME:
        from eryphc.diagnostics.codes import known_words
        from eryphc.diagnostics.suggest import did_you_mean

        meant = did_you_mean(word, known_words())
    message = f"`{clipped(word)}` is neither the code nor the name of a diagnostic"
    return Refused(message, meant or "`eryphc explain` lists them")


class Allowance(NamedTuple):
    """One kind that a comment silences. `lines` are those of its findings."""

    kind: Kind
    span: Span
    lines: tuple[int, ...]

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others of a run, in which a file may be read twice."""
        return (self.span.source.name, self.span.start)


class Comments(NamedTuple):
    """The comments of one document that speak to this tool, and what is wrong with them."""

    allowances: tuple[Allowance, ...]
    faults: tuple[Diagnostic, ...]


NO_COMMENTS = Comments((), ())
MOST_NAMES = 1_000
# Looking for what was meant takes a while.
_MOST_SUGGESTED = 5
_LONGEST_NAME = 60
_MARK = "eryphc:"
_COMMENT = re.compile(r"(?:^|(?<=[ \t\r]))#[ \t]*eryphc:([^\r\n]*)", re.MULTILINE)
_ALLOW = re.compile(r"[ \t]*allow(?![^\s])(.*?)(?:--(.*))?$")
_WORD = re.compile(r"[^\s,]+")


def is_for_us(comment: str) -> bool:
    """Whether a comment line speaks to this tool."""
    return _MARK in comment and _COMMENT.match(comment.lstrip()) is not None


def comments_of(source: SourceText) -> Comments:
    """The comments `# eryphc: allow NAME[, NAME] -- reason` of a YAML document.

    One covers its own line and the next; between a comment and what it covers more of them may
    stand. JSON has no comments.
    """
    if _MARK not in source.text or source.name.lower().endswith(".json"):
        return NO_COMMENTS
    found = list(islice(_COMMENT.finditer(source.text), MOST_NAMES + 1))
    lines = [source.position(match.start())[0] for match in found]
    # The line that a comment covers besides its own: the next, below others that stand alone.
    below: dict[int, int] = {}
    for line in reversed(lines):
        follows = line + 1 in below and source.line(line + 1).lstrip().startswith("#")
        below[line] = below[line + 1] if follows else line + 1
    faults: list[Diagnostic] = []
    said = (
        each
        for match, line in zip(found, lines, strict=True)
        for each in _read(source, match, (line, below[line]), suggest=len(faults) < _MOST_SUGGESTED)
    )
    allowances: list[Allowance] = []
    for number, each in enumerate(said):
        if number == MOST_NAMES:
            message = f"comments for eryphc name more than {MOST_NAMES} kinds of findings"
            faults.append(_malformed(message, _place(each), "the rest of them is ignored"))
            break
        if isinstance(each, Allowance):
            allowances.append(each)
        else:
            faults.append(each)
    return Comments(tuple(allowances), tuple(faults))


def _place(said: Allowance | Diagnostic) -> Span | None:
    if isinstance(said, Allowance):
        return said.span
    return said.primary.span if said.primary is not None else None


def _read(
    source: SourceText, match: re.Match[str], lines: tuple[int, int], *, suggest: bool
) -> Iterator[Allowance | Diagnostic]:
    whole = Span(source, match.start(), match.start() + len(match[0].rstrip()))
    parsed = _ALLOW.match(match[1].rstrip())
    if parsed is None:
        yield _malformed("a comment for eryphc begins with `eryphc: allow`", whole)
        return
    if not (parsed[2] or "").strip():
        yield _malformed("this comment gives no reason, so it silences nothing", whole)
        return
    from eryphc.diagnostics.codes import kind_of

    words = list(islice(_WORD.finditer(parsed[1]), MOST_NAMES + 1))
    if not words:
        yield _malformed("this comment names nothing that it silences", whole)
    for number, word in enumerate(words):
        start = match.start(1) + parsed.start(1) + word.start()
        span = Span(source, start, start + len(word[0]))
        kind = kind_of(word[0])
        if kind is None:
            refused = _unknown(word[0], suggest=suggest and number < _MOST_SUGGESTED)
            yield _malformed(refused.message, span, refused.help)
        elif not kind.silenceable:
            message = f"`{kind.name}` is an error that no comment silences"
            yield _malformed(message, span)
        else:
            yield Allowance(kind, span, lines)


def _malformed(message: str, span: Span | None, help_text: str | None = None) -> Diagnostic:
    return finding(
        ALLOWANCE_MALFORMED,
        message,
        span,
        help=help_text or "write `# eryphc: allow NAME -- reason`",
    )


def _unused(allowance: Allowance) -> Diagnostic:
    return finding(
        ALLOWANCE_UNUSED,
        f"nothing here is `{allowance.kind.name}`, so this comment silences nothing",
        allowance.span,
        help="remove it, or move it to the line of the finding or the line above",
    )


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
    """Findings that have left their documents, with the levels that are asked for."""
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


class LevelPolicy(NamedTuple):
    """What is said of levels in one project; `asked` is what the command line or a request says.

    `own` tells from the name of a document whether it lies in the project: comments of others
    cover less.
    """

    asked: Choices = NO_CHOICES
    project: Choices = NO_CHOICES
    own: Callable[[str], bool] = _everywhere

    def applied(self, diagnostics: Iterable[Diagnostic]) -> Applied:
        """The findings as they count here; what is allowed is left out."""
        result: list[Diagnostic] = []
        used: set[tuple[str, int]] = set()
        known: dict[int, Comments] = {}
        for diagnostic in diagnostics:
            allowance = self._allowance(diagnostic, known)
            if allowance is not None:
                used.add(allowance.key)
            decided = self._decided(diagnostic, silenced=allowance is not None)
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

    def _allowance(self, diagnostic: Diagnostic, known: dict[int, Comments]) -> Allowance | None:
        """The comment that covers a finding."""
        if diagnostic.primary is None:
            return None
        span = diagnostic.primary.span
        comments = known.get(id(span.source))
        if comments is None:
            comments = known[id(span.source)] = comments_of(span.source)
        for allowance in comments.allowances:
            if (
                allowance.kind.number == diagnostic.code.number
                and span.line in allowance.lines
                and self._covers(allowance.kind, diagnostic.primary, diagnostic.related)
            ):
                return allowance
        return None

    def _covers(self, kind: Kind, place: Label, related: Collection[Label]) -> bool:
        """Whether a comment may silence a finding there.

        In a gene of somebody else it speaks for the text of this gene alone. What the finding
        says of other texts, and what is a matter of security, is for whoever uses the gene.
        """
        source = place.span.source
        if self.own(source.name):
            return True
        if kind.security:
            return False
        return not kind.reaches or any(label.span.source is source for label in related)

    def malformed(self, documents: Iterable[SourceText]) -> tuple[Diagnostic, ...]:
        """What is wrong with the comments of the project's own documents."""
        found = Findings()
        for source in documents:
            if self.own(source.name):
                found.extend(comments_of(source).faults)
        return tuple(found)

    def unused(
        self,
        documents: Iterable[SourceText],
        used: Collection[tuple[str, int]],
        ran: Collection[str],
    ) -> tuple[Diagnostic, ...]:
        """The comments of own documents that silence nothing, where the rules in `ran` ran.

        A rule that did not run for each target may still have something to say.
        """
        found = Findings()
        for source in documents:
            if self.own(source.name):
                found.extend(
                    _unused(allowance)
                    for allowance in comments_of(source).allowances
                    if allowance.key not in used and allowance.kind.number in ran
                )
        return tuple(found)
