"""Which drives must be attached, moved, filled or grown. Compared by controller and location.

Source: docs/reference/hyperv.md, "Comparing", "What is never done silently",
"Attaching disks", "Resizing disks".
"""

from __future__ import annotations

from eryph_runtime.compare_files import make_folder
from eryph_runtime.comparison import Change, Findings, Kind
from eryph_runtime.deployment import SEED_PLACE, Drive, DriveType
from eryph_runtime.host import Action, Step, Upload
from eryph_runtime.hostpaths import folded, is_own, is_part
from eryph_runtime.observe import Observation
from eryph_runtime.seeds import NoSeed, SeedGoal
from eryph_runtime.state import AttachedDrive, Machine


def compare_drives(
    observation: Observation, machine: Machine, found: Findings, *, creating: bool
) -> None:
    """Add what the drives of `machine` lack; `creating`: it never booted yet."""
    wanted = {drive.place: drive for drive in observation.deployment.drives}
    controllers = max((place[0] for place in wanted), default=0) + 1
    found.changes += [
        Change(
            object="machine",
            what="SCSI controller",
            wanted=number,
            kind=Kind.CREATE,
            needs_off=True,
            steps=(Action(action="add-scsi-controller", arguments={"machine": machine.id}),),
        )
        for number in range(machine.scsi_controllers, controllers)
    ]
    attaching: list[Change] = []
    for drive in observation.deployment.drives:
        if drive.type is not DriveType.DVD:
            _compare_disk(observation, machine, drive, found, attaching)
    # Two disks that swap places are both detached before either is attached again.
    found.changes += attaching
    # New devices go to the end of the boot order: disks before DVD drives.
    for drive in observation.deployment.drives:
        if drive.type is DriveType.DVD:
            _compare_dvd(machine, drive, found)
    for place in sorted(each.place for each in machine.drives if each.controller_type == "SCSI"):
        attached = machine.drive_at(place)
        foreign = place not in wanted and place != SEED_PLACE
        if attached is not None and foreign and not _wanted_elsewhere(observation, attached):
            found.notes.append(
                f"left alone: the {attached.kind} drive at {_place(place)} "
                f"({attached.path or 'empty'}) is not in the deployment"
            )
    boot = observation.deployment.machine.boot_drive
    if creating and boot is not None:
        _first_boot(observation, machine, boot, found)


def _wanted_elsewhere(observation: Observation, attached: AttachedDrive) -> bool:
    return any(_is(attached, path) for path in observation.resolved.drives.values())


def _is(attached: AttachedDrive, path: str) -> bool:
    """Whether the drive holds the disk at `path`; a checkpoint's file counts as its base."""
    return folded(path) in map(folded, (attached.path, *attached.chain))


def _compare_disk(
    observation: Observation,
    machine: Machine,
    drive: Drive,
    found: Findings,
    attaching: list[Change],
) -> None:
    path = observation.resolved.drives.get(drive.name)
    if path is None:
        return
    here = machine.drive_at(drive.place)
    if here is not None and here.kind == "disk" and _is(here, path):
        if here.shared != drive.shared:
            found.refusals.append(
                f"drive `{drive.name}` is attached {'as' if here.shared else 'not as'} a shared "
                "disk; detach it to change that"
            )
        _compare_size(machine, drive, here, path, found)
        return
    if here is not None and not _moves_away(observation, here):
        found.refusals.append(
            f"drive `{drive.name}`: its place {_place(drive.place)} is taken by "
            f"{here.path or 'an empty DVD drive'}; detach that first"
        )
        return
    elsewhere = [each for each in machine.drives if each.kind == "disk" and _is(each, path)]
    for each in elsewhere:
        _compare_size(machine, drive, each, path, found)
        found.changes.append(
            Change(
                object=f"drive {drive.name}",
                what="place",
                read=_place(each.place),
                wanted=_place(drive.place),
                needs_off=True,
                steps=(
                    Action(
                        action="detach-disk",
                        arguments={
                            "machine": machine.id,
                            "controller": each.controller,
                            "location": each.location,
                        },
                    ),
                ),
            )
        )
    disk = observation.state.disk(path)
    steps: list[Step] = []
    if not elsewhere and disk is not None and drive.size is not None:
        if disk.size > drive.size:
            found.refusals.append(_no_shrinking(drive, disk.size, disk.minimum_size))
        elif disk.size < drive.size:
            steps.append(Action(action="resize-disk", arguments={"path": path, "size": drive.size}))
    steps.append(
        Action(
            action="attach-disk",
            arguments={
                "machine": machine.id,
                "controller": drive.controller,
                "location": drive.location,
                "path": path,
                "shared": drive.shared,
            },
        )
    )
    attaching.append(
        Change(
            object=f"drive {drive.name}",
            what=f"attach {path}",
            wanted=_place(drive.place),
            kind=Kind.CHANGE if elsewhere else Kind.CREATE,
            # A place that must be left first, a moved or shared disk, a new controller.
            needs_off=here is not None
            or bool(elsewhere)
            or drive.shared
            or drive.controller >= machine.scsi_controllers,
            steps=tuple(steps),
        )
    )


def _moves_away(observation: Observation, here: AttachedDrive) -> bool:
    """Whether the disk at a place is one of ours that the deployment wants at another place."""
    return here.kind == "disk" and here.path is not None and _wanted_elsewhere(observation, here)


def _compare_size(
    machine: Machine, drive: Drive, here: AttachedDrive, path: str, found: Findings
) -> None:
    if drive.size is None or here.size == drive.size:
        return
    if here.size is None:
        found.notes.append(f"left alone: the disk of drive `{drive.name}` cannot be read")
    elif here.size > drive.size:
        found.refusals.append(_no_shrinking(drive, here.size, here.minimum_size))
    elif machine.checkpoints or folded(here.path) != folded(path):
        found.refusals.append(
            f"drive `{drive.name}` cannot grow while the machine has checkpoints; merge them first"
        )
    else:
        found.changes.append(
            Change(
                object=f"drive {drive.name}",
                what="size",
                read=here.size,
                wanted=drive.size,
                needs_off=drive.shared,
                steps=(Action(action="resize-disk", arguments={"path": path, "size": drive.size}),),
            )
        )


def _no_shrinking(drive: Drive, size: int, minimum: int | None) -> str:
    return (
        f"drive `{drive.name}` has {size} bytes, wanted are {drive.size}: disks are not shrunk "
        f"(its smallest size now is {minimum if minimum is not None else size})"
    )


def _compare_dvd(machine: Machine, drive: Drive, found: Findings) -> None:
    here = machine.drive_at(drive.place)
    if here is not None and here.kind != "dvd":
        found.refusals.append(
            f"drive `{drive.name}`: its place {_place(drive.place)} is taken by {here.path}"
        )
        return
    if here is None or folded(here.path) != folded(drive.media):
        found.changes.append(
            Change(
                object=f"drive {drive.name}",
                what="medium",
                read=here.path if here is not None else None,
                wanted=drive.media,
                kind=Kind.CREATE if here is None else Kind.CHANGE,
                needs_off=here is None and drive.controller >= machine.scsi_controllers,
                steps=(_dvd(machine, drive.place, drive.media, fresh=here is None),),
            )
        )


def _dvd(machine: Machine, place: tuple[int, int], path: str | None, *, fresh: bool) -> Action:
    return Action(
        action="add-dvd" if fresh else "set-dvd",
        arguments={
            "machine": machine.id,
            "controller": place[0],
            "location": place[1],
            "path": path,
        },
    )


def _first_boot(observation: Observation, machine: Machine, boot: str, found: Findings) -> None:
    place = next(drive.place for drive in observation.deployment.drives if drive.name == boot)
    order = machine.firmware.boot_order
    first = order[0] if order else None
    if first is None or first.type != "Drive" or (first.controller, first.location) != place:
        found.changes.append(
            Change(
                object="machine",
                what="first boot device",
                wanted=boot,
                needs_off=True,
                steps=(
                    Action(
                        action="set-first-boot",
                        arguments={
                            "machine": machine.id,
                            "controller": place[0],
                            "location": place[1],
                        },
                    ),
                ),
            )
        )


def compare_seed(observation: Observation, machine: Machine, found: Findings) -> None:
    """Add what the seed's drive lacks, and the ISO files that nothing uses any more."""
    here = machine.drive_at(SEED_PLACE)
    if here is not None and here.kind != "dvd":
        found.refusals.append(f"the seed's place 0:63 is taken by {here.path}; detach that first")
        return
    goal = observation.sealed_goal if observation.sealed else observation.goal
    match goal:
        case NoSeed():
            found.needs.append(goal.reason)
            return
        case SeedGoal():
            found.changes += insert_seed(observation, machine, goal, here, found)
        case None:
            if here is not None and here.path is not None and _is_old_seed(observation, here.path):
                found.changes.append(
                    Change(
                        object="seed",
                        what="medium",
                        read=here.path,
                        steps=(_dvd(machine, SEED_PLACE, None, fresh=False),),
                    )
                )
    kept = goal.path if isinstance(goal, SeedGoal) else None
    found.changes += old_seeds(observation, machine, kept, found)


def insert_seed(
    observation: Observation,
    machine: Machine,
    goal: SeedGoal,
    here: AttachedDrive | None,
    found: Findings,
) -> list[Change]:
    """The change that places the ISO beside the old one and inserts it; none where it is there."""
    file = observation.state.file(goal.path)
    intact = file is not None and file.sha256 == goal.sha256
    inserted = here is not None and folded(here.path) == folded(goal.path)
    if intact and inserted:
        return []
    steps: list[Step] = []
    if not intact:
        if goal.content is None:
            found.needs.append(
                "the seed ISO must be placed again: its file beside the deployment, and the values "
                "of its open slots, are needed"
            )
            return []
        if inserted:
            # The file under the drive is damaged or gone: eject, replace, insert.
            steps.append(_dvd(machine, SEED_PLACE, None, fresh=False))
        folder = f"{observation.resolved.home}\\seed"
        if observation.state.file(folder) is None:
            steps.append(make_folder(folder, protect=True))
        for holder in observation.holders(goal.path):
            found.refusals.append(f"`{holder}` uses {goal.path}, which is to be replaced")
        if file is not None:
            steps.append(Action(action="delete-file", arguments={"path": goal.path}))
        steps.append(
            Upload(
                path=goal.path,
                size=goal.size,
                sha256=goal.sha256,
                content=goal.content,
                creates=goal.path,
            )
        )
    steps.append(_dvd(machine, SEED_PLACE, goal.path, fresh=here is None))
    return [
        Change(
            object="seed",
            what="medium",
            read=here.path if here is not None else None,
            wanted=goal.path,
            kind=Kind.CREATE if here is None else Kind.CHANGE,
            steps=tuple(steps),
        )
    ]


def old_seeds(
    observation: Observation, machine: Machine, kept: str | None, found: Findings
) -> list[Change]:
    """Deletions of the ISO files of earlier runs: they hold secrets that no machine needs."""
    old = [each for each in observation.seed_files if folded(each) != folded(kept)]
    changes = []
    for path in old:
        for holder in observation.holders(path):
            found.refusals.append(f"`{holder}` uses {path}, which holds secrets and is to go")
        for drive in machine.drives:
            elsewhere = drive.kind == "dvd" and drive.place != SEED_PLACE
            if elsewhere and folded(drive.path) == folded(path):
                changes.append(
                    Change(
                        object="seed",
                        what=f"old medium at {_place(drive.place)}",
                        read=path,
                        steps=(_dvd(machine, drive.place, None, fresh=False),),
                    )
                )
        if not is_part(path):
            changes.append(
                Change(
                    object="seed",
                    what="old file",
                    read=path,
                    kind=Kind.REMOVE,
                    steps=(Action(action="delete-file", arguments={"path": path}),),
                )
            )
    return changes


def _is_old_seed(observation: Observation, path: str) -> bool:
    ours = is_own(path, observation.deployment.catlet.id)
    return ours or folded(path) in map(folded, observation.seed_files)


def _place(place: tuple[int, int]) -> str:
    return f"{place[0]}:{place[1]}"
