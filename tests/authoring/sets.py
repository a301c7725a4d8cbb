"""Gene sets as authors keep them, written for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from eryphc.authoring.sources import AuthoredTag, tags_in
from genepool.images import MOTD_TEXT

MOTD_SET = {
    "version": "1.1",
    "geneset": "acme/motd",
    "short_description": "A message of the day",
}
MOTD_TAG = {"version": "1.1", "geneset": "acme/motd/1.0", "metadata": {"_os_type": "linux"}}
MOTD_FILES: Mapping[str, str | bytes] = {
    "geneset.json": json.dumps(MOTD_SET),
    "1.0/geneset-tag.json": json.dumps(MOTD_TAG),
    "1.0/fodder/motd.yaml": MOTD_TEXT,
}


def write_set(folder: Path, files: Mapping[str, str | bytes | None] = {}) -> Path:
    """The example of the published form in `folder`, with other files; None leaves one out."""
    for name, text in {**MOTD_FILES, **files}.items():
        if text is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def tags_of(folder: Path) -> tuple[AuthoredTag, ...]:
    found = tags_in(folder)
    assert found.value is not None, found.diagnostics
    return found.value


def tag_json(tag: str, **members: object) -> str:
    """A manifest of one tag of the example."""
    return json.dumps({"version": "1.1", "geneset": f"acme/motd/{tag}", **members})
