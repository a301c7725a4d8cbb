"""Content by its digest, manifests by identity, notes and roots: what is damaged is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from eryphc.canonical import digest_of
from eryphc.diagnostics.model import Diagnostic
from eryphc.store.content import ContentDiffersError, Root, Store, blob_parts
from store.images import config, is_signed, manifest

CONTENT = b"name: motd\n"
CONFIG = config(CONTENT)
IDENTITY = digest_of(CONFIG)
POLICY = digest_of(b"policy")


def test_content_comes_back(store: Store) -> None:
    assert store.add_blob(CONTENT) == digest_of(CONTENT)
    assert store.blob(digest_of(CONTENT)) == CONTENT
    assert store.blob(digest_of(b"other")) is None
    (place,) = (path for path in store.folder.path("blobs").rglob("*") if path.is_file())
    assert place.relative_to(store.folder.root).as_posix() == (
        f"blobs/sha256/{digest_of(CONTENT)[7:9]}/{digest_of(CONTENT)[9:]}"
    )
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_seen(store: Store, damage: list[Diagnostic], bit: int) -> None:
    place = store.folder.path(*blob_parts(store.add_blob(CONTENT)))
    for at in range(len(CONTENT)):
        data = bytearray(CONTENT)
        data[at] ^= 1 << bit
        place.write_bytes(data)
        assert store.blob(digest_of(CONTENT)) is None
        assert not place.exists()
    assert {each.code.number for each in damage} == {"W1203"}
    assert len(damage) == len(CONTENT)


@pytest.mark.parametrize("data", [b"", CONTENT[:-1], CONTENT + b"x"], ids=["none", "cut", "grown"])
def test_damaged_content_is_written_again(
    store: Store, damage: list[Diagnostic], data: bytes
) -> None:
    place = store.folder.path(*blob_parts(store.add_blob(CONTENT)))
    place.write_bytes(data)
    store.add_blob(CONTENT)
    assert store.blob(digest_of(CONTENT)) == CONTENT
    assert len(damage) == 1


def test_a_file_beyond_the_limit_is_not_read(store: Store, damage: list[Diagnostic]) -> None:
    digest = store.add_blob(CONTENT)
    assert store.blob(digest, limit=len(CONTENT)) == CONTENT
    with store.folder.path(*blob_parts(digest)).open("r+b") as file:
        file.truncate(1 << 40)
    assert store.blob(digest) is None
    assert len(damage) == 1


@pytest.mark.parametrize(
    "digest",
    ["", "sha256:", "sha256:../../x", "sha512:" + "a" * 64, "sha256:" + "A" * 64,
     "sha256:" + "a" * 63, "sha256:" + "a" * 64 + "\n", "a" * 64],
)  # fmt: skip
def test_no_digest_leads_elsewhere(store: Store, digest: str) -> None:
    for call in (store.blob, store.manifest, lambda each: store.note(each, POLICY)):
        with pytest.raises(ValueError, match="not a digest"):
            call(digest)


class TestManifests:
    def test_it_comes_back_as_found(self, store: Store) -> None:
        found = manifest(CONFIG, words=["a"])
        assert store.put_manifest(IDENTITY, found, is_signed)
        assert store.manifest(IDENTITY) == found
        assert store.manifest(digest_of(b"other")) is None

    def test_an_unsigned_one_never_replaces_a_signed_one(self, store: Store) -> None:
        plain, signed = manifest(CONFIG), manifest(CONFIG, signed=True)
        again = manifest(CONFIG, signed=True, words=["b"])
        assert store.put_manifest(IDENTITY, plain, is_signed)
        assert store.put_manifest(IDENTITY, signed, is_signed)
        assert not store.put_manifest(IDENTITY, plain, is_signed)
        assert store.manifest(IDENTITY) == signed
        assert store.put_manifest(IDENTITY, again, is_signed)
        assert store.manifest(IDENTITY) == again

    @pytest.mark.parametrize(
        "found", [manifest(b"{}"), b"{}", b"no json", b'{"config":{"digest":1}}', b"[" * 100_000]
    )
    def test_that_of_another_gene_set_is_not_taken(self, store: Store, found: bytes) -> None:
        with pytest.raises(ContentDiffersError):
            store.put_manifest(IDENTITY, found, is_signed)
        assert store.manifest(IDENTITY) is None

    def test_every_damage_of_the_pointer_is_seen(
        self, store: Store, damage: list[Diagnostic]
    ) -> None:
        store.put_manifest(IDENTITY, manifest(CONFIG), is_signed)
        place = store.folder.path("manifests", IDENTITY[7:9], IDENTITY[9:])
        good = place.read_bytes()
        for at in range(len(good) - 1):
            place.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            assert store.manifest(IDENTITY) is None
            assert not place.exists()
        assert {each.code.number for each in damage} == {"W1203"}

    def test_a_pointer_to_that_of_another_gene_set(self, store: Store) -> None:
        other = config(b"other")
        store.put_manifest(IDENTITY, manifest(CONFIG), is_signed)
        store.put_manifest(digest_of(other), manifest(other), is_signed)
        places = [
            store.folder.path("manifests", digest[7:9], digest[9:])
            for digest in (IDENTITY, digest_of(other))
        ]
        places[0].write_bytes(places[1].read_bytes())
        assert store.manifest(IDENTITY) is None


class TestNotes:
    def test_a_note_is_of_one_identity_and_one_policy(self, store: Store) -> None:
        store.put_note(IDENTITY, POLICY, b"sealed")
        assert store.note(IDENTITY, POLICY) == b"sealed"
        assert store.note(POLICY, IDENTITY) is None
        assert store.note(IDENTITY, IDENTITY) is None


class TestRoots:
    def test_a_root_is_written_once(self, store: Store, tmp_path: Path) -> None:
        store.add_root(tmp_path / "eryph.lock", tmp_path)
        (place,) = store.folder.path("roots").iterdir()
        before = place.stat().st_ino
        store.add_root(tmp_path / "eryph.lock", tmp_path)
        assert place.stat().st_ino == before
        assert list(store.roots()) == [Root(place.name, tmp_path / "eryph.lock", tmp_path)]
        assert len(place.name) == 32

    def test_a_path_that_is_no_text(self, store: Store, tmp_path: Path) -> None:
        folder = tmp_path / "caf\udce9"
        store.add_root(folder / "eryph.lock", folder)
        assert [root.project for root in store.roots()] == [folder]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]",
            b"{}",
            b'{"lock":1,"project":2}',
            b"\xff",
            b"[" * 9999,
            b'{"lock":"a\\u0000","project":""}',
        ],
    )
    def test_a_damaged_root(self, store: Store, damage: list[Diagnostic], data: bytes) -> None:
        store.folder.write(data, "roots", "0" * 32)
        assert list(store.roots()) == []
        assert len(damage) == 1
        assert list(store.folder.path("roots").iterdir()) == []
