"""Collecting: what something names stays, what is young stays, all else goes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from eryphc.canonical import digest_of
from eryphc.store.collect import DAY, Record, prune
from eryphc.store.content import Store, blob_parts
from store.images import config, is_signed, manifest

TEXT, CARD = b"name: motd\n", b"name: card\n"
CONFIG = config(TEXT, CARD)
IDENTITY, POLICY = digest_of(CONFIG), digest_of(b"policy")
OLD = DAY + 60


class Index:
    """Records in memory."""

    def __init__(self, *records: Record) -> None:
        self.kept = {record.key: record for record in records}

    def records(self) -> Sequence[Record]:
        return tuple(self.kept.values())

    def remove(self, key: str) -> None:
        del self.kept[key]


def age(store: Store, seconds: float = OLD) -> None:
    """Make everything in the store older."""
    then = time.time() - seconds
    for path in store.folder.root.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def pulled(store: Store, config_: bytes = CONFIG, texts: Sequence[bytes] = (TEXT, CARD)) -> str:
    for text in texts:
        store.add_blob(text)
    identity = store.add_blob(config_)
    store.put_manifest(identity, manifest(config_), is_signed)
    store.put_note(identity, POLICY, f'{{"identity":"{identity}"}}'.encode())
    return identity


def lock(store: Store, folder: Path, *digests: str) -> Path:
    path = folder / "eryph.lock"
    path.write_text(json.dumps({"sets": {each: {"digest": each} for each in digests}}), "utf-8")
    store.add_root(path, folder)
    return path


def here(
    store: Store, identity: str = IDENTITY, texts: Sequence[bytes] = (TEXT, CARD)
) -> set[bool]:
    """Whether each part of a gene set is in the store."""
    return {
        store.manifest(identity) is not None,
        store.note(identity, POLICY) is not None,
        *(store.blob(digest_of(text)) is not None for text in texts),
    }


def files(store: Store) -> list[str]:
    kinds = ("blobs", "manifests", "trust")
    return ["/".join(entry.parts) for kind in kinds for entry in store.folder.files(kind)]


def test_what_a_lock_names_stays(store: Store, tmp_path: Path) -> None:
    assert pulled(store) == IDENTITY
    other = pulled(store, config(b"other"), (b"other",))
    lock(store, tmp_path, IDENTITY)
    age(store)
    done = prune(store)
    assert here(store) == {True}
    assert here(store, other, (b"other",)) == {False}
    # The text, the config, the manifest, what points to it, and the note.
    assert done.files == 5
    assert done.bytes > 0
    assert done.left == sum(
        entry.size for kind in ("blobs", "manifests", "trust") for entry in store.folder.files(kind)
    )
    assert prune(store).files == 0


def test_a_text_that_only_the_lock_names_stays(store: Store, tmp_path: Path) -> None:
    """Gene sets of packed pools have no config."""
    digest = store.add_blob(TEXT)
    lock(store, tmp_path, digest)
    age(store)
    prune(store)
    assert store.blob(digest) == TEXT


def test_a_lock_of_two_branches_counts_whole(store: Store, tmp_path: Path) -> None:
    first, second = store.add_blob(b"ours"), store.add_blob(b"theirs")
    path = lock(store, tmp_path)
    path.write_text(f"<<<<<<<\n{first}\n=======\n{second}\n>>>>>>>\n", "utf-8")
    age(store)
    assert prune(store).files == 0


def test_a_root_without_its_lock_goes(store: Store, tmp_path: Path) -> None:
    pulled(store)
    lock(store, tmp_path, IDENTITY).unlink()
    age(store)
    prune(store)
    assert list(store.roots()) == []
    assert files(store) == []


@pytest.mark.parametrize("make", [Path.mkdir, *([os.mkfifo] if hasattr(os, "mkfifo") else [])])
def test_a_lock_that_cannot_be_read_keeps_everything(
    store: Store, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    pulled(store)
    path = lock(store, tmp_path)
    path.unlink()
    make(path)
    age(store)
    store.folder.write(b"left", "tmp", "x")
    done = prune(store)
    assert done.unread == (path,)
    assert here(store) == {True}
    assert len(list(store.roots())) == 1
    assert list(store.folder.path("tmp").iterdir()) == []


@pytest.mark.parametrize(("seconds", "stays"), [(DAY - 60, True), (OLD, False)])
def test_what_is_young_stays(store: Store, seconds: float, *, stays: bool) -> None:
    pulled(store)
    age(store, seconds)
    prune(store)
    assert here(store) == {stays}


def test_content_that_was_wanted_again_is_young(store: Store) -> None:
    digest = store.add_blob(TEXT)
    age(store)
    store.add_blob(TEXT)
    prune(store)
    assert store.blob(digest) == TEXT


def test_what_a_record_names_stays(store: Store) -> None:
    digest = store.add_blob(b"artifact")
    pulled(store)
    age(store)
    bare = digest.removeprefix("sha256:")
    index = Index(
        Record("output/1/x", f'{{"files":[["a","{bare}"]]}}'.encode(), 1.0),
        Record("tag/1/host/repo/tag", f"{digest_of(b'm')} {IDENTITY}".encode(), 1.0),
    )
    prune(store, index)
    assert store.blob(digest) == b"artifact"
    assert here(store) == {True}
    prune(store, Index())
    assert files(store) == []


def test_the_outputs_used_longest_ago_go_first(store: Store, tmp_path: Path) -> None:
    digests = [store.add_blob(bytes([number]) * 4096) for number in range(4)]
    locked = store.add_blob(b"l" * 4096)
    lock(store, tmp_path, locked)
    both = digests[3]
    index = Index(
        Record("output/1/b", f"{digests[1]} {both}".encode(), 20.0),
        Record("output/1/a", f"{digests[0]} {locked}".encode(), 10.0),
        Record("output/1/c", f"{digests[2]} {both}".encode(), 30.0),
        Record("tag/1/old", b"", 1.0),
    )
    assert prune(store, index, most=1 << 30).files == 0
    done = prune(store, index, most=4 * 4096)
    assert done.left <= 4 * 4096
    assert sorted(index.kept) == ["output/1/b", "output/1/c", "tag/1/old"]
    assert [store.blob(each) is not None for each in digests] == [False, True, True, True]
    prune(store, index, most=3 * 4096)
    # What another record names as well is only gone with it.
    assert sorted(index.kept) == ["output/1/c", "tag/1/old"]
    assert store.blob(both) is not None
    assert prune(store, index, most=0).left == 4096
    # What a lock names does not go for its size.
    assert sorted(index.kept) == ["tag/1/old"]
    assert store.blob(locked) is not None


def test_strange_files_go(store: Store, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    pulled(store)
    lock(store, tmp_path, IDENTITY)
    store.folder.write(b"x", "blobs", "sha256", "zz", "README")
    store.folder.path("blobs", "link").symlink_to(tmp_path / "outside")
    deep = store.folder.path("blobs", *"abcdefghij")
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"x")
    age(store)
    os.utime(store.folder.path("blobs", "link"), (1, 1), follow_symlinks=False)
    prune(store)
    assert here(store) == {True}
    assert (tmp_path / "outside").read_bytes() == b"x"
    assert not [name for name in files(store) if "README" in name or "link" in name]
    assert not deep.exists()


def test_a_damaged_config_keeps_its_name(store: Store, tmp_path: Path) -> None:
    """It is removed as damaged, and nothing else breaks."""
    pulled(store)
    lock(store, tmp_path, IDENTITY)
    store.folder.path(*blob_parts(IDENTITY)).write_bytes(b"\xff")
    age(store)
    prune(store)
    assert store.blob(IDENTITY) is None


def test_it_waits_for_another_run(store: Store) -> None:
    """The lock is held by this process under another open file."""
    heard: list[str] = []
    with store.folder.locked("gc"):
        import threading

        started = threading.Event()

        def waiting() -> None:
            heard.append("waiting")
            started.set()

        other = threading.Thread(target=lambda: prune(store, waiting=waiting))
        other.start()
        assert started.wait(60)
    other.join(60)
    assert heard == ["waiting"]
