"""What is said before a change: changed seeds, folders for disks, doubles, and hints by number."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eryph_runtime.faults import HostError, HostFailure
from eryph_runtime.hostpaths import folded, plain
from eryph_runtime.said import hint, note
from runtime.deployments import CATLET, EXAMPLE, Desk
from runtime.hyperv_model import Model, key

HOME = f"C:\\VMs\\eryphc-{CATLET}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def host() -> Model:
    return Model()


def changed(**more: str) -> dict[str, Any]:
    """The example with another seed, as after a change of its fodder."""
    document = copy.deepcopy(EXAMPLE)
    document["seed"] |= more
    return document


def rebuild(desk: Desk, **more: str) -> None:
    """Build another ISO of the same places."""
    iso = (desk.folder / "example-seed.iso").read_bytes()
    # The end of the image is padding.
    other = iso[:-1] + bytes([iso[-1] ^ 1])
    (desk.folder / "example-seed.iso").write_bytes(other)
    desk.write(changed(sha256=hashlib.sha256(other).hexdigest(), **more))


def ours(host: Model) -> dict[str, Any]:
    (machine,) = [each for each in host.world.machines.values() if CATLET in each["notes"]]
    return machine


def notes(desk: Desk, host: Model, command: str, *options: str) -> list[str]:
    ran = desk.run(host, command, *options)
    assert ran.code in (0, 4), ran.out + ran.err
    found: list[str] = ran.report["notes"]
    return found


def seeds(found: list[str]) -> list[str]:
    return [each for each in found if each.startswith("seed ISO")]


@pytest.mark.parametrize(
    ("guest", "instance", "told"),
    [
        ("linux", CATLET, "only the host name, boothooks, bootcmd"),
        ("windows", CATLET, "takes over nothing of it"),
        ("linux", "i-0123456789abcdef", "does all of it once more at its next start"),
        ("linux", "mine", "its instance id is mine. A guest that has run under that id"),
    ],
)
def test_what_a_changed_seed_does(
    desk: Desk, host: Model, guest: str, instance: str, told: str
) -> None:
    document = changed(instance_id=instance)
    document["guest"] = guest
    desk.write(document)
    assert seeds(notes(desk, host, "apply")) == [], "a new machine takes all of it"
    rebuild(desk, instance_id=instance)
    desk.write(desk.deployment | {"guest": guest})
    (planned,) = seeds(notes(desk, host, "plan"))
    assert told in planned
    ran = desk.run(host, "apply")
    assert seeds(ran.report["notes"]) == [planned]
    before, _, after = ran.err.partition("seed: medium")
    assert planned in before, "said before it is done"
    assert after
    assert seeds(notes(desk, host, "plan")) == []
    assert seeds(notes(desk, host, "apply")) == []


def test_the_way_to_get_it_done_is_named(desk: Desk, host: Model) -> None:
    desk.write(changed(instance_id=CATLET))
    desk.run(host, "apply")
    rebuild(desk, instance_id=CATLET)
    (told,) = seeds(notes(desk, host, "plan"))
    for way in ("cloud-init clean", "--instance-id content", "remove the machine"):
        assert way in told


def test_sealing_and_mending_the_medium_are_no_changed_seed(desk: Desk, host: Model) -> None:
    desk.run(host, "apply")
    desk.run(host, "seal")
    assert seeds(notes(desk, host, "plan")) == []
    (drive,) = [each for each in ours(host)["drives"] if each["location"] == 63]
    drive["path"] = None
    assert seeds(notes(desk, host, "plan")) == []
    (desk.folder / "token").write_text("0" * 24 + "\n", "ascii")
    assert seeds(notes(desk, host, "plan")) == [], "a sealed machine keeps its ISO"
    rebuild(desk)
    assert seeds(notes(desk, host, "plan")), "a sealed machine gets another seed"


def test_another_value_of_a_slot_is_another_seed(desk: Desk, host: Model) -> None:
    desk.run(host, "apply")
    (desk.folder / "token").write_text("0" * 24 + "\n", "ascii")
    assert seeds(notes(desk, host, "plan"))


@pytest.mark.parametrize("attribute", ["Compressed", "Encrypted", "IntegrityStream"])
@pytest.mark.parametrize("folder", ["C:\\VMs", "C:\\", "C:\\Disks"])
def test_folders_in_which_no_disk_can_be_made(
    desk: Desk, host: Model, folder: str, attribute: str
) -> None:
    if key(folder) not in host.world.folders:
        host.world.folders[key(folder)] = folder
    host.folder_attributes[folder] = ["Directory", attribute]
    if folder == "C:\\":
        # The nearest folder that is there decides.
        for each in ("C:\\VMs", "C:\\Disks", "C:\\Data"):
            host.world.folders.pop(key(each), None)
    before = host.world.snapshot()
    ran = desk.run(host, "apply")
    assert ran.code == 1
    assert f"The folder {folder} is {attribute}" in "".join(ran.report["error"]["reasons"])
    assert host.world.snapshot() == before


def test_neighbors_with_our_addresses(desk: Desk, host: Model) -> None:
    host.neighbors = [
        {"mac_address": "D2AB0A0B0C0D", "address": "192.0.2.7", "state": "Stale"},
        {"mac_address": "D2AB0A0B0C0E", "address": "192.0.2.8", "state": "Unreachable"},
        {"mac_address": "00155D000001", "address": "192.0.2.9", "state": "Reachable"},
    ]
    for command in ("plan", "apply"):
        found = [each for each in notes(desk, host, command) if "neighbor" in each]
        assert len(found) == 1
        assert found[0].startswith("adapter eth0: the host knows a neighbor 192.0.2.7")
        assert "--catlet-id" in found[0]
    assert [each for each in notes(desk, host, "plan") if "neighbor" in each] == [], "it is ours"


def test_a_new_machine_in_an_external_network_may_have_a_double(desk: Desk, host: Model) -> None:
    wanted = note("twins", adapters="eth1")
    assert wanted in notes(desk, host, "plan")
    ran = desk.run(host, "apply")
    assert wanted in ran.err.partition("create machine")[0], "said before it is made"
    assert wanted in ran.report["notes"]
    assert wanted not in notes(desk, host, "plan"), "it was said"


def test_a_network_of_the_host_alone_has_no_doubles(desk: Desk, host: Model) -> None:
    for each in host.world.switches:
        each["type"] = "Internal"
    assert [each for each in notes(desk, host, "plan") if "MAC addresses" in each] == []


def _other_owner(host: Model) -> None:
    host.account = "HOST\\bob"


def _same_address(host: Model) -> None:
    ours(host).update({"name": "other", "notes": ""})


@pytest.mark.parametrize("change", [_other_owner, _same_address])
def test_a_second_user_is_led_to_a_machine_of_its_own(
    desk: Desk, host: Model, change: Callable[[Model], None]
) -> None:
    desk.run(host, "apply")
    change(host)
    ran = desk.run(host, "plan")
    assert ran.code == 1
    assert "build with another --name, --catlet-id or project" in str(ran.report)


# Hints.


@pytest.mark.parametrize(
    ("number", "message", "part"),
    [
        (-1069940710, "", "sparse, compressed or encrypted"),
        (0xC03A001A, "", "sparse, compressed or encrypted"),
        (None, "Der Vorgang ist fehlgeschlagen. (0xC03A001A).", "sparse, compressed"),
        (-2146233079, "'web' konnte nicht gestartet werden: 0x80070005", "no right"),
        (-2147024784, "Nicht gen\u00fcgend Speicherplatz", "disk of the host is full"),
    ],
)
def test_hints_go_by_numbers(number: int | None, message: str, part: str) -> None:
    assert part in str(hint(number, message))
    error = HostError(
        step="x", object=None, category=None, id=None, hresult=number, message=message
    )
    assert HostFailure("x", error).hint == hint(number, message)


@pytest.mark.parametrize("message", ["The disk is sparse.", "0xC03A001", "0xC03A001AB", ""])
def test_words_and_other_numbers_give_no_hint(message: str) -> None:
    assert hint(None, message) is None
    assert hint(0, message) is None


# Paths that a host tells.


@pytest.mark.parametrize(
    ("told", "form"),
    [
        ("D:\\\\eryphc-x", "D:\\eryphc-x"),
        ("D:\\", "D:\\"),
        ("D:\\\\", "D:\\"),
        ("D:/VMs/", "D:\\VMs"),
        ("\\\\server\\share\\\\x\\", "\\\\server\\share\\x"),
        ("\\\\?\\Volume{1}\\x", "\\\\?\\Volume{1}\\x"),
        ("", ""),
    ],
)
def test_one_form_of_a_path(told: str, form: str) -> None:
    assert plain(told) == form
    assert plain(form) == form
    assert folded(told) == folded(form)


def test_a_machine_in_the_root_of_a_drive(desk: Desk, host: Model) -> None:
    """A host that doubles the separator is compared as one that does not."""
    assert desk.run(host, "apply", "--param", "folder=C:\\").code == 0
    machine = ours(host)
    machine["path"] = machine["path"].replace("C:\\", "C:\\\\")
    again = desk.run(host, "plan", "--param", "folder=C:\\")
    assert (again.code, again.report["changes"]) == (0, [])
