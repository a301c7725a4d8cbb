"""Swapped in whole: what a failure or a killed build leaves, and what the next one repairs."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from artifacts.builds import MANIFEST, build_one, one_file, tree_of
from eryphc.artifacts import folder as folder_module
from eryphc.artifacts import swap
from eryphc.artifacts.errors import OutputFailed
from eryphc.artifacts.folder import TargetFolders
from places import TESTS


@pytest.mark.parametrize("fatal", range(1, 8))
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_all_or_none_wherever_the_swap_is_broken_off(
    fatal: int, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for place in places[:2]:
        build_one(place, b"old")
    before = tree_of(tmp_path)
    count = 0
    genuine = swap.rename

    def rename(old: str, new: str) -> None:
        nonlocal count
        count += 1
        if count == fatal:
            raise error
        genuine(old, new)

    monkeypatch.setattr(swap, "rename", rename)
    try:
        with TargetFolders(places) as folders:
            for place in places:
                folders.stage(place, one_file(), MANIFEST)
            folders.commit()
    except (KeyboardInterrupt, OutputFailed):
        assert tree_of(tmp_path) == before
    else:
        # One renaming aside for each that was there, and one into each place: five in all.
        assert fatal > 5
        assert {(place / "web.txt").read_bytes() for place in places} == {b"new"}


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_next_build_repairs_a_killed_one(steps: int, tmp_path: Path) -> None:
    place = tmp_path / "web"
    build_one(place, b"old")
    program = f"""
import os, signal
from pathlib import Path
from eryphc.artifacts import swap
from eryphc.artifacts.folder import TargetFolders
from artifacts.builds import MANIFEST, one_file
left = {steps}
genuine = swap.rename
def rename(old, new):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    genuine(old, new)
swap.rename = rename
swap.remove_ours = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
with TargetFolders([Path("web")]) as folders:
    folders.stage(Path("web"), one_file(b"half"), MANIFEST)
    folders.commit()
"""
    paths = [str(TESTS), str(Path(folder_module.__file__).parents[2])]
    killed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert killed.returncode == -signal.SIGKILL
    assert place.exists() == (steps != 1)
    # A build that fails brings the folder back all the same.
    with TargetFolders([place]):
        pass
    assert tree_of(tmp_path)["web/web.txt"] == (b"half" if steps == 2 else b"old")
    assert [path.name for path in tmp_path.iterdir()] == ["web"]
    build_one(place)
    assert tree_of(tmp_path)["web/web.txt"] == b"new"


def test_what_a_running_build_has_beside_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "web"
    with TargetFolders([place]) as slow:
        slow.stage(place, one_file(b"slow"), MANIFEST)
        build_one(place, b"quick")
        assert (place / "web.txt").read_bytes() == b"quick"
        slow.commit()
    assert (place / "web.txt").read_bytes() == b"slow"
    assert [path.name for path in tmp_path.iterdir()] == ["web"]


def test_builds_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    place = tmp_path / "web"
    faults: list[BaseException] = []

    def build(number: int) -> None:
        try:
            for _ in range(5):
                build_one(place, b"%d" % number)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert (place / "web.txt").read_bytes() == (place / "deep/er/secret").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["web"]


def test_a_folder_with_something_else_in_it_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    build_one(folder)
    (folder / "deep/mine").write_text("mine", "utf-8")
    before = tree_of(tmp_path)
    swap.remove_ours(folder)
    assert tree_of(tmp_path) == before
    (folder / "deep/mine").unlink()
    swap.remove_ours(folder)
    assert tree_of(tmp_path) == {}
