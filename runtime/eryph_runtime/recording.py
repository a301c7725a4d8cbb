"""The record as it should read now, and its writing: never without need.

Source: docs/reference/deployment.md, "The record". deploy.ps1 makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eryph_runtime.executor import execute_one
from eryph_runtime.host import Action, Host
from eryph_runtime.hostpaths import ancestors, folded, is_own, parent
from eryph_runtime.observe import Observation
from eryph_runtime.record import Created, PlacedSeed, Record, same_owner
from eryph_runtime.seeds import SeedGoal
from eryph_runtime.talk import Talk


def record_of(
    observation: Observation, more: Iterable[Created] = (), *, settled: bool = False
) -> Record:
    """All that is ours or is about to be, with `more`.

    `settled`: nothing is about to be made any more, so what is not there is forgotten.
    """
    catlet, machine = observation.deployment.catlet.id, observation.machine
    record = observation.record or Record(catlet=catlet, by=observation.owner)
    by = record.by if same_owner(record.by, observation.owner) else observation.owner
    volumes = dict(record.volumes)
    for name, source in observation.volume_sources.items():
        if source.sha256 is not None:
            volumes[name] = source.sha256
    there = observation.state.file
    deleting = (path for path in record.deleting if machine is None and there(path) is not None)
    record = replace(
        record,
        by=by,
        deleting=tuple(deleting),
        parameters=dict(observation.resolved.parameters),
        volumes=volumes,
        restart=record.restart and machine is not None and machine.state == "Off",
    ).with_created((*_ours(observation), *more))
    if settled:
        kept = tuple(each for each in record.created if there(each.path) is not None)
        record = replace(record, created=kept)
    return _with_seed(observation, record)


def _ours(observation: Observation) -> list[Created]:
    """What the document wants of files and folders that only we name so."""
    catlet, resolved = observation.deployment.catlet.id, observation.resolved
    folders, files = [], list(observation.seed_files)
    if resolved.home is not None:
        folders.append(resolved.home)
        if observation.deployment.seed is not None:
            folders.append(f"{resolved.home}\\seed")
    goal = observation.sealed_goal if observation.sealed else observation.goal
    if isinstance(goal, SeedGoal):
        files.append(goal.path)
    for path in resolved.drives.values():
        if is_own(path, catlet):
            folders.append(parent(path))
            files.append(path)
    missing = [
        above
        for each in folders
        for above in ancestors(each)
        if observation.state.file(above) is None and folded(above) not in map(folded, folders)
    ]
    return [
        *(Created(kind="folder", path=each) for each in (*missing, *folders)),
        *(Created(kind="file", path=each) for each in files),
    ]


def _with_seed(observation: Observation, record: Record) -> Record:
    """Which ISO is to be inserted, and of which built file it was made."""
    seed, sealed = observation.deployment.seed, observation.deployment.sealed
    if observation.machine is None:
        return replace(record, seed=None, sealed=None)
    if seed is None:
        return record
    if observation.sealed and sealed is not None:
        if isinstance(observation.sealed_goal, SeedGoal):
            placed = PlacedSeed(built=sealed.sha256, placed=observation.sealed_goal.sha256)
            record = replace(record, sealed=placed)
        return record
    if isinstance(observation.goal, SeedGoal):
        placed = PlacedSeed(built=seed.sha256, placed=observation.goal.sha256)
        record = replace(record, seed=placed, sealed=None)
    return record


def write_record(
    host: Host, observation: Observation, record: Record, talk: Talk, *, again: bool = False
) -> None:
    """Write the record where it says something new; `again`: it was written since it was read.

    Raises HostFailure.
    """
    path = observation.resolved.record_path
    file = observation.state.file(path) if path is not None else None
    same = file is not None and file.text == record.text()
    if path is None or (same and not again):
        return
    action = Action(action="write-text", arguments={"path": path, "text": record.text()})
    execute_one(host, action, talk)
