"""Images that a target's build converts, from its plan to the files in its folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eryphc import EryphcError, Failure, Session, Target
from eryphc.targets import cloud_init
from eryphc.targets.definition import Backend, Conversion
from eryphc.volumes import qemu_img as program
from eryphc.volumes.identity import conversion_key
from targets.attaching import command_of, package_with, run
from volumes.images import MIB, disk, needs_qemu_img, qemu_img, raw_disk, same_content

pytestmark = [needs_qemu_img, pytest.mark.integration]

SPEC = "name: web\n"
TOY = {
    "__init__.py": """
from eryphc.frozen import NamedTuple
from eryphc.targets.definition import Backend, Flag, TargetDefinition


class ToyOptions(NamedTuple):
    disks: tuple[str, ...] = ()


def backend():
    from eryphc.targets.toy_box.plan import conversions, disk_files, emit, plan
    from eryphc.volumes.disk_images import EVERY_FORMAT

    return Backend(
        plan=plan,
        emit=emit,
        disk_files=disk_files,
        hashed_formats=EVERY_FORMAT,
        conversions=conversions,
    )


FLAG = Flag("--toy-disk", "disks", "PATH", "A disk of the toy", tuple)
DEFINITION = TargetDefinition(options=ToyOptions, flags=(FLAG,), backend=backend)
""",
    "plan.py": """
from pathlib import Path

from eryphc.artifacts.file import ArtifactFile
from eryphc.diagnostics.model import Outcome
from eryphc.targets.definition import Conversion
from eryphc.volumes.identity import conversion_key, image_version, whole_mib


def disk_files(catlet, options):
    return tuple(map(Path, options.disks))


def plan(inputs):
    return Outcome(tuple(inputs.disks.items()))


def conversions(plan):
    return [
        Conversion(f"disks/{path.stem}.vhd", path, image.format, image.sha256)
        for path, image in plan
    ]


def emit(plan):
    keys = [conversion_key(image.sha256, whole_mib(image.virtual_size)) for _, image in plan]
    text = "".join(f"{key} {image_version(key)}\\n" for key in keys)
    return {"keys.txt": ArtifactFile(content=text.encode(), media_type="text/plain")}
""",
}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "locks"
    }


# -- through the session --------------------------------------------------------------------


class Toy:
    """The target cloud-init, whose build converts `images` too."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.images: tuple[Conversion, ...] = ()
        self.converted: list[Path] = []
        self.heard: list[tuple[str, str, int, int]] = []
        real = cloud_init.DEFINITION.backend()
        made: Backend[Any, Any] = real._replace(conversions=lambda _plan: self.images)
        monkeypatch.setattr(
            cloud_init, "DEFINITION", cloud_init.DEFINITION._replace(backend=lambda: made)
        )
        convert = program.convert

        def counting(source: Path, *rest: Any) -> None:
            self.converted.append(source)
            convert(source, *rest)

        monkeypatch.setattr(program, "convert", counting)
        monkeypatch.chdir(folder)
        (folder / "web.yaml").write_text(SPEC, encoding="utf-8")

    def session(self) -> Session:
        return Session(
            environment=environment(self.folder),
            on_converting=lambda step, path, done, size: self.heard.append(
                (step, path.name, done, size)
            ),
        )


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    return Toy(tmp_path, monkeypatch)


def test_an_image_is_a_file_of_the_target(toy: Toy, tmp_path: Path) -> None:
    source = disk(tmp_path / "base.qcow2", "qcow2", "-c")
    toy.images = (
        Conversion("disks/sda.vhd", source, "qcow2"),
        Conversion("disks/sdb.vhd", source),
    )
    session = toy.session()
    built = session.build("web.yaml", Target.CLOUD_INIT)
    assert built.ok, built.diagnostics
    written = {file.path: file for file in built.write(tmp_path / "out")}
    session.build("web.yaml", Target.CLOUD_INIT).write(tmp_path / "again")
    assert toy.converted == [source]
    path = tmp_path / "out" / "disks" / "sda.vhd"
    assert same_content(source, "qcow2", path, "vhd")
    assert written["disks/sda.vhd"].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert written["disks/sda.vhd"].media_type == "application/x-vhd"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert path.stat().st_nlink == 1
    assert path.stat().st_blocks * 512 < MIB
    assert files_of(tmp_path / "out") == files_of(tmp_path / "again")
    assert "web.iso" in files_of(tmp_path / "out")
    assert ("converting", "base.qcow2") in {each[:2] for each in toy.heard}
    assert all(0 <= done <= size == source.stat().st_size for _, _, done, size in toy.heard)


def test_check_converts_nothing_and_makes_no_cache(toy: Toy, tmp_path: Path) -> None:
    toy.images = (Conversion("disks/sda.vhd", raw_disk(tmp_path / "disk.raw")),)
    before = files_of(tmp_path)
    assert toy.session().check("web.yaml", (Target.CLOUD_INIT,)).ok
    assert (toy.converted, files_of(tmp_path)) == ([], before)


def test_a_plan_with_errors_converts_nothing(toy: Toy, tmp_path: Path) -> None:
    toy.images = (Conversion("disks/sda.vhd", raw_disk(tmp_path / "disk.raw")),)
    (tmp_path / "web.yaml").write_text("name: web\ncpu: {count: x}\n", encoding="utf-8")
    assert not toy.session().build("web.yaml", Target.CLOUD_INIT).ok
    assert toy.converted == []


def test_a_fault_of_the_image_is_a_finding(toy: Toy, tmp_path: Path) -> None:
    source = tmp_path / "base.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", source, "1M")
    toy.images = (Conversion("disks/sda.vhd", source, "qcow2"),)
    built, other = toy.session().builds("web.yaml", (Target.CLOUD_INIT, Target.HYPERV))
    assert (built.failure, built.files, built.manifest) == (Failure.INPUT, {}, None)
    assert [each.code for each in built.diagnostics if each.level == "error"] == ["E0809"]
    assert (other.failure, "deployment.json" in other.files) == (None, True)
    with pytest.raises(EryphcError):
        built.write(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base.qcow2", "web.yaml"]


def test_a_fault_outside_is_not_that_of_the_next_target(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.images = (Conversion("disks/sda.vhd", raw_disk(tmp_path / "disk.raw")),)
    monkeypatch.setenv("PATH", str(tmp_path))
    built, other = toy.session().builds("web.yaml", (Target.CLOUD_INIT, Target.HYPERV))
    assert (built.failure, other.failure) == (Failure.OUTSIDE, None)
    assert "E0807" in [each.code for each in built.diagnostics]


# -- through the command line, in a process of its own ---------------------------------------


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_with(tmp_path_factory.mktemp("package"), TOY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def words(*disks: str, command: str = "build") -> list[str]:
    named = [word for each in disks for word in ("--toy-disk", each)]
    return [command, "web.yaml", "--guest", "linux", "--target", "toy-box", *named]


def environment(folder: Path) -> Mapping[str, str]:
    return {"ERYPHC_CACHE_DIR": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "config")}


def test_a_build_twice(package: Path, folder: Path) -> None:
    disk(folder / "a.vhdx", "vhdx")
    raw_disk(folder / "b.raw", 8 * MIB + 512, seed=2)
    twice, found = [], []
    for _ in range(2):
        twice.append(
            run(package, folder, *words("a.vhdx", "b.raw"), environment=environment(folder))
        )
        found.append(files_of(folder / "build"))
    assert [(done.returncode, done.stderr) for done in twice] == [(0, "")] * 2
    assert found[0] == found[1]
    assert twice[0].stdout == twice[1].stdout
    assert twice[0].stdout.splitlines() == [
        f"build/web/toy-box/{name}" for name in ("disks/a.vhd", "disks/b.vhd", "keys.txt")
    ]
    out = folder / "build" / "web" / "toy-box"
    assert same_content(folder / "a.vhdx", "vhdx", out / "disks" / "a.vhd", "vhd")
    assert same_content(folder / "b.raw", "raw", out / "disks" / "b.vhd", "vhd")
    assert (out / "disks" / "b.vhd").stat().st_size == 9 * MIB + 512
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    for entry in manifest["artifacts"]:
        content = (out / entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["size"] == len(content)
    keys = [line.split()[0] for line in (out / "keys.txt").read_text("utf-8").splitlines()]
    digest = hashlib.sha256((folder / "b.raw").read_bytes()).hexdigest()
    assert keys[1] == conversion_key(digest, 9 * MIB)
    cached = folder / "cache" / "volumes" / "converted"
    assert sorted(path.stem for path in cached.glob("*.vhd")) == sorted(keys)
    # An edit of an artifact does not reach the cache.
    before = (cached / f"{keys[0]}.vhd").read_bytes()
    with (out / "disks" / "a.vhd").open("r+b") as file:
        file.write(b"edited")
    assert (cached / f"{keys[0]}.vhd").read_bytes() == before


def test_check_in_a_process(package: Path, folder: Path) -> None:
    raw_disk(folder / "b.raw")
    done = run(package, folder, *words("b.raw", command="check"), environment=environment(folder))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["b.raw", "web.yaml"]


def test_exit_codes_are_those_of_volume_convert(package: Path, folder: Path) -> None:
    source = folder / "a.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", source, "1M")
    given = environment(folder)
    convert = ("volume", "convert", "a.qcow2", "-o", "x.vhd")
    refused = [
        run(package, folder, *each, environment=given) for each in (words("a.qcow2"), convert)
    ]
    assert [each.returncode for each in refused] == [1, 1]
    assert all("builds on the backing file `/etc/passwd`" in each.stderr for each in refused)
    raw_disk(folder / "b.raw")
    given = {**given, "PATH": str(folder)}
    convert = ("volume", "convert", "b.raw", "-o", "x.vhd")
    both = (words("b.raw"), convert)
    missing = [run(package, folder, *each, environment=given) for each in both]
    assert [each.returncode for each in missing] == [3, 3]
    assert all("needs `qemu-img`" in each.stderr for each in missing)
    assert not (folder / "build").exists()
    assert [name for name in files_of(folder) if name.endswith((".vhd", ".part"))] == []


def test_progress_is_said(package: Path, folder: Path) -> None:
    with (folder / "b.raw").open("wb") as file:
        file.truncate(256 * MIB)
    done = run(
        package, folder, *words("b.raw"), "--progress", "plain", environment=environment(folder)
    )
    lines = done.stderr.splitlines()
    assert "hashing b.raw: 100 %" in lines
    assert "converting b.raw: 100 %" in lines
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_ended(package: Path, folder: Path, number: signal.Signals) -> None:
    raw_disk(folder / "b.raw")
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    script = bin_folder / "qemu-img"
    script.write_text(
        "#!/bin/sh\n"
        # What a conversion has written when it is ended.
        f'if [ "$1" = convert ]; then for last; do :; done; echo half > "$last"; '
        f"touch '{folder}/begun'; exec sleep 60; fi\n"
        f"exec '{shutil.which('qemu-img')}' \"$@\"\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    given = {**environment(folder), "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        command_of(package, *words("b.raw")),
        cwd=folder,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        for _ in range(1000):
            if (folder / "begun").exists():
                break
            time.sleep(0.02)
        process.send_signal(number)
        process.communicate(timeout=30)
    finally:
        # What a killed process leaves behind is that of the test.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    assert not (folder / "build").exists()
    left = [path.name for path in (folder / "cache" / "volumes" / "converted").iterdir()]
    assert [name for name in left if name.endswith(".vhd")] == []
    assert len(left) == (1 if number == signal.SIGKILL else 0)
    done = run(package, folder, *words("b.raw"), environment=environment(folder))
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (folder / "cache" / "volumes" / "converted").iterdir())
    assert [Path(name).suffix for name in names] == [".record", ".vhd"]
    assert not any(name.startswith(".") for name in names)


def test_after_a_fault_no_disk_is_converted(package: Path, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("name: wrong\ncpu: {count: x}\n", encoding="utf-8")
    raw_disk(folder / "b.raw")
    command = ["build", "wrong.yaml", *words("b.raw")[1:]]
    done = run(package, folder, *command, environment=environment(folder))
    assert done.returncode == 1
    assert not (folder / "cache").exists()
