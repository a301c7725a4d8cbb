"""The specs a command names, and the gene pools that belong to each: where input is read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.diagnostics import command, reading
from eryphc.diagnostics.levels import NO_CHOICES, Choices, LevelPolicy
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import own
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.chain import PoolChain, ProjectPool, ProjectPools
from eryphc.genepool.folder import MANIFEST, FolderPool, StandardPool, standard_folder
from eryphc.genepool.model import GenePool
from eryphc.lockfile import LOCK_FILE, STANDARD
from eryphc.passes.read import Notation, decode, notation_of
from eryphc.project.places import CATLET_FILE, find_project_file
from eryphc.reads import Reads
from eryphc.source import SourceText, Span, shown_path
from eryphc.syntax.nodes import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from eryphc.genepool.remote import RemotePool
    from eryphc.genepool.spare import SparePool
    from eryphc.genepool.trust import Policy
    from eryphc.identifiers import GeneSetId
    from eryphc.lockfile.model import Lock, NamedPool
    from eryphc.project.file import PoolEntry, Project, Section
    from eryphc.project.remotes import Network, RegistrySettings, ServiceSettings
    from eryphc.store.seals import Seals

STDIN_NAME = "<stdin>"


class InputMissingError(Exception):
    """A file that was named is not there, or not readable.

    `reason` says why without naming it.
    """

    def __init__(self, diagnostic: Diagnostic, failure: Failure, reason: str = "") -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.reason = reason
        self.failure = failure


class Spec(NamedTuple):
    """One spec as read. `folder` is where its `genes/` and its project file are looked for.

    `metadata` is that of the manifest beside it, for the catlet of a gene set.
    """

    source: SourceText
    folder: Path
    notation: Notation
    metadata: Mapping[str, str] = FrozenMap()

    @property
    def os_type(self) -> str | None:
        return self.metadata.get("_os_type")


def lasting_name(spec: Spec, project: Project | None) -> str:
    """What artifacts call a spec: its path from the folder of its project, or from its own.

    That is the same on every machine, unlike the path from the working folder.
    """
    name = spec.source.name.rpartition("/")[2]
    if project is None or name == STDIN_NAME:
        return name
    folder = os.path.relpath(spec.folder.resolve(), project.folder)
    return Path(folder, name).as_posix()


def read_text(path: Path, limit: int = MAX_DOCUMENT_BYTES) -> Outcome[SourceText]:
    """A file as text, at most `limit` bytes. Raises InputMissingError."""
    shown = shown_path(path)
    try:
        data = _bytes(path, limit + 1)
    except _NOT_THERE as error:
        reason = _missing(error)
        raise InputMissingError(
            command.file_not_found(shown, reason, _near(path)), Failure.INPUT, reason
        ) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            reason = "no file can have so long a name"
            missing = command.file_not_found(shown, reason, ())
            raise InputMissingError(missing, Failure.INPUT, reason) from None
        reason = _reason(error)
        raise InputMissingError(
            command.file_unreadable(shown, reason), Failure.OUTSIDE, reason
        ) from None
    except ValueError:
        reason = "not a path"
        missing = command.file_not_found(shown, reason, ())
        raise InputMissingError(missing, Failure.INPUT, reason) from None
    return _decoded(shown, data, limit)


def read_source(path: str | os.PathLike[str]) -> SourceText:
    """A file as a text with its name. Raises `EryphcError`."""
    try:
        read = read_text(Path(path))
    except InputMissingError as missing:
        raise EryphcError.of(missing.failure, missing.diagnostic) from None
    if read.value is None:
        raise EryphcError.of(Failure.INPUT, *read.diagnostics)
    # The user promises that a file such as a network configuration holds no secret.
    read.value.regions = ()
    return read.value


_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def _missing(error: OSError) -> str:
    match error:
        case IsADirectoryError():
            return "it is a folder, not a file"
        case NotADirectoryError():
            return "a part of the path is no folder"
        case _:
            return "there is no such file"


def _bytes(path: Path, count: int) -> bytes:
    """The first `count` bytes. A pipe is read (`<(...)` of a shell is one) if somebody writes.

    Raises OSError, also for a pipe without a writer, which would keep us waiting for ever.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
    if os.name == "nt" and path.is_dir():
        # A folder cannot be opened there.
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        piped = stat.S_ISFIFO(found.st_mode)
        if piped:
            os.set_blocking(descriptor, True)
        chunks: list[bytes] = []
        # One read gives a whole regular file; what is not one is read to its end.
        wanted = min(count, found.st_size + 1) if stat.S_ISREG(found.st_mode) else 65536
        left = count
        while left > 0 and (chunk := os.read(descriptor, min(wanted, left))):
            chunks.append(chunk)
            left -= len(chunk)
            if stat.S_ISREG(found.st_mode) and len(chunk) < wanted:
                break
        data = b"".join(chunks)
    finally:
        os.close(descriptor)
    if piped and not data:
        raise OSError(errno.EPIPE, "it is a pipe that nobody writes to")
    return data


def _decoded(name: str, data: bytes, limit: int) -> Outcome[SourceText]:
    if len(data) > limit:
        empty = SourceText(name, "")
        return Outcome(None, (reading.document_too_large(Span(empty, 0, 0)),))
    try:
        digest = hashlib.sha256(data).hexdigest()
        return Outcome(SourceText(name, decode(data), sha256=digest))
    except UnicodeDecodeError as error:
        # What stands before the fault is kept, so that the place can be shown.
        text = data[: error.start].decode("utf-8", "replace")
        source = SourceText(name, text)
        at = Span(source, len(text), len(text))
        return Outcome(None, (reading.not_text(at, own("byte {} is no UTF-8", error.start + 1)),))


def _reason(error: OSError) -> str:
    return (error.strerror or "it cannot be opened").lower()


def _near(path: Path) -> tuple[str, ...]:
    try:
        return tuple(
            sorted(shown_path(p) for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml"))
        )
    except (OSError, ValueError):
        return ()


def read_spec(name: str) -> Outcome[Spec]:
    """The spec that `name` means: a file, a folder, or `-`. Raises InputMissingError."""
    if name == "-":
        data = _stdin(MAX_DOCUMENT_BYTES + 1)
        text = _decoded(STDIN_NAME, data, MAX_DOCUMENT_BYTES)
        if text.value is None:
            return Outcome(None, text.diagnostics)
        return Outcome(Spec(text.value, Path.cwd(), Notation.YAML))
    if not name:
        raise InputMissingError(command.spec_not_found(name, "it is empty", ()), Failure.INPUT)
    path = Path(name)
    try:
        if path.is_dir():
            path /= CATLET_FILE
            if not path.is_file():
                raise InputMissingError(
                    command.spec_not_found(name, f"the folder holds no `{CATLET_FILE}`", ()),
                    Failure.INPUT,
                )
    except ValueError:
        raise InputMissingError(
            command.spec_not_found(name, "not a path", ()), Failure.INPUT
        ) from None
    except PermissionError as error:
        raise InputMissingError(
            command.file_unreadable(name, _reason(error)), Failure.OUTSIDE
        ) from None
    except OSError as error:
        raise InputMissingError(
            command.spec_not_found(name, _reason(error), ()), Failure.INPUT
        ) from None
    text = read_text(path)
    if text.value is None:
        return Outcome(None, text.diagnostics)
    folder = path.parent
    return Outcome(Spec(text.value, folder, notation_of(path.name), _metadata(folder / MANIFEST)))


def _stdin(count: int) -> bytes:
    if sys.stdin is None:
        reason = "standard input is closed"
        raise InputMissingError(command.spec_not_found("-", reason, ()), Failure.INPUT)
    # A program may have put another stream there, which has text alone.
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    try:
        data: bytes | str = stream.read(count)
    except OSError as error:
        raise InputMissingError(
            command.file_unreadable(STDIN_NAME, _reason(error)), Failure.OUTSIDE
        ) from None
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _metadata(manifest: Path) -> Mapping[str, str]:
    """The metadata of a gene set tag, none where they cannot be read."""
    try:
        found = manifest.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_DOCUMENT_BYTES:
            return FrozenMap()
        entries = json.loads(manifest.read_bytes())["metadata"].items()
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return FrozenMap()
    return FrozenMap({key: text for key, text in entries if isinstance(text, str)})


class Pools:
    """Opens the pools of specs in their order; specs of one folder share them.

    With `locked` nothing but the lock decides which gene sets are taken. With `noting` the pools
    know what they read. `spare` is an image layout, for what a lock pins and nobody else has.
    Source: docs/reference/genes-and-pools.md, "Pools and their order".
    """

    def __init__(
        self,
        locations: Sequence[str],
        environment: str | None,
        sections: Callable[[], Mapping[str, Section]],
        *,
        surroundings: Mapping[str, str] | None = None,
        locked: bool = False,
        offline: bool = False,
        heard: Callable[[Diagnostic], None] = lambda _diagnostic: None,
        trace: Callable[[str], None] | None = None,
        timeout: float | None = None,
        noting: bool = False,
        spare: str | None = None,
    ) -> None:
        self._spare = spare
        self._noting = noting
        self._opening: dict[Path, Reads] = {}
        self._locked = locked
        self._offline = offline
        self._heard = heard
        self._trace = trace
        self._timeout = timeout
        self._surroundings = surroundings or {}
        self._network: Network | None = None
        # Where the pools lie that were opened and that are in registries.
        self._registries: dict[int, RegistrySettings] = {}
        self._anew = False
        self._heeds_locks = True
        # Asked for only where there is a project file.
        self._sections = sections
        self._locations = tuple(location for location, _ in _locations(locations, environment))
        # What programs put before all others, and what options name, by the policy of the project.
        self._before: tuple[GenePool, ...] = ()
        self._given: dict[Path | None, list[GenePool]] = {}
        self._policies: dict[Path, tuple[Policy | None, tuple[Diagnostic, ...]]] = {}
        self._asks_network = False
        standard = standard_folder()
        self._standard = StandardPool() if standard is not None else None
        self._chains: dict[Path, Outcome[PoolChain]] = {}
        self._open: dict[Path, Outcome[PoolChain]] = {}
        self._locks: dict[tuple[Path, bool], Outcome[Lock]] = {}
        # How the project file calls its pools.
        self._names: dict[int, str] = {}
        self._projects: dict[Path, Outcome[Project] | None] = {}

    @property
    def offline(self) -> bool:
        """Whether nobody may be asked over the network."""
        return self._offline

    def before(self, pools: Sequence[GenePool]) -> Pools:
        """These pools, with others before them; no lock counts."""
        other = copy(self)
        other._before = (*pools, *self._before)
        other._locked = other._heeds_locks = False
        other._chains, other._open = {}, {}
        return other

    @staticmethod
    def refused(locations: Sequence[str], environment: str | None) -> Diagnostic | None:
        """What is wrong with the pools that options name, as wrong usage."""
        for location, where in _locations(locations, environment):
            if location.startswith(_REGISTRY):
                fault = _location_fault(location)
                if fault is not None:
                    return command.pool_location(location, fault, where)
                continue
            if "://" in location:
                return command.pool_unsupported(location.partition("://")[0], where)
            folder = location.removeprefix(_LAYOUT)
            if not Path(folder).is_dir():
                return command.pool_not_found(folder, where)
            if folder != location and not _is_layout(Path(folder)):
                return command.pool_no_layout(folder, where)
        return None

    def project(self, folder: Path) -> Outcome[Project] | None:
        """The project of a spec's folder, None where there is no project file."""
        if folder not in self._projects:
            path = find_project_file(folder.resolve())
            self._projects[folder] = None if path is None else self._read_project(path)
        return self._projects[folder]

    def _read_project(self, path: Path) -> Outcome[Project]:
        from eryphc.project.file import read_project

        try:
            text = read_text(path)
        except InputMissingError as missing:
            return Outcome(None, (missing.diagnostic,))
        if text.value is None:
            return Outcome(None, text.diagnostics)
        # A project file holds no secret.
        text.value.regions = ()
        return read_project(text.value, path.parent, self._sections())

    def chain(self, folder: Path) -> Outcome[PoolChain]:
        """All pools for a spec that lies in `folder`, and what its lock pins of them."""
        if folder not in self._chains:
            self._chains[folder] = self._chain(folder)
        return self._chains[folder]

    def _chain(self, folder: Path) -> Outcome[PoolChain]:
        opened = self.open(folder)
        if opened.value is None or not self._heeds_locks:
            return opened
        path = self.lock_path(folder)
        if not path.is_file():
            if not self._locked:
                return opened
            from eryphc.diagnostics import lock as wording

            return Outcome(None, (*opened.diagnostics, wording.missing(shown_path(path))))
        from eryphc.genepool.locked import LockedChain

        lock = self.lock(path)
        found = (*opened.diagnostics, *lock.diagnostics)
        if lock.value is None:
            return Outcome(None, found)
        named = partial(self.named, root=path.parent)
        chain = LockedChain(
            opened.value,
            lock.value,
            named,
            strict=self._locked,
            offline=self._offline,
            spare=self._spare_pool(folder),
        )
        return Outcome(chain, found)

    def _spare_pool(self, folder: Path) -> SparePool | None:
        if self._spare is None:
            return None
        from eryphc.genepool.spare import SparePool

        project = self.project(folder)
        policy = None if project is None else self._policy_of(project)
        admit = None if policy is None else policy.admit
        return SparePool(Path(self._spare), lambda: self.network().store(), admit)

    def _policy_of(self, project: Outcome[Project]) -> Policy | None:
        return None if project.value is None else self._policy(project.value, [])

    def lock_path(self, folder: Path) -> Path:
        """Where the lock for the specs in `folder` lies, if there is one."""
        project = self.project(folder)
        root = folder if project is None or project.value is None else project.value.folder
        return root / LOCK_FILE

    def lock(self, path: Path, *, both_sides: bool = False) -> Outcome[Lock]:
        """The lock at `path`, which is a file; with `both_sides` also where a merge left a
        conflict."""
        if (path, both_sides) not in self._locks:
            self._locks[path, both_sides] = _read_lock(path, both_sides=both_sides)
        return self._locks[path, both_sides]

    def lock_of(self, folder: Path) -> Lock | None:
        """The lock for the specs in `folder`; None where there is none, or none that counts."""
        path = self.lock_path(folder)
        return self.lock(path).value if self._heeds_locks and path.is_file() else None

    def named(self, pool: GenePool, root: Path) -> NamedPool:
        """How a lock in the folder `root` calls a pool; local is what is committed with it."""
        from eryphc.lockfile.model import NamedPool

        if pool is self._standard:
            return NamedPool(STANDARD, local=False)
        name, local = self._names.get(id(pool), pool.label), False
        if isinstance(pool, FolderPool):
            folder, above = pool.root.resolve(), root.resolve()
            local = folder.is_relative_to(above)
            if id(pool) not in self._names:
                name = _from(folder, above)
        return NamedPool(name, local)

    def opening(self, folder: Path) -> Reads | None:
        """What was looked at to open the pools for a spec in `folder`; None without `noting`."""
        return self._opening.get(folder)

    def open(self, folder: Path) -> Outcome[PoolChain]:
        """All pools for a spec that lies in `folder`, whatever a lock says."""
        if folder not in self._open:
            self._open[folder] = self._opened(folder)
        return self._open[folder]

    def _opened(self, folder: Path) -> Outcome[PoolChain]:
        project = self.project(folder)
        found: list[Diagnostic] = [] if project is None else [*project.diagnostics]
        entries: list[ProjectPool] = []
        policy: Policy | None = None
        if project is not None:
            if project.value is None:
                return Outcome(None, tuple(found))
            policy = self._policy(project.value, found)
            entries = self._project_pools(project.value, policy, found)
            if has_errors(found):
                return Outcome(None, tuple(found))
        pools: list[GenePool] = [*self._before, *self._given_pools(policy)]
        beside = folder / "genes"
        if beside.is_dir():
            pools.append(_folder_pool(beside, policy, self._noting))
        if self._noting:
            self._opening[folder] = self._looked_at(beside, project)
        if entries:
            pools.append(ProjectPools(entries))
        if self._standard is not None:
            pools.append(self._standard)
        return Outcome(PoolChain(pools), tuple(found))

    def _looked_at(self, beside: Path, project: Outcome[Project] | None) -> Reads:
        """What is at the places that pools are opened for."""
        reads = Reads()
        layouts = (each.removeprefix(_LAYOUT) for each in self._locations)
        places = [beside, *(Path(each) for each in layouts if not each.startswith(_REGISTRY))]
        if project is not None and project.value is not None:
            folder = project.value.folder
            places += [folder / entry.path for entry in project.value.pools or () if entry.path]
            for rule in project.value.trust or ():
                if rule.keys:
                    self._look_into(folder / rule.keys, reads)
        for place in places:
            reads.look(place)
        return reads

    @staticmethod
    def _look_into(path: Path, reads: Reads) -> None:
        """Note the content of a file that a policy names."""
        try:
            reads.content(path, path.read_bytes())
        except OSError:
            reads.fault(path)

    def _policy(self, project: Project, found: list[Diagnostic]) -> Policy | None:
        """What the project asks of gene sets, None where that is nothing."""
        if not project.trust:
            return None
        if project.folder not in self._policies:
            from eryphc.genepool.trust import Notes
            from eryphc.project.trusting import policy_of

            faults: list[Diagnostic] = []
            notes = Notes(lambda: self.network().store(), self._seals)
            policy = policy_of(project, notes, faults.append)
            self._policies[project.folder] = (policy, tuple(faults))
        known, faulty = self._policies[project.folder]
        found += faulty
        return known

    def _seals(self) -> Seals:
        from eryphc.store.seals import seals

        return seals(self._surroundings)

    def _given_pools(self, policy: Policy | None) -> list[GenePool]:
        key = None if policy is None else policy.folder
        if key not in self._given:
            self._given[key] = [self._given_pool(each, policy) for each in self._locations]
        return self._given[key]

    def _project_pools(
        self, project: Project, policy: Policy | None, found: list[Diagnostic]
    ) -> list[ProjectPool]:
        entries: list[ProjectPool] = []
        for entry in project.pools or ():
            pool = self._project_pool(project, entry, policy, found.append)
            if pool is None:
                continue
            if entry.name:
                self._names[id(pool)] = entry.name
            entries.append(
                ProjectPool(
                    pool=pool,
                    organizations=entry.orgs or (),
                    fallback=bool(entry.fallback),
                    remote=entry.type is not None and entry.type.value in ("oci", "genepool"),
                )
            )
        return entries

    def _given_pool(self, location: str, policy: Policy | None) -> GenePool:
        if location.startswith(_REGISTRY):
            from eryphc.project.remotes import settings_of_location

            settings = settings_of_location(location)
            pool = self._registry_pool(settings, policy)
            owner = ProjectPool(pool, settings.organizations, settings.fallback, remote=True)
            return ProjectPools((owner,))
        if location.startswith(_LAYOUT):
            return _layout_pool(Path(location.removeprefix(_LAYOUT)), None, policy, self._noting)
        return _folder_pool(Path(location), policy, self._noting)

    def _registry_pool(self, settings: RegistrySettings, policy: Policy | None) -> RemotePool:
        self._asks_network = True
        pool = self.network().pool(settings, policy)
        self._registries[id(pool)] = settings
        return pool

    def publishing_pool(self, settings: RegistrySettings) -> RemotePool:
        """What the registry has where somebody publishes, whatever the policy of the project."""
        self._asks_network = True
        return self.network().pool(settings, pushing=True)

    def _service_pool(self, settings: ServiceSettings, policy: Policy | None) -> RemotePool:
        self._asks_network = True
        return self.network().service_pool(settings, policy)

    def registry_of(self, pool: GenePool) -> RegistrySettings | None:
        """Where a pool that was opened here lies, None where that is no registry."""
        return self._registries.get(id(pool))

    def network(self) -> Network:
        """What the remote pools share."""
        if self._network is None:
            from eryphc.project.remotes import Network

            self._network = Network(
                self._surroundings,
                offline=self._offline,
                heard=self._heard,
                trace=self._trace,
                seconds=self._timeout,
                anew=self._anew,
            )
        return self._network

    def ask_anew(self) -> None:
        """Let nothing count that registries said before. For pools that were not asked yet."""
        self._anew = True
        if self._network is not None:
            self._network.lately().anew = True

    def _project_pool(
        self,
        project: Project,
        entry: PoolEntry,
        policy: Policy | None,
        report: Callable[[Diagnostic], None],
    ) -> GenePool | None:
        from eryphc.project.file import PoolType

        if entry.type not in (PoolType.OCI, PoolType.GENEPOOL):
            return _project_pool(project, entry, policy, report, self._noting)
        from eryphc.genepool.registry_names import TemplateError
        from eryphc.project.remotes import settings_of_entry, settings_of_service

        try:
            if entry.type is PoolType.GENEPOOL:
                return self._service_pool(settings_of_service(project, entry), policy)
            return self._registry_pool(settings_of_entry(project, entry), policy)
        except TemplateError as fault:
            report(command.pool_value(str(fault), entry.at(fault.key)))
            return None

    def remember(self, path: Path, lock: Lock) -> None:
        """Keep in the store what a lock file pins, for as long as the file is there."""
        if self.has_remote and any(entry.digest is not None for entry in lock.sets.values()):
            self.network().store().add_root(path, path.parent)

    @property
    def has_remote(self) -> bool:
        """Whether a pool that was opened lies behind a network."""
        return self._asks_network

    def acquire(self, names: Iterable[GeneSetId], chain: PoolChain) -> None:
        """Fetch what catlets that name these gene sets will need of the remote pools."""
        if self.has_remote:
            from eryphc.project.acquire import acquire

            acquire(names, chain)


def _read_lock(path: Path, *, both_sides: bool) -> Outcome[Lock]:
    from eryphc.lockfile import reading as lock_reading

    try:
        text = read_text(path, lock_reading.MOST_BYTES)
    except InputMissingError as missing:
        return Outcome(None, (missing.diagnostic,))
    if text.value is None:
        return Outcome(None, text.diagnostics)
    # A lock holds no secret.
    text.value.regions = ()
    read = lock_reading.both_sides if both_sides else lock_reading.read_lock
    return read(text.value)


def _from(folder: Path, root: Path) -> str:
    """A path from the folder of a lock, the same on every system: `./genes`, `../shared`."""
    try:
        path = Path(os.path.relpath(folder, root)).as_posix()
    except ValueError:  # another drive
        return folder.name
    return path if path.startswith("..") else f"./{path}"


def levels_for(
    asked: Choices, project: Project | None, folder: Path, author: str | None = None
) -> LevelPolicy:
    """What findings count as for a spec that lies in `folder` and is called `author`.

    The project's own documents are the spec and those below the folder of the project file or,
    without one, below the folder of the spec.
    """
    root = folder if project is None else project.folder

    def own(name: str) -> bool:
        return name == author or Path(name).resolve().is_relative_to(root.resolve())

    said = NO_CHOICES
    if project is not None:
        from eryphc.project.file import levels_of

        said = levels_of(project)
    return LevelPolicy(asked, said, own)


_LAYOUT = "oci-layout:"
"""What the location of a pool begins with that is an image layout and no folder of gene sets."""


_REGISTRY = "oci://"
# The separator of POSIX systems stands inside addresses of registries and layouts.
_LOCATION = re.compile(
    rf"(?:{_REGISTRY}(?:\[[^\]]*\]|[^/{os.pathsep}]*)(?::[0-9]+)?|{_LAYOUT})?[^{os.pathsep}]+",
    re.ASCII,
)


def pool_locations(text: str) -> tuple[str, ...]:
    """The pools that a variable names, separated as in `PATH`."""
    return tuple(_LOCATION.findall(text))


def _locations(given: Sequence[str], environment: str | None) -> Iterator[tuple[str, str]]:
    """The pools that are named for all specs, each with who names it."""
    for location in given:
        yield location, "--genepool"
    for location in pool_locations(environment or ""):
        yield location, "ERYPHC_GENEPOOL"


def _location_fault(location: str) -> str | None:
    """What is wrong with the address of a registry."""
    from eryphc.genepool.registry_names import TemplateError
    from eryphc.project.remotes import settings_of_location

    try:
        settings_of_location(location)
    except (TemplateError, ValueError) as fault:
        return str(fault)
    return None


def _is_layout(folder: Path) -> bool:
    from eryphc.genepool.layout import is_layout

    return is_layout(folder)


def _folder_pool(folder: Path, policy: Policy | None, noting: bool) -> GenePool:  # noqa: FBT001
    pool = FolderPool(folder, noting=noting)
    return pool if policy is None else policy.folder_pool(pool)


def _layout_pool(
    folder: Path,
    entry: PoolEntry | None,
    policy: Policy | None,
    noting: bool,  # noqa: FBT001
) -> GenePool:
    from eryphc.genepool.layout import OciLayout, layout_pool
    from eryphc.genepool.registry_names import TagRules

    label, rules = shown_path(folder), TagRules()
    if entry is not None:
        label, rules = entry.name or label, TagRules(entry.moving or (), entry.fixed or ())
    layout = OciLayout(folder, label, Reads() if noting else None)
    return (
        layout_pool(layout, rules) if policy is None else layout_pool(layout, rules, policy.admit)
    )


def _project_pool(
    project: Project,
    entry: PoolEntry,
    policy: Policy | None,
    report: Callable[[Diagnostic], None],
    noting: bool,  # noqa: FBT001
) -> GenePool | None:
    from eryphc.project.file import PoolType

    folder = project.folder / (entry.path or "")
    if not folder.is_dir():
        report(command.pool_not_found(entry.path or "", "the project file", entry.at("path")))
        return None
    if entry.type is PoolType.OCI_LAYOUT:
        if not _is_layout(folder):
            report(command.pool_no_layout(entry.path or "", "the project file", entry.at("path")))
            return None
        return _layout_pool(folder, entry, policy, noting)
    return _folder_pool(folder, policy, noting)
