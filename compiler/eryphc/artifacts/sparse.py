"""Large files with holes, read without reading the holes: a hole is zeros."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from io import FileIO
from typing import Final

BLOCK: Final = 1024 * 1024
_ZEROS: Final = memoryview(bytes(BLOCK))
# Windows has neither.
_DATA: Final[int | None] = getattr(os, "SEEK_DATA", None)
_HOLE: Final[int | None] = getattr(os, "SEEK_HOLE", None)


def extents(file: FileIO, size: int) -> Iterator[tuple[int, int]]:
    """Where a file of `size` bytes has data, as offsets from and to. All else is zeros.

    A file system that knows no holes says that all is data. The position in the file is moved.
    """
    at = 0
    while at < size:
        if _DATA is None or _HOLE is None:
            start, end = at, size
        else:
            try:
                start = file.seek(at, _DATA)
                end = min(file.seek(start, _HOLE), size)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    # What is left is one hole.
                    return
                start, end = at, size
        if end <= start:
            # It grew, or the file system contradicts itself: then nothing it says is believed.
            start, end = at, size
        yield start, end
        at = end


def data(file: FileIO, size: int) -> Iterator[tuple[int, bytes]]:
    """The data of a file of `size` bytes in blocks, each with its offset.

    Raises OSError for a file that becomes shorter meanwhile.
    """
    for start, end in extents(file, size):
        at = start
        while at < end:
            file.seek(at)
            block = file.read(min(BLOCK, end - at))
            if not block:
                raise OSError(errno.EIO, "it became shorter while it was read")
            yield at, block
            at += len(block)


def blocks(file: FileIO, size: int) -> Iterator[bytes | memoryview]:
    """The whole content of a file of `size` bytes in blocks, the zeros of holes too."""
    at = 0
    for start, block in data(file, size):
        yield from _zeros(start - at)
        yield block
        at = start + len(block)
    yield from _zeros(size - at)


def _zeros(length: int) -> Iterator[memoryview]:
    while length > 0:
        yield _ZEROS[:length]
        length -= BLOCK


def sha256_of(file: FileIO) -> tuple[str, int]:
    """The SHA-256 of a file, and its size in bytes."""
    size = file.seek(0, os.SEEK_END)
    digest = hashlib.sha256()
    for block in blocks(file, size):
        digest.update(block)
    return digest.hexdigest(), size
