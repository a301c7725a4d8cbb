"""Where images lie: the user's cache, names of files, and locks between runs."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from eryphc.identifiers import GeneId
from eryphc.volumes.checksums import Digest


def cache_folder(given: str | None, environment: Mapping[str, str]) -> Path:
    """The cache: as given, else `ERYPHC_CACHE_DIR`, else where the system keeps caches."""
    named = given or environment.get("ERYPHC_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "eryphc" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "eryphc"
    base = environment.get("XDG_CACHE_HOME", "")
    # The standard says that a relative path there is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "eryphc"


def stored(cache: Path, digest: Digest) -> Path:
    """The place of an image as published, by its digest."""
    return cache / "volumes" / digest.algorithm / digest.hex


def converted(cache: Path, key: str) -> Path:
    """The place of a VHD that was made of an image, by its `conversion_key`."""
    return cache / "volumes" / "converted" / f"{key}.vhd"


def make_private(folder: Path) -> None:
    """Make a folder of the cache that only the user can read."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def image_name(gene: GeneId, format: str) -> str:  # noqa: A002
    """The name of a file for the volume of a gene: letters, digits, dots and dashes."""
    geneset = gene.geneset
    return "-".join((geneset.organization, geneset.geneset, geneset.tag, gene.name)) + f".{format}"


@contextmanager
def locked(cache: Path, place: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `place` against other runs; `waiting` is called if another run has it.

    The lock's file stays in the cache: if it were removed, two runs could hold the lock.
    """
    folder = cache / "locks"
    make_private(folder)
    name = hashlib.sha256(os.fsencode(os.path.realpath(place))).hexdigest()[:32]
    with (folder / name).open("a+b") as file:
        if not _lock(file, wait=False):
            waiting()
            _lock(file, wait=True)
        try:
            yield
        finally:
            _unlock(file)


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

else:
    import fcntl

    def _lock(file: IO[Any], *, wait: bool) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
