"""One file of a target folder, before it is written and after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from eryphc.artifacts.manifest import MANIFEST_NAME

_FORBIDDEN = frozenset('\\:*?"<>|') | {chr(code) for code in (*range(32), 127)}
_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)))
)
_LONGEST = 255
"""Bytes of one part of a path: what every file system in use takes."""


@lru_cache(maxsize=256)
def fault_of(path: str) -> str | None:
    """Why `path` (with `/`) cannot be an artifact's, in a few words; None where it can."""
    if path.startswith("/"):
        return "it is absolute"
    if not path:
        return "it is empty"
    if path.casefold() == MANIFEST_NAME:
        return "the manifest has that name"
    for part in path.split("/"):
        if not part:
            return "a part of it is empty"
        if part in {".", ".."}:
            return "it leaves its folder"
        if not _FORBIDDEN.isdisjoint(part):
            return "it has a character that file names cannot have everywhere"
        if part[-1] in ". ":
            return "it ends with a dot or a blank"
        try:
            length = len(part.encode("utf-8"))
        except UnicodeEncodeError:
            return "it is not valid Unicode"
        if length > _LONGEST:
            return f"it is longer than {_LONGEST} bytes"
        if os.name == "nt" and part.split(".")[0].rstrip(" ").casefold() in _DEVICES:
            return "Windows takes it for a device"
    return None


class Streamed(Protocol):
    """Content that is too large for memory. It writes itself, with the same bytes each time."""

    def write_to(self, target: BinaryIO) -> None: ...


ArtifactContent: TypeAlias = bytes | Streamed


class ArtifactFile(NamedTuple):
    """A file to be written. A secret one gets mode 0600, any other 0644.

    `holds` is, for an image, the files that reading it back must give. `tells`: the digest of a
    secret file stands in it, by which a short secret can be guessed; it gets mode 0600 too.
    """

    content: ArtifactContent
    media_type: str
    secret: bool = False
    holds: Mapping[str, bytes] | None = None
    tells: bool = False

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"ArtifactFile(media_type={self.media_type!r}, secret={self.secret})"


class WrittenFile(NamedTuple):
    """A file as written: `path` relative to its folder, with `/`; `size` in bytes."""

    path: str
    sha256: str
    size: int
    media_type: str
    secret: bool = False
