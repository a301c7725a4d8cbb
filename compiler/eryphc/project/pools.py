"""The gene pools of specs: which belong to one, in which order, and what a lock says of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.genepool.chain import PoolChain, ProjectPool, ProjectPools
from eryphc.genepool.folder import FolderPool, StandardPool, standard_folder
from eryphc.genepool.model import GenePool
from eryphc.lockfile import LOCK_FILE, STANDARD
from eryphc.project.locations import named_locations
from eryphc.project.places import LAYOUT, REGISTRY, find_project_file
from eryphc.project.texts import InputMissingError, read_text
from eryphc.reads import Reads
from eryphc.source import SourceText, Span, shown_path

if TYPE_CHECKING:
    from eryphc.genepool.remote import RemotePool
    from eryphc.genepool.spare import SparePool
    from eryphc.genepool.trust import Policy
    from eryphc.identifiers import GeneSetId
    from eryphc.lockfile.model import Lock, NamedPool
    from eryphc.project.file import PoolEntry, Project, Section
    from eryphc.project.remotes import Network, RegistrySettings, ServiceSettings
    from eryphc.store.seals import Seals


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
        self._locations = tuple(location for location, _ in named_locations(locations, environment))
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
        if not self.has_lock(path):
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

    @staticmethod
    def has_lock(path: Path) -> bool:
        """Whether there is a lock at `path`, or something else that is in its place."""
        return os.path.lexists(path)

    def lock(self, path: Path, *, both_sides: bool = False) -> Outcome[Lock]:
        """The lock at `path`, which is there; with `both_sides` also where a merge left a
        conflict."""
        if (path, both_sides) not in self._locks:
            self._locks[path, both_sides] = _read_lock(path, both_sides=both_sides)
        return self._locks[path, both_sides]

    def lock_of(self, folder: Path) -> Lock | None:
        """The lock for the specs in `folder`; None where there is none, or none that counts."""
        path = self.lock_path(folder)
        return self.lock(path).value if self._heeds_locks and self.has_lock(path) else None

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
        layouts = (each.removeprefix(LAYOUT) for each in self._locations)
        places = [beside, *(Path(each) for each in layouts if not each.startswith(REGISTRY))]
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
        from eryphc.project.file import REMOTE

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
                    remote=entry.type in REMOTE,
                )
            )
        return entries

    def _given_pool(self, location: str, policy: Policy | None) -> GenePool:
        if location.startswith(REGISTRY):
            from eryphc.project.remotes import settings_of_location

            settings = settings_of_location(location)
            pool = self._registry_pool(settings, policy)
            owner = ProjectPool(pool, settings.organizations, settings.fallback, remote=True)
            return ProjectPools((owner,))
        if location.startswith(LAYOUT):
            return _layout_pool(Path(location.removeprefix(LAYOUT)), None, policy, self._noting)
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
        from eryphc.project.file import REMOTE, PoolType

        if entry.type not in REMOTE:
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

    problem = _no_file(path)
    if problem is not None:
        from eryphc.diagnostics import lock as wording

        source = SourceText(shown_path(path), "", regions=())
        return Outcome(None, (wording.malformed(problem, Span(source, 0, 0), conflict=False),))
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


def _no_file(path: Path) -> str | None:
    """Why what lies at `path` is no file. Of a pipe nobody knows when it ends."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is a link that leads nowhere"
    except OSError:
        # Reading it says why.
        return None
    if stat.S_ISREG(mode):
        return None
    return "it is a folder, not a file" if stat.S_ISDIR(mode) else "it is no plain file"


def _from(folder: Path, root: Path) -> str:
    """A path from the folder of a lock, the same on every system: `./genes`, `../shared`."""
    try:
        path = Path(os.path.relpath(folder, root)).as_posix()
    except ValueError:  # another drive
        return folder.name
    return path if path.startswith("..") else f"./{path}"


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
        from eryphc.genepool.layout import is_layout

        if not is_layout(folder):
            report(command.pool_no_layout(entry.path or "", "the project file", entry.at("path")))
            return None
        return _layout_pool(folder, entry, policy, noting)
    return _folder_pool(folder, policy, noting)
