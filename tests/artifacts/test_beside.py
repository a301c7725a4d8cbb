"""Files beside target folders: written all or none with them, over nobody else's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artifacts.builds import MANIFEST, build_one, one_file, tree_of
from eryphc.artifacts import swap
from eryphc.artifacts.beside import Companion, Companions
from eryphc.artifacts.errors import OutputFailed, OutputRefused
from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.folder import TargetFolders

MARK = b"ours: "


def companions(text: bytes, *suffixes: str) -> Companions:
    made = tuple(
        Companion(suffix, MARK + text, lambda data: data.startswith(MARK))
        for suffix in suffixes or (".note",)
    )
    return lambda _files, _manifest: made


def build(place: Path, text: bytes = b"new", *suffixes: str) -> None:
    with TargetFolders([place]) as folders:
        folders.stage(place, one_file(text), MANIFEST, companions(text, *suffixes))
        folders.commit()


def test_it_lies_beside_the_folder_and_is_called_like_it(tmp_path: Path) -> None:
    build(tmp_path / "out/web", b"new", ".a.json", ".b")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "web",
        "web.a.json",
        "web.b",
    ]
    assert (tmp_path / "out/web.b").read_bytes() == b"ours: new"
    if os.name != "nt":
        assert (tmp_path / "out/web.b").stat().st_mode & 0o777 == 0o644


def test_it_is_made_of_the_files_as_written(tmp_path: Path) -> None:
    seen: list[tuple[tuple[WrittenFile, ...], WrittenFile]] = []

    def look(files: tuple[WrittenFile, ...], manifest: WrittenFile) -> tuple[Companion, ...]:
        seen.append((files, manifest))
        return ()

    place = tmp_path / "web"
    with TargetFolders([place]) as folders:
        written = folders.stage(place, one_file(), MANIFEST, look)
        folders.commit()
    ((files, manifest),) = seen
    assert files == written
    text = (place / "manifest.json").read_bytes()
    assert (manifest.path, manifest.size, manifest.tells) == ("manifest.json", len(text), True)


def test_an_older_one_of_ours_is_replaced(tmp_path: Path) -> None:
    build(tmp_path / "web", b"old")
    build(tmp_path / "web", b"new")
    assert (tmp_path / "web.note").read_bytes() == b"ours: new"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_no_build_wrote_stays(kind: str, tmp_path: Path) -> None:
    build_one(tmp_path / "web", b"old")
    place = tmp_path / "web.note"
    if kind == "file":
        place.write_bytes(b"mine")
    elif kind == "folder":
        place.mkdir()
    else:
        (tmp_path / "elsewhere").write_bytes(MARK)
        place.symlink_to(tmp_path / "elsewhere")
    before = tree_of(tmp_path)
    with pytest.raises(OutputRefused) as refused:
        build(tmp_path / "web")
    assert [each.code.number for each in refused.value.diagnostics] == ["E0611"]
    assert tree_of(tmp_path) == before


def test_what_comes_into_its_place_meanwhile_stays(tmp_path: Path) -> None:
    place = tmp_path / "web"
    build_one(place, b"old")
    with TargetFolders([place]) as folders:
        folders.stage(place, one_file(), MANIFEST, companions(b"new"))
        (tmp_path / "web.note").write_bytes(b"mine")
        before = tree_of(place)
        with pytest.raises(OutputRefused):
            folders.commit()
    assert tree_of(place) == before
    assert (tmp_path / "web.note").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_behind(error: type[BaseException], tmp_path: Path) -> None:
    build(tmp_path / "web", b"old")
    before = tree_of(tmp_path)

    def stage() -> None:
        with TargetFolders([tmp_path / "web"]) as folders:
            folders.stage(tmp_path / "web", one_file(), MANIFEST, companions(b"new", ".note", ".b"))
            raise error

    with pytest.raises(error):
        stage()
    assert tree_of(tmp_path) == before


@pytest.mark.parametrize("failing", range(1, 9))
def test_all_or_none_wherever_the_disk_fails(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folders with a companion each: four old things move aside, four new ones move in."""
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        build(place, b"old")
    before = tree_of(tmp_path)
    rename, count = swap.rename, 0

    def failing_rename(old: str, new: str) -> None:
        nonlocal count
        count += 1
        if count == failing:
            raise OSError(28, "No space left on device")
        rename(old, new)

    with TargetFolders(places) as folders:
        for place in places:
            folders.stage(place, one_file(), MANIFEST, companions(b"new"))
        monkeypatch.setattr(swap, "rename", failing_rename)
        with pytest.raises(OutputFailed):
            folders.commit()
    assert tree_of(tmp_path) == before


def test_what_a_killed_build_left_is_put_right(tmp_path: Path) -> None:
    build(tmp_path / "web", b"old")
    # A process number that no process has.
    (tmp_path / "web.note").rename(tmp_path / ".web.note.eryphc-old.999999999-1")
    (tmp_path / ".web.note.eryphc-new.999999999-1").write_bytes(b"half")
    with TargetFolders([tmp_path / "web"]) as folders:
        folders.stage(tmp_path / "web", one_file(), MANIFEST, companions(b"new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web", "web.note"]
    assert (tmp_path / "web.note").read_bytes() == b"ours: old"
