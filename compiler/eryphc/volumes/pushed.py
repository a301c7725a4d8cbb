"""A disk that lies in an image, to a verified file in the cache: part by part, and resumable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from eryphc.diagnostics import sharing
from eryphc.diagnostics import volumes as wording
from eryphc.digests import Digest
from eryphc.genepool.disk_layers import (
    PIECE,
    DiskSourceError,
    PushedDisk,
    parts_of,
    unpacked,
)
from eryphc.genepool.image import Descriptor
from eryphc.genepool.text_layer import LayerError
from eryphc.source import shown_path
from eryphc.volumes.checksums import hash_file
from eryphc.volumes.faults import VolumeError, stated_format
from eryphc.volumes.fetch import Desk, Image
from eryphc.volumes.places import locked, opened, private_parent, stored


def assembled(gene: str, pushed: PushedDisk, desk: Desk) -> Image:
    """The disk, from the cache or from its image. Raises VolumeError, OSError.

    Parts that arrived before a failure stay for the next run.
    """
    disk = pushed.disk
    if disk.size > desk.policy.limit:
        fault = wording.too_large(gene, disk.size, desk.policy.limit, desk.policy.limit_said)
        raise VolumeError(fault, outside=False)
    cache = opened(desk.cache)
    place = stored(cache.root, Digest("sha256", disk.digest.removeprefix("sha256:")))
    private_parent(cache, place)
    with locked(cache, place, desk.waiting):
        fetched = not (place.is_file() and _has(place, disk.digest))
        if fetched:
            place.unlink(missing_ok=True)
            try:
                _fetch(gene, pushed, place, desk)
            except DiskSourceError as fault:
                raise VolumeError(fault.diagnostic, outside=True) from None
    kind = stated_format(place, gene, disk.format)
    return Image(place, kind, disk.digest.removeprefix("sha256:"), disk.size, fetched)


def _has(path: Path, digest: str) -> bool:
    return f"sha256:{hash_file(path)['sha256']}" == digest


def _fetch(gene: str, pushed: PushedDisk, place: Path, desk: Desk) -> None:
    disk = pushed.disk
    arriving = place.with_name(f"{place.name}.parts")
    resumed = _arrived(arriving, disk.part)
    free = shutil.disk_usage(place.parent).free
    if disk.size - resumed * disk.part > free:
        room = f"it has {disk.size} bytes, and `{shown_path(place.parent)}` has room for {free}"
        help_text = "make room there, or name another folder with `--cache-dir`"
        raise VolumeError(wording.download_failed(gene, room, help_text), outside=True)
    while True:
        _fill(gene, pushed, arriving, resumed, desk)
        if _has(arriving, disk.digest):
            os.replace(arriving, place)  # noqa: PTH105
            return
        arriving.unlink()
        if not resumed:
            fault = sharing.malformed_artifact(gene, disk.path, "is not the disk of its config")
            raise VolumeError(fault, outside=True)
        # What had arrived before may be of another disk: fetch all of it once more.
        resumed = 0


def _arrived(arriving: Path, part: int) -> int:
    """How many parts are there whole."""
    try:
        return arriving.stat().st_size // part
    except FileNotFoundError:
        return 0


def _fill(gene: str, pushed: PushedDisk, arriving: Path, resumed: int, desk: Desk) -> None:
    disk = pushed.disk
    layers = pushed.source.layers()
    parts = parts_of(disk)
    layer_file = arriving.with_name(f"{arriving.name}.layer")
    try:
        with arriving.open("r+b" if arriving.exists() else "w+b") as file:
            file.truncate(resumed * disk.part)
            file.seek(0, os.SEEK_END)
            for part, diff_id, layer in list(zip(parts, pushed.diff_ids, layers, strict=True))[
                resumed:
            ]:
                _check_size(gene, part.entry.path, part.size, layer)
                pushed.source.fetch(layer, layer_file)
                try:
                    with layer_file.open("rb") as blob:
                        unpacked(_blocks(blob), part, diff_id, file.write)
                except LayerError as fault:
                    file.truncate(part.start)
                    words = sharing.malformed_artifact(gene, layer.digest, f"is refused: {fault}")
                    raise VolumeError(words, outside=True) from None
                file.flush()
                desk.heard(disk.path, part.start + part.size, disk.size)
            os.fsync(file.fileno())
    finally:
        layer_file.unlink(missing_ok=True)


def _check_size(gene: str, path: str, size: int, layer: Descriptor) -> None:
    """A layer may be a little larger than its part: compression does not always make smaller."""
    most = size + size // 100 + 64 * 1024
    if layer.size > most:
        problem = f"has a layer of {layer.size} bytes for a part of {size}"
        raise VolumeError(sharing.malformed_artifact(gene, path, problem), outside=True)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(PIECE):
        yield block
