"""Snapshots as files that a reviewer reads: `golden/` mirrors `tests/`."""

from __future__ import annotations

from pathlib import Path

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

TESTS = Path(__file__).resolve().parent
GOLDEN = TESTS.parent / "golden"


class Golden(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        module = Path(test_location.filepath).relative_to(TESTS).with_suffix("")
        return str(GOLDEN / module)
