"""Which relative paths an artifact may have, so that no name leaves its folder."""

from __future__ import annotations

import os
from functools import lru_cache

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
        if os.name == "nt" and is_device(part):
            return "Windows takes it for a device"
    return None


def is_device(name: str) -> bool:
    """Whether Windows takes a file or folder of this name for a device, such as `con.yaml`."""
    return name.split(".")[0].rstrip(" ").casefold() in _DEVICES
