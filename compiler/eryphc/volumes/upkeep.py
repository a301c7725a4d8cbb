"""Verifying the disk images in the user's cache: what is damaged is removed."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from typing import Final

from eryphc.diagnostics.model import Diagnostic
from eryphc.store.folder import Entry, Folder, Parts
from eryphc.store.seals import Seals
from eryphc.store.upkeep import Verified
from eryphc.volumes.checksums import ALGORITHMS, hash_file
from eryphc.volumes.conversions import is_as_recorded
from eryphc.volumes.places import record_of

_HEX: Final = re.compile(r"[0-9a-f]+")
_LENGTHS: Final = {name: length for length, name in ALGORITHMS.items()}


def verify_images(folder: Folder, seals: Seals, waiting: Callable[[], None]) -> Verified:
    """Hash every image and compare it with its name or its record. Raises StoreError.

    What is on its way is left alone, so that a download can go on.
    """
    found: list[Diagnostic] = []
    own = Folder(folder.root, found.append)
    checked = 0
    for entry in list(own.files("volumes")):
        parts = entry.parts
        if _is_converted(parts):
            checked += 1
            key = parts[-1].removesuffix(".vhd")
            with own.locked_place(own.path(*parts), waiting):
                if not is_as_recorded(own, key, seals):
                    own.damaged(*parts)
                    own.remove(*record_of(key))
        elif _is_published(parts):
            checked += 1
            with own.locked_place(own.path(*parts), waiting):
                if not _has_its_hash(own, entry):
                    own.damaged(*parts)
    return Verified(checked, tuple(found))


def _is_converted(parts: Parts) -> bool:
    return len(parts) == 3 and parts[1] == "converted" and parts[2].endswith(".vhd")


def _is_published(parts: Parts) -> bool:
    return (
        len(parts) == 3
        and _LENGTHS.get(parts[1]) == len(parts[2])
        and _HEX.fullmatch(parts[2]) is not None
    )


def _has_its_hash(folder: Folder, entry: Entry) -> bool:
    _, algorithm, digits = entry.parts
    path = folder.path(*entry.parts)
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    return hash_file(path, algorithm)[algorithm] == digits
