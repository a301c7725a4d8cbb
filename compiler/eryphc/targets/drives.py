"""What targets with disks ask of a catlet: where its system is, and which files are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eryphc.identifiers import GeneType
from eryphc.ir.catlet import Drive, DriveType
from eryphc.ir.stages import PinnedGene, Substituted


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
        # If the parent's system is on another drive, the first drive is a blank disk.
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


def volume_genes(catlet: Substituted) -> dict[str, PinnedGene]:
    """The volume genes of the closure, by id."""
    return {str(gene.id): gene for gene in catlet.genes if gene.type is GeneType.VOLUME}


def disk_files(catlet: Substituted, given: Mapping[str, str]) -> tuple[Path, ...]:
    """The disk files at hand, in the order of the drives; `given` are paths by drive."""
    genes = volume_genes(catlet)
    found = []
    for drive in catlet.catlet.drives or ():
        gene = genes.get(drive.source or "")
        if (drive.name or "") in given:
            found.append(Path(given[drive.name or ""]))
        elif gene is not None and gene.volume is not None and gene.volume.path is not None:
            found.append(gene.volume.path)
    return tuple(found)
