"""`eryph.lock`: written, moved and checked for the specifications of a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eryphc.answers import ReadSpec, Result, reading_of
from eryphc.diagnostics import command
from eryphc.diagnostics import lock as wording
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry, Lock, unused, used_by
from eryphc.lockfile.reading import conflict_in, place_of
from eryphc.project.specs import STDIN_NAME
from eryphc.source import shown_path
from eryphc.syntax.identifiers import parse_gene_set

if TYPE_CHECKING:
    from eryphc.changes.log import ChangeLog
    from eryphc.genepool.contents import TagContents
    from eryphc.genepool.model import GenePool, GeneSetTag
    from eryphc.project.locking import LockedSpec, Resolved
    from eryphc.session import Session
    from eryphc.sharing.usage import Named

T = TypeVar("T")
SpecNames = Sequence["str | os.PathLike[str]"]
_EMPTY = Lock()


class Locked(Result):
    """What `lock` and `update` did with one lock.

    `path` is how the file is called, `before` the lock that was there, `lock` the new one and
    `log` what that changes (None after an error). A guard that stops it is an error. `written`: not
    with `dry_run`, not after an error, not where the file would stay the same.
    """

    def __init__(
        self,
        path: str,
        found: Sequence[Diagnostic],
        before: Lock,
        lock: Lock | None,
        log: ChangeLog | None,
        *,
        written: bool,
    ) -> None:
        super().__init__(show(found))
        self.path = path
        self.before = before
        self.lock = lock
        self.log = log
        self.written = written

    @property
    def changed(self) -> bool:
        """Whether the new lock says something else than the one before."""
        return self.lock is not None and self.lock._replace(source=None) != self.before._replace(
            source=None
        )


def lock(
    session: Session,
    specs: SpecNames = (),
    *,
    accept: Collection[str] = (),
    disks: bool = False,
    dry_run: bool = False,
) -> tuple[Locked, ...]:
    """Pin the gene sets of specifications, in the lock of their project; one answer a lock.

    Without `specs` those that the lock knows and those that the project file lists. A pin that is
    still asked for stays as it is. With `disks` also the digests of disks that are only described;
    a lock that has some, or whose project wants them, gets them without it.
    """
    groups = _groups(session, specs)
    return tuple(
        _locked(session, group, _nothing, accept, disks=disks, dry_run=dry_run) for group in groups
    )


def update(
    session: Session,
    specs: SpecNames = (),
    *,
    genes: Sequence[str] = (),
    accept: Collection[str] = (),
    dry_run: bool = False,
) -> tuple[Locked, ...]:
    """Look up anew what is pinned: all that `specs` reach, or all; of that the `genes`, or all.

    Each of `genes` is `ORG/SET`, which means all its tags, or `ORG/SET/TAG`.
    """
    session.opener.ask_anew()
    groups = _groups(session, specs)
    chosen = tuple(_selection(gene, groups) for gene in genes)
    answers = []
    for group in groups:
        anew = partial(_is_selected, chosen, _reached(group) if specs else None)
        answers.append(_locked(session, group, anew, accept, dry_run=dry_run))
    return tuple(answers)


def check_lock(session: Session, specs: SpecNames = ()) -> Result:
    """Whether `lock` would change the lock. Reads specifications, lock and local genes alone."""
    from eryphc.project.locking import checked

    pools = session.opener
    found: list[Diagnostic] = []
    for group in _groups(session, specs):
        found += group.found
        if group.old.source is None:
            found.append(wording.missing(shown_path(group.path)))
            continue
        marks = conflict_in(group.old.source)
        if marks is not None:
            found.append(marks)
        named = partial(pools.named, root=group.path.parent)
        found += checked(group.old, group.specs, pools.open, named)
        gone = [path for path in sorted(group.old.specs) if not (group.root / path).is_file()]
        found += [wording.spec_gone(path, place_of(group.old, path)) for path in gone]
        found += [wording.unused(name, place_of(group.old, name)) for name in unused(group.old)]
    return Result(show(found))


# -- one lock -------------------------------------------------------------------------------


def _locked(
    session: Session,
    group: _Group,
    anew: Callable[[str], bool],
    accept: Collection[str],
    *,
    disks: bool = False,
    dry_run: bool,
) -> Locked:
    from eryphc.lockfile.writing import text_of, write_lock
    from eryphc.project.locking import Resolver, with_new_names
    from eryphc.sharing.moves import moves
    from eryphc.sharing.usage import Usage

    pools = session.opener
    named = partial(pools.named, root=group.root)
    before = group.old
    chain = pools.open(group.specs[0].folder).value
    if chain is not None:
        group = group._replace(old=with_new_names(before, chain, named))
    with _fetching(session, group, anew):
        resolver = Resolver(group.old, pools.open, named, anew, _hashed)
        made = resolver.resolved(group.specs, group.kept)
        if made.value is not None and (disks or _wants_disks(session, group)):
            made = _with_disks(session, group, made.value, made.diagnostics)
    found = [*group.found, *session.overheard(), *made.diagnostics]
    shown = shown_path(group.path)
    if made.value is None:
        return Locked(shown, found, before, None, None, written=False)
    new = made.value.lock
    found += _deprecated(session, group, new)
    contents = made.value.contents

    def look_up(name: str, entry: Entry) -> TagContents | None:
        return contents.get(name) or _content(session, group, name, entry)

    usage = Usage(new, partial(_named_by_spec, session, group), look_up)
    moved = moves(group.old, new, contents, partial(_content, session, group), usage)
    stopped = [stop for stop in moved.stops if stop.guard not in accept]
    found += [wording.guarded(str(stop.id), stop.guard, stop.sentence) for stop in stopped]
    text = text_of(new)
    same = group.old.source is not None and group.old.source.text == text
    written = not (dry_run or same or stopped)
    if written:
        write_lock(group.path, text)
        pools.remember(group.path, new)
    return Locked(shown, found, before, new, moved.log, written=written)


def _hashed(path: Path) -> str:
    """The digest of a disk file. Raises OSError."""
    from eryphc.volumes.checksums import hash_file

    return f"sha256:{hash_file(path)['sha256']}"


def _wants_disks(session: Session, group: _Group) -> bool:
    """Whether the project asks for disks, or the lock has some already."""
    for entry in group.old.sets.values():
        if any(path not in entry.disk_files for path in entry.disks):
            return True
    for spec in group.specs:
        project = session.opener.project(spec.folder)
        settings = None if project is None or project.value is None else project.value.lock
        if settings is not None and settings.disks:
            return True
    return False


def _with_disks(
    session: Session, group: _Group, made: Resolved, found: Sequence[Diagnostic]
) -> Outcome[Resolved]:
    """The lock with the disks that are only described."""
    from eryphc.project.disks import with_disks
    from eryphc.volumes.fetch import published_disk

    def look_up(name: str, entry: Entry) -> Outcome[TagContents]:
        contents = made.contents.get(name) or _content(session, group, name, entry)
        if contents is None:
            place = place_of(group.old, name)
            gone = wording.content_gone(name, entry.pool or "", place, ())
            return Outcome(None, (gone,))
        return Outcome(contents)

    published = published_disk(session.environment, offline=session.opener.offline)
    lock = with_disks(made.lock, look_up, published)
    both = (*found, *lock.diagnostics)
    return Outcome(None if lock.value is None else made._replace(lock=lock.value), both)


@contextmanager
def _fetching(session: Session, group: _Group, anew: Callable[[str], bool]) -> Iterator[None]:
    """Fetches what is not pinned, several gene sets at once, and lets a walk ask for the rest."""
    pools = session.opener
    chains = [(spec, pools.open(spec.folder).value) for spec in group.specs]
    if not pools.has_remote:
        yield
        return
    from eryphc.project.acquire import acquire, remote_pools

    def known(geneset: GeneSetId) -> Sequence[str] | None:
        entry = group.old.sets.get(str(geneset))
        kept = entry is not None and not entry.is_local and not anew(str(geneset))
        return entry.names if entry is not None and kept else None

    with ExitStack() as stack:
        for spec, chain in chains:
            if chain is not None:
                acquire(spec.names, chain, known)
                for pool in remote_pools(chain):
                    stack.enter_context(pool.opened())
        yield


def _deprecated(session: Session, group: _Group, lock: Lock) -> list[Diagnostic]:
    """Warnings for what is pinned and should not be used any more."""
    from eryphc.project.deprecations import deprecated_sets

    pools = session.opener
    chains = (pools.open(spec.folder).value for spec in group.specs)
    known = {id(pool): pool for chain in chains if chain is not None for pool in chain.ordered()}
    found: list[Diagnostic] = []
    for pool in known.values():
        name = pools.named(pool, root=group.root).name
        identities = {
            geneset: entry.digest
            for each, entry in lock.sets.items()
            if entry.pool == name and isinstance(geneset := parse_gene_set(each), GeneSetId)
        }
        found += deprecated_sets(pool, identities)
    return found


def _named_by_spec(session: Session, group: _Group, path: str) -> Named:
    """The genes that a specification names, None where it cannot be read."""
    from eryphc.passes.naming import named_genes

    reading = reading_of(session.read(group.root / path))
    return None if reading is None else tuple(named_genes(reading.document.catlet))


def _content(session: Session, group: _Group, name: str, entry: Entry) -> TagContents | None:
    """The pinned content of a tag, where a pool still has it."""
    from eryphc.genepool.contents import contents_of

    geneset = parse_gene_set(name)
    assert isinstance(geneset, GeneSetId)  # noqa: S101 - reading the lock checked it
    for folder in sorted({spec.folder for spec in group.specs}):
        chain = session.opener.open(folder).value
        for pool in () if chain is None else chain.owners(geneset):
            tag = _tag_of(pool, geneset, entry)
            contents = None if tag is None or tag.value is None else contents_of(tag.value).value
            if contents is not None and _is_of(entry, contents):
                return contents
    return None


def _is_of(entry: Entry, contents: TagContents) -> bool:
    """Whether contents are those of an entry; of a local set whatever is there now is."""
    return entry.is_local or entry.files == {file.path: file.digest for file in contents.files}


def _tag_of(pool: GenePool, geneset: GeneSetId, entry: Entry) -> Outcome[GeneSetTag] | None:
    """What a pool has of a pinned tag; of a remote one only what the store has."""
    from eryphc.genepool.remote import RemotePool

    return pool.locked(geneset, entry) if isinstance(pool, RemotePool) else pool.find(geneset)


def _nothing(_name: str) -> bool:
    return False


def _is_selected(
    chosen: Sequence[tuple[GeneSetId, bool]], reached: Collection[str] | None, name: str
) -> bool:
    """Whether `update` looks up a gene set: it is chosen, and the specifications reach it."""
    if reached is not None and name not in reached:
        return False
    if not chosen:
        return True
    geneset = parse_gene_set(name)
    return any(
        geneset == each or (every_tag and _same_set(geneset, each)) for each, every_tag in chosen
    )


def _same_set(one: object, other: GeneSetId) -> bool:
    return isinstance(one, GeneSetId) and one.without_tag == other.without_tag


def _selection(text: str, groups: Sequence[_Group]) -> tuple[GeneSetId, bool]:
    """A gene set of `--gene`, and whether all its tags are meant. Raises EryphcError."""
    parsed = parse_gene_set(text.removeprefix("gene:"))
    if not isinstance(parsed, GeneSetId):
        raise EryphcError.of(Failure.USAGE, command.bad_option_value("--gene", parsed.message))
    chosen = (parsed, text.count("/") == 1)
    names = sorted({name for group in groups for name in group.old.sets})
    if not any(_is_selected((chosen,), None, name) for name in names):
        sets = {name.rpartition("/")[0] for name in names}
        raise EryphcError.of(Failure.INPUT, wording.not_locked(text, sets))
    return chosen


def _reached(group: _Group) -> frozenset[str]:
    """What the specifications of a group reach in the old lock."""
    paths = {spec.path for spec in group.specs}
    return frozenset(name for name, users in used_by(group.old).items() if paths & set(users))


# -- the specifications of a lock -----------------------------------------------------------


class _Group(NamedTuple):
    """Specifications that share a lock. `kept` are those that the lock has and nobody named."""

    path: Path
    old: Lock
    specs: tuple[LockedSpec, ...]
    kept: Mapping[str, tuple[str, ...]]
    found: tuple[Diagnostic, ...]

    @property
    def root(self) -> Path:
        return self.path.parent


def _groups(session: Session, names: SpecNames) -> list[_Group]:
    """The specifications by their lock. Raises EryphcError."""
    pools = session.opener
    wanted = list(names) or _own_specs(session)
    read: dict[Path, list[ReadSpec]] = {}
    for name in wanted:
        spec = session.read(name)
        reading = reading_of(spec)
        if reading is None or not spec.ok:
            raise EryphcError(spec.failure or Failure.INPUT, spec.diagnostics)
        if reading.spec.source.name == STDIN_NAME:
            raise EryphcError.of(Failure.USAGE, wording.no_file())
        # The project file decides where the lock lies.
        _taken(pools.open(reading.spec.folder))
        path = pools.lock_path(reading.spec.folder).resolve()
        read.setdefault(path, []).append(spec)
    return [_group(session, path, specs) for path, specs in sorted(read.items())]


def _own_specs(session: Session) -> list[Path]:
    """What the lock of the session's folder has and what its project lists, else `catlet.yaml`."""
    pools = session.opener
    folder = session.folder
    _taken(pools.open(folder))
    path = pools.lock_path(folder)
    found: set[Path] = set()
    if pools.has_lock(path):
        recorded = _taken(pools.lock(path, both_sides=True)).specs
        found |= {path.parent / each for each in recorded if (path.parent / each).is_file()}
    listed = session.own_specs()
    if listed != (folder,):
        found |= {path.resolve() for path in listed}
    return sorted(found) or [folder]


def _group(session: Session, path: Path, specs: Sequence[ReadSpec]) -> _Group:
    from eryphc.passes.naming import named_sets
    from eryphc.passes.places import part
    from eryphc.project.locking import LockedSpec

    pools = session.opener
    found: list[Diagnostic] = []
    locked: dict[str, LockedSpec] = {}
    for spec in specs:
        reading = reading_of(spec)
        assert reading is not None  # noqa: S101 - checked before it was put here
        file = reading.spec.folder.resolve() / reading.spec.source.name.rpartition("/")[2]
        named = Path(os.path.relpath(file, path.parent)).as_posix()
        places = {
            geneset: part(*place) for geneset, place in named_sets(reading.document.catlet, found)
        }
        locked[named] = LockedSpec(named, reading.spec.folder, places)
    old = _taken(pools.lock(path, both_sides=True)) if pools.has_lock(path) else _EMPTY
    kept = {
        name: names
        for name, names in old.specs.items()
        if name not in locked and (path.parent / name).is_file()
    }
    return _Group(path, old, tuple(locked.values()), kept, tuple(found))


def _taken(outcome: Outcome[T]) -> T:
    if outcome.value is None:
        raise EryphcError(Failure.INPUT, show(outcome.diagnostics))
    return outcome.value
