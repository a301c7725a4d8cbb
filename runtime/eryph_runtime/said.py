"""What both programs say of numbers, seeds and doubles: one file, which `deploy.ps1` holds too.

A host's messages are in its own language, so hints go by numbers alone.
Source: docs/reference/hyperv.md, "Starting", "Errors".
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

_NUMBER = re.compile(r"0x[0-9A-Fa-f]{8}\b")


def hint(number: int | None, message: str) -> str | None:
    """The usual cause of an HRESULT, or of one that stands in the message; else None.

    Hyper-V's own exceptions often have a general number, and the cause's in their text.
    """
    known = _said()["hints"]
    numbers = [] if number is None else [f"0x{number & 0xFFFFFFFF:08X}"]
    numbers += [f"0x{each[2:].upper()}" for each in _NUMBER.findall(message)]
    return next((known[each] for each in numbers if each in known), None)


def note(name: str, **values: str) -> str:
    """A note with its values."""
    return _filled(_said()["notes"][name], values)


def refusal(name: str, **values: str) -> str:
    """A refusal with its values."""
    return _filled(_said()["refusals"][name], values)


def _filled(text: str, values: dict[str, str]) -> str:
    # In one pass: a value is never searched for names again.
    return re.sub(r"\{([a-z]+)\}", lambda match: values[match[1]], text)


@cache
def _said() -> dict[str, dict[str, str]]:
    file = files("eryph_runtime") / "powershell" / "said.json"
    said: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="ascii"))
    return said
