"""Reading a host until every path that matters is known: from a deployment to an `Observation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eryph_runtime.decode import MalformedError, decode
from eryph_runtime.deployment import SEED_PLACE, Create, Deployment, Drive
from eryph_runtime.faults import HostFailure
from eryph_runtime.host import Events, Host
from eryph_runtime.hostpaths import ancestors, folded, parent, part_of, root
from eryph_runtime.record import Record, marker, read_record, unfinished_name
from eryph_runtime.request import Request
from eryph_runtime.resolve import Resolved, resolve
from eryph_runtime.seeds import NoSeed, SeedGoal, seed_goal
from eryph_runtime.state import Machine, State
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
        """Whether the machine holds the ISO without secrets.

        Shown by the drive itself, else by the record of a seal that is still valid.
        """
        if self.deployment.sealed is None or self.machine is None:
            return False
        record, seed = self.record, self.deployment.seed
        built = record.seed.built if record is not None and record.seed is not None else None
        if built is not None and seed is not None and built != seed.sha256:
            # Sealed was another build; this one's secrets have not reached the guest yet.
            return False
        drive = self.machine.drive_at(SEED_PLACE)
        if isinstance(self.sealed_goal, SeedGoal) and drive is not None:
            if folded(drive.path) == folded(self.sealed_goal.path):
                return True
            if isinstance(self.goal, SeedGoal) and folded(drive.path) == folded(self.goal.path):
                return False
        return (
            record is not None
            and record.sealed is not None
            and record.sealed.built == self.deployment.sealed.sha256
            and built is not None
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
    asked: dict[str, tuple[bool, bool]] = {}
    for _ in range(5):
        files, disks, free = _paths(observation)
        if all(path in asked and asked[path] >= how for path, how in files.items()):
            break
        asked = files
        state = _read(host, deployment, files=files, disks=disks, free=free, chains=chains)
        observation = _observation(host, deployment, request, state, events)
    return observation


def _observation(
    host: Host, deployment: Deployment, request: Request, state: State, events: Events | None
) -> Observation:
    catlet = deployment.catlet.id
    ours = state.ours[0] if len(state.ours) == 1 else None
    record = read_record(ours.record, catlet) if ours is not None else None
    resolved = resolve(deployment, request, state, record)
    if ours is None and resolved.record_path is not None:
        file = state.file(resolved.record_path)
        record = read_record(file.text, catlet) if file is not None else None
        resolved = resolve(deployment, request, state, record)
    machine = ours.machine if ours is not None else None
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


def _paths(observation: Observation) -> tuple[dict[str, tuple[bool, bool]], list[str], list[str]]:
    """Files (with: hash, text), disks and folders (for free space) that the state must show."""
    files: dict[str, tuple[bool, bool]] = {}
    disks: list[str] = []
    free: list[str] = []
    none, hashed = (False, False), (True, False)
    if observation.resolved.home is not None:
        files |= dict.fromkeys(
            (*ancestors(observation.resolved.home), observation.resolved.home), none
        )
        files[f"{observation.resolved.home}\\seed"] = none
        files[f"{observation.resolved.home}\\eryphc.json"] = (False, True)
        free.append(observation.resolved.home)
    for goal in (observation.goal, observation.sealed_goal):
        if isinstance(goal, SeedGoal):
            files[goal.path] = hashed
            files[part_of(goal.path)] = none
    for path in observation.resolved.drives.values():
        files |= dict.fromkeys((*ancestors(path), path), none)
        files[part_of(path)] = none
        # New files inherit attributes of a folder, or of the drive itself.
        files.setdefault(root(path), none)
        disks.append(path)
        free.append(parent(path))
    for drive in observation.deployment.drives:
        if drive.create in (Create.DIFFERENCING, Create.COPY) and drive.volume is not None:
            sha256 = wanted_parent(observation, drive.volume)
            store = observation.resolved.parent_path(sha256) if sha256 is not None else None
            if store is not None and observation.missing_disk(drive):
                # Hashing gigabytes is worth its time only where a disk is made from the file.
                files[parent(store)] = none
                files[store] = hashed
                files[part_of(store)] = none
                disks.append(store)
                free.append(parent(store))
        if drive.media is not None:
            files[drive.media] = none
    for source in observation.volume_sources.values():
        if source.on_host:
            files[source.path] = hashed
            disks.append(source.path)
    for each in observation.record.created if observation.record is not None else ():
        files.setdefault(each.path, none)
    return files, sorted(set(disks)), sorted(set(free))


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
    files: dict[str, tuple[bool, bool]],
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
            {"path": path, "sha256": sha256, "text": text}
            for path, (sha256, text) in sorted(files.items())
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
