"""Disks in an image: each part of one is a layer, a tar archive of one entry, written and read in
pieces.

A reader needs no tar parser, as with the texts: it knows the one form that a part has.
Source: docs/reference/gene-set-images.md, "Volumes in an image".
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.genepool.image import LAYER_MEDIA, Descriptor, PushedVolume
from eryphc.genepool.text_layer import BLOCK, Entry, LayerError, header, padded

if TYPE_CHECKING:
    from eryphc.genepool.image_config import GeneSetConfig

PIECE: Final = 1024 * 1024
GZIP_LAYER: Final = f"{LAYER_MEDIA}+gzip"
_TRAILER: Final = bytes(2 * BLOCK)
_GZIP: Final = b"\x1f\x8b"
_LEVEL: Final = 1


class Part(NamedTuple):
    """A stretch of a disk: `size` bytes from `start`, and how its entry is called."""

    entry: Entry
    start: int

    @property
    def size(self) -> int:
        return self.entry.size


class DiskSourceError(Exception):
    """A disk cannot be had; `diagnostic` says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class DiskSource(Protocol):
    """Where the layers of a disk can be had. Raises DiskSourceError."""

    def layers(self) -> tuple[Descriptor, ...]:
        """The layers of its parts, in their order. May ask a registry."""
        ...

    def fetch(self, layer: Descriptor, into: Path) -> None:
        """Write a layer to a file, as it is kept and verified by its digest."""
        ...


class PushedDisk(NamedTuple):
    """A disk that lies in an image. `diff_ids` are those of its parts."""

    disk: PushedVolume
    diff_ids: tuple[str, ...]
    source: DiskSource


def pushed_disk(config: GeneSetConfig, disk: PushedVolume, source: DiskSource) -> PushedDisk:
    """One of the disks that a config lists."""
    first = _first(config, disk)
    return PushedDisk(disk, config.diff_ids[first : first + disk.parts], source)


def layers_of(
    config: GeneSetConfig, disk: PushedVolume, layers: Sequence[Descriptor]
) -> tuple[Descriptor, ...]:
    """Those of the layers of an image that are parts of a disk. Raises DiskSourceError."""
    first = _first(config, disk)
    if len(layers) != len(config.diff_ids):
        fault = sharing.malformed_artifact(
            str(config.id), "layers", "are not those that the config lists"
        )
        raise DiskSourceError(fault)
    return tuple(layers[first : first + disk.parts])


def _first(config: GeneSetConfig, disk: PushedVolume) -> int:
    """Where the parts of a disk begin among the layers: the texts come first."""
    before = (each.parts for each in config.details.volumes if each.path < disk.path)
    return 1 + sum(before)


def parts_of(disk: PushedVolume) -> tuple[Part, ...]:
    """The parts of a disk; one alone is called like the disk, several have numbers."""
    count = disk.parts
    found: list[Part] = []
    for number in range(count):
        start = number * disk.part
        path = disk.path if count == 1 else f"{disk.path}.{number + 1:03d}"
        found.append(Part(Entry(path, min(disk.part, disk.size - start)), start))
    return tuple(found)


def is_compressed(disk_format: str) -> bool:
    """Whether parts of such a disk are compressed: qcow2 is it inside."""
    return disk_format != "qcow2"


def media_type(disk_format: str) -> str:
    """The media type of the layers of a disk."""
    return GZIP_LAYER if is_compressed(disk_format) else LAYER_MEDIA


def archive(entry: Entry, content: Iterable[bytes]) -> Iterator[bytes]:
    """The archive around a part, in pieces."""
    yield header(entry)
    yield from content
    yield bytes(padded(entry.size) - entry.size) + _TRAILER


def gzipped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same compressed, without a time or a name in it."""
    stream = zlib.compressobj(_LEVEL, wbits=31)
    for block in blocks:
        made = stream.compress(block)
        if made:
            yield made
    yield stream.flush()


def unpacked(
    blocks: Iterable[bytes], part: Part, diff_id: str, write: Callable[[bytes], object]
) -> None:
    """Hand the content of a part to `write`, from its layer as it is kept.

    What `write` got is right only when this returns. Raises LayerError, at most one piece after
    more has come than a part of this size holds.
    """
    reader = _Reader(part.entry, write)
    for block in _plain(blocks, BLOCK + padded(part.size) + len(_TRAILER)):
        reader.take(block)
    reader.end()
    if reader.diff_id != diff_id:
        raise LayerError(f"`{part.entry.path}` is not the part that the config lists")


class _Reader:
    """Takes an archive of one entry in pieces, and compares all but the content."""

    def __init__(self, entry: Entry, write: Callable[[bytes], object]) -> None:
        self._entry = entry
        self._write = write
        self._hash = hashlib.sha256()
        self._head = b""
        self._left = entry.size
        self._tail = 0
        self._rest = padded(entry.size) - entry.size + len(_TRAILER)

    @property
    def diff_id(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def take(self, block: bytes) -> None:
        self._hash.update(block)
        if len(self._head) < BLOCK:
            taken = BLOCK - len(self._head)
            self._head += block[:taken]
            block = block[taken:]
            if len(self._head) == BLOCK and self._head != header(self._entry):
                raise LayerError(f"the header of `{self._entry.path}` is not the expected one")
        content, rest = block[: self._left], block[self._left :]
        if content:
            self._write(content)
            self._left -= len(content)
        self._tail += len(rest)
        if rest.count(0) != len(rest) or self._tail > self._rest:
            raise LayerError(f"what follows `{self._entry.path}` is not empty")

    def end(self) -> None:
        if len(self._head) < BLOCK or self._left or self._tail != self._rest:
            raise LayerError(f"`{self._entry.path}` ends too early")


def _plain(blocks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Pieces uncompressed, of at most `most` bytes together. Its first bytes tell what it is."""
    done = 0
    stream: zlib._Decompress | None = None
    for at, block in enumerate(_with_beginning(blocks, len(_GZIP))):
        if at == 0 and block.startswith(_GZIP):
            stream = zlib.decompressobj(wbits=31)
        if stream is None:
            done += len(block)
            if done > most:
                raise LayerError("it is larger than its part")
            yield block
            continue
        rest = block
        while rest:
            try:
                made = stream.decompress(rest, PIECE)
            except zlib.error:
                raise LayerError("it cannot be unpacked as gzip") from None
            done += len(made)
            if done > most:
                raise LayerError("it is larger than its part")
            if made:
                yield made
            rest = stream.unconsumed_tail
            if stream.eof:
                if stream.unused_data:
                    raise LayerError("something follows its compressed content")
                break
    if stream is not None and not stream.eof:
        raise LayerError("it ends too early")


def _with_beginning(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes, the first piece of at least `size` of them where there are so many."""
    first: bytes | None = b""
    for block in blocks:
        if first is None:
            yield block
            continue
        first += block
        if len(first) >= size:
            yield first
            first = None
    if first:
        yield first
