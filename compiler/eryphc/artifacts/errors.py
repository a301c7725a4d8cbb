"""Why an output was not written: refused, or failed. The edge where `OSError` ends."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.output import output_failed
from eryphc.diagnostics.words import os_reason

_HELP = {
    errno.ENOSPC: "free some space on that disk, or choose another with `--output`",
    errno.EBUSY: "a mounted folder cannot be swapped; name a folder below it with `--output`",
    errno.EXDEV: "a mounted folder cannot be swapped; name a folder below it with `--output`",
    errno.EACCES: "choose a folder that you may write with `--output`",
    errno.EPERM: "choose a folder that you may write with `--output`",
    errno.EROFS: "choose a folder that you may write with `--output`",
}


class OutputRefused(Exception):  # noqa: N818 - it says what happened
    """A folder or a name may not be written (wrong usage). Nothing was touched."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = diagnostics


class OutputFailed(Exception):  # noqa: N818 - it says what happened
    """Something outside the input failed: the disk, permissions. Nothing is left behind."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = diagnostics


@contextmanager
def writing(place: str) -> Iterator[None]:
    """Turn an `OSError` into an `OutputFailed` that names `place`."""
    try:
        yield
    except OSError as error:
        reason = os_reason(error)
        help_ = _HELP.get(error.errno) if error.errno is not None else None
        raise OutputFailed(output_failed(place, reason, help_)) from error
