"""Builds that keep and take outputs, and are killed while they do it.

`python tests/store/output_kills.py --rounds N` kills as many; the tests do it a few times.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PATHS = [str(ROOT / "compiler"), str(ROOT / "tests")]
SPECS = 12
MOST = 0.9

if TYPE_CHECKING:
    from caching.wheel import Wheel


class Work(NamedTuple):
    """A project of some specifications, and what a build without a cache makes of them."""

    folder: Path
    wheel: Wheel
    specs: tuple[str, ...]
    right: dict[str, tuple[int, bytes]]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def words(self, number: int = 0) -> tuple[str, ...]:
        """Half of the rounds ask for outputs that are kept already, half for new ones."""
        epoch = 400_000_000 + number // 2
        cached = ("--cache", "--cache-to", "handed-on", "--cache-from", "handed-on")
        return ("build", *self.specs, "--target", "cloud-init", "--epoch", str(epoch), *cached)


def prepared(folder: Path, wheel: Wheel) -> Work:
    from caching.projects import SPEC, tree, write_project

    write_project(folder)
    specs = tuple(f"web{number}.yaml" for number in range(SPECS))
    for spec in specs:
        (folder / spec).write_text(SPEC.replace("web", spec.removesuffix(".yaml")))
    plain = ("build", *specs, "--target", "cloud-init", "--epoch", "400000000")
    wheel.run(folder, *plain, home=folder / "other home")
    return Work(folder, wheel, specs, tree(folder / "build"))


def round_of_one(work: Work, number: int) -> None:
    """Kill a build at any moment of it; every second one finds its outputs in the cache."""
    chance = random.Random(number)  # noqa: S311 - it decides when a test kills
    shutil.rmtree(work.folder / "build", ignore_errors=True)
    run = subprocess.Popen(
        work.wheel.command(*work.words(number)),
        cwd=work.folder,
        env=work.wheel.environment(work.home, {"ERYPHC_CACHE_KEY": "ab" * 32}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    time.sleep(chance.uniform(0.1, MOST))
    run.send_signal(signal.SIGKILL)
    _, err = run.communicate(timeout=60)
    assert b"Traceback" not in err, err


def check(work: Work) -> list[str]:
    """What is wrong after a kill: damage, rests, or a wrong byte in the next build."""
    from caching.projects import tree

    key = {"ERYPHC_CACHE_KEY": "ab" * 32}
    verified = work.wheel.run(
        work.folder, "cache", "verify", home=work.home, environment=key, check=False
    )
    found = [] if verified.code == 0 else [verified.err]
    built = work.wheel.run(work.folder, *work.words(), home=work.home, environment=key, check=False)
    if built.code or "W1203" in built.err or "N1204" in built.err:
        found.append(built.err)
    if tree(work.folder / "build") != work.right:
        found.append("other bytes")
    work.wheel.run(work.folder, "cache", "prune", home=work.home, environment=key)
    rests = work.home / "cache/eryphc/tmp"
    found += [path.name for path in rests.iterdir()] if rests.exists() else []
    found += [path.name for path in work.folder.iterdir() if path.name.startswith(".handed-on")]
    outputs = work.folder / "handed-on/outputs"
    if outputs.exists() and len(list(outputs.iterdir())) != SPECS:
        found.append("a folder that is not whole")
    return found


def main(rounds: int) -> int:
    from caching.wheel import unpacked_wheel

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wheel").mkdir()
        (folder / "work").mkdir()
        work = prepared(folder / "work", unpacked_wheel(folder / "wheel"))
        for number in range(rounds):
            round_of_one(work, number)
            found = check(work)
            if found:
                print(f"round {number}: {found}")
                return 1
    print(f"{rounds} builds killed: nothing damaged, no wrong byte")
    return 0


if __name__ == "__main__":
    sys.path[:0] = PATHS
    os.umask(0o022)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    sys.exit(main(parser.parse_args().rounds))
