"""Kills and failures at every point of both programs: the next run ends where it should.

`sweep.py --all` goes to every point; `--part N` to the N-th tenth of them, as the tests do. A point
is a moment before or after a call that changes something, or before or after a change of a file
(workbench.py). In a failing run the change of one number fails once: a call, or a file, as on a
full disk.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from places import CMDLETS, POWERSHELL
from powershell.conftest import EXAMPLE, ISO_FILES, MODULES, example
from powershell.hosts import HOSTS, Hosts
from powershell.strangers import add_stranger
from powershell.workbench import (
    PROGRAMS,
    Ran,
    Workbench,
    new_catlet,
    plain,
    stamps,
    state_of,
    write_state,
)

TENTHS = 10


@dataclass(frozen=True)
class Scenario:
    """One operation on a prepared host, and what any run after it must end in."""

    name: str
    operation: str
    first: str | None
    then: tuple[str, ...]
    running: bool = False
    change: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)


SCENARIOS = (
    Scenario("create", "apply", None, ("apply", "remove"), parameters={"folder": "C:\\new\\deep"}),
    Scenario("seal", "seal", "apply", ("seal", "apply"), running=True),
    Scenario("restart", "restart", "apply", ("restart", "remove"), running=True, change="machine"),
    Scenario("reseed", "apply", "apply", ("apply", "seal", "remove"), running=True, change="seed"),
    Scenario("remove", "remove", "apply", ("remove", "apply"), running=True),
)


class Sweep:
    """The workbench, the document, and the host that every scenario begins with."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.document = example()
        self.catlet = new_catlet()
        self.document["catlet"]["id"] = self.catlet
        # A child of its parent, a blank disk, a DVD drive, and a set that is converted from a copy.
        shared = {"value": "C:\\ClusterStorage\\one", "parameter": None}
        self.document["drives"].append(
            self.document["drives"][0]
            | {"name": "set", "type": "vhd_set", "file": "set.vhds", "create": "copy"}
            | {"location": 6, "folder": shared}
        )
        self.bench.model.disk("C:\\store\\base.vhdx", gib=10)
        add_stranger(bench.model.folder)
        self.fresh = bench.copy(bench.model.folder, "fresh")
        self.strangers = {
            name: stamp for name, stamp in stamps(self.fresh).items() if name.startswith("vms/")
        }
        self.points = self.faults = self.runs = 0
        self.thorough = False
        self._asked = 0

    def _again(self) -> bool:
        """Whether a second run follows: after each, or where only a part is done after a third."""
        self._asked += 1
        return self.thorough or self._asked % 3 == 0

    def changed(self, change: str | None) -> dict[str, Any]:
        """The document with a change: `machine` needs a restart, `seed` is another ISO."""
        document = copy.deepcopy(self.document)
        iso = (EXAMPLE.parent / ISO_FILES[0]).read_bytes()
        if change == "machine":
            document["machine"]["processor"]["count"] = 4
            document["drives"].append(
                document["drives"][1] | {"name": "keys", "file": "keys.vhdx", "location": 5}
            )
        if change == "seed":
            iso = iso[:-1] + bytes([iso[-1] ^ 1])
            document["seed"]["sha256"] = hashlib.sha256(iso).hexdigest()
        (self.bench.build / ISO_FILES[0]).write_bytes(iso)
        return document

    def run(self, case: Path, program: str, operation: str, **options: Any) -> Ran:
        self.bench.use(case)
        self.runs += 1
        return self.bench.run(program, operation, **options)

    def scenario(
        self, scenario: Scenario, program: str, *, part: int | None, ways: str = "both"
    ) -> Iterator[str]:
        """Go to the points of one scenario; gives what is wrong."""
        bench = self.bench
        base = bench.copy(self.fresh, "base")
        bench.write(self.changed(None))
        given = {"parameters": scenario.parameters}
        if scenario.first is not None:
            ran = self.run(base, program, scenario.first, **given)
            assert ran.code == 0, ran
            if scenario.running:
                state = state_of(base)
                for row in state["vms"]:
                    row["State"] = "Running" if row["Name"] == "web" else row["State"]
                write_state(base, state)
        bench.write(self.changed(scenario.change))
        straight = bench.copy(base, "straight")
        points = bench.folder / "points"
        ran = self.run(straight, program, scenario.operation, points=points, **given)
        assert ran.code == 0, ran
        where = f"{program}: {scenario.name}"
        yield from self._ends(straight, straight, program, scenario, scenario.operation, where)
        wanted = {scenario.operation: straight}
        for operation in scenario.then:
            if operation not in wanted:
                goal = bench.copy(straight, f"goal-{operation}")
                assert self.run(goal, program, operation, **given).code == 0
                wanted[operation] = goal
        cut: list[tuple[int, Path, str]] = []
        if ways in ("both", "kills"):
            for number, case in enumerate(_distinct(sorted(points.iterdir()), self.catlet)):
                if part is None or number % TENTHS == part:
                    cut.append((number, case, f"{where}, killed at {case.name}"))
            self.points += len(cut)
        if ways in ("both", "failures"):
            for number, case, what in self._failures(scenario, program, base, part):
                cut.append((number, case, f"{where}, change {number} ({what}) fails"))
        # All of one program and then all of the other: each change between them starts an engine.
        for by in sorted(PROGRAMS, key=lambda each: each != program):
            for number, case, what in cut:
                for then in _next_runs(scenario, number, part, same=by == program):
                    after = bench.copy(case, "after")
                    goal = self._goal(after, wanted, base, scenario, then)
                    told = f"{what}, then {then} by {by}"
                    yield from self._goes_on(after, goal, by, scenario, then, told)
        # Copies of read-only files are read-only.
        subprocess.run(["rm", "-rf", str(points)], check=True)

    def _failures(
        self, scenario: Scenario, program: str, base: Path, part: int | None
    ) -> Iterator[tuple[int, Path, str]]:
        """The hosts that a run leaves in which one change failed, and which it was."""
        for number in range(1, 1000):
            if part is not None and number % TENTHS != part:
                if number > 200:
                    return
                continue
            case = self.bench.copy(base, f"points/failing-{number}")
            ran = self.run(
                case, program, scenario.operation, fail=number, parameters=scenario.parameters
            )
            what = self.bench.failed
            if not what:
                return
            assert ran.code != 1, f"{what}: it is a refusal: {ran.out}"
            self.faults += 1
            yield number, case, what

    def _goal(
        self, case: Path, wanted: dict[str, Path], base: Path, scenario: Scenario, then: str
    ) -> Path:
        """What the next run should end in; a seal that had not begun leaves nothing to be ended."""
        if (scenario.operation, then) != ("seal", "apply"):
            return wanted[then]
        record = case / f"drive/vms/eryphc-{self.catlet}/eryphc.json"
        begun = json.loads(record.read_text(encoding="ascii"))["sealed"] is not None
        return wanted[then] if begun else base

    def _goes_on(
        self, case: Path, goal: Path, program: str, scenario: Scenario, then: str, told: str
    ) -> Iterator[str]:
        ran = self.run(case, program, then, parameters=scenario.parameters)
        if ran.code != 0:
            yield f"{told}: exit code {ran.code}: {ran.out}"
            return
        yield from self._ends(case, goal, program, scenario, then, told)

    def _ends(
        self, case: Path, goal: Path, program: str, scenario: Scenario, then: str, told: str
    ) -> Iterator[str]:
        """What is wrong with a host after an undisturbed run."""
        have, want = plain(case, self.catlet), plain(goal, self.catlet)
        if (scenario.operation, then) == ("remove", "apply"):
            # A machine that was not yet stopped when its removal was cut off runs on.
            for row in (*have["machines"], *want["machines"]):
                del row["State"]
        if case != goal and have != want:
            more = sorted(set(have["files"]) - set(want["files"]))
            fewer = sorted(set(want["files"]) - set(have["files"]))
            rows = _difference(have["machines"], want["machines"])
            yield f"{told}: files left over {more}, missing {fewer}, machines {rows}"
        strange = {n: s for n, s in stamps(case).items() if n in self.strangers}
        if strange != self.strangers:
            yield f"{told}: something of others was touched"
        isos = [[_stem(each) for each in _isos(host, self.strangers)] for host in (case, goal)]
        if isos[0] != isos[1]:
            yield f"{told}: the ISO files are {_isos(case, self.strangers)}"
        marks = ("eryphc-part", f".eryphc-{self.catlet}")
        left = [n for n in stamps(case) if n not in strange and any(m in n for m in marks)]
        if left:
            yield f"{told}: unfinished files are left: {left}"
        if then in ("apply", "restart") and self._again():
            before = (stamps(case), state_of(case)["vms"])
            again = self.run(case, program, then, parameters=scenario.parameters)
            if again.code != 0 or (stamps(case), state_of(case)["vms"]) != before:
                yield f"{told}: the second run changes something ({again.code}): {again.out}"


def _next_runs(scenario: Scenario, number: int, part: int | None, *, same: bool) -> tuple[str, ...]:
    """What is run next: all with the same program and one with the other; one of all in a part."""
    if part is None and same:
        return scenario.then
    operation = scenario.then[number % len(scenario.then)]
    wanted = part is None or (number // TENTHS % 2 == 0) == same
    return (operation,) if wanted else ()


def _isos(case: Path, strangers: Container[str]) -> list[str]:
    return [name for name in stamps(case) if name.endswith(".iso") and name not in strangers]


def _stem(name: str) -> str:
    return Path(name).name.split(".")[0]


def _difference(have: list[dict[str, Any]], want: list[dict[str, Any]]) -> str:
    if len(have) != len(want):
        return f"{len(have)} instead of {len(want)}"
    told = [
        f"{key}: {row.get(key)!r} instead of {other.get(key)!r}"
        for row, other in zip(have, want, strict=True)
        for key in sorted(row.keys() | other.keys())
        if row.get(key) != other.get(key)
    ]
    return "; ".join(told)


def _distinct(cases: list[Path], catlet: str) -> list[Path]:
    """Without the moments at which nothing had changed since the one before."""
    found: list[Path] = []
    before: Any = None
    for case in cases:
        now = ({n: s[1] for n, s in stamps(case).items()}, plain(case, catlet))
        if now != before:
            found.append(case)
        before = now
    return found


def tenth_of_this_commit() -> int:
    """Another tenth with each commit."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=Path.cwd()
    )
    return int(done.stdout[:8] or "0", 16) % TENTHS if done.returncode == 0 else 0


def both_write_alike(sweep: Sweep) -> Iterator[str]:
    """What one program has made is to the other as it should be: not a byte is written anew."""
    bench = sweep.bench
    bench.write(sweep.document)
    for first, second in (PROGRAMS, PROGRAMS[::-1]):
        case = bench.copy(sweep.fresh, "alike")
        for operation in ("apply", "seal"):
            ran = sweep.run(case, first, operation)
            assert ran.code == 0, ran
            before = stamps(case)
            ran = sweep.run(case, second, "apply")
            if ran.code != 0 or stamps(case) != before:
                yield f"{second} changes what {first} has made ({operation}): {ran.out}"
        assert sweep.run(case, second, "remove").code == 0
        if plain(case, sweep.catlet) != plain(sweep.fresh, sweep.catlet):
            yield f"{second} does not remove all that {first} has made"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every point")
    parser.add_argument("--part", type=int, help="the tenth to go to, 0 to 9")
    parser.add_argument("--only", default="", help="scenarios and programs whose names hold this")
    parser.add_argument("--ways", choices=("both", "kills", "failures"), default="both")
    options = parser.parse_args()
    part = None if options.all else options.part
    if part is None and not options.all:
        part = tenth_of_this_commit()
    engine = subprocess.run(
        [str(POWERSHELL / "unpack.sh")], capture_output=True, text=True, check=True
    ).stdout.strip()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        modules = Path(folder) / "modules"
        command = [sys.executable, str(POWERSHELL / "hyperv_standins.py"), "--data", str(CMDLETS)]
        command += ["--out", str(modules)]
        for module in MODULES:
            command += ["--module", module]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        bench = Workbench(Path(engine), modules, Path(folder))
        try:
            if not options.only:
                changed = range(HOSTS) if part is None else range(part, HOSTS, TENTHS)
                for fault in Hosts(bench).differences(changed):
                    wrong += 1
                    sys.stdout.write(f"DIFFERENT {fault}\n")
                sys.stdout.write(f"{HOSTS} hosts, {wrong} differences\n")
            sweep = Sweep(bench)
            sweep.thorough = options.all
            for fault in both_write_alike(sweep):
                wrong += 1
                sys.stdout.write(f"WRONG {fault}\n")
            for program in PROGRAMS:
                for scenario in SCENARIOS:
                    if options.only not in f"{program} {scenario.name}":
                        continue
                    begin = time.monotonic()
                    sweep.points = sweep.faults = sweep.runs = here = 0
                    for fault in sweep.scenario(scenario, program, part=part, ways=options.ways):
                        here += 1
                        sys.stdout.write(f"WRONG {fault}\n")
                        sys.stdout.flush()
                    wrong += here
                    sys.stdout.write(
                        f"{program}: {scenario.name}: {sweep.points} kills, {sweep.faults} "
                        f"failures, {sweep.runs} runs, {here} wrong, "
                        f"{time.monotonic() - begin:.0f} s\n"
                    )
                    sys.stdout.flush()
        finally:
            bench.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
