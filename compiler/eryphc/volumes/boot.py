"""What can start a machine from a disk, by the partition tables in its first sectors.

A guest or a stranger wrote these tables. So what is read is bounded, and a damaged table says
nothing instead of something wrong.
Sources: the UEFI specification 2.10, "MBR Disk Layout" and "GPT Disk Layout",
https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html; the GRUB manual, "BIOS
installation", https://www.gnu.org/software/grub/manual/grub/html_node/BIOS-installation.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final
from uuid import UUID
from zlib import crc32

from eryphc.ir.volume import Firmware

_SECTOR: Final = 512
_CODE: Final = 440
_PROTECTIVE, _EFI_SYSTEM = 0xEE, 0xEF
_EFI_SYSTEM_PARTITION: Final = UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b").bytes_le
_BIOS_BOOT_PARTITION: Final = UUID("21686148-6449-6e6f-744e-656564454649").bytes_le
_LEGACY_BOOT: Final = 1 << 2
_HEADER: Final = struct.Struct("<8s4xII4xQ24x16xQIII")
_ENTRY: Final = struct.Struct("<16s16sQQQ")
# The usual table has 128 entries of 128 bytes.
_LONGEST_TABLE: Final = 1024 * 1024


def firmware_of(file: BinaryIO, size: int) -> frozenset[Firmware] | None:
    """What can start a machine from the raw disk of `size` bytes at the beginning of `file`.

    None where that cannot be told. A BIOS starts a disk that has boot code and a partition, and on
    a GPT disk a partition meant for it. UEFI starts a disk that has an EFI system partition.
    """
    file.seek(0)
    first = file.read(_SECTOR)
    if len(first) < _SECTOR or first[510:] != b"\x55\xaa":
        return frozenset()
    entries = [struct.unpack_from("<BxxxBxxxII", first, 446 + 16 * n) for n in range(4)]
    used = [(kind, at, count) for _, kind, at, count in entries if kind]
    sectors = size // _SECTOR
    if not used or any(status not in (0, 0x80) for status, *_ in entries):
        # A file system that fills the disk looks like this. A BIOS may start it.
        return None
    has_code = any(first[:_CODE])
    if any(kind == _PROTECTIVE for kind, *_ in used):
        partitions = _gpt(file, sectors)
        if partitions is None:
            return None
        meant_for_bios = any(
            kind == _BIOS_BOOT_PARTITION or flags & _LEGACY_BOOT for kind, flags in partitions
        )
        for_uefi = any(kind == _EFI_SYSTEM_PARTITION for kind, _ in partitions)
    elif any(not at or at + count > sectors for _, at, count in used):
        return None
    else:
        meant_for_bios = True
        for_uefi = any(kind == _EFI_SYSTEM for kind, *_ in used)
    found = {Firmware.BIOS: has_code and meant_for_bios, Firmware.UEFI: for_uefi}
    return frozenset(firmware for firmware, starts in found.items() if starts)


def _gpt(file: BinaryIO, sectors: int) -> list[tuple[bytes, int]] | None:
    """Type and attributes of each partition; None where the table is damaged."""
    file.seek(_SECTOR)
    sector = file.read(_SECTOR)
    if len(sector) < _SECTOR:
        return None
    signature, length, checksum, own, table_at, count, entry_length, wanted = _HEADER.unpack_from(
        sector
    )
    if signature != b"EFI PART" or own != 1 or not _HEADER.size <= length <= _SECTOR:
        return None
    if crc32(sector[:16] + bytes(4) + sector[20:length]) != checksum:
        return None
    if not entry_length or entry_length % 128 or not 2 <= table_at < sectors:
        return None
    if count * entry_length > _LONGEST_TABLE:
        return None
    file.seek(table_at * _SECTOR)
    table = file.read(count * entry_length)
    if len(table) < count * entry_length or crc32(table) != wanted:
        return None
    return list(_partitions(table, entry_length, sectors))


def _partitions(table: bytes, entry_length: int, sectors: int) -> Iterator[tuple[bytes, int]]:
    for at in range(0, len(table), entry_length):
        kind, _, first, last, flags = _ENTRY.unpack_from(table, at)
        if any(kind) and first <= last < sectors:
            yield kind, flags
