"""Finds the output of an earlier build, and takes it only if all that it needs is unchanged."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence

from eryphc.answers import Built
from eryphc.caching.asked import Asked
from eryphc.caching.record import OutputRecord, decoded, restored, with_lock
from eryphc.caching.shelves import Shelf
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.store import outputs_not_trusted
from eryphc.frozen import NamedTuple
from eryphc.reads import Note, disk_unchanged, text_note, unchanged
from eryphc.request import BuildRequest, values_in
from eryphc.store.seals import OUTPUT_RECORD, Seals
from eryphc.targets import Target


class Given(NamedTuple):
    """What variables are given now: by the request, and by the environment."""

    request: BuildRequest
    environment: Mapping[str, str]

    def value(self, name: str) -> str | None:
        """What a variable that the catlet declares is given; `name` is in lower case."""
        values = {given.lower(): text for given, text in self.request.values.items()}
        if name in values:
            return values[name]
        in_environment = values_in(self.environment).items()
        return next((text for given, text in in_environment if given.lower() == name), None)


class Output(NamedTuple):
    """An output that can be taken, its record, and that record as it is sealed."""

    built: Built
    record: OutputRecord
    sealed: bytes


class Finder:
    """Looks on shelves in order. `found` are notes about records that are not trusted."""

    def __init__(self, shelves: Sequence[Shelf], seals: Seals) -> None:
        self._shelves = shelves
        self._seals = seals
        self._distrusted: set[str] = set()
        self._looks = Looks()
        self.found: list[Diagnostic] = []

    def output(self, asked: Asked, key: str, target: Target, given: Given) -> Output | None:
        """The output with this key; None where it has to be made."""
        for shelf in self._shelves:
            sealed = shelf.record(key)
            if sealed is None:
                continue
            body = self._seals.opened(OUTPUT_RECORD, sealed, key)
            if body is None:
                if not shelf.own:
                    self._distrust(shelf)
                continue
            record = decoded(body)
            if record is None or not is_unchanged(
                record, asked, given, self._looks, by_state=shelf.own
            ):
                continue
            built = _taken(record, target, shelf)
            if built is not None:
                lock = asked.lock
                digest = None if lock is None or lock.source is None else lock.source.sha256
                if built.facts is not None and digest is not None:
                    built.facts = with_lock(built.facts, f"sha256:{digest}")
                return Output(built, record, sealed)
        return None

    def _distrust(self, shelf: Shelf) -> None:
        if shelf.label not in self._distrusted:
            self._distrusted.add(shelf.label)
            self.found.append(outputs_not_trusted(shelf.label))


class Looks:
    """What one run has seen of files and folders: it looks at each only once, as a build does."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Note], bool] = {}

    def unchanged(self, path: str, note: Note) -> bool:
        known = self._known.get((path, note))
        if known is None:
            known = self._known[path, note] = unchanged(path, note)
        return known


def is_unchanged(
    record: OutputRecord, asked: Asked, given: Given, looks: Looks, *, by_state: bool
) -> bool:
    """Whether all that a record notes is as it was.

    `by_state`: size and times of a disk image may tell that; else it is hashed.
    """
    reads = record.reads
    return (
        all(_same(note, _entry(asked, name)) for name, note in reads.lock.items())
        and all(_same(note, text_note(given.value(name))) for name, note in reads.values.items())
        and all(looks.unchanged(_at(asked, path), note) for path, note in reads.paths.items())
        and all(
            disk_unchanged(_at(asked, path), note, by_state=by_state)
            for path, note in reads.disks.items()
        )
    )


def _same(one: Note, other: Note) -> bool:
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.encode(), other.encode())


def _entry(asked: Asked, name: str) -> Note:
    from eryphc.lockfile.model import entry_digest

    entry = None if asked.lock is None else asked.lock.sets.get(name)
    return None if entry is None else entry_digest(entry)


def _at(asked: Asked, path: str) -> str:
    # A path that lies outside the root is absolute, and stays so.
    return os.path.join(asked.root, path)  # noqa: PTH118


def _taken(record: OutputRecord, target: Target, shelf: Shelf) -> Built | None:
    """The build of a record with all its files; None where one of them is not there whole."""
    manifest = shelf.blob(record.manifest, _MOST_MANIFEST)
    if manifest is None:
        return None
    contents: dict[str, bytes] = {}
    for file in record.files:
        data = shelf.blob(file.sha256, file.size)
        if data is None or len(data) != file.size:
            return None
        contents[file.path] = data
    return restored(record, target, manifest, contents)


_MOST_MANIFEST = 16 * 1024 * 1024
