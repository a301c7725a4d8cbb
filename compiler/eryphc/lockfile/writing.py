"""A lock to text: JSON, indented by two, sorted, so that a merge by lines mostly fits."""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from eryphc.canonical import Json
from eryphc.lockfile.model import LANGUAGE, LOCK_VERSION, Entry, Lock

_HOUR = 60 * 60


def text_of(lock: Lock) -> str:
    """The text of a lock, with a line feed at the end; the same for equal locks."""
    data: dict[str, Json] = {
        "language": LANGUAGE,
        "lock_version": LOCK_VERSION,
        "sets": {name: _entry(entry) for name, entry in lock.sets.items()},
        "specs": {name: sorted(names) for name, names in lock.specs.items()},
    }
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _entry(entry: Entry) -> dict[str, Json]:
    data: dict[str, Json] = {}
    for key in ("pool", "ref", "digest", "manifest", "signed", "form"):
        value = getattr(entry, key)
        if value is not None:
            data[key] = value
    if entry.requires:
        data["requires"] = sorted(entry.requires)
    if entry.files is not None:
        data["files"] = dict(entry.files)
    if entry.disks:
        data["disks"] = {
            path: {"digest": disk.digest} | ({"url": disk.url} if disk.url else {})
            for path, disk in entry.disks.items()
        }
    return data


def write_lock(path: Path, text: str) -> None:
    """Put a lock in its place, whole or not at all. Raises OSError.

    What runs left that were killed is removed after an hour.
    """
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        mode = 0o644
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(mode)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _remove_rests(path)


def _remove_rests(path: Path) -> None:
    """Another run may be writing, so that only old files go."""
    for rest in sorted(path.parent.glob(f".{path.name}.*")):
        with suppress(OSError):
            if rest.lstat().st_mtime < time.time() - _HOUR:
                rest.unlink()
