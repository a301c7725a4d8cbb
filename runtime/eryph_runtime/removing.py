"""`remove`: exactly what is ours, never a parent, never what another machine uses.

Source: docs/reference/hyperv.md, "Removing".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eryph_runtime.deployment import Deployment
from eryph_runtime.executor import execute, execute_one
from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Action, Host
from eryph_runtime.hostpaths import folded, is_own, is_part, lies_in, parent
from eryph_runtime.locking import take_lock
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import host_faults, refusals_of_ours
from eryph_runtime.record import marker, unfinished_name
from eryph_runtime.recording import record_of, write_record
from eryph_runtime.request import Request
from eryph_runtime.running import shut_down, turn_off
from eryph_runtime.seeds import SeedGoal
from eryph_runtime.talk import Talk


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes: the machine (its id), files, then folders if they are empty by then."""

    machine: str | None
    files: tuple[str, ...]
    folders: tuple[str, ...]
    kept: tuple[str, ...]
    waiting: tuple[str, ...]
    observation: Observation

    @property
    def nothing(self) -> bool:
        return not (self.machine or self.files or self.folders or self.waiting)


def plan_removal(
    observation: Observation, *, keep_disks: bool, spared: frozenset[str] = frozenset()
) -> Removal:
    """Everything of ours that is there, but for `spared` (folded paths).

    Raises RefusalError for what is not ours or in use.
    """
    catlet, home = observation.deployment.catlet.id, observation.resolved.home
    if refused := refusals_of_ours(observation):
        raise RefusalError(*refused)
    record = observation.record
    recorded = record.created if record is not None else ()
    disks = _disks(observation, catlet)
    # These were listed; all others are looked for by name.
    listed = (*observation.seed_files, *observation.leftovers)
    files = [*disks, *listed]
    # Others may write to a record on the host, so it is trusted only for our folders and names.
    files += [each.path for each in recorded if each.kind == "file" and is_own(each.path, catlet)]
    for goal in (observation.goal, observation.sealed_goal):
        files += [goal.path] if isinstance(goal, SeedGoal) else []
    kept = [*(disks if keep_disks else ()), *(each for each in files if folded(each) in spared)]
    mine = {folded(each) for each in (*kept, observation.resolved.record_path)}
    there = observation.state.file
    files = [each for each in _distinct(files) if folded(each) not in mine]
    files = [
        each
        for each in files
        if each in listed or ((file := there(each)) is not None and file.kind == "file")
    ]
    _refuse_used(observation, files)
    folders = [each.path for each in recorded if each.kind == "folder"]
    own = [each for each in folders if is_own(each, catlet)]
    own += [parent(path) for path in observation.resolved.drives.values() if is_own(path, catlet)]
    if home is not None:
        own += [home, f"{home}\\seed"]
    # Folders above ours that we made for them; like all folders they go only when empty.
    own += [each for each in folders if any(lies_in(ours, each) for ours in own)]
    own = [each for each in _distinct(own) if there(each) is not None]
    own.sort(key=lambda each: (-len(each), each))
    return Removal(
        machine=observation.machine.id if observation.machine is not None else None,
        files=tuple(files),
        folders=tuple(own),
        kept=tuple(each for each in _distinct(kept) if there(each) is not None),
        waiting=observation.waiting,
        observation=observation,
    )


def _disks(observation: Observation, catlet: str) -> list[str]:
    """Disk files of the document that lie in the catlet's own folders, and were made by us."""
    found = []
    home = observation.resolved.home
    for path in observation.resolved.drives.values():
        mine = is_own(path, catlet) or (home is not None and lies_in(path, home))
        attached = observation.attached(path)
        made = observation.record is not None and observation.record.made(path)
        if mine and (attached or made) and observation.state.file(path) is not None:
            found.append(path)
    for each in observation.record.created if observation.record is not None else ():
        disk = each.path.casefold().endswith((".vhdx", ".vhds", ".avhdx"))
        there = observation.state.file(each.path) is not None
        whole = disk and there and not is_part(each.path) and not _in_store(each.path, catlet)
        if each.kind == "file" and whole and is_own(each.path, catlet):
            found.append(each.path)
    return _distinct(found)


def _in_store(path: str, catlet: str) -> bool:
    """Whether it is an unfinished parent, which is no disk of the machine."""
    return f".eryphc-{catlet}." in path.casefold()


def _refuse_used(observation: Observation, files: list[str]) -> None:
    reasons = [f"`{holder}` uses {path}" for path in files for holder in observation.holders(path)]
    if reasons:
        raise RefusalError(*reasons)


def _distinct(paths: list[str]) -> list[str]:
    return list({folded(path): path for path in paths}.values())


def remove(
    host: Host,
    deployment: Deployment,
    request: Request,
    *,
    keep_disks: bool,
    graceful: bool,
    talk: Talk,
) -> Removal:
    """Remove what `plan_removal` lists; nothing there is success.

    Raises RefusalError, HostFailure.
    """
    take_lock(host, deployment)
    observation = observe(host, deployment, request, chains=True)
    faults = host_faults(observation.state.host)
    if faults:
        raise RefusalError(*faults)
    removal = plan_removal(observation, keep_disks=keep_disks)
    for path in removal.files:
        talk.step(f"to be deleted: {path}")
    _announce(host, removal, talk)
    if observation.machine is not None:
        if graceful:
            shut_down(host, observation.machine, force=True, seconds=300, talk=talk)
        elif observation.machine.state in ("Saved", "FastSaved"):
            # It is not running, so it needs no power off; its saved memory is removed with it.
            discard = {"machine": observation.machine.id}
            execute_one(host, Action(action="discard-saved-state", arguments=discard), talk)
        else:
            turn_off(host, observation.machine, talk)
    execute(host, [step for _, step in removal_steps(removal, deployment)], talk)
    return removal


def _announce(host: Host, removal: Removal, talk: Talk) -> None:
    """What is about to be deleted stands in the record before anything is."""
    observation = removal.observation
    home = observation.resolved.home
    if removal.nothing or home is None or observation.state.file(home) is None:
        return
    ours = [each for each in removal.files if is_own(each, observation.deployment.catlet.id)]
    record = replace(record_of(observation), deleting=tuple(sorted(ours)), restart=False)
    write_record(host, observation, record, talk)


def removal_steps(removal: Removal, deployment: Deployment) -> list[tuple[str, Action]]:
    """What goes, each with what it is called, in order: the machine before what it holds, the
    record with its folder last. A record that somebody's files keep in place says what is left."""
    steps: list[tuple[str, Action]] = []
    observation, catlet = removal.observation, deployment.catlet.id
    if removal.machine is not None:
        arguments: dict[str, Any] = {
            "machine": removal.machine,
            "marker": marker(catlet),
            "unfinished_name": unfinished_name(catlet),
        }
        action = Action(action="remove-machine", arguments=arguments, seconds=1800)
        steps.append((f"machine {removal.machine}", action))
    home, record_path = observation.resolved.home, observation.resolved.record_path
    last = [each for each in removal.folders if home is not None and _holds(each, home)]
    steps += [(f"file {each}", _delete("delete-file", each)) for each in removal.files]
    steps += [
        (f"folder {each}", _delete("delete-folder", each))
        for each in removal.folders
        if each not in last
    ]
    if home is None or record_path is None:
        return steps
    if removal.kept:
        # Disks that stay are ours: the next run takes them again.
        gone = {folded(each) for each in removal.files}
        record = record_of(observation)
        created = tuple(
            each
            for each in record.created
            if observation.state.file(each.path) is not None
            and folded(each.path) not in gone
            and folded(each.path) != folded(f"{home}\\seed")
        )
        record = replace(
            record, created=created, deleting=(), seed=None, sealed=None, restart=False
        )
        arguments = {"path": record_path, "text": record.text()}
        steps.append(("record", Action(action="write-text", arguments=arguments)))
    elif last or removal.waiting:
        above = [each for each in last if folded(each) != folded(home)]
        above += [each for each in _made_above(removal, home) if each not in above]
        arguments = {"path": home, "name": unfinished_name(catlet), "folders": above}
        steps.append((f"folder {home}", Action(action="delete-home", arguments=arguments)))
    return steps


def _made_above(removal: Removal, home: str) -> list[str]:
    record = removal.observation.record
    return [
        each.path
        for each in (record.created if record is not None else ())
        if each.kind == "folder" and lies_in(home, each.path)
    ]


def _holds(folder: str, home: str) -> bool:
    return folded(folder) == folded(home) or lies_in(home, folder)


def _delete(action: str, path: str) -> Action:
    return Action(action=action, arguments={"path": path})
