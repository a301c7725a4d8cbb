"""What a build read of the disk, noted so that a later run can tell whether anything changed.

A note is text or nothing: the SHA-256 of a file that was read, as 64 hex digits; `names` and the
SHA-256 of the sorted names and kinds in a folder that was listed; `file`, `folder` or `other` for
what was only looked at; None for what was not there.
"""

# Each file of a fleet passes here: a path object for each call would cost as much as the call.
# ruff: noqa: PTH100, PTH116, PTH123

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from eryphc.frozen import FrozenMap, NamedTuple

Note: TypeAlias = "str | None"
Place: TypeAlias = "str | os.PathLike[str]"

FILE: Final = "file"
FOLDER: Final = "folder"
OTHER: Final = "other"
_NAMES: Final = "names "
# Nothing that a build reads whole is larger; disk images have notes of their own.
_LARGEST: Final = 256 * 1024 * 1024
# A file system may keep times in steps of two seconds.
_SETTLED: Final = 2_000_000_000


class DiskNote(NamedTuple):
    """A disk image: its SHA-256 where it was hashed, and its size, time of change and inode.

    `settled`: the time of change was so long ago that a later change has another one.
    """

    sha256: str | None
    state: tuple[int, int, int]
    settled: bool


class Noted(NamedTuple):
    """All that a build read.

    `paths` are absolute. `lock` has the SHA-256 of each entry of the lock that was looked up, None
    for one that it does not have. `values` has the SHA-256 of what each variable was given, None
    for one that was given nothing.
    """

    paths: Mapping[str, Note] = FrozenMap()
    lock: Mapping[str, Note] = FrozenMap()
    values: Mapping[str, Note] = FrozenMap()
    disks: Mapping[str, DiskNote] = FrozenMap()


class Reads:
    """Notes that are taken while somebody reads. `whole`: nothing went unnoted."""

    def __init__(self) -> None:
        self.notes: dict[str, Note] = {}
        self.whole = True

    def content(self, path: Place, data: bytes) -> None:
        """A file was read, and this is all of it."""
        self._note(path, hashlib.sha256(data).hexdigest())

    def listing(self, path: Place, entries: Iterable[tuple[str, bool]]) -> None:
        """A folder was listed: names in order, each with whether it is a folder."""
        self._note(path, _listed(entries))

    def look(self, path: Place) -> Note:
        """Look what is at a path, and note it."""
        return self._note(path, kind_at(path))

    def fault(self, path: Place) -> None:
        """Something could not be read. That nothing is there is a note like others."""
        if self.look(path) is not None:
            self.whole = False

    def take(self, other: Reads) -> None:
        """What another has noted, too."""
        for path, note in other.notes.items():
            self._note(path, note)
        self.whole = self.whole and other.whole

    def _note(self, path: Place, note: Note) -> Note:
        """What was read says more than what was only looked at, and has to be the same twice."""
        name = os.path.abspath(path)
        known = self.notes.get(name, note)
        if _weight(known) == _weight(note) and known != note:
            self.whole = False
        if name not in self.notes or _weight(note) > _weight(known):
            self.notes[name] = note
        return note


def _weight(note: Note) -> int:
    return 0 if note in (FILE, FOLDER, OTHER, None) else 1


def kind_at(path: Place) -> Note:
    """What is at a path, links followed."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode):
        return FILE
    return FOLDER if stat.S_ISDIR(mode) else OTHER


def entries_of(folder: Place) -> tuple[tuple[str, bool], ...]:
    """The names of files and folders in a folder, sorted, each with whether it is a folder.

    Links are followed. Raises OSError.
    """
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir()) for entry in entries if _is_plain(entry)]
    return tuple(sorted(found))


def _is_plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() or entry.is_file()


def _listed(entries: Iterable[tuple[str, bool]]) -> str:
    hashed = hashlib.sha256()
    for name, folder in sorted(entries):
        hashed.update(os.fsencode(name) + (b"/\0" if folder else b"\0"))
    return _NAMES + hashed.hexdigest()


def unchanged(path: Place, note: Note) -> bool:
    """Whether reading again what was noted would give the same."""
    if note in (FILE, FOLDER, OTHER, None):
        return kind_at(path) == note
    try:
        if note.startswith(_NAMES):
            return _listed(entries_of(path)) == note
        with open(path, "rb", opener=_no_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == note
    except (OSError, ValueError):
        return False


def _no_waiting(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody who writes.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


# -- disk images --------------------------------------------------------------------------------


def disk_state(path: Place) -> tuple[int, int, int] | None:
    """Size, time of change and inode of a disk image; None for what is no plain file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ino)


def disk_note(state: tuple[int, int, int], sha256: str | None) -> DiskNote:
    """The note of a disk image that had this state before it was read."""
    return DiskNote(sha256, state, time.time_ns() - state[1] >= _SETTLED)


def disk_unchanged(path: Place, note: DiskNote, *, by_state: bool) -> bool:
    """Whether a disk image is the one that was noted; `by_state`: its state may tell."""
    state = disk_state(path)
    if state is None:
        return False
    if by_state and note.settled and state == note.state:
        return True
    if note.sha256 is None or state[0] != note.state[0]:
        return False
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == note.sha256
    except OSError:
        return False


def text_note(text: str | None) -> Note:
    """The note of a text that was given, such as the value of a variable."""
    if text is None:
        return None
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def outside(paths: Iterable[str], root: str) -> Iterator[str]:
    """The paths that do not lie below a folder."""
    inside = os.path.join(root, "")  # noqa: PTH118
    return (path for path in paths if path != root and not path.startswith(inside))
