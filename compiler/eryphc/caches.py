"""The user's cache folder as a whole: what is in it, and keeping it small, empty or sound.

`named` is the folder that a user chose, None for the default; `waiting` is called where another
run works on the same. All raise `EryphcError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path
from eryphc.store import collect, upkeep
from eryphc.store.content import Store
from eryphc.store.faults import StoreError
from eryphc.store.folder import Folder, existing_folder
from eryphc.store.places import cache_folder
from eryphc.store.seals import OUTPUT_RECORD, TRUST_NOTE, Seals, seals

if TYPE_CHECKING:
    from eryphc.store.index import Index

Waiting = Callable[[], None]

__all__ = ("cache_folder", "clear", "info", "prune", "verify")


class CacheInfo(NamedTuple):
    """The folder, and what is in it by kind."""

    path: str
    held: tuple[upkeep.Held, ...]


class CachePruned(NamedTuple):
    """What was removed, and what is left but for disk images.

    `unread` are lock files that are there and could not be read, so that nothing was removed.
    """

    path: str
    files: int
    bytes: int
    left: int
    unread: tuple[str, ...]
    diagnostics: tuple[ShownDiagnostic, ...]


class CacheVerified(NamedTuple):
    """How many files and records were looked at; `diagnostics` tell of what was damaged.

    `unchecked` tells what kept signatures from being checked: a program that is missing.
    """

    path: str
    checked: int
    diagnostics: tuple[ShownDiagnostic, ...]
    unchecked: tuple[ShownDiagnostic, ...] = ()


def info(named: str | None, environment: Mapping[str, str]) -> CacheInfo:
    """What is in the cache. Makes no cache where there is none."""
    place = cache_folder(named, environment)
    with _faults():
        folder = existing_folder(place)
        if folder is None:
            return CacheInfo(
                shown_path(place), tuple(upkeep.Held(kind, 0, 0) for kind in upkeep.KINDS)
            )
        return CacheInfo(shown_path(folder.root), upkeep.held(folder))


def prune(
    named: str | None,
    environment: Mapping[str, str],
    most: int | None = None,
    waiting: Waiting = lambda: None,
) -> CachePruned:
    """Remove what no lock file and no stored output names and nobody has touched for a day.

    Then the outputs that were used longest ago go, until at most `most` bytes are left.
    """
    place = cache_folder(named, environment)
    found: list[Diagnostic] = []
    with _faults():
        folder = existing_folder(place, found.append)
        if folder is None:
            return CachePruned(shown_path(place), 0, 0, 0, (), ())
        with _index(folder) as index:
            if index is not None:
                index.drop_expired()
            done = collect.prune(Store(folder), index, most=most, waiting=waiting)
    unread = tuple(map(shown_path, done.unread))
    path = shown_path(folder.root)
    return CachePruned(path, done.files, done.bytes, done.left, unread, show(found))


def clear(
    named: str | None,
    environment: Mapping[str, str],
    *,
    volumes: bool = False,
    waiting: Waiting = lambda: None,
) -> CacheInfo:
    """Remove everything but the disk images, with `volumes` these too; gives what was there."""
    place = cache_folder(named, environment)
    with _faults():
        folder = existing_folder(place)
        if folder is None:
            return CacheInfo(shown_path(place), ())
        return CacheInfo(
            shown_path(folder.root), upkeep.clear(folder, volumes=volumes, waiting=waiting)
        )


def verify(
    named: str | None, environment: Mapping[str, str], waiting: Waiting = lambda: None
) -> CacheVerified:
    """Hash everything in the cache, check all seals and signatures; what is damaged is removed."""
    from eryphc.volumes.upkeep import verify_images

    place = cache_folder(named, environment)
    with _faults():
        folder = existing_folder(place)
        if folder is None:
            return CacheVerified(shown_path(place), 0, ())
        own = seals(environment)
        found: list[Diagnostic] = []
        unchecked: list[Diagnostic] = []
        store = Store(folder)
        with _index(Folder(folder.root, found.append)) as index:
            checks = _checks(own, store, unchecked)
            content = upkeep.verify(store, checks, index, waiting)
        images = verify_images(folder, own, waiting)
    damaged = (*content.damaged, *found, *images.damaged)
    checked = content.checked + images.checked
    path = shown_path(folder.root)
    return CacheVerified(path, checked, show(damaged), show(dict.fromkeys(unchecked)))


def _checks(own: Seals, store: Store, unchecked: list[Diagnostic]) -> upkeep.Checks:
    def is_signed(identity: str, manifest: bytes) -> bool:
        from eryphc.genepool.signatures import is_signed_well
        from eryphc.signing import SigningError

        try:
            return is_signed_well(manifest, store.blob(identity))
        except SigningError as fault:
            unchecked.append(fault.diagnostic)
            return True

    def is_good(key: str, value: bytes) -> bool:
        if not key.startswith(collect.OUTPUTS):
            return True
        return own.opened(OUTPUT_RECORD, value, key.rpartition("/")[2]) is not None

    return upkeep.Checks(
        manifest=is_signed,
        note=lambda note: own.opened(TRUST_NOTE, note) is not None,
        record=is_good,
    )


@contextmanager
def _index(folder: Folder) -> Iterator[Index | None]:
    """The index of a cache, None where it has none: then the library is not imported."""
    if not folder.path("index").is_dir():
        yield None
        return
    from eryphc.store.index import Index

    with Index(folder) as index:
        yield index


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise EryphcError.of(error.failure, error.diagnostic) from error
