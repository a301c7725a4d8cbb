"""`gene pull`: gene sets from registries into the store, or into a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.answers import Result
from eryphc.diagnostics import command, pools
from eryphc.diagnostics import lock as lock_wording
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import TagContents, contents_of, final_name
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.pinned import PinnedTag
from eryphc.identifiers import GeneSetId
from eryphc.source import shown_path
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GeneSetTag
    from eryphc.lockfile.model import Lock
    from eryphc.session import Session


class PulledSet(NamedTuple):
    """A gene set that is at hand now. `digest` is its identity, None for one that lies in a folder;
    `ref` is the tag that it stands for."""

    geneset: str
    pool: str
    ref: str | None = None
    digest: str | None = None


class Pulled(Result):
    """The gene sets of a closure, sorted; none of them after an error."""

    def __init__(self, sets: Sequence[PulledSet], found: Sequence[Diagnostic]) -> None:
        super().__init__(show(found))
        self.sets = tuple(sets) if self.ok else ()


def pull(
    session: Session,
    genes: Sequence[str],
    into: Path | None = None,
    *,
    disks: Callable[[str, int, int | None], None] | None = None,
) -> Pulled:
    """Fetch gene sets and all that they need, each given as `ORG/SET[/TAG]`.

    With `into` their texts are also written there, as a gene pool. With `disks` also the disks that
    lie in their images come into the user's cache; it hears of one how many bytes of how many have
    arrived. Raises `EryphcError`.
    """
    chain = session.pools()
    names = tuple(_name(gene) for gene in genes)
    session.opener.acquire(names, chain)
    closure = _closure(names, chain)
    return _pulled(session, closure, into, _disks(session, chain, closure, disks))


def pull_lock(
    session: Session,
    into: Path | None = None,
    *,
    disks: Callable[[str, int, int | None], None] | None = None,
) -> Pulled:
    """Fetch all that the lock of the session's folder pins, so that `--frozen` works later."""
    pinned = pinned_sets(session)
    closure = _found(pinned.names, pinned.pools)
    fetched = _disks(session, pinned.pools, closure, disks)
    pulled = _pulled(session, closure, into, fetched)
    if pulled.ok:
        session.opener.remember(pinned.path, pinned.lock)
    return pulled


def _disks(
    session: Session,
    chain: PoolChain,
    closure: Sequence[_Found],
    heard: Callable[[str, int, int | None], None] | None,
) -> list[Diagnostic]:
    """Bring the disks of a closure into the cache; gives what went wrong."""
    if heard is None:
        return []
    from eryphc.disks import pushed_disks
    from eryphc.genepool.image import MOST_VOLUME
    from eryphc.store.places import cache_folder
    from eryphc.volumes.faults import VolumeError
    from eryphc.volumes.fetch import Desk, Policy
    from eryphc.volumes.pushed import assembled

    policy = Policy(MOST_VOLUME, "any disk in an image")
    cache = cache_folder(None, session.environment)
    desk = Desk(session.environment, cache, policy, heard, lambda: None)
    found: list[Diagnostic] = []
    for name, _, tag in closure:
        value = None if tag is None else tag.value
        for disk in () if value is None else pushed_disks(chain, value):
            try:
                assembled(f"gene:{name}:{disk.disk.name}", disk, desk)
            except VolumeError as error:
                found.append(error.diagnostic)
    return found


class PinnedSets(NamedTuple):
    """What a lock pins: `names` of its gene sets but for those that are committed with it, and
    `pools` that have nothing but what the lock says."""

    path: Path
    lock: Lock
    names: tuple[GeneSetId, ...]
    pools: PoolChain


def pinned_sets(session: Session) -> PinnedSets:
    """What the lock of the session's folder pins, fetched. Raises `EryphcError`."""
    from functools import partial

    from eryphc.genepool.locked import LockedChain

    opener = session.opener
    path = opener.lock_path(session.folder)
    if not opener.has_lock(path):
        raise EryphcError.of(Failure.INPUT, lock_wording.missing(shown_path(path)))
    lock, pools = opener.lock(path), opener.open(session.folder)
    for read in (lock, pools):
        if read.value is None:
            raise EryphcError(Failure.INPUT, show(read.diagnostics))
    assert lock.value is not None  # noqa: S101 - looked at above
    assert pools.value is not None  # noqa: S101
    named = partial(opener.named, root=path.parent)
    chain = LockedChain(pools.value, lock.value, named, strict=True)
    # What is committed with the lock needs no fetching.
    names = tuple(
        _name(name) for name, entry in sorted(lock.value.sets.items()) if not entry.is_local
    )
    opener.acquire(names, chain)
    return PinnedSets(path, lock.value, names, chain)


class _Found(NamedTuple):
    name: GeneSetId
    pool: str
    tag: Outcome[GeneSetTag] | None


def _closure(names: Sequence[GeneSetId], chain: PoolChain) -> list[_Found]:
    """What the chain has of the gene sets and of all that they lead to."""
    from eryphc.project.acquire import leads_to

    found: dict[GeneSetId, _Found] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            (found[name],) = _found((name,), chain)
            waiting += leads_to(found[name].tag)
    return [found[name] for name in sorted(found)]


def _found(names: Sequence[GeneSetId], chain: PoolChain) -> list[_Found]:
    found: list[_Found] = []
    for name in names:
        tag = chain.find(name)
        holder = next(chain.holders(name), None)
        label = "" if holder is None else holder.label
        if tag is not None and isinstance(tag.value, PinnedTag):
            label = tag.value.label
        found.append(_Found(name, label, tag))
    return found


def _pulled(
    session: Session,
    closure: Sequence[_Found],
    into: Path | None,
    fetched: Sequence[Diagnostic],
) -> Pulled:
    found: list[Diagnostic] = [*session.overheard(), *fetched]
    sets: list[PulledSet] = []
    contents: list[TagContents] = []
    chain = session.pools()
    for name, pool, tag in closure:
        if tag is None:
            near = chain.neighbours(name)
            found.append(pools.gene_set_not_found(name, None, near, chain.labels()))
            continue
        found += tag.diagnostics
        if tag.value is None:
            continue
        sets.append(_described(name, pool, tag.value))
        if into is not None:
            read = contents_of(tag.value)
            found += read.diagnostics
            if read.value is not None:
                contents.append(read.value)
    pulled = Pulled(sets, found)
    if into is not None and pulled.ok:
        _write(into, contents)
    return pulled


def _described(name: GeneSetId, pool: str, tag: GeneSetTag) -> PulledSet:
    if tag.manifest.ref is not None:
        return PulledSet(str(name), pool, ref=final_name(tag.manifest.ref))
    digest = tag.config.identity if isinstance(tag, PinnedTag) else None
    return PulledSet(str(name), pool, digest=digest)


def _write(into: Path, contents: Sequence[TagContents]) -> None:
    """Write texts as a gene pool. Raises OSError, and EryphcError for a file that is another."""
    written = {into / str(tag.id): _files(tag) for tag in contents}
    for folder, files in written.items():
        for name, data in files.items():
            path = folder / name
            if path.exists() and path.read_bytes() != data:
                raise EryphcError.of(
                    Failure.INPUT, command.file_exists(shown_path(path), "eryphc gene pull -o")
                )
    for folder, files in written.items():
        # The manifest makes a folder a tag, so it comes last.
        for name in sorted(files, key=lambda name: (name == MANIFEST, name)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])


def _files(tag: TagContents) -> Mapping[str, bytes]:
    """The files in the folder of a tag: those of its author, or as eryph keeps packed genes."""
    from eryphc.authoring.eryph_packing import local_files

    return local_files(tag) or {file.path: file.text for file in tag.files}


def _name(text: str) -> GeneSetId:
    parsed = parse_gene_set(text.removeprefix("gene:"))
    if isinstance(parsed, NameFault):
        raise EryphcError.of(Failure.USAGE, command.gene_unknown(text, parsed.message))
    return parsed
