"""What starts a machine, by partition tables: real ones, damaged ones and hostile ones."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.ir.volume import Firmware
from eryphc.volumes.boot import firmware_of
from volumes.images import MIB

SIZE = 64 * MIB
SECTORS = SIZE // 512
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
NOTHING: frozenset[Firmware] = frozenset()
BIOS = frozenset({Firmware.BIOS})
UEFI = frozenset({Firmware.UEFI})
BOTH = BIOS | UEFI


def mbr(*kinds: int, code: bool = True, at: int = 2048, count: int = 4096) -> bytes:
    sector = bytearray(512)
    if code:
        sector[:4] = b"\xeb\x63\x90\x10"
    for number, kind in enumerate(kinds):
        struct.pack_into("<BxxxBxxxII", sector, 446 + 16 * number, 0x80, kind, at, count)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def gpt(
    *partitions: tuple[str, int],
    code: bool = True,
    count: int = 128,
    length: int = 128,
    first: int = 2048,
    last: int = 4095,
    head: tuple[int, bytes] | None = None,
) -> bytes:
    """A disk up to the end of its table. `head` overwrites bytes of the header, unsigned."""
    table = bytearray(128 * 128)
    for number, (kind, flags) in enumerate(partitions):
        entry = (UUID(kind).bytes_le, bytes(range(16)), first, last, flags)
        struct.pack_into("<16s16sQQQ", table, 128 * number, *entry)
    header = bytearray(512)
    struct.pack_into("<8sIIII", header, 0, b"EFI PART", 0x10000, 92, 0, 0)
    struct.pack_into("<QQQQ", header, 24, 1, SECTORS - 1, 34, SECTORS - 34)
    struct.pack_into("<QIII", header, 72, 2, count, length, crc32(table))
    struct.pack_into("<I", header, 16, crc32(bytes(header[:92])))
    if head is not None:
        header[head[0] : head[0] + len(head[1])] = head[1]
    return mbr(0xEE, code=code, at=1, count=SECTORS - 1) + bytes(header + table)


CASES: dict[str, tuple[bytes, frozenset[Firmware] | None]] = {
    "an empty file": (b"", NOTHING),
    "zeros": (bytes(4096), NOTHING),
    "less than a sector": (b"\x55\xaa" * 100, NOTHING),
    "an MBR with boot code": (mbr(0x83), BIOS),
    "an MBR of a data disk": (mbr(0x83, code=False), NOTHING),
    "an MBR with an EFI system partition": (mbr(0xEF, code=False), UEFI),
    "an MBR for both": (mbr(0x83, 0xEF), BOTH),
    "an MBR whose partition leaves the disk": (mbr(0x83, at=SECTORS), None),
    "an MBR whose partition begins at itself": (mbr(0x83, at=0), None),
    "a file system on the whole disk": (b"\xeb\x3c\x90mkfs" + bytes(503) + b"\x55\xaa", None),
    "a GPT with an EFI system partition": (gpt((LINUX, 0), (ESP, 0), code=False), UEFI),
    "a GPT as clouds have it": (gpt((LINUX, 0), (BIOS_BOOT, 0), (ESP, 0)), BOTH),
    "a GPT for a BIOS": (gpt((BIOS_BOOT, 0), (LINUX, 0)), BIOS),
    "a GPT for a BIOS without boot code": (gpt((BIOS_BOOT, 0), code=False), NOTHING),
    "a GPT with the legacy flag": (gpt((LINUX, 4)), BIOS),
    "a GPT of a data disk": (gpt((LINUX, 0)), NOTHING),
    "a GPT without partitions": (gpt(), NOTHING),
    "a GPT whose partition leaves the disk": (gpt((ESP, 0), last=SECTORS), NOTHING),
    "a GPT whose partition ends first": (gpt((ESP, 0), last=2047), NOTHING),
    "a GPT that is not there": (gpt((ESP, 0))[:512] + bytes(40_000), None),
    "a GPT that was cut": (gpt((ESP, 0))[:2000], None),
    "a GPT of large sectors": (gpt((ESP, 0))[:512] + bytes(3584) + gpt((ESP, 0))[512:], None),
    "a GPT with another checksum": (gpt((ESP, 0), head=(60, b"x")), None),
    "a table with another checksum": (gpt((ESP, 0))[:-1] + b"x", None),
    "a table without end": (gpt((ESP, 0), count=2**32 - 1), None),
    "entries without end": (gpt((ESP, 0), length=2**31), None),
    "entries of nothing": (gpt((ESP, 0), length=0), None),
    "a header of nothing": (gpt((ESP, 0), head=(12, bytes(4))), None),
    "a header without end": (gpt((ESP, 0), head=(12, b"\xff" * 4)), None),
}


@pytest.mark.parametrize(("content", "expected"), CASES.values(), ids=CASES)
def test_a_disk(content: bytes, expected: frozenset[Firmware] | None) -> None:
    assert firmware_of(io.BytesIO(content), SIZE) == expected


class Counted(io.BytesIO):
    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.most = max(self.most, size)
        return super().read(size)


@given(
    st.binary(max_size=2000),
    st.integers(0, 16_000),
    st.integers(0, 2**62),
    st.sampled_from(sorted(CASES)),
)
def test_no_disk_costs_or_raises(noise: bytes, at: int, size: int, name: str) -> None:
    content = bytearray(CASES[name][0])
    content[at : at + len(noise)] = noise
    file = Counted(content)
    firmware_of(file, size)
    assert file.most <= MIB


@given(st.binary(min_size=92, max_size=92))
def test_no_signed_header_costs_or_raises(noise: bytes) -> None:
    """A stranger who makes the checksums right."""
    header = bytearray(noise)
    header[:16] = b"EFI PART" + struct.pack("<II", 0x10000, 92)
    header[24:32] = struct.pack("<Q", 1)
    header[16:20] = bytes(4)
    header[16:20] = struct.pack("<I", crc32(bytes(header)))
    file = Counted(mbr(0xEE) + bytes(header).ljust(512, b"\0") + bytes(40_000))
    firmware_of(file, SIZE)
    assert file.most <= MIB


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("sfdisk") is None, reason="sfdisk is not installed")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"label: gpt\nsize=1MiB, type={BIOS_BOOT}\nsize=9MiB, type={ESP}\ntype={LINUX}", BOTH),
        (f"label: gpt\nsize=9MiB, type={ESP}\ntype={LINUX}", UEFI),
        (f"label: gpt\ntable-length: 4\ntype={ESP}", UEFI),
        (f"label: gpt\ntype={LINUX}", NOTHING),
        ("label: dos\ntype=83, bootable", BIOS),
        ("label: dos\ntype=ef", BOTH),
    ],
)
def test_a_disk_of_sfdisk(
    tmp_path: Path, script: str, expected: frozenset[Firmware] | None
) -> None:
    path = tmp_path / "disk"
    with path.open("wb") as file:
        # The boot code of a loader, which sfdisk keeps.
        file.write(b"\xeb\x63\x90" if Firmware.BIOS in (expected or ()) else b"")
        file.truncate(SIZE)
    words = ["sfdisk", "--quiet", "--wipe", "never", str(path)]
    subprocess.run(words, input=script.encode(), check=True, capture_output=True)
    with path.open("rb") as file:
        assert firmware_of(file, SIZE) == expected
