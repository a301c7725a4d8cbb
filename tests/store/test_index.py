"""The index: expiry, eviction, several writers, and everything that an attacker can write there."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import diskcache
import pytest

from eryphc.diagnostics.model import Diagnostic
from eryphc.store import index as index_module
from eryphc.store.content import Store
from eryphc.store.folder import Folder
from eryphc.store.index import LIMIT, MOST_VALUE, Index

ROOT = Path(__file__).resolve().parents[2]
KEY, VALUE = "tag/1/host/repository/latest", b"sha256:abc"


@pytest.fixture
def folder(store: Store) -> Folder:
    return store.folder


def database(folder: Folder) -> Path:
    return folder.path("index", "cache.db")


def change(folder: Folder, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(database(folder))) as connection:
        for statement in statements:
            connection.execute(statement, values if "?" in statement else ())
        connection.commit()


class TestKeeping:
    def test_a_value_comes_back_in_another_run(self, folder: Folder) -> None:
        with Index(folder) as index:
            index.set(KEY, VALUE)
        with Index(folder) as index:
            assert index.get(KEY) == VALUE
            index.set(KEY, b"other")
            assert index.get(KEY) == b"other"
            index.remove(KEY)
            index.remove(KEY)
            assert index.get(KEY) is None
            assert not index.left_out

    def test_nothing_is_made_before_it_is_asked(self, folder: Folder) -> None:
        with Index(folder):
            pass
        assert not folder.path("index").exists()

    def test_its_files_are_private(self, folder: Folder) -> None:
        before = os.umask(0)
        try:
            with Index(folder) as index:
                index.set(KEY, VALUE)
                # While another run has it open, the log lies beside it.
                with closing(sqlite3.connect(database(folder))) as other:
                    other.execute("SELECT COUNT(*) FROM Cache").fetchall()
                    index.set("b", VALUE)
                    modes = {path.name: path.stat().st_mode & 0o777 for path in
                             folder.path("index").iterdir()}  # fmt: skip
        finally:
            os.umask(before)
        assert folder.path("index").stat().st_mode & 0o777 == 0o700
        assert set(modes) >= {"cache.db", "cache.db-wal"}
        assert set(modes.values()) == {0o600}

    def test_a_value_that_has_expired_is_gone(self, folder: Folder) -> None:
        with Index(folder) as index:
            index.set("a", VALUE, 1000)
            index.set("b", VALUE, -1)
            assert index.get("a") == VALUE
            assert index.get("b") is None
            assert [record.key for record in index.records()] == ["a"]
            index.drop_expired()
        with closing(sqlite3.connect(database(folder))) as connection:
            assert connection.execute("SELECT COUNT(*) FROM Cache").fetchall() == [(1,)]

    def test_records_tell_when_they_were_used(self, folder: Folder) -> None:
        with Index(folder) as index:
            for name in "abc":
                index.set(name, name.encode())
            index.get("a")
            records = {record.key: record for record in index.records()}
        assert records["b"].value == b"b"
        assert records["b"].used < records["c"].used < records["a"].used

    def test_what_was_used_longest_ago_makes_room(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(index_module._SETTINGS, "size_limit", 1024 * 1024)
        with Index(folder) as index:
            index.set("old and used", b"x")
            for number in range(40):
                index.set(f"{number}", bytes(64 * 1024))
                assert index.get("old and used") == b"x"
            assert index.get("0") is None
            assert index.get("39") == bytes(64 * 1024)
            assert not index.left_out
        assert database(folder).stat().st_size < 2 * 1024 * 1024

    def test_the_limit(self, folder: Folder) -> None:
        with Index(folder) as index:
            index.set(KEY, VALUE)
        with closing(sqlite3.connect(database(folder))) as connection:
            settings = dict(connection.execute("SELECT key, value FROM Settings"))
        assert settings["size_limit"] == LIMIT == 32 * 1024 * 1024
        assert settings["eviction_policy"] == "least-recently-used"

    def test_a_value_that_is_too_large_is_not_kept(self, folder: Folder) -> None:
        with Index(folder) as index:
            index.set("a", bytes(MOST_VALUE))
            index.set("b", bytes(MOST_VALUE + 1))
            assert index.get("a") == bytes(MOST_VALUE)
            assert index.get("b") is None
            assert not index.left_out
        assert {path.name for path in folder.path("index").iterdir()} <= {"cache.db"}

    def test_a_folder_whose_name_the_library_would_change(self, tmp_path: Path) -> None:
        from eryphc.store.folder import open_folder

        folder = open_folder(tmp_path / "$HOME")
        with Index(folder) as index:
            index.set(KEY, VALUE)
            assert index.get(KEY) is None
        assert list(folder.path("index").iterdir()) == []

    @pytest.mark.parametrize("value", ["text", 1, 1.5, None, ["list"], bytearray(b"x")])
    def test_only_bytes_are_values(self, folder: Folder, value: object) -> None:
        with Index(folder) as index:
            index.set(KEY, VALUE)
            with suppress(TypeError):
                index.set(KEY, value)  # type: ignore[arg-type]
        with Index(folder) as index:
            assert index.get(KEY) in (None, VALUE)


# --- attacks ---------------------------------------------------------------------------------
#
# Whoever can write to the folder writes the database. Each attack gets the folder, and a file that
# must be neither made, changed nor removed.


class Payload:
    """Makes a file when it is deserialised."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def a_pickled_value(folder: Folder, canary: Path) -> None:
    pickled = pickle.dumps(Payload(canary))
    change(folder, "UPDATE Cache SET mode = 4, value = ?", values=(pickled,))


def a_pickled_value_in_a_file(folder: Folder, canary: Path) -> None:
    folder.path("index", "ab").mkdir()
    folder.path("index", "ab", "x.val").write_bytes(pickle.dumps(Payload(canary)))
    change(folder, "UPDATE Cache SET mode = 4, value = NULL, filename = 'ab/x.val'")


def a_pickled_key(folder: Folder, canary: Path) -> None:
    pickled = pickle.dumps(Payload(canary))
    change(folder, "UPDATE Cache SET raw = 0, key = ? WHERE key LIKE 'tag%'", values=(pickled,))


def one_more_pickled_key(folder: Folder, canary: Path) -> None:
    pickled = pickle.dumps(Payload(canary))
    change(
        folder,
        "INSERT INTO Cache (key, raw, store_time, access_time, mode, value)"
        " VALUES (?, 0, 1, 1, 1, x'00')",
        values=(pickled,),
    )


CODE = (a_pickled_value, a_pickled_value_in_a_file, a_pickled_key, one_more_pickled_key)


def a_foreign_file(folder: Folder, canary: Path) -> None:
    change(folder, "UPDATE Cache SET mode = 2, filename = ?", values=(str(canary),))


def a_climbing_file(folder: Folder, canary: Path) -> None:
    climbing = os.path.relpath(canary, folder.path("index"))
    change(folder, "UPDATE Cache SET mode = 2, filename = ?", values=(climbing,))


def a_foreign_file_of_a_raw_value(folder: Folder, canary: Path) -> None:
    change(folder, "UPDATE Cache SET filename = ?", values=(str(canary),))


def a_foreign_text(folder: Folder, canary: Path) -> None:
    change(folder, "UPDATE Cache SET mode = 3, filename = ?", values=(str(canary),))


FILES = (a_foreign_file, a_climbing_file, a_foreign_file_of_a_raw_value, a_foreign_text)


def setting(key: str, value: object) -> Callable[[Folder, Path], None]:
    def attack(folder: Folder, canary: Path) -> None:
        shown = str(canary.parent / "made") if value == "elsewhere" else value
        change(folder, "INSERT OR REPLACE INTO Settings VALUES (?, ?)", values=(key, shown))
        if value == "elsewhere":
            (canary.parent / "made").mkdir(exist_ok=True)

    attack.__name__ = key
    return attack


SETTINGS = (
    setting("_directory", "elsewhere"),
    setting("disk_pickle_protocol", "x"),
    setting("disk_fetch", "x"),
    setting("disk_unknown", 1),
    setting("sqlite_temp_store_directory", "elsewhere"),
    setting("sqlite_journal_mode", "delete; ATTACH DATABASE 'x' AS x"),
    setting("eviction_policy", "none"),
    setting("cull_limit", "x"),
    setting("size_limit", 1 << 50),
    setting("count", "x"),
    setting("statistics", 1),
    setting("_disk", 1),
)


def a_trigger(folder: Folder, canary: Path) -> None:
    change(folder, "CREATE TRIGGER evil AFTER UPDATE ON Cache BEGIN DELETE FROM Cache; END")


def a_trigger_under_our_name(folder: Folder, canary: Path) -> None:
    change(
        folder,
        "DROP TRIGGER Settings_size_update",
        "CREATE TRIGGER Settings_size_update AFTER UPDATE ON Cache FOR EACH ROW BEGIN"
        " INSERT OR REPLACE INTO Settings VALUES ('_directory', '/tmp'); END",
    )


def a_view(folder: Folder, canary: Path) -> None:
    change(folder, "DROP TABLE Cache", "CREATE VIEW Cache AS SELECT * FROM Settings")


def a_virtual_table(folder: Folder, canary: Path) -> None:
    change(folder, "DROP TABLE Cache", "CREATE VIRTUAL TABLE Cache USING fts5vocab('x', 'row')")


def other_tables(folder: Folder, canary: Path) -> None:
    change(folder, "DROP TABLE Settings")


def other_columns(folder: Folder, canary: Path) -> None:
    change(folder, "DROP TABLE Cache", "CREATE TABLE Cache (key)")


def no_times(folder: Folder, canary: Path) -> None:
    change(folder, "UPDATE Cache SET access_time = 'x', expire_time = 'x'")


def a_text_as_value(folder: Folder, canary: Path) -> None:
    change(folder, "UPDATE Cache SET value = 'text'")


def garbage(folder: Folder, canary: Path) -> None:
    database(folder).write_bytes(b"garbage" * 1000)


def cut_short(folder: Folder, canary: Path) -> None:
    os.truncate(database(folder), 5000)


def zeros(folder: Folder, canary: Path) -> None:
    size = database(folder).stat().st_size
    with database(folder).open("r+b") as file:
        file.seek(4096)
        file.write(bytes(size - 4096))


def a_huge_file(folder: Folder, canary: Path) -> None:
    os.truncate(database(folder), 1 << 40)


def a_garbled_log(folder: Folder, canary: Path) -> None:
    folder.path("index", "cache.db-wal").write_bytes(b"x" * 5000)


def a_link(folder: Folder, canary: Path) -> None:
    database(folder).unlink()
    database(folder).symlink_to(canary)


def a_log_that_is_a_link(folder: Folder, canary: Path) -> None:
    folder.path("index", "cache.db-wal").symlink_to(canary)


def a_pipe(folder: Folder, canary: Path) -> None:
    database(folder).unlink()
    os.mkfifo(database(folder))


def a_folder(folder: Folder, canary: Path) -> None:
    database(folder).unlink()
    database(folder).mkdir()


def strange_files(folder: Folder, canary: Path) -> None:
    folder.path("index", "x.val").write_bytes(b"x")
    folder.path("index", "link").symlink_to(canary)


def the_folder_is_a_link(folder: Folder, canary: Path) -> None:
    shutil.rmtree(folder.path("index"))
    folder.path("index").symlink_to(canary.parent)


STRUCTURE = (
    a_trigger, a_trigger_under_our_name, a_view, a_virtual_table, other_tables, other_columns,
    no_times, a_text_as_value, garbage, cut_short, zeros, a_huge_file, a_garbled_log, a_link,
    a_log_that_is_a_link, a_pipe, a_folder, strange_files, the_folder_is_a_link,
)  # fmt: skip


def filled(folder: Folder) -> None:
    with Index(folder) as index:
        index.set(KEY, VALUE)
        index.set("output/1/x", b"record")


@pytest.mark.parametrize(
    "attack", [*CODE, *FILES, *SETTINGS, *STRUCTURE], ids=lambda each: each.__name__
)
@pytest.mark.parametrize("canary_exists", [True, False], ids=["file", "none"])
def test_an_attack_reaches_nothing(
    folder: Folder,
    tmp_path: Path,
    attack: Callable[[Folder, Path], None],
    *,
    canary_exists: bool,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    canary = outside / "canary"
    if canary_exists:
        canary.write_bytes(b"canary")
        os.utime(canary, ns=(1, 1))
    filled(folder)
    attack(folder, canary)
    before = sorted(path.name for path in outside.rglob("*"))
    for _ in range(2):
        with Index(folder) as index:
            assert index.get(KEY) in (None, VALUE)
            index.set(KEY, VALUE)
            assert {record.value for record in index.records()} <= {VALUE, b"record"}
            index.drop_expired()
        with Index(folder) as index:
            index.remove(KEY)
    assert sorted(path.name for path in outside.rglob("*")) == before
    if canary_exists:
        assert canary.read_bytes() == b"canary"
        assert canary.lstat().st_mtime_ns == 1
    # What was no good has been removed, and the index works again.
    with Index(folder) as index:
        index.set(KEY, VALUE)
        assert index.get(KEY) == VALUE
        assert not index.left_out


@pytest.mark.parametrize("attack", FILES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("act", [
    lambda index: index.set(KEY, VALUE),
    lambda index: index.remove(KEY),
    lambda index: index.drop_expired(),
    lambda index: [index.set(f"{number}", bytes(MOST_VALUE)) for number in range(40)],
], ids=["set", "remove", "expire", "make room"])  # fmt: skip
def test_no_file_that_a_row_names_is_removed(
    folder: Folder,
    tmp_path: Path,
    attack: Callable[[Folder, Path], None],
    act: Callable[[Index], object],
) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"canary")
    filled(folder)
    attack(folder, canary)
    change(folder, "UPDATE Cache SET expire_time = 1 WHERE key LIKE 'output%'")
    with Index(folder) as index:
        act(index)
        assert index.left_out
    assert canary.read_bytes() == b"canary"


@pytest.mark.parametrize(
    "attack",
    [*SETTINGS, a_trigger, a_trigger_under_our_name, a_view, a_virtual_table, other_tables],
    ids=lambda each: each.__name__,
)
def test_a_database_that_is_not_as_we_made_it_is_not_opened(
    folder: Folder, tmp_path: Path, attack: Callable[[Folder, Path], None]
) -> None:
    filled(folder)
    attack(folder, tmp_path / "canary")
    with Index(folder) as index:
        assert index.get(KEY) is None
        assert index.left_out
    assert not folder.path("index").exists()


@pytest.mark.parametrize("attack", CODE, ids=lambda each: each.__name__)
def test_the_library_alone_would_run_the_code(
    folder: Folder, tmp_path: Path, attack: Callable[[Folder, Path], None]
) -> None:
    filled(folder)
    attack(folder, tmp_path / "canary")
    with diskcache.Cache(str(folder.path("index"))) as cache:
        with suppress(Exception):
            cache.get(KEY)
        with suppress(Exception):
            list(cache)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("attack", FILES, ids=lambda each: each.__name__)
def test_the_library_alone_would_remove_the_file(
    folder: Folder, tmp_path: Path, attack: Callable[[Folder, Path], None]
) -> None:
    (tmp_path / "canary").write_bytes(b"canary")
    filled(folder)
    attack(folder, tmp_path / "canary")
    with diskcache.Cache(str(folder.path("index"))) as cache:
        cache.set(KEY, VALUE)
    assert not (tmp_path / "canary").exists()


def test_the_library_alone_would_work_in_another_folder(folder: Folder, tmp_path: Path) -> None:
    filled(folder)
    setting("_directory", "elsewhere")(folder, tmp_path / "canary")
    with diskcache.Cache(str(folder.path("index"))):
        pass
    assert (tmp_path / "made" / "cache.db").exists()


def test_a_row_that_changes_in_an_open_index(folder: Folder, tmp_path: Path) -> None:
    """The database was looked at before; the rows are looked at whenever they are read."""
    for attack in (*CODE[::2], *FILES):
        with Index(folder) as index:
            index.set(KEY, VALUE)
            attack(folder, tmp_path / "canary")
            assert index.get(KEY) is None
            index.set(KEY, VALUE)
            index.remove(KEY)
            assert index.records() == ()
    assert not (tmp_path / "canary").exists()


def test_damage_is_told_of(folder: Folder, damage: list[Diagnostic]) -> None:
    filled(folder)
    garbage(folder, Path())
    with Index(folder) as index:
        assert index.get(KEY) is None
        assert index.left_out
        index.set(KEY, VALUE)
        assert index.get(KEY) is None
    assert [each.code.number for each in damage] == ["W1203"]
    assert not folder.path("index").exists()


# --- several runs ----------------------------------------------------------------------------

WRITER = """
import sys
sys.path[:0] = [{path!r}]
from pathlib import Path
from eryphc.store.folder import open_folder
from eryphc.store.index import Index
with Index(open_folder(Path(sys.argv[1]))) as index:
    for number in range(int(sys.argv[3])):
        key = sys.argv[2] + str(number)
        index.set(key, key.encode() * 50)
        index.set("shared", sys.argv[2].encode())
        assert index.get(key) in (key.encode() * 50, None)
        print(key, index.left_out, flush=True)
"""


def start(folder: Folder, name: str, count: int) -> subprocess.Popen[str]:
    code = WRITER.format(path=str(ROOT / "compiler"))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder.root), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_runs_write_at_once(folder: Folder) -> None:
    runs = [start(folder, f"{number}-", 20) for number in range(8)]
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert (run.returncode, err) == (0, "")
        assert all(line.endswith(" False") for line in out.splitlines()), out
    with Index(folder) as index:
        assert len(index.records()) == 8 * 20 + 1
        assert index.get("7-19") == b"7-19" * 50


def test_a_journal_that_goes_meanwhile_is_no_fault(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: [*listed(path), "cache.db-journal"])
    with Index(folder) as index:
        index.set("key", b"value")
        assert index.get("key") == b"value"
        assert not index.left_out


def test_a_run_that_is_killed_leaves_a_good_index(folder: Folder) -> None:
    for number in range(6):
        run = start(folder, f"{number}-", 100_000)
        assert run.stdout is not None
        told = [run.stdout.readline().split()[0] for _ in range(1 + 3 * number)]
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
        with Index(folder) as index:
            for key in told:
                assert index.get(key) == key.encode() * 50
            assert not index.left_out


def test_a_database_that_another_run_holds_is_left_alone(
    folder: Folder, damage: list[Diagnostic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_PATIENCE", 0.05)
    filled(folder)
    with closing(sqlite3.connect(database(folder), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with Index(folder) as index:
            assert index.get(KEY) is None
            assert index.left_out
        other.execute("ROLLBACK")
    assert damage == []
    with Index(folder) as index:
        assert index.get(KEY) == VALUE
