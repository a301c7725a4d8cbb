"""Disk images: what is known of one, never its content."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from eryphc.frozen import NamedTuple


class DatedImage(NamedTuple):
    """The image of one day, which keeps its address: `digest` is `<algorithm>:<hex>`, `file` what
    its publisher calls it."""

    url: str
    digest: str
    file: str | None = None


class Volume(NamedTuple):
    """A disk image: a file at hand, or where one can be had; never its content.

    `format` is `vhdx`, `vhd`, `qcow2`, `img` or `raw`; `size` is in bytes. `sha256` is over the
    image file. `checksums_url` is a list of the publisher in which `file` has its digest. `dated`
    is the same disk as it was on the day of the description.
    """

    path: Path | None = None
    format: str | None = None
    url: str | None = None
    sha256: str | None = None
    checksums_url: str | None = None
    file: str | None = None
    size: int | None = None
    dated: DatedImage | None = None


class Firmware(StrEnum):
    """What starts a machine from a disk."""

    BIOS = "bios"
    UEFI = "uefi"


class DiskImage(NamedTuple):
    """A disk file at hand, as it was read.

    `format` is `vhdx`, `vhd`, `qcow2`, `raw`, or what the file is instead: `unknown`, or a word of
    `volumes.containers`. `sha256` is None where nobody asked for
    the hash of a file of this format. `size` is the file's, `virtual_size` the disk's, both in
    bytes; the latter is None where the headers are damaged. `differencing`: it needs a parent.
    `problem` is why the file alone is not the disk, in the words that follow "it"; `help` is there
    where the file is of another format than it is taken for. `sector` is the
    size of a sector in bytes. `boots` is what can start a machine from the disk, None where that
    cannot be seen: sectors are read of raw disks and fixed VHDs only.
    """

    format: str
    sha256: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    differencing: bool = False
    problem: str | None = None
    sector: int = 512
    boots: frozenset[Firmware] | None = None
    help: str | None = None

    def as_described(self, said: str | None) -> DiskImage:
        """The image where a description `said` what its content does not show: that it is raw."""
        if self.format != "unknown" or said != "raw":
            return self
        odd = (self.size or 0) % self.sector
        problem = f"has {self.size} bytes, which is no whole number of sectors of {self.sector}"
        return self._replace(
            format="raw", virtual_size=self.size, problem=problem if odd else None, help=None
        )


class DiskFault(NamedTuple):
    """A disk file that cannot be read: it is `missing`, or for another `reason`."""

    reason: str
    missing: bool = False
