"""The user's cache folder on disk: whole files that are read, written and removed safely.

The folder and all in it belong to the user, and nobody else can write there. No link is followed
below it: what is no plain file in a plain folder is removed. A file gets its name when it is
complete, so that a run that is killed leaves nothing that looks whole.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.store import store_damaged
from eryphc.frozen import NamedTuple
from eryphc.store.faults import foreign, unreadable, unwritable
from eryphc.store.locks import PLAIN, hold, lock_name, locked
from eryphc.store.places import make_private

VERSION: Final = "2"
"""The layout of the folder. Another one lies in a folder of its own."""

Heard: TypeAlias = Callable[[Diagnostic], None]
"""Hears of what was damaged and is removed."""
Parts: TypeAlias = tuple[str, ...]
"""The way to a file below the folder: names of ours, never words of a document."""

_CONTENT: Final = ("blobs", "manifests", "trust", "volumes", "index", "roots")
_OURS: Final = frozenset((*_CONTENT, "locks", "tmp", "CACHEDIR.TAG", "version"))
# Source: Cache Directory Tagging Specification, https://bford.info/cachedir/.
_TAG: Final = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This is a cache of eryphc: what is here can be fetched or made again.\n"
)
# Above this a file is on the disk before it gets its name.
_SYNCED: Final = 1024 * 1024
# Another run may be clearing the cache meanwhile.
_ATTEMPTS: Final = 5
# No folder of ours lies deeper.
_DEEPEST: Final = 6


class Staged(NamedTuple):
    """A complete file in `tmp`, and what was written to it."""

    path: Path
    sha256: str
    size: int


class Entry(NamedTuple):
    """A file of the cache: the way to it, the bytes it takes, seconds since 1970 of its change."""

    parts: Parts
    size: int
    changed: float


def ignored(diagnostic: Diagnostic) -> None:
    """Hears of damage and tells nobody."""


def open_folder(named: Path, heard: Heard = ignored, *, durable: bool = False) -> Folder:
    """The cache folder `named`, made if it is not there. Raises StoreError.

    A folder of another version of this tool is left alone: a folder beside it is used instead.
    With `durable` small files too are on the disk before they get their names.
    """
    try:
        make_private(named)
    except OSError as error:
        if named.exists() and not named.is_dir():
            raise foreign(named, "is no folder") from error
        raise unwritable(named, error) from error
    folder = Folder(named, heard, durable=durable)
    version = folder._version()
    if version not in (None, VERSION):
        beside = named.with_name(f"{named.name}-{VERSION}")
        if named.name.endswith(f"-{VERSION}"):
            raise foreign(named, "was made by another version of this tool")
        return open_folder(beside, heard, durable=durable)
    if version is None:
        folder._begin()
    return folder


def existing_folder(named: Path, heard: Heard = ignored) -> Folder | None:
    """The cache folder `named`, None where there is none yet. Raises StoreError."""
    return open_folder(named, heard) if os.path.lexists(named) else None


class Folder:
    """An opened cache folder. Its `root` was checked to be the user's own."""

    def __init__(self, root: Path, heard: Heard = ignored, *, durable: bool = False) -> None:
        self.root = root
        self.heard = heard
        self._durable = durable
        try:
            # The folder itself may be a link, which the user chose.
            _must_be_own(root, root.stat())
        except OSError as error:
            raise unreadable(root, error) from error

    def __repr__(self) -> str:
        return f"Folder({str(self.root)!r})"

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)

    # --- single files ------------------------------------------------------------------------

    def read(self, *parts: str, limit: int) -> bytes | None:
        """A whole file, None where there is none. Raises StoreError.

        What is no plain file, or has more than `limit` bytes, is damaged: it is removed.
        """
        if self._standing(parts[:-1]) is None:
            return None
        path = self.path(*parts)
        try:
            data = _plain(path, limit)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if stat.S_ISREG(_mode(path)):
                raise unreadable(path, error) from error
            data = None
        if data is None:
            self.damaged(*parts)
        return data

    def sha256(self, *parts: str) -> str | None:
        """The hash of a file of any size, as hex digits; None where there is no plain file."""
        if self._standing(parts[:-1]) is None:
            return None
        path = self.path(*parts)
        try:
            descriptor = os.open(path, os.O_RDONLY | PLAIN)
        except OSError as error:
            if stat.S_ISREG(_mode(path)):
                raise unreadable(path, error) from error
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            try:
                return hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise unreadable(path, error) from error

    @contextmanager
    def staged(self, content: Iterable[bytes]) -> Iterator[Staged]:
        """Write a file into `tmp`; unless it is `put`, it is removed again. Raises StoreError."""
        path, descriptor = self._new()
        try:
            hashed, size = hashlib.sha256(), 0
            for block in content:
                hashed.update(block)
                size += len(block)
                self._append(descriptor, block)
            if size > _SYNCED or self._durable:
                self._sync(descriptor)
            if sys.platform == "win32":
                # Windows renames no file that is open.
                os.close(descriptor)
                descriptor = -1
            yield Staged(path, hashed.hexdigest(), size)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
            self._drop(path)

    def put(self, staged: Staged, *parts: str) -> None:
        """Give a staged file its name, also in place of another. Raises StoreError.

        Raises FileNotFoundError if another run has cleared the cache meanwhile.
        """
        for attempt in range(_ATTEMPTS):
            folder = self.made(*parts[:-1])
            try:
                os.replace(staged.path, folder / parts[-1])  # noqa: PTH105
            except (IsADirectoryError, NotADirectoryError):
                self.damaged(*parts)
            except FileNotFoundError:
                if not staged.path.exists() or attempt == _ATTEMPTS - 1:
                    raise
            except OSError as error:
                if sys.platform == "win32" and _same(folder / parts[-1], staged):
                    # Another run has it open, and it is what was to be written.
                    return
                raise unwritable(self.root, error) from error
            else:
                return

    def write(self, data: bytes, *parts: str) -> None:
        """Write a small file whole, in place of another. Raises StoreError."""
        for attempt in range(_ATTEMPTS):
            try:
                with self.staged((data,)) as staged:
                    self.put(staged, *parts)
            except FileNotFoundError as error:
                if attempt == _ATTEMPTS - 1:
                    raise unwritable(self.path(*parts), error) from error
            else:
                return

    def damaged(self, *parts: str) -> None:
        """Remove what is not what it should be, and tell of it."""
        self.remove(*parts)
        self.heard(store_damaged("/".join(parts)))

    def remove(self, *parts: str) -> None:
        """Remove a file, or whatever stands in its place. Raises StoreError."""
        path = self.path(*parts)
        try:
            if stat.S_ISDIR(_mode(path)):
                # It follows no links, and removes only what they point from.
                # It brings what packs archives, and nearly no run needs it.
                from shutil import rmtree

                rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            # Another run removes the same.
            return
        except OSError as error:
            raise unwritable(path, error) from error

    def made(self, *parts: str) -> Path:
        """A folder below the root, made if it is not there. Raises StoreError."""
        path = self._walked(parts, make=True)
        assert path is not None  # noqa: S101 - it was made
        return path

    @contextmanager
    def locked(self, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock `name`; `waiting` is called if another run has it. Raises StoreError."""
        path = self.made("locks") / name
        if stat.S_ISDIR(_mode(path)):
            self.damaged("locks", name)
        with ExitStack() as held:
            try:
                held.enter_context(locked(path, waiting))
            except OSError as error:
                raise unwritable(path, error) from error
            yield

    @contextmanager
    def locked_place(self, place: Path, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock of the file `place`, as `locked` does."""
        with self.locked(lock_name(place), waiting):
            yield

    # --- many files --------------------------------------------------------------------------

    def files(self, *parts: str) -> Iterator[Entry]:
        """All that is no folder below one of our folders, sorted. Raises StoreError."""
        if self._standing(parts) is None:
            return
        try:
            with os.scandir(self.path(*parts)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise unreadable(self.path(*parts), error) from error
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if len(parts) == _DEEPEST:
                    self.damaged(*parts, entry.name)
                    continue
                yield from self.files(*parts, entry.name)
                continue
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                size = min(status.st_size, getattr(status, "st_blocks", sys.maxsize) * 512)
                yield Entry((*parts, entry.name), size, status.st_mtime)

    def drop_unfinished(self) -> None:
        """Remove the files in `tmp` that no run is writing. Raises StoreError."""
        for entry in self.files("tmp"):
            path = self.path(*entry.parts)
            try:
                descriptor = os.open(path, os.O_RDONLY | PLAIN)
            except OSError:
                # A link or a file that cannot be opened is none that a run is writing.
                self._drop(path)
                continue
            try:
                if hold(descriptor):
                    self._drop(path)
            finally:
                os.close(descriptor)

    def touch(self, *parts: str) -> None:
        """Say that a file is in use, so that collecting spares it for a day."""
        with suppress(OSError):
            os.utime(self.path(*parts))

    # --- inside ------------------------------------------------------------------------------

    def _drop(self, path: Path) -> None:
        # Windows refuses while another run has it open.
        with suppress(OSError):
            path.unlink()

    def _version(self) -> str | None:
        data = self.read("version", limit=64)
        return None if data is None else data.decode("ascii", "replace").strip()

    def _begin(self) -> None:
        """Make a folder a cache. One that holds other things keeps its place in backups."""
        if _OURS.issuperset(each.name for each in self.root.iterdir()):
            self.write(_TAG, "CACHEDIR.TAG")
        self.write(f"{VERSION}\n".encode(), "version")

    def _append(self, descriptor: int, block: bytes) -> None:
        left = memoryview(block)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError as error:
            raise unwritable(self.root, error) from error

    def _sync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise unwritable(self.root, error) from error

    def _new(self) -> tuple[Path, int]:
        """A new file in `tmp`, marked as in use."""
        while True:
            path = self.made("tmp") / os.urandom(16).hex()
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise unwritable(self.root, error) from error
            if hold(descriptor) and (sys.platform == "win32" or os.fstat(descriptor).st_nlink):
                return path, descriptor
            # Another run that removes unfinished files came between the two steps.
            os.close(descriptor)
            self._drop(path)

    def _standing(self, parts: Parts) -> Path | None:
        """A folder below the root, None where there is none. Raises StoreError."""
        return self._walked(parts, make=False)

    def _walked(self, parts: Parts, *, make: bool) -> Path | None:
        path = self.root
        for at, part in enumerate(parts, start=1):
            path = path / part
            try:
                status = path.lstat()
                if _is_folder(status):
                    _must_be_own(path, status)
                    continue
                # Whoever unpacked this cache may have put a link there.
                self.damaged(*parts[:at])
            except FileNotFoundError:
                pass
            except OSError as error:
                raise unreadable(path, error) from error
            if not make:
                return None
            try:
                path.mkdir(mode=0o700, exist_ok=True)
            except FileNotFoundError as error:
                if not self.root.exists():
                    raise unwritable(self.root, error) from error
                # Another run clears the cache: begin again from the top.
                return self._walked(parts, make=make)
            except OSError as error:
                raise unwritable(self.root, error) from error
        return path


def _plain(path: Path, limit: int) -> bytes | None:
    """The content of a plain file of at most `limit` bytes, None for anything else there."""
    descriptor = os.open(path, os.O_RDONLY | PLAIN)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    return data if len(data) <= limit else None


def _same(path: Path, staged: Staged) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == staged.sha256
    except OSError:
        return False


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def _is_folder(status: os.stat_result) -> bool:
    """Whether it is a folder and no link to one, such as a junction of Windows."""
    return stat.S_ISDIR(status.st_mode) and not getattr(status, "st_reparse_tag", 0)


def _must_be_own(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise foreign(path, "is no folder")
    if sys.platform == "win32":
        # The folders of a user's profile are private there.
        return
    if status.st_uid != os.geteuid():
        raise foreign(path, "belongs to another user")
    if status.st_mode & 0o022:
        raise foreign(path, "can be written by other users")
