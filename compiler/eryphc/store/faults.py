"""What ends work on the store: a diagnostic, and whose fault it is."""

from __future__ import annotations

import errno
from pathlib import Path

from eryphc.diagnostics import store as wording
from eryphc.diagnostics.command import file_unreadable, file_unwritable
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import os_reason
from eryphc.errors import Failure
from eryphc.source import shown_path


class StoreError(Exception):
    """Work on the store ends here; `failure` says what is at fault."""

    def __init__(self, diagnostic: Diagnostic, failure: Failure = Failure.OUTSIDE) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.failure = failure


def foreign(path: Path, reason: str) -> StoreError:
    """A folder that is not the user's own; `reason` continues its path."""
    return StoreError(wording.store_foreign(shown_path(path), reason))


def unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(file_unreadable(shown_path(path), os_reason(error)))


def unwritable(path: Path, error: OSError) -> StoreError:
    """What an `OSError` of a write means for the cache at `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(wording.disk_full(shown_path(path)))
    fault = file_unwritable(shown_path(path), os_reason(error))
    return StoreError(fault._replace(help=wording.OWN_FOLDER))
