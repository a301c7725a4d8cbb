"""What is published: content whose stretches can be read again, as often as a request is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from eryphc.frozen import NamedTuple
from eryphc.net.messages import PIECE, Bytes


class Content(Protocol):
    """What is published: `size` bytes, of which any stretch can be read again."""

    @property
    def size(self) -> int: ...
    def stretch(self, start: int, size: int) -> Iterator[bytes]: ...


class Memory(NamedTuple):
    """Content that lies in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def stretch(self, start: int, size: int) -> Iterator[bytes]:
        yield from Bytes(self.data[start : start + size]).blocks()

    def __repr__(self) -> str:
        return f"Memory({len(self.data)})"


class FileContent(NamedTuple):
    """Content that lies in a file."""

    path: Path
    size: int

    def stretch(self, start: int, size: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(start)
            while size and (block := file.read(min(size, PIECE))):
                size -= len(block)
                yield block


class Stretch(NamedTuple):
    """A part of content as the body of a request."""

    content: Content
    start: int
    size: int

    def blocks(self) -> Iterator[bytes]:
        for block in self.content.stretch(self.start, self.size):
            for at in range(0, len(block), PIECE):
                yield block[at : at + PIECE]
