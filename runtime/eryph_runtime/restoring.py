"""A record that was lost or is broken, read anew from the machine. Pure.

What a machine shows: who made it (its notes), where it lies, which disks and switches it has, and
which ISO is inserted. Source: docs/reference/deployment.md, "The record".
"""

from __future__ import annotations

import re
from dataclasses import replace

from eryph_runtime.deployment import SEED_PLACE, Deployment, Drive
from eryph_runtime.hostpaths import file_name, folded, parent
from eryph_runtime.record import PlacedSeed, Record, owner_in, unfinished_name
from eryph_runtime.seeds import NoSeed, SeedGoal
from eryph_runtime.state import Machine, State

_STORED = re.compile(r"([0-9a-f]{64})\.vhdx")


def restored(deployment: Deployment, machine: Machine) -> Record:
    """What the machine says of its settings; what was made follows from these."""
    catlet = deployment.catlet.id
    found: dict[str, str] = {}
    volumes: dict[str, str] = {}

    def settle(parameter: str | None, value: str | None) -> None:
        if parameter is not None and value is not None:
            found.setdefault(parameter, value)

    settle(deployment.folders.machine.parameter, _above_own(machine.path, catlet))
    for drive in deployment.drives:
        chain = _chain_at(machine, drive)
        if drive.folder is not None and chain:
            settle(drive.folder.parameter, _above_own(parent(chain[0]), catlet))
        stored = [each for each in chain[1:] if _STORED.fullmatch(file_name(each))]
        if drive.volume is not None and stored:
            volumes[drive.volume] = file_name(stored[0]).removesuffix(".vhdx")
            settle(deployment.folders.volumes.parameter, parent(stored[0]))
    for adapter in deployment.network_adapters:
        for each in machine.network_adapters:
            if each.name == adapter.name and adapter.switch is not None:
                settle(adapter.switch.parameter, each.switch)
    parameters = {
        each.name: found[each.name] for each in deployment.parameters if each.name in found
    }
    owner = owner_in(machine.notes, catlet) or ""
    return Record(catlet=catlet, by=owner, parameters=parameters, volumes=volumes)


def _above_own(path: str, catlet: str) -> str | None:
    """The folder that holds a folder of ours; None where the machine was moved out of such."""
    ours = file_name(path).casefold() == unfinished_name(catlet)
    return parent(path) if ours else None


def _chain_at(machine: Machine, drive: Drive) -> tuple[str, ...]:
    """From the file of the drive, below the files of checkpoints, to its parents."""
    here = machine.drive_at(drive.place)
    chain = (here.chain or (here.path,)) if here is not None and here.path is not None else ()
    named = [file_name(each).casefold() for each in chain]
    file = (drive.file or "").casefold()
    return tuple(chain[named.index(file) :]) if file in named else ()


def with_inserted(
    deployment: Deployment,
    machine: Machine,
    state: State,
    record: Record,
    goals: tuple[SeedGoal | NoSeed | None, SeedGoal | NoSeed | None],
) -> Record:
    """With the ISO that the machine holds, where it is one of this deployment and is whole."""
    drive, (seed, sealed) = machine.drive_at(SEED_PLACE), goals
    file = state.file(drive.path) if drive is not None and drive.path is not None else None
    if drive is None or drive.path is None or file is None or file.sha256 is None:
        return record
    inserted, sha256 = folded(drive.path), file.sha256
    if not file_name(inserted).endswith(f".{sha256[:16]}.iso"):
        return record
    first = None
    if deployment.seed is not None:
        ours = isinstance(seed, SeedGoal) and folded(seed.path) == inserted
        # Without the values of its slots the name of the file must do.
        stem = deployment.seed.file.removesuffix(".iso").casefold()
        named = file_name(inserted) == f"{stem}.{sha256[:16]}.iso"
        if ours or (isinstance(seed, NoSeed) and named):
            first = PlacedSeed(built=deployment.seed.sha256, placed=sha256)
    if first is not None:
        return replace(record, seed=first)
    if (
        deployment.seed is not None
        and deployment.sealed is not None
        and isinstance(sealed, SeedGoal)
        and folded(sealed.path) == inserted
    ):
        placed = PlacedSeed(built=deployment.sealed.sha256, placed=sha256)
        # What the first ISO was is not known any more, and it shall not come back.
        first = PlacedSeed(built=deployment.seed.sha256, placed=sha256)
        return replace(record, seed=first, sealed=placed)
    return record
