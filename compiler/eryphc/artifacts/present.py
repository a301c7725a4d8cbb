"""Whether a target folder already is what would be written there."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eryphc.artifacts.file import ArtifactFile, WrittenFile
from eryphc.artifacts.manifest import MANIFEST_NAME, Manifest, manifest_bytes
from eryphc.artifacts.owned import contents_of
from eryphc.artifacts.staging import read_bytes

_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644


def present(
    place: Path, files: Mapping[str, ArtifactFile], manifest: Manifest
) -> tuple[WrittenFile, ...] | None:
    """The files, if `place` has exactly them with these bytes and modes, and nothing more.

    None else, and for files with secrets or that write themselves.
    """
    written: list[WrittenFile] = []
    for path, file in sorted(files.items()):
        if file.secret or file.tells or not isinstance(file.content, bytes):
            return None
        digest = hashlib.sha256(file.content).hexdigest()
        written.append(WrittenFile(path, digest, len(file.content), file.media_type))
    expected = {path: file.content for path, file in files.items()}
    expected[MANIFEST_NAME] = manifest_bytes(manifest, written)
    folders = {parent.as_posix() for path in files for parent in Path(path).parents} - {"."}
    try:
        found = contents_of(place)
        if set(found.files) != set(expected) or set(found.folders) != folders or found.strangers:
            return None
        if not all(_has_mode(place / name, _FOLDER_MODE) for name in ("", *folders)):
            return None
        for path, content in expected.items():
            at = place / path
            if not _has_mode(at, _FILE_MODE) or read_bytes(str(at)) != content:
                return None
    except OSError:
        return None
    return tuple(written)


def _has_mode(path: Path, mode: int) -> bool:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return False
    return os.name == "nt" or stat.S_IMODE(status.st_mode) == mode
