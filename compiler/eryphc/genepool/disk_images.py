"""Reading disk files at hand: their format, and of a VHDX its hash and size.

Source: [MS-VHDX] 2.2 (region table), 2.6 (metadata).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from eryphc.ir.volume import DiskFault, DiskImage

_BLOCK: Final = 4 * 1024 * 1024
_REGION_TABLES: Final = (192 * 1024, 256 * 1024)
_METADATA_REGION: Final = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_FILE_PARAMETERS: Final = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
_VIRTUAL_SIZE: Final = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
# Of the format: a table has no more entries than fit its 64 KiB.
_MOST_ENTRIES: Final = 2047
_HAS_PARENT: Final = 2

Progress = Callable[[Path, int, int], None]
"""Hears how many bytes of how many of a file have been read."""


class DiskImages:
    """Reads disk files, each once as long as it does not change."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._known: dict[tuple[Path, int, int], DiskImage] = {}

    def __call__(self, path: Path) -> DiskImage | DiskFault:
        try:
            status = path.stat()
            key = (path.resolve(), status.st_size, status.st_mtime_ns)
            if key not in self._known:
                with path.open("rb") as file:
                    self._known[key] = self._read(path, file, status.st_size)
            return self._known[key]
        except (FileNotFoundError, NotADirectoryError):
            return DiskFault(reason="there is no such file", missing=True)
        except ValueError:
            return DiskFault(reason="it is no path", missing=True)
        except OSError as error:
            return DiskFault(reason=(error.strerror or "it cannot be read").lower())

    def _read(self, path: Path, file: BinaryIO, size: int) -> DiskImage:
        kind = _format(file, size)
        if kind != "vhdx":
            return DiskImage(format=kind)
        virtual_size, differencing = _metadata(file)
        digest = hashlib.sha256()
        done = 0
        file.seek(0)
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            if self._progress is not None:
                self._progress(path, done, max(size, done))
        return DiskImage(
            format=kind,
            sha256=digest.hexdigest(),
            size=done,
            virtual_size=virtual_size,
            differencing=differencing,
        )


def _format(file: BinaryIO, size: int) -> str:
    start = file.read(8)
    if start == b"vhdxfile":
        return "vhdx"
    if start.startswith(b"QFI\xfb"):
        return "qcow2"
    file.seek(max(size - 512, 0))
    return "vhd" if start == b"conectix" or file.read(8) == b"conectix" else "raw"


def _metadata(file: BinaryIO) -> tuple[int | None, bool]:
    """The size of the disk (None where the file does not tell), and whether it has a parent."""
    for table in _REGION_TABLES:
        region = entry_offset(
            file, table, b"regi", struct.Struct("<4xI"), 16, "<Q", _METADATA_REGION
        )
        if region is None:
            continue
        count = struct.Struct("<2xH")
        size = entry_offset(file, region, b"metadata", count, 32, "<I", _VIRTUAL_SIZE)
        parameters = entry_offset(file, region, b"metadata", count, 32, "<I", _FILE_PARAMETERS)
        if size is None:
            continue
        virtual_size = _number(file, region + size, "<Q")
        flags = 0 if parameters is None else _number(file, region + parameters + 4, "<I") or 0
        return virtual_size, bool(flags & _HAS_PARENT)
    return None, False


def entry_offset(
    file: BinaryIO,
    at: int,
    signature: bytes,
    count: struct.Struct,
    first: int,
    offset: str,
    wanted: bytes,
) -> int | None:
    """The offset in the entry of a table that is named `wanted`."""
    file.seek(at)
    head = file.read(len(signature) + count.size)
    if not head.startswith(signature) or len(head) < len(signature) + count.size:
        return None
    (entries,) = count.unpack_from(head, len(signature))
    for number in range(min(entries, _MOST_ENTRIES)):
        file.seek(at + first + 32 * number)
        entry = file.read(32)
        if entry[:16] == wanted and len(entry) == 32:
            found: int = struct.unpack_from(offset, entry, 16)[0]
            return found
    return None


def _number(file: BinaryIO, at: int, form: str) -> int | None:
    file.seek(at)
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        return None
    found: int = struct.unpack(form, data)[0]
    return found
