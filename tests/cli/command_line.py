"""The command line as a function, and folders for it to work in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from eryphc.cli.app import run


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """Runs `eryphc` in `folder`: inside this process, or with `spawn` in one of its own."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        self.capsys.readouterr()
        code = run(arguments)
        out, err = self.capsys.readouterr()
        return Done(code, out, err)

    def spawn(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "eryphc", *arguments],
            input=stdin,
            cwd=self.folder,
            env={**child_environment(), **(environment or {})},
            capture_output=True,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return path


def child_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def spawned(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "eryphc", *arguments]
