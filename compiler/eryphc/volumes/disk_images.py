"""Reading disk files at hand: what their headers say, how they boot, and their hash."""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO, Final

from eryphc.diagnostics.words import os_reason
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.source import shown_path
from eryphc.volumes.boot import firmware_of
from eryphc.volumes.checksums import hash_file
from eryphc.volumes.headers import (
    FORMATS,
    UNKNOWN,
    DiskHeader,
    format_of_name,
    judged_header,
    shown_format,
)

EVERY_FORMAT: Final = (*FORMATS, UNKNOWN)

Progress = Callable[[Path, int, int], None]
"""Hears how many bytes of how many of a file have been read."""


class DiskImages:
    """Reads disk files, each once as long as it does not change.

    Only files of the formats in `hashed` are read whole, for their hash.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._known: dict[tuple[Path, str | None, int, int], DiskImage] = {}

    def __call__(self, path: Path, hashed: Collection[str] = EVERY_FORMAT) -> DiskImage | DiskFault:
        try:
            status = path.stat()
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                # Opening a pipe would wait for somebody who writes.
                return DiskFault(reason="it is no plain file")
            # Nothing but its name says that a disk without partitions is one.
            named = "raw" if format_of_name(path) == "raw" else None
            key = (path.resolve(), named, status.st_size, status.st_mtime_ns)
            known = self._known.get(key)
            if known is None:
                with path.open("rb") as file:
                    known = _read(file, status.st_size, named, shown_path(path))
            if known.sha256 is None and known.format in hashed:
                known = known._replace(sha256=self._hash(path, status.st_size))
            self._known[key] = known
        except (FileNotFoundError, NotADirectoryError):
            return DiskFault(reason="there is no such file", missing=True)
        except ValueError:
            return DiskFault(reason="it is no path", missing=True)
        except OSError as error:
            return DiskFault(reason=os_reason(error, "it cannot be read"))
        return known

    def _hash(self, path: Path, size: int) -> str:
        def heard(done: int) -> None:
            if self._progress is not None:
                self._progress(path, done, max(size, done))

        return hash_file(path, heard=heard)["sha256"]


def _read(file: BinaryIO, size: int, named: str | None, name: str) -> DiskImage:
    form = shown_format(file, size)
    base = DiskHeader(format=form, size=size, allocated=size)
    try:
        header = judged_header(file, base, named, name)
    except struct.error:
        return DiskImage(format=form, size=size, problem="ends inside its headers")
    except ValueError as error:
        problem = f"has damaged headers: {error}"
        return DiskImage(format=form, size=size, problem=problem)
    form = header.format
    plain = form == "raw" or (form == "vhd" and header.kind == "fixed")
    disk = header.virtual_size
    return DiskImage(
        format=form,
        size=size,
        virtual_size=disk,
        differencing=header.kind == "differencing",
        problem=header.problem,
        help=header.help,
        sector=header.sector,
        boots=firmware_of(file, disk) if plain and disk and not header.problem else None,
    )
