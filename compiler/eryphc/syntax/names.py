"""The rules of plain names and of file names. Source: docs/reference/language.md, "Names"."""

from __future__ import annotations

import re

from eryphc.diagnostics.words import clipped
from eryphc.frozen import NamedTuple


class NameFault(NamedTuple):
    """Why a text is refused: `message` names it; `start` to `end` is the part at fault."""

    message: str
    start: int
    end: int


class NameKind(NamedTuple):
    """One kind of name: what it is called, what it may hold, how long it may be."""

    label: str
    extras: str
    shortest: int
    longest: int


ORGANIZATION = NameKind("organization", ".-", 3, 40)
GENE_SET = NameKind("gene set name", ".-", 3, 40)
TAG = NameKind("tag", ".-", 3, 20)
GENE = NameKind("gene name", ".-", 1, 20)
CATLET = NameKind("catlet name", ".-", 1, 50)
PROJECT = NameKind("project name", ".-", 1, 20)
ENVIRONMENT = NameKind("environment name", ".-", 1, 50)
DATA_STORE = NameKind("data store name", ".-", 1, 50)
STORAGE = NameKind("storage identifier", ".-", 1, 20)
DRIVE = NameKind("drive name", "-", 1, 50)
ADAPTER = NameKind("network adapter name", "-", 2, 15)
NETWORK = NameKind("network name", "-", 1, 50)
SUBNET = NameKind("subnet name", "-", 1, 50)
IP_POOL = NameKind("IP pool name", "-", 1, 50)
CAPABILITY = NameKind("capability name", "_", 3, 50)
FODDER = NameKind("fodder name", ".-", 1, 50)

# White space of Unicode's White_Space property: not U+001C to U+001F, not U+200B.
# Source: docs/reference/language.md, "Null and blank".
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_SEPARATORS = "._- "
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}\Z")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}\Z")


def blank(text: str | None) -> bool:
    """Null, empty or only white space: the language's notion of "not given"."""
    # Most texts begin with no white space, so one character decides.
    return not text or (text[0] in WHITE_SPACE and not text.strip(WHITE_SPACE))


def _plain(kind: NameKind) -> re.Pattern[str]:
    extras = "".join(f"|{re.escape(c)}(?!{re.escape(c)})" for c in kind.extras).lstrip("|")
    return re.compile(rf"[A-Za-z0-9]+(?:(?:{extras})+[A-Za-z0-9]+)*\Z")


_PATTERNS: dict[NameKind, re.Pattern[str]] = {}


def name_faults(kind: NameKind, text: str) -> tuple[NameFault, ...]:
    """All rules of `kind` that `text` breaks; empty where it is a good name."""
    pattern = _PATTERNS.get(kind)
    if pattern is None:
        pattern = _PATTERNS[kind] = _plain(kind)
    if kind.shortest <= len(text) <= kind.longest and pattern.match(text):
        return ()
    return tuple(_faults(kind, text))


def _faults(kind: NameKind, text: str) -> list[NameFault]:
    faults: list[NameFault] = []
    shown = f"`{clipped(text)}`"
    foreign = next(
        (
            (at, c)
            for at, c in enumerate(text)
            if not (c.isascii() and c.isalnum()) and c not in kind.extras
        ),
        None,
    )
    if foreign is not None:
        at, character = foreign
        extras = " and ".join(f"`{c}`" for c in kind.extras)
        before = ", digits, " if len(kind.extras) > 1 else ", digits and "
        what = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
        faults.append(
            NameFault(
                f"{shown} is not a valid {kind.label}: {what} is not allowed; "
                f"it may hold letters a to z{before}{extras}",
                at,
                at + 1,
            )
        )
    else:
        faults.extend(_separator_faults(kind, text, shown))
    if not kind.shortest <= len(text) <= kind.longest:
        word = "short" if len(text) < kind.shortest else "long"
        faults.append(
            NameFault(
                f"{shown} is too {word} for {_article(kind.label)} {kind.label}: "
                f"it has {_characters(len(text))}, {kind.shortest} to {kind.longest} are allowed",
                0,
                len(text),
            )
        )
    return faults


def _article(label: str) -> str:
    return "an" if label[0] in "aeiou" else "a"


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def _separator_faults(kind: NameKind, text: str, shown: str) -> list[NameFault]:
    faults: list[NameFault] = []
    start = f"{shown} is not a valid {kind.label}: it"
    for at in range(1, len(text)):
        if text[at] == text[at - 1] and text[at] in _SEPARATORS:
            faults.append(NameFault(f"{start} has `{text[at] * 2}` in a row", at - 1, at + 1))
            break
    if text and text[0] in _SEPARATORS:
        faults.append(NameFault(f"{start} begins with `{text[0]}`", 0, 1))
    if text and text[-1] in _SEPARATORS:
        faults.append(NameFault(f"{start} ends with `{text[-1]}`", len(text) - 1, len(text)))
    return faults


def is_variable_name(text: str) -> bool:
    """Letters, digits and `_`, not starting with a digit, at most 50 characters."""
    return _VARIABLE.match(text) is not None


def variable_name_fault(text: str) -> NameFault | None:
    if is_variable_name(text):
        return None
    if len(text) > 50:
        return NameFault(
            f"`{clipped(text)}` is too long for a variable name: it has {len(text)} characters, "
            "1 to 50 are allowed",
            0,
            len(text),
        )
    if text[:1].isascii() and text[:1].isdigit():
        return NameFault(
            f"`{clipped(text)}` is not a valid variable name: it begins with the digit `{text[0]}`",
            0,
            1,
        )
    for at, character in enumerate(text):
        if not (character.isascii() and (character.isalnum() or character == "_")):
            what = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
            return NameFault(
                f"`{clipped(text)}` is not a valid variable name: {what} is not allowed; "
                "it may hold letters a to z, digits and `_`",
                at,
                at + 1,
            )
    return NameFault(f"`{clipped(text)}` is not a valid variable name", 0, len(text))


def mac_address(text: str) -> str | None:
    """The address in its normal form (lower case, colons), or None where it is none.

    One final line feed is allowed.
    Source: docs/reference/language.md, "Differences from eryph".
    """
    text = text.removesuffix("\n")
    if not _MAC.match(text):
        return None
    digits = text.replace(":", "").replace("-", "").lower()
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def windows_path_fault(text: str) -> str | None:
    """Why `text` is no full Windows path, or None."""
    if _CONTROL.search(text):
        return "it has control characters"
    if foreign := next((c for c in '|"<>*?' if c in text), None):
        return f"`{foreign}` is not allowed"
    if "/" in text:
        return "`/` is not allowed, the separator is `\\`"
    if len(text) > 260:
        return f"it has {len(text)} characters, at most 260 are allowed"
    is_drive = len(text) >= 3 and text[0].isascii() and text[0].isalpha() and text[1:3] == ":\\"
    if not is_drive and not text.startswith("\\\\"):
        return "it must begin with a drive (`C:\\`) or a share (`\\\\`)"
    if "\\.\\" in text or "\\..\\" in text:
        return "`.` and `..` are not allowed in it"
    return None


def file_name_fault(text: str) -> str | None:
    """Why `text` is no file name, or None."""
    if len(text) > 255:
        return f"it has {len(text)} characters, at most 255 are allowed"
    if _CONTROL.search(text):
        return "it has control characters"
    if foreign := next((c for c in '"<>|:*?\\/' if c in text), None):
        return f"`{foreign}` is not allowed"
    return None
