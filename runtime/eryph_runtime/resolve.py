"""From the settings of a document to final paths and switches.

Order of a parameter: given now, recorded by the last apply, default, what the host knows.
Source: docs/reference/deployment.md, "A parameter".
"""

from __future__ import annotations

from dataclasses import dataclass

from eryph_runtime.deployment import Deployment, Drive, HostDefault, ParameterKind, Setting
from eryph_runtime.hostpaths import file_name, folded, own_folder, path_fault, plain
from eryph_runtime.record import Record
from eryph_runtime.request import Request
from eryph_runtime.state import State

DEFAULT_SWITCH = "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Where things go. `home` is the machine's own folder; `switches` by adapter: name or id.

    `refusals` says which parameters are open or unusable; paths that need them are absent.
    """

    parameters: dict[str, str]
    machine_folder: str | None
    home: str | None
    volumes_folder: str | None
    drives: dict[str, str]
    switches: dict[str, str]
    refusals: tuple[str, ...]

    @property
    def record_path(self) -> str | None:
        return None if self.home is None else f"{self.home}\\eryphc.json"

    @property
    def seed_folder(self) -> str | None:
        return None if self.home is None else f"{self.home}\\seed"

    def parent_path(self, sha256: str) -> str | None:
        """Where the parent disk with that hash lies in the store."""
        return None if self.volumes_folder is None else f"{self.volumes_folder}\\{sha256}.vhdx"


def resolve(
    deployment: Deployment, request: Request, state: State, record: Record | None
) -> Resolved:
    """Give every setting its value, with what the host said."""
    refusals: list[str] = []
    known = {each.name for each in deployment.parameters}
    for name in sorted(set(request.parameters) - known):
        listed = ", ".join(f"`{each}`" for each in sorted(known)) or "none"
        refusals.append(f"the deployment has no parameter `{name}`; it has {listed}")
    parameters: dict[str, str] = {}
    for each in deployment.parameters:
        value = request.parameters.get(each.name)
        if value is None and record is not None:
            value = record.parameters.get(each.name)
        if value is None:
            value = each.default or _from_host(each.host_default, state)
        if value is None:
            refusals.append(
                f"parameter `{each.name}` ({each.description}) has no value: "
                f"--param {each.name}=VALUE"
            )
        elif each.kind is ParameterKind.FOLDER and (fault := path_fault(value)):
            refusals.append(f"parameter `{each.name}`: {value}: {fault}")
        else:
            parameters[each.name] = value

    def settled(setting: Setting) -> str | None:
        if setting.parameter is None:
            return setting.value
        return parameters.get(setting.parameter)

    machine_folder = settled(deployment.folders.machine)
    home = own_folder(machine_folder, deployment.catlet.id) if machine_folder else None
    if len(state.ours) == 1 and state.ours[0].machine.path:
        home = plain(state.ours[0].machine.path)
    drives = {}
    for drive in deployment.drives:
        folder = settled(drive.folder) if drive.folder is not None else None
        if folder is not None and drive.file is not None:
            path = f"{own_folder(folder, deployment.catlet.id)}\\{drive.file}"
            path = _moved(state, drive, path)
            if fault := path_fault(path):
                refusals.append(f"drive `{drive.name}`: {path}: {fault}")
            drives[drive.name] = path
    switches = {}
    for adapter in deployment.network_adapters:
        switch = settled(adapter.switch) if adapter.switch is not None else None
        if switch is not None:
            switches[adapter.name] = switch
    volumes_folder = settled(deployment.folders.volumes)
    return Resolved(
        parameters=parameters,
        machine_folder=machine_folder,
        home=home,
        volumes_folder=volumes_folder.rstrip("\\") if volumes_folder else None,
        drives=drives,
        switches=switches,
        refusals=tuple(refusals),
    )


def _moved(state: State, drive: Drive, path: str) -> str:
    """Where the disk of a drive lies: of a machine that was moved it is what the drive holds.

    It is known by its place in the machine and by the name of its file.
    """
    here = state.ours[0].machine.drive_at(drive.place) if len(state.ours) == 1 else None
    if here is None or here.kind != "disk" or here.path is None:
        return path
    held = [each for each in (here.path, *here.chain) if same_name(each, path)]
    return path if not held or folded(path) in map(folded, held) else held[0]


def same_name(first: str, second: str) -> bool:
    return file_name(first).casefold() == file_name(second).casefold()


def _from_host(default: HostDefault | None, state: State) -> str | None:
    folders = {
        HostDefault.MACHINE_FOLDER: state.host.machine_folder,
        HostDefault.DISK_FOLDER: state.host.disk_folder,
    }
    if default is HostDefault.DEFAULT_SWITCH:
        # By id: its name is localised.
        found = [each for each in state.switches if each.id == DEFAULT_SWITCH]
        return found[0].id if found else None
    return folders[default] if default is not None else None
