"""`eryphc` in a process of its own, with limits, and what that process needed."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CHILD = """\
import json, os, sys
from eryphc.cli.app import run
code = run()
sys.stdout.flush()
# The high-water mark of this program alone; that of getrusage includes the parent's.
with open("/proc/self/status", encoding="ascii") as status:
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
with open(os.environ["NEEDED"], "w", encoding="ascii") as file:
    json.dump({"memory": memory / 1024}, file)
raise SystemExit(code)
"""


@dataclass(frozen=True)
class Bounded:
    """`memory` in MB."""

    code: int
    out: bytes
    err: bytes
    memory: float


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def bounded_run(
    arguments: Sequence[str],
    folder: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Bounded:
    """Run `eryphc` in `folder`. Fails where it does not come to its own end."""
    needed = folder / ".needed"
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        input=stdin,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "NEEDED": str(needed),
            **(environment or {}),
        },
        preexec_fn=_limits,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert needed.is_file(), f"it did not come to its end: {done.stderr[-2000:]!r}"
    numbers = json.loads(needed.read_text(encoding="ascii"))
    needed.unlink()
    return Bounded(done.returncode, done.stdout, done.stderr, **numbers)
