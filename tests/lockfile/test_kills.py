"""Updates that are killed at any moment: the lock is whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from eryphc.lockfile.writing import write_lock
from lockfile.kills import fault_after_kill, first_locks, prepare

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed there"),
]


def test_updates_that_are_killed(tmp_path: Path) -> None:
    prepare(tmp_path)
    locks, seconds = first_locks(tmp_path)
    assert locks[0] != locks[1]
    for number in range(1, 21):
        assert fault_after_kill(tmp_path, number, locks, seconds) is None


def test_rests_of_killed_runs_go(tmp_path: Path) -> None:
    old, young = tmp_path / ".eryph.lock.old00000", tmp_path / ".eryph.lock.young000"
    other = tmp_path / ".eryph.lockfile"
    for path in (old, young, other):
        path.write_text("half a lo")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    write_lock(tmp_path / "eryph.lock", "{}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".eryph.lock.young000",
        ".eryph.lockfile",
        "eryph.lock",
    ]
