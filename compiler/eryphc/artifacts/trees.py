"""Folders and files that are put in their place whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from eryphc.artifacts import swap

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


def write_tree(
    place: Path, files: Mapping[str, bytes | Path], ours: Callable[[Path], bool]
) -> bool:
    """Make `place` a folder with exactly these files, by paths with `/`: bytes, or copies.

    A folder that is there already is replaced if it is empty or `ours`. Gives whether it was
    written: False, and nothing is touched, where something else is in the way. What a run that was
    killed has left beside is put right. Raises OSError.
    """
    swap.repair_tree(place, ours)
    if os.path.lexists(place) and not _may_go(place, ours):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    mark = swap.new_mark()
    try:
        new, old = map(Path, swap.beside(str(place.absolute()), mark))
        try:
            _fill(new, files)
            _swap(new, place, old)
        finally:
            with suppress(FileNotFoundError):
                swap.remove_all(new)
            with suppress(FileNotFoundError):
                swap.remove_tree(old)
    finally:
        swap.end_mark(mark)
    return True


def _may_go(place: Path, ours: Callable[[Path], bool]) -> bool:
    if place.is_symlink() or not place.is_dir():
        return False
    return not any(place.iterdir()) or ours(place)


def _fill(folder: Path, files: Mapping[str, bytes | Path]) -> None:
    folder.mkdir(mode=_FOLDER_MODE)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if isinstance(data, Path):
            shutil.copyfile(data, path)
        else:
            path.write_bytes(data)
        path.chmod(_FILE_MODE)


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put `new` in its place; what stood there comes back if that fails."""
    there = os.path.lexists(place)
    if there:
        swap.rename(str(place), str(old))
    try:
        swap.rename(str(new), str(place))
    except BaseException:
        if there:
            swap.rename(str(old), str(place))
        raise


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file, replacing one that is there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
        part.chmod(_FILE_MODE)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


__all__ = ("write_tree", "write_whole")
