"""Inputs beside files of genes: disks, registries, and files that change while they are built."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caching.projects import SPEC, write_project
from cli.command_line import Done
from eryphc import BuildRequest, Session, Target
from eryphc.artifacts.copies import FileCopy
from eryphc.artifacts.file import ArtifactFile
from eryphc.caching.record import decoded, encoded, record_of, restored
from runtime.hyperv_model import vhdx

Build = Callable[..., tuple[Done, bool]]
DISK = "name: web\ndrives:\n- {name: sda}\nfodder: []\n"


def with_disk(folder: Path, disk: Path) -> tuple[str, ...]:
    (folder / "web.yaml").write_text(DISK)
    disk.write_bytes(vhdx(2, b"base"))
    return ("--target", "hyperv", "--volume", f"sda={disk}", "--guest", "linux")


def test_a_disk_is_an_input(project: Build, tmp_path: Path) -> None:
    disk = tmp_path / "disk.vhdx"
    words = with_disk(tmp_path, disk)
    done, _ = project(*words)
    assert done.code == 0, done.err
    assert project(*words)[1]
    os.utime(disk, (1, 1))
    assert project(*words)[1]
    disk.write_bytes(vhdx(2, b"else"))
    assert not project(*words)[1]
    disk.unlink()
    assert not project(*words)[1]


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_a_disk_outside_is_not_handed_on(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("ERYPHC_CACHE_KEY", "ab" * 32)
    inside = where == "inside"
    disk = tmp_path / "disk.vhdx" if inside else tmp_path.parent / f"{tmp_path.name}.vhdx"
    words = with_disk(tmp_path, disk)
    cache = tmp_path / "handed-on"
    assert project(*words, options=("--cache-to", str(cache)))[0].code == 0
    assert (cache / "outputs").exists() == inside
    if inside:
        assert project(*words, options=("--cache-from", str(cache)))[1]
        # Its state tells nothing there: it is hashed.
        status = disk.stat()
        disk.write_bytes(vhdx(2, b"else"))
        os.utime(disk, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert not project(*words, options=("--cache-from", str(cache)))[1]


def test_a_specification_that_changes_meanwhile_is_not_kept(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Session.read

    def changing(session: Session, *words: Any) -> Any:
        answer = read(session, *words)
        (tmp_path / "web.yaml").write_text(SPEC + "# changed\n")
        return answer

    monkeypatch.setattr(Session, "read", changing)
    assert project()[0].code == 0
    monkeypatch.setattr(Session, "read", read)
    assert not project()[1]
    (tmp_path / "web.yaml").write_text(SPEC)
    assert not project()[1]


def test_a_gene_that_changes_meanwhile_is_noted_as_it_was_read(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gene = tmp_path / "genes/acme/motd/1.0/fodder/motd.yaml"
    builds = Session.builds

    def changing(session: Session, *words: Any, **more: Any) -> Any:
        answers = list(builds(session, *words, **more))
        gene.write_text(gene.read_text() + "# changed\n")
        return answers

    monkeypatch.setattr(Session, "builds", changing)
    assert project()[0].code == 0
    monkeypatch.setattr(Session, "builds", builds)
    assert not project()[1]


def made(folder: Path) -> Any:
    write_project(folder)
    session = Session(folder, noting=True)
    request = BuildRequest(values={"zone": "CET"})
    (built,) = session.builds(folder / "web.yaml", [Target.CLOUD_INIT], request, facts=True)
    return built


def test_a_record_gives_the_same_build_again(tmp_path: Path) -> None:
    built = made(tmp_path)
    written = built.write(tmp_path / "out")
    record = record_of(built, written, str(tmp_path))
    assert record is not None
    body = encoded(record[0])
    assert body is not None
    again = decoded(body)
    assert again == record[0]
    contents = {path: file.content for path, file in built.files.items()}
    found = restored(again, Target.CLOUD_INIT, record[1], contents)
    assert found is not None
    assert found.manifest == built.manifest
    assert found.diagnostics == built.diagnostics
    assert {path: file.content for path, file in found.files.items()} == contents
    assert restored(again, Target.HYPERV, record[1], contents) is None
    other = again._replace(files=again.files[1:])
    assert restored(other, Target.CLOUD_INIT, record[1], contents) is None
    secret = record[1].replace(b'"secret": false', b'"secret": true', 1)
    assert restored(again, Target.CLOUD_INIT, secret, contents) is None


def test_large_files_that_write_themselves_are_not_kept(tmp_path: Path) -> None:
    built = made(tmp_path)
    written = built.write(tmp_path / "out")
    assert record_of(built, written, str(tmp_path)) is not None
    disk = ArtifactFile(FileCopy(tmp_path / "web.yaml"), "application/octet-stream")
    built.files = {**built.files, "disk.vhd": disk}
    assert record_of(built, written, str(tmp_path)) is None


BROKEN = [
    b"[]",
    b"{}",
    b'{"catlet":1}',
    b"not json",
    b'{"catlet":"web","reads":[]}',
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_body_of_another_form_is_no_record(body: bytes) -> None:
    assert decoded(body) is None
