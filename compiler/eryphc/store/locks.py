"""Locks between runs, as files in a folder of the cache."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

# What stands there is not followed, and not waited for: a pipe would wait for another end.
PLAIN: Final[int] = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
"""Flags for `os.open` that open a plain file alone, and wait for nothing."""


def lock_name(place: Path) -> str:
    """The name of the lock of a file: 32 hex digits."""
    return hashlib.sha256(os.fsencode(os.path.realpath(place))).hexdigest()[:32]


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock `path` against other runs; `waiting` is called if another run has it.

    The lock's file stays in the cache: if it were removed, two runs could hold the lock.
    """
    with _opened(path) as file:
        if not _lock(file, wait=False):
            waiting()
            _lock(file, wait=True)
        try:
            yield
        finally:
            _unlock(file)


def _opened(path: Path) -> IO[bytes]:
    """The lock's file. What else stands there, such as a link or a pipe, makes way for it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | PLAIN, 0o600)
        except OSError:
            if not (path.is_symlink() or path.is_socket()):
                raise
        else:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return os.fdopen(descriptor, "r+b")
            os.close(descriptor)
        path.unlink(missing_ok=True)


if sys.platform == "win32":  # pragma: no cover - Windows has other locks, and CI has no Windows
    import msvcrt
    import time

    def _lock(file: IO[Any], *, wait: bool) -> bool:
        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                time.sleep(0.5)
            else:
                return True

    def _unlock(file: IO[Any]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

    def hold(descriptor: int) -> bool:  # noqa: ARG001
        """Windows removes no file that is open, so an open file needs no mark."""
        return True

else:
    import fcntl

    def _lock(file: IO[Any], *, wait: bool) -> bool:
        return hold(file.fileno(), wait=wait)

    def _unlock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

    def hold(descriptor: int, *, wait: bool = False) -> bool:
        """Mark an open file as in use until it is closed; False if another run has marked it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
