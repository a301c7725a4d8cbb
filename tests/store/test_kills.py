"""Runs that are killed at any moment, and runs beside each other: the store stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eryphc.store.content import Store, blob_parts
from eryphc.store.folder import open_folder
from store.kills import damage_of, kill, round_of_one, start

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed there"),
]


def test_runs_that_are_killed(tmp_path: Path) -> None:
    wanted: list[str] = []
    for number in range(20):
        wanted += round_of_one(tmp_path / "cache", number)
        assert damage_of(tmp_path / "cache", wanted) == []


def test_the_check_finds_what_is_missing(tmp_path: Path) -> None:
    wanted = round_of_one(tmp_path / "cache", 0)
    store = Store(open_folder(tmp_path / "cache"))
    store.folder.path(*blob_parts(wanted[0])).unlink()
    assert wanted[0] in damage_of(tmp_path / "cache", wanted)


def test_eight_runs_at_once(tmp_path: Path) -> None:
    """Each writes its own, all collect: what a lock file names stays, however old it is."""
    cache = tmp_path / "cache"
    old = round_of_one(cache, 0)
    for path in cache.rglob("*"):
        os.utime(path, (1, 1))
    told = [*old, *told_by([start(cache, f"beside{number}") for number in range(8)], 8)]
    assert len(set(told)) >= 8 * 8 * 2
    assert damage_of(cache, told) == []
    store = Store(open_folder(cache))
    assert len(list(store.roots())) == 9
    # `damage_of` collects once more: of what nobody names nothing is left.
    left = [path for path in store.folder.path("blobs").rglob("*") if path.is_file()]
    assert not [path for path in left if path.read_bytes().startswith(b"nobody names")]


def test_three_runs_that_write_the_same(tmp_path: Path) -> None:
    told = told_by([start(tmp_path / "cache", "same") for _ in range(3)], 9)
    assert damage_of(tmp_path / "cache", told) == []


def told_by(runs: list[subprocess.Popen[str]], count: int) -> list[str]:
    """What the runs tell of, once each has told of some; then they are killed."""
    told: list[str] = []
    for run in runs:
        assert run.stdout is not None
        told += [word for _ in range(count) for word in run.stdout.readline().split()]
    for run in runs:
        told += kill(run)
    return told
