"""What is known of a disk file at hand, by format."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import pytest

from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.volumes.disk_images import EVERY_FORMAT, DiskImages
from eryphc.volumes.identity import close_fixed_vhd
from volumes.images import MIB, disk, needs_qemu_img, qemu_img
from volumes.test_boot import ESP, UEFI, gpt

pytestmark = [needs_qemu_img, pytest.mark.integration]


def read(path: Path, hashed: tuple[str, ...] = EVERY_FORMAT) -> DiskImage:
    image = DiskImages()(path, hashed)
    assert isinstance(image, DiskImage), image
    return image


@pytest.mark.parametrize("kind", ["raw", "qcow2", "vhd", "vhdx"])
def test_a_disk(tmp_path: Path, kind: str) -> None:
    options = ("-o", "force_size=on") if kind == "vhd" else ()
    path = disk(tmp_path / "disk.img", kind, *options)
    image = read(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (image.format, image.sha256, image.size) == (kind, digest, path.stat().st_size)
    assert (image.virtual_size, image.problem, image.sector) == (8 * MIB, None, 512)
    assert image.boots == (frozenset() if kind == "raw" else None)
    assert read(path, ()).sha256 is None


def test_a_file_is_hashed_when_it_is_first_asked_for(tmp_path: Path) -> None:
    path = disk(tmp_path / "disk.qcow2", "qcow2")
    heard: list[int] = []
    images = DiskImages(lambda _path, done, _size: heard.append(done))
    first = images(path, ("vhdx",))
    assert (isinstance(first, DiskImage) and first.sha256, heard) == (None, [])
    second = images(path)
    assert isinstance(second, DiskImage)
    assert second.sha256 is not None
    assert heard[-1] == path.stat().st_size
    heard.clear()
    assert images(path, ()) == second == images(path)
    assert heard == []


def test_how_it_boots(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(gpt((ESP, 0), code=False))
    os.truncate(path, 64 * MIB)
    assert read(path, ()).boots == UEFI
    close_fixed_vhd(path, "ab" * 32)
    image = read(path, ())
    assert (image.format, image.virtual_size, image.boots) == ("vhd", 64 * MIB, UEFI)
    # A dynamic VHD begins with a copy of its footer, not with the first sector of the disk.
    qemu_img("convert", "-f", "vpc", "-O", "vpc", path, tmp_path / "dynamic")
    image = read(tmp_path / "dynamic", ())
    assert (image.format, image.boots) == ("vhd", None)


def test_large_sectors_are_seen(tmp_path: Path) -> None:
    path = disk(tmp_path / "disk.vhdx", "vhdx")
    content = bytearray(path.read_bytes())
    at = content.index(b"metadata", 1024 * 1024)
    entry = content.index(bytes.fromhex("1dbf41816fa90947ba47f233a8faab5f"), at)
    (offset,) = struct.unpack_from("<I", content, entry + 16)
    struct.pack_into("<I", content, at + offset, 4096)
    path.write_bytes(content)
    image = read(path)
    assert image.sector == 4096
    assert "sectors of 4096 bytes" in (image.problem or "")


def test_what_needs_another_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    words = ("-b", "/etc/passwd", "-F", "raw", "-u", path, "1M")
    qemu_img("create", "-q", "-f", "qcow2", *words)
    assert read(path).problem == "builds on the backing file `/etc/passwd`"
    qemu_img("create", "-q", "-f", "vmdk", tmp_path / "disk.vmdk", "8M")
    image = read(tmp_path / "disk.vmdk")
    assert (image.format, image.virtual_size) == ("vmdk", None)
    assert "a VMDK image" in (image.problem or "")


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (b"QFI\xfb" + bytes(20), "qcow2", "ends inside its headers"),
        (b"QFI\xfb" + b"\xff" * 200, "qcow2", "has damaged headers: its qcow2 header is damaged"),
        (b"vhdxfile" + bytes(600_000), "vhdx", "has damaged headers: its VHDX metadata"),
        (b"conectix" + bytes(504), "vhd", "has damaged headers: the checksum of its VHD footer"),
        (bytes(510) + b"\x55\xaa" + bytes(488), "raw", "has 1000 bytes, which is no whole number"),
        (bytes(1000), "unknown", "shows no format"),
    ],
)
def test_a_damaged_file(tmp_path: Path, content: bytes, kind: str, problem: str) -> None:
    (tmp_path / "disk.img").write_bytes(content)
    image = read(tmp_path / "disk.img")
    assert (image.format, image.size, image.boots) == (kind, len(content), None)
    assert (image.problem or "").startswith(problem)


def test_a_name_that_says_raw_and_a_content_that_says_something_else(tmp_path: Path) -> None:
    """A guest may write the header of another format onto its raw disk; nobody can tell."""
    path = tmp_path / "disk.raw"
    words = ("-b", "/etc/passwd", "-F", "raw", "-u", path, "8M")
    qemu_img("create", "-q", "-f", "qcow2", *words)
    os.truncate(path, 8 * MIB)
    image = read(path)
    assert (image.format, image.virtual_size) == ("qcow2", None)
    assert image.problem == "is called raw, and it is a qcow2 file"
    path.write_bytes(bytes(8 * MIB))
    image = read(path)
    assert (image.format, image.virtual_size, image.problem) == ("raw", 8 * MIB, None)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "disk.img")
    assert DiskImages()(tmp_path / "disk.img") == DiskFault("it is no plain file")
    assert isinstance(DiskImages()(tmp_path), DiskFault)
