"""What can be the name of a file, and a full path on Windows.

Source: docs/reference/language.md, "File names and Windows paths".
"""

from __future__ import annotations

import re

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
