"""Target folders: written beside their places and swapped in by renaming, all or none.

Source: docs/reference/command-line.md, "Output folders".
"""

# The hot loop of a fleet: a path object for each call would cost as much as the call.
# ruff: noqa: PTH101, PTH102, PTH106, PTH110, PTH112, PTH114, PTH118, PTH119, PTH120

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from eryphc.artifacts import swap
from eryphc.artifacts.beside import BesideFile, Companions
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


class _Place:
    """One target folder on its way. `shown` is for messages; `real` has no symbolic links."""

    __slots__ = ("aside", "companions", "new", "old", "parents", "real", "shown", "staged")

    def __init__(self, *, shown: str, real: str, new: str, old: str) -> None:
        self.shown = shown
        self.real = real
        self.new = new
        self.old = old
        self.parents: list[str] = []
        self.companions: list[BesideFile] = []
        self.staged = False
        self.aside = False


class TargetFolders:
    """The folders that one command writes: all are looked at before any is touched.

    A context manager: `look_at` and `stage` each folder, then `commit`. Leaving without
    `commit`, for whatever reason, leaves every place as it was. Staged folders lie on disk, so
    memory grows little with their number.

    Making one looks at `places` all together, and raises `OutputRefused` with a diagnostic for
    each folder that is not ours to replace, or `OutputFailed` where the disk cannot be read.
    """

    def __init__(self, places: Iterable[Path] = ()) -> None:
        self._mark = swap.new_mark()
        self._places: dict[str, _Place] = {}
        self._reals: set[str] = set()
        self._real_folders: dict[str, str] = {}
        # Folders that places lie below, known to be some: looked at once for all places.
        self._folders: set[str] = set()
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
        self,
        place: Path,
        files: Mapping[str, ArtifactFile],
        manifest: Manifest,
        companions: Companions | None = None,
    ) -> tuple[WrittenFile, ...]:
        """Write one folder beside its place and read it back; gives its files by path.

        A place that was not looked at is looked at now. `companions` are written beside the
        folder, with the same commit. Raises `OutputRefused` also for a path that no artifact may
        have and for a companion's place that holds somebody else's file, `OutputFailed` for
        anything the disk refuses.
        """
        target = self._places.get(str(place)) or self._taken_in(place)
        with writing(target.shown):
            _make_folder(os.path.dirname(target.real), target.parents)
            target.staged = True
            os.mkdir(target.new, _STAGING_MODE)
            os.chmod(target.new, _STAGING_MODE)
            filled = fill(target.new, files, manifest)
            os.chmod(target.new, _FOLDER_MODE)
            for companion in () if companions is None else companions(*filled):
                beside = BesideFile(target.real, target.shown, self._mark, companion)
                target.companions.append(beside)
                beside.stage()
        return filled.files

    def commit(self) -> None:
        """Swap in all that was staged, or none of it. Raises as `stage` does."""
        self._refuse_nested()
        here = _working_folder()
        staged = [target for target in self._places.values() if target.staged]
        try:
            for target in staged:
                with writing(target.shown):
                    _swap_in(target)
                for companion in target.companions:
                    with writing(companion.shown):
                        companion.swap_in()
        except BaseException:
            for target in reversed(staged):
                for companion in reversed(target.companions):
                    companion.swap_back()
                _swap_back(target)
            raise
        for target in staged:
            target.staged = False
            target.parents.clear()
            for companion in target.companions:
                companion.settle()
            target.companions.clear()
            # What cannot be removed is put right by the next build; the result is in place.
            with contextlib.suppress(OSError):
                if target.aside:
                    swap.remove_ours(Path(target.old))
        if here is not None:
            # Where the working folder itself was swapped, go to the one of that name.
            with contextlib.suppress(OSError):
                os.chdir(here)

    def look_at(self, place: Path) -> None:
        """Take a place in, before it is staged. Raises as making does, for this one folder."""
        self._taken_in(place)

    def _taken_in(self, place: Path) -> _Place:
        with writing(place.as_posix()):
            target = self._looked_at(place)
        if target.real in self._reals:
            raise OutputRefused(report.output_twice(target.shown))
        self._reals.add(target.real)
        self._places[str(place)] = target
        return target

    def _look_at_all(self, places: Iterable[Path]) -> None:
        refused: list[Diagnostic] = []
        failed: list[Diagnostic] = []
        for place in places:
            try:
                self.look_at(place)
            except OutputRefused as error:
                refused.extend(error.diagnostics)
            except OutputFailed as error:
                failed.extend(error.diagnostics)
        try:
            self._refuse_nested()
        except OutputRefused as error:
            refused.extend(error.diagnostics)
        if refused:
            raise OutputRefused(*refused, *failed)
        if failed:
            raise OutputFailed(*failed)

    def _refuse_nested(self) -> None:
        """No place may lie inside another, which would be replaced as a whole."""
        # Of folders that begin alike the outer one comes first in this order.
        outer: list[str] = []
        refused: list[Diagnostic] = []
        by_real = {target.real.rstrip(os.sep) + os.sep: target for target in self._places.values()}
        for real in sorted(by_real):
            while outer and not real.startswith(outer[-1]):
                outer.pop()
            if outer:
                refused.append(report.output_twice(by_real[real].shown))
            outer.append(real)
        if refused:
            raise OutputRefused(*refused)

    def _looked_at(self, place: Path) -> _Place:
        written, shown = str(place), place.as_posix()
        # A fleet's places share their upper folders, and lie in folders that are yet to be made.
        parent, name = os.path.split(written)
        if name and not os.path.lexists(parent or os.curdir):
            upper, middle = os.path.split(parent)
            real = os.path.join(self._real_folder(upper), middle, name) if middle else ""
            if real and middle not in (os.curdir, os.pardir) and name != os.pardir:
                self._refuse_below_file(os.path.dirname(real), shown)
                return self._place(shown, real)
        if os.path.islink(written) and not os.path.exists(written):
            raise OutputRefused(report.output_no_folder(shown, "a symbolic link to nothing"))
        real = os.path.realpath(written)
        if not os.path.basename(real):
            raise OutputRefused(report.output_no_folder(shown, "the root of a file system"))
        self._refuse_below_file(os.path.dirname(real), shown)
        swap.repair(Path(real))
        # A build beside this one may be swapping: the look before the swap is the one that counts.
        with contextlib.suppress(FileNotFoundError):
            if os.path.lexists(real):
                _refuse_strange(Path(real), shown)
        return self._place(shown, real)

    def _refuse_below_file(self, folder: str, shown: str) -> None:
        nearest = _nearest(folder, self._folders)
        if nearest not in self._folders:
            if not os.path.isdir(nearest):
                raise OutputRefused(report.output_no_folder(shown, "a path below a file"))
            self._folders.add(nearest)

    def _place(self, shown: str, real: str) -> _Place:
        new, old = swap.beside(real, self._mark)
        return _Place(shown=shown, real=real, new=new, old=old)

    def _real_folder(self, folder: str) -> str:
        known = self._real_folders.get(folder)
        if known is None:
            known = self._real_folders[folder] = os.path.realpath(folder)
        return known

    def _discard(self) -> None:
        # Backwards: a folder that several share was made for the first of them.
        for target in reversed(self._places.values()):
            for companion in target.companions:
                companion.discard()
            if target.staged:
                with contextlib.suppress(OSError):
                    swap.remove_all(Path(target.new))
            for parent in reversed(target.parents):
                with contextlib.suppress(OSError):
                    os.rmdir(parent)
        swap.end_mark(self._mark)


def _nearest(folder: str, known: Container[str]) -> str:
    """The folder itself, or the first above it that is there; `known` are there."""
    while folder not in known and not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return folder


def _refuse_strange(folder: Path, shown: str) -> None:
    """Raises OSError too, also where a build beside this one moved the folder meanwhile."""
    before = folder.stat()
    if not stat.S_ISDIR(before.st_mode):
        raise OutputRefused(report.output_no_folder(shown, "a file"))
    contents = contents_of(folder)
    if contents.strangers:
        after = folder.stat()
        if (after.st_dev, after.st_ino, after.st_mtime_ns) != (
            before.st_dev,
            before.st_ino,
            before.st_mtime_ns,
        ):
            # What was seen may be the half of a folder that the other build was removing.
            raise FileNotFoundError(errno.ENOENT, "was replaced while it was looked at")
        raise OutputRefused(
            report.output_not_ours(shown, contents.strangers, has_manifest=contents.has_manifest)
        )


def _make_folder(folder: str, made: list[str]) -> None:
    """Make `folder`, and what is missing above it; `made` gets what is ours, uppermost first."""
    if os.path.isdir(folder):
        return
    # Noted first: an interruption right after the making must find it so.
    made.append(folder)
    try:
        os.mkdir(folder)
    except FileExistsError:
        # Another build has just made the same one: then it is not ours to remove.
        made.remove(folder)
    except FileNotFoundError:
        made.remove(folder)
        upper = os.path.dirname(folder)
        # Some file systems take no folders and say so in these words.
        if upper == folder or os.path.isdir(upper):
            raise
        _make_folder(upper, made)
        _make_folder(folder, made)


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
        _refuse_strange(Path(target.real), target.shown)
        swap.remove_ours(Path(target.old))
    # Set first: an interruption right after the renaming must find it so.
    target.aside = True
    swap.rename(target.real, target.old)
    # Only from here on can no file be added between this look and the removal.
    _refuse_strange(Path(target.old), target.shown)


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
