"""Names of disks that a machine on Hyper-V does not keep."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from eryphc.guest.model import GuestKind, MergeMode
from saying import said
from targets.hyperv.building import Result, build

DRIVES = "drives:\n- name: sda\n- {name: data, size: 10}\n- {name: cd, type: dvd}\n"


def fodder(config: dict[str, Any], kind: str = "cloud-config", first: str = "") -> str:
    text = first + yaml.safe_dump(config)
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{DRIVES}fodder:\n- name: disks\n  type: {kind}\n  content: |\n{lines}"


def found(result: Result) -> list[str]:
    return [said(d).message for d in result.diagnostics if d.code.number == "W0720"]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (
            {"disk_setup": {"/dev/sdb": {"table_type": "gpt"}}},
            "`disk_setup` names a disk `/dev/sdb`",
        ),
        ({"fs_setup": [{"device": "/dev/sdb1", "filesystem": "ext4"}]}, "`fs_setup` names a disk"),
        ({"mounts": [["/dev/sda2", "/srv"]]}, "`mounts` names a disk `/dev/sda2`"),
        ({"mounts": [["sdb", "/srv"]]}, "`mounts` names a disk `sdb`"),
        ({"swap": {"filename": "/dev/sdb2", "size": 0}}, "`swap` names a disk `/dev/sdb2`"),
        ({"growpart": {"devices": ["/", "/dev/sdb1"]}}, "`growpart` names a disk `/dev/sdb1`"),
        ({"device_aliases": {"data": "/dev/sdb"}}, "`device_aliases` names a disk `/dev/sdb`"),
        ({"mounts": [["/dev/vdb", "/srv"]]}, "no disk of a Hyper-V machine has such a name"),
        ({"mounts": [["/dev/nvme0n1p1", "/srv"]]}, "no disk of a Hyper-V machine has such a name"),
    ],
)
def test_names_that_change(config: dict[str, Any], wanted: str) -> None:
    (message,) = found(build(fodder(config)))
    assert wanted in message


@pytest.mark.parametrize(
    "config",
    [
        {"mounts": [["LABEL=data", "/srv"], ["UUID=1", "/a"], ["/dev/disk/by-path/x-lun-1", "/b"]]},
        {"mounts": [["tmpfs", "/tmp"], ["server:/export", "/c"], ["/dev/mapper/a", "/d"]]},
        {"fs_setup": [{"label": "data", "device": "/dev/disk/by-label/x"}]},
        {"growpart": {"devices": ["/"]}},
        {"runcmd": [["mount", "/dev/sdb1", "/srv"]]},
    ],
)
def test_names_that_stay(config: dict[str, Any]) -> None:
    assert found(build(fodder(config))) == []


def test_where_each_drive_stands() -> None:
    """The DVD drive has a place on the controller, and no name of a disk."""
    fault = build(fodder({"mounts": [["/dev/sdb1", "/srv"]]})).only("W0720")
    (note,) = fault.notes
    assert note.startswith("if the disks answer in order it is drive `data`; below")
    assert note.endswith("names end with the place: `-lun-0` is `sda`, `-lun-1` is `data`")
    assert fault.primary is not None
    assert (fault.primary.span.line, fault.primary.span.text) == (10, "/dev/sdb1")
    beyond = build(fodder({"mounts": [["/dev/sdz1", "/srv"]]})).only("W0720")
    assert beyond.notes[0].startswith("below `/dev/disk/by-path`")


@pytest.mark.parametrize("merge", list(MergeMode), ids=str)
@pytest.mark.parametrize("first", ["", "## template: jinja\n#cloud-config\n"])
def test_texts_that_are_kept(merge: MergeMode, first: str) -> None:
    spec = fodder({"mounts": [["/dev/sdb1", "/srv"]], "hostname": "x"}, first=first)
    assert len(found(build(spec, merge=merge))) == 1


def test_windows_has_no_such_names() -> None:
    spec = fodder({"mounts": [["/dev/sdb1", "/srv"]]})
    assert found(build(spec, guest=GuestKind.WINDOWS)) == []


def test_a_secret_entry_shows_no_device() -> None:
    spec = fodder({"mounts": [["/dev/sdb1", "/srv"]]}).replace(
        "- name: disks\n", "- name: disks\n  secret: true\n"
    )
    (shown,) = [each for each in build(spec).told() if each.code == "W0720"]
    assert "/srv" not in str(shown)
