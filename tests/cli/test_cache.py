"""`eryphc cache`: what it tells, what it removes, and its exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine, Done
from eryphc.canonical import canonical, digest_of
from eryphc.store.content import Store, blob_parts
from eryphc.store.folder import open_folder
from eryphc.store.index import Index
from eryphc.store.seals import OUTPUT_RECORD, TRUST_NOTE, Seals, seals
from store.images import config, is_signed, manifest

TEXT = b"name: motd\n"
CONFIG = config(TEXT)
IDENTITY, POLICY = digest_of(CONFIG), digest_of(b"policy")
REQUEST = hashlib.sha256(b"request").hexdigest()


@pytest.fixture(autouse=True)
def own_folders(eryphc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `eryphc`, which takes such variables away: no test may reach the user's own cache."""
    monkeypatch.setenv("ERYPHC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def store(tmp_path: Path, own_folders: None) -> Store:
    """A cache with one of each kind, all of it sound, under a lock file."""
    store = Store(open_folder(tmp_path / "cache"))
    own = seals(os.environ)
    store.add_blob(TEXT)
    store.add_blob(CONFIG)
    store.put_manifest(IDENTITY, manifest(CONFIG), is_signed)
    store.put_note(IDENTITY, POLICY, own.sealed(TRUST_NOTE, f'"{IDENTITY}"'.encode()))
    (tmp_path / "eryph.lock").write_text(IDENTITY, encoding="ascii")
    store.add_root(tmp_path / "eryph.lock", tmp_path)
    with Index(store.folder) as index:
        body = canonical({"files": [["web.iso", store.add_blob(b"iso" * 5000)[7:]]]})
        index.set(f"output/1/{REQUEST}", own.sealed(OUTPUT_RECORD, body, REQUEST))
        index.set("tag/1/ghcr.io/acme/motd/latest", b"1\nx", 1000)
    image = b"a disk"
    store.folder.write(image, "volumes", "sha256", hashlib.sha256(image).hexdigest())
    store.folder.write(image, "volumes", "sha512", hashlib.sha512(image).hexdigest())
    store.folder.write(b"half", "volumes", "sha512", "ab.part")
    return store


def age(store: Store) -> None:
    for path in store.folder.root.rglob("*"):
        if path.is_file() and path.parent.name != "index":
            os.utime(path, (1, 1))


def data(done: Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


class TestInfo:
    @pytest.mark.usefixtures("store")
    def test_as_data(self, eryphc: CommandLine) -> None:
        found = data(eryphc("cache", "info", "--format", "json"))
        assert found["path"] == "cache"
        files = {kind: each["files"] for kind, each in found["kinds"].items()}
        # The index has one file after it was closed.
        assert files == {
            "blobs": 4, "manifests": 1, "trust": 1, "index": 1, "volumes": 3, "roots": 1, "tmp": 0,
        }  # fmt: skip
        assert found["bytes"] == sum(each["bytes"] for each in found["kinds"].values())
        assert found["kinds"]["blobs"]["bytes"] > 15_000

    @pytest.mark.usefixtures("store")
    def test_as_text(self, eryphc: CommandLine) -> None:
        done = eryphc("cache", "info")
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        assert lines[0] == "cache"
        assert lines[2].split() == ["manifests", "72", "B", "in", "1", "file"]
        assert lines[-1].split()[0] == "all"

    def test_where_there_is_no_cache(self, eryphc: CommandLine, tmp_path: Path) -> None:
        assert data(eryphc("cache", "info", "--format", "json"))["bytes"] == 0
        for name in ("prune", "clear", "verify"):
            assert eryphc("cache", name).code == 0
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("store")
    def test_the_option_wins(self, eryphc: CommandLine, tmp_path: Path) -> None:
        open_folder(tmp_path / "other")
        found = data(eryphc("cache", "info", "--format", "json", "--cache-dir", "other"))
        assert (found["path"], found["bytes"]) == ("other", 0)

    def test_a_folder_that_others_can_write(self, store: Store, eryphc: CommandLine) -> None:
        store.folder.root.chmod(0o777)
        for name in ("info", "prune", "clear", "verify"):
            done = eryphc("cache", name)
            assert done.code == 3
            assert done.out == ""
            assert done.err.startswith(
                "error[E1201]: `cache` is not used as a cache: it can be written by other users\n"
            )


class TestPrune:
    def test_what_is_named_stays(self, store: Store, eryphc: CommandLine) -> None:
        left = store.add_blob(b"nobody names it" * 100)
        age(store)
        done = eryphc("cache", "prune")
        assert done.code == 0
        assert done.out.startswith("removed 1 file, 1.5 KiB; ")
        assert store.blob(left) is None
        assert store.manifest(IDENTITY) is not None
        assert eryphc("cache", "prune").out.startswith("removed 0 files, 0 B; ")

    def test_for_the_size_outputs_go(self, store: Store, eryphc: CommandLine) -> None:
        age(store)
        found = data(eryphc("cache", "prune", "--max-size", "1K", "--format", "json"))
        assert found["removed"] == {"files": 1, "bytes": 15_000}
        assert found["unread"] == []
        with Index(store.folder) as index:
            assert [record.key.partition("/")[0] for record in index.records()] == ["tag"]

    @pytest.mark.parametrize(
        ("text", "size"),
        [("0", 0), ("1k", 1024), ("2G", 2 << 30), ("3 MiB", 3 << 20), ("4TB", 4 << 40), ("7B", 7)],
    )
    def test_sizes(self, text: str, size: int) -> None:
        from click import Context

        from eryphc.cli.cache import cache_prune

        assert cache_prune.make_context("prune", ["--max-size", text]).params["most"] == size
        assert isinstance(cache_prune.make_context("prune", []), Context)

    @pytest.mark.parametrize("text", ["", "-1", "1.5G", "G", "1P", "1e3", "٣"])
    def test_what_is_no_size(self, eryphc: CommandLine, text: str) -> None:
        done = eryphc("cache", "prune", f"--max-size={text}")
        assert done.code == 2
        assert "is no size such as 500M or 2G" in done.err

    def test_a_lock_that_cannot_be_read(
        self, store: Store, eryphc: CommandLine, tmp_path: Path
    ) -> None:
        (tmp_path / "eryph.lock").unlink()
        (tmp_path / "eryph.lock").mkdir()
        age(store)
        done = eryphc("cache", "prune")
        assert done.code == 0
        assert "the lock file eryph.lock cannot be read" in done.err
        assert store.blob(IDENTITY) == CONFIG


class TestClear:
    @pytest.mark.usefixtures("store")
    def test_disk_images_stay(self, eryphc: CommandLine) -> None:
        done = eryphc("cache", "clear")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("removed 8 files, ")
        kinds = data(eryphc("cache", "info", "--format", "json"))["kinds"]
        assert {kind for kind, each in kinds.items() if each["files"]} == {"volumes"}

    @pytest.mark.usefixtures("store")
    def test_or_go(self, eryphc: CommandLine) -> None:
        found = data(eryphc("cache", "clear", "--volumes", "--format", "json"))
        assert found["removed"]["files"] == 11
        assert data(eryphc("cache", "info", "--format", "json"))["bytes"] == 0


class TestVerify:
    @pytest.mark.usefixtures("store")
    def test_a_sound_cache(self, eryphc: CommandLine) -> None:
        done = eryphc("cache", "verify")
        # Two records of the index, and two images; what is on its way is not looked at.
        assert (done.code, done.out) == (0, "looked at 11, none damaged\n"), done.err

    def test_every_damage_is_found_and_healed(self, store: Store, eryphc: CommandLine) -> None:
        """A flipped bit in a file of each kind that has one."""
        places = [
            store.folder.path(*entry.parts)
            for kind in ("blobs", "manifests", "trust", "volumes")
            for entry in store.folder.files(kind)
            if not entry.parts[-1].endswith(".part")
        ]
        assert len(places) == 8
        for place in places:
            good = place.read_bytes()
            flipped = bytearray(good)
            flipped[len(good) // 2] ^= 1
            place.write_bytes(flipped)
            done = eryphc("cache", "verify")
            assert done.code == 1, place
            shown = place.relative_to(store.folder.root).as_posix()
            assert f"warning[W1203]: `{shown}` of the cache was damaged" in done.err
            assert not place.exists()
            assert eryphc("cache", "verify").code == 0
            place.write_bytes(good)
            store.put_manifest(IDENTITY, manifest(CONFIG), is_signed)

    def test_a_forged_record_and_a_forged_note(self, store: Store, eryphc: CommandLine) -> None:
        other = Seals(b"other", shared=True)
        store.put_note(POLICY, IDENTITY, other.sealed(TRUST_NOTE, b"forged"))
        key = f"output/1/{'0' * 64}"
        with Index(store.folder) as index:
            index.set(key, other.sealed(OUTPUT_RECORD, b"{}", "0" * 64))
        done = eryphc("cache", "verify", "--format", "json")
        assert done.code == 1
        assert json.loads(done.out) == {"path": "cache", "checked": 13, "damaged": 2}
        with Index(store.folder) as index:
            assert index.get(key) is None
            assert index.get(f"output/1/{REQUEST}") is not None

    @pytest.mark.usefixtures("store")
    def test_with_another_key_nothing_sealed_is_good(
        self, eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ERYPHC_CACHE_KEY", "ab" * 32)
        assert json.loads(eryphc("cache", "verify", "--format", "json").out)["damaged"] == 2

    @pytest.mark.usefixtures("store")
    def test_a_key_that_is_none(self, eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ERYPHC_CACHE_KEY", "hunter2")
        done = eryphc("cache", "verify")
        assert done.code == 1
        assert done.err.startswith("error[E0904]: ERYPHC_CACHE_KEY: it is not at least 32 bytes")
        assert "hunter2" not in done.err

    def test_a_broken_index(self, store: Store, eryphc: CommandLine) -> None:
        store.folder.path("index", "cache.db").write_bytes(b"garbage" * 999)
        done = eryphc("cache", "verify")
        assert done.code == 1
        assert "warning[W1203]: `index` of the cache was damaged" in done.err
        assert eryphc("cache", "verify").code == 0

    def test_a_name_with_control_characters(self, store: Store, eryphc: CommandLine) -> None:
        store.folder.path("blobs", "\x1b[2J\u202e").write_bytes(b"x")
        done = eryphc("cache", "verify")
        assert done.code == 1
        assert "\x1b" not in done.err
        assert "\u202e" not in done.err


def test_a_cache_without_an_index_imports_no_library(tmp_path: Path, own_folders: None) -> None:
    Store(open_folder(tmp_path / "cache")).add_blob(TEXT)
    code = (
        "import sys\nfrom eryphc.cli.app import run\n"
        "for name in ('info', 'prune', 'verify', 'clear'): assert run(['cache', name]) == 0\n"
        "print({'diskcache', 'sqlite3'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_blobs_lie_where_the_tests_look(store: Store) -> None:
    assert store.folder.path(*blob_parts(IDENTITY)).is_file()
