"""Names of parts for a Windows guest, where the extension chooses the interpreter.

Source: docs/reference/guest-configuration.md, "Names of scripts";
docs/reference/windows-guests.md, "Script parts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from eryphc.guest.model import GuestAgent, Reader
from eryphc.guest.names import extension, kind_word
from eryphc.guest.pieces import SHELLSCRIPT, Piece

_UNSAFE: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_EXTENSIONS: Final = frozenset(("ps1", "cmd", "py", "exe", "sh"))
_OF_EGS: Final = frozenset(("ps1", "cmd", "bat", "sh"))
_MARKERS: Final = (
    (re.compile(r"rem\s+cmd\s", re.IGNORECASE), ".cmd"),
    (re.compile(r"#!\s*/usr/bin/env\s+python\s"), ".py"),
    (re.compile(r"#(?:ps1|ps1_sysnative)\s", re.IGNORECASE), ".ps1"),
)
_32_BIT: Final = re.compile(r"#ps1_x86\s")
_TAGS: Final = re.compile(r"</?(?:script|powershell)>")
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


def windows_name(piece: Piece, reader: Reader) -> str:
    """The author's file name, or the fodder entry's name, with the extension of its interpreter.

    eryph's guest services read names in ASCII alone and cut them at `;`. They run what has no known
    extension as PowerShell, which takes a file by its extension.
    """
    written = _safe(piece.fodder.filename, reader).strip().rstrip(". ")
    name = written or _safe(piece.fodder.name, reader) or kind_word(piece.media_type)
    if piece.media_type != SHELLSCRIPT or piece.jinja:
        return name
    if reader.only(GuestAgent.EGS):
        return _name_for_egs(name, piece.text)
    if wants_32_bit(piece.text):
        # Only a name without extension lets the marker choose.
        return name if written or not has_interpreter_extension(name) else f"{name}-x86"
    if has_interpreter_extension(name):
        return name
    # cloudbase-init does not know `.bat`, but it can only be one thing.
    batch = ".cmd" if extension(name).lower() == "bat" else ""
    return name + (_marked_extension(piece.text) or batch)


def _safe(name: str | None, reader: Reader) -> str:
    text = name or ""
    if reader.may_be(GuestAgent.EGS):
        text = "".join(map(_ascii, text)).replace(";", "_")
    return _UNSAFE.sub("_", text)


def _ascii(character: str) -> str:
    """The letter without its marks, `_` where that is none of ASCII."""
    if character.isascii():
        return character
    from unicodedata import combining, normalize

    plain = normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain if plain or combining(character) else "_"


def _name_for_egs(name: str, text: str) -> str:
    ending = extension(name).lower()
    if ending in _OF_EGS or text.startswith("#!"):
        return name
    marked = _marked_extension(text)
    return name + (".cmd" if marked == ".cmd" else ".ps1")


def has_interpreter_extension(name: str) -> bool:
    return extension(name).lower() in _EXTENSIONS


def _marked_extension(text: str) -> str:
    # A marker on the last line, without line feed, counts too.
    start = text[:64] + "\n"
    for marker, ending in _MARKERS:
        if marker.match(start):
            return ending
    return ""


def wants_32_bit(text: str) -> bool:
    return _32_BIT.match(text[:64] + "\n") is not None


def has_interpreter_marker(text: str) -> bool:
    """Whether cloudbase-init finds the interpreter in the text alone."""
    return (
        text.startswith("#!")
        or wants_32_bit(text)
        or bool(_marked_extension(text))
        or _TAGS.search(text) is not None
    )


def is_device(name: str) -> bool:
    """Whether Windows takes the name for a device, whatever its extension."""
    return _DEVICES.match(name) is not None


def unique(names: Iterable[str]) -> list[str]:
    """The names, each later one of the same letters with a number before its extension."""
    taken: set[str] = set()
    # The last number given to each name, so that no number is tried twice.
    last: dict[str, int] = {}
    result = []
    for name in names:
        candidate, number = name, last.get(name.lower(), 1)
        while candidate.lower() in taken:
            number += 1
            ending = extension(name)
            stem = name[: len(name) - len(ending) - 1] if ending else name
            candidate = f"{stem}-{number}.{ending}" if ending else f"{stem}-{number}"
        taken.add(candidate.lower())
        last[name.lower()] = number
        result.append(candidate)
    return result
