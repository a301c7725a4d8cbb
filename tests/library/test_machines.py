"""Machines of the library's genes do what they should, on every distribution that can be had.

`ERYPHC_LIBRARY=all` runs them, for a quarter of an hour or two; without it they are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from library.checks import Check, checks
from library.genes import CHECKOUT, MACHINES, geneset, linux_sets
from library.machine import Distribution, Machine, machine, missing

pytestmark = pytest.mark.boot

SPECS = ("web", "containers", "data", "apps")
FLEET = CHECKOUT / "examples" / "fleet"
PASSWORD = "a 'secret' of the test"  # noqa: S105
GUESTS = {"bookworm": "debian-12", "noble": "ubuntu-24.04", "jammy": "ubuntu-22.04"}


@pytest.fixture
def distribution(request: pytest.FixtureRequest) -> Distribution:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    why = missing()
    if why:
        pytest.skip(why)
    return Distribution.ready(request.param)


def meant_for(guest: str) -> list[str]:
    def guests(name: str) -> list[str]:
        metadata = geneset(name)["metadata"]
        assert isinstance(metadata, dict)
        return ", ".join(map(str, metadata.values())).split(", ")

    return [name for name in linux_sets() if guest in guests(name)]


def faults(running: Machine, wanted: list[Check]) -> list[str]:
    """What is not as it should be."""
    found = []
    status = running.wait(900)
    if "status: done" not in status or running.warnings():
        found += [status, *running.warnings(), running.log()[-3000:]]
    for check in wanted:
        answer = running.ask(check.script())
        if answer.returncode != 0:
            found.append(f"{check.gene}: {check.asserts}\n{answer.stdout}{answer.stderr}")
    return found


def seed_of(spec: Path, folder: Path) -> dict[str, bytes]:
    """The seed that a build of the spec writes."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "eryphc", "build", spec, "--target", "cloud-init"),
            *("--guest", "linux", "--output", folder / "out"),
            *(("--var", f"databasePassword={PASSWORD}") if spec.name.startswith("db-") else ()),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return {path.name: path.read_bytes() for path in (folder / "out" / "nocloud").iterdir()}


def lives(distribution: Distribution, seed: dict[str, bytes], wanted: list[Check]) -> None:
    """All is as it should be at the machine's first boot, after a restart, and when all is run
    once more under a new instance id."""
    with machine(distribution, seed) as running:
        not_right = faults(running, wanted)
        assert not not_right, "\n".join(not_right)
        running.restart()
        not_right = faults(running, wanted)
        assert not not_right, "\n".join(not_right)
        running.change_instance("another")
        running.restart()
        not_right = faults(running, wanted)
        assert not not_right, "\n".join(not_right)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("distribution", GUESTS, indirect=True)
def test_a_machine_does_what_its_genes_say(
    name: str, distribution: Distribution, tmp_path: Path
) -> None:
    there = meant_for(GUESTS[distribution.suite])
    document = yaml.safe_load((MACHINES / f"{name}.yaml").read_text("utf-8"))
    document["fodder"] = [
        fodder
        for fodder in document["fodder"]
        if "source" not in fodder or fodder["source"].split("/")[-1] in there
    ]
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    wanted = [check for check in checks(name) if check.gene in there]
    lives(distribution, seed_of(spec, tmp_path), wanted)


# The database of production needs its disk: test_boot has it.
@pytest.mark.parametrize("name", ["web-dev", "web-prod", "app-dev", "app-prod", "db-dev"])
@pytest.mark.parametrize("distribution", ["bookworm"], indirect=True)
def test_a_machine_of_the_fleet(name: str, distribution: Distribution, tmp_path: Path) -> None:
    role, stage = name.split("-")
    seed = seed_of(FLEET / f"{name}.yaml", tmp_path)
    lives(distribution, seed, [*checks(f"fleet-{role}"), *checks(f"fleet-{stage}")])
