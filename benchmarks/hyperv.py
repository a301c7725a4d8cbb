"""What deployments for Hyper-V cost, as ratios of CPU time measured side by side in one run.

200 catlets are built for hyperv by one command, and the runtime plans one of them against the
recorded state of a host that holds it already. P is an empty Python process. See README.md.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fleet import write_fleet
from measure import BASE, DRIFT, Case, CommandFailedError, Rounds, benchmark, run

ROOT = Path(__file__).resolve().parents[1]
ERYPHC = Path(sys.executable).parent / "eryphc"
COUNT = 200
PLANS = 50
FLEET = f"hyperv, {COUNT} catlets"
SAME = f"cloud-init, {COUNT} catlets"
ONE = "hyperv, one catlet"
PLAN_ONCE = "plan, one process"
PLAN_MANY = f"plan, {PLANS} in one process"
EACH_CATLET = "a catlet of the fleet"
EACH_PLAN = "a plan more"
# At most so many P; a goal is not reached above it.
GOALS = {EACH_CATLET: 1.0, ONE: 16.0, PLAN_ONCE: 12.0, EACH_PLAN: 0.5}
AGAINST_CLOUD_INIT = 2.0
"""The CPU time of the hyperv fleet, at most, by that of the same fleet for cloud-init."""


def main() -> int:
    """Measure and print; the exit code of `benchmark`."""
    return benchmark(__doc__, measured)


def measured(folder: Path, rounds: Rounds) -> list[str]:
    """Gives the names of the goals that are missed."""
    cases = prepare(folder)
    return report(cases, rounds(cases))


def prepare(folder: Path) -> dict[str, Case]:
    """Write the inputs, deploy one catlet to a model of a host, and name the commands."""
    aside = folder / "aside"
    aside.mkdir()
    place = folder / "fleet"
    place.mkdir()
    specs = [spec.name for spec in write_fleet(place, COUNT)]
    add_disk(place / "genes/bench/base/1.0")
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    clean |= {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT / "runtime")}
    cases: dict[str, Case] = {}

    def add(name: str, *command: str, output: str | None = None, every: int = 1) -> None:
        gone = (folder / "cache", place / output) if output else ()
        cases[name] = Case(
            name=name,
            command=list(command),
            folder=place,
            environment=clean,
            aside=aside,
            remove=gone,
            every=every,
        )

    def build(target: str, specs: list[str], output: str) -> tuple[str, ...]:
        return (str(ERYPHC), "build", *specs, "--target", target, "--output", output)

    add(BASE, sys.executable, "-c", "pass")
    add(ONE, *build("hyperv", specs[:1], "one"), output="one")
    add(FLEET, *build("hyperv", specs, "all"), output="all", every=5)
    add(SAME, *build("cloud-init", specs, "same"), output="same", every=5)
    run(cases[ONE], record=False)
    deployment = folder / "deployed"
    (place / "one").rename(deployment)
    answers = folder / "answers.json"
    answers.write_text(json.dumps(recorded(deployment)), "ascii")
    replay = (str(Path(__file__).with_name("replay_plan.py")), str(deployment), str(answers))
    add(PLAN_ONCE, sys.executable, *replay, "1")
    add(PLAN_MANY, sys.executable, *replay, str(PLANS), every=2)
    return cases


def add_disk(base: Path) -> None:
    """What the fleet's base lacks to be a machine of Hyper-V: a disk, and who signs its loader."""
    catlet = base / "catlet.yaml"
    text = catlet.read_text("utf-8").replace(
        "- name: secure_boot\n",
        "- name: secure_boot\n  details: ['template:MicrosoftUEFICertificateAuthority']\n",
    )
    catlet.write_text(f"drives:\n- name: sda\n  size: 20\n{text}", "utf-8")
    (base / "volumes").mkdir()
    (base / "volumes/sda.yaml").write_text(
        "format: qcow2\nurl: https://images.example.org/base.qcow2\n"
        "checksums_url: https://images.example.org/SHA256SUMS\nfile: base.qcow2\n",
        "utf-8",
    )


def recorded(deployment: Path) -> list[str]:
    """What a host that holds the machine answers to a `plan`: from the model of the tests."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "runtime")]
    from eryph_runtime.command_line import run as runtime
    from runtime.hyperv_model import Model, vhdx

    host = Model()
    document = json.loads((deployment / "deployment.json").read_text("ascii"))
    given: list[str] = []
    for parameter in document["parameters"]:
        if parameter["host_default"] is None:
            value = "LAN" if parameter["kind"] == "switch" else "D:\\Store"
            given += ["--param", f"{parameter['name']}={value}"]
    for volume in document["volumes"]:
        disk = deployment.parent / "base.vhdx"
        disk.write_bytes(vhdx(2, b"base"))
        given += ["--volume", f"{volume['name']}={disk}"]
    answers: list[str] = []

    class Listening:
        address, remote = host.address, False

        def request(self, operation: str, arguments: dict[str, Any], **more: Any) -> Any:
            value = host.request(operation, arguments, **more)
            answers.append(json.dumps(value))
            return value

        def close(self) -> None:
            host.close()

    def command(name: str, *options: str) -> None:
        said = io.StringIO()
        code = runtime(
            [name, str(deployment), "--format", "json", *options],
            connect=lambda _address, _program: Listening(),
            stdin=io.StringIO(),
            stdout=said,
            stderr=said,
        )
        if code != 0:
            raise CommandFailedError(f"{name} on the model: exit code {code}\n{said.getvalue()}")

    command("apply", *given)
    answers.clear()
    command("plan")
    return answers


def report(cases: dict[str, Case], drift: float) -> list[str]:
    """Print one table; gives the names of the goals that are missed."""
    base = cases[BASE].seconds
    figures = {name: case.seconds for name, case in cases.items()}
    figures[EACH_CATLET] = cases[FLEET].seconds / COUNT
    figures[EACH_PLAN] = (cases[PLAN_MANY].seconds - cases[PLAN_ONCE].seconds) / (PLANS - 1)
    missed = []
    print(f"{'':34} {'CPU ms':>9} {'x P':>8} {'peak MB':>8}   goal")
    for name, seconds in figures.items():
        memory = f"{cases[name].peak:8.1f}" if name in cases else " " * 8
        line = f"{name:34} {seconds * 1000:9.2f} {seconds / base:8.2f} {memory}"
        goal = GOALS.get(name)
        if goal is not None:
            reached = seconds / base <= goal
            line += f"   {'reached' if reached else 'MISSED'}: {goal:g} P"
            missed += [] if reached else [name]
        print(line.rstrip())
    ratio = figures[FLEET] / figures[SAME]
    print(f"\nhyperv by cloud-init, the same fleet: {ratio:.2f} (at most {AGAINST_CLOUD_INIT:g})")
    if ratio > AGAINST_CLOUD_INIT:
        missed.append("hyperv by cloud-init")
    print(f"P is {base * 1000:.1f} ms; drift of P {drift:.0%} (at most {DRIFT:.0%}). ", end="")
    print(f"Python {sys.version.split()[0]}. Missed: {missed or 'nothing'}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
