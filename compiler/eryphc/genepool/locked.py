"""A chain of pools that gives what the lock pins, and says where that differs from the pools.

Source: docs/reference/lock.md, "What a build does with a lock".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import lock as wording
from eryphc.diagnostics.model import Diagnostic, Level, Outcome
from eryphc.frozen import NamedTuple
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.contents import contents_of, final_name
from eryphc.genepool.model import GenePool, GeneSetTag, GeneText, Manifest, Variant
from eryphc.identifiers import GeneSetId, GeneType
from eryphc.lockfile.model import MOST_REFERENCES, Entry, Lock, NamedPool, entry_digest
from eryphc.lockfile.reading import place_of
from eryphc.source import SourceText, Span

if TYPE_CHECKING:
    from eryphc.genepool.spare import SparePool

_NO_TEXT: Final = SourceText("eryph.lock", "", regions=())


class _Other(NamedTuple):
    """What a pool has that is not what the lock pins; `files` are the texts that differ."""

    pool: GenePool
    found: Outcome[GeneSetTag]
    files: frozenset[str] = frozenset()


class LockedChain(PoolChain):
    """The pools of `chain`, with what `lock` pins. `named` says how the lock calls a pool.

    With `strict` every gene set must be in the lock, and nothing may stand in its way. `offline`:
    remote pools ask nobody. `spare` is asked for what is pinned and nowhere else at hand.
    """

    def __init__(
        self,
        chain: PoolChain,
        lock: Lock,
        named: Callable[[GenePool], NamedPool],
        *,
        strict: bool,
        offline: bool = False,
        spare: SparePool | None = None,
    ) -> None:
        super().__init__(chain.pools)
        self._spare = spare
        self._lock = lock
        self._named = named
        self._strict = strict
        self._offline = offline

    def _find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        entry = self._lock.sets.get(str(geneset))
        final = self._lock.final(str(geneset))
        if entry is None or final is None:
            return self._not_locked(geneset)
        # What a remote pool has under the tag by now does not matter, and costs a request.
        holders = tuple(
            pool
            for pool in self.owners(geneset)
            if not _is_remote(pool) and pool.find(geneset) is not None
        )
        if entry.ref is not None and entry.pool is None:
            return self._reference(geneset, entry.ref, self._lock.sets[final], holders)
        if entry.pinned:
            return self._pinned(geneset, entry, holders)
        return self._local(geneset, entry, holders)

    def is_at_hand(self, geneset: GeneSetId) -> bool:
        entry = self._lock.sets.get(str(geneset))
        if entry is None:
            return False
        if entry.digest is None:
            return True
        from eryphc.genepool.remote import RemotePool

        own = (pool for pool in self.ordered() if self._is_own(entry, pool))
        pool = next((pool for pool in own if isinstance(pool, RemotePool)), None)
        return pool is None or pool.at_hand(geneset, entry)

    def lock_notes(self, geneset: GeneSetId) -> Iterator[tuple[str, str | None]]:
        """What finding a gene set takes from the lock: the digest of each entry, by its name."""
        name: str | None = str(geneset)
        for _ in range(MOST_REFERENCES + 1):
            if name is None:
                return
            entry = self._lock.sets.get(name)
            yield name, None if entry is None else entry_digest(entry)
            name = None if entry is None else entry.ref

    def _not_locked(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        name = str(geneset)
        if self._strict:
            return Outcome(None, (wording.incomplete(name, None),))
        found = super()._find(geneset)
        if found is None:
            return None
        pool = next(self.holders(geneset))
        if found.value is None or found.value.manifest.ref or self._named(pool).local:
            return found
        more = wording.resolved_for_this_build(name)
        return Outcome(found.value, (*found.diagnostics, more))

    def _reference(
        self, geneset: GeneSetId, ref: str, final: Entry, holders: tuple[GenePool, ...]
    ) -> Outcome[GeneSetTag]:
        """The tag stands for what the lock says, wherever the pools lead by now."""
        before = self._before(final, holders)
        if before is not None:
            found = before.find(geneset)
            if found is not None and (found.value is None or _ref(found.value) != ref):
                return self._other(geneset, final, _Other(before, found))
        place = place_of(self._lock, str(geneset))
        return Outcome(_Reference(geneset, ref, place))

    def _pinned(
        self, geneset: GeneSetId, entry: Entry, holders: tuple[GenePool, ...]
    ) -> Outcome[GeneSetTag]:
        """The first pool with the pinned content, unless one before its own has other content."""
        pinned = entry.files or {}
        same: Outcome[GeneSetTag] | None = None
        others: list[_Other] = []
        refused: Outcome[GeneSetTag] | None = None
        for pool in holders:
            found = pool.find(geneset)
            if found is None or found.value is None:
                if _is_refused(found) and pool is not self._before(entry, holders):
                    # Another copy of the same content may be signed.
                    refused = found
                    continue
                return found or self._gone(geneset, entry)
            contents = contents_of(found.value)
            if contents.value is None:
                return Outcome(None, contents.diagnostics)
            files = {file.path: file.digest for file in contents.value.files}
            if files == pinned:
                same = found
                break
            differ = frozenset(path for path, _ in files.items() ^ pinned.items())
            others.append(_Other(pool, found, differ))
        if others and others[0].pool is self._before(entry, holders):
            return self._other(geneset, entry, others[0])
        if same is not None:
            return same
        if entry.digest is not None:
            return self._remote(geneset, entry) or refused or self._gone(geneset, entry)
        if not others:
            spare = None if self._spare is None else self._spare.tag(geneset, entry)
            return spare or refused or self._gone(geneset, entry)
        own = next((each for each in others if self._is_own(entry, each.pool)), others[0])
        return Outcome(None, (self._changed(geneset, entry, own),))

    def _remote(self, geneset: GeneSetId, entry: Entry) -> Outcome[GeneSetTag] | None:
        """The content of the pool that the lock names, by its identity."""
        from eryphc.genepool.remote import RemotePool

        for pool in self.ordered():
            if isinstance(pool, RemotePool) and self._is_own(entry, pool):
                if self._spare is not None and not pool.at_hand(geneset, entry):
                    self._spare.restock(geneset, entry)
                return self._agreed(geneset, entry, pool, pool.locked(geneset, entry))
        return None

    def _agreed(
        self,
        geneset: GeneSetId,
        entry: Entry,
        pool: GenePool,
        found: Outcome[GeneSetTag] | None,
    ) -> Outcome[GeneSetTag] | None:
        """What the identity of an entry leads to, if its `files` say the same: who edits one of
        them by hand leaves the other.
        """
        from eryphc.genepool.pinned import PinnedTag

        if found is None or not isinstance(found.value, PinnedTag):
            return found
        pinned = entry.files or {}
        differ = {
            file.path
            for file in found.value.config.files
            if pinned.get(file.path, file.digest) != file.digest
        }
        if not differ:
            return found
        other = _Other(pool, found, frozenset(differ))
        return Outcome(None, (self._changed(geneset, entry, other),))

    def _gone(self, geneset: GeneSetId, entry: Entry) -> Outcome[GeneSetTag]:
        place = place_of(self._lock, str(geneset))
        name, pool = str(geneset), entry.pool or ""
        own = [each for each in self.ordered() if self._is_own(entry, each)]
        if self._offline and any(map(_is_remote, own)):
            return Outcome(None, (wording.content_not_fetched(name, pool, place),))
        # A folder with another name is found by its content.
        gone = wording.content_gone if own or entry.digest is None else wording.pool_gone
        return Outcome(None, (gone(name, pool, place, self.labels()),))

    def _local(
        self, geneset: GeneSetId, entry: Entry, holders: tuple[GenePool, ...]
    ) -> Outcome[GeneSetTag] | None:
        """What is there now: the set is committed with the lock."""
        found = super()._find(geneset)
        if found is None or self._named(holders[0]).local:
            return found
        return self._other(geneset, entry, _Other(holders[0], found))

    # -- what differs -----------------------------------------------------------------------

    def _before(self, entry: Entry, holders: tuple[GenePool, ...]) -> GenePool | None:
        """The pool that has the gene set and comes before the one that the lock names."""
        if not holders:
            return None
        for pool in self.ordered():
            if self._is_own(entry, pool):
                return None
            if pool is holders[0]:
                return pool
        return None

    def _is_own(self, entry: Entry, pool: GenePool) -> bool:
        return self._named(pool).name == entry.pool

    def _other(self, geneset: GeneSetId, entry: Entry, other: _Other) -> Outcome[GeneSetTag]:
        """What a pool of higher priority has instead. An author may just have put it there."""
        changed = self._changed(geneset, entry, other)
        if self._strict:
            return Outcome(None, (changed,))
        note = changed._replace(level=Level.NOTE)
        return Outcome(other.found.value, (*other.found.diagnostics, note))

    def _changed(self, geneset: GeneSetId, entry: Entry, other: _Other) -> Diagnostic:
        place = place_of(self._lock, str(geneset))
        named = self._named(other.pool).name
        return wording.changed(str(geneset), named, entry.pool or "", other.files, place)


def _is_remote(pool: GenePool) -> bool:
    if "eryphc.genepool.remote" not in sys.modules:
        return False
    from eryphc.genepool.remote import RemotePool

    return isinstance(pool, RemotePool)


def _is_refused(found: Outcome[GeneSetTag] | None) -> bool:
    """Whether a project does not trust what a pool has."""
    if found is None or "eryphc.genepool.trust" not in sys.modules:
        return False
    from eryphc.genepool.trust import is_refusal

    return any(map(is_refusal, found.diagnostics))


def _ref(tag: GeneSetTag) -> str | None:
    return None if tag.manifest.ref is None else final_name(tag.manifest.ref)


class _Reference:
    """A tag that stands for the one that the lock names."""

    def __init__(self, geneset: GeneSetId, ref: str, place: Span | None) -> None:
        self.id = geneset
        source = _NO_TEXT if place is None else place.source
        self.manifest = Manifest(source=source, ref=ref, ref_span=place)

    def names(self, kind: GeneType) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def variants(self, kind: GeneType, name: str) -> Outcome[tuple[Variant, ...]]:  # noqa: ARG002
        return Outcome(())

    def read(self, variant: Variant) -> Outcome[GeneText]:  # noqa: ARG002
        return Outcome(None)
