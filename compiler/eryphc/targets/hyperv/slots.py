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

from eryph_runtime import deployment

VM_ID = "vmId"
VM_ID_LENGTH = 36
SHORTEST_SLOT = 8
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_MULTIPART = re.compile(
    rb'MIME-Version: 1\.0\nContent-Type: multipart/mixed; boundary="([^"\n]+)"\n\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`text` stands in the image until the value of `name` is known."""

    name: str
    kind: deployment.SlotKind
    text: str
    description: str | None = None

    def document(self) -> deployment.Slot:
        """The slot as the deployment has it: without its stand-in."""
        return deployment.Slot(
            name=self.name,
            kind=self.kind,
            length=len(self.text),
            description=self.description,
        )


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
) -> tuple[deployment.Relocation, ...]:
    """Every place of every slot in `image`, which holds `files` as they are, without gaps."""
    slots = tuple(slots)
    found: list[deployment.Relocation] = []
    for name, content in files.items():
        regions = [
            region
            for region in _regions(content)
            if any(slot.text.encode("ascii") in region.text for slot in slots)
        ]
        if not regions:
            continue
        start = image.find(content)
        for region in regions:
            for slot in slots:
                wanted = slot.text.encode("ascii")
                found += [
                    _relocation(slot, name, start, region, at) for at in places(region.text, wanted)
                ]
    return tuple(sorted(found, key=lambda place: (place.offset, place.at, place.slot)))


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of a file: its text as a guest reads it. Base64 where `length` is not None."""

    text: bytes
    offset: int
    length: int | None


def _regions(content: bytes) -> Iterator[_Region]:
    """The texts that a file of a seed holds: itself, or its parts where it is multipart.

    A multipart is one that `guest` wrote: all of its parts are base64.
    """
    head = _MULTIPART.match(content)
    if head is None:
        yield _Region(content, 0, None)
        return
    mark = b"--" + head[1]
    at = content.find(mark + b"\n")
    while at != -1:
        begin = content.find(b"\n\n", at) + 2
        end = content.find(mark, begin)
        yield _Region(b64decode(content[begin:end]), begin, end - begin)
        at = content.find(mark + b"\n", end)


def places(content: bytes, wanted: bytes) -> Iterator[int]:
    """Where `wanted` stands in `content`."""
    at = content.find(wanted)
    while at != -1:
        yield at
        at = content.find(wanted, at + len(wanted))


def _relocation(
    slot: Slot, file: str, start: int, region: _Region, at: int
) -> deployment.Relocation:
    if region.length is None:
        return deployment.Relocation(
            slot=slot.name,
            file=file,
            offset=start + region.offset + at,
            length=len(slot.text),
            encoding=deployment.Encoding.PLAIN,
            at=0,
        )
    return deployment.Relocation(
        slot=slot.name,
        file=file,
        offset=start + region.offset,
        length=region.length,
        encoding=deployment.Encoding.BASE64,
        at=at,
    )


def outside_of_text(content: bytes, slots: Iterable[Slot], *, text: bool) -> tuple[Slot, ...]:
    """The slots that stand in a file outside of its `text`: in headers, or where it has none."""
    bare = bytearray(content)
    for region in _regions(content) if text else ():
        length = len(region.text) if region.length is None else region.length
        bare[region.offset : region.offset + length] = bytes(length)
    return tuple(slot for slot in slots if slot.text.encode("ascii") in bare)
