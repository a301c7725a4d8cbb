"""Is a folder one that a build wrote, so that the next may replace it?

It is if it is empty, or if it holds our manifest and this lists every file in it.
Source: docs/reference/command-line.md, "Output folders".
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from eryphc.artifacts.manifest import MANIFEST_NAME
from eryphc.frozen import NamedTuple

_KIND = "eryphc/manifest/"
_LARGEST_MANIFEST = 16 * 1024 * 1024
_DEEPEST = 16


class FolderContents(NamedTuple):
    """What a folder holds: regular files by relative path with `/`, folders deepest first.

    `strangers` are the entries that keep it from being ours, sorted.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    strangers: tuple[str, ...]
    has_manifest: bool


def contents_of(folder: Path) -> FolderContents:
    """Look at `folder`, never through a symbolic link. Raises `OSError`."""
    files: list[str] = []
    folders: list[str] = []
    odd: list[str] = []
    _look(str(folder), "", files, folders, odd)
    listed = _listed(folder / MANIFEST_NAME) if MANIFEST_NAME in files else None
    strangers = odd + [name for name in files if listed is None or name not in listed]
    return FolderContents(
        files=tuple(sorted(files)),
        folders=tuple(reversed(folders)),
        strangers=tuple(sorted(strangers)),
        has_manifest=listed is not None,
    )


def _look(folder: str, prefix: str, files: list[str], folders: list[str], odd: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_file(follow_symlinks=False):
                files.append(name)
            elif entry.is_dir(follow_symlinks=False) and name.count("/") < _DEEPEST:
                folders.append(name)
                _look(entry.path, name + "/", files, folders, odd)
            else:
                odd.append(name)


def _listed(manifest: Path) -> frozenset[str] | None:
    """The files that a manifest of ours lists, itself included; None where it is not ours."""
    if manifest.stat().st_size > _LARGEST_MANIFEST:
        return None
    try:
        value = json.loads(manifest.read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not str(value.get("schema")).startswith(_KIND):
        return None
    artifacts = value.get("artifacts")
    if not isinstance(artifacts, list):
        return None
    names = [entry.get("path") for entry in artifacts if isinstance(entry, dict)]
    return frozenset(name for name in names if isinstance(name, str)) | {MANIFEST_NAME}
