"""Two texts to the lines that differ, at a bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_MOST_COMPARED: Final = 1_000_000
"""The most pairs of lines that are compared for one tag. Then texts differ as a whole."""


class Lines:
    """Compares content line by line, as long as that costs little.

    The time for two texts grows with the product of their lengths, and a hostile tag can hold many
    long ones.
    """

    def __init__(self) -> None:
        self._left = _MOST_COMPARED

    def all(self, sign: str, content: str | None) -> tuple[str, ...]:
        """All lines of a text behind one sign."""
        return () if content is None else tuple(f"{sign}{line}" for line in _split(content))

    def compared(self, old: str, new: str) -> tuple[str, ...]:
        """The lines that are gone or new, in their order."""
        before, after = _split(old), _split(new)
        start = _common(before, after)
        end = _common(before[start:][::-1], after[start:][::-1])
        before, after = before[start : len(before) - end], after[start : len(after) - end]
        cost = len(before) * len(after)
        if cost > self._left:
            return (*(f"-{line}" for line in before), *(f"+{line}" for line in after))
        self._left -= cost
        return tuple(_differing(before, after))


def _differing(before: list[str], after: list[str]) -> Iterator[str]:
    """The lines that are not in the longest common part, by the textbook's table.

    `difflib` would take cubic time for texts that were made for it.
    """
    # `longest[i][j]`: how many lines `before[i:]` and `after[j:]` have in common.
    longest = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        row, below, line = longest[i], longest[i + 1], before[i]
        for j in reversed(range(len(after))):
            row[j] = below[j + 1] + 1 if line == after[j] else max(below[j], row[j + 1])
    i = j = 0
    while i < len(before) and j < len(after):
        if before[i] == after[j]:
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            yield f"-{before[i]}"
            i += 1
        else:
            yield f"+{after[j]}"
            j += 1
    yield from (f"-{line}" for line in before[i:])
    yield from (f"+{line}" for line in after[j:])


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _common(one: list[str], other: list[str]) -> int:
    """How many lines two texts begin with alike."""
    count = 0
    for line, same in zip(one, other, strict=False):
        if line != same:
            break
        count += 1
    return count
