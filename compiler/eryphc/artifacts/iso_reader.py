"""Reads from the bytes of an ISO 9660 image what a guest would find on it.

It shares no code with the writer and reads the two trees apart: Rock Ridge, which Linux
takes, and Joliet, which Windows takes. Root folder only.
Sources: ECMA-119 8.4, 9.1; SUSP 5; RRIP 1.09 4.1; the Joliet specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from struct import Struct
from struct import error as StructError  # noqa: N812 - its name says nothing alone
from typing import TypeAlias

from eryphc.frozen import NamedTuple

_SECTOR = 2048
_LITTLE, _BIG = Struct("<I").unpack_from, Struct(">I").unpack_from

_NameReader: TypeAlias = Callable[[bytes, bytes, bytes, int], str]


class UnreadableImageError(ValueError):
    """The bytes are not an image this can read; the text says what is wrong."""


class IsoContents(NamedTuple):
    """The labels and root files of the two trees; names are as each kind of guest sees them."""

    label: str
    joliet_label: str
    rock_ridge: Mapping[str, bytes]
    joliet: Mapping[str, bytes]


def read_iso(image: bytes) -> IsoContents:
    """Read both trees of `image`. Raises `UnreadableImageError`."""
    primary = joliet = None
    for start in range(16 * _SECTOR, len(image) - _SECTOR + 1, _SECTOR):
        descriptor = image[start : start + _SECTOR]
        if descriptor[1:6] != b"CD001":
            raise UnreadableImageError(f"sector {start // _SECTOR} is no volume descriptor")
        if descriptor[0] == 1:
            primary = descriptor
        elif descriptor[0] == 2 and descriptor[88:91] in {b"%/@", b"%/C", b"%/E"}:
            joliet = descriptor
        elif descriptor[0] == 255:
            break
    else:
        raise UnreadableImageError("the volume descriptors do not end")
    if primary is None:
        raise UnreadableImageError("there is no primary volume descriptor")
    if joliet is None:
        raise UnreadableImageError("there is no Joliet volume descriptor")
    for descriptor in (primary, joliet):
        if _number(descriptor, 80) * _SECTOR != len(image):
            raise UnreadableImageError("the image is not as long as it says")
    return IsoContents(
        label=primary[40:72].decode("ascii", "replace").rstrip(" "),
        joliet_label=joliet[40:72].decode("utf-16-be", "replace").rstrip(" "),
        rock_ridge=_files(image, primary, _rock_ridge_name),
        joliet=_files(image, joliet, _joliet_name),
    )


def difference(image: bytes, files: Mapping[str, bytes], *, label: str = "cidata") -> str | None:
    """How `image` differs from one that holds `files`, in a few words; None where it does not."""
    try:
        found = read_iso(image)
    except UnreadableImageError as error:
        return str(error)
    if found.label != label or found.joliet_label != label:
        return f"its labels are {found.label!r} and {found.joliet_label!r}"
    for tree, held in (("Rock Ridge", found.rock_ridge), ("Joliet", found.joliet)):
        if held.keys() != files.keys():
            return f"its {tree} names are {sorted(held)}"
        for name in sorted(files):
            if held[name] != files[name]:
                return f"the {tree} file {name!r} has other content"
    return None


def _number(data: bytes, at: int) -> int:
    """A number in both byte orders (ECMA-119 7.3.3)."""
    try:
        little: int = _LITTLE(data, at)[0]
        big: int = _BIG(data, at + 4)[0]
    except StructError:
        raise UnreadableImageError("a number is cut off") from None
    if little != big:
        raise UnreadableImageError("the two halves of a number differ")
    return little


def _files(image: bytes, descriptor: bytes, name_of: _NameReader) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    skip = 0
    for record in _records(image, descriptor[156:190]):
        identifier = record[33 : 33 + record[32]]
        if identifier in {b"\0", b"\1"}:
            if identifier == b"\0":
                skip = _system_use_skip(record)
            continue
        name = name_of(image, record, identifier, skip)
        if name in files:
            raise UnreadableImageError(f"the name {name!r} is there twice")
        if record[25] & 2:
            raise UnreadableImageError(f"{name!r} is a folder")
        files[name] = _content(image, record)
    return files


def _records(image: bytes, root: bytes) -> Iterator[bytes]:
    listing = _content(image, root)
    at = 0
    while at < len(listing):
        length = listing[at]
        if length == 0:
            at += _SECTOR - at % _SECTOR
            continue
        record = listing[at : at + length]
        if len(record) < max(length, 34) or length < 33 + record[32]:
            raise UnreadableImageError("a directory record is cut off")
        yield record
        at += length


def _content(image: bytes, record: bytes) -> bytes:
    start, size = _number(record, 2) * _SECTOR, _number(record, 10)
    if start + size > len(image):
        raise UnreadableImageError("a file lies outside the image")
    return image[start : start + size]


def _joliet_name(image: bytes, record: bytes, identifier: bytes, skip: int) -> str:
    del image, record, skip
    return identifier.decode("utf-16-be", "replace").removesuffix(";1")


def _system_use_skip(record: bytes) -> int:
    """How many bytes precede each system use area: what `SP` says, which also announces it."""
    system_use = record[33 + record[32] + (1 - record[32] % 2) :]
    if system_use[:2] == b"SP" and system_use[4:6] == b"\xbe\xef":
        return system_use[6]
    return 0


def _rock_ridge_name(image: bytes, record: bytes, identifier: bytes, skip: int) -> str:
    name = b""
    area = record[33 + record[32] + (1 - record[32] % 2) + skip :]
    for _ in range(100):
        continued: bytes | None = None
        at = 0
        while at + 4 <= len(area) and area[at + 2] >= 4:
            entry = area[at : at + area[at + 2]]
            if entry[:2] == b"NM":
                name += entry[5:]
            elif entry[:2] == b"CE":
                start = _number(entry, 4) * _SECTOR + _number(entry, 12)
                continued = image[start : start + _number(entry, 20)]
            at += len(entry)
        if continued is None:
            break
        area = continued
    if not name:
        raise UnreadableImageError(f"the file {identifier!r} has no Rock Ridge name")
    return name.decode("utf-8", "replace")
