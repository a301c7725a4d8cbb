"""Target folders: written beside their places and swapped in by renaming, all or none.

Source: cli.md, "build outputs".
"""

# The hot loop of a fleet: a path object for each call would cost as much as the call.
# ruff: noqa: PTH101, PTH102

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from eryphc.artifacts import swap
from eryphc.artifacts.errors import OutputFailed, OutputRefused, writing
from eryphc.artifacts.file import ArtifactFile, WrittenFile
from eryphc.artifacts.manifest import Manifest
from eryphc.artifacts.owned import contents_of
from eryphc.artifacts.staging import fill
from eryphc.diagnostics import output as report
from eryphc.diagnostics.model import Diagnostic

_FOLDER_MODE = 0o755
_STAGING_MODE = 0o700
_ATTEMPTS = 50
_MEANWHILE = {errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY}


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """One target folder on its way. `shown` is for messages; `real` has no symbolic links."""

    shown: str
    real: Path
    new: Path
    old: Path
    parents: list[Path] = field(default_factory=list)
    staged: bool = False
    aside: bool = False


class TargetFolders:
    """The folders that one command writes: all are looked at before any is touched.

    A context manager: `stage` each folder, then `commit`. Leaving without `commit`, for
    whatever reason, leaves every place as it was. Staged folders lie on disk, so memory does
    not grow with their number.

    Making one raises `OutputRefused` with a diagnostic for each folder that is not ours to
    replace, or `OutputFailed` where the disk cannot be read.
    """

    def __init__(self, places: Iterable[Path]) -> None:
        self._mark = swap.new_mark()
        self._places: dict[Path, _Place] = {}
        try:
            self._look_at_all(places)
        except BaseException:
            swap.end_mark(self._mark)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def stage(
        self, place: Path, files: Mapping[PurePosixPath, ArtifactFile], manifest: Manifest
    ) -> tuple[WrittenFile, ...]:
        """Write one folder beside its place and read it back; gives its files by path.

        `place` is one of those given at the start. Raises `OutputRefused` for a path that no
        artifact may have, `OutputFailed` for anything the disk refuses.
        """
        target = self._places[place]
        with writing(target.shown):
            _make_parents(target)
            target.staged = True
            new = str(target.new)
            os.mkdir(new, _STAGING_MODE)
            os.chmod(new, _STAGING_MODE)
            written = fill(new, files, manifest)
            os.chmod(new, _FOLDER_MODE)
        return written

    def commit(self) -> None:
        """Swap in all that was staged, or none of it. Raises as `stage` does."""
        here = _working_folder()
        staged = [target for target in self._places.values() if target.staged]
        try:
            for target in staged:
                with writing(target.shown):
                    _swap_in(target)
        except BaseException:
            for target in reversed(staged):
                _swap_back(target)
            raise
        for target in staged:
            target.staged = False
            target.parents.clear()
            # What cannot be removed is put right by the next build; the result is in place.
            with contextlib.suppress(OSError):
                if target.aside:
                    swap.remove_ours(target.old)
        if here is not None:
            # Where the working folder itself was swapped, go to the one of that name.
            with contextlib.suppress(OSError):
                os.chdir(here)

    def _look_at_all(self, places: Iterable[Path]) -> None:
        refused: list[Diagnostic] = []
        failed: list[Diagnostic] = []
        reals: set[Path] = set()
        for place in places:
            try:
                with writing(place.as_posix()):
                    target = _look_at(place, self._mark)
                if target.real in reals:
                    raise OutputRefused(report.output_twice(target.shown))
            except OutputRefused as error:
                refused.extend(error.diagnostics)
            except OutputFailed as error:
                failed.extend(error.diagnostics)
            else:
                reals.add(target.real)
                self._places[place] = target
        refused.extend(
            report.output_twice(target.shown)
            for target in self._places.values()
            if not reals.isdisjoint(target.real.parents)
        )
        if refused:
            raise OutputRefused(*refused, *failed)
        if failed:
            raise OutputFailed(*failed)

    def _discard(self) -> None:
        for target in self._places.values():
            if target.staged:
                with contextlib.suppress(OSError):
                    swap.remove_all(target.new)
            for parent in reversed(target.parents):
                with contextlib.suppress(OSError):
                    parent.rmdir()
        swap.end_mark(self._mark)


def _look_at(place: Path, mark: str) -> _Place:
    shown = place.as_posix()
    if place.is_symlink() and not place.exists():
        raise OutputRefused(report.output_no_folder(shown, "a symbolic link to nothing"))
    real = Path(os.path.realpath(place))
    if not real.name:
        raise OutputRefused(report.output_no_folder(shown, "the root of a file system"))
    if not _nearest(real.parent).is_dir():
        raise OutputRefused(report.output_no_folder(shown, "a path below a file"))
    new, old = swap.beside(real, mark)
    swap.repair(real)
    # A build beside this one may be swapping: the look before the swap is the one that counts.
    with contextlib.suppress(FileNotFoundError):
        if os.path.lexists(real):
            _refuse_strange(real, shown)
    return _Place(shown=shown, real=real, new=new, old=old)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first above it that is there."""
    while not os.path.lexists(folder):
        folder = folder.parent
    return folder


def _refuse_strange(folder: Path, shown: str) -> None:
    if not folder.is_dir():
        raise OutputRefused(report.output_no_folder(shown, "a file"))
    contents = contents_of(folder)
    if contents.strangers:
        raise OutputRefused(
            report.output_not_ours(shown, contents.strangers, has_manifest=contents.has_manifest)
        )


def _make_parents(target: _Place) -> None:
    missing: list[Path] = []
    parent = target.real.parent
    while not parent.is_dir():
        missing.append(parent)
        parent = parent.parent
    for parent in reversed(missing):
        # Another build may be making the same one: then it is not ours to remove.
        with contextlib.suppress(FileExistsError):
            parent.mkdir()
            target.parents.append(parent)


def _swap_in(target: _Place) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            _move_aside(target)
            swap.rename(target.new, target.real)
        except OSError as error:
            # Another build of the same place may have come between two steps: look again.
            if error.errno not in _MEANWHILE or attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _move_aside(target: _Place) -> None:
    if not os.path.lexists(target.real):
        return
    if target.aside and os.path.lexists(target.old):
        # A second folder came into the place: that of a build beside this one, also whole.
        _refuse_strange(target.real, target.shown)
        swap.remove_ours(target.old)
    # Set first: an interruption right after the renaming must find it so.
    target.aside = True
    swap.rename(target.real, target.old)
    # Only now can nobody add a file between this look and the removal.
    _refuse_strange(target.old, target.shown)


def _swap_back(target: _Place) -> None:
    """Undo `_swap_in`, however far it came. Nothing is lost: what fails stays beside."""
    with contextlib.suppress(OSError):
        if not os.path.lexists(target.new):
            swap.rename(target.real, target.new)
    with contextlib.suppress(OSError):
        if target.aside and os.path.lexists(target.old) and not os.path.lexists(target.real):
            swap.rename(target.old, target.real)
    target.aside = False


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None
