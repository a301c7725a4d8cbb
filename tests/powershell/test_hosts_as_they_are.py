"""Hosts that cannot be read in part, names that shadow, lost records, files that others hold."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from powershell.conftest import example
from powershell.strangers import add_stranger, stranger
from powershell.workbench import (
    PROGRAMS,
    Workbench,
    new_catlet,
    plain,
    stamps,
    state_of,
    write_state,
)

pytestmark = pytest.mark.integration
both = pytest.mark.parametrize("program", PROGRAMS)


@pytest.fixture(scope="module")
def bench(
    pslite: Path, standins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    opened = Workbench(pslite, standins, tmp_path_factory.mktemp("hosts"))
    yield opened
    opened.close()


class Hosts:
    """A fresh host and one with our machine, whose drives have names that a hash table has too."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.catlet = new_catlet()
        self.document = example()
        self.document["catlet"]["id"] = self.catlet
        data = self.document["drives"][1]
        data |= {"name": "values", "file": "values.vhdx"}
        self.document["drives"].append(data | {"name": "keys", "file": "keys.vhdx", "location": 5})
        self.home = f"vms/eryphc-{self.catlet}"
        bench.model.disk("C:\\store\\base.vhdx", gib=10)
        add_stranger(bench.model.folder)
        bench.write(self.document)
        self.fresh = bench.copy(bench.model.folder, "fresh")
        self.made = bench.copy(self.fresh, "made")
        bench.use(self.made)
        ran = bench.run("deploy.ps1", "apply")
        assert ran.code == 0, ran

    def case(self, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
        """A copy of the host with our machine, which is the last, changed."""
        case = self.bench.copy(self.made, "case")
        if change is not None:
            state = state_of(case)
            change(state)
            write_state(case, state)
        self.bench.use(case)
        self.bench.write(self.document)
        return case


@pytest.fixture(scope="module")
def hosts(bench: Workbench) -> Hosts:
    return Hosts(bench)


def ours(state: dict[str, Any]) -> dict[str, Any]:
    (row,) = [each for each in state["vms"] if each["Name"] == "web"]
    assert isinstance(row, dict)
    return row


@both
def test_drives_may_be_named_as_members_of_a_hash_table(hosts: Hosts, program: str) -> None:
    case = hosts.case()
    names = {disk["Path"].rsplit("\\", 1)[1] for disk in ours(state_of(case))["Disks"]}
    assert names == {"sda.vhdx", "values.vhdx", "keys.vhdx"}
    ran = hosts.bench.run(program, "plan")
    assert (ran.code, ran.reasons) == (0, []), ran.out
    assert hosts.bench.run(program, "remove").code == 0
    assert plain(case, hosts.catlet) == plain(hosts.fresh, hosts.catlet)


UNREADABLE = (
    *("Get-VMMemory", "Get-VMProcessor", "Get-VMFirmware", "Get-VMSecurity", "Get-VMSnapshot"),
    *("Get-VMHardDiskDrive", "Get-VMDvdDrive", "Get-VMNetworkAdapter", "Get-VMScsiController"),
    "Get-VMIntegrationService",
)


@pytest.mark.parametrize("cmdlet", UNREADABLE)
def test_what_cannot_be_read_is_named_and_ends_no_command(hosts: Hosts, cmdlet: str) -> None:
    def spoil(state: dict[str, Any]) -> None:
        ours(state)["Unreadable"] = [cmdlet]

    hosts.case(spoil)
    for program in PROGRAMS:
        refused = hosts.bench.run(program, "plan")
        assert refused.code == 1, refused.out
        assert any("`web`: the host cannot read its" in each for each in refused.reasons)
    status = hosts.bench.run("eryph-runtime", "status")
    assert status.code == 0, status.out
    assert "the host cannot read its" in "".join(status.notes)
    for program in PROGRAMS:
        case = hosts.case(spoil)
        assert hosts.bench.run(program, "remove").code == 0
        assert [each["Name"] for each in state_of(case)["vms"]] == ["theirs"]
        assert plain(case, hosts.catlet) == plain(hosts.fresh, hosts.catlet)


@both
def test_a_damaged_disk_stops_neither_status_nor_removal(hosts: Hosts, program: str) -> None:
    case = hosts.case()
    data = case / f"drive/disks/eryphc-{hosts.catlet}/values.vhdx"
    data.write_bytes(b"no disk")
    refused = hosts.bench.run(program, "plan")
    assert "drive `values`" in "".join(refused.reasons)
    assert "is no disk that Hyper-V can read" in "".join(refused.reasons)
    assert hosts.bench.run("eryph-runtime", "status").code == 0
    assert hosts.bench.run(program, "remove").code == 0
    assert plain(case, hosts.catlet) == plain(hosts.fresh, hosts.catlet)


@both
@pytest.mark.parametrize("left", [None, "{", "[]", '{"schema": "eryphc/record/v1"}'])
def test_a_lost_record_is_read_anew_from_the_machine(
    hosts: Hosts, program: str, left: str | None
) -> None:
    case = hosts.case()
    record = case / "drive" / hosts.home / "eryphc.json"
    before = record.read_bytes()
    record.unlink()
    if left is not None:
        record.write_text(left, encoding="ascii")
    ran = hosts.bench.run(program, "plan")
    assert (ran.code, ran.reasons) == (0, []), ran.out
    assert hosts.bench.run(program, "apply").code == 0
    assert json.loads(record.read_bytes()) == json.loads(before) | {
        "parameters": json.loads(record.read_bytes())["parameters"]
    }
    assert hosts.bench.run(program, "remove").code == 0
    assert plain(case, hosts.catlet) == plain(hosts.fresh, hosts.catlet)


@both
def test_a_moved_machine_is_found_with_its_disks(hosts: Hosts, program: str) -> None:
    case = hosts.case()
    state = state_of(case)
    row = ours(state)
    new = case / "drive/store/web/Virtual Hard Disks"
    new.mkdir(parents=True)
    for disk in row["Disks"]:
        name = disk["Path"].rsplit("\\", 1)[1]
        (case / "drive" / disk["Path"][3:].replace("\\", "/")).rename(new / name)
        disk["Path"] = f"C:\\store\\web\\Virtual Hard Disks\\{name}"
    row["Path"] = "C:\\store\\web"
    write_state(case, state)
    ran = hosts.bench.run(program, "apply")
    assert (ran.code, ran.reasons) == (0, []), ran.out
    (seed,) = [each for each in ours(state_of(case))["Dvds"] if each["Location"] == 63]
    assert seed["Path"].startswith("C:\\store\\web\\seed\\")
    assert len(list(new.iterdir())) == 3
    before = stamps(case)
    assert hosts.bench.run(program, "apply").code == 0
    assert stamps(case) == before


@both
def test_a_file_that_another_machine_holds_is_not_deleted(hosts: Hosts, program: str) -> None:
    def hold(state: dict[str, Any]) -> None:
        row = copy.deepcopy(ours(state))
        mine = row["Dvds"][-1]
        more = {"Id": "99999999-0000-4000-8000-000000000002", "Name": "other", "Disks": []}
        state["vms"].append(stranger() | more | {"Dvds": [mine]})

    case = hosts.case(hold)
    before = stamps(case)
    for operation in ("remove", "seal"):
        ran = hosts.bench.run(program, operation)
        assert ran.code == 1, ran.out
        assert "`other` uses" in "".join(ran.reasons)
        assert stamps(case) == before


@both
def test_an_old_iso_goes_whatever_the_record_says(hosts: Hosts, program: str) -> None:
    case = hosts.case()
    seeds = case / "drive" / hosts.home / "seed"
    (seeds / "example-seed.0123456789abcdef.iso").write_bytes(b"old secret")
    (seeds / "example-seed.1123456789abcdef.eryphc-part.iso").write_bytes(b"part of a secret")
    (seeds / "mine.iso").write_bytes(b"the user's")
    assert hosts.bench.run(program, "plan").code == 4
    assert hosts.bench.run(program, "apply").code == 0
    assert len(list(seeds.iterdir())) == 2
    assert (seeds / "mine.iso").exists()


@both
def test_a_machine_that_was_stopped_for_a_change_is_started_again(
    hosts: Hosts, program: str
) -> None:
    case = hosts.case(lambda state: ours(state).update(State="Off"))
    record = case / "drive" / hosts.home / "eryphc.json"
    data = json.loads(record.read_bytes()) | {"restart": True}
    record.write_text(json.dumps(data, sort_keys=True) + "\n", encoding="ascii")
    status = hosts.bench.run("eryph-runtime", "status")
    assert "was stopped for a change and is off" in "".join(status.notes)
    assert hosts.bench.run(program, "plan").code == 4
    assert hosts.bench.run(program, "apply").code == 0
    assert ours(state_of(case))["State"] == "Running"
    assert json.loads(record.read_bytes())["restart"] is False


@both
def test_what_a_removal_was_about_to_delete_does_not_come_back(hosts: Hosts, program: str) -> None:
    """The machine went, its disks did not: they are no disks for a new machine."""
    case = hosts.case()
    state = state_of(case)
    disks = [each["Path"] for each in ours(state)["Disks"]]
    state["vms"] = [each for each in state["vms"] if each["Name"] != "web"]
    write_state(case, state)
    record = case / "drive" / hosts.home / "eryphc.json"
    data = json.loads(record.read_bytes()) | {"deleting": sorted(disks)}
    record.write_text(json.dumps(data, sort_keys=True) + "\n", encoding="ascii")
    old = {path: (case / "drive" / path[3:].replace("\\", "/")).read_bytes() for path in disks}
    assert hosts.bench.run(program, "apply").code == 0
    for path, content in old.items():
        assert (case / "drive" / path[3:].replace("\\", "/")).read_bytes() != content
