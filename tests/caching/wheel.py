"""The wheel of this checkout, unpacked as an installer does it, and runs of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Wheel(NamedTuple):
    """An unpacked wheel. Each run is a process of its own, with nothing of the user's around."""

    site: Path

    def run(
        self,
        folder: Path,
        *words: str,
        home: Path | None = None,
        environment: Mapping[str, str] | None = None,
        program: str = "",
        check: bool = True,
    ) -> Ran:
        """Run `eryphc` in `folder`, after `program`, with caches and keys below `home`."""
        done = subprocess.run(
            self.command(*words, program=program),
            cwd=folder,
            env=self.environment(home or folder / ".home", environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        if check:
            assert ran.code == 0, ran
        return ran

    def command(self, *words: str, program: str = "") -> list[str]:
        code = f"import sys\n{program}\nfrom eryphc.cli.app import run\nsys.exit(run())"
        return [sys.executable, "-c", code, *words]

    def environment(self, home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "configuration"),
            "PYTHONPATH": str(self.site),
            **(more or {}),
        }


def unpacked_wheel(folder: Path) -> Wheel:
    """Build the wheel of the files as they are now, and unpack it."""
    builder = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", builder, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"hatchling builds no wheel: {done.stderr.strip().splitlines()[-1]}")
    with ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return Wheel(folder / "site")
