"""What is said before anything is changed, although nothing stands in the way.

A changed seed does little in a guest that has run, and machines that two users built from one
specification have the same addresses. Pure but for the look at neighbors.
Source: docs/reference/cloud-init.md, "The instance id"; docs/reference/hyperv.md, "The seed drive".
"""

from __future__ import annotations

import re
import uuid

from eryph_runtime.compare_adapters import find_switch
from eryph_runtime.deployment import SEED_PLACE, Create, Deployment, Seed
from eryph_runtime.host import Host
from eryph_runtime.hostpaths import ancestors, folded, parent, root
from eryph_runtime.observe import Observation
from eryph_runtime.record import unfinished_name
from eryph_runtime.running import read_guest
from eryph_runtime.said import note, refusal
from eryph_runtime.seeds import SeedGoal
from eryph_runtime.state import Switch
from eryph_runtime.talk import Talk

_FROM_CONTENT = re.compile(r"i-[0-9a-f]{16}")
_INHERITED = ("Compressed", "Encrypted", "IntegrityStream")
_NOT_THERE = frozenset(("Unreachable", "Incomplete"))


def seed_notes(observation: Observation) -> list[str]:
    """What a machine that exists will do with the seed that it is about to get."""
    seed, machine = observation.deployment.seed, observation.machine
    catlet = observation.deployment.catlet
    if seed is None or machine is None or machine.name == unfinished_name(catlet.id):
        return []
    if observation.sealed or not _is_another(observation, seed):
        return []
    if seed.instance_id == catlet.id:
        return [note(f"seed-{observation.deployment.guest}", file=seed.file)]
    kind = "seed-new-instance" if _FROM_CONTENT.fullmatch(seed.instance_id) else "seed-own-id"
    return [note(kind, file=seed.file, id=seed.instance_id)]


def _is_another(observation: Observation, seed: Seed) -> bool:
    """Whether the machine held another seed until now."""
    goal, record = observation.goal, observation.record
    before = record.seed if record is not None else None
    if before is not None:
        if before.built != seed.sha256:
            return True
        return isinstance(goal, SeedGoal) and before.placed != goal.sha256
    drive = observation.machine.drive_at(SEED_PLACE) if observation.machine is not None else None
    if drive is None or drive.path is None:
        return False
    return isinstance(goal, SeedGoal) and folded(drive.path) != folded(goal.path)


def folder_refusals(observation: Observation) -> list[str]:
    """The folders in which no disk can be made that Hyper-V attaches."""
    wanted = [
        parent(observation.resolved.drives[each.name])
        for each in observation.deployment.drives
        if observation.missing_disk(each)
    ]
    stands_on_store = any(
        each.create is Create.DIFFERENCING and observation.missing_disk(each)
        for each in observation.deployment.drives
    )
    if stands_on_store and observation.resolved.volumes_folder is not None:
        wanted.append(observation.resolved.volumes_folder)
    found = []
    for folder in wanted:
        for above in (folder, *reversed(ancestors(folder)), root(folder)):
            there = observation.state.file(above)
            if there is None:
                continue
            bad = [each for each in _INHERITED if each in there.attributes]
            if bad:
                told = " and ".join(bad)
                found.append(refusal("folder-attribute", folder=above, attributes=told))
            break
    return list(dict.fromkeys(found))


def twin_notes(observation: Observation) -> list[str]:
    """That a new machine in a network that others are in too may get a double."""
    if observation.machine is not None:
        return []
    outside = []
    for adapter in observation.deployment.network_adapters:
        wanted = observation.resolved.switches.get(adapter.name)
        found = find_switch(observation.state, wanted) if wanted is not None else None
        if isinstance(found, Switch) and found.type == "External":
            outside.append(adapter.name)
    return [note("twins", adapters=", ".join(outside))] if outside else []


def neighbor_notes(host: Host, deployment: Deployment) -> list[str]:
    """Who has the addresses already that a machine is about to get. Raises HostFailure."""
    wanted = {each.mac_address: each.name for each in deployment.network_adapters}
    if not wanted:
        return []
    seen = read_guest(host, str(uuid.UUID(int=0)), tuple(wanted))
    return [
        note(
            "neighbor",
            adapter=wanted[each.mac_address],
            address=each.address,
            mac=each.mac_address,
        )
        for each in seen.neighbors
        if each.mac_address in wanted and each.state not in _NOT_THERE
    ]


def announce(notes: list[str], talk: Talk) -> None:
    """Say the notes before anything is changed; the report has them too."""
    for each in dict.fromkeys(notes):
        talk.step(f"note: {each}")
