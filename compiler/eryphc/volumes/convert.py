"""One disk image to another format: the same bytes for the same image, on every machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from eryphc.diagnostics import volumes as wording
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import DiskFault
from eryphc.source import shown_path
from eryphc.volumes import qemu_img
from eryphc.volumes.checksums import hash_file
from eryphc.volumes.faults import VolumeError, refusal
from eryphc.volumes.headers import DiskHeader, read_header
from eryphc.volumes.identity import close_fixed_vhd, settle_vhdx

_GIB: Final = 1024**3
# The format ends there; Azure and QEMU end before.
LARGEST: Final = {"vhdx": 64 * 1024 * _GIB, "vhd": 32767 * _GIB}
_LARGEST_PLAIN: Final = 64 * 1024 * _GIB
_OPTIONS: Final = {
    # Blocks of 1 MiB are what Microsoft advises for Linux guests: ext4 scatters its metadata.
    "vhdx": "subformat=dynamic,block_size=1M",
    "vhd": "",
    "raw": "",
    "qcow2": "compat=1.1",
}

Told = Callable[[str, float], None]
"""Hears which step is how many percent done."""


class Converted(NamedTuple):
    path: Path
    format: str
    size: int
    virtual_size: int
    sha256: str
    source_sha256: str


def whole_disk(
    path: Path, kind: str | None, shown: str | None = None, named: str | None = None
) -> DiskHeader:
    """The header of a file that is a disk by itself. Raises VolumeError for any other.

    `kind` and `named` are as `read_header` has them, `shown` is what messages call the file.
    """
    name = shown or shown_path(path)
    header = read_header(path, kind, named)
    if isinstance(header, DiskFault):
        raise VolumeError(wording.unreadable(name, header.reason), outside=False)
    refused = refusal(name, header)
    if refused is not None:
        raise VolumeError(refused, outside=False)
    return header


def convert(
    source: Path,
    kind: str | None,
    target: Path,
    wanted: str,
    told: Told,
    source_sha256: str | None = None,
) -> Converted:
    """Convert `source` to the format `wanted`. Raises VolumeError and leaves nothing behind then.

    `kind` is the format of the source, None: the one it shows. The new file is read back and
    compared before it gets its name.
    """
    header = whole_disk(source, kind)
    kind = header.format
    size = header.virtual_size or 0
    name = shown_path(source)
    before = _state(source)
    limit = LARGEST.get(wanted, _LARGEST_PLAIN)
    if size > limit:
        raise VolumeError(wording.too_large(name, size, limit, f"a {wanted} disk"), outside=False)
    if not qemu_img.is_there():
        raise VolumeError(wording.qemu_img_missing(f"converting `{name}`"), outside=True)
    foreign = qemu_img.foreign_parts(source, kind)
    if foreign is not None:
        raise VolumeError(wording.not_self_contained(name, foreign), outside=False)
    # QEMU reads zeros where a file was cut short, and would convert them.
    damage = qemu_img.check(source, kind) if kind == "qcow2" else None
    if damage is not None:
        raise VolumeError(wording.damaged(name, damage), outside=False)
    if source_sha256 is None:
        told("reading", 0.0)
        source_sha256 = hash_file(source)["sha256"]
    part = part_of(target, os.getpid())
    try:
        # A fixed VHD is the raw disk and a footer, which we write: QEMU would change the size.
        plain = "raw" if wanted == "vhd" else wanted
        qemu_img.convert(
            source, kind, part, plain, _OPTIONS[wanted], size, lambda p: told("converting", p)
        )
        try:
            if wanted == "vhdx":
                settle_vhdx(part, source_sha256, size)
            elif wanted == "vhd":
                size = close_fixed_vhd(part, source_sha256)
        except ValueError as error:
            raise VolumeError(
                wording.conversion_differs(shown_path(target), str(error)), outside=True
            ) from None
        _read_back(source, kind, part, wanted, target, size, told)
        length = part.stat().st_size
        sha256 = hash_file(
            part, heard=lambda done: told("hashing the result", 100 * done / length)
        )["sha256"]
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        if _state(source) != before:
            reason = "it changed while it was converted"
            raise VolumeError(wording.unreadable(name, reason), outside=True)
        os.replace(part, target)  # noqa: PTH105
    finally:
        part.unlink(missing_ok=True)
    return Converted(target, wanted, length, size, sha256, source_sha256)


def part_of(target: Path, process: int | str) -> Path:
    """What a run writes before it gives `target` its name."""
    return target.with_name(f".{target.name}.{process}.part")


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read_back(
    source: Path, kind: str, part: Path, wanted: str, target: Path, size: int, told: Told
) -> None:
    written = read_header(part, wanted)
    reason: str | None
    if isinstance(written, DiskFault):
        reason = written.reason
    elif written.problem is not None:
        reason = f"it {written.problem}"
    elif written.virtual_size != size:
        reason = f"it has {written.virtual_size} bytes instead of {size}"
    else:
        reason = qemu_img.differs(source, kind, part, wanted, size, lambda p: told("comparing", p))
    if reason is not None:
        diagnostic = wording.conversion_differs(shown_path(target), reason)
        raise VolumeError(diagnostic, outside=True)
