"""What must hold on a host before anything is changed: all faults at once. Pure.

Source: docs/reference/hyperv.md, "Preconditions", "Rights", "Limits of a machine",
"Nested virtualization", "Processors", "Secure boot".
"""

from __future__ import annotations

from eryph_runtime.compare_adapters import find_switch
from eryph_runtime.comparison import Findings
from eryph_runtime.deployment import Create, DriveType
from eryph_runtime.hostpaths import is_share, parent
from eryph_runtime.notices import folder_refusals, seed_notes, twin_notes
from eryph_runtime.observe import Observation
from eryph_runtime.record import mark, owner_in, same_owner
from eryph_runtime.resolve import DEFAULT_SWITCH
from eryph_runtime.said import refusal
from eryph_runtime.state import HostFacts

# First builds: Windows 10 1607/Server 2016, Server 2019, Server 2022, Server 2025.
_BUILD_2016, _BUILD_2019, _BUILD_2022, _BUILD_2025 = 14393, 17763, 20348, 26100
_BUILD_11 = 22000
_GIB = 1024**3
_TIB = 1024**4


def host_faults(host: HostFacts) -> list[str]:
    """Why this account, or this host, cannot run machines at all."""
    faults = []
    if host.language_mode != "FullLanguage":
        faults.append(
            f"PowerShell on the host is in {host.language_mode} mode, where the program cannot run"
        )
    if host.module is None:
        faults.append(
            "the host has no Hyper-V module: enable the feature Microsoft-Hyper-V and its "
            "management tools for PowerShell"
        )
    if not host.administrator and not host.hyperv_administrator:
        # Without rights the list of machines is empty, which does not mean that there are none.
        faults.append(
            f"{host.account} is neither administrator (or the process is not elevated) nor a "
            "member of Hyper-V Administrators on the host"
        )
    return faults


def several_of_ours(observation: Observation) -> str:
    """Said where the host has several machines of one catlet: no program guesses which."""
    listed = ", ".join(
        f"`{each.machine.name}` ({each.machine.id})" for each in observation.state.ours
    )
    return f"several machines carry the marker of this catlet: {listed}"


def owner_fault(observation: Observation) -> str | None:
    """Why the machine may not be touched: it is of another owner. None where it may be."""
    machine, catlet = observation.machine, observation.deployment.catlet.id
    owner = owner_in(machine.notes, catlet) if machine is not None else None
    if machine is None or owner is None or observation.request.take_over:
        return None
    if same_owner(owner, observation.owner):
        return None
    return (
        f"`{machine.name}` was created by {owner or 'somebody unknown'}, not by "
        f"{observation.owner}; --take-over makes it yours. {refusal('build-your-own')}"
    )


def refusals_of_ours(observation: Observation) -> list[str]:
    """Why the machine may not be touched: there are several, or it is somebody else's."""
    if len(observation.state.ours) > 1:
        return [several_of_ours(observation)]
    fault = owner_fault(observation)
    return [fault] if fault is not None else []


def check_host(observation: Observation, found: Findings) -> None:
    """Add every fault of the host to `found`: refusals, and notes for what may go wrong."""
    host, wanted = observation.state.host, observation.deployment.machine
    _check_names(observation, found)
    _check_switches(observation, found)
    if wanted.firmware.secure_boot and host.secure_boot_templates:
        template = wanted.firmware.secure_boot_template
        if template not in host.secure_boot_templates:
            known = ", ".join(f"`{each}`" for each in host.secure_boot_templates)
            found.refusals.append(
                f"the host has no secure boot template `{template}`; it has {known}"
            )
    count = wanted.processor.count
    limit = 240 if host.build < _BUILD_2022 else 1024 if host.build < _BUILD_2025 else 2048
    if count > limit:
        found.refusals.append(f"{count} processors; this host's version allows {limit}")
    elif count > host.logical_processors:
        found.refusals.append(
            f"{count} processors; the host has {host.logical_processors}, and a machine with more "
            "does not start"
        )
    largest = max(wanted.memory.startup, wanted.memory.maximum or 0)
    ceiling = 12 * _TIB if host.build < _BUILD_2022 else 240 * _TIB
    if largest > ceiling:
        found.refusals.append(f"{largest} bytes of memory; this host's version allows {ceiling}")
    adapters, most = len(observation.deployment.network_adapters), 64
    if host.build < _BUILD_2019:
        most = 8
    if adapters > most:
        found.refusals.append(f"{adapters} network adapters; this host's version allows {most}")
    _check_nesting(observation, found)
    _check_tpm(observation, found)
    running = observation.machine is not None and observation.machine.state != "Off"
    if (
        not running
        and host.memory_available is not None
        and host.memory_available < wanted.memory.startup
    ):
        found.notes.append(
            f"the host has {host.memory_available // 2**20} MiB of memory free, the machine starts "
            f"with {wanted.memory.startup // 2**20} MiB"
        )
    _check_space(observation, found)
    found.refusals += folder_refusals(observation)
    found.notes += [*seed_notes(observation), *twin_notes(observation)]


def _check_names(observation: Observation, found: Findings) -> None:
    ours = {each.machine.id for each in observation.state.ours}
    name = observation.deployment.machine.name
    taken = [
        each
        for each in observation.state.machines
        if each.id not in ours and each.name.casefold() == name.casefold()
    ]
    if taken and (observation.machine is None or observation.machine.name != name):
        found.refusals.append(
            f"a machine named `{name}` exists and is not ours ({taken[0].id}); rename it, build "
            "with another --name, or adopt it: give its notes the line "
            f"`{mark('', observation.deployment.catlet.id, observation.owner)}`"
        )
    wanted = {each.mac_address: each.name for each in observation.deployment.network_adapters}
    for other in observation.state.machines:
        if other.id in ours:
            continue
        for address in sorted(set(other.mac_addresses) & set(wanted)):
            found.refusals.append(
                f"adapter `{wanted[address]}`: `{other.name}` has the address {address} too. "
                f"{refusal('build-your-own')}"
            )


def _check_switches(observation: Observation, found: Findings) -> None:
    static = {each.name: each.addresses for each in observation.deployment.network_adapters}
    for name, switch in sorted(observation.resolved.switches.items()):
        looked_up = find_switch(observation.state, switch)
        if isinstance(looked_up, str):
            found.refusals.append(f"adapter `{name}`: {looked_up}")
        elif looked_up.id == DEFAULT_SWITCH and static.get(name):
            found.notes.append(
                f"adapter `{name}`: the static address {static[name][0]} does not work on "
                f"`{looked_up.name}`, which changes its subnet with every start of the host; name "
                "a switch of your own"
            )


def _check_nesting(observation: Observation, found: Findings) -> None:
    host, processor = observation.state.host, observation.deployment.machine.processor
    if not processor.nested_virtualization:
        return
    amd = host.processor_vendor == "amd"
    least = (_BUILD_2022 if host.server else _BUILD_11) if amd else _BUILD_2016
    if host.build < least:
        found.refusals.append(
            f"nested virtualization needs build {least} or newer on this host; it is {host.build}"
        )
    version = _version(observation.machine.version) if observation.machine is not None else None
    if version is not None and version < ((9, 3) if amd else (8, 0)):
        found.refusals.append(
            f"nested virtualization needs a newer configuration version than "
            f"{observation.machine.version if observation.machine is not None else ''}; "
            "update it with Update-VMVersion"
        )
    if observation.deployment.machine.memory.dynamic:
        found.notes.append(
            "nested virtualization: dynamic memory does not move while a hypervisor runs inside"
        )


def _version(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else None


def _check_tpm(observation: Observation, found: Findings) -> None:
    host, tpm = observation.state.host, observation.deployment.machine.tpm
    if not tpm.enabled or (observation.machine is not None and observation.machine.tpm.enabled):
        return
    needed = ["Enable-VMTPM", "Set-VMKeyProtector:NewLocalKeyProtector"]
    needed += ["New-HgsGuardian", "New-HgsKeyProtector"] if tpm.guardian is not None else []
    found.refusals += [
        f"the host cannot give the machine a TPM: it has no {each}"
        for each in needed
        if host.lacks(each)
    ]
    if tpm.guardian is not None and not host.administrator:
        found.refusals.append("only an administrator can make the TPM's guardian")
    found.notes.append(
        "a machine with a TPM starts only on hosts that hold the certificates of its key protector"
    )


def _check_space(observation: Observation, found: Findings) -> None:
    copies: dict[str, int] = {}
    for drive in observation.deployment.drives:
        path = observation.resolved.drives.get(drive.name)
        if path is None:
            continue
        place = next((each for each in observation.state.free if each.asked == parent(path)), None)
        if drive.type in (DriveType.SHARED_VHD, DriveType.VHD_SET):
            if place is not None and place.kind == "fixed":
                found.refusals.append(
                    f"drive `{drive.name}` is shared: {parent(path)} must lie on a cluster shared "
                    "volume or an SMB share"
                )
        elif is_share(path):
            found.notes.append(
                f"drive `{drive.name}` lies on a share: the host logs in there for itself, which "
                "fails from a remote session without delegation"
            )
        if (
            drive.create is Create.COPY
            and drive.volume is not None
            and observation.missing_disk(drive)
        ):
            source = observation.volume_sources.get(drive.volume)
            size = observation.deployment.volume(drive.volume).size or (
                source.size if source else None
            )
            copies[parent(path)] = copies.get(parent(path), 0) + (size or 0)
    store = observation.resolved.volumes_folder
    stood_on = {
        each.volume for each in observation.deployment.drives if each.create is not Create.COPY
    }
    for name, file in observation.volume_sources.items():
        if file.on_host and name not in stood_on:
            continue
        stored = observation.resolved.parent_path(file.sha256) if file.sha256 is not None else None
        if store is not None and stored is not None and observation.state.file(stored) is None:
            copies[store] = copies.get(store, 0) + (file.size or 0)
    for folder, size in sorted(copies.items()):
        place = next((each for each in observation.state.free if each.asked == folder), None)
        if place is None or place.bytes is None:
            continue
        if place.bytes < size:
            found.refusals.append(
                f"{folder} has {place.bytes} bytes free; {size} would be copied there"
            )
    for each in observation.state.free:
        if each.bytes is not None and each.bytes < _GIB:
            found.notes.append(f"{each.path} has less than 1 GiB free")
