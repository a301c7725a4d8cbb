"""Which disk files must be made, moved over or grown before a drive can be attached.

Source: docs/reference/hyperv.md, "Disk files"; docs/reference/deployment.md, "Places on the host".
"""

from __future__ import annotations

from eryph_runtime.comparison import Change, Findings, Kind
from eryph_runtime.deployment import Create, Drive, DriveType, UrlSource
from eryph_runtime.host import Action, Step, Upload
from eryph_runtime.hostpaths import ancestors, folded, is_own, parent, part_of
from eryph_runtime.observe import Observation, store_copy, wanted_parent
from eryph_runtime.record import Created

_SLOW = 4 * 3600.0
_OF_REMOVED = "file of the removed machine"


def compare_files(observation: Observation, found: Findings) -> None:
    """Add what the files of the wanted drives lack to `found`, folders and parents first."""
    for drive in observation.deployment.drives:
        if drive.media is not None and observation.state.file(drive.media) is None:
            found.refusals.append(f"drive `{drive.name}`: the host has no file {drive.media}")
        path = observation.resolved.drives.get(drive.name)
        if path is None:
            continue
        for holder in observation.holders(path):
            found.refusals.append(f"`{holder}` uses {path}")
        if observation.attached(path):
            _check_attached(observation, drive, path, found)
        elif observation.state.file(path) is None:
            _create(observation, drive, path, found)
        elif not _made_by_us(observation, path):
            found.refusals.append(
                f"drive `{drive.name}`: {path} exists and is not known to be ours; "
                "move it away, or attach it yourself"
            )
        elif observation.state.disk(path) is None and drive.type is DriveType.VHD_SET:
            # Disk sets are made in place: after a killed run, start again.
            _create(observation, drive, path, found)
        elif (disk := observation.state.disk(path)) is None:
            found.refusals.append(f"drive `{drive.name}`: {path} is no disk that Hyper-V can read")
        elif not disk.healthy and drive.type is not DriveType.VHD_SET:
            found.refusals.append(_damaged(drive, path))


def _check_attached(observation: Observation, drive: Drive, path: str, found: Findings) -> None:
    """What the machine has already may be damaged or gone too."""
    disk = observation.state.disk(path)
    if observation.state.file(path) is None:
        found.refusals.append(
            f"drive `{drive.name}`: {path} is attached, and there is no such file"
        )
    elif disk is None:
        found.refusals.append(f"drive `{drive.name}`: {path} is no disk that Hyper-V can read")
    elif not disk.healthy and drive.type is not DriveType.VHD_SET:
        found.refusals.append(_damaged(drive, path))


def _damaged(drive: Drive, path: str) -> str:
    return f"drive `{drive.name}`: {path} or a parent of it is damaged or missing (Test-VHD)"


def compare_leftovers(observation: Observation, found: Findings) -> None:
    """Add the deletion of what killed runs left unfinished, but for what this one goes on with."""
    used = {
        folded(step.arguments["path"] if isinstance(step, Action) else step.path)
        for change in found.changes
        for step in change.steps
        if isinstance(step, Upload) or step.action == "move-whole"
    }
    used |= {folded(part_of(each)) for each in used}
    for path in observation.leftovers:
        if folded(path) not in used:
            found.changes.insert(0, _deletion("unfinished file", path))
    record = observation.record
    if observation.machine is None and record is not None:
        # A removal that was cut off: the machine it belonged to has gone.
        for path in record.deleting:
            ours = is_own(path, observation.deployment.catlet.id)
            if ours and observation.state.file(path) is not None:
                found.changes.insert(0, _deletion(_OF_REMOVED, path))


def is_unfinished_removal(change: Change) -> bool:
    """Whether it deletes what a removal that was cut off left."""
    return change.what == _OF_REMOVED


def _deletion(what: str, path: str) -> Change:
    return Change(
        object="file",
        what=what,
        read=path,
        kind=Kind.REMOVE,
        steps=(Action(action="delete-file", arguments={"path": path}),),
    )


def _made_by_us(observation: Observation, path: str) -> bool:
    return observation.record is not None and observation.record.made(path)


def _create(observation: Observation, drive: Drive, path: str, found: Findings) -> None:
    steps: list[Step] = []
    folder = parent(path)
    if (
        folded(folder) != folded(observation.resolved.home)
        and observation.state.file(folder) is None
    ):
        steps += make_folders(observation, folder)
    steps += [
        Action(action="delete-file", arguments={"path": each})
        for each in (part_of(path), path)
        if observation.state.file(each) is not None
    ]
    source = None
    if drive.create is not Create.BLANK and drive.volume is not None:
        source = _parent(observation, drive, drive.volume, found)
        if source is None:
            return
        # Known before the parent is copied: it may have many gigabytes.
        largest = _virtual_size(observation, drive.volume)
        if drive.size is not None and largest is not None and largest > drive.size:
            found.refusals.append(
                f"drive `{drive.name}`: the parent disk has {largest} bytes, wanted are "
                f"{drive.size}; ask for a `size` that is as large, or leave it out"
            )
            return
    match drive.create:
        case Create.BLANK:
            steps.append(_new_disk(drive, path, None))
        case Create.DIFFERENCING:
            steps.append(_new_disk(drive, path, source))
        case Create.COPY:
            steps += _copy(observation, drive, path, source or "")
        case Create.MEDIA:
            raise AssertionError("a DVD drive has no file")
    found.changes.append(
        Change(
            object=f"drive {drive.name}",
            what=f"{drive.create.value} disk at {path}"
            + (f" of {source}" if source is not None else ""),
            wanted=drive.size,
            kind=Kind.CREATE,
            steps=tuple(steps),
        )
    )


def _new_disk(drive: Drive, path: str, source: str | None) -> Action:
    return Action(
        action="new-disk",
        arguments={
            "path": path,
            "size": drive.size,
            "parent": source,
            # A disk set is a pair of files; renaming one would part them.
            "in_place": drive.type is DriveType.VHD_SET,
        },
        creates=path,
    )


def _copy(observation: Observation, drive: Drive, path: str, source: str) -> list[Step]:
    # A set is converted from a copy, which is one of our unfinished files all the time.
    target = path
    if drive.type is DriveType.VHD_SET:
        target = part_of(path.removesuffix(".vhds") + ".vhdx")
    steps: list[Step] = []
    if target != path:
        steps.append(Action(action="delete-file", arguments={"path": target}))
    steps.append(
        Action(
            action="copy-file",
            arguments={
                "source": source,
                "path": target,
                "sha256": _hash(observation, drive, source),
            },
            creates=target,
            seconds=_SLOW,
        )
    )
    steps.append(Action(action="reset-disk", arguments={"path": target}))
    disk = observation.state.disk(source)
    if drive.size is not None and (disk is None or disk.size < drive.size):
        steps.append(Action(action="resize-disk", arguments={"path": target, "size": drive.size}))
    if target != path:
        steps.append(
            Action(
                action="convert-disk",
                arguments={"source": target, "path": path},
                creates=path,
                seconds=_SLOW,
            )
        )
        steps.append(Action(action="delete-file", arguments={"path": target}))
    return steps


def _hash(observation: Observation, drive: Drive, source: str) -> str | None:
    """Of a file of the host; that of a parent in the store has been compared already."""
    given = observation.volume_sources.get(drive.volume or "")
    return given.sha256 if given is not None and given.path == source else None


def _virtual_size(observation: Observation, volume: str) -> int | None:
    """The bytes of the disk that a drive starts from: in the store, or where it comes from."""
    sha256 = wanted_parent(observation, volume)
    stored = observation.resolved.parent_path(sha256) if sha256 is not None else None
    source = observation.volume_sources.get(volume)
    if stored is not None and (disk := observation.state.disk(stored)) is not None:
        return disk.size
    if source is not None and not source.on_host and source.virtual_size is not None:
        return source.virtual_size
    if source is not None and source.on_host:
        disk = observation.state.disk(source.path)
        if disk is not None:
            return disk.size
    return observation.deployment.volume(volume).virtual_size


def _sound_source(observation: Observation, drive: Drive, path: str, found: Findings) -> bool:
    """Whether a file of the host may become a parent; nothing is copied before that is known."""
    if not _is_sound_disk(observation, path):
        found.refusals.append(f"drive `{drive.name}`: {path} is no sound VHDX disk")
        return False
    return True


def _parent(observation: Observation, drive: Drive, volume: str, found: Findings) -> str | None:
    """The parent's path in the store, after a change that brings it there where it is missing."""
    source = observation.volume_sources.get(volume)
    if source is not None and source.on_host and source.sha256 is None:
        found.refusals.append(f"drive `{drive.name}`: the host has no file {source.path}")
        return None
    sha256 = wanted_parent(observation, volume)
    path = observation.resolved.parent_path(sha256) if sha256 is not None else None
    present = observation.state.file(path) if path is not None else None
    if path is not None and present is not None:
        return path if _sound(observation, drive, path, sha256, found) else None
    if drive.create is Create.COPY and source is not None and source.on_host:
        # Nothing stands on it, so it need not go to the store.
        return source.path if _sound_source(observation, drive, source.path, found) else None
    if observation.resolved.volumes_folder is None:
        return None
    if source is None or path is None or source.sha256 is None or source.size is None:
        found.needs.append(_ask(observation, drive, volume))
        return None
    what = f"bring the volume to {path}"
    if any(change.what == what for change in found.changes):
        return path
    if source.on_host and not _sound_source(observation, drive, source.path, found):
        return None
    copy = store_copy(observation, path)[0]
    steps: list[Step] = []
    if observation.state.file(observation.resolved.volumes_folder) is None:
        steps.append(
            Action(
                action="make-folder",
                arguments={"path": observation.resolved.volumes_folder, "protect": False},
            )
        )
    whole = observation.state.file(copy)
    if whole is not None:
        steps.append(Action(action="delete-file", arguments={"path": copy}))
    if source.on_host:
        steps.append(
            Action(
                action="copy-file",
                arguments={"source": source.path, "path": copy, "sha256": source.sha256},
                creates=copy,
                seconds=_SLOW,
            )
        )
    else:
        steps.append(
            Upload(
                path=copy,
                size=source.size,
                sha256=source.sha256,
                source=source.path,
                resume=_resume_at(observation, copy, source.size),
                creates=copy,
            )
        )
    steps.append(
        Action(
            action="move-whole",
            arguments={"source": copy, "path": path, "sha256": source.sha256},
            seconds=_SLOW,
        )
    )
    found.changes.append(
        Change(
            object=f"drive {drive.name}",
            what=what,
            wanted=source.size,
            kind=Kind.CREATE,
            steps=tuple(steps),
        )
    )
    return path


def _resume_at(observation: Observation, path: str, size: int) -> int:
    part = observation.state.file(part_of(path))
    there = part.size if part is not None and part.size is not None else 0
    return there if there <= size else 0


def _sound(
    observation: Observation, drive: Drive, path: str, sha256: str | None, found: Findings
) -> bool:
    """Whether the parent in the store may be used: hash, health, attributes."""
    file = observation.state.file(path)
    if file is not None and file.sha256 is not None and file.sha256 != sha256:
        found.refusals.append(f"drive `{drive.name}`: {path} was changed: its SHA-256 is another")
        return False
    if not _is_sound_disk(observation, path):
        found.refusals.append(f"drive `{drive.name}`: {path} is no sound VHDX disk")
        return False
    bad = {"SparseFile", "Compressed", "Encrypted"} & set(file.attributes if file else ())
    if bad:
        named = ", ".join(sorted(bad))
        found.refusals.append(
            f"drive `{drive.name}`: {path} is {named}; Hyper-V attaches no such file"
        )
        return False
    return True


def _is_sound_disk(observation: Observation, path: str) -> bool:
    disk = observation.state.disk(path)
    return disk is not None and disk.healthy and disk.format == "VHDX"


def _ask(observation: Observation, drive: Drive, volume: str) -> str:
    wanted = observation.deployment.volume(volume)
    text = f"drive `{drive.name}` needs its volume"
    if wanted.gene is not None:
        text += f" ({wanted.gene})"
    text += f": --volume {drive.name}=PATH"
    urls = [each.url for each in wanted.sources if isinstance(each, UrlSource)]
    if not urls:
        return text
    fetch = "built in after `eryphc volume fetch SPEC --into genes`"
    return f"{text}; to be had at {urls[0]}, or {fetch}"


def make_folder(path: str, *, protect: bool = False) -> Action:
    return Action(action="make-folder", arguments={"path": path, "protect": protect}, creates=path)


def make_folders(observation: Observation, path: str) -> tuple[Action, ...]:
    """One action for each missing folder down to `path`, so that `remove` knows them all."""
    missing = [each for each in ancestors(path) if observation.state.file(each) is None]
    return tuple(make_folder(each) for each in (*missing, path))


def creations(changes: list[Change]) -> list[Created]:
    """What the steps would make, in order, as the record lists it."""
    result = []
    for change in changes:
        for step in change.steps:
            if step.creates is not None:
                folder = isinstance(step, Action) and step.action in ("make-folder", "make-home")
                result.append(Created(kind="folder" if folder else "file", path=step.creates))
    return result
