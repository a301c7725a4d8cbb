"""Conversions by the real qemu-img: right, the same every time, and refused where hostile."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from eryphc.cli.volume import TARGET_FORMATS
from eryphc.volumes import qemu_img as program
from eryphc.volumes.convert import Converted, convert
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.headers import DiskHeader, read_header
from eryphc.volumes.identity import crc32c
from volumes.images import FORMATS, MIB, disk, needs_qemu_img, qemu_img, raw_disk, same_content

pytestmark = [needs_qemu_img, pytest.mark.integration]


def converted(source: Path, target: Path, wanted: str, kind: str | None = None) -> Converted:
    return convert(source, kind, target, wanted, lambda _step, _percent: None)


@pytest.mark.parametrize("wanted", TARGET_FORMATS)
@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_the_content_stays(tmp_path: Path, kind: str, wanted: str) -> None:
    options = ("-o", "force_size=on") if kind == "vhd" else ()
    source = disk(tmp_path / "source", kind, *options)
    done = converted(source, tmp_path / "target", wanted)
    assert same_content(source, kind, done.path, wanted)
    assert (done.virtual_size, done.size) == (8 * MIB, done.path.stat().st_size)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


@pytest.mark.parametrize("wanted", ["vhdx", "vhd", "raw"])
def test_the_same_image_gives_the_same_bytes(tmp_path: Path, wanted: str) -> None:
    source = disk(tmp_path / "source.qcow2", "qcow2", "-c")
    first = converted(source, tmp_path / "first", wanted)
    second = converted(source, tmp_path / "second", wanted)
    assert first.sha256 == second.sha256
    assert first.path.read_bytes() == second.path.read_bytes()


def test_another_image_is_another_disk(tmp_path: Path) -> None:
    ids = []
    for seed in (1, 2):
        done = converted(raw_disk(tmp_path / "raw", seed=seed), tmp_path / f"{seed}.vhdx", "vhdx")
        header = read_header(done.path)
        assert isinstance(header, DiskHeader)
        ids.append(header.identifier)
    assert ids[0] != ids[1]


def test_a_vhdx_is_intact_for_qemu(tmp_path: Path) -> None:
    done = converted(raw_disk(tmp_path / "raw"), tmp_path / "disk.vhdx", "vhdx")
    assert "No errors" in qemu_img("check", "-f", "vhdx", done.path)
    content = done.path.read_bytes()
    for at in (64 * 1024, 128 * 1024):
        head = bytearray(content[at : at + 4096])
        (said,) = struct.unpack_from("<I", head, 4)
        head[4:8] = bytes(4)
        assert said == crc32c(bytes(head))


@pytest.mark.parametrize("more", [0, 512, MIB - 512])
def test_a_vhd_has_whole_mib(tmp_path: Path, more: int) -> None:
    source = raw_disk(tmp_path / "raw", 8 * MIB + more)
    done = converted(source, tmp_path / "disk.vhd", "vhd")
    expected = (8 if not more else 9) * MIB
    assert (done.virtual_size, done.size) == (expected, expected + 512)
    assert f'"virtual-size": {expected}' in qemu_img(
        "info", "--output=json", "-f", "vpc", done.path
    )
    assert done.path.read_bytes()[: 8 * MIB + more] == source.read_bytes()


class TestHostile:
    def refused(self, source: Path, kind: str | None = None) -> VolumeError:
        target = source.parent / "target.vhdx"
        with pytest.raises(VolumeError) as caught:
            converted(source, target, "vhdx", kind)
        assert not list(source.parent.glob("*target*"))
        return caught.value

    def test_a_backing_file(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"s" * MIB)
        source = tmp_path / "disk.qcow2"
        words = ("-b", tmp_path / "secret", "-F", "raw")
        qemu_img("create", "-q", "-f", "qcow2", *words, source, "1M")
        failure = self.refused(source)
        assert failure.diagnostic.code.number == "E0809"
        assert not failure.outside

    def test_a_data_file(self, tmp_path: Path) -> None:
        source = tmp_path / "disk.qcow2"
        options = f"data_file={tmp_path / 'data'},data_file_raw=on"
        qemu_img("create", "-q", "-f", "qcow2", "-o", options, source, "1M")
        assert self.refused(source).diagnostic.code.number == "E0809"

    def test_what_qemu_sees_and_we_do_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Were our own reading deceived, QEMU's is asked too, before anything is opened."""
        (tmp_path / "secret").write_bytes(b"s" * MIB)
        source = tmp_path / "disk.qcow2"
        words = ("-b", tmp_path / "secret", "-F", "raw")
        qemu_img("create", "-q", "-f", "qcow2", *words, source, "1M")
        header = read_header(source)
        assert isinstance(header, DiskHeader)
        monkeypatch.setattr(
            "eryphc.volumes.convert.whole_disk", lambda *_: header._replace(problem=None)
        )
        failure = self.refused(source)
        assert "builds on the backing file" in failure.diagnostic.message

    def test_a_raw_disk_is_never_probed(self, tmp_path: Path) -> None:
        """A guest writes a qcow2 header onto its raw disk: it stays a raw disk."""
        (tmp_path / "secret").write_bytes(b"s" * MIB)
        source = tmp_path / "disk.raw"
        words = ("-b", tmp_path / "secret", "-F", "raw")
        qemu_img("create", "-q", "-f", "qcow2", *words, source, "1M")
        with source.open("r+b") as file:
            file.truncate(MIB)
        done = converted(source, tmp_path / "target.raw", "raw", "raw")
        assert done.path.read_bytes() == source.read_bytes()

    @pytest.mark.parametrize("name", ["nbd:127.0.0.1:9", "-o disk", "a,b=c", "json:{}", "ä ö.img"])
    def test_names_are_only_names(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        source = raw_disk(tmp_path / "raw", MIB).rename(tmp_path / name)
        done = converted(Path(source.name), Path(f"{name}.vhdx"), "vhdx")
        assert same_content(source, "raw", done.path.absolute(), "vhdx")

    def test_a_disk_that_is_too_large(self, tmp_path: Path) -> None:
        source = tmp_path / "disk.qcow2"
        qemu_img("create", "-q", "-f", "qcow2", source, "1M")
        with source.open("r+b") as file:
            file.seek(24)
            file.write(struct.pack(">Q", 1 << 60))
        assert self.refused(source).diagnostic.code.number == "E0804"

    def test_tables_that_lead_nowhere(self, tmp_path: Path) -> None:
        source = disk(tmp_path / "disk.qcow2", "qcow2")
        with source.open("r+b") as file:
            file.seek(40)
            file.write(struct.pack(">Q", 1 << 50))
        failure = self.refused(source)
        assert failure.diagnostic.code.number == "E0811"

    @pytest.mark.parametrize("kind", ["qcow2", "vhdx"])
    def test_a_file_that_was_cut(self, tmp_path: Path, kind: str) -> None:
        source = disk(tmp_path / f"disk.{kind}", kind)
        with source.open("r+b") as file:
            file.truncate(source.stat().st_size - MIB // 4)
        assert self.refused(source).diagnostic.code.number in ("E0808", "E0811")

    def test_a_program_that_hangs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir()
        script = bin_folder / "qemu-img"
        script.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 600\n", "utf-8")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(program, "_INFO_SECONDS", 1)
        failure = self.refused(raw_disk(tmp_path / "disk.raw"))
        assert "not done after 1 seconds" in failure.diagnostic.message
        # It was ended, not waited for.
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text("ascii")), 0)


def test_progress_is_heard(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    convert(
        raw_disk(tmp_path / "raw"),
        "raw",
        tmp_path / "disk.vhdx",
        "vhdx",
        lambda step, percent: heard.append((step, percent)),
    )
    assert ("converting", 100.0) in heard
    assert ("comparing", 100.0) in heard


def test_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VolumeError) as caught:
        converted(raw_disk(tmp_path / "raw"), tmp_path / "disk.vhdx", "vhdx")
    assert caught.value.diagnostic.code.number == "E0807"
    assert "qemu-utils" in (caught.value.diagnostic.help or "")
