"""The commands of the runtime on the model of a host: refusals, drift, secrets, owners, removal."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example as example_case
from hypothesis import given
from hypothesis import strategies as st

from eryph_runtime.client_lock import client_lock
from eryph_runtime.command_line import run as run_command
from eryph_runtime.hostpaths import part_of
from eryph_runtime.record import mark, owner_in, same_owner
from runtime.deployments import CATLET, EXAMPLE, TOKEN, Desk
from runtime.hyperv_model import DEFAULT_SWITCH, GIB, File, Model, key, new_world, vhdx

HOME = f"C:\\VMs\\eryphc-{CATLET}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def host() -> Model:
    return Model()


@pytest.fixture
def deployed(desk: Desk, host: Model) -> Model:
    assert desk.run(host, "apply").code == 0
    return host


def ours(host: Model) -> dict[str, Any]:
    (machine,) = [each for each in host.world.machines.values() if CATLET in each["notes"]]
    return machine


def seed_file(host: Model) -> File:
    (drive,) = [each for each in ours(host)["drives"] if each["location"] == 63]
    return host.world.files[key(drive["path"])]


def example(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    result = copy.deepcopy(EXAMPLE)
    change(result)
    return result


# Refusals before anything is touched.


def _no_rights(host: Model) -> None:
    host.host |= {"administrator": False, "hyperv_administrator": False}


def _no_module(host: Model) -> None:
    host.host["module"] = None


def _constrained(host: Model) -> None:
    host.host["language_mode"] = "ConstrainedLanguage"


def _no_switch(host: Model) -> None:
    host.world.switches = host.world.switches[2:]


def _two_switches(host: Model) -> None:
    host.world.switches.append({"id": str(uuid.UUID(int=5)), "name": "Backend", "type": "Private"})


def _no_template(host: Model) -> None:
    host.host["secure_boot_templates"] = ["MicrosoftWindows"]


def _one_processor(host: Model) -> None:
    host.host["logical_processors"] = 1


def _no_tpm(host: Model) -> None:
    host.host["missing"] = ["Enable-VMTPM"]


def _name_taken(host: Model) -> None:
    next(iter(host.world.machines.values()))["name"] = "web"


def _name_taken_in_other_letters(host: Model) -> None:
    next(iter(host.world.machines.values()))["name"] = "Web"


def _mac_taken(host: Model) -> None:
    machine = next(iter(host.world.machines.values()))
    machine["network_adapters"][0]["mac_address"] = "D2AB0A0B0C0D"


def _disk_full(host: Model) -> None:
    host.free = 10


def _folder_taken(host: Model) -> None:
    host._make_folder(HOME, protect=False)
    host._put(f"{HOME}\\precious.txt", b"not ours")


def _disk_taken(host: Model) -> None:
    host._make_folder(f"D:\\Disks\\eryphc-{CATLET}", protect=False)
    host._put(f"D:\\Disks\\eryphc-{CATLET}\\data.vhdx", b"x", {"size": GIB, "parent": None})


def _two_machines(host: Model) -> None:
    for name in ("one", "two"):
        host._new_machine(name, "C:\\VMs", GIB, mark("", CATLET, "HOST\\alice"))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(_no_rights, "neither administrator", id="no rights"),
        pytest.param(_no_module, "no Hyper-V module", id="no module"),
        pytest.param(_constrained, "ConstrainedLanguage mode", id="language mode"),
        pytest.param(_no_switch, "no switch `Backend`; it has `LAN`", id="no switch"),
        pytest.param(_two_switches, "several switches named `Backend`", id="ambiguous switch"),
        pytest.param(_no_template, "no secure boot template", id="no template"),
        pytest.param(_one_processor, "2 processors; the host has 1", id="processors"),
        pytest.param(_no_tpm, "it has no Enable-VMTPM", id="no TPM"),
        pytest.param(_name_taken, "named `web` exists and is not ours", id="name taken"),
        pytest.param(_name_taken_in_other_letters, "is not ours", id="name taken, other letters"),
        pytest.param(_mac_taken, "`foreign` has the address D2AB0A0B0C0D too", id="MAC taken"),
        pytest.param(_disk_full, "10 bytes free", id="disk full"),
        pytest.param(_folder_taken, "is not empty and holds no record", id="folder taken"),
        pytest.param(_disk_taken, "is not known to be ours", id="disk file taken"),
        pytest.param(_two_machines, "several machines carry the marker", id="two of ours"),
    ],
)
def test_refused_before_anything_is_changed(
    desk: Desk, host: Model, spoil: Callable[[Model], None], reason: str
) -> None:
    spoil(host)
    before = host.world.snapshot()
    for command in ("plan", "apply"):
        ran = desk.run(host, command)
        assert ran.code == 1
        assert reason in "\n".join(ran.report["error"]["reasons"])
    assert host.world.snapshot() == before


def test_all_reasons_come_in_one_report(desk: Desk, host: Model) -> None:
    for spoil in (_no_switch, _no_template, _one_processor, _name_taken):
        spoil(host)
    reasons = desk.run(host, "plan").report["error"]["reasons"]
    assert len(reasons) == 5
    assert any("switch-default" in reason for reason in reasons)


def test_a_run_that_lacks_things_says_all_of_them(desk: Desk, host: Model) -> None:
    planned = desk.run(host, "plan", full=False)
    assert planned.code == 4
    assert len(planned.report["needs"]) == 2
    refused = desk.run(host, "apply", full=False)
    assert (refused.code, refused.report["error"]["reasons"]) == (1, planned.report["needs"])


# Parameters.


def test_parameters_are_recorded_and_can_be_changed(desk: Desk, host: Model) -> None:
    assert desk.run(host, "apply", "--param", "switch-default=LAN").code == 0
    assert ours(host)["network_adapters"][0]["switch_name"] == "LAN"
    assert desk.run(host, "plan", full=False).code == 0
    changed = desk.run(host, "plan", "--param", f"switch-default={DEFAULT_SWITCH}", full=False)
    assert [each["what"] for each in changed.report["changes"]] == ["switch"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("folder=relative", "must be an absolute Windows path"),
        ("folder=C:\\a[b]", "holds one of"),
        ("other=1", "has no parameter `other`"),
    ],
)
def test_parameters_that_are_refused(desk: Desk, host: Model, value: str, reason: str) -> None:
    ran = desk.run(host, "plan", "--param", value)
    assert ran.code == 1
    assert reason in ran.report["error"]["reasons"][0]


# Drift.


def _more_memory(machine: dict[str, Any]) -> None:
    machine["memory"]["startup"] *= 2


def _other_notes(machine: dict[str, Any]) -> None:
    machine["notes"] += "\nmy own words"


def _moved_switch(machine: dict[str, Any]) -> None:
    machine["network_adapters"][1] |= {"switch": None, "switch_name": None}


def _no_iso(machine: dict[str, Any]) -> None:
    machine["drives"][-1]["path"] = None


def _more_adapters(machine: dict[str, Any]) -> None:
    more = dict(machine["network_adapters"][0], name="extra", mac_address="D2AB00000099", id="x")
    machine["network_adapters"].append(more)


@pytest.mark.parametrize(
    ("drift", "told"),
    [
        pytest.param(_more_memory, ["startup memory"], id="memory"),
        pytest.param(_other_notes, [], id="notes of the user"),
        pytest.param(_moved_switch, ["switch"], id="switch"),
        pytest.param(_no_iso, ["medium"], id="ISO ejected"),
        pytest.param(_more_adapters, [], id="another adapter is left alone"),
    ],
)
def test_drift_is_told_and_mended(
    desk: Desk, deployed: Model, drift: Callable[[dict[str, Any]], None], told: list[str]
) -> None:
    drift(ours(deployed))
    planned = desk.run(deployed, "plan", full=False)
    assert [each["what"] for each in planned.report["changes"]] == told
    assert planned.code == (4 if told else 0)
    assert desk.run(deployed, "apply", full=False).code == 0
    assert desk.run(deployed, "plan", full=False).code == 0


def test_what_is_not_ours_is_left_alone_and_told(desk: Desk, deployed: Model) -> None:
    machine = ours(deployed)
    disk = {"size": GIB, "parent": None}
    deployed._put("D:\\Images\\users.vhdx", b"users", disk)
    deployed._attach_disk(machine["id"], 0, 9, "D:\\Images\\users.vhdx", shared=False)
    _more_adapters(machine)
    planned = desk.run(deployed, "plan", full=False)
    assert planned.code == 0
    notes = "\n".join(planned.report["notes"])
    assert "D:\\Images\\users.vhdx" in notes
    assert "`extra`" in notes
    assert desk.run(deployed, "remove", full=False).code == 0
    assert key("D:\\Images\\users.vhdx") in deployed.world.files


def test_a_damaged_seed_is_replaced(desk: Desk, deployed: Model) -> None:
    seed_file(deployed).content = b"damaged"
    planned = desk.run(deployed, "plan")
    assert [each["object"] for each in planned.report["changes"]] == ["seed"]
    assert desk.run(deployed, "apply").code == 0
    assert TOKEN.encode() in decoded(seed_file(deployed).content)


def decoded(iso: bytes) -> bytes:
    return base64.b64decode(iso[3000:3118])


# Slots and secrets.


def test_the_placed_iso_holds_the_machines_id_and_the_value(desk: Desk, deployed: Model) -> None:
    content, identifier = seed_file(deployed).content, ours(deployed)["id"].encode()
    assert content[2053:2089] == identifier
    assert decoded(content) == b"#!/bin/sh\necho token " + TOKEN.encode() + b" id " + (
        identifier + b"\n"
    )
    assert len(content) == 4096


def test_another_value_is_a_change_of_the_medium(desk: Desk, deployed: Model) -> None:
    old = seed_file(deployed).path
    (desk.folder / "token").write_text("z" * 24, encoding="ascii")
    assert desk.run(deployed, "plan").code == 4
    assert desk.run(deployed, "apply").code == 0
    assert b"z" * 24 in decoded(seed_file(deployed).content)
    assert key(old) not in deployed.world.files
    assert desk.run(deployed, "plan", full=False).code == 0


def test_no_value_is_ever_told(desk: Desk, host: Model) -> None:
    ran = desk.run(host, "apply", "--start", "--wait", "0")
    record = host._text(HOME + "\\eryphc.json") or ""
    texts = (ran.out, ran.err, record, json.dumps(host.log), repr(ours(host)))
    assert not any(TOKEN in text for text in texts)


@pytest.mark.parametrize(
    ("options", "stdin"),
    [
        pytest.param([], f"token={TOKEN}\n", id="lines on standard input"),
        pytest.param(["--value-file", "token=-"], f"{TOKEN}\n", id="all of standard input"),
    ],
)
def test_values_on_standard_input(desk: Desk, host: Model, options: list[str], stdin: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    code = run_command(
        ["apply", str(desk.folder), "--volume", f"sda={desk.folder / 'base.vhdx'}", *options],
        connect=lambda _address, _program: host,
        stdin=io.StringIO(stdin),
        stdout=out,
        stderr=err,
    )
    assert code == 0, err.getvalue()
    assert TOKEN.encode() in decoded(seed_file(host).content)


def test_sealing_swaps_the_iso_and_is_no_difference(desk: Desk, deployed: Model) -> None:
    first = seed_file(deployed).path
    assert desk.run(deployed, "status", full=False).report["seal"] == "pending"
    assert desk.run(deployed, "start", full=False).code == 0
    sealed = desk.run(deployed, "seal", full=False)
    assert (sealed.code, sealed.report["seal"]) == (0, "sealed")
    assert key(first) not in deployed.world.files
    assert seed_file(deployed).content[3000:] == b"\0" * 1096
    for full in (True, False):
        planned = desk.run(deployed, "plan", full=full)
        assert (planned.code, planned.report["seal"]) == (0, "sealed")
    # Idempotent; a new build brings its secrets back until it is sealed again.
    assert desk.run(deployed, "seal", full=False).code == 0
    iso = (desk.folder / "example-seed.iso").read_bytes()[:-1] + b"\1"
    (desk.folder / "example-seed.iso").write_bytes(iso)
    desk.write(
        example(lambda document: document["seed"].update(sha256=hashlib.sha256(iso).hexdigest()))
    )
    assert desk.run(deployed, "apply").report["seal"] == "pending"
    assert desk.run(deployed, "plan", full=False).code == 0


def test_apply_seals_once_the_guest_has_told_that_it_is_done(desk: Desk, host: Model) -> None:
    host.kvp = {"CLOUD_INIT|1700000000|finish|modules-final|a-b": "{}"}
    ran = desk.run(host, "apply", "--start", "--wait", "5")
    assert (ran.code, ran.report["seal"]) == (0, "sealed")


STATE, FINAL = "eryph.provisioning.state", "CLOUD_INIT|{}|finish|modules-final|a-b"


@pytest.mark.parametrize(
    ("kvp", "code", "state"),
    [
        pytest.param({STATE: "completed"}, 0, "sealed", id="eryph's guest services"),
        pytest.param({STATE: "Failed"}, 3, "pending", id="which failed"),
        pytest.param(
            *({STATE: "running", FINAL.format(1): "{}"}, 0, "pending"), id="which are at work"
        ),
        pytest.param({FINAL.format(1): '{"result": "WARN"}'}, 0, "sealed", id="cloud-init"),
        pytest.param({FINAL.format(1): '{"result": "FAIL"}'}, 3, "pending", id="which failed"),
        pytest.param(
            {FINAL.format(9): '{"result": "FAIL"}', FINAL.format(10): '{"result": "SUCCESS"}'},
            *(0, "sealed"),
            id="a later boot counts",
        ),
        pytest.param(
            {FINAL.format(1): '{"msg": "\\"result\\": \\"FAIL\\""}'}, 0, "sealed", id="a quote"
        ),
        pytest.param(
            *({"CLOUDBASE_INIT|0|provisioning|completed|x": "{}"}, 0, "sealed"),
            id="eryph's cloudbase-init",
        ),
        pytest.param({"CLOUDBASE_INIT|0|provisioning|running|x": "{}"}, 0, "pending", id="not yet"),
        pytest.param(
            *({"CLOUDBASE_INIT|0|provisioning|failed|x": "{}"}, 3, "pending"), id="which failed too"
        ),
    ],
)
def test_three_reporters_tell_how_provisioning_ended(
    desk: Desk, host: Model, kvp: dict[str, str], code: int, state: str
) -> None:
    host.kvp = kvp
    ran = desk.run(host, "apply", "--start", "--wait", "0")
    assert ran.code == code
    if code:
        assert "provisioning failed" in str(ran.report["error"])
        ran = desk.run(host, "status", full=False)
    assert ran.report["seal"] == state


def test_cloud_init_can_be_asked_over_ssh(
    desk: Desk, host: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{said}"\necho "status: running"\n', "ascii")
    program.chmod(0o755)
    monkeypatch.setenv("ERYPH_SSH", str(program))
    ran = desk.run(host, "apply", "--start", "--wait", "0", "--guest-user", "admin")
    assert (ran.code, ran.report["seal"]) == (0, "pending")
    first = said.read_text("ascii").splitlines()[0]
    assert (
        first == "-T -o BatchMode=yes -o ConnectTimeout=10 -l admin -- 10.0.0.5 cloud-init status"
    )
    program.write_text("#!/bin/sh\necho 'status: done'\n", "ascii")
    sealed = desk.run(host, "seal", "--wait", "0", "--guest-user", "admin", full=False)
    assert (sealed.report["seal"], sealed.report["channel"]) == ("sealed", "ssh")


def test_a_guest_that_tells_nothing_stays_pending(desk: Desk, host: Model) -> None:
    host.kvp = {"CLOUD_INIT|1|finish|modules-final/config-x|a": "{}", "x": "modules-final"}
    ran = desk.run(host, "apply", "--start", "--wait", "0")
    assert (ran.code, ran.report["seal"]) == (0, "pending")
    assert "still holds secrets" in ran.report["notes"][-1]


# Owners.


def test_a_machine_of_somebody_else_is_adopted_by_a_line_in_its_notes(
    desk: Desk, deployed: Model
) -> None:
    machine = ours(deployed)
    machine["notes"], machine["processor"]["count"] = "kept words", 7
    # What our runs left on the host is gone too: nothing says that it was made from here.
    for path in [each for each in deployed.world.files if each.endswith("eryphc.json")]:
        del deployed.world.files[path]
    (reason,) = [
        each
        for each in desk.run(deployed, "plan", full=False).report["error"]["reasons"]
        if "is not ours" in each
    ]
    line = reason.partition("the line `")[2].rstrip("`")
    machine["notes"] += f"\n{line}"
    assert desk.run(deployed, "plan", full=False).code == 4
    assert desk.run(deployed, "apply").code in (0, 4)
    assert desk.run(deployed, "apply", "--restart", full=False).code == 0
    assert machine["processor"]["count"] != 7
    assert desk.run(deployed, "plan", full=False).code == 0
    assert "kept words" in ours(deployed)["notes"].splitlines()


def test_another_users_machine_is_refused_without_take_over(desk: Desk, deployed: Model) -> None:
    ours(deployed)["notes"] += "\nkept words"
    deployed.account = "HOST\\bob"
    for command in ("apply", "plan", "start", "stop", "seal", "remove"):
        ran = desk.run(deployed, command, full=False)
        assert ran.code == 1, command
        assert "was created by HOST\\alice" in ran.report["error"]["reasons"][0]
    assert desk.run(deployed, "status", full=False).code == 0
    taken = desk.run(deployed, "apply", "--take-over", full=False)
    assert taken.code == 0
    assert owner_in(ours(deployed)["notes"], CATLET) == "HOST\\bob"
    assert "kept words" in ours(deployed)["notes"].splitlines()
    assert desk.run(deployed, "plan", full=False).code == 0


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("HOST\\alice", "host\\ALICE", True),
        ("HOST\\admin/alice", "HOST\\admin", True),
        ("HOST\\admin/alice", "HOST\\admin/bob", False),
        ("HOST\\alice", "HOST\\bob", False),
        ("", "HOST\\bob", False),
    ],
)
def test_owners(first: str, second: str, same: bool) -> None:  # noqa: FBT001
    assert same_owner(first, second) is same


@example_case(owner="0", notes="first\x85second\r\nthird\u2028")
@given(
    owner=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    notes=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_the_marker_keeps_owner_and_notes(owner: str, notes: str) -> None:
    marked = mark(notes, CATLET, owner)
    assert owner_in(marked, CATLET) == owner
    assert marked.partition("\n")[2] == notes
    assert mark(marked, CATLET, owner) == marked


# Volumes.


def test_a_volume_in_a_pool_is_found(desk: Desk, host: Model, tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    (pool / "acme").mkdir(parents=True)
    shutil.move(desk.folder / "base.vhdx", pool / "acme/sda.vhdx")
    source = {"kind": "pool", "path": "acme/sda.vhdx", "sha256": None}
    desk.write(example(lambda document: document["volumes"][0]["sources"].insert(0, source)))
    options = ("--pool", str(pool), "--value-file", f"token={desk.folder / 'token'}")
    assert desk.run(host, "apply", *options, full=False).code == 0


@pytest.mark.parametrize("path", ["../secret.vhdx", "/etc/passwd", "a\\..\\b"])
def test_a_pool_path_cannot_leave_its_pool(desk: Desk, host: Model, path: str) -> None:
    source = {"kind": "pool", "path": path, "sha256": None}
    desk.write(example(lambda document: document["volumes"][0]["sources"].insert(0, source)))
    ran = desk.run(host, "plan", "--pool", str(desk.folder), full=False)
    assert (ran.code, "leaves its pool" in ran.report["error"]["reasons"][0]) == (1, True)


def test_a_volume_on_the_host_is_copied_to_the_store(desk: Desk, host: Model) -> None:
    host._put("D:\\Images\\base.vhdx", vhdx(2), {"size": 2 * GIB, "parent": None})
    options = ("--volume", "sda=D:/Images/base.vhdx", "--value-file", f"token={desk.folder}/token")
    ran = desk.run(host, "apply", *options, full=False)
    assert ran.code == 0, ran
    (disk,) = [each for each in ours(host)["drives"] if each["location"] == 0]
    parent = host._chain(disk["path"])[1]
    assert parent.startswith("C:\\Disks\\")
    assert key("D:\\Images\\base.vhdx") in host.world.files


def test_volumes_that_are_refused(desk: Desk, host: Model, tmp_path: Path) -> None:
    qcow = tmp_path / "image.qcow2"
    qcow.write_bytes(b"QFI\xfb")
    desk.write(example(lambda document: document["volumes"][0].update(sha256="0" * 64)))
    for path, reason in (
        (qcow, "is no VHDX file"),
        (tmp_path / "absent.vhdx", "cannot be read"),
        (desk.folder / "base.vhdx", "is not the volume of drive `sda`"),
        ("host:D:\\absent.vhdx", "the host has no file"),
    ):
        ran = desk.run(host, "plan", "--volume", f"sda={path}", full=False)
        assert ran.code == 1
        assert reason in ran.report["error"]["reasons"][0]


def test_a_parent_that_was_changed_is_refused(desk: Desk, deployed: Model) -> None:
    assert desk.run(deployed, "remove", full=False).code == 0
    (store,) = [each for each in deployed.world.files.values() if each.read_only]
    store.content += b"!"
    ran = desk.run(deployed, "apply")
    assert (ran.code, "was changed" in ran.report["error"]["reasons"][0]) == (1, True)


def test_a_sparse_parent_is_refused(desk: Desk, deployed: Model) -> None:
    assert desk.run(deployed, "remove", full=False).code == 0
    (store,) = [each for each in deployed.world.files.values() if each.read_only]
    store.attributes.add("SparseFile")
    ran = desk.run(deployed, "apply")
    assert (ran.code, "SparseFile" in ran.report["error"]["reasons"][0]) == (1, True)


def test_a_large_file_goes_on_where_it_was_cut(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / "base.vhdx").write_bytes(vhdx(2, b"x" * (9 * 1024 * 1024)))
    world = new_world()
    cut = Model(world)
    # Folder, record, then two of three pieces.
    cut.kill_after = 4
    assert desk.run(cut, "apply").code == 3
    (part,) = [each for each in world.files.values() if "eryphc-part" in each.path]
    assert len(part.content) == 8 * 1024 * 1024
    host = Model(world)
    received: list[int] = []
    inner = host._receive

    def counting(path: str, size: int, offset: int, payload: bytes) -> Any:
        received.append(len(payload))
        return inner(path, size, offset, payload)

    host._receive = counting  # type: ignore[method-assign]
    assert desk.run(host, "apply").code == 0
    assert received[0] == 9 * 1024 * 1024 + 12 - 8 * 1024 * 1024


def test_a_part_of_another_file_is_sent_again(desk: Desk, host: Model) -> None:
    digest = hashlib.sha256((desk.folder / "base.vhdx").read_bytes()).hexdigest()
    host._put(part_of(f"C:\\Disks\\{digest}.vhdx"), b"garbage")
    assert desk.run(host, "apply").code == 0


# Removal.


def test_remove_refuses_disks_that_others_use(desk: Desk, deployed: Model) -> None:
    child = {"size": 8 * GIB, "parent": f"D:\\Disks\\eryphc-{CATLET}\\data.vhdx"}
    deployed._put("D:\\Images\\child.vhdx", b"child", child)
    foreign = next(each for each in deployed.world.machines.values() if each["name"] == "foreign")
    deployed._attach_disk(foreign["id"], 0, 5, "D:\\Images\\child.vhdx", shared=False)
    before = deployed.world.snapshot()
    ran = desk.run(deployed, "remove", full=False)
    assert ran.code == 1
    assert "`foreign` uses" in ran.report["error"]["reasons"][0]
    assert deployed.world.snapshot() == before


def test_kept_disks_are_taken_again(desk: Desk, deployed: Model) -> None:
    disks = {
        each["path"]: deployed.world.files[key(each["path"])].content
        for each in ours(deployed)["drives"]
        if each["kind"] == "disk"
    }
    removed = desk.run(deployed, "remove", "--keep-disks", full=False)
    assert sorted(removed.report["kept"]) == sorted(disks)
    again = desk.run(deployed, "apply")
    assert again.code == 0, again
    for path, content in disks.items():
        assert deployed.world.files[key(path)].content == content
    assert desk.run(deployed, "remove", full=False).code == 0
    assert not any(CATLET in name for name in deployed.world.files)


def test_a_record_cannot_make_remove_delete_elsewhere(desk: Desk, deployed: Model) -> None:
    deployed._put("D:\\Images\\precious.vhdx", b"precious")
    record = deployed.world.files[key(f"{HOME}\\eryphc.json")]
    data = json.loads(record.content)
    data["created"] += [
        {"kind": "file", "path": "D:\\Images\\precious.vhdx"},
        {"kind": "file", "path": f"{HOME}\\..\\..\\Disks\\x.vhdx"},
        {"kind": "folder", "path": "D:\\Images"},
    ]
    record.content = json.dumps(data).encode("ascii")
    assert desk.run(deployed, "remove", full=False).code == 0
    assert key("D:\\Images\\precious.vhdx") in deployed.world.files


# Power.


def test_stopping(desk: Desk, deployed: Model) -> None:
    assert desk.run(deployed, "start", full=False).report["changed"] is True
    assert desk.run(deployed, "start", full=False).report["changed"] is False
    deployed.guest_answers_shutdown = False
    refused = desk.run(deployed, "stop", full=False)
    assert (refused.code, "stop --force" in refused.report["error"]["reasons"][0]) == (1, True)
    deployed.shutdown_code = 32781
    refused = desk.run(deployed, "stop", full=False)
    assert "while a session in it is locked" in refused.report["error"]["reasons"][0]
    assert desk.run(deployed, "stop", "--force", full=False).code == 0
    assert ours(deployed)["state"] == "Off"


def test_a_guest_that_is_slow_to_shut_down(desk: Desk, deployed: Model) -> None:
    desk.run(deployed, "start", full=False)
    deployed.guest_is_slow = True
    refused = desk.run(deployed, "stop", "--wait", "7", full=False)
    assert (refused.code, "longer than 7 s" in refused.report["error"]["reasons"][0]) == (1, True)
    assert desk.run(deployed, "stop", "--force", full=False).code == 0
    assert ours(deployed)["state"] == "Off"


def test_a_machine_that_does_not_turn_off(desk: Desk, deployed: Model) -> None:
    desk.run(deployed, "start", full=False)
    deployed.worker_hangs = True
    failed = desk.run(deployed, "stop", "--force", full=False)
    assert (failed.code, "stop --end-worker" in failed.report["error"]["reasons"][0]) == (3, True)
    failed = desk.run(deployed, "remove", full=False)
    assert (failed.code, ours(deployed)["state"]) == (3, "Running")
    assert desk.run(deployed, "stop", "--end-worker", full=False).code == 0
    assert ours(deployed)["state"] == "Off"


def test_a_machine_that_refuses_to_turn_off(desk: Desk, deployed: Model) -> None:
    desk.run(deployed, "start", full=False)
    deployed.worker_hangs = deployed.hung_refuses = True
    deployed.guest_answers_shutdown = False
    failed = desk.run(deployed, "stop", "--force", full=False)
    assert failed.code == 3
    assert "current state" in failed.report["error"]["reasons"][0]
    assert desk.run(deployed, "stop", "--end-worker", full=False).code == 0
    assert ours(deployed)["state"] == "Off"


def test_a_machine_that_is_stopping_is_not_started(desk: Desk, deployed: Model) -> None:
    desk.run(deployed, "start", full=False)
    ours(deployed)["state"] = "Stopping"
    deployed.log.clear()
    assert desk.run(deployed, "stop", "--force", full=False).code == 0
    assert [name for name, _ in deployed.log] == ["stop-machine"]


@pytest.mark.parametrize("state", ["Saved", "Paused", "Running"])
def test_removing_a_machine_in_any_state(desk: Desk, deployed: Model, state: str) -> None:
    ours(deployed)["state"] = state
    assert desk.run(deployed, "remove", full=False).code == 0
    assert [each["name"] for each in deployed.world.machines.values()] == ["foreign"]


def test_a_medium_that_the_host_lacks_is_refused_first(desk: Desk, host: Model) -> None:
    document = copy.deepcopy(desk.deployment)
    (dvd,) = [each for each in document["drives"] if each["type"] == "dvd"]
    dvd["media"] = "C:\\Images\\absent.iso"
    desk.write(document)
    ran = desk.run(host, "apply")
    assert ran.code == 1
    assert any("C:\\Images\\absent.iso" in each for each in ran.report["error"]["reasons"])
    assert host.log == []


def test_a_described_volume_names_the_way_to_fetch_it(desk: Desk, host: Model) -> None:
    document = copy.deepcopy(desk.deployment)
    url = "https://images.example/disk.qcow2"
    source = {"kind": "url", "url": url, "checksums_url": None, "format": "qcow2", "sha256": None}
    document["volumes"][0]["sources"].insert(0, source)
    desk.write(document)
    (need,) = [each for each in desk.run(host, "plan", full=False).report["needs"] if url in each]
    assert "eryphc volume fetch SPEC --into genes" in need


@pytest.mark.parametrize("state", ["Saved", "Paused"])
def test_a_saved_machine_counts_as_running_for_changes(
    desk: Desk, deployed: Model, state: str
) -> None:
    ours(deployed)["state"] = state
    desk.write(example(lambda document: document["machine"]["processor"].update(count=4)))
    assert desk.run(deployed, "apply", full=False).code == 4
    assert ours(deployed)["state"] == state
    assert desk.run(deployed, "apply", "--restart", full=False).code == 0
    assert ours(deployed)["processor"]["count"] == 4


@pytest.mark.parametrize("command", ["start", "stop", "ip", "seal"])
def test_commands_on_a_machine_that_is_not_there(desk: Desk, host: Model, command: str) -> None:
    assert desk.run(host, command, full=False).code == 1
    assert desk.run(host, "status", full=False).report["machine"] is None


def test_addresses(desk: Desk, deployed: Model) -> None:
    assert desk.run(deployed, "ip", full=False).code == 1
    assert desk.run(deployed, "start", full=False).code == 0
    told = desk.run(deployed, "ip", "--wait", "10", full=False).report["addresses"]
    assert told[0] == {"address": "10.0.0.5", "source": "adapter", "adapter": "eth0"}
    deployed.address_after = 10**6
    desk.write(example(lambda document: document["network_adapters"][1].update(addresses=[])))
    refused = desk.run(deployed, "ip", full=False)
    assert "does not answer yet" in refused.report["error"]["reasons"][0]


def test_addresses_that_the_guest_does_not_tell(desk: Desk, deployed: Model) -> None:
    """Without its KVP daemon: what the deployment knows, then the Default Switch's own names."""
    deployed.tells_addresses = False
    assert desk.run(deployed, "ip", full=False).code == 1, "it does not run"
    assert desk.run(deployed, "start", full=False).code == 0
    told = desk.run(deployed, "ip", "--wait", "10", full=False).report["addresses"]
    assert told == [
        {"address": "192.0.2.7", "source": "deployment", "adapter": "eth1"},
        {"address": "2001:db8::7", "source": "deployment", "adapter": "eth1"},
    ]
    desk.write(example(lambda document: document["network_adapters"][1].update(addresses=[])))
    refused = desk.run(deployed, "ip", full=False)
    assert "hyperv-daemons" in refused.report["error"]["reasons"][0]
    deployed.names = {"web.mshome.net": ["172.20.1.9", "fe80::9"]}
    told = desk.run(deployed, "ip", full=False).report["addresses"]
    on_default = ours(deployed)["network_adapters"][0]["switch"] == DEFAULT_SWITCH
    assert on_default
    assert told == [{"address": "172.20.1.9", "source": "host-name", "adapter": None}]


# The edges.


def test_a_switch_can_be_named_by_its_id(desk: Desk, host: Model) -> None:
    lan = next(each for each in host.world.switches if each["name"] == "LAN")
    assert desk.run(host, "apply", "--param", f"switch-default={lan['id'].upper()}").code == 0
    assert ours(host)["network_adapters"][0]["switch"] == lan["id"]
    assert desk.run(host, "plan", full=False).code == 0


def test_a_damaged_disk_of_ours_is_not_attached(desk: Desk, deployed: Model) -> None:
    machine = ours(deployed)
    path = next(each["path"] for each in machine["drives"] if each["location"] == 0)
    machine["drives"] = [each for each in machine["drives"] if each["location"] != 0]
    disk = deployed.world.files[key(path)].disk
    assert disk is not None
    disk["parent"] = "C:\\gone.vhdx"
    refused = desk.run(deployed, "apply", full=False)
    assert refused.code == 1
    assert "damaged or missing (Test-VHD)" in refused.report["error"]["reasons"][0]


def test_a_powershell_that_may_not_run_the_program(desk: Desk, tmp_path: Path) -> None:
    program = tmp_path / "powershell"
    program.write_text("#!/bin/sh\nexit 9\n", encoding="ascii")
    program.chmod(0o755)
    out, err = io.StringIO(), io.StringIO()
    arguments = ["plan", str(desk.folder), "--powershell", str(program)]
    assert run_command(arguments, stdin=io.StringIO(), stdout=out, stderr=err) == 1
    assert "constrained language mode" in err.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["fly", "x"], id="unknown command"),
        pytest.param(["plan"], id="no deployment"),
        pytest.param(["plan", "x", "--frob"], id="unknown option"),
        pytest.param(["apply", "DESK", "--wait", "soon"], id="no number of seconds"),
        pytest.param(["plan", "DESK", "--param", "novalue"], id="parameter without value"),
        pytest.param(["plan", "DESK", "--volume", "sdz=x"], id="unknown drive"),
        pytest.param(["plan", "DESK", "--value-file", "x=y"], id="unknown slot"),
        pytest.param(["plan", "DESK", "--host", "ftp://x"], id="unknown way"),
        pytest.param(["seal", "DESK", "--guest-user", "-oProxyCommand=x"], id="option as user"),
        pytest.param(["plan", "DESK", "--host", "ssh://-oProxyCommand=x"], id="option as host"),
    ],
)
def test_wrong_usage(desk: Desk, arguments: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    filled = [str(desk.folder) if each == "DESK" else each for each in arguments]
    assert run_command(filled, stdin=io.StringIO(), stdout=out, stderr=err) == 2
    assert err.getvalue().startswith("error: ")
    assert out.getvalue() == ""


def test_a_deployment_that_is_none(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    file = tmp_path / "deployment.json"
    for text in (None, "{", "[]", '{"schema": "other"}', "\x00\xff"):
        if text is not None:
            file.write_text(text, encoding="utf-8")
        assert run_command(["plan", str(file)], stdin=io.StringIO(), stdout=out, stderr=err) == 1
    assert "Traceback" not in err.getvalue()


class Interrupted(Model):
    def request(self, *_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt


def test_interrupted(desk: Desk) -> None:
    host = Interrupted()
    assert desk.run(host, "apply").code == 130
    assert host.closed


class Broken(Model):
    def request(self, operation: str, arguments: dict[str, Any], **more: Any) -> Any:
        if operation == "read":
            return {"host": "unexpected"}
        return super().request(operation, arguments, **more)


def test_a_host_that_answers_nonsense(desk: Desk) -> None:
    ran = desk.run(Broken(), "plan")
    assert (ran.code, ran.report["error"]["kind"]) == (3, "host")


def test_two_runs_exclude_each_other(desk: Desk, host: Model) -> None:
    other = Model(host.world)
    other.request("lock", {"catlet": CATLET, "seconds": 1})
    ran = desk.run(host, "apply")
    assert (ran.code, "another run" in ran.report["error"]["reasons"][0]) == (1, True)
    other.close()
    with client_lock(CATLET, "local", "apply"):
        ran = desk.run(host, "apply")
        assert (ran.code, "another run" in ran.report["error"]["reasons"][0]) == (1, True)
        assert desk.run(host, "plan").code == 4
    assert desk.run(host, "apply").code == 0


def test_failures_are_told_with_their_usual_cause(desk: Desk, deployed: Model) -> None:
    ours(deployed)["processor"]["count"] = 99
    ran = desk.run(deployed, "start", full=False)
    assert ran.code == 3
    assert ran.report["error"]["step"] == "start-machine"


def test_text_output_names_every_change_and_no_terminal_code(desk: Desk, host: Model) -> None:
    desk.write(example(lambda document: document["machine"].update(name="web\u001b[31m\u202e")))
    out, err = io.StringIO(), io.StringIO()
    code = run_command(
        ["plan", str(desk.folder)],
        connect=lambda _address, _program: host,
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
    )
    assert code == 4
    assert "  + machine: machine = web\\u001b[31m\\u202e" in out.getvalue()
    assert "\x1b" not in out.getvalue() + err.getvalue()


def test_what_is_still_needed_is_not_nothing_to_do(desk: Desk, deployed: Model) -> None:
    (desk.folder / "example-seed.iso").write_bytes(b"x")
    arguments = ["plan", str(desk.folder), "--value-file", "token=-"]
    out = io.StringIO()
    code = run_command(arguments, connect=lambda *_: deployed, stdin=io.StringIO(TOKEN), stdout=out)
    assert code == 4
    assert "copy the whole folder again" in out.getvalue()
    assert "nothing to do" not in out.getvalue()


@given(
    st.dictionaries(st.text(), st.text(), max_size=5),
    st.lists(st.text(), max_size=5).map(tuple),
)
def test_what_a_guest_says_is_only_data(kvp: dict[str, str], told: tuple[str, ...]) -> None:
    from eryph_runtime.document import read
    from eryph_runtime.running import addresses, provisioned
    from eryph_runtime.state import GuestAdapter, GuestItems, GuestState

    seen = GuestState(
        state="Running",
        operational_status=(),
        heartbeat=None,
        uptime=None,
        adapters=(GuestAdapter(id="", name="", mac_address="", addresses=told),),
        kvp=GuestItems(guest=kvp, intrinsic=kvp | {"NetworkAddressIPv4": ";".join(told)}),
        guest_network=(),
        neighbors=(),
        names=(),
    )
    provisioned(seen)
    for each in addresses(seen, read(EXAMPLE)):
        assert set(each.address) <= set("0123456789abcdef.:")


def test_bridges_inside_the_guest_are_no_addresses() -> None:
    from eryph_runtime.document import read
    from eryph_runtime.running import addresses
    from eryph_runtime.state import GuestItems, GuestState

    told = "172.17.0.1;172.20.1.9;192.168.122.1;10.88.0.1;10.0.3.1;10.0.0.7"
    seen = GuestState(
        state="Off",
        operational_status=(),
        heartbeat=None,
        uptime=None,
        adapters=(),
        kvp=GuestItems(guest={}, intrinsic={"NetworkAddressIPv4": told}),
        guest_network=(),
        neighbors=(),
        names=(),
    )
    found = [each.address for each in addresses(seen, read(EXAMPLE))]
    assert found == ["172.20.1.9", "10.0.0.7"]
