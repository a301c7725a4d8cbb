"""A file beside a target folder that tells of it, swapped in and out like the folder."""

# Places are texts here as in `folder`.
# ruff: noqa: PTH108

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from eryphc.artifacts import swap
from eryphc.artifacts.errors import OutputRefused
from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.staging import read_bytes, write_bytes
from eryphc.diagnostics import output as report
from eryphc.frozen import NamedTuple

_MODE = 0o644
_LARGEST = 64 * 1024 * 1024


class Companion(NamedTuple):
    """A file named like the folder with `suffix` added. `ours` tells whether bytes that stand there
    are those of an earlier companion, which may be replaced."""

    suffix: str
    content: bytes
    ours: Callable[[bytes], bool]


Companions: TypeAlias = Callable[[tuple[WrittenFile, ...], WrittenFile], tuple[Companion, ...]]
"""Makes what lies beside a folder, from its files as written and its manifest."""


class BesideFile:
    """One companion on its way into its place."""

    def __init__(self, folder: str, shown: str, mark: str, companion: Companion) -> None:
        """`folder` is the real path of the target folder, `shown` what messages call it."""
        self.shown = shown + companion.suffix
        self._real = folder + companion.suffix
        self._new, self._old = swap.beside(self._real, mark)
        self._companion = companion
        self._aside = False

    def stage(self) -> None:
        """Write the file beside its place.

        Raises OutputRefused where that holds a file that no build wrote, and OSError.
        """
        swap.repair_file(Path(self._real))
        self._refuse_strange(self._real)
        write_bytes(self._new, self._companion.content, _MODE)

    def swap_in(self) -> None:
        """Raises OSError, and OutputRefused for what came into the place meanwhile."""
        if os.path.lexists(self._real):
            # Set first: an interruption right after the renaming must find it so.
            self._aside = True
            swap.rename(self._real, self._old)
            self._refuse_strange(self._old)
        swap.rename(self._new, self._real)

    def swap_back(self) -> None:
        """Undo `swap_in`, however far it came."""
        with contextlib.suppress(OSError):
            if not os.path.lexists(self._new):
                swap.rename(self._real, self._new)
        with contextlib.suppress(OSError):
            if self._aside and os.path.lexists(self._old) and not os.path.lexists(self._real):
                swap.rename(self._old, self._real)
        self._aside = False

    def settle(self) -> None:
        """The new file stays: remove the old one."""
        with contextlib.suppress(OSError):
            if self._aside:
                os.unlink(self._old)

    def discard(self) -> None:
        """Remove what was not swapped in."""
        with contextlib.suppress(OSError):
            os.unlink(self._new)

    def _refuse_strange(self, path: str) -> None:
        if not os.path.lexists(path):
            return
        status = os.lstat(path)
        plain = stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST
        if not plain or not self._companion.ours(read_bytes(path)):
            raise OutputRefused(report.companion_not_ours(self.shown))
