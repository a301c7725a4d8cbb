"""Target folders on a real disk: swapping, repairing, refusing, cleaning up."""

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from artifacts.builds import MANIFEST, build_one, one_file, tree_of
from eryphc.artifacts.errors import OutputFailed, OutputRefused
from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.folder import TargetFolders


@pytest.fixture(params=[0o022, 0o077, 0o000, 0o277], ids=lambda mask: f"umask {mask:03o}")
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    try:
        yield request.param
    finally:
        os.umask(before)


def test_modes_do_not_obey_the_umask(umask: int, tmp_path: Path) -> None:
    build_one(tmp_path / "web")
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    assert modes == {
        "web": 0o755,
        "web/deep": 0o755,
        "web/deep/er": 0o755,
        "web/deep/er/secret": 0o600,
        "web/manifest.json": 0o600,
        "web/web.txt": 0o644,
    }


def test_makes_parents_and_gives_what_it_wrote(tmp_path: Path) -> None:
    place = tmp_path / "a/b/web"
    with TargetFolders([place]) as folders:
        written = folders.stage(place, one_file(), MANIFEST)
        folders.commit()
    assert [(file.path, file.size, file.secret) for file in written] == [
        ("deep/er/secret", 3, True),
        ("web.txt", 3, False),
    ]
    listed = json.loads((place / "manifest.json").read_bytes())["artifacts"]
    assert [entry["path"] for entry in listed] == ["deep/er/secret", "web.txt"]
    assert sorted(path.name for path in place.parent.iterdir()) == ["web"]


class _Large:
    def write_to(self, target: BinaryIO) -> None:
        target.writelines([b"x" * 1000] * 100)


def test_streams_what_is_too_large_for_memory(tmp_path: Path) -> None:
    place = tmp_path / "web"
    with TargetFolders([place]) as folders:
        (written,) = folders.stage(
            place,
            {"disk": ArtifactFile(content=_Large(), media_type="a/b", secret=True)},
            MANIFEST,
        )
        folders.commit()
    assert written.size == 100_000
    assert (place / "disk").read_bytes() == b"x" * 100_000
    assert stat.S_IMODE((place / "disk").stat().st_mode) == 0o600


def test_replaces_its_own(tmp_path: Path) -> None:
    place = tmp_path / "web"
    with TargetFolders([place]) as folders:
        other = {"gone": ArtifactFile(content=b"", media_type="a/b")}
        folders.stage(place, other, MANIFEST)
        folders.commit()
    build_one(place)
    assert set(tree_of(tmp_path)) == {
        "web", "web/deep", "web/deep/er", "web/deep/er/secret", "web/manifest.json", "web/web.txt",
    }  # fmt: skip


def test_replaces_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    build_one(tmp_path / "web")
    assert (tmp_path / "web/web.txt").read_bytes() == b"new"


def _stranger(place: Path) -> None:
    build_one(place, b"old")
    (place / "deep/notes.txt").write_text("mine")


def _hidden(place: Path) -> None:
    build_one(place, b"old")
    (place / ".git").write_text("mine")


def _no_manifest(place: Path) -> None:
    place.mkdir()
    (place / "web.txt").write_text("mine")


def _other_manifest(place: Path) -> None:
    place.mkdir()
    (place / "manifest.json").write_text('{"schema": "other/v1", "artifacts": []}')


def _broken_manifest(place: Path) -> None:
    place.mkdir()
    (place / "manifest.json").write_text("[" * 100_000)


def _odd_manifest(place: Path) -> None:
    place.mkdir()
    (place / "manifest.json").write_text(
        '{"schema": "eryphc/manifest/v1", "artifacts": [{"path": ["web.txt"]}, 7]}'
    )
    (place / "web.txt").write_text("mine")


def _link_inside(place: Path) -> None:
    build_one(place, b"old")
    (place / "web.txt").unlink()
    (place / "web.txt").symlink_to("/etc/passwd")


def _linked_folder_inside(place: Path) -> None:
    build_one(place, b"old")
    (place.parent / "elsewhere").mkdir()
    (place.parent / "elsewhere/secret").write_text("mine")
    (place / "deep/er/secret").unlink()
    (place / "deep/er").rmdir()
    (place / "deep/er").symlink_to(place.parent / "elsewhere")


def _manifest_link(place: Path) -> None:
    build_one(place, b"old")
    (place / "manifest.json").rename(place.parent / "manifest.json")
    (place / "manifest.json").symlink_to(place.parent / "manifest.json")


def _a_file(place: Path) -> None:
    place.write_text("mine")


def _dangling(place: Path) -> None:
    place.symlink_to(place.parent / "nothing")


def _below_a_file(place: Path) -> None:
    place.parent.rmdir()
    place.parent.write_text("mine")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param(_stranger, "`deep/notes.txt`", id="a file more"),
        pytest.param(_hidden, "`.git`", id="a hidden file more"),
        pytest.param(_no_manifest, "no `manifest.json` of an earlier", id="no manifest"),
        pytest.param(_other_manifest, "no `manifest.json` of an earlier", id="another's manifest"),
        pytest.param(_broken_manifest, "no `manifest.json` of", id="a manifest that is no JSON"),
        pytest.param(_odd_manifest, "`web.txt`", id="a manifest that lists odd things"),
        pytest.param(_link_inside, "`web.txt`", id="a symbolic link inside"),
        pytest.param(_linked_folder_inside, "`deep/er`", id="a linked folder inside"),
        pytest.param(_manifest_link, "`manifest.json`", id="a linked manifest"),
        pytest.param(_a_file, "is a file", id="a file"),
        pytest.param(_dangling, "a symbolic link to nothing", id="a link to nothing"),
        pytest.param(_below_a_file, "a path below a file", id="below a file"),
    ],
)
def test_refuses_and_touches_nothing(prepare, words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    place = tmp_path / "out/web"
    place.parent.mkdir()
    prepare(place)
    before = tree_of(tmp_path)
    with pytest.raises(OutputRefused) as refused:
        build_one(place)
    (diagnostic,) = refused.value.diagnostics
    assert words in " ".join((diagnostic.message, *diagnostic.notes))
    assert tree_of(tmp_path) == before


def test_a_linked_output_folder_is_replaced_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "disk/web").mkdir(parents=True)
    (tmp_path / "web").symlink_to("disk/web")
    build_one(tmp_path / "web")
    assert (tmp_path / "web").is_symlink()
    assert (tmp_path / "disk/web/web.txt").read_bytes() == b"new"


def test_the_working_folder_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build_one(Path())
    build_one(Path())
    assert Path("web.txt").read_bytes() == b"new"
    assert (tmp_path / "web.txt").read_bytes() == b"new"


def test_all_are_looked_at_before_any_is_written(tmp_path: Path) -> None:
    _no_manifest(tmp_path / "two")
    _a_file(tmp_path / "three")
    with pytest.raises(OutputRefused) as refused:
        TargetFolders([tmp_path / "one", tmp_path / "two", tmp_path / "three"])
    assert [diagnostic.code.number for diagnostic in refused.value.diagnostics] == [
        "E0603",
        "E0604",
    ]
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    "second", [pytest.param("web", id="the same"), pytest.param("web/deep", id="one inside")]
)
def test_refuses_two_builds_of_one_folder(second: str, tmp_path: Path) -> None:
    with pytest.raises(OutputRefused) as refused:
        TargetFolders([tmp_path / "web", tmp_path / "x/.." / second])
    assert [diagnostic.code.number for diagnostic in refused.value.diagnostics] == ["E0605"]


@pytest.mark.parametrize("name", ["../escape", "/tmp/escape", "a\\b", "manifest.json"])
def test_refuses_names_that_leave_the_folder(name: str, tmp_path: Path) -> None:
    place = tmp_path / "out/web"
    file = ArtifactFile(content=b"", media_type="a/b")
    with TargetFolders([place]) as folders, pytest.raises(OutputRefused):
        folders.stage(place, {name: file}, MANIFEST)
    assert tree_of(tmp_path) == {}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_nothing_is_left_behind(error: type[BaseException], tmp_path: Path) -> None:
    build_one(tmp_path / "two", b"old")
    before = tree_of(tmp_path)
    places = [tmp_path / "a/b/one", tmp_path / "two"]

    def build() -> None:
        with TargetFolders(places) as folders:
            for place in places:
                folders.stage(place, one_file(), MANIFEST)
            raise error

    with pytest.raises(error):
        build()
    assert tree_of(tmp_path) == before


class _Interrupts:
    def write_to(self, target: BinaryIO) -> None:
        target.write(b"half")
        raise KeyboardInterrupt


def test_nothing_is_left_of_folders_that_several_share(tmp_path: Path) -> None:
    places = [tmp_path / "out" / name / "cloud-init" for name in ("a", "b", "c")]
    with TargetFolders(places) as folders:
        for place in places:
            folders.stage(place, one_file(), MANIFEST)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_half_written_file(tmp_path: Path) -> None:
    place = tmp_path / "web"
    files = {"disk": ArtifactFile(content=_Interrupts(), media_type="a/b")}
    with pytest.raises(KeyboardInterrupt), TargetFolders([place]) as folders:
        folders.stage(place, files, MANIFEST)
    assert tree_of(tmp_path) == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do anything")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputFailed, match="permission denied"):
        build_one(tmp_path / "web")


@pytest.fixture
def without_rights() -> Iterator[Path]:
    """A folder whose owner, who has no more rights than others, runs the test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.parametrize("folders", [("",), ("deep", "deep/er"), ("", "deep")])
def test_nothing_stays_of_a_folder_made_read_only(
    folders: tuple[str, ...], without_rights: Path
) -> None:
    place = without_rights / "web"
    build_one(place)
    for name in folders:
        (place / name).chmod(0o555)
    build_one(place, b"newer")
    assert [path.name for path in without_rights.iterdir()] == ["web"]
    assert (place / "web.txt").read_bytes() == b"newer"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_place_where_no_folder_can_be_made() -> None:
    with pytest.raises(OutputFailed) as failed:
        build_one(Path("/proc/eryphc/web"))
    (diagnostic,) = failed.value.diagnostics
    assert diagnostic.code.number == "E0606"
    assert diagnostic.message.startswith("`/proc/eryphc/web` cannot be written: ")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")

    class Full:
        def write_to(self, target: BinaryIO) -> None:
            os.dup2(os.open(full, os.O_WRONLY), target.fileno())
            target.write(b"x")
            target.flush()

    place = tmp_path / "a/web"
    files = {"disk": ArtifactFile(content=Full(), media_type="a/b")}
    with pytest.raises(OutputFailed) as failed, TargetFolders([place]) as folders:
        folders.stage(place, files, MANIFEST)
    assert "no space left" in failed.value.diagnostics[0].message
    assert tree_of(tmp_path) == {}


def test_an_image_that_reads_back_otherwise(tmp_path: Path) -> None:
    place = tmp_path / "web"
    file = ArtifactFile(content=b"no image", media_type="a/b", holds={"user-data": b""})
    with pytest.raises(OutputFailed, match="read back"), TargetFolders([place]) as folders:
        folders.stage(place, {"web.iso": file}, MANIFEST)
    assert tree_of(tmp_path) == {}


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    with pytest.raises(OutputRefused) as refused:
        TargetFolders([tmp_path / "file/x/y"])
    assert [found.message for found in refused.value.diagnostics] == [
        f"the output `{tmp_path}/file/x/y` is a path below a file, not a folder"
    ]
