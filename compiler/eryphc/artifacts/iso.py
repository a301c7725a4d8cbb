"""Makes an ISO 9660 image of the files of a seed.

The image is the same, byte for byte, as the one that pycdlib makes; tests/artifacts/test_iso.py
compares the two. This module exists because importing pycdlib takes three empty Python starts.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from functools import lru_cache

from eryphc.frozen import NamedTuple

SECTOR = 2048
LARGEST_FILE = 0xFFFF_FFFF
"""An extent's length is a 32-bit number; files of several extents are not written."""

LONGEST_NAME = 64
"""What Joliet allows; a Rock Ridge name of this length also fits one directory record."""

_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_APPLICATION = "eryphc"
_DIRECTORY_MODE = 0o040555
_FILE_MODE = 0o100444
_NAME_AT = 33
_EXTENSION = (
    b"ER\xed\x01\x0a\x54\x87\x01RRIP_1991A"
    b"THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS"
    b"PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  "
    b"SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION."
)
"""The text by which RRIP 1.09 asks to be announced (section 4.3)."""

# The path tables of a tree, little and big endian, take two sectors each; the first folder follows.
_PRIMARY_TABLES = 20
_JOLIET_TABLES = 24
_FIRST_DIRECTORY = 28


class IsoError(ValueError):
    """These files, this label or this time cannot be written; the text says why."""


class Image(NamedTuple):
    """An image, and the offset of each of its files in it (0 for an empty file)."""

    content: bytes
    offsets: Mapping[str, int]

    def __repr__(self) -> str:
        # What is printed ends in logs, and an image may hold secrets.
        return f"Image({len(self.content)} bytes)"


def nocloud_image(files: Mapping[str, bytes], *, label: str = "cidata", epoch: int) -> Image:
    """An image with `files` in its root: ISO 9660 level 3, Joliet 3, Rock Ridge 1.09.

    `epoch` is every time in it, in seconds since 1970 UTC. Names are 1 to 64 characters of
    `A-Z a-z 0-9 - _ .`, none equal to another without regard to case. Raises `IsoError`.
    Sources: ECMA-119; the Joliet specification; RRIP 1.09;
    docs/reference/reproducible-builds.md, "ISO images".
    """
    refuse_unwritable(files, label)
    names = sorted(files)
    names_of = _names(tuple(names), epoch)
    date, here, there = names_of.date, names_of.iso_root, names_of.joliet_root
    places: list[tuple[int, int]] = []
    free = names_of.extension + 1
    for name in names:
        size = len(files[name])
        places.append((free if size else 0, size))
        free += -(-size // SECTOR)
    if free > LARGEST_FILE:
        raise IsoError("the files are larger than an ISO 9660 image can be")

    iso_records, joliet_records = list(names_of.iso_folders), list(names_of.joliet_folders)
    for place, short, attributes, wide in zip(
        places, names_of.short, names_of.attributes, names_of.wide, strict=True
    ):
        iso_records.append(_record(short, place, date, 0, attributes))
        joliet_records.append(_record(wide, place, date, 0))

    chunks = [
        _head(names_of, label, free, epoch),
        _directory(iso_records, here[1]),
        _directory(joliet_records, there[1]),
        _EXTENSION.ljust(SECTOR, b"\0"),
    ]
    for name in names:
        content = files[name]
        chunks.append(content)
        chunks.append(bytes(-len(content) % SECTOR))
    offsets = {name: sector * SECTOR for name, (sector, _) in zip(names, places, strict=True)}
    return Image(b"".join(chunks), offsets)


class _Names(NamedTuple):
    """What an image with these names in its root is but for the files' places.

    `iso_root` and `joliet_root` are the two folders, by first sector and size in bytes.
    """

    date: bytes
    short: tuple[bytes, ...]
    attributes: tuple[bytes, ...]
    wide: tuple[bytes, ...]
    iso_root: tuple[int, int]
    joliet_root: tuple[int, int]
    extension: int
    iso_folders: tuple[bytes, bytes]
    joliet_folders: tuple[bytes, bytes]


@lru_cache(maxsize=8)
def _names(names: tuple[str, ...], epoch: int) -> _Names:
    date = record_date(epoch)
    width = max(3, len(str(len(names) - 1)))
    short = [f"F{index:0{width}d}.;1".encode("ascii") for index in range(len(names))]

    stamps = b"TF\x1a\x01\x0e" + date * 3
    attributes = [_rock_ridge_name(name) + _posix(_FILE_MODE, 1) + stamps for name in names]
    wide = [name.encode("utf-16-be") for name in names]
    directory = b"RR\x05\x01\x81" + _posix(_DIRECTORY_MODE, 2) + stamps
    itself = b"SP\x07\x01\xbe\xef\x00" + directory

    iso_length = _directory_length(
        34 + len(itself) + 28,
        34 + len(directory),
        *[_NAME_AT + _odd(width + 4) + len(more) for more in attributes],
    )
    joliet_length = _directory_length(34, 34, *[_NAME_AT + _odd(len(name)) for name in wide])
    here = (_FIRST_DIRECTORY, iso_length)
    there = (here[0] + iso_length // SECTOR, joliet_length)
    extension = there[0] + joliet_length // SECTOR
    continued = b"CE\x1c\x01" + _both32(extension) + _both32(0) + _both32(len(_EXTENSION))
    return _Names(
        date=date,
        short=tuple(short),
        attributes=tuple(attributes),
        wide=tuple(wide),
        iso_root=here,
        joliet_root=there,
        extension=extension,
        iso_folders=(
            _record(b"\0", here, date, 2, itself + continued),
            _record(b"\1", here, date, 2, directory),
        ),
        joliet_folders=(_record(b"\0", there, date, 2), _record(b"\1", there, date, 2)),
    )


@lru_cache(maxsize=8)
def _head(names: _Names, label: str, sectors: int, epoch: int) -> bytes:
    """All before the folders: images of as many sectors with the same names share it."""
    here, there = names.iso_root, names.joliet_root
    chunks = [
        bytes(16 * SECTOR),
        _descriptor(1, label, sectors, _PRIMARY_TABLES, _record(b"\0", here, names.date, 2), epoch),
        _descriptor(2, label, sectors, _JOLIET_TABLES, _record(b"\0", there, names.date, 2), epoch),
        b"\xffCD001\x01".ljust(2 * SECTOR, b"\0"),
    ]
    for root, _ in (here, there):
        chunks.append(struct.pack("<BBIHH", 1, 0, root, 1, 0).ljust(2 * SECTOR, b"\0"))
        chunks.append(struct.pack(">BBIHH", 1, 0, root, 1, 0).ljust(2 * SECTOR, b"\0"))
    return b"".join(chunks)


def refuse_unwritable(files: Mapping[str, bytes], label: str) -> None:
    """Raise `IsoError` for names, sizes and labels that no such image can hold."""
    if not 1 <= len(label) <= 16 or not _LETTERS.issuperset(label):
        raise IsoError(f"the label {label!r} is not 1 to 16 characters of A-Z a-z 0-9 - _ .")
    seen: set[str] = set()
    for name in sorted(files):
        if not 1 <= len(name) <= LONGEST_NAME or not _LETTERS.issuperset(name):
            raise IsoError(
                f"the name {name!r} is not 1 to {LONGEST_NAME} characters of A-Z a-z 0-9 - _ ."
            )
        if name in {".", ".."}:
            raise IsoError(f"the name {name!r} stands for a folder")
        if name.lower() in seen:
            raise IsoError(f"the name {name!r} differs from another only in its case")
        seen.add(name.lower())
        if len(files[name]) > LARGEST_FILE:
            raise IsoError(f"the file {name!r} is 4 GiB or larger")


def record_date(epoch: int) -> bytes:
    """`epoch` as the seven bytes of a directory record (ECMA-119 9.1.5), in UTC."""
    moment = time.gmtime(epoch)
    if not 1900 <= moment.tm_year <= 2155:
        raise IsoError("an ISO 9660 image holds times from 1900 to 2155")
    return bytes((moment.tm_year - 1900, *moment[1:6], 0))


def volume_date(epoch: int) -> bytes:
    """`epoch` as the seventeen bytes of a volume descriptor (ECMA-119 8.4.26.1), in UTC."""
    moment = time.gmtime(epoch)
    return b"%04d%02d%02d%02d%02d%02d00\0" % moment[:6]


def _both16(value: int) -> bytes:
    return struct.pack("<H", value) + struct.pack(">H", value)


def _both32(value: int) -> bytes:
    return struct.pack("<I", value) + struct.pack(">I", value)


def _record(
    name: bytes, place: tuple[int, int], date: bytes, flags: int, more: bytes = b""
) -> bytes:
    """A directory record (ECMA-119 9.1); `place` is the first sector and the size in bytes."""
    pad = b"" if len(name) % 2 else b"\0"
    length = _NAME_AT + len(name) + len(pad) + len(more)
    end = b"\0" if length % 2 else b""
    return b"".join(
        (
            bytes((length + len(end), 0)),
            _both32(place[0]),
            _both32(place[1]),
            date,
            bytes((flags, 0, 0)),
            b"\x01\0\0\x01",
            bytes((len(name),)),
            name,
            pad,
            more,
            end,
        )
    )


def _posix(mode: int, links: int) -> bytes:
    """RRIP 1.09 4.1.1; user and group are 0."""
    return b"PX\x24\x01" + _both32(mode) + _both32(links) + bytes(16)


def _rock_ridge_name(name: str) -> bytes:
    text = name.encode("ascii")
    return b"RR\x05\x01\x89" + b"NM" + bytes((5 + len(text), 1, 0)) + text


def _odd(length: int) -> int:
    """A name's length with its pad byte: what follows it begins at an even place."""
    return length + 1 - length % 2


def _directory_length(*records: int) -> int:
    """Bytes of a directory, whole sectors: a record never crosses the end of one."""
    sectors, used = 1, 0
    for length in records:
        even = length + length % 2
        if used + even > SECTOR:
            sectors, used = sectors + 1, 0
        used += even
    return sectors * SECTOR


def _directory(records: list[bytes], length: int) -> bytes:
    chunks: list[bytes] = []
    used = 0
    for record in records:
        if used + len(record) > SECTOR:
            chunks.append(bytes(SECTOR - used))
            used = 0
        chunks.append(record)
        used += len(record)
    return b"".join(chunks).ljust(length, b"\0")


def _descriptor(
    kind: int, label: str, sectors: int, path_table: int, root: bytes, epoch: int
) -> bytes:
    """A primary (1) or Joliet (2) volume descriptor (ECMA-119 8.4 and 8.5)."""
    wide = kind == 2

    def text(value: str, length: int) -> bytes:
        if not wide:
            return value.encode("ascii").ljust(length)
        return value.encode("utf-16-be") + b"\0 " * (length // 2 - len(value))

    date = volume_date(epoch)
    # The three file identifiers are 37 bytes: an odd number, so Joliet ends with a zero byte.
    no_file = text("", 37).ljust(37, b"\0")
    chunks = (
        bytes((kind,)) + b"CD001\x01\0",
        text("", 32),
        text(label, 32),
        bytes(8),
        _both32(sectors),
        (b"%/E" if wide else b"").ljust(32, b"\0"),
        _both16(1),
        _both16(1),
        _both16(SECTOR),
        _both32(10),
        struct.pack("<II", path_table, 0),
        struct.pack(">II", path_table + 2, 0),
        root,
        text("", 128),
        text("", 128),
        text("", 128),
        text(_APPLICATION, 128),
        no_file * 3,
        date,
        date,
        b"0" * 16 + b"\0",
        date,
        b"\x01\0",
        b" " * 512,
    )
    return b"".join(chunks).ljust(SECTOR, b"\0")
