"""Where disk images lie in the user's cache, names of their files, and locks between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eryphc.digests import Digest
from eryphc.identifiers import GeneId
from eryphc.store.faults import StoreError
from eryphc.store.folder import Folder, Parts, open_folder
from eryphc.volumes.faults import VolumeError


def stored(cache: Path, digest: Digest) -> Path:
    """The place of an image as published, by its digest."""
    return cache / "volumes" / digest.algorithm / digest.hex


def converted(cache: Path, key: str) -> Path:
    """The place of a VHD that was made of an image, by its `conversion_key`."""
    return cache / "volumes" / "converted" / f"{key}.vhd"


def image_name(gene: GeneId, format: str) -> str:  # noqa: A002
    """The name of a file for the volume of a gene: letters, digits, dots and dashes."""
    geneset = gene.geneset
    return "-".join((geneset.organization, geneset.geneset, geneset.tag, gene.name)) + f".{format}"


def opened(cache: Path) -> Folder:
    """The cache folder, made if it is not there. Raises VolumeError for one that is not ours."""
    try:
        return open_folder(cache)
    except StoreError as error:
        raise VolumeError(error.diagnostic, outside=True) from error


def record_of(key: str) -> Parts:
    """The way to the sealed record of a converted disk below the cache folder."""
    return ("volumes", "converted", f"{key}.record")


def private_parent(cache: Folder, place: Path) -> None:
    """Make the folder in the cache where `place` is to lie. Raises VolumeError."""
    try:
        cache.made(*place.parent.relative_to(cache.root).parts)
    except StoreError as error:
        raise VolumeError(error.diagnostic, outside=True) from error


@contextmanager
def locked(cache: Folder, place: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `place` against other runs; `waiting` is called if another run has it.

    Raises VolumeError.
    """
    try:
        with cache.locked_place(place, waiting):
            yield
    except StoreError as error:
        raise VolumeError(error.diagnostic, outside=True) from error
