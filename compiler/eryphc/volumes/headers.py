"""What the headers of a disk file say. Only headers are read; no file that they name is opened.

Sources: QEMU's specification of QCOW2, https://www.qemu.org/docs/master/interop/qcow2.html;
Microsoft's VHD format paper 1.0; [MS-VHDX] 2.2 (headers, region table) and 2.6 (metadata).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from eryphc.diagnostics.words import os_reason
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import DiskFault
from eryphc.source import shown_path
from eryphc.volumes.containers import CONTAINERS, TEXTS, advice, container_in, looks_like_disk

FORMATS: Final = ("qcow2", "raw", "vhd", "vhdx")
_WITH_HEADERS: Final = ("qcow2", "vhd", "vhdx")
UNKNOWN: Final = "unknown"
"""The format of a file that nothing tells of: it may be a raw disk."""
SECTOR: Final = 512
_MOST_TEXT: Final = 1024
# Of the format VHDX: a table has no more entries than fit its 64 KiB.
_MOST_ENTRIES: Final = 2047

_REGION_TABLES: Final = (192 * 1024, 256 * 1024)
_HEADERS: Final = (64 * 1024, 128 * 1024)


def _guid(text: str) -> bytes:
    return UUID(text).bytes_le


_METADATA: Final = _guid("8b7ca206-4790-4b9a-b8fe-575f050f886e")
_FILE_PARAMETERS: Final = _guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
_VIRTUAL_SIZE: Final = _guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
_DISK_ID: Final = _guid("beca12ab-b2e6-4523-93ef-c309e000c746")
_LOGICAL_SECTOR: Final = _guid("8141bf1d-a96f-4709-ba47-f233a8faab5f")
_PARENT: Final = _guid("a8d35f2d-b30b-454d-abf7-d3d84834ab0c")


class DiskHeader(NamedTuple):
    """What the headers of a disk file say; sizes in bytes.

    `format` is one of FORMATS, UNKNOWN or, for a file that is only recognised, a word of
    `containers.CONTAINERS`. `kind` is `fixed`, `dynamic` or `differencing` where the format tells
    them apart. `parent` is the file that this one builds on or keeps its data in, as it names it.
    `problem` is why the file alone is not the disk, in the words that follow "it". `help` is there
    where the file is of another format than it is taken for.
    """

    format: str
    size: int
    allocated: int
    virtual_size: int | None = None
    kind: str | None = None
    identifier: str | None = None
    parent: str | None = None
    problem: str | None = None
    sector: int = SECTOR
    help: str | None = None


def read_header(
    path: Path, kind: str | None = None, named: str | None = None
) -> DiskHeader | DiskFault:
    """The header of a disk file of the format `kind`; of None: of the one that it shows.

    A file that is not of the wanted format is a fault. A raw disk has no header and may imitate
    another format, so a caller that knows that it is raw must say so. `named` is what the name of
    the file or its description says: it counts where the content does not contradict.
    """
    try:
        status = path.stat()
        if not path.is_file():
            return DiskFault(reason="it is no plain file")
        with path.open("rb") as file:
            # A block of `st_blocks` has 512 bytes everywhere that has blocks.
            blocks = getattr(status, "st_blocks", None)
            base = DiskHeader(
                format=kind or named or "",
                size=status.st_size,
                allocated=status.st_size if blocks is None else blocks * 512,
            )
            if kind is not None:
                return header_in(file, base)
            return judged_header(file, base, named, shown_path(path))
    except (FileNotFoundError, NotADirectoryError):
        return DiskFault(reason="there is no such file", missing=True)
    except ValueError as error:
        return DiskFault(reason=str(error))
    except struct.error:
        return DiskFault(reason=f"it ends inside the headers of a {kind or 'disk'} file")
    except OSError as error:
        return DiskFault(reason=os_reason(error, "it cannot be read"))


def header_in(file: BinaryIO, base: DiskHeader) -> DiskHeader:
    """`base` with what the headers of its format say. Raises ValueError or struct.error."""
    return _READERS[base.format](file, base)


def judged_header(
    file: BinaryIO, base: DiskHeader, named: str | None, name: str = "FILE"
) -> DiskHeader:
    """`base` with what the content says of a file that is called `name`.

    `named` is the format that a name or a description promises, None: none. Nothing but them makes
    a raw disk of a file that does not begin as one. Raises ValueError or struct.error.
    """
    shown = shown_format(file, base.size)
    if shown in TEXTS and named in _WITH_HEADERS:
        raise ValueError(f"it is {CONTAINERS[shown].what}")
    other = _shown_otherwise(base, shown, named, name)
    if other is not None:
        return other
    return header_in(file, base._replace(format=named if named in FORMATS else shown))


def _shown_otherwise(
    base: DiskHeader, shown: str, named: str | None, name: str
) -> DiskHeader | None:
    """`base` with what is wrong where the content shows another format than the one promised."""
    if shown in CONTAINERS:
        problem = f"is no disk image that is read here, but {CONTAINERS[shown].what}"
        return base._replace(format=shown, problem=problem, help=advice(shown, name))
    if shown == UNKNOWN and named not in FORMATS:
        return base._replace(format=shown, problem=_SHOWS_NOTHING, help=_SAY_RAW)
    if shown in _WITH_HEADERS and named in FORMATS and named != shown:
        problem = f"is called {named}, and it is a {shown} file"
        help_text = f"`--from {shown}` reads it as that, `--from raw` takes its bytes for the disk"
        return base._replace(format=shown, problem=problem, help=help_text)
    return None


def otherwise(path: Path, named: str | None) -> DiskHeader | None:
    """The header with what is wrong where a file shows another format than `named`, else None.

    Nothing more of it is read: its headers may still be damaged. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        shown = shown_format(file, size)
    base = DiskHeader(format=shown, size=size, allocated=size)
    return _shown_otherwise(base, shown, named, shown_path(path))


_SHOWS_NOTHING: Final = (
    "shows no format: it begins neither as an image that is known nor as a disk with partitions or "
    "a file system"
)
_SAY_RAW: Final = (
    "if its bytes are those of the disk, say so: by a name that ends with `.raw`, by `--from raw`, "
    "or by `format: raw` in the description of a volume gene"
)


def shown_format(file: BinaryIO, size: int) -> str:
    """The format that the content of a file shows: of FORMATS, a container's word, or UNKNOWN."""
    file.seek(0)
    start = file.read(8)
    if start == b"vhdxfile":
        return "vhdx"
    if start.startswith(b"QFI\xfb") and start[4:] != b"\0\0\0\1":
        return "qcow2"
    file.seek(max(size - SECTOR, 0))
    if start == b"conectix" or file.read(8) == b"conectix":
        return "vhd"
    container = container_in(file, size)
    if container is not None:
        return container
    return "raw" if looks_like_disk(file) else UNKNOWN


def vhdx_places(file: BinaryIO) -> tuple[tuple[int, ...], int | None]:
    """Offsets that identify a VHDX: of its two headers, and of the id of its disk."""
    region = _metadata(file)
    item = None if region is None else _item(file, region, _DISK_ID)
    return _HEADERS, item


def _raw(file: BinaryIO, base: DiskHeader) -> DiskHeader:  # noqa: ARG001 - one reader a format
    odd = base.size % SECTOR
    return base._replace(
        virtual_size=base.size,
        problem=f"has {base.size} bytes, which is no whole number of sectors of 512"
        if odd
        else None,
    )


# -- qcow2 ----------------------------------------------------------------------------------

_CORRUPT, _EXTERNAL = 2, 4
_DATA_FILE_NAME: Final = 0x44415441


def _qcow2(file: BinaryIO, base: DiskHeader) -> DiskHeader:
    file.seek(0)
    head = file.read(104)
    if head[:4] != b"QFI\xfb":
        raise ValueError("it is no qcow2 file")
    version, backing_at, backing_length, bits, size, crypt = struct.unpack_from(">IQIIQI", head, 4)
    if version not in (2, 3) or not 9 <= bits <= 21:
        raise ValueError(f"its qcow2 header is damaged (version {version}, cluster bits {bits})")
    features, length = 0, 72
    if version == 3:
        (features,) = struct.unpack_from(">Q", head, 72)
        (length,) = struct.unpack_from(">I", head, 100)
    parent = problem = None
    if features & _CORRUPT:
        problem = "is marked as corrupt"
    elif crypt:
        problem = "is encrypted"
    elif backing_at:
        parent = _text(file, backing_at, backing_length)
        problem = f"builds on the backing file `{parent}`"
    elif features & _EXTERNAL:
        parent = _data_file(file, length, 1 << bits)
        problem = f"keeps its data in another file, `{parent}`"
    return base._replace(virtual_size=size, kind="dynamic", parent=parent, problem=problem)


def _data_file(file: BinaryIO, at: int, end: int) -> str:
    """The name in the header extension for external data; empty where there is none."""
    while at + 8 <= end:
        file.seek(at)
        kind, length = struct.unpack(">II", file.read(8))
        if kind == _DATA_FILE_NAME:
            return _text(file, at + 8, length)
        if kind == 0:
            break
        at += 8 + (length + 7) // 8 * 8
    return ""


def _text(file: BinaryIO, at: int, length: int) -> str:
    file.seek(at)
    return _printable(file.read(min(length, _MOST_TEXT)).decode("utf-8", "replace"))


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


# -- VHD ------------------------------------------------------------------------------------

_VHD_KINDS = {2: "fixed", 3: "dynamic", 4: "differencing"}


def _vhd(file: BinaryIO, base: DiskHeader) -> DiskHeader:
    footer = b""
    for at in (base.size - 512, 0):
        if at >= 0 and not footer:
            file.seek(at)
            found = file.read(512)
            footer = found if found.startswith(b"conectix") and len(found) == 512 else b""
    if not footer:
        raise ValueError("it is no VHD file")
    if vhd_checksum(footer) != struct.unpack_from(">I", footer, 64)[0]:
        raise ValueError("the checksum of its VHD footer is wrong")
    (size,) = struct.unpack_from(">Q", footer, 48)
    (number,) = struct.unpack_from(">I", footer, 60)
    kind = _VHD_KINDS.get(number)
    if kind is None:
        raise ValueError(f"its VHD footer has the unknown disk type {number}")
    parent = problem = None
    if kind == "differencing":
        (at,) = struct.unpack_from(">Q", footer, 16)
        file.seek(at + 64)
        parent = _printable(file.read(512).decode("utf-16-be", "replace").partition("\0")[0])
        problem = f"holds only the differences to its parent `{parent}`"
    elif kind == "fixed" and size + 512 != base.size:
        problem = f"is a fixed VHD of {size} bytes in a file of {base.size}: it was cut or grew"
    elif size % SECTOR:
        problem = f"is a VHD of {size} bytes, which is no whole number of sectors of 512"
    return base._replace(
        virtual_size=size,
        kind=kind,
        identifier=str(UUID(bytes=footer[68:84])),
        parent=parent,
        problem=problem,
    )


def vhd_checksum(footer: bytes) -> int:
    """The checksum of a VHD footer: the complement of the sum of its bytes, itself left out."""
    return ~(sum(footer) - sum(footer[64:68])) & 0xFFFFFFFF


# -- VHDX -----------------------------------------------------------------------------------


def _entry_offset(
    file: BinaryIO,
    at: int,
    signature: bytes,
    count: struct.Struct,
    first: int,
    offset: str,
    wanted: bytes,
) -> int | None:
    """The offset in the entry of a table that is named `wanted`."""
    file.seek(at)
    head = file.read(len(signature) + count.size)
    if not head.startswith(signature) or len(head) < len(signature) + count.size:
        return None
    (entries,) = count.unpack_from(head, len(signature))
    for number in range(min(entries, _MOST_ENTRIES)):
        file.seek(at + first + 32 * number)
        entry = file.read(32)
        if entry[:16] == wanted and len(entry) == 32:
            found: int = struct.unpack_from(offset, entry, 16)[0]
            return found
    return None


def _metadata(file: BinaryIO) -> int | None:
    for table in _REGION_TABLES:
        at = _entry_offset(file, table, b"regi", struct.Struct("<4xI"), 16, "<Q", _METADATA)
        if at is not None:
            return at
    return None


def _item(file: BinaryIO, region: int, wanted: bytes) -> int | None:
    at = _entry_offset(file, region, b"metadata", struct.Struct("<2xH"), 32, "<I", wanted)
    return None if at is None else region + at


def _vhdx(file: BinaryIO, base: DiskHeader) -> DiskHeader:
    file.seek(0)
    if file.read(8) != b"vhdxfile":
        raise ValueError("it is no VHDX file")
    region = _metadata(file)
    places = {
        name: None if region is None else _item(file, region, name)
        for name in (_FILE_PARAMETERS, _VIRTUAL_SIZE, _DISK_ID, _LOGICAL_SECTOR, _PARENT)
    }

    def read(name: bytes, length: int) -> bytes:
        at = places[name]
        if at is None:
            raise ValueError("its VHDX metadata is damaged")
        file.seek(at)
        found = file.read(length)
        if len(found) < length:
            raise ValueError("its VHDX metadata is cut short")
        return found

    (size,) = struct.unpack("<Q", read(_VIRTUAL_SIZE, 8))
    (flags,) = struct.unpack("<4xI", read(_FILE_PARAMETERS, 8))
    (sector,) = struct.unpack("<I", read(_LOGICAL_SECTOR, 4))
    parent = problem = None
    kind = "fixed" if flags & 1 else "dynamic"
    if flags & 2:
        kind, at = "differencing", places[_PARENT]
        parent = None if at is None else _locator(file, at)
        problem = f"holds only the differences to its parent `{parent or 'without a name'}`"
    elif _log_pending(file):
        problem = "was not closed cleanly: its log must be replayed by Hyper-V first"
    elif sector != SECTOR:
        problem = f"has sectors of {sector} bytes, not of 512"
    return base._replace(
        virtual_size=size,
        kind=kind,
        identifier=str(UUID(bytes_le=read(_DISK_ID, 16))),
        parent=parent,
        problem=problem,
        sector=sector,
    )


def _log_pending(file: BinaryIO) -> bool:
    """Whether the newer of the two headers names a log."""
    newest, pending = -1, False
    for at in _HEADERS:
        file.seek(at)
        head = file.read(64)
        if head[:4] == b"head" and len(head) == 64:
            (number,) = struct.unpack_from("<Q", head, 8)
            if number > newest:
                newest, pending = number, any(head[48:64])
    return pending


def _locator(file: BinaryIO, at: int) -> str | None:
    """The path of the parent, as the locator has it. Source: [MS-VHDX] 2.6.2.6."""
    file.seek(at)
    head = file.read(20)
    (count,) = struct.unpack_from("<H", head, 18)
    found: dict[str, str] = {}
    for number in range(min(count, 16)):
        file.seek(at + 20 + 12 * number)
        key_at, value_at, key_length, value_length = struct.unpack("<IIHH", file.read(12))
        file.seek(at + key_at)
        key = file.read(min(key_length, _MOST_TEXT)).decode("utf-16-le", "replace")
        file.seek(at + value_at)
        found[key] = _printable(
            file.read(min(value_length, _MOST_TEXT)).decode("utf-16-le", "replace")
        )
    for key in ("absolute_win32_path", "relative_path", "volume_path"):
        if found.get(key):
            return found[key]
    return None


_READERS = {"raw": _raw, "qcow2": _qcow2, "vhd": _vhd, "vhdx": _vhdx}


def format_of_name(path: Path) -> str | None:
    """The format that the name of a file promises; None where it promises none (`.img`)."""
    suffix = os.path.splitext(path.name)[1].lower()  # noqa: PTH122
    return suffix[1:] if suffix[1:] in FORMATS else None
