"""What eryphc costs, as ratios of CPU time measured side by side in one run.

P is an empty Python process, L is cloud-localds packing the same files that a build wrote.
All cases run interleaved and shuffled; a run in which P drifts is rejected. See README.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fleet import write_fleet
from measure import BASE, DRIFT, Case, CommandFailedError, in_rounds, run

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sys.executable).parent
ERYPHC = SCRIPTS / "eryphc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """At most `limit` times the base `P` or `L`."""

    base: str
    limit: float


L = "L: cloud-localds"
FLEET_L = "L: cloud-localds, of the fleet"
CATLET = "fleet, a catlet"
EDIT = "prod-server after an edit, in a session"
GOALS = {
    "build web-config": Goal(base="P", limit=9.5),
    "--help": Goal(base="P", limit=4),
    CATLET: Goal(base="L", limit=0.15),
    EDIT: Goal(base="P", limit=0.4),
}
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made there is ours alone
"""A disk's history decides what creating a file costs; memory has none."""
SLOW_CREATION = 100e-6
"""CPU seconds a file, above which figures of what creates many say little."""
FLEET_MEMORY = 60.0
"""MB that a thousand catlets in one command may take."""


def main() -> int:
    """Measure and print; 1 where a goal is missed with --gate, 3 for a rejected run."""
    options = _options()
    if not ERYPHC.exists():
        print(f"there is no {ERYPHC.name} beside {sys.executable}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="eryphc-bench-", dir=options.folder) as temporary:
        folder = Path(temporary).resolve()
        creation = creating_a_file(folder / "created-before")
        try:
            cases = prepare(folder, options.fleet)
            shuffle = random.Random(options.seed)  # noqa: S311
            drift = in_rounds(cases, cases[BASE], options.rounds, shuffle, _say)
        except CommandFailedError as error:
            print(error, file=sys.stderr)
            return 2
        creation = max(creation, creating_a_file(folder / "created-after"))
        missed = report(cases, options.fleet, drift)
    print(f"Creating an empty file took {creation * 1e6:.0f} us of CPU time in {folder.parent}.")
    if creation > SLOW_CREATION:
        print(
            "That is slow: on ext4 for up to five minutes after many files were deleted. A catlet "
            "creates eight files and folders; run it again later, or with --folder elsewhere."
        )
    if drift > DRIFT:
        print("\nrejected: another program took the processor. Run it again on a quieter machine.")
        return 3
    return 1 if options.gate and missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="rounds that count (default 21)")
    parser.add_argument("--fleet", type=int, default=1000, help="catlets of the fleet, 0 for none")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffling")
    parser.add_argument(
        "--folder",
        default=str(MEMORY) if os.access(MEMORY, os.W_OK) else None,
        help="where to work (default: /dev/shm, else the folder for temporary files)",
    )
    parser.add_argument("--gate", action="store_true", help="exit 1 where a goal is not reached")
    return parser.parse_args()


def _say(number: int) -> None:
    """Tell of a round that is done."""
    if sys.stderr.isatty():
        print(f"\rround {number}", end="", file=sys.stderr)


def creating_a_file(folder: Path) -> float:
    """CPU seconds that the file system takes for an empty file of a new folder."""
    folder.mkdir()
    count, before = 500, os.times()
    for number in range(count):
        (folder / str(number)).touch()
    after = os.times()
    return (after.system - before.system + after.user - before.user) / count


def prepare(folder: Path, fleet: int) -> dict[str, Case]:
    """Write the inputs, build each once, and name the commands to measure."""
    # Caches of the user play no part: each case gets one below `folder`.
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    # cloud-localds makes its files there: on the same file system as those it is compared with.
    clean["TMPDIR"] = str(folder)
    cold = {**clean, "XDG_CACHE_HOME": str(folder / "cache-cold")}
    warm = {**clean, "XDG_CACHE_HOME": str(folder / "cache-warm")}
    web, aside = folder / "web", folder / "aside"
    web.mkdir()
    aside.mkdir()
    shutil.copy(ROOT / "examples/web-config.yaml", web)
    cases: dict[str, Case] = {}

    def add(
        name: str,
        *command: str,
        place: Path = web,
        environment: dict[str, str] = cold,
        remove: tuple[Path, ...] = (folder / "cache-cold",),
        every: int = 1,
    ) -> None:
        cases[name] = Case(
            name=name,
            command=list(command),
            folder=place,
            environment=environment,
            aside=aside,
            remove=remove,
            every=every,
        )

    python, eryphc = sys.executable, str(ERYPHC)
    build = (eryphc, "build", "web-config.yaml", "--target", "cloud-init", "--output")
    add(BASE, python, "-c", "pass")
    add("--help", eryphc, "--help")
    add("version", eryphc, "version")
    add("build --help", eryphc, "build", "--help")
    add("expand web-config", eryphc, "expand", "web-config.yaml")
    add("check web-config", eryphc, "check", "web-config.yaml")
    add("build web-config", *build, "cold", remove=(folder / "cache-cold", web / "cold"))
    add("build web-config again, unchanged", *build, "warm", environment=warm, remove=())
    run(cases["build web-config again, unchanged"], record=False)
    localds = shutil.which("cloud-localds")
    if localds:
        out = web / "l.iso"
        add(L, localds, str(out), *_seed(web / "warm/nocloud"), remove=(out,))
    else:
        print("cloud-localds is not installed: nothing is compared with it", file=sys.stderr)
    if not fleet:
        return cases
    place = folder / "fleet"
    place.mkdir()
    specs = [spec.name for spec in write_fleet(place, fleet)]
    for count in sorted({1, max(1, fleet // 10), fleet}):
        output = place / f"out-{count}"
        add(
            _fleet_name(count),
            *(eryphc, "build", *specs[:count]),
            *("--target", "cloud-init", "--output", output.name),
            place=place,
            remove=(folder / "cache-cold", output),
            every=7 if count > 1 else 1,
        )
    if localds:
        run(cases[_fleet_name(1)], record=False)
        shutil.copytree(place / "out-1/nocloud", place / "plain")
        out = place / "l.iso"
        add(FLEET_L, localds, str(out), *_seed(place / "plain"), place=place, remove=(out,))
    return cases


def _fleet_name(count: int) -> str:
    return f"fleet of {count:,}"


def _seed(plain: Path) -> tuple[str, ...]:
    """Arguments of cloud-localds for the plain files of a build."""
    network = plain / "network-config"
    given = (f"--network-config={network}",) if network.exists() else ()
    return (*given, str(plain / "user-data"), str(plain / "meta-data"))


def report(cases: dict[str, Case], fleet: int, drift: float) -> list[str]:
    """Print one table; gives the names of the goals that are missed."""
    base, localds = cases[BASE].seconds, cases.get(L)
    missed: list[str] = []
    print(f"{'':38} {'CPU ms':>9} {'x P':>7} {'x L':>7} {'peak MB':>8}   goal")
    for name, case in cases.items():
        against = cases.get(FLEET_L, localds) if "fleet" in name else localds
        low = against.seconds if against else None
        _print_row(name, case.seconds, base, low, f"{case.peak:8.1f}")
        goal = GOALS.get(name)
        if goal is not None:
            missed += _print_goal(name, goal, case.seconds / base)
    many, some = cases.get(_fleet_name(fleet)), cases.get(_fleet_name(max(1, fleet // 10)))
    if fleet and many and some:
        each = many.seconds / fleet
        against = cases.get(FLEET_L)
        _print_row(CATLET, each, base, against.seconds if against else None, " " * 8)
        if against:
            missed += _print_goal(CATLET, GOALS[CATLET], each / against.seconds)
        growth = many.peak / some.peak - 1
        verdict = "reached" if many.peak <= FLEET_MEMORY else "missed"
        print(
            f"\nmemory of the fleet: {many.peak:.1f} MB, {growth:+.0%} from a tenth of it; "
            f"at most {FLEET_MEMORY:.0f} MB: {verdict}"
        )
        if verdict == "missed":
            missed.append("memory of the fleet")
    edit = _compile_after_an_edit()
    _print_row(EDIT, edit, base, None, " " * 8)
    missed += _print_goal(EDIT, GOALS[EDIT], edit / base)
    runs = len(cases[BASE].cpu)
    print(f"\nP is {base * 1000:.1f} ms, median of {runs} runs; drift of P {drift:.0%}", end="")
    print(f" (at most {DRIFT:.0%}). Python {sys.version.split()[0]}. Missed: {missed or 'nothing'}")
    return missed


def _compile_after_an_edit() -> float:
    """CPU seconds of one compile in an open session, measured inside the process."""
    script = Path(__file__).with_name("session.py")
    command = [sys.executable, str(script), str(ROOT / "examples" / "prod-server.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _print_row(name: str, cpu: float, base: float, low: float | None, memory: str) -> None:
    against = f"{cpu / low:7.3f}" if low else "      -"
    print(f"{name:38} {cpu * 1000:9.2f} {cpu / base:7.2f} {against} {memory}", end="")
    if name not in GOALS:
        print()


def _print_goal(name: str, goal: Goal, ratio: float) -> list[str]:
    print(
        f"   {'reached' if ratio <= goal.limit else 'MISSED'}: at most {goal.limit:.3g} {goal.base}"
    )
    return [name] if ratio > goal.limit else []


if __name__ == "__main__":
    sys.exit(main())
