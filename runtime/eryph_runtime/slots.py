"""Fills the open slots of a seed ISO with values; its length does not change.

Source: docs/reference/deployment.md, "A seed".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping

from eryph_runtime.deployment import Encoding, Relocation, Seed, Slot, SlotKind

_VALUE = re.compile(r"[A-Za-z0-9\-._~+/=]+")
_LINE_ENDS = b"\r\n"


class SlotError(ValueError):
    """A value that does not fit, or an ISO that is not the one of the document."""


def value_fault(slot: Slot, value: str) -> str | None:
    """Why `value` cannot fill `slot`. The text never holds the value: it counts as secret."""
    if len(value) != slot.length:
        return f"`{slot.name}` must have exactly {slot.length} characters, not {len(value)}"
    if not _VALUE.fullmatch(value):
        return f"`{slot.name}` may hold only letters, digits and -._~+/="
    return None


def patch(seed: Seed, iso: bytes, machine: str, values: Mapping[str, str]) -> bytes:
    """The ISO with every slot filled: `machine` is the machine's id, `values` the rest.

    Raises SlotError for an ISO that is not `seed`'s, a missing value, or one that does not fit.
    """
    if len(iso) != seed.size or hashlib.sha256(iso).hexdigest() != seed.sha256:
        raise SlotError(
            f"`{seed.file}` is not the file that was built with this deployment: build again, or "
            "copy the whole folder again"
        )
    filled = {}
    for slot in seed.slots:
        if slot.kind is SlotKind.VALUE and slot.name not in values:
            raise SlotError(f"no value for the open slot `{slot.name}`")
        filled[slot.name] = machine.lower() if slot.kind is SlotKind.VM_ID else values[slot.name]
        if fault := value_fault(slot, filled[slot.name]):
            raise SlotError(fault)
    result = bytearray(iso)
    for relocation in seed.relocations:
        _fill(result, relocation, filled[relocation.slot].encode("ascii"))
    return bytes(result)


def _fill(image: bytearray, relocation: Relocation, value: bytes) -> None:
    start, end = relocation.offset, relocation.offset + relocation.length
    if relocation.encoding is Encoding.PLAIN:
        image[start:end] = value
        return
    region = image[start:end]
    try:
        content = bytearray(base64.b64decode(region.translate(None, _LINE_ENDS), validate=True))
    except binascii.Error:
        raise SlotError(f"`{relocation.file}` holds no base64 where a slot should be") from None
    if relocation.at + len(value) > len(content):
        raise SlotError(f"a slot of `{relocation.file}` lies outside its part")
    content[relocation.at : relocation.at + len(value)] = value
    # Characters go into the places of the old ones, so that the line breaks stay where they are.
    fresh = iter(base64.b64encode(bytes(content)))
    for index, old in enumerate(region):
        if old not in _LINE_ENDS:
            region[index] = next(fresh)
    image[start:end] = region
