"""Cached outputs of builds: those of earlier runs are taken, those of this run are kept.

Secrets never enter: what has one is compiled each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.caching.asked import Surroundings, asked_of, key_of, tool_here
from eryphc.caching.finding import Finder, Given
from eryphc.caching.record import encoded, record_of
from eryphc.caching.shelves import FolderShelf, OwnShelf, Shelf
from eryphc.diagnostics import store as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError
from eryphc.frozen import NamedTuple
from eryphc.provenance.tool import code_digest
from eryphc.request import BuildRequest
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


class CacheUse(NamedTuple):
    """Which caches a build has: the user's own, a folder to read from, a folder to write."""

    own: bool = False
    source: Path | None = None
    target: Path | None = None


class _Kept(NamedTuple):
    """An output of this run: its sealed record, whether another machine may take it, and whether
    this run has made it."""

    key: str
    sealed: bytes
    shareable: bool
    made: bool


class OutputCache:
    """The caches of one run. `found` are findings beside any specification.

    A build that asks for caches in a checkout of the tool has none: nobody knows what compiled.
    Raises `EryphcError` for a cache that is not the user's own, and for a key that is none.
    """

    def __init__(
        self,
        use: CacheUse,
        environment: Mapping[str, str],
        genepools: Sequence[str] = (),
        *,
        locked: bool = False,
    ) -> None:
        self._heard: list[Diagnostic] = []
        self._environment = environment
        self._kept: list[_Kept] = []
        self._keys: dict[tuple[str, Target], str] = {}
        self._own: OwnShelf | None = None
        self._around: Surroundings | None = None
        self._finder: Finder | None = None
        code = code_digest()
        if code is None:
            self._heard.append(wording.no_output_cache())
            return
        pools = (*genepools, environment.get("ERYPHC_GENEPOOL", ""))
        self._around = Surroundings(tool_here(code), pools, environment, locked)
        try:
            self._seals = seals(environment)
            shelves: list[Shelf] = []
            if use.own:
                folder = open_folder(cache_folder(None, environment), self._heard.append)
                self._own = OwnShelf(Store(folder), Index(folder))
                shelves.append(self._own)
        except StoreError as error:
            raise EryphcError.of(error.failure, error.diagnostic) from error
        if use.source is not None:
            shelves.append(FolderShelf(use.source))
        self._finder = Finder(shelves, self._seals)

    @property
    def found(self) -> tuple[ShownDiagnostic, ...]:
        """What was found since somebody asked last."""
        heard = [*self._heard, *(() if self._finder is None else self._finder.found)]
        self._heard.clear()
        if self._finder is not None:
            self._finder.found.clear()
        return show(heard)

    def restored(
        self, name: str, targets: Sequence[Target], request: BuildRequest
    ) -> tuple[Built, ...] | None:
        """The outputs of all targets of a specification; None where one has to be made."""
        if self._around is None or self._finder is None:
            return None
        asked = asked_of(name, request, self._around)
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
            found.append(output[0])
            kept.append(_Kept(key, output[1], asked.shareable, made=False))
        self._kept += kept
        return tuple(found)

    def keep(
        self, name: str, request: BuildRequest, built: Built, written: Sequence[WrittenFile]
    ) -> None:
        """Take in what was built and staged; `settle` keeps it for later runs.

        Nothing is taken of a build with a secret, nor of one whose inputs are not all known.
        """
        if self._around is None:
            return
        asked = asked_of(name, request, self._around)
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
        self._kept.append(_Kept(key, sealed, asked.shareable and record.shareable, made=True))

    def settle(self) -> None:
        """Keep what was built, now that it stands in its place."""
        if self._own is None:
            return
        for kept in self._kept:
            if kept.made:
                self._own.put_record(kept.key, kept.sealed)

    def close(self) -> None:
        """End the use of the caches."""
        if self._own is not None:
            self._own.close()

    def _give_up(self, error: StoreError) -> None:
        """A cache that cannot be written ends no build."""
        self._heard.append(wording.outputs_not_kept(error.diagnostic.message))
        if self._own is not None:
            self._own.close()
        self._own = None
