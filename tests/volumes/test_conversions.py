"""The cache of converted disks: made once, verified each time, shared by runs."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eryphc.store.seals import Seals
from eryphc.volumes import qemu_img
from eryphc.volumes.conversions import Bench, vhd_of
from eryphc.volumes.disk_images import DiskImages
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.headers import DiskHeader, read_header
from eryphc.volumes.identity import conversion_key, vhd_identifier
from eryphc.volumes.places import converted
from volumes.images import MIB, disk, needs_qemu_img, raw_disk, same_content
from volumes.images import qemu_img as run_qemu_img

pytestmark = [needs_qemu_img, pytest.mark.integration]
ROOT = Path(__file__).resolve().parents[2]
SEALS = Seals(b"key", shared=True)


def bench(folder: Path) -> Bench:
    return Bench(folder / "cache", lambda: SEALS, DiskImages(), lambda *_: None, lambda: None)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sources of all conversions."""
    made: list[Path] = []
    convert = qemu_img.convert

    def counting(source: Path, *rest: Any) -> None:
        made.append(source)
        convert(source, *rest)

    monkeypatch.setattr(qemu_img, "convert", counting)
    return made


def names(folder: Path) -> list[str]:
    """The disk images in the cache, without their records."""
    cache = folder / "cache"
    files = [path for path in (cache / "volumes").rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix != ".record"]
    return sorted(str(path.relative_to(cache)) for path in files)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["qcow2", "raw", "vhd", "vhdx"])
def test_a_disk_is_converted_once(tmp_path: Path, counted: list[Path], kind: str) -> None:
    options = ("-o", "force_size=on") if kind == "vhd" else ()
    source = disk(tmp_path / f"disk.{kind}", kind, *options)
    place = vhd_of(source, kind, None, bench(tmp_path))
    key = conversion_key(sha256(source), 8 * MIB)
    assert place == converted(tmp_path / "cache", key)
    assert place.name == f"{key}.vhd"
    assert same_content(source, kind, place, "vhd")
    header = read_header(place, "vhd")
    assert isinstance(header, DiskHeader)
    assert (header.identifier, header.virtual_size) == (str(vhd_identifier(key)), 8 * MIB)
    assert vhd_of(source, None, sha256(source).upper(), bench(tmp_path)) == place
    assert counted == [source]
    assert names(tmp_path) == [f"volumes/converted/{key}.vhd"]
    assert place.parent.stat().st_mode & 0o077 == 0


def test_the_same_content_elsewhere_is_the_same_disk(tmp_path: Path, counted: list[Path]) -> None:
    first = raw_disk(tmp_path / "a.raw")
    second = raw_disk(tmp_path / "b.raw")
    place = vhd_of(first, None, None, bench(tmp_path))
    assert vhd_of(second, None, None, bench(tmp_path)) == place
    assert counted == [first]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def without_footer(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size - 512)
    os.truncate(path, size)


def of_another_disk(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-512 + 70, 2)
        file.write(b"xx")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_another_content(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(MIB)
        file.write(b"xx")


def without_record(path: Path) -> None:
    path.with_suffix(".record").unlink()


def with_a_forged_record(path: Path) -> None:
    """It says what is true, and is of another key."""
    record = path.with_suffix(".record")
    _, _, body = record.read_bytes().partition(b"\n")
    other = Seals(b"other", shared=True)
    record.write_bytes(other.sealed("eryphc-conversion/1", body, path.stem))


def with_a_flipped_record(path: Path) -> None:
    record = path.with_suffix(".record")
    data = bytearray(record.read_bytes())
    data[-3] ^= 1
    record.write_bytes(data)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE = (
    cut,
    grown,
    without_footer,
    of_another_disk,
    emptied,
    of_another_content,
    without_record,
    with_a_forged_record,
    with_a_flipped_record,
    a_pipe,
)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda each: each.__name__)
def test_a_damaged_disk_is_made_anew(
    tmp_path: Path, counted: list[Path], damage: Callable[[Path], None]
) -> None:
    source = raw_disk(tmp_path / "disk.raw")
    place = vhd_of(source, None, None, bench(tmp_path))
    before = place.read_bytes()
    damage(place)
    assert vhd_of(source, None, None, bench(tmp_path)) == place
    assert place.read_bytes() == before
    assert len(counted) == 2


def test_a_file_that_was_touched_is_read_again(tmp_path: Path, counted: list[Path]) -> None:
    source = raw_disk(tmp_path / "disk.raw")
    place = vhd_of(source, None, None, bench(tmp_path))
    heard: list[str] = []
    desk = bench(tmp_path)._replace(told=lambda step, _percent: heard.append(step))
    os.utime(place, ns=(1, 1))
    vhd_of(source, None, None, desk)
    assert set(heard) == {"reading the converted image"}
    heard.clear()
    vhd_of(source, None, None, desk)
    assert heard == []
    assert counted == [source]


def test_a_change_right_after_the_record_is_seen(tmp_path: Path, counted: list[Path]) -> None:
    """A file system may give it the time that the record says."""
    source = raw_disk(tmp_path / "disk.raw")
    place = vhd_of(source, None, None, bench(tmp_path))
    before = place.stat()
    of_another_content(place)
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    vhd_of(source, None, None, bench(tmp_path))
    assert len(counted) == 2


class TestRefused:
    def refused(self, folder: Path, source: Path, given: str | None = None) -> VolumeError:
        with pytest.raises(VolumeError) as caught:
            vhd_of(source, None, given, bench(folder))
        assert names(folder) == []
        return caught.value

    @pytest.mark.parametrize("given", [None, "ab" * 32], ids=["hashed", "known"])
    def test_a_backing_file(self, tmp_path: Path, given: str | None) -> None:
        source = tmp_path / "disk.qcow2"
        words = ("-b", "/etc/passwd", "-F", "raw", "-u", source, "1M")
        run_qemu_img("create", "-q", "-f", "qcow2", *words)
        error = self.refused(tmp_path, source, given)
        assert (error.diagnostic.code.number, error.outside) == ("E0809", False)
        assert "/etc/passwd" in error.diagnostic.message

    def test_a_file_of_another_hash(self, tmp_path: Path) -> None:
        """The name in the cache is a promise, so a wrong hash must not come into it."""
        error = self.refused(tmp_path, raw_disk(tmp_path / "disk.raw"), "ab" * 32)
        assert (error.diagnostic.code.number, error.outside) == ("E0801", False)

    def test_a_file_that_changes_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = raw_disk(tmp_path / "disk.raw")
        differs = qemu_img.differs

        def touched(*rest: Any) -> str | None:
            os.utime(source, ns=(1, 1))
            return differs(*rest)

        monkeypatch.setattr(qemu_img, "differs", touched)
        error = self.refused(tmp_path, source)
        assert "it changed while it was converted" in error.diagnostic.message
        assert error.outside

    def test_without_the_program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        error = self.refused(tmp_path, raw_disk(tmp_path / "disk.raw"))
        assert (error.diagnostic.code.number, error.outside) == ("E0807", True)

    def test_a_cache_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("", encoding="utf-8")
        with pytest.raises(VolumeError) as caught:
            vhd_of(raw_disk(tmp_path / "disk.raw"), None, None, bench(tmp_path))
        assert caught.value.diagnostic.code.number == "E1201"
        assert caught.value.outside

    def test_a_vmdk(self, tmp_path: Path) -> None:
        source = tmp_path / "disk.vmdk"
        run_qemu_img("create", "-q", "-f", "vmdk", source, "8M")
        error = self.refused(tmp_path, source)
        assert "but a VMDK image (VMware)" in error.diagnostic.message

    def test_no_file(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path, tmp_path / "absent").diagnostic.code.number == "E0810"


# -- several runs ---------------------------------------------------------------------------

SLOW = """#!/bin/sh
case "$1" in
convert) echo x >> '{folder}/conversions'; sleep {seconds};;
esac
exec {program} "$@"
"""
RUN = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from eryphc.store.seals import Seals
from eryphc.volumes.conversions import Bench, vhd_of
from eryphc.volumes.disk_images import DiskImages
waiting = lambda: print("waiting", flush=True)
seals = lambda: Seals(b"key", shared=True)
bench = Bench(Path("cache"), seals, DiskImages(), lambda *_: None, waiting)
print(vhd_of(Path("disk.raw"), "raw", None, bench), flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    """Starts a run whose conversion takes some seconds."""
    program = run_path("qemu-img")
    started: list[subprocess.Popen[str]] = []

    def begin(seconds: float) -> subprocess.Popen[str]:
        bin_folder = tmp_path / f"bin{len(started)}"
        bin_folder.mkdir()
        script = bin_folder / "qemu-img"
        text = SLOW.format(folder=tmp_path, seconds=seconds, program=program)
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)
        paths = [str(ROOT / "compiler"), str(ROOT / "runtime")]
        process = subprocess.Popen(
            [sys.executable, "-c", RUN.format(paths=paths)],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run_path(name: str) -> str:
    import shutil

    return shutil.which(name) or name


def wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not come")


def test_two_runs_at_once(tmp_path: Path, start: Callable[[float], subprocess.Popen[str]]) -> None:
    raw_disk(tmp_path / "disk.raw")
    first = start(2)
    wait_for(tmp_path / "conversions")
    second = start(0)
    found = [run.communicate(timeout=60) for run in (first, second)]
    place = converted(Path("cache"), conversion_key(sha256(tmp_path / "disk.raw"), 8 * MIB))
    assert [out for out, _ in found] == [f"{place}\n", f"waiting\n{place}\n"], found
    assert (tmp_path / "conversions").read_text("ascii") == "x\n"
    assert len(names(tmp_path)) == 1


def test_a_run_that_is_killed_leaves_no_disk(
    tmp_path: Path, start: Callable[[float], subprocess.Popen[str]], counted: list[Path]
) -> None:
    source = raw_disk(tmp_path / "disk.raw")
    run = start(60)
    wait_for(tmp_path / "conversions")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    place = converted(tmp_path / "cache", conversion_key(sha256(source), 8 * MIB))
    assert not place.exists()
    # What it had begun is removed by the next run, which does not wait for it.
    (place.parent / f".{place.name}.1.part").write_bytes(b"half")
    vhd_of(source, None, None, bench(tmp_path))
    assert names(tmp_path) == [f"volumes/converted/{place.name}"]


def test_progress_is_heard(tmp_path: Path) -> None:
    heard: list[str] = []
    desk = bench(tmp_path)._replace(told=lambda step, _percent: heard.append(step))
    vhd_of(raw_disk(tmp_path / "disk.raw"), None, None, desk)
    assert {"converting", "comparing"} <= set(heard)
    heard.clear()
    vhd_of(tmp_path / "disk.raw", None, None, desk)
    assert "converting" not in heard
