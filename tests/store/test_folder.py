"""The cache folder: whose it is, what stands in it, and what happens when a write fails."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eryphc.diagnostics.model import Diagnostic
from eryphc.errors import Failure
from eryphc.store.content import Store, blob_parts
from eryphc.store.faults import StoreError
from eryphc.store.folder import Folder, existing_folder, open_folder

SOMEBODY = 12345
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refused(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_folder(folder).read("blobs", "x", limit=9)
    assert caught.value.failure is Failure.OUTSIDE
    assert caught.value.diagnostic.code.number == "E1201"
    assert "--cache-dir" in (caught.value.diagnostic.help or "")
    return caught.value.diagnostic.message


class TestOpening:
    def test_a_new_folder_is_private_and_says_what_it_is(self, tmp_path: Path) -> None:
        folder = open_folder(tmp_path / "new" / "cache")
        assert mode(folder.root) == 0o700
        tag = folder.path("CACHEDIR.TAG").read_bytes()
        assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
        assert folder.path("version").read_text("ascii") == "2\n"
        assert mode(folder.path("version")) == 0o600

    def test_opening_again_writes_nothing(self, tmp_path: Path) -> None:
        folder = open_folder(tmp_path / "cache")
        before = {path: path.lstat().st_mtime_ns for path in folder.root.rglob("*")}
        open_folder(tmp_path / "cache")
        assert before == {path: path.lstat().st_mtime_ns for path in folder.root.rglob("*")}

    def test_a_folder_that_is_not_there_is_not_made_by_looking(self, tmp_path: Path) -> None:
        assert existing_folder(tmp_path / "cache") is None
        assert list(tmp_path.iterdir()) == []

    def test_another_version_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir(mode=0o700)
        (tmp_path / "cache" / "version").write_text("3\n", encoding="ascii")
        folder = open_folder(tmp_path / "cache")
        assert folder.root == tmp_path / "cache-2"
        folder.write(b"x", "blobs", "y")
        assert [path.name for path in (tmp_path / "cache").iterdir()] == ["version"]
        assert open_folder(tmp_path / "cache").read("blobs", "y", limit=9) == b"x"
        (tmp_path / "cache-2" / "version").write_text("4\n", encoding="ascii")
        assert "another version" in refused(tmp_path / "cache")

    def test_a_folder_of_other_things_keeps_its_place_in_backups(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("x", encoding="ascii")
        tmp_path.chmod(0o700)
        folder = open_folder(tmp_path)
        assert not folder.path("CACHEDIR.TAG").exists()
        assert folder.path("version").exists()

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("x", encoding="ascii")
        assert "is no folder" in refused(tmp_path / "cache")

    def test_the_folder_may_be_a_link_of_the_user(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir(mode=0o700)
        (tmp_path / "cache").symlink_to("real")
        open_folder(tmp_path / "cache").write(b"x", "blobs", "y")
        assert (tmp_path / "real" / "blobs" / "y").read_bytes() == b"x"

    @as_root
    def test_a_folder_of_another_user(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir(mode=0o700)
        os.chown(tmp_path / "cache", SOMEBODY, SOMEBODY)
        assert "belongs to another user" in refused(tmp_path / "cache")
        assert list((tmp_path / "cache").iterdir()) == []

    @pytest.mark.parametrize("bits", [0o770, 0o702, 0o777, 0o1777])
    def test_a_folder_that_others_can_write(self, tmp_path: Path, bits: int) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache").chmod(bits)
        assert "can be written by other users" in refused(tmp_path / "cache")

    def test_a_folder_inside_that_others_can_write(self, tmp_path: Path) -> None:
        open_folder(tmp_path / "cache").write(b"x", "blobs", "x")
        (tmp_path / "cache" / "blobs").chmod(0o777)
        assert "can be written by other users" in refused(tmp_path / "cache")

    @as_root
    def test_a_folder_inside_of_another_user(self, tmp_path: Path) -> None:
        open_folder(tmp_path / "cache").write(b"x", "blobs", "x")
        os.chown(tmp_path / "cache" / "blobs", SOMEBODY, SOMEBODY)
        assert "belongs to another user" in refused(tmp_path / "cache")


# --- what may stand in the place of a file ---------------------------------------------------


def link(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def link_to_nothing(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "absent")


def pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path, outside: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def folder_with_a_file(path: Path, outside: Path) -> None:
    path.mkdir()
    (path / "file").write_text("x", encoding="ascii")
    (path / "link").symlink_to(outside)


STRANGE = (link, link_to_nothing, pipe, unix_socket, folder_with_a_file)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder that nothing may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_bytes(b"content")
    os.utime(folder / "file", ns=(1, 1))
    yield folder
    assert (folder / "file").read_bytes() == b"content"
    assert (folder / "file").lstat().st_mtime_ns == 1
    assert [path.name for path in folder.iterdir()] == ["file"]


@pytest.mark.parametrize("strange", STRANGE, ids=lambda each: each.__name__)
class TestInPlaceOf:
    def test_a_blob(
        self,
        store: Store,
        damage: list[Diagnostic],
        outside: Path,
        strange: Callable[[Path, Path], None],
    ) -> None:
        digest = store.add_blob(b"content")
        place = store.folder.path(*blob_parts(digest))
        place.unlink()
        strange(place, outside / "file")
        # A link to a file with the right content is not followed either.
        assert store.blob(digest) is None
        assert not os.path.lexists(place)
        assert [each.code.number for each in damage] == ["W1203"]
        assert "/".join(blob_parts(digest)) in damage[0].message
        strange(place, outside / "file")
        assert store.add_blob(b"content") == digest
        assert store.blob(digest) == b"content"

    def test_a_folder(
        self,
        store: Store,
        damage: list[Diagnostic],
        outside: Path,
        strange: Callable[[Path, Path], None],
    ) -> None:
        digest = store.add_blob(b"content")
        two = store.folder.path(*blob_parts(digest)[:-1])
        (two / digest[9:]).unlink()
        two.rmdir()
        strange(two, outside)
        if strange is folder_with_a_file:
            # A folder stands where a folder belongs.
            return
        assert store.blob(digest) is None
        assert [each.code.number for each in damage] == ["W1203"]
        assert store.add_blob(b"content") == digest
        assert store.blob(digest) == b"content"

    def test_a_lock(
        self, store: Store, outside: Path, strange: Callable[[Path, Path], None]
    ) -> None:
        store.folder.made("locks")
        strange(store.folder.path("locks", "x"), outside / "file")
        with store.folder.locked("x"):
            assert stat.S_ISREG(store.folder.path("locks", "x").lstat().st_mode)


# --- writing ---------------------------------------------------------------------------------


def test_a_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "cache")
    before = os.umask(0)
    try:
        folder.write(b"x", "blobs", "ab", "y")
    finally:
        os.umask(before)
    assert mode(folder.path("blobs", "ab", "y")) == 0o600
    assert mode(folder.path("blobs", "ab")) == mode(folder.path("tmp")) == 0o700


def test_what_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    def content() -> Iterator[bytes]:
        yield b"x" * 100
        raise RuntimeError("the network")

    with pytest.raises(RuntimeError), store.folder.staged(content()):
        pass
    assert list(store.folder.path("tmp").iterdir()) == []


def test_a_file_that_a_run_is_writing_is_not_removed(store: Store) -> None:
    folder = store.folder
    folder.write(b"", "tmp", "left")
    with folder.staged((b"x",)) as staged:
        Folder(folder.root).drop_unfinished()
        assert staged.path.exists()
        assert not folder.path("tmp", "left").exists()
        folder.put(staged, "blobs", "x")
    assert folder.read("blobs", "x", limit=9) == b"x"
    assert list(folder.path("tmp").iterdir()) == []


def test_a_cache_that_is_cleared_meanwhile(store: Store) -> None:
    folder = store.folder

    def content() -> Iterator[bytes]:
        yield b"x"
        folder.remove("blobs")

    with folder.staged(content()) as staged:
        folder.put(staged, "blobs", "ab", "x")
    assert folder.read("blobs", "ab", "x", limit=9) == b"x"


def test_a_fault_of_the_source_is_none_of_the_cache(store: Store) -> None:
    def content() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionResetError(errno.ECONNRESET, "the network")

    with pytest.raises(ConnectionResetError), store.folder.staged(content()):
        pass
    assert list(store.folder.path("tmp").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=1M,mode=0700", "tmpfs", str(place))
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(("umount", str(place)), check=True)


def test_a_full_disk(small_disk: Path) -> None:
    """What was there stays good, what did not fit is gone, and there is room for it later."""
    store = Store(open_folder(small_disk / "cache"))
    kept = [store.add_blob(bytes([number]) * 1000) for number in range(9)]
    room = store.add_blob(b"r" * 600_000)
    with pytest.raises(StoreError) as caught:
        store.add_blob(b"x" * 900_000)
    assert caught.value.diagnostic.code.number == "E1202"
    assert caught.value.failure is Failure.OUTSIDE
    for digest in kept:
        assert store.blob(digest) is not None
    assert list(store.folder.path("tmp").iterdir()) == []
    store.folder.remove(*blob_parts(room))
    assert store.blob(store.add_blob(b"x" * 900_000)) is not None


def test_a_disk_that_is_full_from_the_beginning(small_disk: Path) -> None:
    with pytest.raises(OSError, match="space"):  # noqa: PT012
        for number in range(4096):
            (small_disk / f"{number}").write_bytes(bytes(4096))
    with pytest.raises(StoreError) as caught:
        open_folder(small_disk / "cache")
    assert caught.value.diagnostic.code.number == "E1202"
