"""Where the disk of a drive comes from: a file at hand, a publisher, the host, or whoever deploys.

Sources: hyperv.md 6; docs/deployment.md, "A volume".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.ir.catlet import Drive, DriveType
from eryphc.ir.stages import PinnedGene, Substituted
from eryphc.ir.volume import DiskFault, DiskImage, Volume

Files = Mapping[Path, DiskImage | DiskFault]


def system_drive(catlet: Substituted) -> Drive | None:
    """The disk that the system is on, as far as can be told: the first one that was written.

    The oldest ancestor that has disks decides; inheriting sorts drives by name, so their order
    in the catlet says nothing. None where there is no disk.
    """
    disks = {
        (drive.name or "").lower(): drive
        for drive in catlet.catlet.drives or ()
        if drive.type in (None, DriveType.VHD)
    }
    for document in reversed(catlet.pedigree.documents):
        for drive in document.catlet.drives or ():
            found = disks.get((drive.name or "").lower())
            if found is not None:
                return found
    return next(iter(disks.values()), None)


def is_inherited_system(catlet: Substituted, drive: Drive) -> bool:
    """Whether `drive` holds the parent's system although no pool has a volume for it.

    A catlet inherits its system with its parent; a blank disk in its place would never boot.
    """
    if catlet.catlet.parent is None or drive.source is not None:
        return False
    if drive is system_drive(catlet):
        # A system of the parent's on another drive leaves the first one a blank disk.
        inherited = {
            (each.name or "").lower()
            for document in catlet.pedigree.documents[1:]
            for each in document.catlet.drives or ()
        }
        return not any(
            each.source is not None and (each.name or "").lower() in inherited
            for each in catlet.catlet.drives or ()
            if each.type in (None, DriveType.VHD)
        )
    return False


def volume_entry(
    drive: Drive, gene: PinnedGene | None, given: str | None, files: Files, found: list[Diagnostic]
) -> dict[str, Any]:
    """Where the disk of a drive comes from; the last resort is always to ask for it."""
    name = drive.name or ""
    entry: dict[str, Any] = {
        "name": name,
        "gene": str(gene.id) if gene is not None else None,
        "sha256": None,
        "size": None,
        "virtual_size": None,
        "sources": [],
    }
    volume = gene.volume if gene is not None else None
    if given is not None:
        _given(entry, given, files[Path(given)], found)
    elif volume is not None and gene is not None:
        _from_gene(entry, gene, volume, drive, files, found)
    elif drive.source is not None and not drive.source.startswith("gene:"):
        entry["sources"].append({"kind": "host", "path": drive.source})
    else:
        found.append(wording.volume_asked(name, drive.at("name")))
    entry["sources"].append({"kind": "parameter", "drive": name})
    return entry


def _given(
    entry: dict[str, Any], path: str, read: DiskImage | DiskFault, found: list[Diagnostic]
) -> None:
    name = str(entry["name"])
    if isinstance(read, DiskFault):
        if read.missing:
            found.append(wording.volume_missing(name, path, read.reason))
        else:
            found.append(wording.volume_unreadable(name, path, read.reason))
    elif read.format != "vhdx":
        found.append(wording.volume_not_vhdx(name, path, read.format))
    elif read.differencing:
        found.append(wording.volume_incomplete(name, path))
    else:
        _take(entry, read)


def _take(entry: dict[str, Any], image: DiskImage) -> None:
    entry["sha256"], entry["size"] = image.sha256, image.size
    entry["virtual_size"] = image.virtual_size


def _from_gene(
    entry: dict[str, Any],
    gene: PinnedGene,
    volume: Volume,
    drive: Drive,
    files: Files,
    found: list[Diagnostic],
) -> None:
    name = str(entry["name"])
    at = drive.at("source") or drive.at("name")
    read = files[volume.path] if volume.path is not None else None
    if volume.path is not None and read is not None:
        path = _in_pool(gene, volume.path)
        if isinstance(read, DiskFault):
            found.append(wording.volume_unreadable(name, path, read.reason, at))
        elif read.format != "vhdx":
            kind = volume.format if volume.format not in (None, "vhdx") else read.format
            found.append(wording.volume_format(name, path, str(kind), at))
        elif read.differencing:
            found.append(wording.volume_incomplete(name, path, at))
        else:
            _take(entry, read)
            entry["sources"].append({"kind": "pool", "path": path, "sha256": read.sha256})
    if volume.url is None:
        if volume.path is None:
            found.append(wording.volume_asked(name, at))
        return
    if volume.path is not None and not volume.url.lower().endswith(f".{volume.format}"):
        # What is known of the format is that of the file at hand.
        return
    # The digest of a list is the image's as published: that of the VHDX only where it is one.
    if volume.format == "vhdx" and entry["sha256"] is None:
        entry["sha256"], entry["size"] = volume.sha256, volume.size
    entry["sources"].append(
        {
            "kind": "url",
            "url": volume.url,
            "checksums_url": volume.checksums_url,
            "format": "raw" if volume.format in (None, "img") else volume.format,
            "sha256": volume.sha256,
        }
    )


def _in_pool(gene: PinnedGene, path: Path) -> str:
    """The path of a volume below the root of its pool."""
    parts = path.parts
    names = [part.lower() for part in parts]
    last = len(names) - 1
    if "volumes" not in names:
        return "/".join((str(gene.id.geneset), path.name))
    at = last - names[::-1].index("volumes")
    return "/".join((str(gene.id.geneset), *parts[at:]))
