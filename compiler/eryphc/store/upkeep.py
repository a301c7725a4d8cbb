"""What is in the cache, clearing it, and verifying all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.store import store_damaged
from eryphc.frozen import NamedTuple
from eryphc.store.collect import Records
from eryphc.store.content import MOST_NOTE, Store
from eryphc.store.folder import Entry, Folder

CLEARED: Final = ("blobs", "manifests", "trust", "index", "roots", "tmp")
KINDS: Final = (*CLEARED[:4], "volumes", *CLEARED[4:])
"""The folders whose sizes are told."""


class Held(NamedTuple):
    """How many files of one kind are in the cache, and the bytes that they take on the disk."""

    kind: str
    files: int
    bytes: int


class Checks(NamedTuple):
    """What only others can tell of content whose digest is right.

    `manifest` gets the identity and the manifest of a gene set, `note` a note of trust, `record`
    the key and the value of a record of the index. Each says whether it is good.
    """

    manifest: Callable[[str, bytes], bool] = lambda _identity, _manifest: True
    note: Callable[[bytes], bool] = lambda _note: True
    record: Callable[[str, bytes], bool] = lambda _key, _value: True


class Verified(NamedTuple):
    """How many files and records were looked at, and what was damaged and is removed now."""

    checked: int
    damaged: tuple[Diagnostic, ...]


def held(folder: Folder) -> tuple[Held, ...]:
    """What is in the cache, by kind. Raises StoreError."""
    found: list[Held] = []
    for kind in KINDS:
        entries = list(folder.files(kind))
        found.append(Held(kind, len(entries), sum(entry.size for entry in entries)))
    return tuple(found)


def clear(
    folder: Folder, *, volumes: bool = False, waiting: Callable[[], None] = lambda: None
) -> tuple[Held, ...]:
    """Remove all but the disk images; with `volumes` these too. Gives what was there.

    Raises StoreError. The locks stay, for another run may hold one of them.
    """
    with folder.locked("gc", waiting):
        before = held(folder)
        gone = (*CLEARED[:-1], "volumes") if volumes else CLEARED[:-1]
        for kind in gone:
            folder.remove(kind)
        folder.drop_unfinished()
        return tuple(each for each in before if each.kind in (*gone, "tmp"))


def verify(
    store: Store,
    checks: Checks,
    records: Records | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Verified:
    """Look at everything but the disk images; what is damaged is removed. Raises StoreError."""
    found: list[Diagnostic] = []
    folder = Folder(store.folder.root, found.append)
    own = Store(folder)
    checked = 0
    with folder.locked("gc", waiting):
        for entry in list(folder.files("blobs")):
            checked += 1
            if not _is_blob(folder, entry):
                folder.damaged(*entry.parts)
        for entry in list(folder.files("manifests")):
            checked += 1
            _verify_manifest(own, entry, checks)
        for entry in list(folder.files("trust")):
            checked += 1
            note = folder.read(*entry.parts, limit=MOST_NOTE)
            if note is not None and not (_is_fanned(entry) and checks.note(note)):
                folder.damaged(*entry.parts)
        checked += sum(1 for _ in folder.files("roots"))
        # Reading them removes the damaged ones.
        for _ in own.roots():
            pass
        if records is not None:
            for record in records.records():
                checked += 1
                if not checks.record(record.key, record.value):
                    records.remove(record.key)
                    found.append(store_damaged(f"index/{record.key}"))
    return Verified(checked, tuple(found))


def _is_blob(folder: Folder, entry: Entry) -> bool:
    """Whether a file among the blobs has the hash that its name says."""
    return _is_fanned(entry) and folder.sha256(*entry.parts) == "".join(entry.parts[-2:])


def _verify_manifest(store: Store, entry: Entry, checks: Checks) -> None:
    if not _is_fanned(entry):
        store.folder.damaged(*entry.parts)
        return
    identity = f"sha256:{''.join(entry.parts[-2:])}"
    manifest = store.manifest(identity)
    if manifest is not None and not checks.manifest(identity, manifest):
        store.folder.damaged(*entry.parts)


def _is_fanned(entry: Entry) -> bool:
    """Whether the name of a file is one that the store gives."""
    depth = 4 if entry.parts[0] == "blobs" else 3
    two, rest = entry.parts[-2:]
    return (
        len(entry.parts) == depth
        and (len(two), len(rest)) == (2, 62)
        and not set(two + rest) - set("0123456789abcdef")
    )
