"""A text layer as it was sent to its texts: whole, unpacked within its size, and in our form."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from eryphc.canonical import digest_of
from eryphc.genepool import image
from eryphc.genepool.image import Descriptor
from eryphc.genepool.text_layer import Entry, LayerError, layer_size, read_layer

_LAYERS: Final = frozenset(
    f"{media}{compression}"
    for media, compressions in (
        (image.LAYER_MEDIA, ("", "+gzip", "+zstd")),
        ("application/vnd.docker.image.rootfs.diff.tar", ("", ".gzip", ".zstd")),
    )
    for compression in compressions
)
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
MOST_LAYER_BLOB: Final = image.MOST_LAYER + 64 * 1024
"""The bytes of a text layer as it is sent: compression can also make it a little larger."""
_MOST_STREAMS: Final = 1000
_DEPTH_OF_ZSTD: Final = 23
"""The window of 8 MiB that every reader of zstd has to support. Source: RFC 8878 3.1.1.1.2."""


class NoZstdError(Exception):
    """The layer is compressed in a way that this Python cannot unpack."""


def unpack(
    blob: bytes, layer: Descriptor, entries: Sequence[Entry], diff_id: str
) -> tuple[bytes, ...]:
    """The texts of a layer as it was sent, which uncompressed has the digest `diff_id`.

    Raises LayerError, which says what the blob is instead, and NoZstdError.
    """
    if layer.media_type not in _LAYERS:
        raise LayerError("is no tar archive")
    if len(blob) != layer.size or digest_of(blob) != layer.digest:
        raise LayerError("does not have the size and digest of the manifest")
    size = layer_size(entry.size for entry in entries)
    # The bytes decide: skopeo calls any layer gzip that the registry has already. No path of ours
    # begins like one of these.
    if blob.startswith(_GZIP):
        plain = _gunzipped(blob, size)
    elif blob.startswith(_ZSTD):
        plain = _unzstd(blob, size)
    else:
        plain = blob
    if len(plain) != size or digest_of(plain) != diff_id:
        raise LayerError("is not the layer that the config lists")
    try:
        return read_layer(plain, entries)
    except LayerError as error:
        raise LayerError(f"is not in our form: {error}") from None


def _gunzipped(blob: bytes, size: int) -> bytes:
    """At most one byte more than `size`, so that a bomb costs no memory."""
    plain, rest = bytearray(), blob
    for _ in range(_MOST_STREAMS):
        stream = zlib.decompressobj(wbits=31)
        try:
            plain += stream.decompress(rest, size + 1 - len(plain))
        except zlib.error:
            break
        rest = stream.unused_data
        if len(plain) > size or (stream.eof and not rest):
            return bytes(plain)
        if not stream.eof:
            break
    raise LayerError("cannot be unpacked as gzip")


def _unzstd(blob: bytes, size: int) -> bytes:
    try:
        zstd: Any = import_module("compression.zstd")
    except ImportError:
        raise NoZstdError from None
    limits = {zstd.DecompressionParameter.window_log_max: _DEPTH_OF_ZSTD}
    stream = zstd.ZstdDecompressor(options=limits)
    try:
        plain = bytes(stream.decompress(blob, size + 1))
    except zstd.ZstdError:
        raise LayerError("cannot be unpacked as zstd") from None
    return plain
