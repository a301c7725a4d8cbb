"""Hides the secrets of a catlet that is shown. Source: docs/reference/language.md, "Redaction"."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.frozen import replace
from eryphc.ir.catlet import Catlet, Fodder, Variable
from eryphc.ir.content import Content, Written
from eryphc.source import SourceText, Span

REDACTED = "#REDACTED"


def redact(catlet: Catlet) -> Catlet:
    """Values of secret variables and content of secret fodder entries become `#REDACTED`.

    Only for what is shown, and only after substitution: the placeholder is no boolean or number.
    """
    return replace(
        catlet,
        variables=None if catlet.variables is None else _variables(catlet.variables),
        fodder=None
        if catlet.fodder is None
        else tuple(_fodder(fodder) for fodder in catlet.fodder),
    )


def _variables(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    return tuple(replace(v, value=REDACTED) if v.secret else v for v in variables)


def _fodder(fodder: Fodder) -> Fodder:
    variables = None if fodder.variables is None else _variables(fodder.variables)
    if not fodder.secret:
        return replace(fodder, variables=variables)
    # Nothing of the hidden text stays reachable, not even through its origin.
    span = fodder.at("content") or Span(SourceText("", ""), 0, 0)
    content = Content(REDACTED, Written(span))
    return replace(fodder, content=content, variables=variables)
