"""Pools and packed genes that the original wrote."""

from __future__ import annotations

from pathlib import Path

from eryphc.genepool.folder import FolderPool
from eryphc.genepool.model import GeneSetTag
from eryphc.identifiers import GeneSetId, GeneType
from places import PACKED


def folders(pattern: str) -> list[Path]:
    return sorted(PACKED.glob(pattern))


def name_of(path: Path) -> str:
    return path.relative_to(PACKED).as_posix()


def open_tag(root: Path, tag: str) -> GeneSetTag:
    found = FolderPool(root).find(GeneSetId(*tag.split("/")))
    assert found is not None
    assert found.value is not None, found.diagnostics
    return found.value


def texts(tag: GeneSetTag) -> dict[str, str]:
    """Text of every catlet and fodder gene by `<type>-<name>-<architecture>`."""
    read = {}
    for kind in (GeneType.CATLET, GeneType.FODDER):
        for name in tag.names(kind):
            for variant in tag.variants(kind, name).value or ():
                text = tag.read(variant)
                assert text.value is not None, text.diagnostics
                arch = str(variant.architecture).replace("/", "-")
                read[f"{kind}-{name}-{arch}"] = text.value.source.text
    return read
