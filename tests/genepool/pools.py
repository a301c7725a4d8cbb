"""A pool of one gene set, and what it says of it."""

from __future__ import annotations

from eryphc.genepool.folder import FolderPool
from eryphc.genepool.model import GeneSetTag
from eryphc.identifiers import GeneSetId, GeneType

KIT = GeneSetId("acme", "kit", "1.0")
FODDER = "name: {name}\nfodder:\n- {{name: a, content: {content}}}\n"


def fodder(name: str, content: str = "x") -> str:
    return FODDER.format(name=name, content=content)


def tag_of(pool: FolderPool, geneset: GeneSetId = KIT) -> GeneSetTag:
    found = pool.find(geneset)
    assert found is not None
    assert found.value is not None, found.diagnostics
    return found.value


def variants(tag: GeneSetTag, kind: GeneType, name: str) -> dict[str, str]:
    found = tag.variants(kind, name)
    return {
        str(variant.architecture): variant.path.name if variant.path else "-"
        for variant in found.value or ()
    }
