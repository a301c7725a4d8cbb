"""The rules of a deployment document that types cannot express, mostly on paths and identities."""

from __future__ import annotations

import ipaddress
import re

from eryph_runtime.decode import MalformedError
from eryph_runtime.deployment import (
    SEED_PLACE,
    Create,
    Deployment,
    DriveType,
    Encoding,
    HostSource,
    Memory,
    PoolSource,
    Seed,
    Setting,
    SlotKind,
    UrlSource,
)
from eryph_runtime.hostpaths import file_name_fault, path_fault

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAC = re.compile(r"[0-9A-F][02468ACE][0-9A-F]{10}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PARAMETER = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_MEMORY_STEP = 2 * 1024 * 1024


def check(deployment: Deployment) -> None:
    """Raises MalformedError for the first rule that `deployment` breaks."""
    _demand(_UUID.fullmatch(deployment.catlet.id), "catlet.id: must be a lower case UUID")
    machine = deployment.machine
    _demand(0 < len(machine.name) <= 100, "machine.name: must have 1 to 100 characters")
    _check_memory(machine.memory)
    names = [each.name for each in deployment.parameters]
    _distinct(names, "parameters")
    for name in names:
        _demand(_PARAMETER.fullmatch(name), f"parameters: {name!r} is no name of a parameter")
    _check_drives(deployment, names)
    _check_adapters(deployment, names)
    for place, setting in (
        ("folders.machine", deployment.folders.machine),
        ("folders.volumes", deployment.folders.volumes),
    ):
        _check_setting(setting, names, place, folder=True)
    for place, seed in (("seed", deployment.seed), ("sealed", deployment.sealed)):
        if seed is not None:
            _check_seed(seed, place)
    _demand(deployment.seed is not None or deployment.sealed is None, "sealed: needs a seed")


def _check_memory(memory: Memory) -> None:
    sizes = [memory.startup]
    if memory.dynamic:
        _demand(
            memory.minimum is not None and memory.maximum is not None,
            "machine.memory: dynamic memory needs both bounds",
        )
        sizes = [memory.minimum or 0, memory.startup, memory.maximum or 0]
    _demand(
        all(size > 0 and size % _MEMORY_STEP == 0 for size in sizes),
        "machine.memory: every size must be a multiple of 2 MiB",
    )
    _demand(sizes == sorted(sizes), "machine.memory: minimum <= startup <= maximum must hold")


def _check_drives(deployment: Deployment, parameters: list[str]) -> None:
    _distinct([each.name for each in deployment.drives], "drives")
    _distinct([str(each.place) for each in deployment.drives], "drives (controller and location)")
    volumes = [each.name for each in deployment.volumes]
    _distinct(volumes, "volumes")
    files = []
    for drive in deployment.drives:
        place = f"drive {drive.name!r}"
        _demand(_NAME.fullmatch(drive.name), f"{place}: no name of a drive")
        _demand(0 <= drive.controller <= 3 and 0 <= drive.location <= 63, f"{place}: no such place")
        _demand(drive.place != SEED_PLACE, f"{place}: 0:63 is the seed's place")
        if drive.type is DriveType.DVD:
            _demand(drive.create is Create.MEDIA, f"{place}: a DVD drive has media")
            if drive.media is not None:
                _demand_path(drive.media, place)
            continue
        _demand(drive.create is not Create.MEDIA, f"{place}: only a DVD drive has media")
        if drive.file is None or drive.folder is None:
            raise MalformedError(f"{place}: needs a folder and a file")
        _demand_file(drive.file, place)
        ending = ".vhds" if drive.type is DriveType.VHD_SET else ".vhdx"
        _demand(drive.file.endswith(ending), f"{place}: its file must end in {ending}")
        _check_setting(drive.folder, parameters, place, folder=True)
        files.append(f"{drive.folder.value or drive.folder.parameter}/{drive.file}".casefold())
        if drive.create is Create.BLANK:
            _demand(drive.size is not None, f"{place}: a blank drive needs a size")
        else:
            _demand(drive.volume in volumes, f"{place}: its volume is not listed")
        _demand(
            drive.create is not Create.DIFFERENCING or drive.type is DriveType.VHD,
            f"{place}: a shared drive cannot be differencing",
        )
    _distinct(files, "drives (files)")
    for volume in deployment.volumes:
        hashes = [
            each.sha256 for each in volume.sources if isinstance(each, PoolSource | UrlSource)
        ]
        for sha256 in (volume.sha256, *hashes):
            _demand(
                sha256 is None or _SHA256.fullmatch(sha256), f"volume {volume.name!r}: no SHA-256"
            )
        for source in volume.sources:
            if isinstance(source, HostSource):
                _demand_path(source.path, f"volume {volume.name!r}")
    boot = deployment.machine.boot_drive
    _demand(
        boot is None or boot in [each.name for each in deployment.drives],
        "machine.boot_drive: no such drive",
    )


def _check_adapters(deployment: Deployment, parameters: list[str]) -> None:
    _distinct([each.name for each in deployment.network_adapters], "network_adapters")
    _distinct(
        [each.mac_address for each in deployment.network_adapters], "network_adapters (addresses)"
    )
    for adapter in deployment.network_adapters:
        place = f"adapter {adapter.name!r}"
        _demand(0 < len(adapter.name) <= 64, f"{place}: its name must have 1 to 64 characters")
        _demand(_MAC.fullmatch(adapter.mac_address), f"{place}: no unicast MAC address")
        _demand(adapter.vlan is None or 1 <= adapter.vlan <= 4094, f"{place}: no VLAN")
        for address in adapter.addresses:
            _demand(_is_address(address), f"{place}: {address!r} is no IP address")
        if adapter.switch is not None:
            _check_setting(adapter.switch, parameters, place, folder=False)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_seed(seed: Seed, place: str) -> None:
    _demand_file(seed.file, place)
    _demand(_SHA256.fullmatch(seed.sha256), f"{place}: no SHA-256")
    _demand(0 < seed.size <= 256 * 1024 * 1024, f"{place}: its size is out of range")
    lengths = {slot.name: slot.length for slot in seed.slots}
    _distinct([slot.name for slot in seed.slots], f"{place}.slots")
    for each in seed.slots:
        fits = each.length == 36 if each.kind is SlotKind.VM_ID else 0 < each.length <= 65536
        _demand(fits, f"{place}: slot {each.name!r} has a wrong length")
    for relocation in seed.relocations:
        inside = relocation.offset >= 0 and relocation.length > 0 and relocation.at >= 0
        _demand(
            inside and relocation.offset + relocation.length <= seed.size,
            f"{place}: a relocation lies outside the ISO",
        )
        _demand(relocation.slot in lengths, f"{place}: a relocation of an unknown slot")
        if relocation.encoding is Encoding.PLAIN:
            _demand(
                relocation.length == lengths[relocation.slot] and relocation.at == 0,
                f"{place}: a plain relocation must be as long as its slot",
            )


def _check_setting(setting: Setting, parameters: list[str], place: str, *, folder: bool) -> None:
    _demand(
        (setting.value is None) != (setting.parameter is None),
        f"{place}: a setting has either a value or a parameter",
    )
    if setting.parameter is not None:
        _demand(setting.parameter in parameters, f"{place}: no parameter {setting.parameter!r}")
    elif folder and setting.value is not None:
        _demand_path(setting.value, place)


def _demand_path(path: str, place: str) -> None:
    if fault := path_fault(path):
        raise MalformedError(f"{place}: {path!r}: {fault}")


def _demand_file(name: str, place: str) -> None:
    if fault := file_name_fault(name):
        raise MalformedError(f"{place}: {name!r}: {fault}")


def _distinct(values: list[str], place: str) -> None:
    _demand(len(set(values)) == len(values), f"{place}: must be distinct")


def _demand(condition: object, fault: str) -> None:
    if not condition:
        raise MalformedError(fault)
