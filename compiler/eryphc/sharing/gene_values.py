"""Which values a gene does not hold: its defaults in context, and values that nobody expects.

Source: docs/reference/language.md, "Values in context".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import values as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, Said, Words, joined, own
from eryphc.diagnostics.secrecy import Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.ir.catlet import Catlet, Variable, VariableType
from eryphc.request import BuildRequest
from eryphc.source import Span

if TYPE_CHECKING:
    from eryphc.session import Session

# One line each: no quotes hold a line break, and a build tells whoever gives one.
HOSTILE: Final = (
    ("a b", own("a blank")),
    ("it's", own("a single quote")),
    ('say "hi"', own("a double quote")),
    ("back\\slash\\", own("a backslash")),
    ("$HOME", own("a `$`")),
    ("`id`", own("a backquote")),
    ("a #1", own("a `#` behind a blank")),
    ("key: a", own("a `:` before a blank")),
    ("[a, b]", own("brackets")),
    ("*a", own("a `*` in front")),
    ("a;b", own("a `;`")),
    ("$(id)", own("`$( )`")),
)


def values_in(
    session: Session,
    gene: str,
    request: BuildRequest,
    variables: Sequence[Variable],
    os_type: str | None,
) -> Iterator[ShownDiagnostic]:
    """What is found of a gene's values: as they are, and of text variables with hostile values.

    `request` has the values that the gene requires. What is found of a hostile value is a warning
    for the author, one for each place: in scripts, and in YAML where the author quotes nothing.
    """
    found, records = _judged(session, gene, request, os_type)
    yield from show(found, Secrets(records))
    texts = [
        each.name for each in variables if each.name and each.type in (None, VariableType.STRING)
    ]
    if not texts:
        return
    places: dict[tuple[Span, str], tuple[Diagnostic, list[Own]]] = {}
    for value, sign in HOSTILE:
        values = {**request.values, **dict.fromkeys(texts, value)}
        broken, more = _judged(session, gene, replace(request, values=values), os_type)
        records = (*records, *more)
        for each in broken:
            if each.code in _BREAKS and each.primary is not None and not _quoted(each):
                key = each.primary.span, str(each.code.number)
                places.setdefault(key, (each, []))[1].append(sign)
    yield from show(map(_not_held, places.values()), Secrets(records))


_BREAKS: Final = (wording.VALUE_BREAKS_OUT, wording.VALUE_BREAKS_QUOTING)


def _quoted(found: Diagnostic) -> bool:
    """Whether the author has put the reference in quotes of YAML.

    They hold all but their own sign, and a build tells whoever gives that.
    """
    return found.form is not None and bool(found.form.options.get("quoted"))


def _judged(
    session: Session, gene: str, request: BuildRequest, os_type: str | None
) -> tuple[Iterable[Diagnostic], tuple[Catlet, ...]]:
    """What is found of the values in a gene's texts, and the catlet that they belong to."""
    from eryphc.guest.agents import AgentSources, decide_agent
    from eryphc.guest.cloudconfig.reader import TextReader
    from eryphc.guest.pieces import piece_of
    from eryphc.guest.request import decide_guest
    from eryphc.guest.values.lint import lint

    catlet = session.expand_gene(gene, request=request)._catlet
    if catlet is None:
        return (), ()
    fodder = catlet.fodder or ()
    guest, _ = decide_guest(None, () if os_type is None else (os_type,), fodder)
    reader = TextReader()
    pieces = [piece_of(each, number, reader) for number, each in enumerate(fodder)]
    agent, _ = decide_agent(None, guest, AgentSources(), freebsd=os_type == "freebsd")
    return lint(pieces, guest, agent), (catlet,)


def _not_held(found: tuple[Diagnostic, list[Own]]) -> Diagnostic:
    diagnostic, signs = found
    variable, fodder = _said(diagnostic)
    in_script = diagnostic.code == wording.VALUE_BREAKS_QUOTING
    remedy = (
        own("a here-document whose end is in quotes holds any line")
        if in_script
        else own("a block (`|-`, and the reference on the next line) holds any line")
    )
    span = diagnostic.primary.span if diagnostic.primary else None
    return wording.value_not_held(variable, fodder, joined(signs, " or "), remedy, span)


def _said(diagnostic: Diagnostic) -> tuple[Words, Words]:
    """The variable and the fodder entry that a finding speaks of."""
    arguments = () if diagnostic.form is None else diagnostic.form.arguments
    known: Mapping[int, object] = dict(enumerate(arguments))
    first, second = known.get(0), known.get(1)
    return (
        first if isinstance(first, Said | Own) else own("?"),
        second if isinstance(second, Said | Own) else own("?"),
    )
