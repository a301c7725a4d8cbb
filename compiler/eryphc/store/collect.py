"""Collecting: what no lock file and no record of the index names is removed after a day."""

from __future__ import annotations

import re
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from eryphc.frozen import NamedTuple
from eryphc.store.content import MOST_NOTE, Store
from eryphc.store.folder import Entry, Folder

DAY: Final = 24 * 60 * 60
COLLECTED: Final = ("blobs", "manifests", "trust")
"""The folders that are collected. Disk images are not: they cost too much to fetch again."""
OUTPUTS: Final = "output/"
"""How the keys of records begin that can be given up for their size."""

_DIGITS: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MOST_LOCK: Final = 64 * 1024 * 1024
_MOST_CONFIG: Final = 1024 * 1024
_POINTER: Final = 128


class Record(NamedTuple):
    """An entry of the index; `used` is when it was last asked for, in seconds since 1970."""

    key: str
    value: bytes
    used: float


class Records(Protocol):
    """The index, as far as collecting and verifying need it."""

    def records(self) -> Sequence[Record]:
        """All records that have not expired."""

    def remove(self, key: str) -> None:
        """Remove a record; one that is not there is no fault."""


class Pruned(NamedTuple):
    """What was removed, and the bytes that are left.

    `unread` are lock files that are there and could not be read: with one of them only what a run
    has left unfinished is removed.
    """

    files: int
    bytes: int
    left: int
    unread: tuple[Path, ...]


def prune(
    store: Store,
    records: Records | None = None,
    *,
    most: int | None = None,
    now: float | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Pruned:
    """Remove what nothing names and nobody has touched for a day. Raises StoreError.

    Then the outputs that were used longest ago go, until at most `most` bytes are left. A run that
    fetches meanwhile loses nothing. `waiting` is called if another run is collecting.
    """
    folder = store.folder
    with folder.locked("gc", waiting):
        folder.drop_unfinished()
        work = _Collection(store, time.time() if now is None else now)
        unread = work.mark_roots()
        if not unread:
            found = () if records is None else tuple(records.records())
            work.mark_records(found)
            work.sweep()
            if most is not None and records is not None:
                work.shrink(most, found, records)
        left = sum(entry.size for kind in COLLECTED for entry in folder.files(kind))
        return Pruned(work.files, work.bytes, left + _size(folder, "index"), unread)


class _Collection:
    """One run: what is named from where, and what was removed so far."""

    def __init__(self, store: Store, now: float) -> None:
        self.files = self.bytes = 0
        self._store = store
        self._folder = store.folder
        self._now = now
        self._rooted: set[str] = set()
        self._recorded: Counter[str] = Counter()

    def mark_roots(self) -> tuple[Path, ...]:
        """Mark what the lock files name; gives those that could not be read."""
        unread: list[Path] = []
        for root in list(self._store.roots()):
            try:
                if not stat.S_ISREG(root.lock.stat().st_mode):
                    # Nobody waits for a pipe.
                    unread.append(root.lock)
                    continue
                with root.lock.open("rb") as file:
                    text = file.read(_MOST_LOCK)
            except (FileNotFoundError, NotADirectoryError):
                self._folder.remove("roots", root.name)
            except OSError:
                unread.append(root.lock)
            else:
                self._rooted |= self._reached(_digests(text))
        return tuple(unread)

    def mark_records(self, records: Iterable[Record]) -> None:
        for record in records:
            self._recorded.update(self._reached(_digests(record.value)))

    def sweep(self) -> None:
        for entry in self._entries(*COLLECTED):
            if not self._is_named(entry) and self._now - entry.changed > DAY:
                self._remove(entry)

    def shrink(self, most: int, found: Iterable[Record], records: Records) -> None:
        """Give up outputs until at most `most` bytes are left, those used longest ago first."""
        entries = {_digits(entry): entry for entry in self._entries("blobs")}
        left = sum(entry.size for entry in self._entries(*COLLECTED))
        left += _size(self._folder, "index")
        for record in sorted(found, key=lambda each: (each.used, each.key)):
            if left <= most:
                return
            if not record.key.startswith(OUTPUTS):
                continue
            records.remove(record.key)
            for digits in self._reached(_digests(record.value)):
                self._recorded[digits] -= 1
                entry = entries.get(digits)
                if entry is not None and not self._is_named(entry):
                    left -= entry.size
                    self._remove(entry)

    def _reached(self, named: set[str]) -> set[str]:
        """What is named, and of gene sets among it also the manifest and the texts."""
        reached = set(named)
        for digits in named:
            pointer = self._folder.read("manifests", digits[:2], digits[2:], limit=_POINTER)
            if pointer is None:
                continue
            reached |= _digests(pointer)
            config = self._store.blob(f"sha256:{digits}", _MOST_CONFIG)
            if config is not None:
                reached |= _digests(config)
        return reached

    def _is_named(self, entry: Entry) -> bool:
        if entry.parts[0] != "trust":
            return self._names(_digits(entry))
        note = self._folder.read(*entry.parts, limit=MOST_NOTE)
        return note is not None and any(map(self._names, _digests(note)))

    def _names(self, digits: str) -> bool:
        return digits in self._rooted or self._recorded[digits] > 0

    def _entries(self, *kinds: str) -> list[Entry]:
        return [entry for kind in kinds for entry in self._folder.files(kind)]

    def _remove(self, entry: Entry) -> None:
        self._folder.remove(*entry.parts)
        self.files += 1
        self.bytes += entry.size


def _digests(text: bytes) -> set[str]:
    """All SHA-256 digests that a text names, as hex digits, whatever its form."""
    return {found.decode() for found in _DIGITS.findall(text)}


def _digits(entry: Entry) -> str:
    return "".join(entry.parts[-2:])


def _size(folder: Folder, kind: str) -> int:
    return sum(entry.size for entry in folder.files(kind))
