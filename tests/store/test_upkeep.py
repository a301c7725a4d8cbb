"""What is in the cache, clearing it, and finding every damage in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eryphc.canonical import digest_of
from eryphc.store.collect import Record
from eryphc.store.content import Store
from eryphc.store.upkeep import Checks, clear, held, verify
from store.images import config, is_signed, manifest
from store.test_collect import Index

TEXT = b"name: motd\n"
CONFIG = config(TEXT)
IDENTITY, POLICY = digest_of(CONFIG), digest_of(b"policy")
NOTE = b"note"
# The text is no hash, so that only a seal could show a change of it.
SEALED = Checks(note=NOTE.__eq__, record=lambda _key, value: value == b"record")


@pytest.fixture
def full(store: Store, tmp_path: Path) -> Store:
    """A store with one of each kind."""
    store.add_blob(TEXT)
    store.add_blob(CONFIG)
    store.put_manifest(IDENTITY, manifest(CONFIG), is_signed)
    store.put_note(IDENTITY, POLICY, NOTE)
    store.add_root(tmp_path / "eryph.lock", tmp_path)
    store.folder.write(b"disk", "volumes", "sha256", "ab")
    store.folder.write(b"left", "tmp", "left")
    return store


def counts(store: Store) -> dict[str, int]:
    return {each.kind: each.files for each in held(store.folder) if each.files}


def test_what_is_held(full: Store) -> None:
    assert counts(full) == {
        "blobs": 3,
        "manifests": 1,
        "trust": 1,
        "volumes": 1,
        "roots": 1,
        "tmp": 1,
    }
    sizes = {each.kind: each.bytes for each in held(full.folder)}
    assert sizes["blobs"] == len(TEXT) + len(CONFIG) + len(manifest(CONFIG))


def test_holes_take_no_room(full: Store) -> None:
    with full.folder.path("volumes", "sha256", "hole").open("wb") as file:
        file.truncate(1 << 34)
    sizes = {each.kind: each.bytes for each in held(full.folder)}
    assert sizes["volumes"] < 1 << 20


def test_clearing_keeps_disk_images(full: Store) -> None:
    gone = clear(full.folder)
    assert {each.kind: each.files for each in gone if each.files} == {
        "blobs": 3, "manifests": 1, "trust": 1, "roots": 1, "tmp": 1,
    }  # fmt: skip
    assert counts(full) == {"volumes": 1}
    clear(full.folder, volumes=True)
    assert counts(full) == {}
    assert full.folder.path("version").exists()
    full.add_blob(TEXT)
    assert full.blob(digest_of(TEXT)) == TEXT


def test_clearing_follows_no_link(full: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"x")
    full.folder.path("blobs", "link").symlink_to(outside)
    full.folder.remove("trust")
    full.folder.path("trust").symlink_to(outside)
    clear(full.folder)
    assert (outside / "file").read_bytes() == b"x"
    assert not os.path.lexists(full.folder.path("trust"))


def test_what_is_whole_stays(full: Store) -> None:
    index = Index(Record("output/1/x", b"record", 1.0))
    done = verify(full, SEALED, index)
    assert done.damaged == ()
    assert done.checked == 7
    assert full.manifest(IDENTITY) is not None
    assert full.note(IDENTITY, POLICY) == NOTE
    assert len(index.kept) == 1


def test_every_flipped_bit_is_found(full: Store) -> None:
    """One bit of every byte of every file that the store has written."""
    kinds = ("blobs", "manifests", "trust")
    places = [full.folder.path(*each.parts) for kind in kinds for each in full.folder.files(kind)]
    assert len(places) == 5
    for place in places:
        good = place.read_bytes()
        # The line feed at the end of a pointer is no part of it.
        for at in range(len(good.rstrip(b"\n"))):
            other = bytearray(good)
            other[at] ^= 1 << at % 8
            place.write_bytes(other)
            done = verify(full, SEALED)
            assert [each.code.number for each in done.damaged][:1] == ["W1203"]
            assert not place.exists()
            place.write_bytes(good)
            if "manifests" not in place.parts:
                # Without its manifest the pointer was damaged as well.
                full.put_manifest(IDENTITY, manifest(CONFIG), is_signed)
    assert verify(full, SEALED).damaged == ()


def test_a_record_without_a_good_seal_is_removed(full: Store) -> None:
    index = Index(Record("output/1/x", b"record", 1.0), Record("output/1/y", b"forged", 1.0))
    done = verify(full, SEALED, index)
    assert [each.message for each in done.damaged] == [
        "`index/output/1/y` of the cache was damaged and has been removed"
    ]
    assert list(index.kept) == ["output/1/x"]


def test_a_manifest_that_others_refuse(full: Store) -> None:
    done = verify(full, Checks(manifest=lambda identity, _found: identity != IDENTITY))
    assert [each.code.number for each in done.damaged] == ["W1203"]
    assert full.manifest(IDENTITY) is None


@pytest.mark.parametrize("parts", [("blobs", "x"), ("blobs", "sha256", "ab", "c" * 61),
                                   ("manifests", "x"), ("trust", "ab", "x"), ("roots", "x"),
                                   ("blobs", "sha256", "AB", "C" * 62)])  # fmt: skip
def test_what_the_store_did_not_write_is_removed(full: Store, parts: tuple[str, ...]) -> None:
    full.folder.write(b"x", *parts)
    assert len(verify(full, Checks()).damaged) == 1
    assert not full.folder.path(*parts).exists()
