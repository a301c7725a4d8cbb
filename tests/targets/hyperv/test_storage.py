"""Drives, their places and files, and where their disks come from."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catlets import write_pool
from eryphc.genepool.folder import FolderPool
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.volumes.disk_images import DiskImages
from saying import said
from targets.hyperv.building import Result, build

GIB = 1024**3
BASE = "acme/base/1.0"
CHILD = f"parent: {BASE}\n"
DISK = "drives:\n- name: sda\n"
SHA = "ab" * 32


def vhdx(path: Path, *, virtual_size: int = GIB, parent: bool = False) -> Path:
    """A file with the tables of a VHDX that tell the size of its disk, and no disk in it."""
    from uuid import UUID

    data = bytearray(1024 * 1024 + 70_000)
    data[:8] = b"vhdxfile"
    region, metadata, at = 192 * 1024, 1024 * 1024, 65_536
    guid = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
    struct.pack_into("<4s4xI4x16sQII", data, region, b"regi", 1, guid, metadata, 1 << 20, 1)
    struct.pack_into("<8s2xH20x", data, metadata, b"metadata", 4)
    size = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
    parameters = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
    struct.pack_into("<16sII", data, metadata + 32, parameters, at, 8)
    sector = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
    disk_id = UUID("beca12ab-b2e6-4523-93ef-c309e000c746").bytes_le
    struct.pack_into("<16sII", data, metadata + 64, size, at + 8, 8)
    struct.pack_into("<16sII", data, metadata + 96, sector, at + 16, 4)
    struct.pack_into("<16sII", data, metadata + 128, disk_id, at + 20, 16)
    flags = 2 if parent else 0
    struct.pack_into("<IIQI", data, metadata + at, 1 << 20, flags, virtual_size, 512)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def pool(root: Path, catlet: str = DISK, files: Mapping[str, str] | None = None) -> FolderPool:
    return write_pool(root, {BASE: {"catlet.yaml": catlet, **(files or {})}})


def drive(result: Result, name: str = "sda") -> dict[str, Any]:
    (found,) = [entry for entry in result.document["drives"] if entry["name"] == name]
    return dict(found)


def volume(result: Result, name: str = "sda") -> dict[str, Any]:
    (found,) = [entry for entry in result.document["volumes"] if entry["name"] == name]
    return dict(found)


ASKED = [{"kind": "parameter", "drive": "sda"}]


def test_a_file_in_a_pool_is_placed_by_its_hash(tmp_path: Path) -> None:
    made = pool(tmp_path, "drives:\n- name: sda\n  size: 20\n")
    file = vhdx(tmp_path / BASE / "volumes" / "sda.vhdx", virtual_size=10 * GIB)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    result = build(CHILD, made)
    assert volume(result) == {
        "name": "sda",
        "gene": f"gene:{BASE}:sda",
        "sha256": digest,
        "size": file.stat().st_size,
        "virtual_size": 10 * GIB,
        "sources": [
            {"kind": "pool", "path": f"{BASE}/volumes/sda.vhdx", "sha256": digest},
            *ASKED,
        ],
    }
    assert (drive(result)["create"], drive(result)["size"]) == ("differencing", 20 * GIB)
    assert result.document["machine"]["boot_drive"] == "sda"
    assert str(tmp_path) not in result.file("deployment.json").decode()


def test_another_format_is_converted_by_whoever_deploys(tmp_path: Path) -> None:
    made = pool(tmp_path)
    file = tmp_path / BASE / "volumes" / "sda.qcow2"
    file.parent.mkdir()
    file.write_bytes(b"QFI\xfb" + bytes(600))
    result = build(CHILD, made)
    result.only("N0701")
    assert (volume(result)["sha256"], volume(result)["sources"]) == (None, ASKED)


DESCRIBED = {
    "an image as published": ("qcow2", f"sha256: {SHA}\n", None, SHA),
    "a list of digests": ("qcow2", "checksums_url: https://example.org/S\nfile: a\n", None, None),
    "a VHDX": ("vhdx", f"sha256: {SHA}\n", SHA, SHA),
}


@pytest.mark.parametrize(("kind", "digest", "own", "source"), DESCRIBED.values(), ids=DESCRIBED)
def test_a_description_is_fetched(
    tmp_path: Path, kind: str, digest: str, own: str | None, source: str | None
) -> None:
    url = f"https://example.org/a.{kind}"
    text = f"format: {kind}\nurl: {url}\n{digest}"
    result = build(CHILD, pool(tmp_path, files={"volumes/sda.yaml": text}))
    found = volume(result)
    assert found["sha256"] == own
    assert [entry["kind"] for entry in found["sources"]] == ["url", "parameter"]
    assert (found["sources"][0]["url"], found["sources"][0]["format"]) == (url, kind)
    assert found["sources"][0]["sha256"] == source


def test_the_system_of_a_parent_without_volume_is_asked_for(tmp_path: Path) -> None:
    result = build(CHILD, pool(tmp_path))
    assert (drive(result)["create"], drive(result)["size"]) == ("differencing", None)
    assert volume(result)["sources"] == ASKED
    assert result.only("N0702").help == "deploy with --volume sda=PATH of a VHDX file"
    assert result.document["machine"]["boot_drive"] == "sda"


def test_it_is_asked_for_too_where_the_child_adds_a_disk_with_a_volume(tmp_path: Path) -> None:
    made = write_pool(
        tmp_path,
        {
            BASE: {"catlet.yaml": DISK},
            "acme/data/1.0": {
                "volumes/data.yaml": "format: vhdx\nurl: https://example.org/d.vhdx\n"
                f"sha256: {SHA}\n"
            },
        },
    )
    spec = CHILD + "drives:\n- name: sdb\n  source: gene:acme/data/1.0:data\n"
    result = build(spec, made)
    assert [entry["create"] for entry in result.document["drives"]] == ["differencing"] * 2
    assert result.document["machine"]["boot_drive"] == "sda"


def test_the_order_of_names_does_not_matter(tmp_path: Path) -> None:
    """Inheriting sorts drives by name; the system is on the disk that the base wrote first."""
    base = "drives:\n- name: system\n- name: extra\n"
    result = build(CHILD + "drives:\n- name: data\n", pool(tmp_path, base))
    assert {entry["name"]: entry["create"] for entry in result.document["drives"]} == {
        "data": "blank",
        "extra": "blank",
        "system": "differencing",
    }
    assert result.document["machine"]["boot_drive"] == "system"


def test_the_machine_boots_from_the_system_not_from_another_disk_with_a_volume(
    tmp_path: Path,
) -> None:
    spec = CHILD + "drives:\n- {name: content, source: 'D:\\c.vhdx'}\n"
    result = build(spec, pool(tmp_path))
    assert [entry["create"] for entry in result.document["drives"]] == ["differencing"] * 2
    assert result.document["machine"]["boot_drive"] == "sda"


def test_a_base_whose_system_is_on_a_later_disk(tmp_path: Path) -> None:
    source = "gene:acme/base/1.0:disk"
    base = f"drives:\n- name: scratch\n- {{name: system, source: '{source}'}}\n"
    described = f"format: vhdx\nurl: https://example.org/d.vhdx\nsha256: {SHA}\n"
    result = build(CHILD, pool(tmp_path, base, {"volumes/disk.yaml": described}))
    assert {entry["name"]: entry["create"] for entry in result.document["drives"]} == {
        "scratch": "blank",
        "system": "differencing",
    }
    assert result.document["machine"]["boot_drive"] == "system"


def test_the_disk_of_a_catlet_whose_parent_has_none(tmp_path: Path) -> None:
    result = build(CHILD + "drives:\n- name: b\n- name: a\n", pool(tmp_path, "cpu: 2\n"))
    assert {entry["name"]: entry["create"] for entry in result.document["drives"]} == {
        "a": "blank",
        "b": "differencing",
    }


def test_further_disks_and_those_without_parent_are_blank(tmp_path: Path) -> None:
    result = build(CHILD + "drives:\n- name: sdb\n", pool(tmp_path))
    assert (drive(result, "sdb")["create"], drive(result, "sdb")["size"]) == ("blank", GIB)
    alone = build(DISK)
    assert (drive(alone)["create"], drive(alone)["size"]) == ("blank", GIB)
    alone.only("W0704")


def test_a_disk_of_the_host_is_a_source(tmp_path: Path) -> None:
    result = build("drives:\n- {name: sda, source: 'D:\\Images\\base.vhdx'}\n")
    assert volume(result)["sources"] == [{"kind": "host", "path": "D:\\Images\\base.vhdx"}, *ASKED]
    assert drive(result)["create"] == "differencing"
    assert result.deployment.volumes


BAD_PATHS = {
    "wildcard": "D:\\a[1].iso",
    "expanded by cmd": "D:\\%TEMP%\\a.iso",
    "backtick": "D:\\a`b.iso",
    "device": "D:\\NUL.txt",
    "stream": "D:\\a.iso:b",
    "trailing dot": "D:\\a.\\b.iso",
    "long": "D:\\" + "a" * 240,
}


@pytest.mark.parametrize("path", BAD_PATHS.values(), ids=BAD_PATHS)
@pytest.mark.parametrize("kind", ["dvd", "vhd"])
def test_paths_of_the_host_that_cannot_be_used(path: str, kind: str) -> None:
    result = build(f"drives:\n- name: sda\n  type: {kind}\n  source: '{path}'\n")
    assert result.built is None
    fault = result.only("E0718")
    assert fault.primary is not None
    assert fault.primary.span.line == 4


# -- --volume -------------------------------------------------------------------------------------


def test_a_given_file_gives_the_hash_and_is_asked_for_again(tmp_path: Path) -> None:
    file = vhdx(tmp_path / "base.vhdx")
    result = build(CHILD, pool(tmp_path / "pool"), volumes={"sda": str(file)})
    assert volume(result)["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert volume(result)["sources"] == ASKED
    assert "N0702" not in result.codes()
    assert str(tmp_path) not in result.file("deployment.json").decode()


def test_a_blank_disk_may_be_given_one_too(tmp_path: Path) -> None:
    result = build(DISK, volumes={"sda": str(vhdx(tmp_path / "base.vhdx"))})
    assert drive(result)["create"] == "differencing"
    assert "W0704" not in result.codes()


def test_a_drive_that_is_no_disk(tmp_path: Path) -> None:
    file = str(vhdx(tmp_path / "base.vhdx"))
    result = build(DISK + "- {name: dvd, type: dvd}\n", volumes={"dvd": file, "sdaa": file})
    assert result.built is None
    helps = [said(d).help for d in result.diagnostics if d.code.number == "E0714"]
    assert helps == [None, "did you mean `sda`?"]


def test_files_that_are_no_volume(tmp_path: Path) -> None:
    (tmp_path / "raw.img").write_bytes(bytes(2000))
    (tmp_path / "disk.qcow2").write_bytes(b"QFI\xfb" + bytes(2000))
    (tmp_path / "disk.vhd").write_bytes(bytes(1024) + b"conectix" + bytes(504))
    vhdx(tmp_path / "child.vhdx", parent=True)
    names = ("absent.vhdx", "raw.img", "disk.qcow2", "disk.vhd", "child.vhdx", "nul\0.vhdx")
    for name in names:
        result = build(DISK, volumes={"sda": str(tmp_path / name)})
        assert result.built is None, name
        result.only("E0716")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is there: what fails is outside of the input, and the run ends otherwise."""
    result = build(DISK, volumes={"sda": str(tmp_path)})
    assert result.built is None
    result.only("E0903")


def test_a_drive_smaller_than_its_volume(tmp_path: Path) -> None:
    file = vhdx(tmp_path / "base.vhdx", virtual_size=30 * GIB)
    result = build("drives:\n- {name: sda, size: 20}\n", volumes={"sda": str(file)})
    fault = result.only("E0720")
    assert result.built is None
    assert fault.help == "ask for 30 or more, or leave out `size`"
    assert build("drives:\n- {name: sda, size: 30}\n", volumes={"sda": str(file)}).built


@pytest.mark.parametrize("named", ["sda.qcow2", "sda.img"])
def test_a_drive_smaller_than_a_volume_that_is_converted_first(tmp_path: Path, named: str) -> None:
    made = pool(tmp_path, "drives:\n- name: sda\n  size: 20\n")
    file = tmp_path / BASE / "volumes" / named
    file.parent.mkdir()
    for gib, refused in ((30, True), (20, False)):
        head = struct.pack(">4sIQIIQI", b"QFI\xfb", 2, 0, 0, 16, gib * GIB, 0)
        file.write_bytes(head + bytes(600))
        result = build(CHILD, made)
        assert ("E0720" in result.codes()) == refused
        assert (result.built is None) == refused


FOREIGN = {
    "VMDK": (b"KDMV" + bytes(600), "a VMDK image (VMware)", "qemu-img convert -f vmdk -O qcow2"),
    "gzip": (b"\x1f\x8b\x08" + bytes(600), "compressed by gzip", "unpack it first: gzip -dk"),
    "HTML": (b"<!DOCTYPE html>", "an HTML page", None),
    "unknown": (bytes(2048), "no disk image that is known", "eryphc volume convert --from raw"),
}


@pytest.mark.parametrize(("content", "what", "help_text"), FOREIGN.values(), ids=FOREIGN)
def test_files_of_other_formats_are_called_what_they_are(
    tmp_path: Path, content: bytes, what: str, help_text: str | None
) -> None:
    (tmp_path / "disk.img").write_bytes(content)
    fault = build(DISK, volumes={"sda": str(tmp_path / "disk.img")}).only("E0716")
    assert f"it is {what}" in fault.message
    assert (help_text in fault.help) if help_text and fault.help else fault.help == help_text
    made = pool(tmp_path / "pool")
    file = tmp_path / "pool" / BASE / "volumes" / "sda.qcow2"
    file.parent.mkdir()
    file.write_bytes(content)
    if what != "no disk image that is known":
        assert f"the volume of drive `sda` is {what}" in build(CHILD, made).only("N0701").message


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img (qemu-utils)")
@pytest.mark.integration
def test_what_qemu_makes_is_read(tmp_path: Path) -> None:
    for kind in ("vhdx", "vpc", "qcow2"):
        path = tmp_path / f"disk.{kind}"
        options = ("-o", "force_size=on") if kind == "vpc" else ()
        words = ("qemu-img", "create", "-q", "-f", kind, *options, path, "3G")
        subprocess.run(words, check=True)
        image = DiskImages()(path, ("vhdx",))
        assert isinstance(image, DiskImage)
        assert image.format == {"vpc": "vhd"}.get(kind, kind)
        assert image.virtual_size == 3 * GIB
        assert (image.sha256 is not None) == (kind == "vhdx")


def test_a_disk_is_read_once_and_tells_how_far_it_is(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    read = DiskImages(lambda _, done, size: heard.append((done, size)))
    file = vhdx(tmp_path / "a.vhdx")
    size = file.stat().st_size
    first = read(file)
    assert read(file) == first
    assert heard[-1] == (size, size)
    assert len(heard) == 2, "two blocks"
    with file.open("ab") as stream:
        stream.write(b"x")
    assert read(file) != first


def test_a_damaged_vhdx_tells_no_size(tmp_path: Path) -> None:
    data = bytearray(vhdx(tmp_path / "a.vhdx").read_bytes())
    whole = DiskImages()(tmp_path / "a.vhdx")
    assert isinstance(whole, DiskImage)
    assert whole.virtual_size == GIB
    for length in (8, 200_000, 1024 * 1024 + 40, 1024 * 1024 + 65_536):
        (tmp_path / "b.vhdx").write_bytes(data[:length])
        cut = DiskImages()(tmp_path / "b.vhdx")
        assert isinstance(cut, DiskImage)
        assert cut.virtual_size is None
    assert DiskImages()(tmp_path / "absent") == DiskFault(
        reason="there is no such file", missing=True
    )


# -- places, modes, folders -----------------------------------------------------------------------


def test_the_place_of_the_seed_stays_free() -> None:
    lines = "".join(f"- name: d{number}\n" for number in range(64))
    drives = build("drives:\n" + lines).document["drives"]
    places = [(entry["controller"], entry["location"]) for entry in drives]
    assert places == [*((0, number) for number in range(63)), (1, 0)]


MODES = {
    "default": ("hyperv: {}\n", "differencing"),
    "all copied": ("hyperv: {disks: copy}\n", "copy"),
    "one copied": ("hyperv: {drives: {SDA: copy}}\n", "copy"),
    "all but one": ("hyperv: {disks: copy, drives: {sda: differencing}}\n", "differencing"),
}


@pytest.mark.parametrize(("project", "create"), MODES.values(), ids=MODES)
def test_differencing_or_copy(tmp_path: Path, project: str, create: str) -> None:
    result = build(CHILD, pool(tmp_path), project=project)
    assert drive(result)["create"] == create


def test_modes_of_drives_that_do_not_use_them(tmp_path: Path) -> None:
    made = pool(tmp_path)
    spec = CHILD + "drives:\n- name: sdb\n- {name: dvd, type: dvd}\n"
    project = "hyperv: {drives: {sdb: copy, dvd: copy, sad: copy, other: copy}}\n"
    result = build(spec, made, project=project)
    assert [code for code in result.shown() if "eryphc.yaml" in code] == [
        "N0704 eryphc.yaml:1:10",
        "W0709 eryphc.yaml:1:10",
        "W0709 eryphc.yaml:1:10",
        "W0712 eryphc.yaml:1:10",
    ]
    assert result.only("W0712").help == "did you mean `sda`?"


SHARED = "drives:\n- {name: quorum, type: shared_vhd}\n- {name: set, type: vhd_set, size: 5}\n"


def test_shared_disks_need_a_shared_folder() -> None:
    result = build(SHARED)
    assert [entry["file"] for entry in result.document["drives"]] == ["quorum.vhdx", "set.vhds"]
    folder = {"value": None, "parameter": "shared-folder"}
    assert [entry["folder"] for entry in result.document["drives"]] == [folder, folder]
    assert "shared-folder" in [entry["name"] for entry in result.document["parameters"]]
    assert result.document["machine"]["checkpoint_type"] == "Disabled"
    local = build(SHARED, project="hyperv: {folders: {disks: 'D:\\Disks'}}\n")
    assert local.built is None
    assert [code for code in local.codes() if code.startswith("E")] == ["E0703"]
    for shared in ("C:\\ClusterStorage\\Volume1", "\\\\files\\disks"):
        result = build(SHARED, project=f"hyperv: {{folders: {{disks: '{shared}'}}}}\n")
        assert drive(result, "set")["folder"] == {"value": shared, "parameter": None}


def test_a_shared_disk_from_a_given_volume_is_a_copy(tmp_path: Path) -> None:
    file = str(vhdx(tmp_path / "base.vhdx"))
    result = build(SHARED, volumes={"quorum": file})
    assert drive(result, "quorum")["create"] == "copy"


def test_stores_are_folders_that_the_deployment_asks_for() -> None:
    result = build("store: fast\ndrives:\n- {name: sda, store: slow}\n- name: sdb\n")
    assert result.document["folders"]["machine"]["parameter"] == "store-fast"
    assert drive(result)["folder"]["parameter"] == "store-slow"
    assert drive(result, "sdb")["folder"]["parameter"] == "folder"
    parameters = {entry["name"] for entry in result.document["parameters"]}
    assert {"store-fast", "store-slow", "folder"} <= parameters


FOLDERS = {
    "relative": "Machines",
    "wildcard": "D:\\VMs[1]",
    "device": "D:\\aux\\VMs",
    "extended": "\\\\?\\D:\\VMs",
    "device path": "\\\\.\\D:",
    "half a share": "\\\\server",
    "long": "D:\\" + "\\".join(["a" * 50] * 4),
    "blank at the end": "D:\\VMs \\a",
}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("key", ["machines", "disks", "volumes"])
def test_folders_that_cannot_be_used(folder: str, key: str) -> None:
    result = build(DISK, project=f"hyperv: {{folders: {{{key}: '{folder}'}}}}\n")
    assert result.built is None
    fault = result.only("E0715")
    assert fault.primary is not None
    assert fault.primary.span.source.name == "eryphc.yaml"


def test_folders_of_the_project_file() -> None:
    project = (
        "hyperv: {folders: {machines: 'D:\\VMs\\', disks: 'E:\\Disks', volumes: '\\\\nas\\v'}}\n"
    )
    result = build(DISK, project=project)
    assert result.document["folders"]["machine"]["value"] == "D:\\VMs\\"
    assert drive(result)["folder"]["value"] == "E:\\Disks"
    assert [each.name for each in result.deployment.parameters] == ["switch-default"]
    result.only("N0705")


REFUSED = {
    "pass-through": ("{name: sdb, type: phd}", "E0702", "spec.yaml:2:21"),
    "reserved": ("{name: com1}", "E0719", "spec.yaml:2:10"),
    "size of a dvd": ("{name: dvd, type: dvd, size: 5}", "W0709", "spec.yaml:2:32"),
    "store of a dvd": ("{name: dvd, type: dvd, store: fast}", "W0709", "spec.yaml:2:33"),
    "location": ("{name: sdb, location: here}", "W0707", "spec.yaml:2:25"),
}


@pytest.mark.parametrize(("line", "code", "place"), REFUSED.values(), ids=REFUSED)
def test_what_is_said_of_a_drive(line: str, code: str, place: str) -> None:
    result = build(f"drives:\n- {line}\n")
    assert f"{code} {place}" in result.shown()
    assert (result.built is None) == code.startswith("E")
