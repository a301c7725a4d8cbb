"""A lock file on the client: two local runs on one machine stop early.

Source: docs/reference/hyperv.md, "Locks".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eryph_runtime.faults import RefusalError

_READERS = frozenset(("plan", "status", "ip"))


@contextlib.contextmanager
def client_lock(catlet: str, host: str, command: str) -> Iterator[None]:
    """Hold the lock of this catlet on this host while the body runs; readers need none.

    The operating system drops the lock with the process, so that no stale one can stay.
    Raises RefusalError where another run holds it.
    """
    if command in _READERS:
        yield
        return
    path = _path(catlet, host)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if not _take(descriptor):
            raise RefusalError(
                "another run of eryph-runtime works on this machine; wait until it ends"
            )
        yield
    finally:
        os.close(descriptor)


def _path(catlet: str, host: str) -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("LOCALAPPDATA")
    if base and Path(base).is_dir():
        folder = Path(base) / "eryph-runtime"
    else:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        folder = Path(tempfile.gettempdir()) / f"eryph-runtime-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(f"{catlet}\n{host}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return folder / f"{name}.lock"


def _take(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
