"""Moves folders into their places and out of them, and repairs what a killed build left.

For a place `out/web` the new folder is `out/.web.eryphc-new.<mark>` until it is swapped in;
what stood there before is `out/.web.eryphc-old.<mark>` until all swaps are done. A mark tells
whether the process that made it still runs.
"""

# A path object for each call would cost a fleet as much as the call.
# ruff: noqa: PTH104, PTH118

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from eryphc.artifacts.owned import FolderContents, contents_of

_NEW, _OLD = "eryphc-new", "eryphc-old"
_STALE_AFTER = 24 * 3600
"""Seconds after which a folder counts as abandoned although its process number is in use."""

_LONGEST = 100
_numbers = itertools.count(1)
_live: set[str] = set()


def new_mark() -> str:
    """A mark of this process that no other folder has; `end_mark` gives it up."""
    mark = f"{os.getpid()}-{next(_numbers)}"
    _live.add(mark)
    return mark


def end_mark(mark: str) -> None:
    _live.discard(mark)


def beside(place: str, mark: str) -> tuple[str, str]:
    """Where the new folder of `place` is made, and where the old one waits."""
    folder, name = os.path.split(place)
    stem = os.path.join(folder, _stem(name))
    return f"{stem}.{_NEW}.{mark}", f"{stem}.{_OLD}.{mark}"


def repair(place: Path) -> None:
    """Put right what a killed build of `place` left: bring back its folder, remove the rest.

    Raises `OSError`.
    """
    # Two builds may be repairing at once: what the other has put right is simply gone.
    for old in _abandoned(place, _OLD):
        with contextlib.suppress(FileNotFoundError):
            if not os.path.lexists(place):
                old.rename(place)
            else:
                remove_ours(old)
    for new in _abandoned(place, _NEW):
        with contextlib.suppress(FileNotFoundError):
            remove_all(new)


def repair_tree(place: Path, ours: Callable[[Path], bool]) -> None:
    """The same for a folder without a manifest; `ours` tells which may be removed.

    Raises `OSError`.
    """
    for new in _abandoned(place, _NEW):
        with contextlib.suppress(FileNotFoundError):
            remove_all(new)
    for old in _abandoned(place, _OLD):
        with contextlib.suppress(FileNotFoundError):
            if not os.path.lexists(place):
                old.rename(place)
            elif ours(old):
                remove_tree(old)


def remove_tree(old: Path) -> None:
    """Remove a folder without a manifest that waited beside its place. Raises `OSError`.

    A run that is killed meanwhile leaves half of it, which nobody can tell for ours any more. So
    it first gets the name of a new folder, which is removed whatever is in it.
    """
    stem, _, mark = old.name.rpartition(f".{_OLD}.")
    gone = old.with_name(f"{stem}.{_NEW}.{mark}")
    old.rename(gone)
    remove_all(gone)


def repair_file(place: Path) -> None:
    """The same for a file beside a folder. Raises `OSError`."""
    for old in _abandoned(place, _OLD, folders=False):
        with contextlib.suppress(FileNotFoundError):
            if not os.path.lexists(place):
                old.rename(place)
            else:
                old.unlink()
    for new in _abandoned(place, _NEW, folders=False):
        new.unlink(missing_ok=True)


def remove_ours(folder: Path) -> None:
    """Remove a folder that a build wrote; one that holds anything else stays as it is."""
    contents = contents_of(folder)
    if contents.strangers:
        return
    try:
        _remove(folder, contents)
    except PermissionError:
        # Somebody made the folders read-only, and the ISO in there may hold secrets.
        for name in ("", *reversed(contents.folders)):
            (folder / name).chmod(0o700)
        _remove(folder, contents)


def _remove(folder: Path, contents: FolderContents) -> None:
    for name in contents.files:
        (folder / name).unlink(missing_ok=True)
    for name in contents.folders:
        (folder / name).rmdir()
    folder.rmdir()


def remove_all(folder: Path) -> None:
    """Remove a folder that was being written, never through a symbolic link."""
    folder.chmod(0o700)
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                remove_all(Path(entry.path))
            else:
                Path(entry.path).unlink()
    folder.rmdir()


def rename(old: str, new: str) -> None:
    """Rename a folder. Raises `OSError`, also where `new` is a folder that is not empty."""
    for attempt in range(10):
        try:
            os.rename(old, new)
        except PermissionError:
            # On Windows a virus scanner or an indexer may hold a fresh file for a moment.
            if os.name != "nt" or attempt == 9:
                raise
            time.sleep(0.05 * (attempt + 1))
        else:
            return


def _stem(name: str) -> str:
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}"


def _abandoned(place: Path, kind: str, *, folders: bool = True) -> Iterator[Path]:
    prefix = f"{_stem(place.name)}.{kind}."
    try:
        with os.scandir(place.parent) as entries:
            found = sorted(
                entry.name
                for entry in entries
                if entry.name.startswith(prefix)
                and (
                    entry.is_dir(follow_symlinks=False)
                    if folders
                    else entry.is_file(follow_symlinks=False)
                )
            )
    except FileNotFoundError:
        return
    for name in found:
        if not _is_live(place.with_name(name), name.removeprefix(prefix)):
            yield place.with_name(name)


def _is_live(folder: Path, mark: str) -> bool:
    process = mark.split("-")[0]
    if not (process.isascii() and process.isdigit() and 0 < len(process) < 11):
        return True
    if int(process) == os.getpid():
        return mark in _live
    with contextlib.suppress(FileNotFoundError):
        if time.time() - folder.stat().st_mtime > _STALE_AFTER:
            return False
    if os.name == "nt":
        # Signal 0 is Ctrl-C there: it would end the process instead of testing it.
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
