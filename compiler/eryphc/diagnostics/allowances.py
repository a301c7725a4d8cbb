"""Comments that silence one finding: `# eryphc: allow NAME -- reason` in YAML documents.

Imported only where a document has a comment for this tool.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from eryphc.diagnostics.codes import UNKNOWN_WORD, Kind, kind_of, unknown_word
from eryphc.diagnostics.findings import Findings
from eryphc.diagnostics.model import Code, Diagnostic, finding, wording
from eryphc.diagnostics.said import Own, Said, Words, own
from eryphc.frozen import NamedTuple
from eryphc.source import SourceText, Span

ALLOWANCE_MALFORMED = Code("W0920", "allowance-malformed")
ALLOWANCE_UNUSED = Code("W0921", "allowance-unused")


class Allowance(NamedTuple):
    """One kind that a comment silences. `lines` are those of its findings."""

    kind: Kind
    span: Span
    lines: tuple[int, ...]

    @property
    def key(self) -> tuple[str, int]:
        """A key that is unique in a run; a run may read a file twice."""
        return (self.span.source.name, self.span.start)


class Comments(NamedTuple):
    """The comments of one document that are for this tool, and what is wrong with them."""

    allowances: tuple[Allowance, ...]
    faults: tuple[Diagnostic, ...]


MOST_NAMES = 1_000
# Searching for a similar name takes a while.
_MOST_SUGGESTED = 5
_COMMENT = re.compile(r"(?:^|(?<=[ \t\r]))#[ \t]*eryphc:([^\r\n]*)", re.MULTILINE)
_ALLOW = re.compile(r"[ \t]*allow(?![^\s])(.*?)(?:--(.*))?$")
_WORD = re.compile(r"[^\s,]+")


def is_for_us(comment: str) -> bool:
    """Whether a comment line is for this tool."""
    return _COMMENT.match(comment.lstrip()) is not None


def comments_of(source: SourceText) -> Comments:
    """The comments `# eryphc: allow NAME[, NAME] -- reason` of a YAML document.

    A comment covers its own line and the next line; other such comments may stand between the
    two.
    """
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
            message = own("comments for eryphc name more than {} kinds of findings", MOST_NAMES)
            faults.append(_malformed(message, _place(each), own("the rest of them is ignored")))
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
        yield _malformed(own("a comment for eryphc begins with `eryphc: allow`"), whole)
        return
    if not (parsed[2] or "").strip():
        yield _malformed(own("this comment gives no reason, so it silences nothing"), whole)
        return
    words = list(islice(_WORD.finditer(parsed[1]), MOST_NAMES + 1))
    if not words:
        yield _malformed(own("this comment names nothing that it silences"), whole)
    for number, word in enumerate(words):
        start = match.start(1) + parsed.start(1) + word.start()
        span = Span(source, start, start + len(word[0]))
        kind = kind_of(word[0])
        if kind is None:
            refused = unknown_word(word[0], suggest=suggest and number < _MOST_SUGGESTED)
            yield _malformed(own(UNKNOWN_WORD, Said(word[0])), span, Own(refused.help or ""))
        elif not kind.silenceable:
            message = own("`{}` is an error that no comment silences", Own(kind.name))
            yield _malformed(message, span)
        else:
            yield Allowance(kind, span, lines)


@wording
def _malformed(message: Words, span: Span | None, help_text: Words | None = None) -> Diagnostic:
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


def malformed(sources: Iterable[SourceText]) -> tuple[Diagnostic, ...]:
    """What is wrong with the comments of these documents."""
    found = Findings()
    for source in sources:
        found.extend(comments_of(source).faults)
    return tuple(found)


def unused(
    sources: Iterable[SourceText], used: Collection[tuple[str, int]], ran: Collection[str]
) -> tuple[Diagnostic, ...]:
    """The comments that are not among `used`, of the kinds that were looked for."""
    found = Findings()
    for source in sources:
        found.extend(
            _unused(allowance)
            for allowance in comments_of(source).allowances
            if allowance.key not in used and allowance.kind.number in ran
        )
    return tuple(found)
