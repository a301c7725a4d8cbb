"""What a file is that is none of our disk images: by its content, never by its name.

Images of other programs, archives and texts would pass for raw disks, since a raw disk has no
header. So a file counts as raw only if it begins as a disk does, or if its user says so.
Sources: file(1)'s magic database, https://github.com/file/file/tree/master/magic/Magdir; QEMU's
block drivers, https://gitlab.com/qemu-project/qemu/-/tree/master/block; the forms of tar,
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from eryphc.frozen import FrozenMap, NamedTuple

Signature = tuple[int, bytes]
"""An offset in a file, and what stands there."""

# The descriptors of an ISO image begin at sector 16 of 2048 bytes, file systems end at 128 KiB.
_LOOKED_AT: Final = 132 * 1024
_TAR_HEADER: Final = 512
_LONGEST_NAME: Final = 100
_TEXT: Final = 4096


class Container(NamedTuple):
    """A kind of file that is no disk of ours.

    `what` continues "it is". `qemu` is QEMU's name of a disk image that it reads, `opened_by` the
    beginning of a command that takes the disk out of an archive.
    """

    what: str
    qemu: str | None = None
    opened_by: str | None = None


CONTAINERS: Final = FrozenMap(
    {
        "vmdk": Container("a VMDK image (VMware)", qemu="vmdk"),
        "vmdk-text": Container("the text of a VMDK image, whose data lies in other files"),
        "vdi": Container("a VDI image (VirtualBox)", qemu="vdi"),
        "qed": Container("a QED image (QEMU)", qemu="qed"),
        "qcow": Container("a qcow image of version 1 (QEMU)", qemu="qcow"),
        "parallels": Container("an image of Parallels", qemu="parallels"),
        "bochs": Container("an image of Bochs", qemu="bochs"),
        "cloop": Container("a compressed loop image", qemu="cloop"),
        "dmg": Container("a DMG image (Apple)", qemu="dmg"),
        "ova": Container("an OVA archive, which holds disk images", opened_by="tar -xf"),
        "tar": Container("a tar archive", opened_by="tar -xf"),
        "gzip": Container("compressed by gzip", opened_by="gzip -dk"),
        "bzip2": Container("compressed by bzip2", opened_by="bzip2 -dk"),
        "xz": Container("compressed by xz", opened_by="xz -dk"),
        "lzip": Container("compressed by lzip", opened_by="lzip -dk"),
        "zstd": Container("compressed by zstd", opened_by="zstd -d"),
        "lz4": Container("compressed by lz4", opened_by="lz4 -d"),
        "lzop": Container("compressed by lzop", opened_by="lzop -d"),
        "compress": Container("compressed by compress", opened_by="gzip -dk"),
        "zip": Container("a zip archive", opened_by="unzip"),
        "7z": Container("a 7z archive", opened_by="7z x"),
        "rar": Container("a RAR archive", opened_by="7z x"),
        "cab": Container("a cabinet archive", opened_by="7z x"),
        "cpio": Container("a cpio archive", opened_by="cpio -idF"),
        "ar": Container("an ar archive (a Debian package is one)"),
        "rpm": Container("an RPM package"),
        "wim": Container("a WIM image of Windows, which holds files and no disk"),
        "sparse": Container("an Android sparse image", opened_by="simg2img"),
        "ewf": Container("an EWF image (EnCase)"),
        "iso": Container("an ISO image, the medium of a DVD drive"),
        "html": Container("an HTML page; a server may have sent it in place of the image"),
        "xml": Container("an XML text; an OVF only names its disks"),
        "text": Container("a text"),
        "empty": Container("empty"),
    }
)
"""By the words that `volume info` prints as the format."""
TEXTS: Final = ("text", "html", "xml", "vmdk-text", "empty")
"""The words of files that hold no disk at all."""

_FIRST: Final[tuple[tuple[str, tuple[Signature, ...]], ...]] = (
    ("vmdk", ((0, b"KDMV"), (0, b"COWD"), (0, b"SESparse"))),
    # Programs fill the sector of a descriptor with zeros, so it need not be a text as a whole.
    ("vmdk-text", ((0, b"# Disk DescriptorFile"), (0, b"# Disk Descriptor File"))),
    ("vdi", ((64, b"\x7f\x10\xda\xbe"),)),
    ("qed", ((0, b"QED\0"),)),
    ("qcow", ((0, b"QFI\xfb\0\0\0\1"),)),
    ("parallels", ((0, b"WithoutFreeSpace"), (0, b"WithouFreSpacExt"))),
    ("bochs", ((0, b"Bochs Virtual HD Image"),)),
    ("cloop", ((0, b"#!/bin/sh\n#V2.0 Format\n"),)),
    ("xz", ((0, b"\xfd7zXZ\0"),)),
    ("gzip", ((0, b"\x1f\x8b\x08"),)),
    ("zstd", ((0, b"\x28\xb5\x2f\xfd"),)),
    ("zip", ((0, b"PK\3\4"), (0, b"PK\5\6"), (0, b"PK\7\x08"))),
    ("7z", ((0, b"7z\xbc\xaf\x27\x1c"),)),
    ("lz4", ((0, b"\x04\x22\x4d\x18"), (0, b"\x02\x21\x4c\x18"))),
    ("lzop", ((0, b"\x89LZO\0\r\n"),)),
    ("lzip", ((0, b"LZIP"),)),
    ("compress", ((0, b"\x1f\x9d"),)),
    ("rar", ((0, b"Rar!\x1a\x07"),)),
    ("cab", ((0, b"MSCF\0\0\0\0"),)),
    ("cpio", ((0, b"070701"), (0, b"070702"), (0, b"070707"))),
    ("ar", ((0, b"!<arch>\n"),)),
    ("rpm", ((0, b"\xed\xab\xee\xdb"),)),
    ("wim", ((0, b"MSWIM\0\0\0"), (0, b"WLPWM\0\0\0"))),
    ("sparse", ((0, b"\x3a\xff\x26\xed"),)),
    ("ewf", ((0, b"EVF\x09\r\n\xff\0"),)),
    ("iso", ((32769, b"CD001"), (32769, b"BEA01"), (32769, b"NSR0"))),
)
_DISKS: Final[tuple[Signature, ...]] = (
    # Partition tables: the mark of a boot sector (FAT and NTFS have it too), GPT in sectors of 512
    # and of 4096 bytes, Apple's map, the label of BSD.
    *((510, b"\x55\xaa"), (512, b"EFI PART"), (4096, b"EFI PART"), (512, b"PM\0\0")),
    (512, b"\x57\x45\x56\x82"),
    # File systems that fill the disk: ext2 to ext4, XFS, Btrfs, JFS, ReiserFS, F2FS, SquashFS,
    # EROFS, UFS2, HFS+, APFS, ReFS, BitLocker.
    *((1080, b"\x53\xef"), (0, b"XFSB"), (65600, b"_BHRfS_M"), (32768, b"JFS1")),
    *((65588, b"ReIsEr"), (1024, b"\x10\x20\xf5\xf2"), (0, b"hsqs"), (1024, b"\xe2\xe1\xf5\xe0")),
    *((66908, b"\x19\x01\x54\x19"), (1024, b"H+\0\4"), (1024, b"HX\0\5"), (32, b"NXSB")),
    *((3, b"ReFS\0\0\0\0"), (3, b"-FVE-FS-")),
    # What is no file system, and fills disks: swap, LVM, LUKS, MD, ZFS.
    *((4086, b"SWAPSPACE2"), (4086, b"SWAP-SPACE"), (512, b"LABELONE"), (0, b"LUKS\xba\xbe")),
    *((4096, b"\xfc\x4e\x2b\xa9"), (131072, b"\x0c\xb1\xba\0\0\0\0\0")),
)


def container_in(file: BinaryIO, size: int) -> str | None:
    """The word in CONTAINERS for a file of `size` bytes; None where it is none of them."""
    if not size:
        return "empty"
    start = _start(file)
    for word, signatures in _FIRST:
        if any(start.startswith(mark, at) for at, mark in signatures):
            return word
    if start.startswith(b"BZh") and start[3:4].isdigit() and start[4:10] == b"1AY&SY":
        return "bzip2"
    if _is_tar(start[:_TAR_HEADER]):
        name = start[:_LONGEST_NAME].split(b"\0", 1)[0].lower()
        return "ova" if name.endswith(b".ovf") else "tar"
    if size >= _TAR_HEADER:
        file.seek(size - _TAR_HEADER)
        if file.read(4) == b"koly":
            return "dmg"
    return _text(start[:_TEXT])


def looks_like_disk(file: BinaryIO) -> bool:
    """Whether a file begins as a disk does: with a partition table or a file system."""
    start = _start(file)
    return any(start.startswith(mark, at) for at, mark in _DISKS)


def advice(word: str, name: str) -> str | None:
    """What makes a disk of ours of a container; `name` is that of its file."""
    container = CONTAINERS[word]
    if container.qemu is not None:
        import shlex

        file, made = shlex.quote(name), shlex.quote(f"{_stem(name)}.qcow2")
        return (
            f"where you trust it, convert it: qemu-img convert -f {container.qemu} -O qcow2 "
            f"{file} {made}"
        )
    if container.opened_by is not None:
        import shlex

        return f"unpack it first: {container.opened_by} {shlex.quote(name)}"
    return None


def _stem(name: str) -> str:
    return name[: -len(name.rpartition(".")[2]) - 1] if "." in name[1:] else name


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_LOOKED_AT)


def _is_tar(header: bytes) -> bool:
    """Whether the checksum of a tar header is right, whichever of its forms it has."""
    digits = header[148:156].strip(b" \0")
    if len(header) < _TAR_HEADER or not digits or not header[0]:
        return False
    if any(each not in b"01234567" for each in digits):
        return False
    return sum(header) - sum(header[148:156]) + 8 * ord(" ") == int(digits, 8)


_MARKS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("vmdk-text", lambda text: text.startswith("# disk descriptorfile")),
    ("html", lambda text: text.startswith(("<!doctype html", "<html", "<head", "<body"))),
    ("xml", lambda text: text.startswith(("<?xml", "<envelope", "<ovf:"))),
)


def _text(start: bytes) -> str | None:
    """The kind of a text; None for other bytes. The last character may be cut in two."""
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return None
        text = start[: error.start].decode("utf-8-sig")
    if not text or not all(each.isprintable() or each in "\t\r\n\f" for each in text):
        return None
    low = text.lstrip().lower()
    return next((word for word, begins in _MARKS if begins(low)), "text")
