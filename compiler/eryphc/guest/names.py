"""Names of parts for a Linux guest, which stores parts under them and runs scripts in their order.

Source: docs/reference/guest-configuration.md, "Names of scripts";
docs/reference/cloud-init.md, "Names of parts".
"""

from __future__ import annotations

import re
from typing import Final

from eryphc.guest.pieces import (
    BOOTHOOK,
    CLOUD_CONFIG,
    INCLUDES,
    PART_HANDLER,
    SHELLSCRIPT,
)
from eryphc.ir.catlet import Fodder

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_\-.()]")
# A file name of a guest has 255 bytes at most; the number and its prefix come on top.
_LONGEST: Final = 200
_LONGEST_EXTENSION: Final = 16


def linux_name(
    number: int, count: int, fodder: Fodder, media_type: str, *, after_commands: bool
) -> str:
    """`NNN-name`, or `s-NNN-name` for what sorts behind `runcmd`.

    cloud-init removes every character outside its safe set, so the name holds only safe ones.
    """
    width = max(3, len(str(count)))
    prefix = "s-" if after_commands else ""
    return f"{prefix}{number:0{width}d}-{_cleaned(fodder, media_type)}"


def _cleaned(fodder: Fodder, media_type: str) -> str:
    for written in (fodder.filename, fodder.name):
        name = _UNSAFE.sub("", (written or "").replace("/", "_"))
        if name.strip("."):
            return _shortened(name)
    return kind_word(media_type)


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    ending = extension(name)
    if not ending or len(ending) > _LONGEST_EXTENSION:
        return name[:_LONGEST]
    return f"{name[: _LONGEST - len(ending) - 1]}.{ending}"


def kind_word(media_type: str) -> str:
    """The name of a part without a name of its own."""
    if media_type == SHELLSCRIPT:
        return "script"
    if media_type == BOOTHOOK:
        return "boothook"
    if media_type == PART_HANDLER:
        return "part-handler"
    if media_type in INCLUDES:
        return "include"
    return "cloud-config" if media_type == CLOUD_CONFIG else "part"


def extension(name: str) -> str:
    """The extension without its dot, as written; a leading dot does not begin an extension."""
    stem, dot, ending = name.rpartition(".")
    return ending if dot and stem.strip(".") else ""
