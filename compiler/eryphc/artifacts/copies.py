"""A large file as the content of an artifact: cloned where the disk can, else copied with holes.

It is never a hard link: who edits the artifact must not change the file that it was made of.
"""

from __future__ import annotations

import io
import sys
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

from eryphc.artifacts.sparse import blocks, data
from eryphc.frozen import NamedTuple

# Of Linux: `FICLONE` in linux/fs.h, the same number on all processors that Python runs on but
# for those of MIPS, PowerPC and SPARC, where the kernel refuses it.
_CLONE: Final = 0x40049409


class FileCopy(NamedTuple):
    """The content of the file at `path`, which must not change until it was written."""

    path: Path

    def write_to(self, target: BinaryIO) -> None:
        """Write the content to an empty file, or append it to what is no file of a disk."""
        with self.path.open("rb", buffering=0) as source:
            size = source.seek(0, io.SEEK_END)
            descriptor = _empty_file(target)
            if descriptor is None:
                target.writelines(blocks(source, size))
            elif not _clone(source, descriptor):
                _copy(source, size, target)


def _empty_file(target: BinaryIO) -> int | None:
    """The descriptor of an empty file that holes can be left in; None for anything else."""
    try:
        if not target.seekable() or target.seek(0, io.SEEK_END):
            return None
        return target.fileno()
    except OSError:
        # `io.UnsupportedOperation` is one: a buffer in memory has no descriptor.
        return None


def _clone(source: FileIO, descriptor: int) -> bool:
    """Let both files share their blocks until one is changed; False where the disk cannot."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(descriptor, _CLONE, source.fileno())
    except OSError:
        # Whatever is wrong with the disk itself, the copy will meet and report.
        return False
    return True


def _copy(source: FileIO, size: int, target: BinaryIO) -> None:
    for at, block in data(source, size):
        target.seek(at)
        target.write(block)
    target.truncate(size)
    target.seek(size)
