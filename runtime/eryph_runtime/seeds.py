"""Which ISO a machine is to hold: the built file with its slots filled for this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from eryph_runtime.deployment import Seed
from eryph_runtime.record import PlacedSeed
from eryph_runtime.slots import SlotError, patch, value_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedGoal:
    """The wanted ISO on the host. `content` None: only its hash is known (from the record)."""

    path: str
    sha256: str
    size: int
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSeed:
    """The wanted ISO cannot be told, and why."""

    reason: str


def seed_path(seed: Seed, home: str, sha256: str) -> str:
    """Where the ISO whose placed bytes have this hash lies in the machine's folder."""
    return f"{home}\\seed\\{seed.file.removesuffix('.iso')}.{sha256[:16]}.iso"


def seed_goal(
    seed: Seed,
    *,
    folder: Path,
    home: str,
    machine: str,
    values: dict[str, str],
    placed: PlacedSeed | None,
) -> SeedGoal | NoSeed:
    """The ISO that `machine` should hold, made from the file in `folder` or known by the record.

    The record stands in where values of slots are not given again, or the file is not here.
    """
    open_slots = [slot for slot in seed.open_values if slot.name not in values]
    recorded = placed if placed is not None and placed.built == seed.sha256 else None
    faults = [
        fault
        for slot in seed.open_values
        if slot.name in values and (fault := value_fault(slot, values[slot.name]))
    ]
    if faults:
        return NoSeed(reason="; ".join(faults))
    file = folder / seed.file
    if open_slots or not file.is_file():
        if recorded is not None:
            path = seed_path(seed, home, recorded.placed)
            return SeedGoal(path=path, sha256=recorded.placed, size=seed.size)
        if open_slots:
            return NoSeed(reason=_ask(seed, [slot.name for slot in open_slots]))
        return NoSeed(reason=_not_beside(seed))
    try:
        # A file that is too large is another one; its size is enough to know that.
        small = file.stat().st_size <= seed.size
        content = patch(seed, file.read_bytes() if small else b"", machine, values)
    except SlotError as error:
        return NoSeed(reason=str(error))
    sha256 = hashlib.sha256(content).hexdigest()
    path = seed_path(seed, home, sha256)
    return SeedGoal(path=path, sha256=sha256, size=len(content), content=content)


def seed_needs(seed: Seed, *, folder: Path, values: dict[str, str]) -> list[str]:
    """What it takes to make the ISO of a machine that does not exist yet: what is not at hand."""
    names = [slot.name for slot in seed.open_values if slot.name not in values]
    needs = [_ask(seed, names)] if names else []
    file = folder / seed.file
    if not file.is_file():
        return [*needs, _not_beside(seed)]
    if not names:
        nobody = "00000000-0000-0000-0000-000000000000"
        goal = seed_goal(seed, folder=folder, home="", machine=nobody, values=values, placed=None)
        needs += [goal.reason] if isinstance(goal, NoSeed) else []
    return needs


def _not_beside(seed: Seed) -> str:
    return f"`{seed.file}` does not lie beside the deployment: copy the whole folder"


def _ask(seed: Seed, names: list[str]) -> str:
    lengths = {slot.name: slot.length for slot in seed.slots}
    slots = ", ".join(f"`{name}` ({lengths[name]} characters)" for name in names)
    return f"no value for the open slots {slots}: --value-file NAME=FILE, or on standard input"
