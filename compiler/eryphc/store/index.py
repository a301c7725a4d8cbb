"""The index: small records by a text key, with expiry, a size limit and several writers.

It is a cache of the library diskcache, whose own way of storing runs code of whoever can write to
its folder (CVE-2025-69872). Here nothing is ever deserialised and no value is a file: keys are
text, values are bytes, and the database is looked at before the library opens it. SECURITY.md
tells more. The word of the index is never final: who asks it verifies what it says.

No fault of the index stops a run. A record that cannot be read is not there; a database that is
no good is removed and left out for the run.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

import diskcache

from eryphc.store.collect import Record
from eryphc.store.faults import StoreError
from eryphc.store.folder import Folder
from eryphc.store.locks import PLAIN

T = TypeVar("T")

LIMIT: Final = 32 * 1024 * 1024
"""The bytes that the index may take; then what was used longest ago goes."""
MOST_VALUE: Final = 1024 * 1024
_MOST_KEY: Final = 2048
# The library removes at most ten records at a time, so a database can grow beyond its limit.
_MOST_FILE: Final = 4 * LIMIT
_DATABASE: Final = "cache.db"
_FILES: Final = (_DATABASE, "cache.db-wal", "cache.db-shm", "cache.db-journal")
# Seconds that a run waits for another one that writes.
_PATIENCE: Final = 5.0
_RAW: Final = 1

_SETTINGS: Final = {
    **diskcache.DEFAULT_SETTINGS,
    "eviction_policy": "least-recently-used",
    "size_limit": LIMIT,
    "disk_min_file_size": 2 * MOST_VALUE,
}
_COUNTS: Final = ("count", "size", "hits", "misses")
_OBJECTS: Final = {
    ("table", "Cache"),
    ("table", "Settings"),
    ("index", "Cache_key_raw"),
    ("index", "Cache_expire_time"),
    ("index", "Cache_access_time"),
    ("index", "sqlite_autoindex_Settings_1"),
    ("trigger", "Settings_count_insert"),
    ("trigger", "Settings_count_delete"),
    ("trigger", "Settings_size_insert"),
    ("trigger", "Settings_size_update"),
    ("trigger", "Settings_size_delete"),
}
_TRIGGER: Final = re.compile(
    r"CREATE TRIGGER (?:IF NOT EXISTS )?Settings_\w+ AFTER (?:INSERT|UPDATE|DELETE) ON Cache"
    r" FOR EACH ROW BEGIN UPDATE Settings SET value = value [+-] (?:1|NEW\.size|OLD\.size"
    r'|NEW\.size - OLD\.size) WHERE key = "(?:count|size)"; END'
)
# What says that another run or the disk is at fault, and not the content of the database.
_PASSING: Final = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM", "INTERRUPT")


class NotOurRowError(Exception):
    """A row of the database that this tool has not written."""


class _PlainDisk(diskcache.Disk):  # type: ignore[misc] # the library has no types
    """What the library stores: text as the key, bytes as the value, and nothing else ever."""

    def put(self, key: object) -> tuple[str, bool]:
        if type(key) is not str or len(key) > _MOST_KEY:
            raise NotOurRowError
        return key, True

    def get(self, key: object, raw: object) -> str:
        if type(key) is not str or raw != 1:
            raise NotOurRowError
        return key

    def store(
        self,
        value: object,
        read: object,
        key: object = None,  # noqa: ARG002 - the library hands it over
    ) -> tuple[int, int, None, bytes]:
        if read or type(value) is not bytes or len(value) > MOST_VALUE:
            raise NotOurRowError
        return 0, _RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: object) -> bytes:
        if read or mode != _RAW or filename is not None or type(value) is not bytes:
            raise NotOurRowError
        return value

    def filename(self, *_: object, **__: object) -> NoReturn:
        raise NotOurRowError

    def remove(self, file_path: object) -> NoReturn:  # noqa: ARG002 - the base deletes any path
        raise NotOurRowError


class Index:
    """The index in an opened cache folder, opened when it is first asked. For one thread at a
    time."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._cache: Any = None
        self._left_out = False

    def __repr__(self) -> str:
        return f"Index({str(self._folder.root)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    @property
    def left_out(self) -> bool:
        """Whether the index had a fault and is not asked any more in this run."""
        return self._left_out

    def get(self, key: str) -> bytes | None:
        """The value of a key, None where there is none."""
        found: bytes | None = self._asked(lambda cache: cache.get(key), None)
        return found

    def set(self, key: str, value: bytes, seconds: float | None = None) -> None:
        """Keep a value for some seconds, or until there is no room for it."""
        if len(value) <= MOST_VALUE:
            self._asked(lambda cache: cache.set(key, value, expire=seconds), None)

    def remove(self, key: str) -> None:
        self._asked(lambda cache: cache.delete(key), None)

    def drop_expired(self) -> None:
        self._asked(lambda cache: cache.expire(), None)

    def records(self) -> tuple[Record, ...]:
        """All records that have not expired."""
        return self._asked(lambda _cache: self._read_all(), ())

    # --- inside ------------------------------------------------------------------------------

    def _asked(self, question: Callable[[Any], T], otherwise: T) -> T:
        """The answer of the library; `otherwise` after any fault of it."""
        if self._left_out:
            return otherwise
        try:
            if self._cache is None:
                self._cache = self._opened()
            try:
                return question(self._cache)
            finally:
                # The library has a connection for each thread, which ends without closing it.
                self._cache.close()
        except Exception as error:
            self._leave_out(error)
            return otherwise

    def _leave_out(self, error: Exception) -> None:
        self._left_out = True
        # Closing a damaged database can fail as well.
        with _ignoring_faults():
            self.close()
        if not _is_passing(error):
            with _ignoring_faults():
                self._folder.damaged("index")

    def _opened(self) -> Any:
        place = self._folder.made("index")
        for name in sorted(os.listdir(place)):  # noqa: PTH208
            if not _is_file_of_ours(place / name):
                self._folder.damaged("index", name)
        directory = str(place.absolute())
        if os.path.expandvars(os.path.expanduser(directory)) != directory:  # noqa: PTH111
            # The library would open another folder.
            raise sqlite3.OperationalError("a folder whose name the library changes")
        database = place / _DATABASE
        # SQLite gives its other files the mode of this one.
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | PLAIN, 0o600))
        if not _is_database_of_ours(database):
            raise NotOurRowError
        cache = diskcache.Cache.__new__(diskcache.Cache)
        try:
            cache.__init__(directory, timeout=_PATIENCE, disk=_PlainDisk, **_SETTINGS)
        except BaseException:
            # Where the disk is full, it has opened the database already.
            with suppress(AttributeError):
                cache.close()
            raise
        return cache

    def _read_all(self) -> tuple[Record, ...]:
        query = (
            "SELECT key, raw, mode, filename, value, access_time FROM Cache"
            " WHERE expire_time IS NULL OR expire_time > ? ORDER BY key"
        )
        disk = _PlainDisk("")
        found: list[Record] = []
        with _connected(self._folder.path("index", _DATABASE)) as database:
            for key, raw, mode, filename, value, used in database.execute(query, (time.time(),)):
                if type(used) is not float:
                    raise NotOurRowError
                plain = disk.fetch(mode, filename, value, read=False)
                found.append(Record(disk.get(key, raw), plain, used))
        return tuple(found)


@contextmanager
def _ignoring_faults() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, StoreError):
        return


def _is_passing(error: Exception) -> bool:
    """Whether the database may be good although it could not be asked."""
    if isinstance(error, StoreError | OSError | diskcache.Timeout):
        return True
    if not isinstance(error, sqlite3.OperationalError):
        return False
    # Without a name the fault is none of SQLite.
    name = getattr(error, "sqlite_errorname", "SQLITE_CANTOPEN")
    return any(name.startswith(f"SQLITE_{each}") for each in _PASSING)


def _is_file_of_ours(path: Path) -> bool:
    """Whether it is a plain file of the database, and not too large."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        # The journal of another run, which is done.
        return True
    return path.name in _FILES and stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_FILE


def _is_database_of_ours(path: Path) -> bool:
    """Whether a database is empty, or has the tables and settings that this module gives it.

    The library sets attributes of itself from whatever settings stand in a database, among them
    the folder that it works in, and runs them as commands of SQLite.
    """
    with _connected(path) as database:
        # The library would wait for a minute where another run holds the database.
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")
        objects = database.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        if not objects:
            return True
        if {(kind, name) for kind, name, _ in objects} - _OBJECTS:
            return False
        for kind, _, text in objects:
            plain = re.sub(r"\s+", " ", text or "")
            if kind == "table" and not plain.startswith("CREATE TABLE "):
                return False
            if kind == "trigger" and _TRIGGER.fullmatch(plain) is None:
                return False
        if ("table", "Settings") not in {(kind, name) for kind, name, _ in objects}:
            return False
        settings = database.execute("SELECT key, value FROM Settings").fetchmany(100)
        return all(
            type(value) is int if key in _COUNTS else (key, value) in _SETTINGS.items()
            for key, value in settings
        )


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
    with closing(connection):
        yield connection
