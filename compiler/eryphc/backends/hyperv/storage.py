"""Drives, the volumes they start from, and where their files go.

Sources: hyperv.md 6; docs/deployment.md, "A drive" and "A volume".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.ir.catlet import Catlet, Drive, DriveType
from eryphc.ir.identifiers import GeneType
from eryphc.ir.stages import PinnedGene, Substituted
from eryphc.ir.volume import Volume
from eryphc.passes.check import windows_path_fault
from eryphc.project import DiskMode, HyperVDefaults

GIB = 1024**3
# The place of the seed's DVD drive.
_SEED_LOCATION = 63
_BLANK_GIB = 1
_BLOCK = 4 * 1024 * 1024
_SHARED = (DriveType.SHARED_VHD, DriveType.VHD_SET)


def setting(value: str | None, parameter: str | None) -> dict[str, Any]:
    """A value, or the parameter of `apply` that gives it."""
    return {"value": value, "parameter": None if value is not None else parameter}


@dataclass(slots=True)
class Storage:
    """What the drives of a catlet come to. `parameters` are the folders left open."""

    drives: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    stores: set[str] = field(default_factory=set)
    boot_drive: str | None = None
    shared: bool = False
    found: list[Diagnostic] = field(default_factory=list)


def storage(catlet: Substituted, settings: HyperVDefaults, at_hand: Mapping[str, str]) -> Storage:
    """Every drive at its place on the controllers. `at_hand` is `--volume`: drive to path."""
    result = Storage()
    drives = tuple(catlet.catlet.drives or ())
    modes = dict(settings.drives or ())
    asked = _inherited_system(catlet.catlet, drives)
    genes = {str(gene.id): gene for gene in catlet.genes if gene.type is GeneType.VOLUME}
    for index, drive in enumerate(drives):
        controller, location = divmod(index, _SEED_LOCATION)
        entry = _drive(drive, settings, result)
        entry |= {"controller": controller, "location": location}
        gene = genes.get(drive.source or "")
        if drive.type is not DriveType.DVD and (gene is not None or drive is asked):
            name = drive.name or ""
            mode = modes.get(name) or settings.disks or DiskMode.DIFFERENCING
            copy = str(mode) == DiskMode.COPY or drive.type in _SHARED
            entry["create"] = "copy" if copy else "differencing"
            entry["volume"] = name
            result.volumes.append(_volume(drive, gene, at_hand.get(name), result.found))
            if result.boot_drive is None:
                result.boot_drive = name
        result.drives.append(entry)
    result.volumes.sort(key=lambda volume: str(volume["name"]))
    known = [str(volume["name"]) for volume in result.volumes]
    result.found += [
        wording.volume_unknown_drive(drive, known) for drive in at_hand if drive not in known
    ]
    if result.boot_drive is None:
        span = catlet.catlet.at("drives")
        result.found.append(wording.no_boot_drive(span))
    return result


def _inherited_system(catlet: Catlet, drives: Sequence[Drive]) -> Drive | None:
    """The drive that holds the parent's system where no pool has a volume for it.

    A catlet inherits its system with its parent; a blank disk in its place would never boot.
    """
    disks = [drive for drive in drives if drive.type in (None, DriveType.VHD)]
    if catlet.parent is None or any(drive.source is not None for drive in disks):
        return None
    return disks[0] if disks else None


def _drive(drive: Drive, settings: HyperVDefaults, result: Storage) -> dict[str, Any]:
    name = drive.name or ""
    kind = drive.type or DriveType.VHD
    is_dvd = kind is DriveType.DVD
    if drive.location is not None:
        result.found.append(
            wording.location_ignored(f"drive `{name}`", drive.location, drive.at("location"))
        )
    if kind is DriveType.PHD:
        result.found.append(wording.pass_through(name, drive.at("type")))
    elif not is_dvd and drive.source is not None and not drive.source.startswith("gene:"):
        result.found.append(wording.host_disk(name, drive.source, drive.at("source")))
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
        return entry
    entry["folder"] = _folder(drive, kind, settings, result)
    entry["file"] = f"{name}.{'vhds' if kind is DriveType.VHD_SET else 'vhdx'}"
    if entry["size"] is None and drive.source is None:
        entry["size"] = _BLANK_GIB * GIB
    return entry


def _folder(
    drive: Drive, kind: DriveType, settings: HyperVDefaults, result: Storage
) -> dict[str, Any]:
    """A drive's store chooses its folder; the default store is the folder of disks."""
    store = drive.store or "default"
    folder = settings.folders.disks if settings.folders is not None else None
    if store != "default":
        result.stores.add(store)
        return setting(None, f"store-{store}")
    if kind in _SHARED:
        result.shared = True
        if folder is not None and not _is_shared(folder):
            at = drive.at("type")
            fault = wording.shared_needs_share(drive.name or "", kind.value, folder, at)
            result.found.append(fault)
        if folder is None:
            result.stores.add("shared")
            return setting(None, "store-shared")
    return setting(folder, "folder")


def _is_shared(folder: str) -> bool:
    return folder.startswith("\\\\") or folder.lower().startswith("c:\\clusterstorage\\")


def _volume(
    drive: Drive, gene: PinnedGene | None, given: str | None, found: list[Diagnostic]
) -> dict[str, Any]:
    """Where the disk of a drive comes from; the last resort is always to ask for it."""
    name = drive.name or ""
    entry: dict[str, Any] = {
        "name": name,
        "gene": str(gene.id) if gene is not None else None,
        "sha256": gene.sha256 if gene is not None else None,
        "size": None,
        "virtual_size": None,
        "sources": [],
    }
    volume = gene.volume if gene is not None else None
    if given is not None:
        entry["sha256"], entry["size"] = _digest(Path(given))
    elif volume is not None and gene is not None:
        _volume_sources(entry, gene, volume, name, found)
    else:
        found.append(wording.volume_asked(name, drive.at("name")))
    entry["sources"].append({"kind": "parameter", "drive": name})
    return entry


def _volume_sources(
    entry: dict[str, Any], gene: PinnedGene, volume: Volume, drive: str, found: list[Diagnostic]
) -> None:
    if volume.path is not None and volume.format == "vhdx":
        sha256, size = _digest(volume.path)
        entry["sha256"], entry["size"] = sha256, size
        entry["sources"].append(
            {"kind": "pool", "path": _in_pool(gene, volume.path), "sha256": sha256}
        )
    elif volume.path is not None:
        entry["sha256"] = None
        path = _in_pool(gene, volume.path)
        found.append(wording.volume_format(drive, path, volume.format or "unknown"))
    if volume.url is not None:
        if volume.format != "vhdx":
            # The digest of the list is the image's as published, not that of the VHDX made of it.
            entry["sha256"] = None
        entry["sources"].append(
            {
                "kind": "url",
                "url": volume.url,
                "checksums_url": volume.checksums_url,
                "format": volume.format or "raw",
                "sha256": volume.sha256,
            }
        )


def _in_pool(gene: PinnedGene, path: Path) -> str:
    """The path of a volume below the root of its pool."""
    parts = path.parts
    at = len(parts) - 1 - tuple(part.lower() for part in reversed(parts)).index("volumes")
    return "/".join((str(gene.id.geneset), *parts[at:]))


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a disk file, read in blocks. Raises OSError."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def folder_faults(settings: HyperVDefaults) -> tuple[Diagnostic, ...]:
    """Folders of the project file that are no full Windows path."""
    folders = settings.folders
    if folders is None:
        return ()
    found = []
    for key in ("machines", "disks", "volumes"):
        path = getattr(folders, key)
        if path is None:
            continue
        reason = windows_path_fault(path)
        if reason is None and any(mark in path for mark in "[]`%"):
            reason = "the characters [ ] ` % are not allowed in it"
        if reason is not None:
            found.append(wording.bad_setting(f"folders.{key}", path, reason, folders.at(key)))
    return tuple(found)
