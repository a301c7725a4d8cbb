"""A disk file into a gene pool in the published layout, where every build finds it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from eryphc.diagnostics import volumes as wording
from eryphc.genepool.folder import MANIFEST, FolderPool
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import Architecture, GeneId
from eryphc.source import shown_path
from eryphc.volumes.faults import VolumeError

_TEXTS = (".yaml", ".yml", ".json", ".md")
_FOLDERS = ("fodder", "volumes")


def place_in_pool(
    pool: Path, tag: GeneSetTag, gene: GeneId, architecture: Architecture, suffix: str
) -> Path:
    """The place in `pool` for the disk file of `gene`. Raises VolumeError if it cannot lie there.

    A build never mixes one tag from two pools: if `pool` has the tag, it must be the pool that
    described the volume.
    """
    if not isinstance(tag, SourceTag):
        used = tag.manifest.source.name
        fault = wording.other_pool(str(gene.geneset), shown_path(pool), used)
        raise VolumeError(fault, outside=False)
    folder = _folder(pool, gene)
    if FolderPool(pool).find(gene.geneset) is not None and not _same(folder, tag.folder):
        raise VolumeError(
            wording.other_pool(str(gene.geneset), shown_path(pool), shown_path(tag.folder)),
            outside=False,
        )
    parts = [each for each in str(architecture).split("/") if each != "any"]
    return folder.joinpath("volumes", *parts, f"{gene.name}.{suffix}")


def bring_tag(pool: Path, tag: GeneSetTag, gene: GeneId) -> bool:
    """Copy the tag into `pool` where it is not there: its texts, not the disks of others.

    The manifest comes last: a tag without one is not there, so that no build sees half of it.
    Gives whether anything was copied: there is no text to copy of a packed tag.
    """
    if not isinstance(tag, SourceTag):
        return False
    folder = _folder(pool, gene)
    if _same(folder, tag.folder):
        return False
    described = tag.folder.parent / "geneset.json"
    if described.is_file() and not (folder.parent / "geneset.json").exists():
        _copy(described, folder.parent / "geneset.json")
    for path in _texts(tag.folder):
        _copy(path, folder / path.relative_to(tag.folder))
    _copy(tag.folder / MANIFEST, folder / MANIFEST)
    return True


def _folder(pool: Path, gene: GeneId) -> Path:
    geneset = gene.geneset
    return pool / geneset.organization / geneset.geneset / geneset.tag


def _texts(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_file() and path.suffix.lower() in _TEXTS and path.name != MANIFEST:
            yield path
        elif path.is_dir() and path.name.lower() in _FOLDERS:
            yield from (
                each
                for each in sorted(path.rglob("*"))
                if each.is_file() and not each.is_symlink() and each.suffix.lower() in _TEXTS
            )


def _same(one: Path, other: Path) -> bool:
    return one.is_dir() and other.is_dir() and one.samefile(other)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, part)
        os.replace(part, target)  # noqa: PTH105
    finally:
        part.unlink(missing_ok=True)
