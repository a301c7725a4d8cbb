"""Properties of the whole runtime on the model of a host."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.deployments import CATLET, EXAMPLE, Desk, deployments, shared
from runtime.hyperv_model import GIB, MIB, Model, World, new_world

pytestmark = pytest.mark.once

quick = settings(
    max_examples=40,
    # Shrinking whole deployments takes minutes and helps little.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def model(world: World | None = None, *, cluster: bool = False) -> Model:
    result = Model(world)
    if cluster:
        result.volume_kind = "csv"
    return result


def store_aside(world: World) -> dict[str, Any]:
    """What the world holds, apart from the store of parents, which outlives machines."""
    snapshot = world.snapshot()
    parents = {name for name in snapshot["files"] if name.count("\\") == 2 and len(name) == 78}
    snapshot["files"] = {
        name: content for name, content in snapshot["files"].items() if name not in parents
    }
    return snapshot


@given(deployment=deployments())
@quick
def test_apply_leaves_nothing_to_do_and_remove_nothing_behind(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    desk, host = Desk(tmp_path, deployment), model(cluster=shared(deployment))
    before = store_aside(host.world)
    applied = desk.run(host, "apply")
    assert applied.code == 0, applied
    assert applied.report["machine"]["name"] == deployment["machine"]["name"]
    again = desk.run(host, "plan", full=False)
    assert (again.code, again.report["changes"]) == (0, []), again
    untouched = host.world.snapshot()
    assert desk.run(host, "apply", full=False).code == 0
    assert host.world.snapshot() == untouched
    removed = desk.run(host, "remove", full=False)
    assert removed.code == 0, removed
    assert store_aside(host.world) == before
    assert desk.run(host, "remove", full=False).report["changed"] is False


@given(first=deployments(), second=deployments(), restart=st.booleans())
@quick
def test_one_deployment_becomes_another(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], *, restart: bool
) -> None:
    """The model refuses what a live machine refuses, so a live change told wrongly fails."""
    desk, host = Desk(tmp_path, first), model(cluster=True)
    if desk.run(host, "apply", "--start", "--wait", "0").code != 0:
        pytest.fail("the first deployment must apply")
    desk.write(second)
    planned = desk.run(host, "plan")
    if planned.code == 1:
        # Disks that would shrink, places that are taken and the like: refused, nothing touched.
        before = host.world.snapshot()
        assert desk.run(host, "apply").code == 1
        assert host.world.snapshot() == before
        return
    options = ("--restart",) if restart else ()
    applied = desk.run(host, "apply", *options)
    assert applied.code in (0, 4), applied.out + applied.err
    assert applied.code == (4 if applied.report["left"] else 0), applied
    after = desk.run(host, "plan")
    if restart:
        assert (after.code, after.report["changes"]) == (0, []), after
        assert after.report["machine"]["state"] == "Running"
    else:
        assert after.report["changes"] == applied.report["left"]
        assert all(each["needs_off"] for each in after.report["changes"])
    stopped = desk.run(host, "stop")
    assert stopped.code == 0
    applied = desk.run(host, "apply")
    assert applied.code == 0, applied.out + applied.err
    final = desk.run(host, "plan", full=False)
    assert (final.code, final.report["changes"]) == (0, []), final


def runs_killed_after(
    world: World, desk: Desk, command: str, *options: str
) -> Iterator[tuple[int, World]]:
    """The world after each prefix of a run, until the run is no longer cut short."""
    for actions in range(200):
        copied = copy.deepcopy(world)
        host = Model(copied)
        host.kill_after = actions
        ran = desk.run(host, command, *options)
        if ran.code == 0:
            return
        assert ran.code == 3, ran
        yield actions, copied
    pytest.fail("the run never ends")


def test_every_killed_apply_converges(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    count = 0
    for count, world in runs_killed_after(new_world(), desk, "apply"):
        host = Model(world)
        assert desk.run(host, "apply").code == 0, count
        again = desk.run(host, "plan", full=False)
        assert (again.code, again.report["changes"]) == (0, []), count
    assert count > 20


def test_every_killed_apply_is_cleaned_up_by_remove(tmp_path: Path) -> None:
    desk, untouched = Desk(tmp_path), store_aside(new_world())
    for actions, world in runs_killed_after(new_world(), desk, "apply"):
        removed = desk.run(Model(world), "remove", full=False)
        assert removed.code == 0, (actions, removed)
        left = store_aside(world)
        # Parts of files in the store of parents are no machine's; the next run goes on with them.
        left["files"] = {
            name: each for name, each in left["files"].items() if not name.startswith("c:\\disks\\")
        }
        assert left == untouched, actions


def test_every_killed_remove_is_finished_by_remove(tmp_path: Path) -> None:
    desk, world = Desk(tmp_path), new_world()
    before = store_aside(world)
    assert desk.run(Model(world), "apply").code == 0
    for actions, killed in runs_killed_after(world, desk, "remove"):
        assert desk.run(Model(killed), "remove", full=False).code == 0, actions
        assert store_aside(killed) == before, actions


def test_after_a_killed_restart_the_machine_runs_again(tmp_path: Path) -> None:
    desk, world = Desk(tmp_path), new_world()
    assert desk.run(Model(world), "apply", "--start", "--wait", "0").code == 0
    changed = copy.deepcopy(EXAMPLE)
    changed["machine"]["processor"]["count"] = 4
    desk.write(changed)
    count = 0
    for count, killed in runs_killed_after(world, desk, "apply", "--restart"):
        host = Model(killed)
        (machine,) = ours(host)
        notes = desk.run(host, "status", full=False).report["notes"]
        assert any("is off" in each for each in notes) == (machine["state"] == "Off"), count
        for options in ((), ("--restart",)):
            again = Model(copy.deepcopy(killed))
            ran = desk.run(again, "apply", *options)
            (machine,) = ours(again)
            assert machine["state"] == "Running", (count, options, ran)
            done = machine["processor"]["count"] == 4
            assert ran.code == (0 if done else 4), (count, options, ran)
            untouched = again.world.snapshot()
            assert desk.run(again, "apply").code == ran.code
            assert again.world.snapshot() == untouched, count
    assert count > 5


@pytest.mark.parametrize("command", ["start", "stop"])
def test_who_starts_or_stops_a_machine_decides_whether_it_runs(
    tmp_path: Path, command: str
) -> None:
    desk, world = Desk(tmp_path), new_world()
    assert desk.run(Model(world), "apply", "--start", "--wait", "0").code == 0
    changed = copy.deepcopy(EXAMPLE)
    changed["machine"]["processor"]["count"] = 4
    desk.write(changed)
    for _, killed in runs_killed_after(world, desk, "apply", "--restart"):
        host = Model(killed)
        if ours(host)[0]["state"] == "Off":
            assert desk.run(host, command).code == 0
            assert desk.run(host, "apply").code in (0, 4)
            assert ours(host)[0]["state"] == {"start": "Running", "stop": "Off"}[command]


@given(deployment=deployments(), data=st.data())
@quick
def test_killed_runs_of_any_deployment_converge(
    tmp_path: Path, deployment: dict[str, Any], data: st.DataObject
) -> None:
    desk, world = Desk(tmp_path, deployment), new_world()
    for _ in range(data.draw(st.integers(1, 3), label="kills")):
        host = model(world, cluster=True)
        host.kill_after = data.draw(st.integers(0, 40), label="actions")
        desk.run(host, "apply")
    host = model(world, cluster=True)
    applied = desk.run(host, "apply")
    assert applied.code == 0, applied.out + applied.err
    final = desk.run(host, "plan", full=False)
    assert (final.code, final.report["changes"]) == (0, []), final


ACTIONS = (
    "new-machine",
    "new-disk",
    "set-processor",
    "set-tpm",
    "attach-disk",
    "add-dvd",
    "connect-adapter",
    "rename-machine",
    "place-part",
)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_failing_step_of_a_creation_is_rolled_back(tmp_path: Path, action: str) -> None:
    desk, host = Desk(tmp_path), Model()
    before = store_aside(host.world)
    host.fail_action = action
    ran = desk.run(host, "apply")
    assert ran.code == 3
    error = ran.report["error"]
    assert error["step"] == action
    assert error["left"] == []
    left = store_aside(host.world)
    left["files"] = {
        name: each for name, each in left["files"].items() if not name.startswith("c:\\disks\\")
    }
    assert left == before


def test_a_failing_step_on_a_machine_that_existed_is_not_rolled_back(tmp_path: Path) -> None:
    desk, host = Desk(tmp_path), Model()
    assert desk.run(host, "apply").code == 0
    changed = copy.deepcopy(EXAMPLE)
    changed["machine"]["processor"]["count"] = 4
    changed["machine"]["memory"]["maximum"] = 8 * GIB
    desk.write(changed)
    host.fail_action = "set-memory"
    ran = desk.run(host, "apply")
    assert ran.code == 3
    (machine,) = ours(host)
    assert machine["processor"]["count"] == 4
    host.fail_action = None
    assert [each["what"] for each in desk.run(host, "plan").report["changes"]] == ["maximum memory"]
    assert desk.run(host, "apply").code == 0


def ours(host: Model) -> list[dict[str, Any]]:
    return [each for each in host.world.machines.values() if CATLET in each["notes"]]


LIVE = {
    "name": ("machine", "name", "other"),
    "start action": ("machine", "start_action", "Start"),
}
OFF = {
    "automatic checkpoints": ("machine", "automatic_checkpoints", True),
    "checkpoint type": ("machine", "checkpoint_type", "Disabled"),
    "start delay": ("machine", "start_delay", 30),
    "stop action": ("machine", "stop_action", "Save"),
    "processors": ("processor", "count", 4),
    "nested virtualization": ("processor", "nested_virtualization", True),
    "dynamic memory": ("memory", "dynamic", False),
    "startup memory": ("memory", "startup", 2 * GIB),
    "secure boot": ("firmware", "secure_boot", False),
    "TPM": ("tpm", "enabled", False),
}


@pytest.mark.parametrize("what", [*LIVE, *OFF])
def test_what_a_live_machine_accepts(tmp_path: Path, what: str) -> None:
    desk, host = Desk(tmp_path), Model()
    assert desk.run(host, "apply", "--start", "--wait", "0").code == 0
    changed = copy.deepcopy(EXAMPLE)
    part, key, value = (LIVE | OFF)[what]
    (changed["machine"] if part == "machine" else changed["machine"][part])[key] = value
    if what == "secure boot":
        changed["machine"]["firmware"]["secure_boot_template"] = None
    if what == "dynamic memory":
        changed["machine"]["memory"] |= {"minimum": None, "maximum": None}
    desk.write(changed)
    planned = desk.run(host, "plan", full=False)
    assert planned.code == 4
    assert [(each["what"], each["needs_off"]) for each in planned.report["changes"]] == [
        (what, what in OFF)
    ]
    assert desk.run(host, "apply", full=False).code == (4 if what in OFF else 0)
    assert desk.run(host, "apply", "--restart", full=False).code == 0
    assert desk.run(host, "plan", full=False).code == 0


@pytest.mark.parametrize(
    ("bounds", "live"),
    [
        pytest.param((256 * MIB, 4 * GIB), True, id="lower minimum"),
        pytest.param((512 * MIB, 8 * GIB), True, id="higher maximum"),
        pytest.param((1024 * MIB, 4 * GIB), False, id="higher minimum"),
        pytest.param((512 * MIB, 2 * GIB), False, id="lower maximum"),
    ],
)
def test_bounds_of_memory_widen_live(
    tmp_path: Path, bounds: tuple[int, int], *, live: bool
) -> None:
    desk, host = Desk(tmp_path), Model()
    assert desk.run(host, "apply", "--start", "--wait", "0").code == 0
    changed = copy.deepcopy(EXAMPLE)
    changed["machine"]["memory"] |= {"minimum": bounds[0], "maximum": bounds[1]}
    desk.write(changed)
    assert desk.run(host, "apply", full=False).code == (0 if live else 4)
