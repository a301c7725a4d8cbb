"""What makes an image the same every time: keys, checksums, footers and geometry."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.volumes.identity import (
    close_fixed_vhd,
    conversion_key,
    crc32c,
    geometry,
    image_version,
    vhd_identifier,
    whole_mib,
)
from volumes.images import MIB, needs_qemu_img, qemu_img

GIB = 1024 * MIB
SHA = "ab" * 32


def test_crc32c_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (20 * MIB, (602, 4, 17)),
        (GIB, (2080, 16, 63)),
        (30 * GIB, (62415, 16, 63)),
        (127 * GIB, (65278, 16, 255)),
        (128 * GIB, (65535, 16, 255)),
    ],
)
def test_geometry(size: int, expected: tuple[int, int, int]) -> None:
    assert geometry(size) == expected


@given(st.integers(0, 65535 * 16 * 255 * 512 + GIB))
def test_geometry_is_that_of_the_format_paper(size: int) -> None:
    assert geometry(size) == paper_geometry(size // 512)


def paper_geometry(total: int) -> tuple[int, int, int]:
    """The appendix of Microsoft's paper, line for line."""
    if total > 65535 * 16 * 255:
        total = 65535 * 16 * 255
    if total >= 65535 * 16 * 63:
        sectors, heads = 255, 16
        cylinder_times_heads = total // sectors
    else:
        sectors = 17
        cylinder_times_heads = total // sectors
        heads = (cylinder_times_heads + 1023) // 1024
        heads = max(heads, 4)
        if cylinder_times_heads >= heads * 1024 or heads > 16:
            sectors, heads = 31, 16
            cylinder_times_heads = total // sectors
        if cylinder_times_heads >= heads * 1024:
            sectors, heads = 63, 16
            cylinder_times_heads = total // sectors
    return cylinder_times_heads // heads, heads, sectors


# The last whole MiB before the geometry takes another form, and the first one of that form.
EDGES = {
    "the least": 1,
    "17 sectors a track": 33,
    "four heads are full": 34,
    "17 sectors again": 35,
    "17 sectors at last": 135,
    "16 heads are full": 137,
    "31 sectors at last": 247,
    "63 sectors": 248,
    "63 sectors at last": 32255,
    "255 sectors": 32256,
    "255 sectors at last": 130558,
    "the most that geometry says": 130559,
    "the most that qemu-img takes": 2040 * 1024,
    "2 TiB": 2048 * 1024,
    "4 TiB": 4096 * 1024,
}


@pytest.mark.parametrize("mib", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("more", [0, -512, 512 - MIB], ids=["whole", "a sector less", "a sector"])
def test_a_footer(tmp_path: Path, mib: int, more: int) -> None:
    """The file is sparse, so its size costs nothing."""
    path = sparse_disk(tmp_path, mib * MIB + more)
    size = mib * MIB
    assert close_fixed_vhd(path, SHA) == size == whole_mib(size + more)
    assert path.stat().st_size == size + 512
    found = footer_of(path)
    key = conversion_key(SHA, size)
    assert found == {
        "cookie": b"conectix",
        "features": 2,
        "version": 0x10000,
        "data offset": 2**64 - 1,
        "time": 0,
        "creator": b"win ",
        "creator version": 0xA0000,
        "host": b"Wi2k",
        "original size": size,
        "current size": size,
        "geometry": paper_geometry(size // 512),
        "type": 2,
        "id": vhd_identifier(key),
        "rest": bytes(428),
    }


@needs_qemu_img
@pytest.mark.integration
@pytest.mark.parametrize("mib", [mib for mib in EDGES.values() if mib <= 2040 * 1024])
def test_qemu_reads_the_size_and_the_geometry(tmp_path: Path, mib: int) -> None:
    path = sparse_disk(tmp_path, mib * MIB)
    size = close_fixed_vhd(path, SHA)
    assert read_by_qemu(path) == size
    # QEMU takes the size of this creator from the geometry, unless that is the largest there is.
    cylinders, heads, sectors = geometry(size)
    with path.open("r+b") as file:
        file.seek(size)
        footer = bytearray(file.read())
        footer[28:32] = b"vpc "
        footer[64:68] = bytes(4)
        footer[64:68] = struct.pack(">I", ~sum(footer) & 0xFFFFFFFF)
        file.seek(size)
        file.write(footer)
    largest = (cylinders, heads, sectors) == (65535, 16, 255)
    assert read_by_qemu(path) == (size if largest else cylinders * heads * sectors * 512)


@needs_qemu_img
@pytest.mark.integration
@pytest.mark.parametrize("mib", [mib for mib in EDGES.values() if 1 < mib < 130558])
def test_qemu_writes_the_same_geometry(tmp_path: Path, mib: int) -> None:
    """QEMU rounds up to the first size that a geometry says, and calculates it by itself."""
    total = mib * MIB // 512
    counts = (geometry(sectors * 512) for sectors in range(total, total + 100_000))
    expected = next(each for each in counts if math.prod(each) >= total)
    path = tmp_path / "disk.vhd"
    words = ("-o", "subformat=fixed", path, str(total * 512))
    qemu_img("create", "-q", "-f", "vpc", *words)
    found = footer_of(path)
    assert (found["current size"], found["geometry"]) == (math.prod(expected) * 512, expected)


def sparse_disk(folder: Path, size: int) -> Path:
    path = folder / "disk.vhd"
    with path.open("wb") as file:
        file.truncate(size)
    return path


def read_by_qemu(path: Path) -> int:
    said = json.loads(qemu_img("info", "--output=json", "-f", "vpc", path))
    return int(said["virtual-size"])


def footer_of(path: Path) -> dict[str, object]:
    """The last sector, read by the table of the format paper; its checksum is verified."""
    with path.open("rb") as file:
        file.seek(-512, 2)
        footer = file.read()
    (checksum,) = struct.unpack(">I", footer[64:68])
    rest = sum(byte for at, byte in enumerate(footer) if not 64 <= at < 68)
    assert checksum == 0xFFFFFFFF - rest
    numbers = struct.unpack(">8sIIQI4sI4sQQHBBI", footer[:64])
    names = (
        *("cookie", "features", "version", "data offset", "time"),
        *("creator", "creator version", "host", "original size", "current size"),
    )
    return {
        **dict(zip(names, numbers, strict=False)),
        "geometry": numbers[10:13],
        "type": numbers[13],
        "id": UUID(bytes=footer[68:84]),
        "rest": footer[84:],
    }


def test_a_key_and_what_follows_from_it() -> None:
    text = b"eryphc volume conversion 1\0vhd\0" + SHA.encode() + b"\0" + b"1048576"
    key = conversion_key(SHA, MIB)
    assert key == hashlib.sha256(text).hexdigest() == conversion_key(SHA.upper(), MIB)
    identifier = vhd_identifier(key)
    assert (identifier.version, identifier.variant) == (5, "specified in RFC 4122")
    expected = bytearray.fromhex(key[:32])
    assert identifier.bytes[:6] == expected[:6]
    assert identifier.bytes[9:] == expected[9:]
    assert key != conversion_key(SHA, 2 * MIB)


@given(st.binary(min_size=32, max_size=32))
def test_a_version_is_three_signed_numbers(key: bytes) -> None:
    first, second, third = (int(part) for part in image_version(key.hex()).split("."))
    assert first == 1
    assert 0 <= second < 2**31
    assert 0 <= third < 2**31
    bits = f"{int.from_bytes(key):0256b}"
    assert (f"{second:031b}", f"{third:031b}") == (bits[:31], bits[32:63])


def test_a_version_of_the_highest_and_the_lowest_key() -> None:
    assert image_version("f" * 64) == "1.2147483647.2147483647"
    assert image_version("0" * 64) == "1.0.0"


@pytest.mark.parametrize(
    ("size", "expected"), [(0, 0), (1, MIB), (MIB - 1, MIB), (MIB, MIB), (MIB + 1, 2 * MIB)]
)
def test_whole_mib(size: int, expected: int) -> None:
    assert whole_mib(size) == expected
