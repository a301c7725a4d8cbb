"""A cache that others damage, fill, share or break while it is used: a miss, never a wrong byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caching.projects import SPEC, tree, write_project
from caching.wheel import Wheel
from cli.command_line import CommandLine, Done
from eryphc.caching.asked import Surroundings, Tool, asked_of, key_of
from eryphc.caching.finding import Finder, Given
from eryphc.caching.shelves import FolderShelf
from eryphc.request import BuildRequest
from eryphc.store.seals import Seals
from eryphc.targets import Target
from store.output_kills import check, prepared, round_of_one

pytestmark = pytest.mark.once

Build = Callable[..., tuple[Done, bool]]
KEY = "ab" * 32


class Folder:
    """A folder that `--cache-to` wrote, and the one output in it."""

    def __init__(self, project: Path, wheel: Wheel) -> None:
        write_project(project)
        self.cache = project / "handed-on"
        words = ("build", "web.yaml", "--target", "user-data", "--platform", "ec2")
        given = {"ERYPHC_CACHE_KEY": KEY}
        wheel.run(project, *words, "--cache-to", str(self.cache), environment=given)
        (self.record,) = (self.cache / "outputs").iterdir()
        self._finder = Finder((FolderShelf(self.cache),), Seals(bytes.fromhex(KEY), shared=True))
        self._key = self.record.name

    def found(self) -> bool:
        """Whether the output is taken, whatever the tool and the options are."""
        around = Surroundings(Tool("", "", {}), (), {}, locked=False)
        asked = asked_of("web.yaml", BuildRequest(), around)
        assert asked is not None
        given = Given(BuildRequest(), {})
        output = self._finder.output(asked, self._key, Target.USER_DATA, given)
        return output is not None


@pytest.fixture
def folder(tmp_path: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, wheel)


def test_every_bit_of_a_record(folder: Folder, tmp_path: Path) -> None:
    whole = folder.record.read_bytes()
    assert folder.found()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            folder.record.write_bytes(changed)
            assert not folder.found(), (place, bit)
    for cut in (whole[:-1], whole + b" ", b"", whole[65:]):
        folder.record.write_bytes(cut)
        assert not folder.found()
    folder.record.write_bytes(whole)
    assert folder.found()


def test_every_byte_of_every_file(folder: Folder, tmp_path: Path) -> None:
    """Each with another bit of it; the files of the layout that are no output do not matter."""
    named = folder.record.read_text()
    paths = [path for path in (folder.cache / "blobs/sha256").iterdir() if path.name in named]
    assert len(paths) >= 3
    for path in paths:
        whole = path.read_bytes()
        for place in range(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 1 << place % 8
            path.write_bytes(changed)
            assert not folder.found(), (path, place)
        path.write_bytes(whole[:-1])
        assert not folder.found()
        path.unlink()
        assert not folder.found()
        path.write_bytes(whole)
    assert folder.found()


def test_a_record_under_another_key(folder: Folder, tmp_path: Path) -> None:
    other = folder.record.with_name("0" * 64)
    folder.record.rename(other)
    assert not folder.found()
    folder._key = other.name
    assert not folder.found()


def in_place(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def pickled(path: Path) -> None:
    path.write_bytes(b"cos\nsystem\n(S'touch evil'\ntR.")


PLACES: dict[str, Callable[[Path], None]] = {
    "a folder": in_place(Path.mkdir),
    "a pipe": in_place(os.mkfifo),
    "a link to itself": in_place(lambda path: path.symlink_to(path)),
    "a link out": in_place(lambda path: path.symlink_to("/etc/passwd")),
    "a huge file": in_place(huge),
    "a pickle": pickled,
}


@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("kind", ["outputs", "blobs"])
def test_what_stands_in_the_place_of_a_file(
    folder: Folder, tmp_path: Path, kind: str, change: Callable[[Path], None]
) -> None:
    named = folder.record.read_text()
    blobs = (folder.cache / "blobs/sha256").iterdir()
    path = folder.record if kind == "outputs" else next(p for p in blobs if p.name in named)
    change(path)
    assert not folder.found()
    assert not (tmp_path / "evil").exists()


def test_eight_builders_share_a_cache(wheel: Wheel, tmp_path: Path) -> None:
    home = tmp_path / "home"
    specs = [f"web{number}.yaml" for number in range(6)]
    builders: list[subprocess.Popen[str]] = []
    for number in range(8):
        folder = write_project(tmp_path / f"builder{number}")
        for spec in specs:
            (folder / spec).write_text(SPEC.replace("web", spec.removesuffix(".yaml")))
        words = ("build", *specs, "--target", "cloud-init", "--cache")
        builders.append(
            subprocess.Popen(
                wheel.command(*words),
                cwd=folder,
                env=wheel.environment(home),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for builder in builders:
        out, err = builder.communicate(timeout=120)
        assert builder.returncode == 0, (out, err)
        assert "W1203" not in err
    made = tree(tmp_path / "builder0/build")
    assert all(tree(tmp_path / f"builder{number}/build") == made for number in range(8))
    folder = tmp_path / "builder0"
    wheel.run(folder, "cache", "verify", home=home)
    shutil.rmtree(folder / "build")
    ran = wheel.run(folder, "build", *specs, "--target", "cloud-init", "--cache", "-v", home=home)
    assert ran.err.count("from the cache") == len(specs)
    assert tree(folder / "build") == made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory that holds a mebibyte."""
    place = tmp_path.parent / f"{tmp_path.name}-small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(project: Build, tmp_path: Path, small_disk: Path) -> None:
    """The build is as good as without a cache, and says what it did not keep."""
    os.environ["ERYPHC_CACHE_DIR"] = str(small_disk / "cache")
    try:
        filler = small_disk / "filler"
        filler.write_bytes(bytes(900 * 1024))
        done, _ = project("--target", "cloud-init", "--target", "hyperv")
        assert done.code == 0, done.err
        assert "note[N1206]: outputs of this run are not kept: the disk of the cache" in done.err
        assert (tmp_path / "build/web/hyperv/manifest.json").exists()
        filler.unlink()
        assert not project("--target", "cloud-init", "--target", "hyperv")[1]
        assert project("--target", "cloud-init", "--target", "hyperv")[1]
    finally:
        del os.environ["ERYPHC_CACHE_DIR"]


def test_a_folder_on_a_full_disk_stays_as_it_was(
    project: Build, tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERYPHC_CACHE_KEY", KEY)
    target = small_disk / "handed-on"
    assert project(options=("--cache-to", str(target)))[0].code == 0
    before = tree(target)
    (small_disk / "filler").write_bytes(bytes(850 * 1024))
    done, _ = project("--name", "other", options=("--cache-to", str(target)))
    assert done.code == 3
    assert "error[E0903]" in done.err or "cannot be written" in done.err
    assert tree(target) == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["filler", "handed-on"]


def test_a_cache_of_somebody_else_is_refused(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "open"
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setenv("ERYPHC_CACHE_DIR", str(cache))
    done, _ = project()
    assert done.code == 3
    assert "E1201" in done.err


def test_a_key_that_is_none(project: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERYPHC_CACHE_KEY", "short-secret")
    done, _ = project()
    assert done.code == 1
    assert "ERYPHC_CACHE_KEY" in done.err
    assert "short-secret" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed there")
def test_builds_that_are_killed(wheel: Wheel, tmp_path: Path) -> None:
    work = prepared(tmp_path, wheel)
    for number in range(20):
        round_of_one(work, number)
        assert check(work) == []


def test_prune_gives_up_outputs_and_keeps_what_a_record_names(
    project: Build, eryphc: CommandLine
) -> None:
    project()
    assert eryphc("cache", "prune").code == 0
    assert project()[1]
    assert eryphc("cache", "verify").code == 0
    assert eryphc("cache", "prune", "--max-size", "1K").code == 0
    assert not project()[1]


def test_keys_do_not_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    around = Surroundings(Tool("code", "3", {}), (), {}, locked=False)
    request = BuildRequest()
    asked = asked_of("web.yaml", request, around)
    assert asked is not None
    assert len({key_of(asked, target, request) for target in Target}) == len(Target)
    others = [
        around._replace(tool=Tool("other", "3", {})),
        around._replace(tool=Tool("code", "4", {})),
        around._replace(tool=Tool("code", "3", {"lark": "1"})),
        around._replace(genepools=("pool",)),
        around._replace(locked=True),
    ]
    keys = set()
    for other in (around, *others):
        found = asked_of("web.yaml", request, other)
        assert found is not None
        keys.add(key_of(found, Target.CLOUD_INIT, request))
    assert len(keys) == 6
