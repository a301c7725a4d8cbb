"""Disk images that no text pins: into a lock goes the digest that counts today.

Source: docs/reference/lock.md, "Disks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from eryphc.diagnostics import lock as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import FrozenMap
from eryphc.genepool.contents import ContentFile, TagContents, disk_path
from eryphc.genepool.volumes import read_descriptor
from eryphc.identifiers import GeneType
from eryphc.ir.stages import PinnedGene
from eryphc.ir.volume import DiskFault, DiskImage, Volume
from eryphc.lockfile.model import Entry, Lock, LockedDisk
from eryphc.lockfile.reading import place_of
from eryphc.source import SourceText

Published = Callable[[Volume], Outcome[LockedDisk]]
"""What the publisher's list says of an image today. Errors: the list cannot be had, or read."""
LookUp = Callable[[str, Entry], Outcome[TagContents]]
"""The content of a pinned tag by its name."""


def with_disks(lock: Lock, look_up: LookUp, published: Published) -> Outcome[Lock]:
    """The lock with a digest for each disk that is only described, without one, in what it pins.

    A disk that is pinned stays so. The image of a description's own day is taken where it names
    one: that keeps its address.
    """
    found: list[Diagnostic] = []
    sets: dict[str, Entry] = {}
    for name, entry in lock.sets.items():
        sets[name] = entry
        wanted = [path for path in entry.files or {} if _is_open(path, entry)]
        if not wanted:
            continue
        contents = look_up(name, entry)
        found += contents.diagnostics
        if contents.value is not None:
            texts = {file.path: file for file in contents.value.files}
            disks = _disks({path: texts[path] for path in wanted}, published, found)
            both = dict(sorted({**entry.disks, **disks}.items()))
            sets[name] = entry._replace(disks=FrozenMap(both))
    if has_errors(found):
        return Outcome(None, tuple(found))
    return Outcome(lock._replace(sets=FrozenMap(sets)), tuple(found))


def _is_open(path: str, entry: Entry) -> bool:
    return path.startswith("volumes/") and path not in entry.disks


def _disks(
    texts: Mapping[str, ContentFile], published: Published, found: list[Diagnostic]
) -> dict[str, LockedDisk]:
    disks: dict[str, LockedDisk] = {}
    for path, file in sorted(texts.items()):
        if file.type != GeneType.VOLUME:
            continue
        read = read_descriptor(SourceText(path, file.text.decode("utf-8", "replace"), regions=()))
        volume = read.value
        if volume is None:
            # Warnings were given when the tag was looked up.
            found += read.diagnostics
            continue
        if volume.sha256 is not None:
            continue
        if volume.dated is not None:
            disks[path] = LockedDisk(volume.dated.digest, volume.dated.url)
            continue
        said = published(volume)
        found += said.diagnostics
        if said.value is not None:
            disks[path] = said.value
    return disks


def other_disks(
    lock: Lock, genes: Iterable[PinnedGene], disks: Mapping[Path, DiskImage | DiskFault]
) -> Iterator[Diagnostic]:
    """Disk files of pools that are not those that the lock pins; `disks` has what was read.

    A disk whose hash nobody wanted is not looked at.
    """
    for gene in genes:
        path = None if gene.volume is None else gene.volume.path
        entry = lock.sets.get(str(gene.id.geneset))
        read = None if path is None else disks.get(path)
        if path is None or entry is None or not isinstance(read, DiskImage) or read.sha256 is None:
            continue
        place = disk_path(gene.id.name, gene.architecture, path.suffix)
        pinned = entry.disk_files.get(place)
        if pinned is not None and pinned != f"sha256:{read.sha256}":
            name, pool = str(gene.id.geneset), entry.pool or ""
            yield wording.changed(name, pool, pool, (place,), place_of(lock, name))
