"""Disk images: what is known of one, never its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from eryphc.frozen import NamedTuple


class Volume(NamedTuple):
    """A disk image: a file at hand, or where one can be had; never its content.

    `format` is `vhdx`, `vhd`, `qcow2`, `img` or `raw`; `size` is in bytes. `sha256` is over the
    image file. `checksums_url` is a list of the publisher in which `file` has its digest.
    """

    path: Path | None = None
    format: str | None = None
    url: str | None = None
    sha256: str | None = None
    checksums_url: str | None = None
    file: str | None = None
    size: int | None = None


class DiskImage(NamedTuple):
    """A disk file at hand, as it was read.

    `format` is `vhdx`, `vhd`, `qcow2` or `raw`; only a VHDX has the other values. `size` is the
    file's, `virtual_size` the disk's, both in bytes. `differencing`: it needs a parent itself.
    """

    format: str
    sha256: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    differencing: bool = False


class DiskFault(NamedTuple):
    """A disk file that cannot be read: it is `missing`, or for another `reason`."""

    reason: str
    missing: bool = False


ReadDisk: TypeAlias = Callable[[Path], "DiskImage | DiskFault"]
"""Reads a disk file: at the edge, so that what plans with disks touches none."""
