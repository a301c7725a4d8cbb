"""`remove`: exactly what is ours, never a parent, never what another machine uses.

Source: docs/reference/hyperv.md, "Removing".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eryph_runtime.applying import take_lock
from eryph_runtime.deployment import Deployment
from eryph_runtime.executor import Journal, execute, execute_one
from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Action, Host, Step
from eryph_runtime.hostpaths import folded, is_own, lies_in, parent, part_of
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import host_faults
from eryph_runtime.record import marker, owner_in, same_owner, unfinished_name
from eryph_runtime.request import Request
from eryph_runtime.running import shut_down, turn_off
from eryph_runtime.talk import Talk


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes: the machine (its id), files, then folders if they are empty by then."""

    machine: str | None
    files: tuple[str, ...]
    folders: tuple[str, ...]
    kept: tuple[str, ...]
    observation: Observation

    @property
    def nothing(self) -> bool:
        return self.machine is None and not self.files and not self.folders


def plan_removal(observation: Observation, *, keep_disks: bool) -> Removal:
    """Everything of ours that is there. Raises RefusalError for what is not ours or in use."""
    catlet = observation.deployment.catlet.id
    if len(observation.state.ours) > 1:
        raise RefusalError("several machines carry the marker of this catlet; remove one by hand")
    if observation.machine is not None:
        owner = owner_in(observation.machine.notes, catlet)
        theirs = owner is not None and not same_owner(owner, observation.owner)
        if theirs and not observation.request.take_over:
            raise RefusalError(
                f"`{observation.machine.name}` was created by {owner or 'somebody unknown'}, "
                f"not by {observation.owner}; --take-over removes it all the same"
            )
    disks = _disks(observation, catlet)
    _refuse_used(observation, disks)
    kept = disks if keep_disks else []
    home = observation.resolved.home
    files = [] if keep_disks else list(disks)
    recorded = observation.record.created if observation.record is not None else ()
    # Others may write to a record on the host, so it is trusted only for our folders.
    ours = [each for each in recorded if is_own(each.path, catlet)]
    if home is not None and not is_own(home, catlet):
        ours += [each for each in recorded if lies_in(each.path, f"{home}\\seed")]
    for each in ours:
        if each.kind == "file":
            files += [each.path, part_of(each.path)]
    if observation.goal is not None:
        files += [
            path
            for goal in (observation.goal, observation.sealed_goal)
            if (path := getattr(goal, "path", None)) is not None
        ]
    record = observation.resolved.record_path
    files = [each for each in files if folded(each) not in map(folded, (*kept, record))]
    if keep_disks:
        files = [each for each in files if folded(each) not in {folded(disk) for disk in disks}]
    files = _distinct([each for each in files if observation.state.file(each) is not None])
    if record is not None and observation.record is not None and not kept:
        files.append(record)
    folders = [each.path for each in ours if each.kind == "folder"]
    folders += [parent(path) for path in observation.resolved.drives.values()]
    if home is not None:
        folders += [f"{home}\\seed", home]
    own = [each for each in folders if is_own(each, catlet) or folded(each) == folded(home)]
    own += [f"{home}\\seed"] if home is not None else []
    # Folders above ours that we made for them; like all folders they go only when empty.
    own += [
        each.path
        for each in recorded
        if each.kind == "folder" and any(lies_in(mine, each.path) for mine in own)
    ]
    folders = own
    folders = [each for each in _distinct(folders) if observation.state.file(each) is not None]
    folders.sort(key=lambda each: (-len(each), each))
    return Removal(
        machine=observation.machine.id if observation.machine is not None else None,
        files=tuple(files),
        folders=tuple(folders),
        kept=tuple(kept),
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
        if each.kind == "file" and disk and there and is_own(each.path, catlet):
            found.append(each.path)
    return _distinct(found)


def _refuse_used(observation: Observation, disks: list[str]) -> None:
    wanted = {folded(each): each for each in disks}
    reasons = []
    for other in observation.state.machines:
        if observation.machine is not None and other.id == observation.machine.id:
            continue
        used = {folded(path) for path in (*other.disks, *(p for c in other.chains for p in c))}
        reasons += [
            f"`{other.name}` uses {wanted[each]} (attached, or as parent)"
            for each in sorted(used & set(wanted))
        ]
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
    if observation.machine is not None:
        if graceful:
            shut_down(host, observation.machine, force=True, seconds=300, talk=talk)
        elif observation.machine.state in ("Saved", "FastSaved"):
            # It is not running, so it needs no power off; its saved memory is removed with it.
            discard = {"machine": observation.machine.id}
            execute_one(host, Action(action="discard-saved-state", arguments=discard), talk)
        else:
            turn_off(host, observation.machine, talk)
    execute(host, _steps(removal, deployment), Journal(), talk)
    return removal


def _steps(removal: Removal, deployment: Deployment) -> list[Step]:
    steps: list[Step] = []
    observation, catlet = removal.observation, deployment.catlet.id
    if removal.machine is not None:
        arguments = {
            "machine": removal.machine,
            "marker": marker(catlet),
            "unfinished_name": unfinished_name(catlet),
        }
        steps.append(Action(action="remove-machine", arguments=arguments, seconds=1800))
    home, record_path = observation.resolved.home, observation.resolved.record_path
    files = [each for each in removal.files if folded(each) != folded(record_path)]
    # The record is removed as late as possible: a killed removal needs it to finish.
    last = [each for each in removal.folders if home is not None and _holds(each, home)]
    steps += [_delete("delete-file", path) for path in files]
    steps += [_delete("delete-folder", path) for path in removal.folders if path not in last]
    if (
        removal.kept
        and observation.record is not None
        and observation.resolved.record_path is not None
    ):
        kept = {folded(path) for path in removal.kept}
        created = tuple(
            each
            for each in observation.record.created
            if each.kind == "folder" or folded(each.path) in kept
        )
        record = replace(observation.record, created=created, seed=None, sealed=None)
        arguments = {"path": observation.resolved.record_path, "text": record.text()}
        steps.append(Action(action="write-text", arguments=arguments))
    elif record_path is not None and len(files) < len(removal.files):
        steps.append(_delete("delete-file", record_path))
    steps += [_delete("delete-folder", path) for path in last]
    return steps


def _holds(folder: str, home: str) -> bool:
    return folded(folder) == folded(home) or lies_in(home, folder)


def _delete(action: str, path: str) -> Action:
    return Action(action=action, arguments={"path": path})
