"""Large files as artifacts: the same bytes, holes that stay holes, and never a hard link."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.builds import MANIFEST
from eryphc.artifacts import copies, sparse
from eryphc.artifacts.copies import FileCopy
from eryphc.artifacts.errors import OutputFailed
from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.folder import TargetFolders
from eryphc.artifacts.sparse import BLOCK, blocks, data, sha256_of

pytestmark = pytest.mark.once

MIB = 1024 * 1024
needs_holes = pytest.mark.skipif(sparse._DATA is None, reason="this system knows no holes")


def with_holes(path: Path, size: int = 64 * MIB, islands: tuple[int, ...] = (0, 20 * MIB)) -> Path:
    """A file of `size` bytes with a few bytes of data at each of `islands`, and holes around."""
    with path.open("wb") as file:
        file.truncate(size)
        for at in islands:
            file.seek(at)
            file.write(b"data" * 1024)
    return path


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def copied(source: Path, target: Path) -> Path:
    with target.open("wb") as file:
        FileCopy(source).write_to(file)
    return target


ISLANDS = {
    "data at the start": (0,),
    "data in the middle": (20 * MIB,),
    "data at the end": (64 * MIB - 4096,),
    "nothing but a hole": (),
    "data over the edge of a block": (BLOCK - 2048,),
}


@needs_holes
@pytest.mark.parametrize("islands", ISLANDS.values(), ids=ISLANDS)
def test_holes_stay_holes(tmp_path: Path, islands: tuple[int, ...]) -> None:
    source = with_holes(tmp_path / "source", islands=islands)
    target = copied(source, tmp_path / "target")
    assert target.read_bytes() == source.read_bytes()
    assert allocated(target) <= allocated(source) < MIB


def test_a_file_without_data(tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    assert copied(tmp_path / "source", tmp_path / "target").read_bytes() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="clones are made on Linux only")
class TestCloning:
    def test_where_the_disk_can_nothing_is_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The disks of most machines cannot clone, so the call of the kernel is played."""
        source = with_holes(tmp_path / "source")
        asked: list[int] = []

        def ioctl(descriptor: int, request: int, other: int) -> int:
            asked.append(request)
            os.pwrite(descriptor, os.pread(other, 100 * MIB, 0), 0)
            return 0

        monkeypatch.setattr("fcntl.ioctl", ioctl)
        monkeypatch.setattr(copies, "_copy", None)
        target = copied(source, tmp_path / "target")
        # _IOW(0x94, 9, int) of linux/fs.h
        assert asked == [1 << 30 | 4 << 16 | 0x94 << 8 | 9]
        assert target.read_bytes() == source.read_bytes()

    @pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY])
    def test_else_it_is_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        def refuse(*_: int) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("fcntl.ioctl", refuse)
        source = with_holes(tmp_path / "source")
        target = copied(source, tmp_path / "target")
        assert target.read_bytes() == source.read_bytes()
        assert allocated(target) < MIB


def test_in_memory_and_behind_other_content_it_is_written_whole(tmp_path: Path) -> None:
    source = with_holes(tmp_path / "source", 3 * MIB, (MIB,))
    memory = io.BytesIO()
    FileCopy(source).write_to(memory)
    assert memory.getvalue() == source.read_bytes()
    with (tmp_path / "target").open("wb") as file:
        file.write(b"before")
        FileCopy(source).write_to(file)
    assert (tmp_path / "target").read_bytes() == b"before" + source.read_bytes()


def test_an_artifact_is_a_file_of_its_own(tmp_path: Path) -> None:
    source = with_holes(tmp_path / "cache.vhd")
    source.chmod(0o600)
    files = {"disks/sda.vhd": ArtifactFile(FileCopy(source), "application/x-vhd")}
    before = os.umask(0o077)
    try:
        with TargetFolders([tmp_path / "out"]) as folders:
            (written,) = folders.stage(tmp_path / "out", files, MANIFEST)
            folders.commit()
    finally:
        os.umask(before)
    target = tmp_path / "out" / "disks" / "sda.vhd"
    content = source.read_bytes()
    assert target.read_bytes() == content
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.stat().st_ino != source.stat().st_ino
    assert (target.stat().st_nlink, source.stat().st_nlink) == (1, 1)
    assert allocated(target) < MIB
    digest = hashlib.sha256(content).hexdigest()
    assert (written.sha256, written.size) == (digest, len(content))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["artifacts"][0]["sha256"] == digest


def test_a_file_that_is_gone_leaves_no_folder(tmp_path: Path) -> None:
    files = {"disk": ArtifactFile(FileCopy(tmp_path / "absent"), "application/x-vhd")}
    with pytest.raises(OutputFailed), TargetFolders([tmp_path / "out"]) as folders:
        folders.stage(tmp_path / "out", files, MANIFEST)
    assert list(tmp_path.iterdir()) == []


@needs_holes
def test_holes_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = with_holes(tmp_path / "source")
    read: list[int] = []

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

    with Counting(source) as file:
        assert sha256_of(file) == (hashlib.sha256(source.read_bytes()).hexdigest(), 64 * MIB)
    assert sum(read) < MIB


@pytest.mark.parametrize("known", ["no holes", "holes"])
@given(
    islands=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=6),
    size=st.integers(0, 45),
)
def test_blocks_are_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    known: str,
    islands: list[tuple[int, int]],
    size: int,
) -> None:
    path = tmp_path_factory.mktemp("files") / "file"
    unit = 100_000
    with path.open("wb") as file:
        for at, length in islands:
            file.seek(at * unit)
            file.write(b"x" * (length * unit))
        file.truncate(size * unit)
    with pytest.MonkeyPatch.context() as patch, path.open("rb", buffering=0) as raw:
        if known == "no holes":
            patch.setattr(sparse, "_DATA", None)
        assert b"".join(blocks(raw, size * unit)) == path.read_bytes()
    path.unlink()


def test_a_file_that_is_cut_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * MIB))

    with path.open("rb", buffering=0) as file:
        read = data(file, 3 * MIB)
        next(read)
        os.truncate(path, MIB)
        with pytest.raises(OSError, match="became shorter"):
            list(read)
