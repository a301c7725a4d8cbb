"""Disk images as genes: what is known of one, never its content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
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
