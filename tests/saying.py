"""What diagnostics say: with all of their words, or with those that are shown."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.secrecy import EVERYTHING_PUBLIC, Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.ir.catlet import Catlet, Fodder


def said(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with all of its words, whatever is secret."""
    return EVERYTHING_PUBLIC.formed(diagnostic)


def handed_out(
    diagnostics: Iterable[Diagnostic], *fodder_entries: Fodder
) -> tuple[ShownDiagnostic, ...]:
    """The diagnostics as they are handed out for a catlet with this fodder."""
    return show(diagnostics, Secrets((Catlet(fodder=fodder_entries),)))


def opened(words: Iterable[Words]) -> tuple[str, ...]:
    """Words of messages as they are, whatever is secret."""
    return tuple(str(EVERYTHING_PUBLIC.opened(each, None)) for each in words)
