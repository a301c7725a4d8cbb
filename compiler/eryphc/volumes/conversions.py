"""VHDs of disk images in the user's cache: each is made once, and found again by its key.

Beside each lies a sealed record with its hash, so that a VHD that another put there is not taken.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from eryphc.canonical import canonical, read_canonical
from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.output import output_failed
from eryphc.diagnostics.words import os_reason
from eryphc.errors import Failure
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.source import shown_path
from eryphc.store.faults import StoreError
from eryphc.store.folder import Folder
from eryphc.store.seals import Seals
from eryphc.volumes.checksums import hash_file
from eryphc.volumes.convert import Converted, Told, convert, part_of, whole_disk
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.headers import SECTOR
from eryphc.volumes.identity import conversion_key, vhd_footer, vhd_identifier, whole_mib
from eryphc.volumes.places import converted, locked, opened, private_parent, record_of

_RECORD: Final = "eryphc-conversion/1"
_MOST_RECORD: Final = 4096
# A file system may keep times in steps of two seconds.
_SETTLED: Final = 2_000_000_000


class Bench(NamedTuple):
    """What converting needs: the cache, who reads and hashes an image, who hears of progress.

    `waiting` is called if another run makes the same VHD. `seals` gives those of the user's key.
    """

    cache: Path
    seals: Callable[[], Seals]
    read: Callable[[Path], DiskImage | DiskFault]
    told: Told
    waiting: Callable[[], None]


def vhd_of(source: Path, kind: str | None, sha256: str | None, bench: Bench) -> Path:
    """The fixed VHD of the disk image `source`, in the cache. Raises VolumeError.

    `kind` is the format of the source, None: the one it shows. `sha256` is the hash that the
    source is known by, None where it is not known. A VHD that is in the cache already is verified
    against its record, and made anew if it is damaged. Its hash is only made again if the file has
    changed since.
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
            own = bench.seals()
            if not _is_whole(cache, key, footer, own, bench.told):
                made = _make(source, header.format, sha256, place, bench)
                _note(cache, key, made.sha256, own)
    except StoreError as error:
        outside = error.failure is Failure.OUTSIDE
        raise VolumeError(error.diagnostic, outside=outside) from error
    except OSError as error:
        reason = os_reason(error)
        if error.filename is not None and os.fspath(error.filename) == os.fspath(source):
            raise VolumeError(
                wording.unreadable(shown_path(source), reason), outside=True
            ) from error
        shown = error.filename if isinstance(error.filename, str) else shown_path(place)
        help_text = "free some space there, or name another cache with `ERYPHC_CACHE_DIR`"
        raise VolumeError(output_failed(shown, reason, help_text), outside=True) from error
    return place


def _make(source: Path, kind: str, sha256: str, place: Path, bench: Bench) -> Converted:
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
    return convert(source, kind, place, "vhd", bench.told, sha256)


def _hash(source: Path, bench: Bench) -> str:
    read = bench.read(source)
    if isinstance(read, DiskFault) or read.sha256 is None:
        reason = read.reason if isinstance(read, DiskFault) else "it was not hashed"
        raise VolumeError(wording.unreadable(shown_path(source), reason), outside=True)
    return read.sha256


def is_as_recorded(cache: Folder, key: str, own: Seals) -> bool:
    """Whether the VHD with this key has the hash that its record says. Raises StoreError."""
    record = _recorded(cache, key, own)
    place = converted(cache.root, key)
    found = cache.sha256(*place.relative_to(cache.root).parts)
    return record is not None and found == record["sha256"]


def _is_whole(cache: Folder, key: str, footer: bytes, own: Seals, told: Told) -> bool:
    """Whether the VHD in the cache is the one that this user has made."""
    record = _recorded(cache, key, own)
    place = converted(cache.root, key)
    if record is None or not _has_footer(place, record["state"][1], footer):
        return False
    if record["settled"] and record["state"] == _state(place):
        return True
    length = place.stat().st_size
    found = hash_file(
        place, heard=lambda done: told("reading the converted image", 100 * done / length)
    )
    if found["sha256"] != record["sha256"]:
        return False
    _note(cache, key, found["sha256"], own)
    return True


def _recorded(cache: Folder, key: str, own: Seals) -> Any:
    """What the record of a VHD says, None without one that this user has sealed."""
    data = cache.read(*record_of(key), limit=_MOST_RECORD)
    body = None if data is None else own.opened(_RECORD, data, key)
    return None if body is None else read_canonical(body)


def _note(cache: Folder, key: str, sha256: str, own: Seals) -> None:
    """Write the record of a VHD whose hash was just made."""
    state = _state(converted(cache.root, key))
    # Soon after a change another could have the same time.
    settled = time.time_ns() - state[2] >= _SETTLED
    body = canonical({"settled": settled, "sha256": sha256, "state": state})
    cache.write(own.sealed(_RECORD, body, key), *record_of(key))


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _has_footer(place: Path, length: int, footer: bytes) -> bool:
    """Whether it is a plain file of this length that ends with the footer of its key."""
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return False
        with place.open("rb") as file:
            if file.seek(0, os.SEEK_END) != length:
                return False
            file.seek(length - SECTOR)
            return file.read() == footer
    except FileNotFoundError:
        return False
