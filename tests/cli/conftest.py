"""What tests of the command line share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.command_line import CommandLine


@pytest.fixture
def eryphc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line in an empty working folder, with nothing of ours in the environment."""
    for name in list(os.environ):
        if name.startswith("ERYPHC_") or name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, capsys)
