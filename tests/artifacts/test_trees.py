"""Folders that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from eryphc.artifacts import swap
from eryphc.artifacts.trees import write_tree, write_whole

FILES = {"mark": b"1", "a/b/c": b"text"}


def has_mark(folder: Path) -> bool:
    return (folder / "mark").is_file()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_new_folder(tmp_path: Path) -> None:
    place = tmp_path / "x" / "y"
    assert write_tree(place, FILES, has_mark)
    assert tree(place) == FILES
    assert (place / "mark").stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path / "x") == ["y"]  # noqa: PTH208


def test_a_folder_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    place = tmp_path / "y"
    write_tree(place, FILES | {"old": b"x"}, has_mark)
    assert write_tree(place, FILES, has_mark)
    assert tree(place) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


def test_a_removal_that_is_killed_is_ended_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had removed the mark already, by which such a folder is told from others."""

    def killed(folder: Path) -> None:
        mark = folder / "mark"
        if mark.is_file():
            mark.unlink()
            raise KeyboardInterrupt

    place = tmp_path / "y"
    write_tree(place, FILES, has_mark)
    with monkeypatch.context() as patch:
        patch.setattr(swap, "remove_all", killed)
        with pytest.raises(KeyboardInterrupt):
            write_tree(place, FILES, has_mark)
    assert len(list(tmp_path.iterdir())) == 2
    write_tree(place, FILES, has_mark)
    assert [path.name for path in tmp_path.iterdir()] == ["y"]
    assert tree(place) == FILES


@pytest.mark.parametrize("kind", ["strange", "file", "link"])
def test_what_is_not_ours_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "y"
    if kind == "file":
        place.write_text("mine", encoding="utf-8")
    elif kind == "link":
        write_tree(tmp_path / "z", FILES, has_mark)
        place.symlink_to(tmp_path / "z")
    else:
        place.mkdir()
        (place / "mine").write_text("mine", encoding="utf-8")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    assert not write_tree(place, {"mark": b"2"}, has_mark)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_an_empty_folder_may_go(tmp_path: Path) -> None:
    (tmp_path / "y").mkdir()
    assert write_tree(tmp_path / "y", FILES, has_mark)


def test_a_failure_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "y"
    write_tree(place, FILES, has_mark)
    with pytest.raises(OSError, match=r"exists|directory"):
        write_tree(place, {"mark": b"2", "a": b"", "a/b": b""}, has_mark)
    assert tree(place) == FILES
    real = swap.rename

    def refusing(old: str, new: str) -> None:
        if new == str(place) and "eryphc-new" in old:
            raise PermissionError("no")
        real(old, new)

    monkeypatch.setattr(swap, "rename", refusing)
    with pytest.raises(PermissionError):
        write_tree(place, {"mark": b"2"}, has_mark)
    assert tree(place) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x" / "file"
    write_whole(path, (b"a", b"b"))
    write_whole(path, (b"c", b"d"))
    assert path.read_bytes() == b"cd"

    def failing() -> Iterator[bytes]:
        yield b"half"
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(path, failing())
    assert path.read_bytes() == b"cd"
    assert [each.name for each in path.parent.iterdir()] == ["file"]
