"""Cached outputs of builds: those of earlier runs are taken, those of this run are kept.

Secrets never enter: what has one is compiled each time.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.artifacts.manifest import MANIFEST_NAME
from eryphc.caching.asked import Surroundings, asked_of, key_of, spec_path, tool_here
from eryphc.caching.finding import Finder, Given
from eryphc.caching.record import OutputRecord, encoded, record_of
from eryphc.caching.shelves import OUTPUTS, FolderShelf, OwnShelf, Shelf
from eryphc.canonical import digest_of
from eryphc.diagnostics import command
from eryphc.diagnostics import store as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.diagnostics.words import os_reason
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.project.locations import POOLS_VARIABLE
from eryphc.provenance.tool import code_digest
from eryphc.request import BuildRequest
from eryphc.source import shown_path
from eryphc.store.content import Store
from eryphc.store.faults import StoreError
from eryphc.store.folder import open_folder
from eryphc.store.index import Index
from eryphc.store.places import cache_folder
from eryphc.store.seals import OUTPUT_RECORD, seals
from eryphc.targets import Target

if TYPE_CHECKING:
    from eryphc.answers import Built
    from eryphc.artifacts.file import WrittenFile
    from eryphc.authoring.packing import Packed
    from eryphc.lockfile.model import Entry
    from eryphc.session import Session


class CacheUse(NamedTuple):
    """Which caches a build has: the user's own, a folder to read from, a folder to write."""

    own: bool = False
    source: Path | None = None
    target: Path | None = None


class _Kept(NamedTuple):
    """An output of this run: its record, as data and sealed, whether another machine may take it,
    and whether this run has made it."""

    key: str
    target: Target
    record: OutputRecord
    sealed: bytes
    shareable: bool
    made: bool


class OutputCache:
    """The caches of one run. `found` are findings beside any specification.

    A build that asks for caches in a checkout of the tool has none: nobody knows what compiled.
    Raises `EryphcError` for a cache that is not the user's own, for a key that is none, and for
    folders that were not written by `--cache-to`.
    """

    def __init__(
        self,
        use: CacheUse,
        environment: Mapping[str, str],
        genepools: Sequence[str] = (),
        *,
        locked: bool = False,
    ) -> None:
        self._target = use.target
        if use.target is not None:
            _must_be_replaceable(use.target)
        self.spare = None if use.source is None else spare_in(use.source)
        self._heard: list[Diagnostic] = []
        self._environment = environment
        self._kept: list[_Kept] = []
        self._keys: dict[tuple[str, Target], str] = {}
        self._folders: dict[Path, None] = {}
        self._own: OwnShelf | None = None
        self._around: Surroundings | None = None
        shelves: list[Shelf] = []
        try:
            self._seals = seals(environment)
            code = code_digest()
            if code is None:
                self._heard.append(wording.no_output_cache())
            else:
                pools = (*genepools, environment.get(POOLS_VARIABLE, ""))
                self._around = Surroundings(tool_here(code), pools, environment, locked)
                if use.own:
                    folder = open_folder(cache_folder(None, environment), self._heard.append)
                    self._own = OwnShelf(Store(folder), Index(folder))
                    shelves.append(self._own)
        except StoreError as error:
            raise EryphcError.of(error.failure, error.diagnostic) from error
        if self.spare is not None:
            shelves.append(FolderShelf(self.spare))
        self._finder = Finder(shelves, self._seals)

    @property
    def found(self) -> tuple[ShownDiagnostic, ...]:
        """What was found since somebody asked last."""
        heard = [*self._heard, *self._finder.found]
        self._heard.clear()
        self._finder.found.clear()
        return show(heard)

    @property
    def writes(self) -> bool:
        """Whether a folder for other jobs is written."""
        return self._target is not None

    def restored(
        self, name: str, targets: Sequence[Target], request: BuildRequest
    ) -> tuple[Built, ...] | None:
        """The outputs of all targets of a specification; None where one has to be made."""
        path = spec_path(name)
        if path is not None:
            self._folders[path.parent] = None
        asked = None if self._around is None else asked_of(name, request, self._around)
        if asked is None:
            return None
        given = Given(request, self._environment)
        found: list[Built] = []
        kept: list[_Kept] = []
        for target in targets:
            key = key_of(asked, target, request)
            self._keys[name, target] = key
            try:
                output = self._finder.output(asked, key, target, given)
            except StoreError:
                # A cache that cannot be read is as good as an empty one.
                output = None
            if output is None:
                return None
            built, record, sealed = output
            shareable = asked.shareable and record.shareable
            found.append(built)
            kept.append(_Kept(key, target, record, sealed, shareable, made=False))
        self._kept += kept
        return tuple(found)

    def keep(
        self, name: str, request: BuildRequest, built: Built, written: Sequence[WrittenFile]
    ) -> None:
        """Take in what was built and staged; `settle` keeps it for later runs.

        Nothing is taken of a build with a secret, nor of one whose inputs are not all known.
        """
        asked = None if self._around is None else asked_of(name, request, self._around)
        if asked is None:
            return
        key = key_of(asked, built.target, request)
        if self._keys.get((name, built.target), key) != key:
            # A file has changed since: nobody knows which of the two was built.
            return
        made = record_of(built, written, asked.root)
        body = None if made is None else encoded(made[0])
        if made is None or body is None:
            return
        record, manifest = made
        if self._own is not None:
            try:
                self._own.put_blob(manifest)
                for file in built.files.values():
                    assert isinstance(file.content, bytes)  # noqa: S101 - looked at by `record_of`
                    self._own.put_blob(file.content)
            except StoreError as error:
                self._give_up(error)
        sealed = self._seals.sealed(OUTPUT_RECORD, body, key)
        shareable = asked.shareable and record.shareable
        self._kept.append(_Kept(key, built.target, record, sealed, shareable, made=True))

    def settle(self) -> None:
        """Keep what was built, now that it stands in its place."""
        for kept in self._kept if self._own is not None else ():
            if kept.made and self._own is not None:
                self._own.put_record(kept.key, kept.sealed)

    def write(self, session: Session, places: Mapping[tuple[str, Target], Path]) -> None:
        """Write the folder for other jobs: locked genes, and with a shared key outputs too.

        `places` are the folders of the targets, by the catlet. Raises `EryphcError`.
        """
        from eryphc.artifacts.trees import write_tree
        from eryphc.genepool.layout import is_layout, layout_files

        if self._target is None:
            return
        files: dict[str, bytes | _File] = {
            **layout_files(each.entry for each in _genes(session, self._folders))
        }
        for kept in self._kept if self._seals.shared else ():
            place = places.get((kept.record.catlet, kept.target))
            if place is None or not kept.shareable:
                continue
            files[f"{OUTPUTS}/{kept.key}"] = kept.sealed
            listed = [(file.path, file.sha256) for file in kept.record.files]
            for path, sha256 in (*listed, (MANIFEST_NAME, kept.record.manifest)):
                files.setdefault(f"blobs/sha256/{sha256}", _File(place / path, sha256))
        if self._around is not None and not self._seals.shared:
            self._heard.append(wording.no_key_for_outputs(shown_path(self._target)))
        try:
            written = write_tree(self._target, _Files(files), is_layout)
        except OSError as error:
            reason = os_reason(error)
            shown = shown_path(self._target)
            raise EryphcError.of(Failure.OUTSIDE, command.file_unwritable(shown, reason)) from error
        if not written:
            _must_be_replaceable(self._target)

    def close(self) -> None:
        """End the use of the caches."""
        if self._own is not None:
            self._own.close()

    def _give_up(self, error: StoreError) -> None:
        """A cache that cannot be written ends no build."""
        self._heard.append(wording.outputs_not_kept(error.diagnostic.message))
        self.close()
        self._own = None


class _File(NamedTuple):
    """A file of an output that stands in its place."""

    path: Path
    sha256: str


class _Files(Mapping[str, bytes]):
    """Files by their paths; those of outputs are read when they are asked for."""

    def __init__(self, files: Mapping[str, bytes | _File]) -> None:
        self._files = dict(sorted(files.items()))

    def __getitem__(self, name: str) -> bytes:
        """Raises OSError, also for a file that somebody has changed meanwhile."""
        found = self._files[name]
        if isinstance(found, bytes):
            return found
        data = found.path.read_bytes()
        if digest_of(data) != f"sha256:{found.sha256}":
            raise OSError(errno.ESTALE, f"{shown_path(found.path)} has changed meanwhile")
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _genes(session: Session, folders: Iterable[Path]) -> Sequence[Packed]:
    """The images of all that the locks of these folders pin, as far as they can be had."""
    from eryphc.authoring.closure import images_of
    from eryphc.identifiers import GeneSetId
    from eryphc.syntax.identifiers import parse_gene_set

    opener = session.opener
    found: dict[GeneSetId, Packed] = {}
    for folder in folders:
        path = opener.lock_path(folder)
        lock = opener.lock(path).value if opener.has_lock(path) else None
        chain = opener.chain(folder).value
        if lock is None or chain is None:
            continue
        parsed = map(parse_gene_set, sorted(lock.sets))
        names = [each for each in parsed if isinstance(each, GeneSetId)]
        pinned = [each for each in names if not lock.sets[str(each)].is_local]
        opener.acquire(pinned, chain)
        for image in images_of(pinned, chain):
            entry = lock.sets.get(str(image.id))
            if entry is not None and _is_pinned(image, entry):
                found.setdefault(image.id, image)
    return tuple(found[each] for each in sorted(found))


def _is_pinned(image: Packed, entry: Entry) -> bool:
    """Whether an image is what the lock pins, not what a pool has now."""
    from eryphc.project.locking import LOCKED_TYPES

    if entry.digest is not None:
        return image.image.identity == entry.digest
    files = image.contents.files
    pinned = {file.path: file.digest for file in files if file.type in LOCKED_TYPES}
    return pinned == entry.files


def spare_in(folder: Path) -> Path | None:
    """A folder of `--cache-from`, None where nothing is there yet.

    Raises `EryphcError` for a folder of another kind.
    """
    try:
        if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
            return None
    except OSError as error:
        reason = os_reason(error)
        fault = command.file_unreadable(shown_path(folder), reason)
        raise EryphcError.of(Failure.OUTSIDE, fault) from error
    from eryphc.genepool.layout import is_layout

    if not is_layout(folder):
        raise EryphcError.of(Failure.USAGE, command.pool_no_layout(str(folder), "--cache-from"))
    return folder


def _must_be_replaceable(folder: Path) -> None:
    """Raises `EryphcError` for what `--cache-to` did not write."""
    if not os.path.lexists(folder):
        return
    from eryphc.genepool.layout import LAYOUT_FILE, is_layout

    try:
        ours = not folder.is_symlink() and folder.is_dir()
        ours = ours and (not any(folder.iterdir()) or is_layout(folder))
    except OSError:
        ours = False
    if not ours:
        shown = shown_path(folder)
        raise EryphcError.of(Failure.USAGE, command.not_replaced(shown, LAYOUT_FILE))
