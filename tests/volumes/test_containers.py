"""What is no disk of ours, told by its content; made by the real programs where they are here."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from eryphc.volumes.containers import CONTAINERS, advice, container_in
from eryphc.volumes.headers import UNKNOWN, DiskHeader, read_header
from volumes.images import MIB, needs_qemu_img, qemu_img, raw_disk

DISK = bytes(510) + b"\x55\xaa" + bytes(MIB - 512)


def tar_of(name: str, form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 1000
        archive.addfile(entry, io.BytesIO(bytes(1000)))
    return file.getvalue()


def old_tar(name: bytes) -> bytes:
    """A header of the first form of tar, which has no mark: only its checksum tells it."""
    head = bytearray(512)
    head[: len(name)] = name
    head[100:148] = b"0000644\0" + b"0000000\0" * 2 + b"00000001750\0" + b"00000000000\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + bytes(2048)


def zip_of(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, DISK)
    return file.getvalue()


def at(offset: int, mark: bytes, size: int = 256 * 1024) -> bytes:
    return bytes(offset) + mark + bytes(size - offset - len(mark))


FILES = {
    "gzip": gzip.compress(DISK),
    "bzip2": bz2.compress(DISK),
    "xz": lzma.compress(DISK),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
    "lz4": b"\x04\x22\x4d\x18" + bytes(100),
    "zip": zip_of("disk.raw"),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "tar": tar_of("disk.raw"),
    "ova": tar_of("machine.ovf"),
    "rar": b"Rar!\x1a\x07\x01" + bytes(100),
    "wim": b"MSWIM\0\0\0" + bytes(300),
    "iso": at(32769, b"CD001"),
    "vmdk": b"COWD" + bytes(1020),
    "vmdk-text": b'# Disk DescriptorFile\nversion=1\nRW 8192 FLAT "d-flat.vmdk" 0\n',
    "qcow": b"QFI\xfb\0\0\0\1" + bytes(1000),
    "parallels": b"WithouFreSpacExt" + bytes(1000),
    "dmg": bytes(1024) + b"koly" + bytes(508),
    "html": b"\xef\xbb\xbf<!DOCTYPE html>\n<title>404</title>",
    "xml": b'<?xml version="1.0"?><Envelope/>',
    "text": "Größe: nicht gefunden\n".encode(),
    "empty": b"",
}


@pytest.mark.parametrize("word", FILES)
def test_what_a_file_is(tmp_path: Path, word: str) -> None:
    path = tmp_path / "disk"
    path.write_bytes(FILES[word])
    for named in (None, "raw"):
        header = read_header(path, named=named)
        assert isinstance(header, DiskHeader)
        assert (header.format, header.virtual_size) == (word, None)
        assert CONTAINERS[word].what in (header.problem or "")
    # Whoever says that it is raw is believed.
    if word != "empty":
        stated = read_header(path, "raw")
        assert isinstance(stated, DiskHeader)
        assert stated.format == "raw"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar(tmp_path: Path, form: int) -> None:
    file = io.BytesIO(tar_of("Machine.OVF", form))
    assert container_in(file, len(file.getvalue())) == "ova"


def test_a_tar_without_a_mark() -> None:
    data = old_tar(b"disk.raw")
    assert container_in(io.BytesIO(data), len(data)) == "tar"
    damaged = data[:10] + b"x" + data[11:]
    assert container_in(io.BytesIO(damaged), len(damaged)) is None


DISKS = {
    "a boot sector": at(510, b"\x55\xaa"),
    "GPT": at(512, b"EFI PART"),
    "GPT in sectors of 4096": at(4096, b"EFI PART"),
    "ext4": at(1080, b"\x53\xef"),
    "XFS": at(0, b"XFSB"),
    "Btrfs": at(65600, b"_BHRfS_M"),
    "LVM": at(512, b"LABELONE"),
    "LUKS": at(0, b"LUKS\xba\xbe"),
    "swap": at(4086, b"SWAPSPACE2"),
}


@pytest.mark.parametrize("content", DISKS.values(), ids=DISKS)
def test_what_begins_as_a_disk_is_raw(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "disk.img").write_bytes(content)
    header = read_header(tmp_path / "disk.img")
    assert isinstance(header, DiskHeader)
    assert (header.format, header.problem) == ("raw", None)


@pytest.mark.parametrize("program", ["mkfs.ext4", "mkfs.xfs", "mkfs.vfat", "mkswap", "mkfs.btrfs"])
@pytest.mark.integration
def test_file_systems_that_programs_make(tmp_path: Path, program: str) -> None:
    found = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
    if found is None:
        pytest.skip(f"{program} is not installed")
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(400 * MIB)
    subprocess.run([found, path], check=True, capture_output=True, timeout=60)
    header = read_header(path)
    assert isinstance(header, DiskHeader)
    assert header.format == "raw"


def test_a_hybrid_iso_is_no_disk(tmp_path: Path) -> None:
    data = bytearray(at(32769, b"CD001"))
    data[510:512] = b"\x55\xaa"
    (tmp_path / "disk.iso").write_bytes(data)
    header = read_header(tmp_path / "disk.iso")
    assert isinstance(header, DiskHeader)
    assert header.format == "iso"


def test_what_nothing_tells_of_is_raw_only_if_its_name_says_so(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(range(256)) * 16)
    unknown = read_header(tmp_path / "disk")
    assert isinstance(unknown, DiskHeader)
    assert (unknown.format, unknown.virtual_size) == (UNKNOWN, None)
    assert "`--from raw`" in (unknown.help or "")
    named = read_header(tmp_path / "disk", named="raw")
    assert isinstance(named, DiskHeader)
    assert (named.format, named.virtual_size, named.problem) == ("raw", 4096, None)


def test_the_advice_names_the_file_for_a_shell() -> None:
    assert advice("vdi", "my disk.vdi") == (
        "where you trust it, convert it: qemu-img convert -f vdi -O qcow2 'my disk.vdi' "
        "'my disk.qcow2'"
    )
    assert advice("ova", "a.ova") == "unpack it first: tar -xf a.ova"
    assert advice("text", "a") is None


@needs_qemu_img
@pytest.mark.integration
class TestCommands:
    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("vmdk", ()),
            ("vmdk", ("-o", "subformat=streamOptimized")),
            ("vmdk", ("-o", "subformat=monolithicFlat")),
            ("vdi", ()),
            ("vdi", ("-o", "static=on")),
            ("qed", ()),
            ("qcow", ()),
            ("parallels", ()),
        ],
        ids=lambda value: value[1] if value and isinstance(value, tuple) else None,
    )
    @pytest.mark.parametrize("name", ["disk.img", "disk.raw", "disk.qcow2"])
    def test_images_of_others_are_refused(
        self, eryphc: CommandLine, kind: str, options: tuple[str, ...], name: str
    ) -> None:
        folder = eryphc.folder
        raw_disk(folder / "plain")
        words = ("-f", "raw", "-O", kind, *options)
        qemu_img("convert", *words, folder / "plain", folder / name)
        code = "E0810" if "monolithicFlat" in str(options) and name == "disk.qcow2" else "E0820"
        for words in (("verify", name), ("convert", name, "-o", "out/made.vhdx")):
            done = eryphc("volume", *words)
            assert (done.code, code in done.err) == (1, True), done.err
        assert not (folder / "out").exists()
        info = eryphc("volume", "info", name)
        if code == "E0820":
            assert f"format:       {kind}" in info.out

    @pytest.mark.parametrize("kind", ["qcow2", "vhdx", "vpc"])
    def test_a_name_that_says_raw(self, eryphc: CommandLine, kind: str) -> None:
        """Either the name is wrong, or a guest wrote a header onto its raw disk."""
        folder = eryphc.folder
        raw_disk(folder / "plain")
        qemu_img("convert", "-f", "raw", "-O", kind, folder / "plain", folder / "disk.raw")
        done = eryphc("volume", "verify", "disk.raw")
        ours = {"vpc": "vhd"}.get(kind, kind)
        assert (done.code, f"it is called raw, and it is a {ours} file" in done.err) == (1, True)
        assert eryphc("volume", "verify", "disk.raw", "--from", ours).code == 0
        assert eryphc("volume", "convert", "disk.raw", "-o", "made.vhdx").code == 1
        assert eryphc("volume", "convert", "disk.raw", "--from", "raw", "-o", "x.vhdx").code == 0

    def test_an_unknown_file(self, eryphc: CommandLine) -> None:
        (eryphc.folder / "blank.img").write_bytes(bytes(MIB))
        done = eryphc("volume", "convert", "blank.img")
        assert (done.code, "E0821" in done.err, "--from raw" in done.err) == (1, True, True)
        assert eryphc("volume", "convert", "blank.img", "--from", "raw").code == 0

    def test_an_image_in_a_gzip(self, eryphc: CommandLine) -> None:
        (eryphc.folder / "disk.raw.gz").write_bytes(FILES["gzip"])
        done = eryphc("volume", "convert", "disk.raw.gz")
        assert "unpack it first: gzip -dk disk.raw.gz" in done.err
        assert done.code == 1


def fixed_vhd(path: Path, size: int, creator: bytes, geometry: tuple[int, int, int]) -> None:
    """A VHD whose geometry holds less than its size, with data in the last sector."""
    footer = bytearray(512)
    struct.pack_into(
        ">8sIIQI4sI4sQQHBBI",
        footer,
        0,
        *(b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, 0, creator.ljust(4, b"\0"), 0x50003),
        *(b"Wi2k", size, size, *geometry, 2),
    )
    footer[68:84] = bytes(range(16))
    struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
    with path.open("wb") as file:
        file.write(DISK[:512])
        file.seek(size - 512)
        file.write(b"END." * 128)
        file.write(footer)


@needs_qemu_img
@pytest.mark.integration
@pytest.mark.parametrize("creator", [b"vbox", b"qemu", b"vpc ", b"win ", b"vs\0\0"])
@pytest.mark.parametrize("kind", ["fixed", "dynamic"])
def test_a_vhd_has_the_size_of_its_bytes(eryphc: CommandLine, creator: bytes, kind: str) -> None:
    """QEMU believes the geometry of many creators, which loses the end of the disk."""
    size, path = 10 * MIB, eryphc.folder / "disk.vhd"
    # 301 * 4 * 17 sectors are 10,479,616 bytes.
    fixed_vhd(path, size, creator, (301, 4, 17))
    if kind == "dynamic":
        whole = f"driver=vpc,force_size_calc=current_size,file.filename={path}"
        words = ("-o", "subformat=dynamic,force_size=on")
        qemu_img("convert", "--image-opts", "-O", "vpc", *words, whole, eryphc.folder / "d.vhd")
        content = bytearray((eryphc.folder / "d.vhd").read_bytes())
        for start in (0, len(content) - 512):
            struct.pack_into(">4s", content, start + 28, creator.ljust(4, b"\0"))
            struct.pack_into(">HBB", content, start + 56, 301, 4, 17)
            content[start + 64 : start + 68] = bytes(4)
            total = ~sum(content[start : start + 512]) & 0xFFFFFFFF
            struct.pack_into(">I", content, start + 64, total)
        path.write_bytes(content)
    done = eryphc("volume", "convert", "disk.vhd", "-o", "disk.vhdx")
    assert done.code == 0, done.err
    qemu_img("convert", "-O", "raw", eryphc.folder / "disk.vhdx", eryphc.folder / "plain")
    plain = (eryphc.folder / "plain").read_bytes()
    assert (len(plain), plain[-512:]) == (size, b"END." * 128)
