"""New tags: what is written builds, passes every check, and overwrites nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from authoring.sets import write_set
from eryphc import EryphcError, Session
from eryphc.authoring.packing import packed
from eryphc.authoring.sources import tags_in
from eryphc.authoring.starting import first_files, named_by
from eryphc.identifiers import GeneSetId
from eryphc.sharing import Guest, Kind, checked_sets, new_set
from genepool.images import layout_of, motd, motd_entry


def session(folder: Path, *pools: str) -> Session:
    return Session(folder, environment={}, genepools=pools)


@pytest.mark.parametrize("guest", Guest)
@pytest.mark.parametrize("kind", Kind)
def test_a_new_tag_has_no_fault(tmp_path: Path, kind: Kind, guest: Guest) -> None:
    place = tmp_path / "acme" / "a.long-name.of-a-gene-set" / "1.0"
    made = new_set(session(tmp_path), place, kind=kind, guest=guest)
    assert made.geneset == "acme/a.long-name.of-a-gene-set/1.0"
    assert {Path(name).name for name in made.written} >= {"geneset.json", "readme.md"}
    assert (place / "catlet.yaml").exists() == (kind is not Kind.FODDER)
    assert (place / "fodder").exists() == (kind is not Kind.CATLET)
    checked = checked_sets(session(tmp_path), [place])
    assert checked.diagnostics == ()
    readme = (place.parent / "readme.md").read_text(encoding="utf-8")
    assert ("parent: " in readme, "source: gene:" in readme) == (
        kind is not Kind.FODDER,
        kind is not Kind.CATLET,
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "acme/motd", {"readme.md": "mine"})
    before = (folder / "geneset.json").read_bytes()
    new_set(session(tmp_path), folder / "1.1")
    assert (folder / "readme.md").read_text(encoding="utf-8") == "mine"
    assert (folder / "geneset.json").read_bytes() == before
    with pytest.raises(EryphcError) as caught:
        new_set(session(tmp_path), folder / "1.0")
    assert [each.code for each in caught.value.diagnostics] == ["E0911"]


@pytest.mark.parametrize("name", ["x", "acme/mo_td/1.0", "acme/motd/1..0", "ac/motd/1.0"])
def test_a_folder_has_the_name_of_a_tag(tmp_path: Path, name: str) -> None:
    with pytest.raises(EryphcError) as caught:
        new_set(session(tmp_path), tmp_path / "!" / name)
    assert [each.code for each in caught.value.diagnostics] == ["E0912"]
    assert not (tmp_path / "!").exists()


def test_a_copy(tmp_path: Path) -> None:
    write_set(tmp_path / "pool/acme/motd", {"readme.md": "of the first\n"})
    (first,) = tags_in(tmp_path / "pool/acme/motd/1.0").value or ()
    image = packed(first).value
    assert image is not None
    place = tmp_path / "mine" / "hello" / "2.0"
    new_set(session(tmp_path, str(tmp_path / "pool")), place, copy_of="acme/motd/1.0")
    manifest = json.loads((place / "geneset-tag.json").read_bytes())
    assert manifest["geneset"] == "mine/hello/2.0"
    assert manifest["metadata"] == {
        "_os_type": "linux",
        "copied_from": f"acme/motd/1.0 {image.image.identity}",
    }
    facts = json.loads((place.parent / "geneset.json").read_bytes())
    assert facts["short_description"] == "A message of the day"
    assert (place.parent / "readme.md").read_text(encoding="utf-8") == "of the first\n"
    (copy,) = tags_in(place).value or ()
    again = packed(copy).value
    assert again is not None
    theirs, ours = (
        {f.path: f.text for f in each.contents.files if f.type != "manifest"}
        for each in (image, again)
    )
    assert theirs == ours
    assert checked_sets(session(tmp_path), [place]).diagnostics == ()


def test_a_copy_of_an_image(tmp_path: Path) -> None:
    layout_of(tmp_path / "layout", motd_entry())
    place = tmp_path / "mine" / "hello" / "2.0"
    opened = session(tmp_path, f"oci-layout:{tmp_path / 'layout'}")
    new_set(opened, place, copy_of="acme/motd")
    metadata = json.loads((place / "geneset-tag.json").read_bytes())["metadata"]
    assert metadata["copied_from"] == f"acme/motd/1.0 {motd().identity}"


@pytest.mark.parametrize(("name", "code"), [("acme/gone/1.0", "E0302"), ("nope", "E0912")])
def test_a_copy_of_nothing(tmp_path: Path, name: str, code: str) -> None:
    place = tmp_path / "mine" / "hello" / "2.0"
    with pytest.raises(EryphcError) as caught:
        new_set(session(tmp_path), place, copy_of=name)
    assert [each.code for each in caught.value.diagnostics] == [code]
    assert not place.exists()


@pytest.mark.parametrize(
    ("kind", "guest", "agent"),
    [
        (Kind.CATLET, Guest.LINUX, "cloud-init"),
        (Kind.CATLET, Guest.WINDOWS, "cloudbase-init"),
        (Kind.FODDER, Guest.WINDOWS, None),
    ],
)
def test_a_catlet_from_one_of_our_bases_states_its_agent(
    kind: Kind, guest: Guest, agent: str | None
) -> None:
    geneset = named_by(Path("/acme/web/1.0"))
    assert isinstance(geneset, GeneSetId)
    manifest = json.loads(first_files(geneset, kind, guest).tag["geneset-tag.json"])
    assert manifest["metadata"].get("guest_agent") == agent
