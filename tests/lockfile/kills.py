"""Runs of `update` that are killed while they work: the lock is the old one or the new one.

`python tests/lockfile/kills.py ROUNDS` kills as many of them; the tests do it a few times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "eryphc")
ZONES = ("UTC", "CET")


def prepare(folder: Path) -> None:
    """A project whose lock pins a set of a pool outside."""
    project = folder / "project"
    project.mkdir()
    (project / "eryphc.yaml").write_text("pools:\n- {name: corp, path: ../pool}\n")
    (project / "web.yaml").write_text("name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    publish(folder, 0)


def publish(folder: Path, number: int) -> None:
    """Change the content of the set."""
    tag = folder / "pool/acme/motd/1.0"
    (tag / "fodder").mkdir(parents=True, exist_ok=True)
    (tag / "geneset-tag.json").write_text('{"geneset": "acme/motd/1.0"}')
    text = f"name: motd\nfodder:\n- name: motd\n  content: 'timezone: {ZONES[number % 2]}'\n"
    (tag / "fodder/motd.yaml").write_text(text)


def command(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "compiler"), "HOME": str(folder)}
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder / "project",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def update(folder: Path) -> subprocess.Popen[str]:
    """`update` of a fixed tag whose content was changed."""
    return command(folder, "update", "web.yaml", "--accept", "changed-tag")


def ended(run: subprocess.Popen[str]) -> None:
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err


def first_locks(folder: Path) -> tuple[tuple[str, str], float]:
    """The locks of both contents, and the seconds that an update takes."""
    lock = folder / "project/eryph.lock"
    ended(command(folder, "lock", "web.yaml"))
    texts = []
    started = time.monotonic()
    for number in (1, 0):
        publish(folder, number)
        ended(update(folder))
        texts.append(lock.read_text())
    return (texts[1], texts[0]), (time.monotonic() - started) / 2


def fault_after_kill(
    folder: Path, number: int, locks: tuple[str, str], seconds: float
) -> str | None:
    """Kill an update to the content `number`; what is wrong then. It stays at that content."""
    lock = folder / "project/eryph.lock"
    publish(folder, number)
    run = update(folder)
    # Most of the time goes into the start; the rest is when files are written.
    wait = random.Random(number).uniform(0.3, 1.2) * seconds  # noqa: S311 - when a test kills
    time.sleep(wait)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    if lock.read_text() not in locks:
        return f"round {number}: the lock is neither the old nor the new one"
    ended(command(folder, "lock", "--check", "web.yaml"))
    ended(update(folder))
    if lock.read_text() != locks[number % 2]:
        return f"round {number}: updating again gives another lock"
    return None


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        locks, seconds = first_locks(folder)
        cut = 0
        for number in range(1, rounds + 1):
            fault = fault_after_kill(folder, number, locks, seconds)
            if fault is not None:
                print(fault)
                return 1
            cut += 1
    print(f"{cut} updates killed: the lock was the old one or the new one each time")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
