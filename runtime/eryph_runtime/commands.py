"""The commands: each takes a host and the operator's request and gives a report as data.

Source: docs/reference/runtime.md, "Reports as data".
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from eryph_runtime.applying import Options, apply, examine
from eryph_runtime.compare import unread_texts
from eryph_runtime.comparison import Change
from eryph_runtime.deployment import Deployment
from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Host
from eryph_runtime.locking import take_lock
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import host_faults, owner_fault, several_of_ours
from eryph_runtime.record import owner_in
from eryph_runtime.recording import record_of, write_record
from eryph_runtime.removing import remove
from eryph_runtime.request import Request
from eryph_runtime.running import (
    Address,
    broad_state,
    explain_no_address,
    look,
    power_on,
    shut_down,
    wait_for_addresses,
)
from eryph_runtime.sealing import Seal, Sealed, seal, seal_state, wait_provisioned
from eryph_runtime.state import Machine
from eryph_runtime.talk import Talk

_CHANGES = 4
_START_SECONDS = 300
_SEAL_SECONDS = 900
_IP_SECONDS = 300
_NOT_READ = (
    "the machine ran while its ISO was exchanged, so what the guest said before does not count; "
    "restart it, and `seal` it once it has read the new one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    deployment: Deployment
    request: Request
    options: argparse.Namespace
    talk: Talk

    def wait(self, usual: int) -> int | None:
        """The seconds of `--wait`, `usual` where it has none, None where it is absent."""
        value: int | None = getattr(self.options, "wait", None)
        return usual if value == -1 else value


Report: TypeAlias = dict[str, Any]


def plan(host: Host, asked: Asked) -> Report:
    """What `apply` would change; nothing is changed."""
    observation, found = examine(host, asked.deployment, asked.request, asked.talk)
    if found.refusals:
        raise RefusalError(*found.refusals)
    off = observation.machine is None or observation.machine.state == "Off"
    return {
        "machine": _machine(observation),
        "changes": [_change(each) for each in found.changes],
        "needs_off": any(each.needs_off for each in found.changes) and not off,
        "needs": found.needs,
        "notes": found.notes,
        "seal": seal_state(observation).value,
        "exit_code": _CHANGES if found.changes or found.needs else 0,
    }


def apply_now(host: Host, asked: Asked) -> Report:
    """`apply`."""
    options = Options(
        restart=asked.options.restart,
        force=asked.options.force,
        keep=asked.options.keep,
    )
    applied = apply(host, asked.deployment, asked.request, options, asked.talk)
    observation = applied.observation
    report: Report = {
        "changes": [_change(each) for each in applied.done],
        "left": [_change(each) for each in applied.left],
        "notes": list(applied.notes),
        "exit_code": _CHANGES if applied.left else 0,
    }
    sealed: Sealed | None = None
    if asked.options.start and observation.machine is not None:
        began = power_on(host, observation.machine, asked.talk)
        began = began or any(each.what == "power" for each in applied.done)
        swapped = any(each.object == "seed" and each.what == "medium" for each in applied.done)
        if seal_state(observation) is Seal.PENDING and swapped and not began:
            # What the guest has said is about the ISO that it had before.
            sealed = Sealed(state=Seal.PENDING, reason=_NOT_READ)
        elif seal_state(observation) is Seal.PENDING:
            sealed = _seal_when_done(host, asked, observation.machine, asked.wait(_SEAL_SECONDS))
        observation = observe(host, asked.deployment, asked.request)
    report["machine"] = _machine(observation)
    report["seal"] = (sealed.state if sealed is not None else seal_state(observation)).value
    if sealed is not None and sealed.reason:
        report["notes"].append(sealed.reason)
    return report


def _seal_when_done(host: Host, asked: Asked, machine: Machine, seconds: int | None) -> Sealed:
    limit = _SEAL_SECONDS if seconds is None else seconds
    asked.talk.step(f"waiting at most {limit} s for the end of provisioning, to seal")
    user = asked.options.guest_user
    channel = wait_provisioned(host, machine, asked.deployment, limit, guest_user=user)
    if channel is None:
        over_ssh = "" if user is not None else "; --guest-user USER asks cloud-init over SSH too"
        return Sealed(
            state=Seal.PENDING,
            reason="the guest did not report the end of provisioning in time (the key "
            "`eryph.provisioning.state`, or cloud-init's reporter for Hyper-V); its ISO still "
            f"holds secrets: `seal` swaps it{over_ssh}",
        )
    return seal(host, asked.deployment, asked.request, asked.talk, channel)


def start(host: Host, asked: Asked) -> Report:
    observation, machine = _ours(host, asked)
    changed = power_on(host, machine, asked.talk)
    _forget_restart(host, asked, observation)
    report: Report = {"changed": changed, "exit_code": 0}
    seconds = asked.wait(_START_SECONDS)
    if seconds is not None:
        report.update(_addresses(host, asked, machine, seconds))
    return {
        **report,
        "machine": _machine(observe(host, asked.deployment, asked.request)),
        **_seal(observation),
    }


def stop(host: Host, asked: Asked) -> Report:
    before, machine = _ours(host, asked)
    changed = broad_state(machine.state) != "stopped"
    if changed:
        seconds = asked.wait(_START_SECONDS) or _START_SECONDS
        end_worker = asked.options.end_worker
        shut_down(
            host,
            machine,
            force=asked.options.force or end_worker,
            seconds=seconds,
            talk=asked.talk,
            end_worker=end_worker,
        )
    _forget_restart(host, asked, before)
    observation = observe(host, asked.deployment, asked.request)
    return {"changed": changed, "machine": _machine(observation), "exit_code": 0}


def _forget_restart(host: Host, asked: Asked, observation: Observation) -> None:
    """Who starts or stops the machine decides anew whether it runs."""
    if observation.record is not None and observation.record.restart:
        record = replace(record_of(observation), restart=False)
        write_record(host, observation, record, asked.talk)


def ip(host: Host, asked: Asked) -> Report:
    observation, machine = _ours(host, asked)
    report = _addresses(host, asked, machine, asked.wait(_IP_SECONDS) or 0)
    if not report["addresses"]:
        raise RefusalError(f"no address of `{machine.name}`: {report['reason']}")
    return {**report, "machine": _machine(observation), "exit_code": 0}


def status(host: Host, asked: Asked) -> Report:
    observation = _look(host, asked)
    report: Report = {"machine": _machine(observation), "exit_code": 0, **_seal(observation)}
    report["notes"] = [*unread_texts(observation), *_cut_off(observation)]
    if observation.machine is not None:
        found, seen = look(host, observation.machine, asked.deployment)
        report["heartbeat"] = seen.heartbeat
        report["uptime"] = seen.uptime
        report["operational_status"] = list(seen.operational_status)
        report["addresses"] = _address_data(found)
    return report


def _cut_off(observation: Observation) -> list[str]:
    """What a run that was cut off left to be done."""
    record, machine = observation.record, observation.machine
    notes = []
    if record is not None and record.restart and machine is not None and machine.state == "Off":
        notes.append(f"`{machine.name}` was stopped for a change and is off: `apply` starts it")
    if record is not None and record.deleting and machine is None:
        notes.append("a removal was cut off; `remove` ends it")
    return notes


def seal_now(host: Host, asked: Asked) -> Report:
    observation, machine = _ours(host, asked)
    seconds = asked.wait(_SEAL_SECONDS)
    if seconds is not None and seal_state(observation) is Seal.PENDING:
        sealed = _seal_when_done(host, asked, machine, seconds)
        if sealed.state is Seal.PENDING:
            raise RefusalError(sealed.reason or "not sealed")
    else:
        sealed = seal(host, asked.deployment, asked.request, asked.talk)
    return {
        "seal": sealed.state.value,
        "channel": sealed.channel,
        "machine": _machine(observe(host, asked.deployment, asked.request)),
        "exit_code": 0,
    }


def take_away(host: Host, asked: Asked) -> Report:
    """`remove`."""
    removal = remove(
        host,
        asked.deployment,
        asked.request,
        keep_disks=asked.options.keep_disks,
        graceful=asked.options.graceful,
        talk=asked.talk,
    )
    return {
        "changed": not removal.nothing,
        "removed": {
            "machine": removal.machine,
            "files": list(removal.files),
            "folders": list(removal.folders),
        },
        "kept": list(removal.kept),
        "exit_code": 0,
    }


def _look(host: Host, asked: Asked) -> Observation:
    observation = observe(host, asked.deployment, asked.request)
    if faults := host_faults(observation.state.host):
        raise RefusalError(*faults)
    if len(observation.state.ours) > 1:
        raise RefusalError(several_of_ours(observation))
    return observation


def _ours(host: Host, asked: Asked) -> tuple[Observation, Machine]:
    observation = _look(host, asked)
    if observation.machine is None:
        raise RefusalError("the machine does not exist on this host; `apply` creates it")
    # Anybody may read; acting on the machine of another user needs `--take-over`.
    if asked.options.command != "ip" and (fault := owner_fault(observation)) is not None:
        raise RefusalError(fault)
    if asked.options.command != "ip":
        take_lock(host, asked.deployment)
    return observation, observation.machine


def _addresses(host: Host, asked: Asked, machine: Machine, seconds: int) -> Report:
    found, seen = wait_for_addresses(host, machine, asked.deployment, seconds)
    reason = None if found else explain_no_address(seen)
    return {"addresses": _address_data(found), "reason": reason}


def _address_data(found: tuple[Address, ...]) -> list[dict[str, Any]]:
    return [
        {"address": each.address, "source": each.source, "adapter": each.adapter} for each in found
    ]


def _seal(observation: Observation) -> dict[str, str]:
    return {"seal": seal_state(observation).value}


def _machine(observation: Observation) -> dict[str, Any] | None:
    if observation.machine is None:
        return None
    machine = observation.machine
    return {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        "broad_state": broad_state(machine.state),
        "owner": owner_in(machine.notes, observation.deployment.catlet.id),
        "path": machine.path,
    }


def _change(change: Change) -> dict[str, Any]:
    return change.data()


COMMANDS: dict[str, tuple[Callable[[Host, Asked], Report], str]] = {
    "plan": (plan, "show what would change; exit code 4 if anything would"),
    "apply": (apply_now, "bring the host to what the deployment says"),
    "start": (start, "start or resume the machine"),
    "stop": (stop, "shut the guest down"),
    "ip": (ip, "print the addresses of the machine"),
    "status": (status, "show the machine's state"),
    "seal": (seal_now, "swap in the ISO without secrets"),
    "remove": (take_away, "remove the machine, its disks and files"),
}
