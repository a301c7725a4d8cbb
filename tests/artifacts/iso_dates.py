"""A finished ISO image goes in, the same image with one time in all its dates comes out.

Writers take the clock in places no argument reaches; this overwrites what they wrote.
Sources: ECMA-119 8.4, 9.1; RRIP 1.09 4.1.6; SUSP.
"""

from __future__ import annotations

from eryphc.artifacts.iso import SECTOR, record_date, volume_date

_ROOT_RECORD = 156
_CREATED, _MODIFIED, _EFFECTIVE = 813, 830, 864


class UnknownImageError(ValueError):
    """The image has structures whose times or checksums are not understood here."""


def pin_dates(image: bytes, epoch: int) -> bytes:
    """`image` with every date set to `epoch` (seconds since 1970 UTC).

    The expiry date and dates that are all zeros stay. Raises `UnknownImageError` for images with
    UDF or El Torito, and for what is no ISO 9660 image.
    """
    pinned = bytearray(image)
    short, long = record_date(epoch), volume_date(epoch)
    roots: list[tuple[int, int]] = []
    for start in range(16 * SECTOR, len(pinned), SECTOR):
        mark = bytes(pinned[start + 1 : start + 6])
        if mark != b"CD001":
            raise UnknownImageError("no ISO 9660 volume descriptor where one must be")
        kind = pinned[start]
        if kind == 255:
            break
        if kind == 0:
            raise UnknownImageError("the image has a boot record")
        if kind in {1, 2}:
            root = start + _ROOT_RECORD
            pinned[root + 18 : root + 25] = short
            for at in (_CREATED, _MODIFIED, _EFFECTIVE):
                if any(pinned[start + at : start + at + 16].strip(b"0")):
                    pinned[start + at : start + at + 17] = long
            roots.append(_extent(pinned, root))
    else:
        raise UnknownImageError("the volume descriptors do not end")
    if b"NSR0" in pinned[start : start + 8 * SECTOR]:
        raise UnknownImageError("the image has a UDF file system")
    seen: set[int] = set()
    while roots:
        first, length = roots.pop()
        if first not in seen:
            seen.add(first)
            roots.extend(_pin_directory(pinned, first, length, short, long))
    return bytes(pinned)


def _extent(image: bytearray, record: int) -> tuple[int, int]:
    """First sector and length in bytes of what the directory record at `record` names."""
    return (
        int.from_bytes(image[record + 2 : record + 6], "little"),
        int.from_bytes(image[record + 10 : record + 14], "little"),
    )


def _pin_directory(
    image: bytearray, first: int, length: int, short: bytes, long: bytes
) -> list[tuple[int, int]]:
    below: list[tuple[int, int]] = []
    at, end = first * SECTOR, first * SECTOR + length
    if end > len(image):
        raise UnknownImageError("a directory lies outside the image")
    while at < end:
        size = image[at]
        if size == 0:
            at += SECTOR - at % SECTOR
            continue
        image[at + 18 : at + 25] = short
        name_length = image[at + 32]
        name = bytes(image[at + 33 : at + 33 + name_length])
        if image[at + 25] & 2 and name not in {b"\0", b"\1"}:
            below.append(_extent(image, at))
        system_use = at + 33 + name_length + (1 - name_length % 2)
        _pin_system_use(image, system_use, at + size, short, long)
        at += size
    return below


def _pin_system_use(image: bytearray, start: int, end: int, short: bytes, long: bytes) -> None:
    areas = [(start, end)]
    seen: set[int] = set()
    while areas:
        at, end = areas.pop()
        if at in seen:
            continue
        seen.add(at)
        while at + 4 <= end:
            signature, size = bytes(image[at : at + 2]), image[at + 2]
            if size < 4 or at + size > end or signature == b"ST":
                break
            if signature == b"TF":
                flags = image[at + 4]
                stamp = long if flags & 0x80 else short
                count = (flags & 0x7F).bit_count()
                image[at + 5 : at + 5 + count * len(stamp)] = stamp * count
            elif signature == b"CE":
                sector, offset, length = (
                    int.from_bytes(image[at + field : at + field + 4], "little")
                    for field in (4, 12, 20)
                )
                begin = sector * SECTOR + offset
                areas.append((begin, min(begin + length, len(image))))
            at += size
