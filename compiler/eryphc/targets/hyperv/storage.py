"""Drives, the volumes they start from, and where their files go.

Sources: hyperv.md 6; docs/deployment.md, "A drive" and "A volume".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.identifiers import GeneType
from eryphc.ir.catlet import Drive, DriveType
from eryphc.ir.stages import PinnedGene, Substituted
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.targets.hyperv.options import HyperVOptions
from eryphc.targets.hyperv.paths import is_reserved, path_fault
from eryphc.targets.hyperv.settings import DiskMode, HyperVDefaults
from eryphc.targets.hyperv.volumes import is_inherited_system, system_drive, volume_entry

GIB = 1024**3
# The place of the seed's DVD drive.
_SEED_LOCATION = 63
_BLANK_GIB = 1
_SHARED = (DriveType.SHARED_VHD, DriveType.VHD_SET)
SHARED_FOLDER = "shared-folder"


def setting(value: str | None, parameter: str | None) -> dict[str, Any]:
    """A value, or the parameter of `apply` that gives it."""
    return {"value": value, "parameter": None if value is not None else parameter}


@dataclass(slots=True)
class Storage:
    """What the drives of a catlet come to. `stores` are the data stores whose folder is open."""

    drives: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    stores: set[str] = field(default_factory=set)
    boot_drive: str | None = None
    shared: bool = False
    shared_folder_open: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """The names of the disk files."""
        return [entry["file"] for entry in self.drives if entry["file"] is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """Disk files at hand: `given` is `--volume`, drive to path; `files` what was read of each."""

    given: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, DiskImage | DiskFault] = field(default_factory=dict)


def disk_files(catlet: Substituted, options: HyperVOptions) -> tuple[Path, ...]:
    """The files whose hash and size `storage` wants to know."""
    given = options.volumes
    genes = _volume_genes(catlet)
    found = []
    for drive in catlet.catlet.drives or ():
        gene = genes.get(drive.source or "")
        if (drive.name or "") in given:
            found.append(Path(given[drive.name or ""]))
        elif gene is not None and gene.volume is not None and gene.volume.path is not None:
            found.append(gene.volume.path)
    return tuple(found)


def storage(catlet: Substituted, settings: HyperVDefaults, at_hand: AtHand) -> Storage:
    """Every drive at its place on the controllers, and the volume it starts from."""
    result = Storage()
    drives = tuple(catlet.catlet.drives or ())
    modes = {name.lower(): mode for name, mode in settings.drives or ()}
    system = system_drive(catlet)
    genes = _volume_genes(catlet)
    for index, drive in enumerate(drives):
        name = drive.name or ""
        gene = genes.get(drive.source or "")
        given = at_hand.given.get(name)
        takes_volume = drive.type not in (DriveType.DVD, DriveType.PHD) and (
            gene is not None
            or is_inherited_system(catlet, drive)
            or given is not None
            or _on_host(drive)
        )
        entry = _drive(drive, settings, result, blank=not takes_volume)
        entry["controller"], entry["location"] = divmod(index, _SEED_LOCATION)
        if takes_volume:
            mode = modes.get(name) or settings.disks or DiskMode.DIFFERENCING
            copy = str(mode) == DiskMode.COPY or drive.type in _SHARED
            entry["create"] = "copy" if copy else "differencing"
            entry["volume"] = name
            volume = volume_entry(drive, gene, given, at_hand.files, result.found)
            result.volumes.append(volume)
            _compare_sizes(drive, entry, volume, result)
            if result.boot_drive is None or drive is system:
                result.boot_drive = name
        result.drives.append(entry)
    result.volumes.sort(key=lambda volume: str(volume["name"]))
    _settings_without_drive(result, drives, settings, modes)
    known = [d.name or "" for d in drives if d.type not in (DriveType.DVD, DriveType.PHD)]
    result.found += [
        wording.volume_unknown_drive(drive, known) for drive in at_hand.given if drive not in known
    ]
    if result.boot_drive is None:
        result.found.append(wording.no_boot_drive(catlet.catlet.at("drives")))
    return result


def _volume_genes(catlet: Substituted) -> dict[str, PinnedGene]:
    return {str(gene.id): gene for gene in catlet.genes if gene.type is GeneType.VOLUME}


def _on_host(drive: Drive) -> bool:
    return drive.source is not None and not drive.source.startswith("gene:")


def _drive(
    drive: Drive, settings: HyperVDefaults, result: Storage, *, blank: bool
) -> dict[str, Any]:
    name = drive.name or ""
    kind = drive.type or DriveType.VHD
    is_dvd = kind is DriveType.DVD
    if drive.location is not None:
        result.found.append(
            wording.location_ignored(f"drive `{name}`", drive.location, drive.at("location"))
        )
    if kind is DriveType.PHD:
        result.found.append(wording.pass_through(name, drive.at("type")))
    elif drive.source is not None and _on_host(drive):
        fault = path_fault(drive.source)
        if fault is not None:
            result.found.append(wording.host_path(name, drive.source, fault, drive.at("source")))
    entry: dict[str, Any] = {
        "name": name,
        "type": kind.value,
        "folder": None,
        "file": None,
        "size": drive.size * GIB if drive.size is not None else None,
        "create": "media" if is_dvd else "blank",
        "volume": None,
        "media": drive.source if is_dvd else None,
    }
    if is_dvd:
        entry["size"] = None
        for key, value in (("size", drive.size), ("store", _own_store(drive))):
            if value is not None:
                why = "a DVD drive has no disk file"
                what = f"the {key} of drive `{name}`"
                result.found.append(wording.without_effect(what, why, drive.at(key)))
        return entry
    entry["folder"] = _folder(drive, kind, settings, result)
    entry["file"] = f"{name}.{'vhds' if kind is DriveType.VHD_SET else 'vhdx'}"
    if is_reserved(name):
        result.found.append(wording.reserved_name("drive", name, entry["file"], drive.at("name")))
    if entry["size"] is None and blank:
        entry["size"] = _BLANK_GIB * GIB
    return entry


def _own_store(drive: Drive) -> str | None:
    return drive.store if (drive.store or "default") != "default" else None


def _folder(
    drive: Drive, kind: DriveType, settings: HyperVDefaults, result: Storage
) -> dict[str, Any]:
    """A drive's store chooses its folder; the default store is the folder of disks."""
    store = _own_store(drive)
    folder = settings.folders.disks if settings.folders is not None else None
    if kind in _SHARED:
        result.shared = True
    if store is not None:
        result.stores.add(store)
        return setting(None, f"store-{store}")
    if kind in _SHARED:
        if folder is not None and not _is_shared(folder):
            at = drive.at("type")
            fault = wording.shared_needs_share(drive.name or "", kind.value, folder, at)
            result.found.append(fault)
        if folder is None:
            result.shared_folder_open = True
            return setting(None, SHARED_FOLDER)
    return setting(folder, "folder")


def _is_shared(folder: str) -> bool:
    return folder.startswith("\\\\") or folder.lower().startswith("c:\\clusterstorage\\")


def _compare_sizes(
    drive: Drive, entry: Mapping[str, Any], volume: Mapping[str, Any], result: Storage
) -> None:
    wanted, has = entry["size"], volume["virtual_size"]
    if wanted is not None and has is not None and wanted < has:
        at = drive.at("size")
        result.found.append(wording.drive_too_small(drive.name or "", wanted, has, at))


def _settings_without_drive(
    result: Storage,
    drives: tuple[Drive, ...],
    settings: HyperVDefaults,
    modes: Mapping[str, str],
) -> None:
    """Modes of the project file for drives that the catlet lacks, or that start from nothing."""
    names = [drive.name or "" for drive in drives]
    made = {entry["name"]: entry["create"] for entry in result.drives}
    at = settings.at("drives")
    for name in modes:
        if name not in names:
            open_names = [other for other in names if other not in modes]
            result.found.append(wording.setting_unknown("drives", name, "drive", open_names, at))
        elif made[name] == "blank":
            what = f"`{modes[name]}` of drive `{name}` under `hyperv: drives:`"
            result.found.append(wording.without_effect(what, "the drive starts blank", at))
        elif made[name] == "media":
            what = f"`{modes[name]}` of drive `{name}` under `hyperv: drives:`"
            why = "a DVD drive has no disk file"
            result.found.append(wording.without_effect(what, why, at))
    for drive in drives:
        name = drive.name or ""
        if made[name] == "copy" and modes.get(name) == DiskMode.DIFFERENCING:
            what = f"`differencing` of drive `{name}` under `hyperv: drives:`"
            result.found.append(wording.without_effect(what, "a shared disk is always a copy", at))
