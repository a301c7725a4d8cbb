"""Pushes and pulls that are killed leave tags complete or as they were, and stores sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from genepool.oci.real import registry
from sharing.kills import Work, rounds_in

pytestmark = pytest.mark.integration


def test_killed_runs_leave_nothing_half(tmp_path: Path) -> None:
    for name in ("registry", "work"):
        (tmp_path / name).mkdir()
    with registry(tmp_path / "registry") as host:
        work = Work(tmp_path / "work", host)
        assert rounds_in(work, 20) == []
    # Kills came before and after the moment when the tags appear.
    assert work.seen["nothing yet"]
    assert work.seen["all tags"]
