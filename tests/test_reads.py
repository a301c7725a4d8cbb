"""What a build read: each kind of change is seen, and reading the same again is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from eryphc import BuildRequest, Session, Target
from eryphc.reads import (
    Noted,
    Reads,
    disk_note,
    disk_state,
    disk_unchanged,
    entries_of,
    text_note,
    unchanged,
)

GENE = """\
name: motd
variables:
- name: text
  value: Welcome
fodder:
- name: motd
  type: cloud-config
  content: |
    timezone: UTC
"""
SPEC = """\
name: web
variables:
- name: zone
  value: UTC
fodder:
- source: gene:acme/motd/1.0:motd
"""


def write_project(folder: Path) -> Path:
    tag = folder / "genes/acme/motd/1.0"
    (tag / "fodder").mkdir(parents=True)
    (tag / "geneset-tag.json").write_text('{"geneset":"acme/motd/1.0","version":"1.1"}\n')
    (tag / "fodder/motd.yaml").write_text(GENE)
    (folder / "web.yaml").write_text(SPEC)
    return folder / "web.yaml"


def noted(spec: Path, request: BuildRequest | None = None, **options: str) -> Noted | None:
    session = Session(spec.parent, noting=True, environment=options)
    builds = session.builds(spec, [Target.CLOUD_INIT], request or BuildRequest(), facts=True)
    (built,) = builds
    assert built.ok, built.diagnostics
    return built.noted


def test_a_build_notes_files_listings_and_what_is_not_there(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    found = noted(spec, ERYPHC_VAR_ZONE="CET")
    assert found is not None
    tag = tmp_path / "genes/acme/motd/1.0"
    assert (
        {
            str(Path(path).relative_to(tmp_path)): (note or "absent").partition(" ")[0][:6]
            for path, note in found.paths.items()
        }
        == {
            "genes": "folder",
            "genes/acme/motd/1.0": "names",
            "genes/acme/motd/1.0/fodder": "names",
            "genes/acme/motd/1.0/fodder/motd.yaml": text_note(GENE)[:6],  # type: ignore[index]
            "genes/acme/motd/1.0/genes.json": "absent",
            "genes/acme/motd/1.0/geneset-tag.json": found.paths[str(tag / "geneset-tag.json")][:6],  # type: ignore[index]
            "genes/acme/motd/geneset.json": "absent",
        }
    )
    assert found.values == {"zone": text_note("CET")}
    assert all(unchanged(path, note) for path, note in found.paths.items())


def test_a_session_without_noting_takes_no_notes(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    (built,) = Session(tmp_path).builds(spec, [Target.CLOUD_INIT], facts=True)
    assert built.ok
    assert built.noted is None


def test_each_specification_has_its_own_notes(tmp_path: Path) -> None:
    """The second one of a session, though the session has read its genes already."""
    spec = write_project(tmp_path)
    plain = tmp_path / "plain.yaml"
    plain.write_text("name: plain\n")
    session = Session(tmp_path, noting=True)
    notes = []
    for each in (spec, plain, spec):
        (built,) = session.builds(each, [Target.CLOUD_INIT], facts=True)
        notes.append(built.noted)
    assert notes[0] == notes[2]
    assert notes[1] is not None
    assert list(notes[1].paths) == [str(tmp_path / "genes")]


SECRETS = {
    "a secret value in the specification": SPEC.replace("value: UTC", "value: UTC\n  secret: true"),
    "secret fodder": SPEC + "- name: s\n  type: cloud-config\n  secret: true\n  content: 'a: b'\n",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secrets_have_no_notes(tmp_path: Path, text: str) -> None:
    spec = write_project(tmp_path)
    spec.write_text(text)
    assert noted(spec) is None


def test_a_secret_value_that_was_given_has_no_notes(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    spec.write_text(SPEC.replace("  value: UTC", "  secret: true"))
    assert noted(spec) is not None
    assert noted(spec, BuildRequest(values={"zone": "x"})) is None
    assert noted(spec, ERYPHC_VAR_zone="x") is None


def replace(folder: Path, name: str, make: Callable[[Path], object]) -> None:
    (folder / name).unlink()
    make(folder / name)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda folder: (folder / "file").write_text("b"),
    "removed": lambda folder: (folder / "file").unlink(),
    "a folder in its place": lambda folder: replace(folder, "file", Path.mkdir),
    "a pipe in its place": lambda folder: replace(folder, "file", os.mkfifo),
    "a new name": lambda folder: (folder / "new").touch(),
    "a name gone": lambda folder: (folder / "sub").rmdir(),
    "what was absent": lambda folder: (folder / "absent").touch(),
    "a file that becomes a folder": lambda folder: replace(folder, "looked", Path.mkdir),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen(tmp_path: Path, change: Callable[[Path], object]) -> None:
    reads = taken(tmp_path)
    assert all(unchanged(path, note) for path, note in reads.notes.items())
    change(tmp_path)
    assert not all(unchanged(path, note) for path, note in reads.notes.items())


def test_touching_is_no_change(tmp_path: Path) -> None:
    reads = taken(tmp_path)
    for name in ("file", "looked", "sub"):
        os.utime(tmp_path / name, (1, 1))
    assert all(unchanged(path, note) for path, note in reads.notes.items())


def taken(folder: Path) -> Reads:
    (folder / "file").write_text("a")
    (folder / "looked").touch()
    (folder / "sub").mkdir()
    reads = Reads()
    reads.content(folder / "file", b"a")
    reads.listing(folder, entries_of(folder))
    reads.look(folder / "looked")
    reads.look(folder / "absent")
    assert reads.whole
    return reads


def test_a_file_that_changes_while_it_is_read_is_known_to_nobody(tmp_path: Path) -> None:
    reads = Reads()
    reads.content(tmp_path / "file", b"a")
    reads.content(tmp_path / "file", b"a")
    assert reads.whole
    reads.content(tmp_path / "file", b"b")
    assert not reads.whole


def test_a_disk_image_is_known_by_its_state_only_once_that_is_settled(tmp_path: Path) -> None:
    disk = tmp_path / "disk.vhdx"
    disk.write_bytes(b"one")
    state = disk_state(disk)
    assert state is not None
    young = disk_note(state, None)
    assert not young.settled
    assert not disk_unchanged(disk, young, by_state=True)
    os.utime(disk, (1, 1))
    state = disk_state(disk)
    assert state is not None
    old = disk_note(state, None)
    assert disk_unchanged(disk, old, by_state=True)
    assert not disk_unchanged(disk, old, by_state=False)
    hashed = disk_note(state, text_note("one"))
    assert disk_unchanged(disk, hashed, by_state=False)
    disk.write_bytes(b"two")
    os.utime(disk, (1, 1))
    assert not disk_unchanged(disk, hashed, by_state=False)
