"""Swaps in the ISO without secrets, once the guest no longer needs them.

The instance id is the same in both. Source: docs/reference/hyperv.md, "The seed drive",
"Key-value pairs".
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import StrEnum

from eryph_runtime.compare import unread_of_ours
from eryph_runtime.compare_drives import compare_seed
from eryph_runtime.compare_files import compare_leftovers, creations
from eryph_runtime.comparison import Findings
from eryph_runtime.deployment import SEED_PLACE, Deployment
from eryph_runtime.executor import execute
from eryph_runtime.faults import HostFailure, RefusalError
from eryph_runtime.guest_ssh import cloud_init_is_done
from eryph_runtime.host import Host
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import refusals_of_ours
from eryph_runtime.record import PlacedSeed, Record
from eryph_runtime.recording import record_of, write_record
from eryph_runtime.request import Request
from eryph_runtime.running import Clock, Sleep, look, provisioned
from eryph_runtime.seeds import NoSeed, SeedGoal
from eryph_runtime.state import Machine
from eryph_runtime.talk import Talk

_POLL = 5.0


class Seal(StrEnum):
    """Whether a machine still holds secrets."""

    NONE = "nothing-to-seal"
    PENDING = "pending"
    DONE = "sealed"


def seal_state(observation: Observation) -> Seal:
    """Whether secrets are still about: `sealed` only where the machine holds the ISO without them
    and the host has no other ISO of ours. What the record says is what was meant, not what is."""
    if observation.deployment.sealed is None or observation.machine is None:
        return Seal.NONE
    if not observation.sealed or observation.unread(observation.machine.id):
        return Seal.PENDING
    left = Findings()
    compare_seed(observation, observation.machine, left)
    open_ends = left.changes or left.needs or left.refusals
    return Seal.PENDING if open_ends or observation.unfinished_seeds else Seal.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """`channel`: what told that provisioning is done; None where it was not asked or did not."""

    state: Seal
    channel: str | None = None
    reason: str | None = None


def wait_provisioned(
    host: Host,
    machine: Machine,
    deployment: Deployment,
    seconds: float,
    *,
    guest_user: str | None = None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> str | None:
    """The channel that says provisioning is done; None when time is up or the machine stopped.

    `guest_user` is whom to ask as over SSH, where the guest publishes nothing. Raises HostFailure
    where the guest says that it failed.
    """
    end = clock() + seconds
    while True:
        found, seen = look(host, machine, deployment)
        ended = provisioned(seen)
        if ended is not None and ended.failed:
            # What the guest tells of the reason quotes its configuration, which may be secret.
            raise HostFailure(
                f"provisioning failed in the guest of `{machine.name}`, which says so by "
                f"{ended.channel}; its ISO was not replaced"
            )
        if ended is not None:
            return ended.channel
        known = [each.address for each in found]
        if guest_user is not None and cloud_init_is_done(guest_user, known):
            return "ssh"
        if clock() >= end or seen.state in (None, "Off", "Saved"):
            return None
        sleep(_POLL)


def seal(
    host: Host, deployment: Deployment, request: Request, talk: Talk, channel: str | None = None
) -> Sealed:
    """Swap the sealed ISO in and delete the first. Raises RefusalError, HostFailure."""
    observation = observe(host, deployment, request)
    state = seal_state(observation)
    if state is Seal.NONE:
        reason = (
            "the machine does not exist" if observation.machine is None else "there are no secrets"
        )
        return Sealed(state=state, reason=reason)
    if state is Seal.DONE and not observation.leftovers:
        return Sealed(state=state)
    machine, sealed = observation.machine, deployment.sealed
    if machine is None or sealed is None:
        return Sealed(state=Seal.NONE)
    if isinstance(observation.sealed_goal, NoSeed):
        raise RefusalError(observation.sealed_goal.reason)
    goal = observation.sealed_goal
    if not isinstance(goal, SeedGoal):
        raise RefusalError("the machine's folder is not known")
    here = machine.drive_at(SEED_PLACE)
    if here is not None and here.kind != "dvd":
        raise RefusalError(f"the seed's place 0:63 is taken by {here.path}; detach that first")
    if refused := [*refusals_of_ours(observation), *unread_of_ours(observation)]:
        raise RefusalError(*refused)
    # From here on it is meant to be sealed: whatever becomes of this run, the next one goes on.
    first = observation.goal
    record = observation.record or Record(catlet=deployment.catlet.id, by=observation.owner)
    built = record.seed.built if record.seed is not None else None
    if deployment.seed is not None and built != deployment.seed.sha256:
        known = first.sha256 if isinstance(first, SeedGoal) else goal.sha256
        record = replace(record, seed=PlacedSeed(built=deployment.seed.sha256, placed=known))
    record = replace(record, sealed=PlacedSeed(built=sealed.sha256, placed=goal.sha256))
    observation = replace(observation, record=record)
    found = Findings()
    compare_leftovers(observation, found)
    compare_seed(observation, machine, found)
    if found.needs or found.refusals:
        raise RefusalError(*found.needs, *found.refusals)
    talk.step("swapping in the ISO without secrets")
    write_record(host, observation, record_of(observation, creations(found.changes)), talk)
    execute(host, [step for change in found.changes for step in change.steps], talk)
    observation = observe(host, deployment, request)
    if seal_state(observation) is not Seal.DONE:
        raise HostFailure("the ISO with secrets, or a file of it, is still there; seal again")
    write_record(host, observation, record_of(observation, settled=True), talk)
    return Sealed(state=Seal.DONE, channel=channel)
