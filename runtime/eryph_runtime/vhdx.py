"""How large the disk in a VHDX file is, by its tables. Nothing else of the file is read.

Source: [MS-VHDX] 2.2.3 (region table) and 2.6 (metadata region).
"""

from __future__ import annotations

import struct
from typing import BinaryIO
from uuid import UUID

_REGION_TABLES = (192 * 1024, 256 * 1024)
_METADATA = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_VIRTUAL_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
_ENTRY = 32
_MOST_ENTRIES = 2047


def virtual_size(file: BinaryIO) -> int | None:
    """The bytes of the disk; None where the tables do not tell."""
    try:
        for table in _REGION_TABLES:
            region = _offset(file, table, b"regi", 8, "<I", 16, "<Q", _METADATA)
            if region is None:
                continue
            item = _offset(file, region, b"metadata", 10, "<H", 32, "<I", _VIRTUAL_SIZE)
            if item is not None:
                file.seek(region + item)
                (size,) = struct.unpack("<Q", file.read(8))
                return int(size)
    except (OSError, OverflowError, ValueError, struct.error):
        return None
    return None


def _offset(
    file: BinaryIO,
    at: int,
    signature: bytes,
    count_at: int,
    count: str,
    first: int,
    offset: str,
    wanted: bytes,
) -> int | None:
    """The offset in the entry `wanted` of the table at `at`, whose entries begin at `first`."""
    file.seek(at)
    head = file.read(_ENTRY)
    if not head.startswith(signature):
        return None
    (entries,) = struct.unpack_from(count, head, count_at)
    for number in range(min(entries, _MOST_ENTRIES)):
        file.seek(at + first + _ENTRY * number)
        entry = file.read(_ENTRY)
        if entry[:16] == wanted:
            return int(struct.unpack_from(offset, entry, 16)[0])
    return None
