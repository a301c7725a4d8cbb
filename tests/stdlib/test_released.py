"""What a release has shipped never changes; what none has shipped yet may."""

from __future__ import annotations

from pathlib import Path

from stdlib.released import SHIPPED, fixed_tags, released_tags


def test_what_is_released_never_changes() -> None:
    """A gene that must change gets a new tag, to which `latest` then leads."""
    released = released_tags()
    now = fixed_tags()
    assert {tag: now.get(tag) for tag in released} == released


def test_every_set_has_a_released_tag() -> None:
    sets = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.glob("*/*") if path.is_dir()}
    sets = {name for name in sets if "__pycache__" not in name}
    assert {tag.rpartition("/")[0] for tag in released_tags()} == sets


def test_all_files_of_a_tag_count(tmp_path: Path) -> None:
    for path in ("acme/motd/1.0/fodder/motd.yaml", "acme/motd/latest/geneset-tag.json"):
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_text("a")
    before = fixed_tags(tmp_path)
    assert list(before) == ["acme/motd/1.0"]
    (tmp_path / "acme/motd/1.0/readme.md").write_text("b")
    assert set(fixed_tags(tmp_path)["acme/motd/1.0"]) == {"fodder/motd.yaml", "readme.md"}
    (tmp_path / "acme/motd/1.0/fodder/motd.yaml").write_text("c")
    assert (
        fixed_tags(tmp_path)["acme/motd/1.0"]["fodder/motd.yaml"]
        != (before["acme/motd/1.0"]["fodder/motd.yaml"])
    )
