"""The tar archive with the texts of a gene set: one form for the same paths and texts.

A reader needs no tar parser. It knows every path and size from the config of the image, so it
compares headers and padding with what stands there in the one form.
Source: docs/reference/gene-set-images.md, "The text layer".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eryphc.frozen import NamedTuple

BLOCK = 512
LONGEST_PATH = 100
_TRAILER = bytes(2 * BLOCK)
# The checksum is the sum of all bytes, its own field counted as eight spaces.
_EMPTY_CHECKSUM = b" " * 8


class LayerError(ValueError):
    """A layer is not the one form of its entries; the text says where it differs."""


class Entry(NamedTuple):
    """One file of a layer. `size` is in bytes."""

    path: str
    size: int


def header(entry: Entry) -> bytes:
    """The 512 bytes before a file. The path is ASCII of at most `LONGEST_PATH` characters."""
    block = bytearray(BLOCK)
    path = entry.path.encode("ascii")
    if not 0 < len(path) <= LONGEST_PATH:
        raise ValueError(f"a path has 1 to {LONGEST_PATH} characters")
    block[: len(path)] = path
    for at, field in (
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"%011o\0" % entry.size),
        (136, b"00000000000\0"),
        (148, _EMPTY_CHECKSUM),
        (156, b"0"),
        (257, b"ustar\x0000"),
    ):
        block[at : at + len(field)] = field
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(size: int) -> int:
    """The bytes that a text of `size` bytes takes: a multiple of `BLOCK`."""
    return -(-size // BLOCK) * BLOCK


def layer_size(sizes: Iterable[int]) -> int:
    """The bytes of a layer whose files have these sizes."""
    return sum(BLOCK + padded(size) for size in sizes) + len(_TRAILER)


def write_layer(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The layer with these paths and texts, sorted by path."""
    pieces: list[bytes] = []
    for path, text in sorted(files):
        pieces += (header(Entry(path, len(text))), text, bytes(padded(len(text)) - len(text)))
    return b"".join((*pieces, _TRAILER))


def read_layer(layer: bytes, entries: Sequence[Entry]) -> tuple[bytes, ...]:
    """The texts of `entries`, which stand in this order. Raises LayerError for any other byte."""
    texts: list[bytes] = []
    if len(layer) != layer_size(entry.size for entry in entries):
        raise LayerError("its size does not follow from the sizes of its files")
    at = 0
    for entry in entries:
        if layer[at : at + BLOCK] != header(entry):
            raise LayerError(f"the header of `{entry.path}` is not the expected one")
        at += BLOCK
        texts.append(layer[at : at + entry.size])
        after = at + padded(entry.size)
        if any(layer[at + entry.size : after]):
            raise LayerError(f"the padding after `{entry.path}` is not empty")
        at = after
    if layer[at:] != _TRAILER:
        raise LayerError("its end is not empty")
    return tuple(texts)
