"""The one comparison: what an observed host lacks, in order, and what prevents it. Pure.

Source: docs/reference/hyperv.md, "The order of creation", "Comparing".
"""

from __future__ import annotations

from eryph_runtime.compare_adapters import compare_adapters, remove_default_adapters
from eryph_runtime.compare_drives import compare_drives, compare_seed
from eryph_runtime.compare_files import compare_files, compare_leftovers
from eryph_runtime.comparison import Change, Findings, Kind
from eryph_runtime.deployment import IntegrationService, Processor, WantedMachine
from eryph_runtime.host import Action
from eryph_runtime.hostpaths import folded, is_part
from eryph_runtime.observe import Observation
from eryph_runtime.properties import AFTER_TPM, BEFORE_TPM, compare_properties
from eryph_runtime.record import mark, owner_in, same_owner, unfinished_name
from eryph_runtime.seeds import NoSeed, seed_needs
from eryph_runtime.state import (
    AdapterState,
    FirmwareState,
    Machine,
    MemoryState,
    TpmState,
    Unread,
)

BUSY = frozenset(
    (
        "MergingDisks",
        "CreatingSnapshot",
        "DeletingSnapshot",
        "ApplyingSnapshot",
        "ExportingVirtualMachine",
        "MigratingVirtualMachine",
        "MigratingPlannedVm",
        "BackingUpVirtualMachine",
        "ModifyingUpVirtualMachine",
        "StorageMigrationPhaseOne",
        "StorageMigrationPhaseTwo",
    )
)
_PLACEHOLDER = 16


def compare(observation: Observation) -> Findings:
    """All that differs between the host and the deployment, in the order in which it is done.

    The host has at most one machine of this catlet, and it is ours (`refusals_of_ours`).

    For a machine that does not exist yet, later changes are only predicted. They have no steps,
    because they need its id; the next comparison gives them steps.
    """
    found = Findings()
    found.refusals += observation.resolved.refusals
    compare_files(observation, found)
    if observation.machine is None:
        _create(observation, found)
    else:
        _converge(observation, observation.machine, found)
    _tell_unread(observation, found)
    return found


def _tell_unread(observation: Observation, found: Findings) -> None:
    """What cannot be read of our machine cannot be compared; of others it is only told."""
    mine = unread_of_ours(observation)
    found.refusals += mine
    found.notes += [text for text in unread_texts(observation) if text not in mine]


def unread_of_ours(observation: Observation) -> list[str]:
    machine = observation.machine
    about = observation.unread(machine.id) if machine is not None else ()
    return [unread_text(observation, each) for each in about]


def unread_texts(observation: Observation) -> list[str]:
    return [unread_text(observation, each) for each in observation.state.unread]


def unread_text(observation: Observation, unread: Unread) -> str:
    names = {each.id: f"`{each.name}`" for each in observation.state.machines}
    named = names.get(unread.object, unread.object)
    return f"{named}: the host cannot read its {unread.what} ({unread.message})"


def _create(observation: Observation, found: Findings) -> None:
    catlet, wanted = observation.deployment.catlet.id, observation.deployment.machine
    home, folder = observation.resolved.home, observation.resolved.machine_folder
    if home is None or folder is None:
        return
    there = observation.state.file(home)
    if there is not None and observation.record is None and not _only_ours(observation, home):
        found.refusals.append(f"{home} exists, is not empty and holds no record of this catlet")
        return
    compare_leftovers(observation, found)
    if there is None:
        arguments = {"path": home, "name": unfinished_name(catlet), "text": ""}
        found.changes.insert(
            0,
            Change(
                object="machine",
                what="folder",
                wanted=home,
                kind=Kind.CREATE,
                steps=(Action(action="make-home", arguments=arguments, creates=home),),
            ),
        )
    found.changes.append(
        Change(
            object="machine",
            what="machine",
            wanted=wanted.name,
            kind=Kind.CREATE,
            steps=(
                Action(
                    action="new-machine",
                    arguments={
                        "name": unfinished_name(catlet),
                        "folder": folder,
                        "memory": wanted.memory.startup,
                        "notes": mark("", catlet, observation.owner),
                    },
                ),
            ),
        )
    )
    foretold = Findings()
    _settle(observation, _fresh(observation, home), foretold, creating=True)
    found.refusals += foretold.refusals
    found.changes += [
        Change(
            object=each.object,
            what=each.what,
            read=None if each.kind is Kind.CREATE else each.read,
            wanted=each.wanted,
            kind=Kind.CREATE,
        )
        for each in foretold.changes
        if each.kind is not Kind.REMOVE
    ]
    seed = observation.deployment.seed
    if seed is not None:
        for each in (seed, observation.deployment.sealed):
            if each is not None:
                found.needs += seed_needs(
                    each, folder=observation.request.folder, values=observation.request.values
                )
        found.changes.append(
            Change(object="seed", what="medium", wanted=seed.file, kind=Kind.CREATE)
        )


def _only_ours(observation: Observation, home: str) -> bool:
    """Whether nothing lies in the folder but what only we name so."""
    there = observation.state.file(home)
    return there is not None and there.kind == "folder" and all(map(is_part, there.names))


def _converge(observation: Observation, machine: Machine, found: Findings) -> None:
    catlet = observation.deployment.catlet.id
    owner = owner_in(machine.notes, catlet)
    found.refusals += _unchangeable(observation, machine)
    creating = machine.name == unfinished_name(catlet)
    if owner is None or not same_owner(owner, observation.owner):
        found.changes.append(
            Change(
                object="machine",
                what="owner",
                read=owner,
                wanted=observation.owner,
                steps=(
                    Action(
                        action="set-notes",
                        arguments={
                            "machine": machine.id,
                            "notes": mark(machine.notes, catlet, observation.owner),
                        },
                    ),
                ),
            )
        )
    compare_leftovers(observation, found)
    _settle(observation, machine, found, creating=creating)
    if machine.name != observation.deployment.machine.name:
        # Last: a machine that keeps its first name is one whose creation did not end.
        found.changes.append(
            Change(
                object="machine",
                what="name",
                read=machine.name,
                wanted=observation.deployment.machine.name,
                steps=(
                    Action(
                        action="rename-machine",
                        arguments={
                            "machine": machine.id,
                            "name": observation.deployment.machine.name,
                        },
                    ),
                ),
            )
        )
    record = observation.record
    if record is not None and record.restart and machine.state == "Off":
        # We stopped it for a change, and that run did not come to its end.
        found.changes.append(
            Change(
                object="machine",
                what="power",
                read=machine.state,
                wanted="Running",
                steps=(
                    Action(
                        action="start-machine",
                        arguments={"machine": machine.id, "seconds": 300},
                        seconds=330,
                    ),
                ),
            )
        )
    folder = observation.resolved.machine_folder
    if folder is not None and folded(machine.path) != folded(
        f"{folder}\\{unfinished_name(catlet)}"
    ):
        found.notes.append(f"left alone: the machine lies in {machine.path}, not in {folder}")


def _unchangeable(observation: Observation, machine: Machine) -> list[str]:
    """Why nothing of the machine can be changed now, or ever."""
    faults = []
    if machine.generation != observation.deployment.machine.generation:
        faults.append(
            f"`{machine.name}` is of generation {machine.generation}, which cannot be changed"
        )
    busy = sorted(BUSY & set(machine.operational_status))
    if busy:
        faults.append(f"`{machine.name}` is busy ({', '.join(busy)}); try again later")
    if machine.state.endswith("Critical"):
        faults.append(f"the storage of `{machine.name}` cannot be reached ({machine.state})")
    return faults


def _settle(observation: Observation, machine: Machine, found: Findings, *, creating: bool) -> None:
    wanted, host = observation.deployment.machine, observation.state.host
    adapters = machine.network_adapters
    if creating:
        adapters = remove_default_adapters(observation, machine, found)
    found.changes += compare_properties(BEFORE_TPM, machine, wanted, host)
    _compare_template(machine, wanted, found, creating=creating)
    _compare_tpm(machine, wanted, found)
    found.changes += compare_properties(AFTER_TPM, machine, wanted, host)
    services = {each.id: each.enabled for each in machine.integration_services}
    for service in wanted.integration_services:
        if service.id in services and services[service.id] != service.enabled:
            found.changes.append(_service(machine, service))
    compare_drives(observation, machine, found, creating=creating)
    if observation.goal is not None or observation.deployment.seed is None:
        compare_seed(observation, machine, found)
    sealed = observation.sealed_goal
    if isinstance(sealed, NoSeed) and sealed.reason not in found.needs:
        found.needs.append(sealed.reason)
    compare_adapters(observation, machine, adapters, found)


def _compare_template(
    machine: Machine, wanted: WantedMachine, found: Findings, *, creating: bool
) -> None:
    if creating or not machine.tpm.enabled or not wanted.firmware.secure_boot:
        return
    if machine.firmware.secure_boot_template != wanted.firmware.secure_boot_template:
        found.refusals.append(
            "the secure boot template cannot be changed once the TPM holds state: it is "
            f"{machine.firmware.secure_boot_template}, wanted is "
            f"{wanted.firmware.secure_boot_template}"
        )


def _compare_tpm(machine: Machine, wanted: WantedMachine, found: Findings) -> None:
    if machine.tpm.enabled == wanted.tpm.enabled:
        return
    steps = []
    # A protector that is there stays: another one makes the TPM's state unreadable.
    if wanted.tpm.enabled and machine.tpm.key_protector < _PLACEHOLDER:
        steps.append(
            Action(
                action="set-key-protector",
                arguments={"machine": machine.id, "guardian": wanted.tpm.guardian},
            )
        )
    steps.append(
        Action(action="set-tpm", arguments={"machine": machine.id, "enabled": wanted.tpm.enabled})
    )
    found.changes.append(
        Change(
            object="machine",
            what="TPM",
            read=machine.tpm.enabled,
            wanted=wanted.tpm.enabled,
            needs_off=True,
            steps=tuple(steps),
        )
    )


def _service(machine: Machine, service: IntegrationService) -> Change:
    return Change(
        object="machine",
        what=f"integration service {service.id}",
        read=not service.enabled,
        wanted=service.enabled,
        needs_off=True,
        steps=(
            Action(
                action="set-integration-service",
                arguments={
                    "machine": machine.id,
                    "service": service.id,
                    "enabled": service.enabled,
                },
            ),
        ),
    )


def _fresh(observation: Observation, home: str) -> Machine:
    """What `New-VM` gives, as far as `plan` must foretell it.

    Source: docs/reference/hyperv.md, "What New-VM gives".
    """
    wanted = observation.deployment.machine
    default = AdapterState(
        id="",
        name="",
        mac_address="000000000000",
        dynamic_mac=True,
        mac_address_spoofing=False,
        dhcp_guard=False,
        router_guard=False,
        switch=None,
        switch_name=None,
        vlan_mode="Untagged",
        vlan=None,
    )
    return Machine(
        id="",
        name=unfinished_name(observation.deployment.catlet.id),
        notes="",
        generation=2,
        version="",
        state="Off",
        operational_status=(),
        path=home,
        start_action="StartIfRunning",
        start_delay=0,
        stop_action="Save",
        checkpoint_type="Production",
        automatic_checkpoints=True,
        checkpoints=0,
        processor=Processor(count=1, nested_virtualization=False),
        memory=MemoryState(
            dynamic=False,
            startup=wanted.memory.startup,
            minimum=512 * 1024 * 1024,
            maximum=1024 * 1024 * 1024 * 1024,
        ),
        firmware=FirmwareState(
            secure_boot=True, secure_boot_template="MicrosoftWindows", boot_order=()
        ),
        tpm=TpmState(enabled=False, key_protector=4),
        integration_services=(),
        scsi_controllers=1,
        drives=(),
        network_adapters=(default,),
    )
