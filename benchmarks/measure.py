"""Commands go in, the CPU time and peak memory of each run come out."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeAlias

BASE = "P: python -c pass"
"""The command that all others are divided by."""
DRIFT = 0.15
"""By how much it may differ between the first rounds and the last."""


class CommandFailedError(Exception):
    """A measured command did not succeed; the text has the end of what it said."""


@dataclass(slots=True, kw_only=True)
class Case:
    """One command. Before each run what is in `remove` is moved to `aside`, a folder.

    It is not deleted: for seconds afterwards a file system (ext4) goes through the places of
    deleted files each time it makes one, and each command would pay for the one before.
    `every`: it runs in each so many-th round only (for commands that take seconds).
    """

    name: str
    command: list[str]
    folder: Path
    environment: dict[str, str]
    aside: Path
    remove: tuple[Path, ...] = ()
    every: int = 1
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Median CPU time, user and system."""
        return median(self.cpu)

    @property
    def peak(self) -> float:
        """Largest resident size of all runs, in MB of a million bytes."""
        return max(self.memory) * 1024 / 1e6


def run(case: Case, *, record: bool) -> None:
    """Run the command once, to its end. Raises `CommandFailedError`."""
    for path in case.remove:
        if path.exists():
            path.rename(case.aside / f"{len(os.listdir(case.aside))}")  # noqa: PTH208
    said = case.folder / ".said"
    pid = os.fork()
    if pid == 0:
        _become(case, said)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        tail = said.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise CommandFailedError(f"{case.name}: exit code {code}\n{tail}")
    if record:
        case.cpu.append(usage.ru_utime + usage.ru_stime)
        case.memory.append(usage.ru_maxrss)


def in_rounds(
    cases: Mapping[str, Case],
    base: Case,
    rounds: int,
    shuffle: random.Random,
    told: Callable[[int], None] = lambda _: None,
) -> float:
    """Run all cases round by round, each round in another order; gives the drift of `base`.

    `base`, which everything is divided by, is among the cases and runs thrice. `told` hears the
    number of each round.
    """
    for case in cases.values():
        run(case, record=False)
    for number in range(rounds):
        due = [base, base, *(case for case in cases.values() if number % case.every == 0)]
        shuffle.shuffle(due)
        for case in due:
            run(case, record=True)
        told(number + 1)
    third = max(1, len(base.cpu) // 3)
    first, last = median(base.cpu[:third]), median(base.cpu[-third:])
    return abs(first - last) / min(first, last)


Rounds: TypeAlias = Callable[[Mapping[str, Case]], float]
"""Runs the cases, `BASE` among them, as often as the user asked for; gives the drift."""


def benchmark(about: str | None, measured: Callable[[Path, Rounds], list[str]]) -> int:
    """A benchmark as a command; gives its exit code.

    `measured` gets an empty folder, runs its cases once, prints what they cost and gives the goals
    that are missed. 1 where there are such with --gate, 2 where a command fails, 3 for a run that
    another program disturbed.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=11, help="rounds that count (default 11)")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffling")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a goal is missed")
    options = parser.parse_args()
    drift = 0.0

    def rounds(cases: Mapping[str, Case]) -> float:
        nonlocal drift
        shuffle = random.Random(options.seed)  # noqa: S311
        drift = in_rounds(cases, cases[BASE], options.rounds, shuffle)
        return drift

    with tempfile.TemporaryDirectory(prefix="eryphc-bench-") as temporary:
        try:
            missed = measured(Path(temporary).resolve(), rounds)
        except CommandFailedError as error:
            print(error, file=sys.stderr)
            return 2
    if drift > DRIFT:
        print("\nrejected: another program took the processor. Run it again on a quieter machine.")
        return 3
    return 1 if options.gate and missed else 0


def _become(case: Case, said: Path) -> None:
    """In the child: nothing here may return."""
    try:
        os.chdir(case.folder)
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.execve(case.command[0], case.command, case.environment)  # noqa: S606
    finally:
        sys.stderr.flush()
        os._exit(127)
