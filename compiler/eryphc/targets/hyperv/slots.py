"""Open places: values that only the deployment knows, as stand-ins in the compiled image.

A stand-in has the length of the value. Where it lies in the finished image goes into the
deployment as relocations. Source: docs/reference/deployment.md, "A seed".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eryph_runtime import deployment
from eryphc.diagnostics.said import Words
from eryphc.guest.encode import Encoded
from eryphc.targets.seeds import SeedImage

VM_ID = "vmId"
VM_ID_LENGTH = 36
SHORTEST_SLOT = 8
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`text` stands in the image until the value of `name` is known; `said` is the name inside a
    message."""

    name: str
    said: Words
    kind: deployment.SlotKind
    text: str

    def document(self) -> deployment.Slot:
        """The slot as the deployment has it: without its stand-in."""
        return deployment.Slot(
            name=self.name,
            kind=self.kind,
            length=len(self.text),
            description=None,
        )


def stand_in(name: str, length: int, texts: Sequence[str]) -> str:
    """A text of `length` that occurs nowhere in `texts`; the same for the same input."""
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
    image: SeedImage, name: str, content: Encoded, slots: Iterable[Slot]
) -> tuple[deployment.Relocation, ...]:
    """Every place of every slot in the file `name` of the image, whose `content` knows them."""
    names = {slot.text: slot.name for slot in slots}
    start = image.offsets[name]
    found = [
        deployment.Relocation(
            slot=names[place.slot],
            file=name,
            offset=start + place.offset,
            length=place.length,
            encoding=deployment.Encoding(place.encoding),
            at=place.at,
        )
        for place in content.slots
    ]
    return tuple(sorted(found, key=lambda place: (place.offset, place.at, place.slot)))
