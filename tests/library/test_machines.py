"""Machines of the library's genes do what they should, on every distribution that can be had.

`ERYPHC_LIBRARY=all` runs them, for a quarter of an hour or two; without it they are left out.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest
import yaml

from library.checks import Check, checks
from library.genes import MACHINES, compiled, geneset, linux_sets
from library.machine import Distribution, Machine, machine, missing

pytestmark = pytest.mark.boot

SPECS = ("web", "containers", "data", "apps")
GUESTS = {"bookworm": "debian-12", "noble": "ubuntu-24.04", "jammy": "ubuntu-22.04"}


@pytest.fixture(scope="module", params=GUESTS)
def distribution(request: pytest.FixtureRequest) -> Distribution:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    why = missing()
    if why:
        pytest.skip(why)
    return Distribution.ready(request.param)


def meant_for(guest: str) -> list[str]:
    return [
        name
        for name in linux_sets()
        if guest in ", ".join(map(str, geneset(name)["metadata"].values())).split(", ")
    ]


def faults(running: Machine, wanted: list[Check]) -> list[str]:
    """What is not as it should be."""
    found = []
    status = running.wait(900)
    if "status: done" not in status:
        found += [status, *running.warnings(), running.log()[-3000:]]
    for check in wanted:
        answer = running.ask(check.script())
        if answer.returncode != 0:
            found.append(f"{check.gene}: {check.asserts}\n{answer.stdout}{answer.stderr}")
    return found


@pytest.mark.parametrize("name", SPECS)
def test_a_machine_does_what_its_genes_say(name: str, distribution: Distribution) -> None:
    """At its first boot, after a restart, and when all is run once more under a new instance id."""
    there = meant_for(GUESTS[distribution.suite])
    spec = yaml.safe_load((MACHINES / f"{name}.yaml").read_text("utf-8"))
    spec["fodder"] = [
        food
        for food in spec["fodder"]
        if "source" not in food or food["source"].split("/")[-1] in there
    ]
    built, said = compiled(yaml.safe_dump(spec, allow_unicode=True))
    assert said == []
    assert built is not None
    seed = {
        path.name: file.content
        for path, file in built.files.items()
        if path.parent == PurePosixPath("nocloud")
    }
    wanted = [check for check in checks(name) if check.gene in there]
    with machine(distribution, seed, name) as running:
        assert faults(running, wanted) == []
        running.restart()
        assert faults(running, wanted) == []
        running.change_instance("another")
        running.restart()
        assert faults(running, wanted) == []
