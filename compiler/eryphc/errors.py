"""The one exception for what a user, a disk or a host can cause."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Self

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import ShownDiagnostic, show


class Failure(IntEnum):
    """Why something failed, as the exit code that the command line gives for it."""

    INPUT = 1
    USAGE = 2
    OUTSIDE = 3


class EryphcError(Exception):
    """A request could not be carried out at all; `diagnostics` say why, without secrets."""

    def __init__(self, failure: Failure, diagnostics: Iterable[ShownDiagnostic]) -> None:
        self.failure = failure
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(each.message for each in self.diagnostics))

    @classmethod
    def of(cls, failure: Failure, *diagnostics: Diagnostic) -> Self:
        """The exception for diagnostics that are not about a document."""
        return cls(failure, show(diagnostics))
