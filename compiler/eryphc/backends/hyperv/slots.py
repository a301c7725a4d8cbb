"""Open places: values that only the deployment knows, as stand-ins in the compiled image.

A stand-in has the length of the value. Where it lies in the finished image goes into the
deployment as relocations. Source: docs/deployment.md, "A seed".
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VM_ID = "vmId"
VM_ID_LENGTH = 36
SHORTEST_SLOT = 8
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_PART = re.compile(
    rb"Content-Transfer-Encoding: base64\n(?:[A-Za-z-]+:[^\n]*\n(?: [^\n]*\n)*)*\n"
    rb"([A-Za-z0-9+/=\n]*?)\n--"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`text` stands in the image until the value of `name` is known."""

    name: str
    kind: str
    text: str
    description: str | None = None

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "length": len(self.text),
            "description": self.description,
        }


def stand_in(name: str, length: int, texts: Sequence[str]) -> str:
    """A text of `length` that stands nowhere in `texts`; the same for the same input."""
    attempt = 0
    while True:
        digits = ""
        block = 0
        while len(digits) < length:
            seed = f"eryphc slot {name} {attempt} {block}".encode()
            digits += "".join(_ALPHABET[byte % 32] for byte in hashlib.sha256(seed).digest())
            block += 1
        # Begins with a letter, so that no reader of YAML takes it for a number.
        text = "q" + digits[: length - 1]
        if not any(text in other for other in texts):
            return text
        attempt += 1


def relocations(
    image: bytes, files: Mapping[str, bytes], slots: Iterable[Slot]
) -> list[dict[str, Any]]:
    """Every place of every slot in `image`, which holds `files` as they are, without gaps."""
    found: list[dict[str, Any]] = []
    for name, content in files.items():
        if not content:
            continue
        start = image.find(content)
        for slot in slots:
            found += _in_file(name, content, start, slot)
    return sorted(found, key=lambda entry: (entry["offset"], entry["at"], entry["slot"]))


def _in_file(name: str, content: bytes, start: int, slot: Slot) -> Iterator[dict[str, Any]]:
    wanted = slot.text.encode("ascii")
    for at in _places(content, wanted):
        yield _entry(slot, name, start + at, len(wanted), "plain", 0)
    for part in _PART.finditer(content):
        region_start, region_end = part.span(1)
        for at in _places(b64decode(part[1]), wanted):
            length = region_end - region_start
            yield _entry(slot, name, start + region_start, length, "base64", at)


def _places(content: bytes, wanted: bytes) -> Iterator[int]:
    at = content.find(wanted)
    while at != -1:
        yield at
        at = content.find(wanted, at + len(wanted))


def _entry(
    slot: Slot, file: str, offset: int, length: int, encoding: str, at: int
) -> dict[str, Any]:
    return {
        "slot": slot.name,
        "file": file,
        "offset": offset,
        "length": length,
        "encoding": encoding,
        "at": at,
    }
