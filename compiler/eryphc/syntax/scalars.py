"""The text of one scalar to a number, a flag or a word.

Source: docs/reference/language.md, "Scalars", "Enumerations", "JSON documents".
"""

from __future__ import annotations

import re

from eryphc.syntax.names import WHITE_SPACE

NULLS = ("", "~", "null", "Null", "NULL")
_MAX_INTEGER = 2**31 - 1
_MIN_INTEGER = -(2**31)
_DIGITS = re.compile(r"[0-9]+\Z")
_HEX = re.compile(r"0x([0-9A-Fa-f]+)\Z")
_BINARY = re.compile(r"0b([01]+)\Z")
_OCTAL = re.compile(r"0([0-7]+)\Z")
_BASE_60 = re.compile(r"[1-9][0-9]*(?::[0-9]+)+\Z")
_JSON_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_BEFORE_LETTER = re.compile(r"[_-](?=[A-Za-z])")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")

_TRUE = ("true", "y", "yes", "on")
_FALSE = ("false", "n", "no", "off")


def integer(text: str) -> int | str:
    """The number, or why the text is none."""
    word = text.strip(WHITE_SPACE).replace("_", "")
    sign = -1 if word.startswith("-") else 1
    if word[:1] in ("+", "-"):
        word = word[1:]
    value = _unsigned(word)
    if isinstance(value, str):
        return value
    value *= sign
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        return f"it is outside {_MIN_INTEGER} to {_MAX_INTEGER}"
    return value


def _unsigned(word: str) -> int | str:
    if len(word) > 64:
        return "it is too long"
    if match := _HEX.match(word):
        return int(match[1], 16)
    if match := _BINARY.match(word):
        return int(match[1], 2)
    if match := _OCTAL.match(word):
        return int(match[1], 8)
    if _DIGITS.match(word) and (word == "0" or not word.startswith("0")):
        return int(word)
    if _BASE_60.match(word):
        value = 0
        for group in word.split(":"):
            value = value * 60 + int(group)
        return value
    if not word:
        return "it is empty"
    if _DIGITS.match(word):
        return "a number that begins with 0 is octal and has only the digits 0 to 7"
    if _FLOAT.match(word):
        return "fractions and exponents are not allowed"
    return "it is not written in digits"


def json_integer(text: str) -> int | str:
    """A JSON number without fraction or exponent, or why it is none."""
    if not _JSON_INTEGER.match(text) or len(text) > 64:
        return "fractions and exponents are not allowed"
    value = int(text)
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        return f"it is outside {_MIN_INTEGER} to {_MAX_INTEGER}"
    return value


def flag(text: str) -> bool | None:
    """True, False, or None where the text is neither."""
    if not text.isascii():
        return None
    word = text.lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def compact_word(text: str) -> str | None:
    """A word of an enumeration as it is compared in YAML: `shared-VHD` gives `sharedvhd`."""
    if not text.isascii():
        return None
    return _BEFORE_LETTER.sub("", text.strip(WHITE_SPACE)).lower()


def float_text(text: str) -> str | None:
    """What a scalar tagged `!!float` becomes as text, or None where it is no such number."""
    word = text.strip(WHITE_SPACE).replace("_", "")
    if not _FLOAT.match(word) or len(word) > 64:
        return None
    value = float(word)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
