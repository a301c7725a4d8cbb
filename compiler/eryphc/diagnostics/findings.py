"""A list of findings that a hostile document cannot make grow without end."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level

NOT_LISTED = Code("N0102", "findings-not-listed")
MOST = 100


def not_listed(level: Level, most: int, at: Label | None) -> Diagnostic:
    return Diagnostic(
        code=NOT_LISTED,
        level=Level.NOTE,
        message=f"more than {most} {level.value}s; those from here on are not listed",
        primary=Label(at.span) if at is not None else None,
        secret=True,
    )


class Findings(list[Diagnostic]):
    """Diagnostics in the order in which they were found, at most `MOST` of each level.

    One note tells where the rest begins. `full` tells that errors were left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts = dict.fromkeys(Level, 0)

    @property
    def full(self) -> bool:
        return self._counts[Level.ERROR] > MOST

    def append(self, diagnostic: Diagnostic, /) -> None:
        count = self._counts[diagnostic.level] = self._counts[diagnostic.level] + 1
        if count <= MOST:
            super().append(diagnostic)
        elif count == MOST + 1:
            super().append(not_listed(diagnostic.level, MOST, diagnostic.primary))

    def extend(self, diagnostics: Iterable[Diagnostic], /) -> None:
        for diagnostic in diagnostics:
            self.append(diagnostic)
