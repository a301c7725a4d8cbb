"""Leaves out findings that only repeat an earlier one."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Diagnostic


def without_echoes(found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """A value or a fodder entry that breaks a rule of its document is not reported again further
    on.
    """
    from eryphc.diagnostics.rules import NO_CONTENT, VALUE_DOES_NOT_FIT

    told = {
        (each.code, each.primary.span)
        for each in found
        if each.code in (NO_CONTENT, VALUE_DOES_NOT_FIT) and each.primary
    }
    if not told:
        return found
    from eryphc.diagnostics.guest import FODDER_EMPTY
    from eryphc.diagnostics.language import VALUE_UNFIT

    echo = {FODDER_EMPTY: NO_CONTENT, VALUE_UNFIT: VALUE_DOES_NOT_FIT}
    return [
        each
        for each in found
        if each.primary is None or (echo.get(each.code), each.primary.span) not in told
    ]
