"""Reading a host until every path that matters is known: from a deployment to an `Observation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from eryph_runtime.decode import MalformedError, decode
from eryph_runtime.deployment import SEED_PLACE, Create, Deployment, Drive
from eryph_runtime.faults import HostFailure
from eryph_runtime.host import Events, Host
from eryph_runtime.hostpaths import (
    ancestors,
    file_name,
    folded,
    is_own,
    is_part,
    is_seed,
    parent,
    part_of,
    root,
    waiting_folders,
)
from eryph_runtime.record import Record, marker, read_record, unfinished_name
from eryph_runtime.request import Request
from eryph_runtime.resolve import Resolved, resolve
from eryph_runtime.restoring import restored, with_inserted
from eryph_runtime.seeds import NoSeed, SeedGoal, seed_goal, seed_path
from eryph_runtime.state import Machine, State, Unread
from eryph_runtime.volume_source import SourceFile, find_volume_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The host and what is wanted there, side by side: all that a comparison may look at.

    `goal` is the ISO to be inserted and `sealed_goal` its twin without secrets; both None
    while the machine's id is unknown. `volume_sources` are the files at hand, by volume.
    """

    deployment: Deployment
    request: Request
    state: State
    resolved: Resolved
    record: Record | None
    machine: Machine | None
    goal: SeedGoal | NoSeed | None
    sealed_goal: SeedGoal | NoSeed | None
    volume_sources: dict[str, SourceFile]
    owner: str

    @property
    def sealed(self) -> bool:
        """Whether the machine is to hold the ISO without secrets, as the record says.

        It does so once the swap is done, which the host alone can tell: `sealing.seal_state`.
        """
        record, seed, sealed = self.record, self.deployment.seed, self.deployment.sealed
        if sealed is None or seed is None or self.machine is None or record is None:
            return False
        if record.seed is None or record.sealed is None:
            return False
        # Where another build was sealed, the secrets of this one have not reached the guest yet.
        return record.seed.built == seed.sha256 and record.sealed.built == sealed.sha256

    @property
    def seed_files(self) -> tuple[str, ...]:
        """Our ISO files on the host, finished or not, by the folder and names that only we use."""
        folder = self.resolved.seed_folder
        file = self.state.file(folder) if folder is not None else None
        names = file.names if file is not None else ()
        return tuple(f"{folder}\\{name}" for name in names if is_seed(name))

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Unfinished files of earlier runs, by the folders and names that only we use."""
        found: list[str] = []
        for folder, text in own_places(self).items():
            file = self.state.file(folder)
            names = file.names if file is not None and text != _ISO else ()
            # In the folder of parents each name that was asked for is ours.
            ours = [each for each in names if is_part(each) or text not in ("", _PART)]
            found += [f"{folder}\\{name}" for name in ours]
        return (*found, *self.unfinished_seeds)

    @property
    def unfinished_seeds(self) -> tuple[str, ...]:
        return tuple(each for each in self.seed_files if is_part(file_name(each)))

    @property
    def waiting(self) -> tuple[str, ...]:
        """The machine's folder where a killed run left it: not yet, or no longer, at its place."""
        home = self.resolved.home
        if home is None:
            return ()
        catlet = self.deployment.catlet.id
        return tuple(
            each for each in waiting_folders(home, catlet) if self.state.file(each) is not None
        )

    def unread(self, thing: str) -> tuple[Unread, ...]:
        """What the host could not read of a machine (its id) or of a file."""
        return tuple(each for each in self.state.unread if folded(each.object) == folded(thing))

    def holders(self, path: str) -> tuple[str, ...]:
        """The names of other machines that hold the file, as far as they were asked for."""
        own = self.machine.id if self.machine is not None else None
        return tuple(
            each.name
            for each in self.state.machines
            if each.id != own and folded(path) in each.holds
        )

    def missing_disk(self, drive: Drive) -> bool:
        """Whether the file of `drive` must still be made."""
        path = self.resolved.drives.get(drive.name)
        return path is not None and self.state.file(path) is None and not self.attached(path)

    def attached(self, path: str) -> bool:
        return self.machine is not None and any(
            folded(path) in map(folded, (each.path, *each.chain)) for each in self.machine.drives
        )


def observe(
    host: Host,
    deployment: Deployment,
    request: Request,
    *,
    chains: bool = False,
    events: Events | None = None,
) -> Observation:
    """Read the host as often as new paths turn up (two or three times). Raises HostFailure."""
    state = _read(host, deployment, files={}, disks=[], free=[], chains=chains)
    observation = _observation(host, deployment, request, state, events)
    asked: dict[str, _How] = {}
    for _ in range(5):
        files, disks, free = _paths(observation)
        if all(asked.get(path) == how for path, how in files.items()):
            break
        asked = files
        state = _read(host, deployment, files=files, disks=disks, free=free, chains=chains)
        observation = _observation(host, deployment, request, state, events)
    return observation


def _record_files(folder: str) -> tuple[str, str]:
    """The record, and what it is while it is written."""
    path = f"{folder}\\eryphc.json"
    return path, part_of(path)


def _record_of_no_machine(state: State, home: str, catlet: str) -> Record | None:
    """The record that a killed run left; its writing, too, may have been cut off."""
    for folder in (home, *waiting_folders(home, catlet)):
        for path in _record_files(folder):
            file = state.file(path)
            record = read_record(file.text, catlet) if file is not None else None
            if record is not None:
                return record
    return None


def _observation(
    host: Host, deployment: Deployment, request: Request, state: State, events: Events | None
) -> Observation:
    catlet = deployment.catlet.id
    ours = state.ours[0] if len(state.ours) == 1 else None
    machine = ours.machine if ours is not None else None
    record = read_record(ours.record, catlet) if ours is not None else None
    resolved = resolve(deployment, request, state, record)
    if ours is None and resolved.home is not None:
        record = _record_of_no_machine(state, resolved.home, catlet)
        resolved = resolve(deployment, request, state, record)
    lost = machine is not None and record is None
    if machine is not None and record is None:
        record = restored(deployment, machine)
        resolved = resolve(deployment, request, state, record)
    goal = sealed_goal = None
    if machine is not None and resolved.home is not None:
        if deployment.seed is not None:
            goal = seed_goal(
                deployment.seed,
                folder=request.folder,
                home=resolved.home,
                machine=machine.id,
                values=request.values,
                placed=record.seed if record is not None else None,
            )
        if deployment.sealed is not None:
            sealed_goal = seed_goal(
                deployment.sealed,
                folder=request.folder,
                home=resolved.home,
                machine=machine.id,
                values=request.values,
                placed=record.sealed if record is not None else None,
            )
        if lost and record is not None:
            record = with_inserted(deployment, machine, state, record, (goal, sealed_goal))
            if isinstance(goal, NoSeed) and record.seed is not None and deployment.seed is not None:
                path = seed_path(deployment.seed, resolved.home, record.seed.placed)
                goal = SeedGoal(path=path, sha256=record.seed.placed, size=deployment.seed.size)
    owner = state.host.account
    if host.remote and request.user:
        owner = f"{owner}/{request.user}"
    observation = Observation(
        deployment=deployment,
        request=request,
        state=state,
        resolved=resolved,
        record=record,
        machine=machine,
        goal=goal,
        sealed_goal=sealed_goal,
        volume_sources={},
        owner=owner,
    )
    needed = {
        each.volume: each.name
        for each in deployment.drives
        if each.volume is not None and observation.missing_disk(each)
    }
    volume_sources = (
        find_volume_sources(deployment, request, state, needed, events) if needed else {}
    )
    return Observation(
        **{
            name: getattr(observation, name)
            for name in Observation.__slots__
            if name != "volume_sources"
        },
        volume_sources=volume_sources,
    )


_How: TypeAlias = tuple[bool, bool, str | None]
_NONE: _How = (False, False, None)
_HASHED: _How = (True, False, None)
_TEXT: _How = (False, True, None)
_PART, _ISO = ".eryphc-part", "iso"


def own_places(observation: Observation) -> dict[str, str]:
    """Folders in which files of ours may lie about, and what the names of these hold.

    Of the machine's own folder all names are asked for: whether nothing else lies in it.
    """
    resolved, catlet = observation.resolved, observation.deployment.catlet.id
    places: dict[str, str] = {}
    if resolved.volumes_folder is not None:
        places[resolved.volumes_folder] = f".eryphc-{catlet}."
    for path in resolved.drives.values():
        if is_own(path, catlet):
            places[parent(path)] = _PART
    if resolved.home is not None and resolved.seed_folder is not None:
        places[resolved.home] = ""
        places[resolved.seed_folder] = _ISO
    return places


def _paths(observation: Observation) -> tuple[dict[str, _How], list[str], list[str]]:
    """Files (with: hash, text, names), disks and folders (for free space) to be shown."""
    files: dict[str, _How] = {}
    disks: list[str] = []
    free: list[str] = []
    home = observation.resolved.home
    if home is not None:
        files |= dict.fromkeys((*ancestors(home), home), _NONE)
        files |= dict.fromkeys(_record_files(home), _TEXT)
        for waiting in waiting_folders(home, observation.deployment.catlet.id):
            files[waiting] = _NONE
            files |= dict.fromkeys(_record_files(waiting), _TEXT)
        free.append(home)
    for goal in (observation.goal, observation.sealed_goal):
        if isinstance(goal, SeedGoal):
            files[goal.path] = _HASHED
            files[part_of(goal.path)] = _NONE
    inserted = observation.machine.drive_at(SEED_PLACE) if observation.machine is not None else None
    if inserted is not None and inserted.path is not None and is_seed(file_name(inserted.path)):
        files[inserted.path] = _HASHED
    for path in observation.resolved.drives.values():
        files |= dict.fromkeys((*ancestors(path), path), _NONE)
        files[part_of(path)] = _NONE
        # New files inherit attributes of a folder, or of the drive itself.
        files.setdefault(root(path), _NONE)
        disks.append(path)
        free.append(parent(path))
    for drive in observation.deployment.drives:
        if drive.create in (Create.DIFFERENCING, Create.COPY) and drive.volume is not None:
            sha256 = wanted_parent(observation, drive.volume)
            store = observation.resolved.parent_path(sha256) if sha256 is not None else None
            if store is not None and observation.missing_disk(drive):
                # Hashing gigabytes is worth its time only where a disk is made from the file.
                for above in (*ancestors(store), root(store)):
                    files.setdefault(above, _NONE)
                files[store] = _HASHED
                files |= dict.fromkeys(store_copy(observation, store), _NONE)
                disks.append(store)
                free.append(parent(store))
        if drive.media is not None:
            files[drive.media] = _NONE
    for source in observation.volume_sources.values():
        if source.on_host:
            files[source.path] = _HASHED
            disks.append(source.path)
    record = observation.record
    for each in record.created if record is not None else ():
        files.setdefault(each.path, _NONE)
    for path in record.deleting if record is not None else ():
        files.setdefault(path, _NONE)
    for folder, text in own_places(observation).items():
        files[folder] = (False, False, text)
    return files, sorted(set(disks)), sorted(set(free))


def store_copy(observation: Observation, store: str) -> tuple[str, str]:
    """The copy of ours that becomes a parent in the store, and its unfinished file.

    Others use that folder too, so the name says whose it is until the copy is whole.
    """
    copy = f"{store.removesuffix('.vhdx')}.eryphc-{observation.deployment.catlet.id}.vhdx"
    return copy, part_of(copy)


def wanted_parent(observation: Observation, volume: str) -> str | None:
    """SHA-256 of the disk that `volume` stands for: given now, in the document, or recorded."""
    known = observation.deployment.volume(volume).sha256
    if known is not None:
        return known
    source = observation.volume_sources.get(volume)
    if source is not None and source.sha256 is not None:
        return source.sha256
    return observation.record.volumes.get(volume) if observation.record is not None else None


def _read(
    host: Host,
    deployment: Deployment,
    *,
    files: dict[str, _How],
    disks: list[str],
    free: list[str],
    chains: bool,
) -> State:
    catlet = deployment.catlet.id
    arguments: dict[str, Any] = {
        "catlet": catlet,
        "marker": marker(catlet),
        "unfinished_name": unfinished_name(catlet),
        "files": [
            {"path": path, "sha256": sha256, "text": text, "names": names}
            for path, (sha256, text, names) in sorted(files.items())
        ],
        "disks": disks,
        "free": free,
        "chains": chains,
    }
    return read_state(host.request("read", arguments, seconds=1800))


def read_state(value: Any) -> State:
    """The state in an answer; raises HostFailure where the program answers something else."""
    try:
        return decode(State, value)
    except MalformedError as error:
        raise HostFailure(f"the host's program gave a state of another shape: {error}") from None
