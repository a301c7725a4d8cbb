"""What specifications need to a lock: a walk over the pools, which keeps what is pinned already.

Source: docs/reference/lock.md, "lock and update".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from eryphc.diagnostics import lock as wording
from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.contents import (
    MANIFEST_TYPE,
    TagContents,
    contents_of,
    disk_path,
    final_name,
)
from eryphc.genepool.files import place_of
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.genepool.remote import Fetched, RemotePool
from eryphc.identifiers import GeneSetId, GeneType
from eryphc.lockfile.model import Entry, Lock, LockedDisk, NamedPool, walk
from eryphc.passes.naming import requires_of
from eryphc.passes.resolve import resolve
from eryphc.source import Span, shown_path
from eryphc.syntax.identifiers import parse_gene_set


class LockedSpec(NamedTuple):
    """A specification as a lock sees it: its path from the folder of the lock, the folder that it
    lies in, and the gene sets that it names, each with its place."""

    path: str
    folder: Path
    names: Mapping[GeneSetId, Span | None]


class Resolved(NamedTuple):
    """A new lock, and the content of each tag that was looked up for it."""

    lock: Lock
    contents: Mapping[str, TagContents]


class Resolver:
    """Makes the entries of one lock. `pools` opens those of a folder, `named` says how the lock
    calls one of them, `anew` which gene sets are looked up although the old lock pins them.
    `hashed` gives the SHA-256 of a disk file as `sha256:` and hex digits, or raises OSError."""

    def __init__(
        self,
        old: Lock,
        pools: Callable[[Path], Outcome[PoolChain]],
        named: Callable[[GenePool], NamedPool],
        anew: Callable[[str], bool],
        hashed: Callable[[Path], str],
    ) -> None:
        self._old = old
        self._pools = pools
        self._named = named
        self._anew = anew
        self._hashed = hashed
        self._sets: dict[str, Entry] = {}
        # The specification for which a gene set was looked up, and how the lock calls its pool.
        self._by: dict[str, tuple[str, str]] = {}
        self._contents: dict[str, TagContents] = {}
        self._found: list[Diagnostic] = []

    def resolved(
        self, specs: Sequence[LockedSpec], kept: Mapping[str, tuple[str, ...]]
    ) -> Outcome[Resolved]:
        """The lock for `specs`, which are read anew, and for the specifications in `kept`.

        Errors: gene sets that no pool has, texts that cannot be read, one gene set from two pools.
        """
        for spec in sorted(specs):
            chain = self._pools(spec.folder)
            self._found += chain.diagnostics
            if chain.value is not None:
                self._follow(spec, chain.value)
        named = {spec.path: tuple(sorted(map(str, spec.names))) for spec in specs}
        roots = {**kept, **named}
        for name, entry in self._old.sets.items():
            if name not in self._sets and not self._anew(name):
                self._sets[name] = entry
        if has_errors(self._found):
            return Outcome(None, tuple(self._found))
        reached = walk(self._sets, roots).reached
        lock = Lock(
            FrozenMap({name: self._sets[name] for name in sorted(reached)}),
            FrozenMap(dict(sorted(roots.items()))),
        )
        contents = {name: each for name, each in self._contents.items() if name in reached}
        return Outcome(Resolved(lock, FrozenMap(contents)), tuple(self._found))

    def _follow(self, spec: LockedSpec, chain: PoolChain) -> None:
        waiting: list[tuple[GeneSetId, Span | None]] = list(spec.names.items())
        seen: set[GeneSetId] = set()
        while waiting:
            geneset, span = waiting.pop(0)
            if geneset in seen:
                continue
            seen.add(geneset)
            entry = self._entry(geneset, span, spec, chain)
            for name in () if entry is None else entry.names:
                parsed = parse_gene_set(name)
                if isinstance(parsed, GeneSetId):
                    waiting.append((parsed, span))

    def _entry(
        self, geneset: GeneSetId, span: Span | None, spec: LockedSpec, chain: PoolChain
    ) -> Entry | None:
        name = str(geneset)
        known = self._sets.get(name)
        if known is not None and name not in self._by:
            return known
        old = self._old.sets.get(name)
        if known is None and old is not None and not self._anew(name) and not old.is_local:
            self._sets[name] = old
            return old
        # Also finds references that lead nowhere, or in a circle.
        tag = resolve(geneset, chain, span)
        self._found += tag.diagnostics
        found = None if tag.value is None else chain.find(geneset)
        if found is None or found.value is None:
            return None
        holder = next(chain.holders(geneset))
        pool = self._named(holder)
        if known is not None:
            by = self._by[name]
            if by[1] != pool.name:
                self._found.append(wording.two_pools(name, by, (spec.path, pool.name)))
            return known
        fetched = holder.fetched(geneset) if isinstance(holder, RemotePool) else None
        entry = self._made(found.value, pool, fetched)
        if entry is not None:
            self._sets[name] = entry
            self._by[name] = (spec.path, pool.name)
        return entry

    def _made(self, tag: GeneSetTag, pool: NamedPool, fetched: Fetched | None) -> Entry | None:
        name = str(tag.id)
        if tag.manifest.ref is not None:
            return Entry(pool=pool.name if pool.local else None, ref=final_name(tag.manifest.ref))
        contents = contents_of(tag)
        self._found += contents.diagnostics
        if contents.value is None:
            return None
        if fetched is not None:
            self._contents[name] = contents.value
            return _of_image(fetched, pool)
        names = requires_of(contents.value)
        self._found += names.diagnostics
        if names.value is None:
            return None
        self._contents[name] = contents.value
        requires = tuple(map(str, names.value))
        if pool.local:
            return Entry(pool=pool.name, requires=requires)
        files = {file.path: file.digest for file in contents.value.files}
        disks = FrozenMap(dict(sorted(self._disk_files(tag))))
        return Entry(pool=pool.name, requires=requires, files=FrozenMap(files), disks=disks)

    def _disk_files(self, tag: GeneSetTag) -> Iterator[tuple[str, LockedDisk]]:
        """The disks of a tag that are only files, by what their paths are in its canonical form."""
        for name in tag.names(GeneType.VOLUME):
            for variant in tag.variants(GeneType.VOLUME, name).value or ():
                path = None if variant.volume is None else variant.volume.path
                if path is None or tag.read(variant).value is not None:
                    continue
                try:
                    digest = self._hashed(path)
                except OSError as error:
                    reason = os_reason(error, "it cannot be read")
                    self._found.append(
                        pools.file_unreadable(shown_path(path), reason, place_of(path))
                    )
                    continue
                yield disk_path(name, variant.architecture, path.suffix), LockedDisk(digest)


LOCKED_TYPES = (MANIFEST_TYPE, *(each.value for each in GeneType))


def _of_image(fetched: Fetched, pool: NamedPool) -> Entry:
    """A tag from a remote pool: its identity, and where that was found."""
    config = fetched.config
    files = {file.path: file.digest for file in config.files if file.type in LOCKED_TYPES}
    return Entry(
        pool=pool.name,
        requires=tuple(map(str, config.details.requires)),
        files=FrozenMap(files),
        digest=config.identity,
        manifest=fetched.manifest,
        signed=fetched.signed,
        form=config.form,
    )


def with_new_names(lock: Lock, chain: PoolChain, named: Callable[[GenePool], NamedPool]) -> Lock:
    """The lock where remote pools got other names in the project file.

    What a pool that is no more gave comes from the remote pool that owns the gene set now. The
    identity stays, so no other content comes with the name.
    """
    names = {named(pool).name for pool in chain.ordered()}
    sets = dict(lock.sets)
    for name, entry in lock.sets.items():
        geneset = parse_gene_set(name)
        if entry.digest is None or entry.pool in names or not isinstance(geneset, GeneSetId):
            continue
        owner = next((each for each in chain.owners(geneset) if isinstance(each, RemotePool)), None)
        if owner is not None:
            sets[name] = entry._replace(pool=named(owner).name)
    return lock._replace(sets=FrozenMap(sets))


def checked(
    lock: Lock,
    specs: Sequence[LockedSpec],
    pools: Callable[[Path], Outcome[PoolChain]],
    named: Callable[[GenePool], NamedPool],
) -> tuple[Diagnostic, ...]:
    """How a lock differs from what `specs` and local gene sets name now. Nothing pinned is read."""
    found: list[Diagnostic] = []
    roots = dict(lock.specs)
    sets = dict(lock.sets)
    for spec in sorted(specs):
        now = frozenset(map(str, spec.names))
        if spec.path not in lock.specs:
            found.append(wording.spec_unknown(spec.path))
        elif now != frozenset(lock.specs[spec.path]):
            before = frozenset(lock.specs[spec.path])
            found.append(wording.spec_changed(spec.path, now - before, before - now))
        roots[spec.path] = tuple(sorted(now))
        chain = pools(spec.folder)
        found += chain.diagnostics
        if chain.value is not None:
            found += _local_changes(spec, sets, chain.value, named)
            found += _renamed_pools(lock, with_new_names(lock, chain.value, named))
    reached = walk(sets, roots)
    found += [wording.incomplete(name, by) for name, by in reached.missing.items()]
    return tuple(dict.fromkeys(found))


def _renamed_pools(lock: Lock, renamed: Lock) -> list[Diagnostic]:
    pairs = ((entry.pool or "", renamed.sets[name].pool or "") for name, entry in lock.sets.items())
    return [wording.pool_renamed(*pair) for pair in sorted(set(pairs)) if pair[0] != pair[1]]


def _local_changes(
    spec: LockedSpec,
    sets: dict[str, Entry],
    chain: PoolChain,
    named: Callable[[GenePool], NamedPool],
) -> list[Diagnostic]:
    """Walks from a specification; puts what local sets name now into `sets`."""
    found: list[Diagnostic] = []
    waiting = sorted(map(str, spec.names))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        entry = sets.get(name)
        if name in seen or entry is None:
            continue
        seen.add(name)
        if entry.is_local:
            geneset = parse_gene_set(name)
            assert isinstance(geneset, GeneSetId)  # noqa: S101 - reading the lock checked it
            now = _local_entry(geneset, chain, named, found)
            if now is not None and frozenset(now.names) != frozenset(entry.names):
                added = frozenset(now.names) - frozenset(entry.names)
                gone = frozenset(entry.names) - frozenset(now.names)
                found.append(wording.local_changed(name, added, gone))
                sets[name] = entry = now
        waiting += entry.names
    return found


def _local_entry(
    geneset: GeneSetId,
    chain: PoolChain,
    named: Callable[[GenePool], NamedPool],
    found: list[Diagnostic],
) -> Entry | None:
    for pool in chain.holders(geneset):
        if not named(pool).local:
            continue
        tag = pool.find(geneset)
        if tag is None or tag.value is None:
            found += () if tag is None else tag.diagnostics
            return None
        name = named(pool).name
        if tag.value.manifest.ref is not None:
            return Entry(pool=name, ref=final_name(tag.value.manifest.ref))
        contents = contents_of(tag.value)
        names = None if contents.value is None else requires_of(contents.value)
        found += contents.diagnostics if names is None else names.diagnostics
        if names is None or names.value is None:
            return None
        return Entry(pool=name, requires=tuple(map(str, names.value)))
    return None
