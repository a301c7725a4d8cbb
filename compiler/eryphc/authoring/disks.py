"""Disk files of a tag to layers of its image, one for each part.

Source: docs/reference/gene-set-images.md, "Volumes in an image".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from eryphc.authoring.sources import AuthoredTag
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import disk_path
from eryphc.genepool.disk_layers import (
    PIECE,
    Part,
    archive,
    gzipped,
    is_compressed,
    media_type,
    parts_of,
)
from eryphc.genepool.image import MOST_VOLUME, Descriptor, PushedVolume, VolumePart, part_size
from eryphc.genepool.model import Variant
from eryphc.genepool.pinned import PinnedTag
from eryphc.identifiers import GeneType
from eryphc.volumes.headers import otherwise

FORMATS: Final = ("qcow2", "raw", "vhd", "vhdx")


class PackedDisks(NamedTuple):
    """The disks of a tag: what the config says of each, its layers in the same order, and where
    those lie by their digests."""

    volumes: tuple[PushedVolume, ...] = ()
    parts: tuple[VolumePart, ...] = ()
    blobs: FrozenMap[Path] = FrozenMap()


NO_DISKS: Final = PackedDisks()


def disk_files(authored: AuthoredTag) -> Iterator[Variant]:
    """The volumes of a tag that are files without a description, and lie in no image yet."""
    tag = authored.tag
    if isinstance(tag, PinnedTag) and tag.config.form is None:
        return
    for name in tag.names(GeneType.VOLUME):
        for variant in tag.variants(GeneType.VOLUME, name).value or ():
            if tag.read(variant).value is None:
                yield variant


def disk_faults(authored: AuthoredTag) -> Iterator[Diagnostic]:
    """Disk files that no image can hold, by their names and first bytes (E1033)."""
    for variant in disk_files(authored):
        problem = _problem(variant)
        if problem is not None:
            yield _refused(authored, variant, problem)


def _problem(variant: Variant) -> str | None:
    path = None if variant.volume is None else variant.volume.path
    if path is None:
        return "is not at hand"
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        return f"is none of {', '.join(FORMATS)}"
    try:
        other = otherwise(path, kind)
    except OSError as error:
        return os_reason(error, "it cannot be read")
    return None if other is None else other.problem


def _refused(authored: AuthoredTag, variant: Variant, problem: str) -> Diagnostic:
    words = f"the disk `{variant.name}` for `{variant.architecture}` {problem}"
    return sharing.not_publishable(str(authored.id), words)


def packed_disks(authored: AuthoredTag, scratch: Path) -> Outcome[PackedDisks]:
    """The disk files of a tag as layers, which are written into the folder `scratch`.

    Errors (E1033): formats that no image has, files that cannot be read, that are too large, or
    that change meanwhile. Raises OSError for a disk that is full.
    """
    found: list[Diagnostic] = []
    made: list[tuple[PushedVolume, list[VolumePart], dict[str, Path]]] = []
    for variant in disk_files(authored):
        path = None if variant.volume is None else variant.volume.path
        problem = _problem(variant)
        if path is not None and problem is None:
            try:
                made.append(_packed(variant, path, scratch))
            except _UnusableError as fault:
                problem = str(fault)
        if problem is not None:
            found.append(_refused(authored, variant, problem))
    if found:
        return Outcome(None, tuple(found))
    made.sort(key=lambda one: one[0].path)
    return Outcome(
        PackedDisks(
            tuple(volume for volume, _, _ in made),
            tuple(part for _, parts, _ in made for part in parts),
            FrozenMap({digest: path for _, _, blobs in made for digest, path in blobs.items()}),
        )
    )


class _UnusableError(Exception):
    """Why a disk cannot be packed, in words that follow its name."""


def _packed(
    variant: Variant, path: Path, scratch: Path
) -> tuple[PushedVolume, list[VolumePart], dict[str, Path]]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            size = file.seek(0, 2)
        except OSError as error:
            raise _UnusableError(os_reason(error, "it cannot be read")) from None
        if size > MOST_VOLUME:
            raise _UnusableError(f"has {size} bytes, more than the {MOST_VOLUME} that it may have")
        kind = path.suffix.lower().removeprefix(".")
        place = disk_path(variant.name, variant.architecture, path.suffix)
        disk = PushedVolume(
            variant.name, variant.architecture, kind, place, "", size, part_size(size)
        )
        whole = hashlib.sha256()
        parts: list[VolumePart] = []
        blobs: dict[str, Path] = {}
        for part in parts_of(disk):
            made, blob = _layer(file, disk, part, whole, scratch)
            parts.append(made)
            blobs[made.layer.digest] = blob
    return disk._replace(digest=f"sha256:{whole.hexdigest()}"), parts, blobs


def _layer(
    file: BinaryIO, disk: PushedVolume, part: Part, whole: hashlib._Hash, scratch: Path
) -> tuple[VolumePart, Path]:
    """The layer of a part, in a file that is called by its digest."""
    plain, kept, size = hashlib.sha256(), hashlib.sha256(), 0
    blocks: Iterable[bytes] = _hashing(archive(part.entry, _content(file, part, whole)), plain)
    if is_compressed(disk.format):
        blocks = gzipped(blocks)
    unfinished = scratch / "unfinished"
    with unfinished.open("wb") as out:
        for block in blocks:
            kept.update(block)
            size += len(block)
            out.write(block)
    blob = scratch / kept.hexdigest()
    unfinished.replace(blob)
    layer = Descriptor(media_type(disk.format), f"sha256:{kept.hexdigest()}", size)
    return VolumePart(f"sha256:{plain.hexdigest()}", layer), blob


def _hashing(blocks: Iterable[bytes], into: hashlib._Hash) -> Iterator[bytes]:
    for block in blocks:
        into.update(block)
        yield block


def _content(file: BinaryIO, part: Part, whole: hashlib._Hash) -> Iterator[bytes]:
    file.seek(part.start)
    left = part.size
    while left:
        block = file.read(min(PIECE, left))
        if not block:
            raise _UnusableError("becomes shorter while it is read")
        whole.update(block)
        left -= len(block)
        yield block
