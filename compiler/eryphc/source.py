"""Texts and places in them: what every diagnostic points at."""

from __future__ import annotations

import os
from bisect import bisect_right
from enum import Enum
from pathlib import Path

from eryphc.frozen import NamedTuple


class Secrecy(Enum):
    """What must not be shown of a stretch of text."""

    CLOSED = "closed"
    """Nothing of it is shown: the value of a secret variable, what could not be read."""
    FODDER = "fodder"
    """Secret fodder: names of keys and identities are shown, no other value."""
    BINDING = "binding"
    """What a reference gives to a gene: closed until the gene has been read and calls it public."""


class Region(NamedTuple):
    """A stretch of a text of which something is secret."""

    start: int
    end: int
    secrecy: Secrecy


def shown_path(path: Path) -> str:
    """The path as printed, with `/`: relative to the working folder.

    A path that was given as absolute and lies elsewhere stays absolute: nobody wants to read a
    row of `..` up to the root and down again.
    """
    text = os.path.normpath(path)
    if os.path.isabs(text):  # noqa: PTH117 - once a file; Path takes ten times as long
        here = os.getcwd()  # noqa: PTH109
        inside = os.path.join(here, "")  # noqa: PTH118
        if os.path.normcase(text).startswith(os.path.normcase(inside)):
            text = text[len(inside) :]
        elif os.path.normcase(text) == os.path.normcase(here):
            text = "."
    return text.replace(os.sep, "/")


class SourceText:
    """One document as read: its name for people and its text.

    `name` is the path as printed (relative to the working folder), or `<stdin>`.
    `text` has no byte order mark; its line ends are as in the file. `regions` are what is secret
    in it by its own words; None: nobody has read it, so that all of it counts as secret.
    `foreign`: it lies in no file, so that `name` is no path and it is no document of the project.
    `sha256` is over the bytes of the file, where it was read from one that the user named.
    """

    __slots__ = ("_starts", "foreign", "name", "regions", "sha256", "text")

    def __init__(
        self,
        name: str,
        text: str,
        *,
        regions: tuple[Region, ...] | None = None,
        sha256: str | None = None,
    ) -> None:
        self.name = name
        self.text = text
        self.regions = regions
        self.foreign = False
        self.sha256 = sha256
        self._starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"SourceText({self.name!r}, {len(self.text)} characters)"

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            text = self.text
            starts = [0]
            position = 0
            lines = text.split("\n")
            for number, line in enumerate(lines, start=1):
                # The last line has no line feed that its CR could belong to.
                last = len(line) - (number < len(lines))
                # A lone CR ends a line too, as in every editor.
                inside = line.find("\r")
                while inside != -1 and inside < last:
                    starts.append(position + inside + 1)
                    inside = line.find("\r", inside + 1)
                position += len(line) + 1
                starts.append(position)
            starts.pop()
            self._starts = starts
        return self._starts

    @property
    def line_count(self) -> int:
        return len(self._line_starts())

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of `offset`, both 1-based, the column in characters."""
        starts = self._line_starts()
        line = bisect_right(starts, offset) - 1
        return line + 1, offset - starts[line] + 1

    def line_start(self, line: int) -> int:
        """Offset at which the 1-based `line` begins."""
        return self._line_starts()[line - 1]

    def line(self, line: int) -> str:
        """Text of the 1-based `line`, without its line end."""
        starts = self._line_starts()
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")


class Span(NamedTuple):
    """The characters `start` to `end` (exclusive) of a source; `end` may equal `start`."""

    source: SourceText
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]
