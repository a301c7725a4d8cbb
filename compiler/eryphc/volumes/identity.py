"""What a converter makes up at random, replaced by what follows from the content.

QEMU writes new ids into every file, so that two conversions of one image differ. A deployment names
a disk by its hash: the same image has to give the same file on every machine.
Sources: [MS-VHDX] 2.1, 2.2.2 and 2.3; Microsoft's VHD format paper 1.0;
docs/reference/reproducible-builds.md, "Disk images".
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Final
from uuid import UUID

from eryphc.volumes.headers import SECTOR, vhd_checksum, vhdx_places

MIB: Final = 1024 * 1024
# Part of every id: raised when the same source gives another file than before.
_CONVERSION: Final = "eryphc volume conversion 1"
_CREATOR: Final = "eryphc".encode("utf-16-le").ljust(512, b"\0")
_HEADER_LENGTH: Final = 4096
_LONGEST_LOG: Final = 64 * MIB


def derived_id(purpose: str, sha256: str, virtual_size: int) -> UUID:
    """The id of a converted disk: of the hash of its source and its size."""
    return _uuid(_key(purpose, sha256, virtual_size))


def conversion_key(source_sha256: str, size: int) -> str:
    """The SHA-256, as hex digits, that names the VHD made of an image; its other names follow.

    `size` is that of the disk in the VHD (`whole_mib`). No name and no time goes in, so two drives
    of one image have one VHD.
    """
    return _key("vhd", source_sha256.lower(), size).hex()


def vhd_identifier(key: str) -> UUID:
    """The unique id in the footer of the VHD with this key."""
    return _uuid(bytes.fromhex(key))


def image_version(key: str) -> str:
    """The key as a version of three numbers, each of which fits a signed number of 32 bits."""
    first, second = struct.unpack(">II", bytes.fromhex(key)[:8])
    return f"1.{first >> 1}.{second >> 1}"


def whole_mib(size: int) -> int:
    """The bytes of the disk in the VHD that is made of a disk of `size` bytes."""
    return (size + MIB - 1) // MIB * MIB


def _key(purpose: str, sha256: str, virtual_size: int) -> bytes:
    text = "\0".join((_CONVERSION, purpose, sha256, str(virtual_size)))
    return hashlib.sha256(text.encode()).digest()


def _uuid(key: bytes) -> UUID:
    digest = bytearray(key[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def settle_vhdx(path: Path, sha256: str, virtual_size: int) -> None:
    """Give a VHDX that was just written and closed the ids that follow from its source."""
    with path.open("r+b") as file:
        headers, disk_id = vhdx_places(file)
        if disk_id is None:
            raise ValueError("its VHDX metadata is damaged")
        file.seek(disk_id)
        file.write(derived_id("disk", sha256, virtual_size).bytes_le)
        file.seek(8)
        file.write(_CREATOR)
        for number, at in enumerate(headers, start=1):
            file.seek(at)
            head = bytearray(file.read(_HEADER_LENGTH))
            log_length, log_at = struct.unpack_from("<IQ", head, 68)
            if head[:4] != b"head" or any(head[48:64]) or log_length > _LONGEST_LOG:
                raise ValueError("it was not closed cleanly")
            struct.pack_into("<Q", head, 8, number)
            head[16:32] = derived_id("file", sha256, virtual_size).bytes_le
            head[32:48] = derived_id("data", sha256, virtual_size).bytes_le
            struct.pack_into("<I", head, 4, 0)
            struct.pack_into("<I", head, 4, crc32c(bytes(head)))
            file.seek(at)
            file.write(head)
            # What is left in the log of a file that was closed means nothing, and differs.
            file.seek(log_at)
            file.write(bytes(log_length))


def close_fixed_vhd(path: Path, sha256: str) -> int:
    """Make a raw disk a fixed VHD: zeros up to a whole MiB, then the footer. Gives its size.

    Azure takes whole MiB only. The footer is written last, so that no half of a disk has one.
    """
    size = whole_mib(path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(vhd_footer(size, derived_id("vhd", sha256, size)))
    return size


def vhd_footer(size: int, identifier: UUID) -> bytes:
    """The last sector of a fixed VHD whose disk has `size` bytes."""
    cylinders, heads, sectors = geometry(size)
    footer = bytearray(SECTOR)
    # The creator says how QEMU reads the size: `win ` is taken at its word, others by geometry.
    struct.pack_into(
        ">8sIIQI4sI4sQQHBBI",
        footer,
        0,
        *(b"conectix", 2, 0x00010000, 0xFFFFFFFFFFFFFFFF, 0, b"win ", 0x000A0000, b"Wi2k"),
        *(size, size, cylinders, heads, sectors, 2),
    )
    footer[68:84] = identifier.bytes
    struct.pack_into(">I", footer, 64, vhd_checksum(bytes(footer)))
    return bytes(footer)


def geometry(size: int) -> tuple[int, int, int]:
    """Cylinders, heads and sectors of a disk of `size` bytes, by the rule of the format paper."""
    total = min(size // SECTOR, 65535 * 16 * 255)
    if total >= 65535 * 16 * 63:
        return total // 255 // 16, 16, 255
    tracks = total // 17
    sectors, heads = 17, max((tracks + 1023) // 1024, 4)
    if tracks >= heads * 1024 or heads > 16:
        sectors, heads = 31, 16
        tracks = total // 31
        if tracks >= heads * 1024:
            sectors = 63
            tracks = total // 63
    return tracks // heads, heads, sectors


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum of VHDX headers."""
    table = _crc_table()
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
