"""How the text around a place is quoted, whatever the language of the script."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from eryphc.frozen import NamedTuple

_MOST_OF_A_LINE: Final = 400


class Quoting(Enum):
    """The value says what the place is, as the label of a finding."""

    BARE = "stands here without quotes"
    SINGLE = "stands here in single quotes"
    DOUBLE = "stands here in double quotes"
    ESCAPED = "stands here in `$'...'`"
    HERE = "stands here in a here-document"
    HERE_LITERAL = "stands here in a quoted here-document"
    COMMENT = "stands here in a comment"
    BLOCK_COMMENT = "stands here in a block comment"


class Context(NamedTuple):
    """Where a value stands in a script.

    `before` and `after` are what its line has beside it, some hundred characters at most. `end` is
    what ends a here-document, and `tabs` says that tabs in front of that do not count. `whole`:
    its line has nothing else.
    """

    quoting: Quoting
    before: str
    after: str
    end: str = ""
    tabs: bool = False

    @property
    def whole(self) -> bool:
        return not self.before.strip() and not self.after.strip()


class Marks:
    """The places of a script, which a scanner passes in order."""

    def __init__(self, text: str, marks: Sequence[tuple[int, int]]) -> None:
        self.found: list[Context] = []
        self._text = text
        self._marks = marks

    @property
    def left(self) -> bool:
        return len(self.found) < len(self._marks)

    def take(self, to: int, quoting: Quoting, end: str = "", *, tabs: bool = False) -> int:
        """All places before `to` are quoted so; gives `to`."""
        text = self._text
        while self.left and self._marks[len(self.found)][0] < to:
            start, stop = self._marks[len(self.found)]
            first = max(0, start - _MOST_OF_A_LINE)
            first = text.rfind("\n", first, start) + 1 or first
            last = text.find("\n", stop, stop + _MOST_OF_A_LINE)
            after = text[stop : stop + _MOST_OF_A_LINE if last == -1 else last]
            self.found.append(Context(quoting, text[first:start], after, end, tabs))
        return to
