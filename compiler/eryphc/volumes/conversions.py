"""VHDs of disk images in the user's cache: each is made once, and found again by its key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.output import output_failed
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.source import shown_path
from eryphc.volumes.convert import Told, convert, part_of, whole_disk
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.headers import SECTOR
from eryphc.volumes.identity import conversion_key, vhd_footer, vhd_identifier, whole_mib
from eryphc.volumes.places import converted, locked, opened, private_parent


class Bench(NamedTuple):
    """What converting needs: the cache, who reads and hashes an image, who hears of progress.

    `waiting` is called if another run makes the same VHD.
    """

    cache: Path
    read: Callable[[Path], DiskImage | DiskFault]
    told: Told
    waiting: Callable[[], None]


def vhd_of(source: Path, kind: str | None, sha256: str | None, bench: Bench) -> Path:
    """The fixed VHD of the disk image `source`, in the cache. Raises VolumeError.

    `kind` is the format of the source, None: the one it shows. `sha256` is the hash that the
    source is known by, None where it is not known. A VHD that is in the cache already is verified
    by its size and its footer, and made anew if it is damaged.
    """
    header = whole_disk(source, kind)
    sha256 = _hash(source, bench) if sha256 is None else sha256.lower()
    size = whole_mib(header.virtual_size or 0)
    key = conversion_key(sha256, size)
    footer = vhd_footer(size, vhd_identifier(key))
    cache = opened(bench.cache)
    place = converted(cache.root, key)
    try:
        private_parent(cache, place)
        with locked(cache, place, bench.waiting):
            if not _is_whole(place, size, footer):
                _make(source, header.format, sha256, place, bench)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        if error.filename is not None and os.fspath(error.filename) == os.fspath(source):
            raise VolumeError(
                wording.unreadable(shown_path(source), reason), outside=True
            ) from error
        shown = error.filename if isinstance(error.filename, str) else shown_path(place)
        help_text = "free some space there, or name another cache with `ERYPHC_CACHE_DIR`"
        raise VolumeError(output_failed(shown, reason, help_text), outside=True) from error
    return place


def _make(source: Path, kind: str, sha256: str, place: Path, bench: Bench) -> None:
    """Make the VHD, whose lock this run has."""
    # A run that was killed removed nothing.
    for part in place.parent.glob(part_of(place, "*").name):
        part.unlink(missing_ok=True)
    place.unlink(missing_ok=True)
    # The name in the cache is a promise about the content: the source must have this hash now.
    found = _hash(source, bench)
    if found != sha256:
        name = shown_path(source)
        diagnostic = wording.digest_differs(name, "sha256", sha256, found, "the plan")
        raise VolumeError(diagnostic, outside=False)
    convert(source, kind, place, "vhd", bench.told, sha256)


def _hash(source: Path, bench: Bench) -> str:
    read = bench.read(source)
    if isinstance(read, DiskFault) or read.sha256 is None:
        reason = read.reason if isinstance(read, DiskFault) else "it was not hashed"
        raise VolumeError(wording.unreadable(shown_path(source), reason), outside=True)
    return read.sha256


def _is_whole(place: Path, size: int, footer: bytes) -> bool:
    try:
        with place.open("rb") as file:
            if file.seek(0, 2) != size + SECTOR:
                return False
            file.seek(size)
            return file.read() == footer
    except FileNotFoundError:
        return False
