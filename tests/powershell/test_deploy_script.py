"""`deploy.ps1` really runs, in a PowerShell engine, against the model of a Hyper-V host."""

import base64
import copy
import hashlib
import json
import shutil
import signal
import subprocess
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from eryphc.targets.hyperv.deploy_script import deploy_script
from powershell.conftest import (
    CATLET,
    DEFAULT_SWITCH,
    EXAMPLE,
    HOME,
    HOSTILE,
    ISO_FILES,
    OPEN_VALUE,
    UNFINISHED,
    ModelHost,
    changes,
    every_engine,
    example,
    hostile,
    ours,
    tree,
)

pytestmark = pytest.mark.integration

Document = dict[str, Any]


class Script:
    """One deployment written beside its ISO files, and its runs."""

    def __init__(self, host: ModelHost, document: Document, keep: Path) -> None:
        self.host = host
        self.keep = keep
        self.folder = host.folder / "build"
        self.folder.mkdir(exist_ok=True)
        for name in ISO_FILES:
            shutil.copyfile(EXAMPLE.parent / name, self.folder / name)
        self.values = self.folder / "values"
        self.values.write_text(f"token={OPEN_VALUE}\n", encoding="utf-8")
        self.write(document)

    def write(self, document: Document) -> None:
        text = deploy_script(json.dumps(document, indent=2, sort_keys=True))
        (self.folder / "deploy.ps1").write_text(text, encoding="ascii", newline="\n")

    def run(self, *arguments: str, code: int = 0, **environment: str) -> str:
        done = self.host.run(
            "-File", str(self.folder / "deploy.ps1"), *arguments, environment=environment
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def create(self, *arguments: str, code: int = 0, **environment: str) -> str:
        given = ("-Volume", "sda=C:\\store\\base.vhdx", "-ValueFile", str(self.values))
        return self.run(*given, *arguments, code=code, **environment)

    def created(self) -> None:
        """As `create`, for tests of what comes after; all but the first copy what it made."""
        kept = self.keep / f"created-{self.host.compat}"
        if not kept.is_dir():
            self.create()
            kept.mkdir()
            shutil.copytree(self.host.drive, kept / "drive")
            shutil.copyfile(self.host.state_file, kept / "state.json")
            return
        shutil.copytree(kept / "drive", self.host.drive, dirs_exist_ok=True)
        shutil.copyfile(kept / "state.json", self.host.state_file)


@pytest.fixture(scope="session")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def script(host: ModelHost, keep: Path) -> Script:
    host.disk("C:\\store\\base.vhdx", gib=10)
    return Script(host, example(), keep)


def test_creating_places_everything(script: Script) -> None:
    script.create()
    machine = script.host.machine()
    assert machine["Name"] == "web"
    assert machine["Notes"] == f"eryphc:v1 catlet={CATLET} by={owner(script.host)}"
    assert (machine["Count"], machine["Dynamic"], machine["Maximum"]) == (2, True, 4 * 2**30)
    assert (machine["SecureBoot"], machine["Template"], machine["Tpm"]) == (
        "On",
        "MicrosoftUEFICertificateAuthority",
        True,
    )
    assert (machine["AutomaticCheckpoints"], machine["StopAction"]) == (False, "ShutDown")
    assert machine["Boot"][0] == "0:0"
    assert [(each["Name"], each["Mac"], each["VlanId"]) for each in machine["Adapters"]] == [
        ("eth0", "D2AB0A0B0C0D", 0),
        ("eth1", "D2AB0A0B0C0E", 42),
    ]
    assert machine["Adapters"][0]["SwitchId"] == DEFAULT_SWITCH
    assert machine["Adapters"][1]["DhcpGuard"] == "On"
    assert [(each["Path"], each["Location"]) for each in machine["Disks"]] == [
        (f"{HOME}\\sda.vhdx", 0),
        (f"C:\\disks\\{UNFINISHED}\\data.vhdx", 1),
    ]
    (tools, seed) = machine["Dvds"]
    assert (tools["Location"], tools["Path"]) == (2, None)
    assert (seed["Number"], seed["Location"]) == (0, 63)
    placed = script.host.path(seed["Path"]).read_bytes()
    assert hashlib.sha256(placed).hexdigest()[:16] in seed["Path"]
    child = read_disk(script.host, f"{HOME}\\sda.vhdx")
    base = hashlib.sha256(script.host.path("C:\\store\\base.vhdx").read_bytes()).hexdigest()
    assert child["parent"] == f"C:\\disks\\{base}.vhdx"
    assert child["size"] == 20 * 2**30
    assert "/inheritance:r" in (script.host.folder / "icacls.log").read_text(encoding="utf-8")


def owner(host: ModelHost) -> str:
    record = json.loads(host.path(f"{HOME}\\eryphc.json").read_text(encoding="ascii"))
    return str(record["by"]).replace("\\", "%5C")


def read_disk(host: ModelHost, path: str) -> dict[str, Any]:
    text = host.path(path).read_text(encoding="utf-8-sig").removeprefix("vhdxfile")
    value: dict[str, Any] = json.loads(text)
    return value


@every_engine
def test_the_slots_of_the_placed_seed_are_filled(script: Script) -> None:
    script.create()
    machine = script.host.machine()
    built = (EXAMPLE.parent / "example-seed.iso").read_bytes()
    placed = script.host.path(machine["Dvds"][1]["Path"]).read_bytes()
    assert len(placed) == len(built)
    seed = example()["seed"]
    plain = next(each for each in seed["relocations"] if each["encoding"] == "plain")
    start = plain["offset"]
    assert placed[start : start + 36] == machine["Id"].encode("ascii")
    region = next(each for each in seed["relocations"] if each["slot"] == "token")
    start, end = region["offset"], region["offset"] + region["length"]
    old, new = built[start:end], placed[start:end]
    assert [at for at, byte in enumerate(old) if byte in b"\r\n"] == [
        at for at, byte in enumerate(new) if byte in b"\r\n"
    ]
    content = base64.b64decode(new)
    assert content[region["at"] : region["at"] + 24] == OPEN_VALUE.encode("ascii")
    assert machine["Id"].encode("ascii") in content


def test_the_order_of_creating(script: Script) -> None:
    script.create()
    done = changes(script.host.calls())
    first = [
        "New-VHD",
        "New-VM",
        "Set-VM",
        "Remove-VMNetworkAdapter",
        "Set-VMFirmware",
        "Set-VMKeyProtector",
        "Enable-VMTPM",
        "Set-VMProcessor",
        "Set-VMMemory",
        "Add-VMHardDiskDrive",
        "Add-VMDvdDrive",
        "Add-VMNetworkAdapter",
        "Connect-VMNetworkAdapter",
        "Rename-VM",
    ]
    places = [done.index(each) for each in first]
    assert places == sorted(places)
    assert done[done.index("New-VM") + 1] == "Set-VM", "the marker comes at once"
    assert done[-1] == "Rename-VM"


@every_engine
def test_a_second_run_changes_nothing(script: Script) -> None:
    script.create()
    script.host.calls()
    before = (script.host.state(), tree(script.host))
    assert "nothing to do" in script.run("-WhatIf")
    script.run()
    assert changes(script.host.calls()) == []
    assert (script.host.state(), tree(script.host)) == before


def test_what_if_tells_and_changes_nothing(script: Script) -> None:
    before = tree(script.host)
    assert "create: machine web" in script.create("-WhatIf", code=4)
    assert changes(script.host.calls()) == []
    assert tree(script.host) == before


@every_engine
def test_all_refusals_come_in_one_report(script: Script) -> None:
    document = example()
    document["machine"]["processor"]["count"] = 99
    document["machine"]["firmware"]["secure_boot_template"] = "Nonsense"
    document["network_adapters"][1]["switch"]["value"] = "wlan"
    script.write(document)
    text = script.run(code=1)
    for part in ("99 processors", "`Nonsense`", "`wlan`", "`token`", "-Volume 'sda=PATH'"):
        assert part in text
    assert tree(script.host) == {"vms", "disks", "store", "store/base.vhdx"}
    assert changes(script.host.calls()) == []


def test_a_parent_that_is_larger_than_its_disk_is_not_copied(script: Script) -> None:
    script.host.disk("C:\\store\\base.vhdx", gib=30)
    before = tree(script.host)
    assert "the parent disk has 32212254720 bytes, wanted are 21474836480" in script.create(code=1)
    assert changes(script.host.calls()) == []
    assert tree(script.host) == before


def test_a_static_address_on_the_default_switch_is_noted(script: Script) -> None:
    words = "the static address 172.20.1.9 does not work on `Standardswitch`"
    assert words not in script.create("-WhatIf", code=4)
    document = example()
    document["network_adapters"][0]["addresses"] = ["172.20.1.9"]
    script.write(document)
    assert words in script.create("-WhatIf", code=4)
    assert words not in script.create("-WhatIf", "-Parameter", "switch-default=lan", code=4)


def test_what_stands_in_the_way_on_a_machine_that_is_there(script: Script) -> None:
    """Nothing of others is detached, nothing shrinks, nothing is done to a machine at work."""
    script.created()
    good = script.host.state()

    def refused(document: Document, **changes: Any) -> str:
        state = copy.deepcopy(good)
        state["vms"][0] |= changes
        script.host.write_state(state)
        script.write(document)
        text = script.run(code=1)
        assert script.host.state() == state
        return text

    machine = good["vms"][0]
    sda, data = machine["Disks"]
    script.host.disk("C:\\disks\\foreign.vhdx", gib=1)
    foreign = sda | {"Path": "C:\\disks\\foreign.vhdx"}
    text = refused(example(), Disks=[foreign, data], Work=["Ok", "MergingDisks"])
    assert "busy (MergingDisks)" in text
    assert "drive `sda`: its place 0:0 is taken by C:\\disks\\foreign.vhdx; detach that" in text
    document = example()
    document["drives"][1]["size"] //= 2
    document["machine"]["firmware"]["secure_boot_template"] = "MicrosoftWindows"
    text = refused(document, Disks=[sda, data | {"Shared": True}])
    assert "drive `data` is attached as a shared disk" in text
    assert "drive `data` has 5368709120 bytes, wanted are 2684354560" in text
    assert "cannot be changed once the TPM holds state" in text
    document = example()
    document["drives"][1]["size"] *= 2
    document["drives"][2]["location"] = 1
    document["drives"][1]["location"] = 2
    text = refused(document, Snapshots=["before"], Dvds=machine["Dvds"])
    assert "drive `data` cannot grow while the machine has checkpoints" in text
    assert "drive `data`: its place 0:2 is taken by an empty DVD drive" in text


def test_disks_that_swap_places(script: Script) -> None:
    script.created()
    document = example()
    first, second = document["drives"][:2]
    first["location"], second["location"] = 1, 0
    script.write(document)
    script.run()
    places = {disk["Path"]: disk["Location"] for disk in script.host.machine()["Disks"]}
    assert places == {f"{HOME}\\sda.vhdx": 1, f"C:\\disks\\{UNFINISHED}\\data.vhdx": 0}
    assert "nothing to do" in script.run("-WhatIf")


def test_a_volume_that_the_catlet_names_on_the_host(script: Script) -> None:
    document = example()
    document["volumes"][0]["sources"].insert(0, {"kind": "host", "path": "C:\\store\\no.vhdx"})
    script.write(document)
    assert "the host has no file C:\\store\\no.vhdx" in script.run("-WhatIf", code=1)
    document["volumes"][0]["sources"][0]["path"] = "C:\\store\\base.vhdx"
    script.write(document)
    script.run("-ValueFile", str(script.values))
    base = hashlib.sha256(script.host.path("C:\\store\\base.vhdx").read_bytes()).hexdigest()
    assert read_disk(script.host, f"{HOME}\\sda.vhdx")["parent"] == f"C:\\disks\\{base}.vhdx"


def test_limits_of_an_old_host(script: Script) -> None:
    state = script.host.state()
    state["host"] |= {"build": 14393, "processors": 999}
    script.host.write_state(state)
    document = example()
    document["machine"]["processor"] = {"count": 241, "nested_virtualization": True}
    document["machine"]["memory"]["maximum"] = 13 * 2**40
    adapter = document["network_adapters"][1]
    document["network_adapters"] += [
        adapter | {"name": f"more{number}", "mac_address": f"D2AB0000000{number}"}
        for number in range(7)
    ]
    script.write(document)
    text = script.create(code=1)
    for part in ("allows 240", "allows 13194139533312", "allows 8"):
        assert part in text


def test_a_machine_can_be_removed_when_its_switch_is_gone(script: Script) -> None:
    script.created()
    script.host.write_state(script.host.state() | {"switches": []})
    script.run("-Remove")
    assert script.host.state()["vms"] == []


def test_without_the_module_nothing_is_taken_for_gone(script: Script) -> None:
    """An empty list of machines must not let -Remove delete the disks of one that is there."""
    script.created()
    before = tree(script.host)
    done = script.host.run(
        "-File",
        str(script.folder / "deploy.ps1"),
        "-Remove",
        environment={"PSModulePath": str(script.host.folder)},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the host has no Hyper-V module" in done.stdout
    assert tree(script.host) == before


def test_a_constrained_language_is_told(script: Script) -> None:
    command = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; & $env:SCRIPT"
    done = script.host.run(
        "-Command", command, environment={"SCRIPT": str(script.folder / "deploy.ps1")}
    )
    assert "PowerShell runs in ConstrainedLanguage mode here" in done.stdout, done.stderr
    assert done.returncode == 1


@every_engine
def test_a_live_machine_takes_what_it_can(script: Script) -> None:
    script.create("-Start", "-WaitSeconds", "0")
    assert script.host.machine()["State"] == "Running"
    document = example()
    document["machine"]["name"] = "renamed"
    document["network_adapters"][0]["dhcp_guard"] = True
    document["drives"][1]["size"] *= 2
    document["machine"]["memory"]["maximum"] *= 2
    document["machine"]["processor"]["count"] = 4
    script.write(document)
    assert "processors: 2 -> 4 (needs power off)" in script.run("-WhatIf", code=4)
    text = script.run(code=4)
    assert "needs power off: processors: 2 -> 4" in text
    machine = script.host.machine()
    assert (machine["Name"], machine["Count"], machine["State"]) == ("renamed", 2, "Running")
    assert machine["Maximum"] == 8 * 2**30
    assert machine["Adapters"][0]["DhcpGuard"] == "On"
    assert read_disk(script.host, machine["Disks"][1]["Path"])["size"] == 10 * 2**30
    script.run("-Restart")
    machine = script.host.machine()
    assert (machine["Count"], machine["State"]) == (4, "Running")
    assert "nothing to do" in script.run("-WhatIf")


def test_a_killed_process_goes_on(script: Script) -> None:
    """A real kill, once; the sweep (test_kills.py) has the hosts of all."""
    done = script.host.run(
        "-File",
        str(script.folder / "deploy.ps1"),
        "-Volume",
        "sda=C:\\store\\base.vhdx",
        "-ValueFile",
        str(script.values),
        environment={"HYPERV_KILL_AT": "11"},
    )
    assert done.returncode not in (0, 1, 3, 4), "the process was killed"
    script.create()
    assert "nothing to do" in script.run("-WhatIf")
    machine = script.host.machine()
    assert [each["Name"] for each in machine["Adapters"]] == ["eth0", "eth1"]
    assert machine["Boot"][0] == "0:0"
    assert not [path for path in tree(script.host) if "eryphc-part" in path]


@pytest.mark.parametrize("cmdlet", ["New-VM", "Enable-VMTPM", "Add-VMDvdDrive", "Rename-VM"])
def test_a_failure_while_creating_is_undone(script: Script, cmdlet: str) -> None:
    before = tree(script.host)
    text = script.create(code=3, HYPERV_FAIL=cmdlet)
    assert "DeviceError" in text
    assert "undone: what this run had made" in text
    assert script.host.state()["vms"] == []
    assert ours(script.host, before) == set()


def test_a_failure_while_changing_undoes_nothing(script: Script) -> None:
    script.created()
    document = example()
    document["machine"]["name"] = "renamed"
    document["machine"]["processor"]["count"] = 4
    script.write(document)
    text = script.run(code=3, HYPERV_FAIL="Rename-VM")
    assert "Applied 1 of 2" in text
    assert "undone" not in text
    assert script.host.machine()["Count"] == 4
    script.run()
    assert script.host.machine()["Name"] == "renamed"


@every_engine
def test_removing_leaves_nothing_of_ours_and_all_else(script: Script) -> None:
    before = tree(script.host)
    script.create("-Start", "-WaitSeconds", "0")
    assert "remove: machine web" in script.run("-Remove", "-WhatIf", code=4)
    assert script.host.machine()["State"] == "Running"
    script.run("-Remove")
    assert script.host.state()["vms"] == []
    assert ours(script.host, before) == set()
    assert before <= tree(script.host)
    assert "nothing to remove" in script.run("-Remove")


def test_removing_can_keep_the_disks(script: Script) -> None:
    script.created()
    script.run("-Remove", "-KeepDisks")
    assert f"vms/{UNFINISHED}/sda.vhdx" in tree(script.host)
    assert f"disks/{UNFINISHED}/data.vhdx" in tree(script.host)
    assert f"vms/{UNFINISHED}/seed" not in tree(script.host)
    child = read_disk(script.host, f"{HOME}\\sda.vhdx")
    script.create()
    assert read_disk(script.host, f"{HOME}\\sda.vhdx") == child, "the disk that was kept"
    before = tree(script.host)
    script.run("-Remove")
    assert not [path for path in tree(script.host) & before if UNFINISHED in path]


def test_a_saved_machine_is_removed(script: Script) -> None:
    script.created()
    state = script.host.state()
    state["vms"][0]["State"] = "Saved"
    script.host.write_state(state)
    script.run("-Remove")
    assert script.host.state()["vms"] == []


def test_a_hung_machine_is_removed_when_its_process_may_be_ended(script: Script) -> None:
    script.created()
    worker = subprocess.Popen(["sleep", "600"])
    Thread(target=worker.wait, daemon=True).start()
    try:
        state = script.host.state()
        own = state["vms"][0]["Id"]
        hung = {"State": "Running", "Worker": worker.pid, "WorkerOf": own}
        state["vms"][0] |= hung | {"Refuses": True}
        script.host.write_state(state)
        assert "-EndWorker" in script.run("-Remove", code=3)
        assert worker.poll() is None
        script.run("-Remove", "-EndWorker")
        assert worker.poll() == -signal.SIGKILL
        assert script.host.state()["vms"] == []
    finally:
        worker.kill()


def test_taking_over_keeps_the_lines_of_the_user(script: Script) -> None:
    script.created()
    state = script.host.state()
    mine = "mine\r\n\r\n  more"
    state["vms"][0]["Notes"] = f"eryphc:v1 catlet={CATLET} by=HOST%5Cbob\n{mine}"
    script.host.write_state(state)
    script.run("-TakeOver")
    first, _, rest = script.host.machine()["Notes"].partition("\n")
    assert (first, rest) == (f"eryphc:v1 catlet={CATLET} by={owner(script.host)}", mine)


def test_a_described_disk_names_the_way_to_fetch_it(script: Script) -> None:
    document = example()
    url = "https://images.example/disk.qcow2"
    source = {"kind": "url", "url": url, "checksums_url": None, "format": "qcow2", "sha256": None}
    document["volumes"][0]["sources"].insert(0, source)
    document["volumes"][0]["sha256"] = None
    script.write(document)
    said = script.run("-Volume", "sdz=C:\\store\\base.vhdx", code=1)
    assert url in said
    assert "eryphc volume fetch SPEC --into genes" in said
    assert "no drive 'sdz'" in said


def test_a_guest_that_reports_nothing_is_sealed_later(script: Script) -> None:
    script.created()
    said = script.run("-Start", "-WaitSeconds", "1")
    assert "-Seal once 'cloud-init status' in the guest says done" in said
    assert "example-seed" in script.host.machine()["Dvds"][1]["Path"]


def test_without_rights_the_report_says_so_alone(script: Script) -> None:
    program = script.folder / "deploy.ps1"
    head = "function Test-Administrator {\n    param($Identity)\n"
    text = program.read_text(encoding="ascii")
    assert head in text
    program.write_text(text.replace(head, head + "    return $false\n"), encoding="ascii")
    said = script.run(code=1, HYPERV_FAIL="Get-VMHost").splitlines()
    assert len(said) == 2
    assert "Hyper-V Administrators" in said[1]


def test_a_disk_that_another_machine_uses_is_not_removed(script: Script) -> None:
    script.created()
    state = script.host.state()
    other = copy.deepcopy(state["vms"][0])
    other |= {"Id": "22222222-2222-4222-8222-222222222222", "Name": "other", "Notes": ""}
    other |= {"Adapters": [], "Dvds": []}
    script.host.write_state(state | {"vms": [*state["vms"], other]})
    assert "`other` uses" in script.run("-Remove", code=1)
    assert len(script.host.state()["vms"]) == 2


def test_a_machine_of_that_name_that_is_not_ours_is_refused(script: Script) -> None:
    script.created()
    state = script.host.state()
    state["vms"][0]["Notes"] = "someone's"
    script.host.write_state(state)
    assert "is not ours" in script.create(code=1)
    assert "`web` uses" in script.run("-Remove", code=1)
    assert len(script.host.state()["vms"]) == 1


def test_a_machine_of_another_owner_needs_take_over(script: Script) -> None:
    script.created()
    state = script.host.state()
    state["vms"][0]["Notes"] = f"my notes\neryphc:v1 catlet={CATLET} by=HOST%5Cbob"
    script.host.write_state(state)
    assert "created by HOST\\bob" in script.run(code=1)
    script.run("-TakeOver")
    lines = script.host.machine()["Notes"].split("\n")
    assert "my notes" in lines
    assert f"eryphc:v1 catlet={CATLET} by={owner(script.host)}" in lines


def test_sealing_swaps_the_iso_and_deletes_the_secret_one(script: Script) -> None:
    script.created()
    old = script.host.path(script.host.machine()["Dvds"][1]["Path"])
    script.run("-Seal")
    new = script.host.path(script.host.machine()["Dvds"][1]["Path"])
    assert "example-sealed" in new.name
    assert not old.exists()
    assert "nothing to do" in script.run("-WhatIf")
    assert "sealed already" in script.run("-Seal")


@pytest.mark.parametrize(
    "item",
    [
        {"Name": "eryph.provisioning.state", "Data": "provisioned"},
        {"Name": "CLOUD_INIT|1|finish|modules-final|7b1f", "Data": "{}"},
        {"Name": "CLOUDBASE_INIT|0|provisioning|completed|7b1f", "Data": "{}"},
    ],
    ids=["the state of eryph's agent", "the last event of cloud-init", "eryph's cloudbase-init"],
)
def test_starting_seals_once_the_guest_is_provisioned(script: Script, item: dict[str, str]) -> None:
    script.created()
    state = script.host.state()
    state["vms"][0]["KvpOnStart"] = [item]
    script.host.write_state(state)
    assert "sealed: example-sealed.iso" in script.run("-Start")
    assert "example-sealed" in script.host.machine()["Dvds"][1]["Path"]


@pytest.mark.parametrize(
    "items",
    [
        [{"Name": "eryph.provisioning.state", "Data": "failed"}],
        [{"Name": "CLOUD_INIT|1|finish|modules-final|7b1f", "Data": '{"result": "FAIL"}'}],
        [{"Name": "CLOUDBASE_INIT|0|provisioning|failed|7b1f", "Data": "{}"}],
    ],
    ids=["the state of eryph's agent", "the last event of cloud-init", "eryph's cloudbase-init"],
)
def test_a_failure_in_the_guest_ends_the_wait(script: Script, items: list[dict[str, str]]) -> None:
    script.created()
    state = script.host.state()
    state["vms"][0]["KvpOnStart"] = items
    script.host.write_state(state)
    assert "Provisioning failed in the guest" in script.run("-Start", code=3)
    assert "example-sealed" not in script.host.machine()["Dvds"][1]["Path"]


def test_another_iso_beside_the_script_is_refused(script: Script) -> None:
    iso = script.folder / "example-seed.iso"
    iso.write_bytes(iso.read_bytes()[:-1] + b"x")
    assert "is not the file that was built" in script.create(code=1)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("short", "`token` must have exactly 24 characters, not 5"),
        ("0123456789abcdefghijklm'", "`token` may hold only letters, digits and -._~+/="),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_shown(
    script: Script, value: str, fault: str
) -> None:
    script.values.write_text(f"token={value}\n", encoding="utf-8")
    text = script.create(code=1)
    assert fault in text
    assert value not in text


def test_values_come_by_standard_input_too(script: Script) -> None:
    done = script.host.run(
        "-File",
        str(script.folder / "deploy.ps1"),
        "-Volume",
        "sda=C:\\store\\base.vhdx",
        "-ValueFile",
        "-",
        stdin=f"token={OPEN_VALUE}\n",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert OPEN_VALUE not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "options", [["-Remove", "-Start"], ["-KeepDisks"], ["-Seal", "-Restart"]], ids=" ".join
)
def test_options_that_do_not_go_together(script: Script, options: list[str]) -> None:
    script.run(*options, code=2)


@pytest.mark.parametrize(
    ("host", "text"),
    [
        *(pytest.param("5.1", text, id=f"engine-5.1-{name}") for name, text in HOSTILE.items()),
        pytest.param("7", HOSTILE["quoting"], id="engine-7"),
    ],
    indirect=["host"],
)
def test_hostile_names_arrive_as_they_are(script: Script, text: str) -> None:
    script.write(hostile(example(), text))
    script.create()
    machine = script.host.machine()
    assert machine["Name"] == text
    assert machine["Adapters"][0]["Name"] == text
    assert "nothing to do" in script.run("-WhatIf")
    script.run("-Remove")
    assert script.host.state()["vms"] == []


def test_paths_with_wildcards_are_refused(script: Script) -> None:
    text = script.create("-Parameter", "folder=C:\\vms\\[a-z]*", code=1)
    assert "holds one of" in text


def test_a_vm_set_is_copied_and_converted(script: Script) -> None:
    document = example()
    drive = document["drives"][0]
    drive |= {"type": "vhd_set", "file": "sda.vhds", "create": "copy"}
    script.write(document)
    assert "must lie on a cluster shared volume or an SMB share" in script.create(code=1)
    drive["folder"] = {"value": "C:\\ClusterStorage\\one", "parameter": None}
    script.write(document)
    script.create()
    path = f"C:\\ClusterStorage\\one\\{UNFINISHED}\\sda.vhds"
    assert read_disk(script.host, path)["size"] == drive["size"]
    assert script.host.machine()["Disks"][0] == {
        "Path": path,
        "Number": 0,
        "Location": 0,
        "Shared": True,
    }
    assert not [path for path in tree(script.host) if "part" in path]
    assert "nothing to do" in script.run("-WhatIf")


def test_more_drives_than_one_controller_takes(script: Script) -> None:
    document = example()
    document["drives"].append(
        document["drives"][1] | {"name": "far", "file": "far.vhdx", "controller": 1, "location": 0}
    )
    script.write(document)
    script.create()
    assert script.host.machine()["Controllers"] == 2
    assert "nothing to do" in script.run("-WhatIf")
