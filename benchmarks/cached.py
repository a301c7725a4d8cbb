"""What cached outputs cost and save, as ratios of CPU time measured side by side in one run.

The wheel of the files as they are builds prod-server of the examples for two targets: without a
cache, keeping its outputs, and taking them. P is an empty Python process. See README.md.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fleet import write_fleet
from hyperv import add_disk
from measure import BASE, DRIFT, Case, Rounds, benchmark, run

ROOT = Path(__file__).resolve().parents[1]
COUNT = 100
COLD = "cold build, two targets"
KEEP = "the same, outputs are kept"
HIT = "outputs are taken"
SAME = "outputs are there already"
HANDED_ON = "outputs of --cache-from are taken"
FLEET = f"cold build of {COUNT} catlets"
FLEET_KEEP = f"{COUNT} catlets, outputs are kept"
FLEET_HIT = f"{COUNT} catlets are taken"
MAIN = "from eryphc.__main__ import main; main()"
MOST = 0.5
"""The CPU time of outputs that are taken, at most, by that of a cold build."""


def main() -> int:
    """Measure and print; the exit code of `benchmark`."""
    return benchmark(__doc__, measured)


def measured(folder: Path, rounds: Rounds) -> list[str]:
    """Gives the names of the goals that are missed."""
    cases = prepare(folder)
    return report(cases, rounds(cases))


def prepare(folder: Path) -> dict[str, Case]:
    """Unpack the wheel, write the inputs, fill the caches, and name the commands."""
    sys.path.insert(0, str(ROOT / "tests"))
    from caching.wheel import unpacked_wheel

    for name in ("aside", "wheel"):
        (folder / name).mkdir()
    site = unpacked_wheel(folder / "wheel").site
    place = folder / "project"
    shutil.copytree(ROOT / "examples", place)
    fleet = folder / "fleet"
    fleet.mkdir()
    catlets = [spec.name for spec in write_fleet(fleet, COUNT)]
    add_disk(fleet / "genes/bench/base/1.0")
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    clean |= {"PYTHONPATH": str(site), "XDG_CONFIG_HOME": str(folder / "configuration")}
    clean |= {"ERYPHC_CACHE_KEY": "ab" * 32}
    cases: dict[str, Case] = {}

    def add(
        name: str,
        words: tuple[str, ...],
        cache: str,
        *gone: Path,
        where: Path = place,
        every: int = 1,
    ) -> None:
        cases[name] = Case(
            name=name,
            command=[sys.executable, "-c", MAIN, *words],
            folder=where,
            environment={**clean, "XDG_CACHE_HOME": str(folder / cache)},
            aside=folder / "aside",
            remove=gone,
            every=every,
        )

    def build(
        output: str, *more: str, specs: tuple[str, ...] = ("prod-server.yaml",)
    ) -> tuple[str, ...]:
        targets = ("--target", "cloud-init", "--target", "hyperv")
        return ("build", *specs, *targets, "--output", output, *more)

    fleet_build = tuple(catlets)
    add(COLD, build("cold"), "none", place / "cold")
    add(KEEP, build("keep", "--cache"), "fresh", place / "keep", folder / "fresh")
    add(HIT, build("hit", "--cache"), "full", place / "hit")
    add(SAME, build("same", "--cache"), "full")
    handed = folder / "handed-on"
    add(HANDED_ON, build("on", "--cache-from", str(handed)), "none", place / "on")
    add(FLEET, build("cold", specs=fleet_build), "none", fleet / "cold", where=fleet, every=5)
    kept = (fleet / "keep", folder / "fresh-fleet")
    add(
        FLEET_KEEP,
        build("keep", "--cache", specs=fleet_build),
        "fresh-fleet",
        *kept,
        where=fleet,
        every=5,
    )
    add(
        FLEET_HIT,
        build("hit", "--cache", specs=fleet_build),
        "full",
        fleet / "hit",
        where=fleet,
        every=5,
    )
    filling = Case(
        name="filling",
        command=[sys.executable, "-c", MAIN, *build("filled", "--cache-to", str(handed))],
        folder=place,
        environment={**clean, "XDG_CACHE_HOME": str(folder / "none")},
        aside=folder / "aside",
    )
    for case in (filling, cases[HIT], cases[FLEET_HIT]):
        run(case, record=False)
    cases[BASE] = Case(
        name=BASE,
        command=[sys.executable, "-c", "pass"],
        folder=place,
        environment=clean,
        aside=folder / "aside",
    )
    return cases


def report(cases: dict[str, Case], drift: float) -> list[str]:
    """Print one table; gives what costs more than it may."""
    base = cases[BASE].seconds
    print(f"{'':36} {'CPU ms':>9} {'x P':>8} {'peak MB':>8}")
    for name, case in cases.items():
        print(f"{name:36} {case.seconds * 1000:9.2f} {case.seconds / base:8.2f} {case.peak:8.1f}")
    ratio = cases[HIT].seconds / cases[COLD].seconds
    reached = ratio <= MOST
    print(f"\ntaken by cold: {ratio:.2f} (at most {MOST:g}): {'reached' if reached else 'MISSED'}")
    print(f"P is {base * 1000:.1f} ms; drift of P {drift:.0%} (at most {DRIFT:.0%}). ", end="")
    print(f"Python {sys.version.split()[0]}.")
    return [] if reached else [HIT]


if __name__ == "__main__":
    sys.exit(main())
