"""The one exception for what a user, a disk or a host can cause."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Self

from eryphc.diagnostics.command import FILE_UNREADABLE, FILE_UNWRITABLE
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.shown import ShownDiagnostic, show


class Failure(IntEnum):
    """Why something failed, as the exit code that the command line gives for it."""

    INPUT = 1
    USAGE = 2
    OUTSIDE = 3


_OUTSIDE = frozenset(
    (
        FILE_UNREADABLE.number,
        FILE_UNWRITABLE.number,
        # A file of a gene pool that is there and cannot be opened.
        "E0313",
        # What registries answer, and what comes from them.
        *("E1001", "E1002", "E1003", "E1004", "E1005", "E1007", "E1008", "E1010", "E1011"),
        *("E1012", "E1013", "E1014", "E1015", "E1017", "E1019", "E1020", "E1024"),
        # What is pinned and cannot be had; the user's store.
        *("E1106", "E1201", "E1202"),
    )
)


def failure_of(diagnostics: Iterable[ShownDiagnostic]) -> Failure | None:
    """Why something failed with these findings, None where none of them is an error.

    What lies outside is at fault if nothing else is: files that are there and cannot be read,
    registries, the user's store.
    """
    errors = {each.code for each in diagnostics if each.level is Level.ERROR}
    if not errors:
        return None
    return Failure.OUTSIDE if errors <= _OUTSIDE else Failure.INPUT


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
