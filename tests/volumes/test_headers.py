"""What headers say, against qemu-img; and headers made to deceive."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.ir.volume import DiskFault
from eryphc.volumes.headers import DiskHeader, read_header
from volumes.images import FORMATS, MIB, disk, needs_qemu_img, qemu_img, raw_disk

pytestmark = needs_qemu_img


def header(path: Path, kind: str | None = None) -> DiskHeader:
    found = read_header(path, kind)
    assert isinstance(found, DiskHeader), found
    return found


@pytest.mark.parametrize(
    ("kind", "options", "shape"),
    [
        pytest.param("raw", (), None, id="raw"),
        pytest.param("qcow2", (), "dynamic", id="qcow2"),
        pytest.param("qcow2", ("-c",), "dynamic", id="compressed qcow2"),
        pytest.param("qcow2", ("-o", "compat=0.10"), "dynamic", id="qcow2 of version 2"),
        pytest.param("vhd", ("-o", "subformat=fixed,force_size=on"), "fixed", id="fixed VHD"),
        pytest.param("vhd", ("-o", "subformat=dynamic,force_size=on"), "dynamic", id="dynamic VHD"),
        pytest.param("vhdx", (), "dynamic", id="VHDX"),
        pytest.param("vhdx", ("-o", "subformat=fixed"), "fixed", id="fixed VHDX"),
    ],
)
def test_what_qemu_img_says(
    tmp_path: Path, kind: str, options: tuple[str, ...], shape: str | None
) -> None:
    path = disk(tmp_path / "disk", kind, *options)
    found = header(path)
    said = json.loads(qemu_img("info", "--output=json", "-f", FORMATS[kind], path))
    assert (found.format, found.kind, found.problem) == (kind, shape, None)
    assert found.virtual_size == said["virtual-size"]
    assert found.size == path.stat().st_size
    assert found.allocated == said["actual-size"]
    assert (found.identifier is not None) == (kind in ("vhd", "vhdx"))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(
            ("-b", "/etc/passwd", "-F", "raw", "-u"),
            "builds on the backing file `/etc/passwd`",
            id="a backing file",
        ),
        pytest.param(
            ("-o", "data_file=DATA,data_file_raw=on"), "keeps its data in another file", id="data"
        ),
        pytest.param(
            (
                "--object",
                "secret,id=s,data=01234567",
                "-o",
                "encrypt.format=aes,encrypt.key-secret=s",
            ),
            "is encrypted",
            id="encryption",
        ),
    ],
)
def test_qcow2_that_needs_more(tmp_path: Path, options: tuple[str, ...], problem: str) -> None:
    path = tmp_path / "disk.qcow2"
    words = [word.replace("DATA", str(tmp_path / "data.raw")) for word in options]
    qemu_img("create", "-q", "-f", "qcow2", *words, path, "8M")
    assert problem in (header(path).problem or "")


def test_a_vhdx_that_was_not_closed(tmp_path: Path) -> None:
    path = disk(tmp_path / "disk.vhdx", "vhdx")
    with path.open("r+b") as file:
        for at in (64 * 1024, 128 * 1024):
            file.seek(at + 48)
            file.write(b"\1" * 16)
    assert "log must be replayed" in (header(path).problem or "")


def test_a_vhdx_with_large_sectors(tmp_path: Path) -> None:
    path = disk(tmp_path / "disk.vhdx", "vhdx")
    content = bytearray(path.read_bytes())
    at = content.index(b"metadata", 1024 * 1024)
    sector = bytes.fromhex("1dbf41816fa90947ba47f233a8faab5f")
    entry = content.index(sector, at)
    (offset,) = struct.unpack_from("<I", content, entry + 16)
    struct.pack_into("<I", content, at + offset, 4096)
    path.write_bytes(content)
    assert "sectors of 4096 bytes" in (header(path).problem or "")


def test_a_differencing_vhd(tmp_path: Path) -> None:
    path = disk(tmp_path / "disk.vhd", "vhd", "-o", "subformat=dynamic,force_size=on")
    content = bytearray(path.read_bytes())
    for at in (0, len(content) - 512):
        footer = content[at : at + 512]
        footer[60:68] = struct.pack(">II", 4, 0)
        struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
        content[at : at + 512] = footer
    content[512 + 64 : 512 + 64 + 16] = "base.vhd".encode("utf-16-be")
    path.write_bytes(content)
    found = header(path)
    assert (found.kind, found.parent) == ("differencing", "base.vhd")
    assert found.problem is not None


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        pytest.param(b"QFI\xfb" + bytes(8), "qcow2", "ends inside the headers", id="cut qcow2"),
        pytest.param(bytes(200), "qcow2", "is no qcow2 file", id="no qcow2"),
        pytest.param(b"QFI\xfb" + b"\xff" * 200, "qcow2", "header is damaged", id="other version"),
        pytest.param(b"vhdxfile" + bytes(600_000), "vhdx", "metadata is damaged", id="empty VHDX"),
        pytest.param(b"conectix" + bytes(504), "vhd", "checksum of its VHD footer", id="footer"),
        pytest.param(b"", "vhd", "is no VHD file", id="empty"),
    ],
)
def test_what_is_no_image(tmp_path: Path, content: bytes, kind: str, reason: str) -> None:
    (tmp_path / "disk").write_bytes(content)
    found = read_header(tmp_path / "disk", kind)
    assert isinstance(found, DiskFault)
    assert reason in found.reason


def test_other_than_files(tmp_path: Path) -> None:
    assert read_header(tmp_path / "nope") == DiskFault("there is no such file", missing=True)
    assert isinstance(read_header(tmp_path), DiskFault)


def test_a_raw_disk_of_odd_length(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(1000))
    assert "whole number of sectors" in (header(tmp_path / "disk", "raw").problem or "")


def test_a_raw_disk_that_imitates_qcow2_is_raw_where_that_is_said(tmp_path: Path) -> None:
    path = raw_disk(tmp_path / "disk.img")
    qemu_img("create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", path, "8M")
    assert header(path).problem is not None
    with path.open("r+b") as file:
        file.truncate(8 * MIB)
    found = header(path, "raw")
    assert (found.problem, found.virtual_size) == (None, 8 * MIB)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    return {kind: disk(folder / kind, kind, size=MIB).read_bytes()[: 4 * MIB] for kind in FORMATS}


@settings(max_examples=150)
@given(data=st.data())
def test_no_header_raises(
    originals: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(("qcow2", "vhd", "vhdx")))
    content = bytearray(originals[kind])
    starts = {"qcow2": [0], "vhd": [0, len(content) - 512]}.get(
        kind, [0, 65536, 196608, 2 * MIB, 3 * MIB]
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(starts)) + data.draw(st.integers(0, 400))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(piece)] = piece
    path = tmp_path_factory.getbasetemp() / "mutant"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    found = read_header(path, kind)
    assert isinstance(found, DiskHeader | DiskFault)
