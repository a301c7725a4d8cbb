"""What their authors say against gene sets that are used: asked of registries, read in folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eryphc.diagnostics import publishing as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.listing import deprecations_in
from eryphc.genepool.pinned import PinnedTag
from eryphc.genepool.pool_index import Deprecation
from eryphc.genepool.remote import RemotePool
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import GeneSetId

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GenePool, GeneSetTag


def deprecated_tag(chain: PoolChain, tag: GeneSetTag) -> Deprecation | None:
    """What is said against a tag that the chain has."""
    if isinstance(tag, SourceTag):
        said = deprecations_in(tag.folder.absolute().parent, tag.id.without_tag)
        return said.get(tag.id.tag)
    if isinstance(tag, PinnedTag):
        for pool in chain.ordered():
            if isinstance(pool, RemotePool) and pool.label == tag.label:
                return _of_registry(pool, {tag.id: tag.config.identity}).get(tag.id)
    return None


def deprecated_sets(
    pool: GenePool, identities: Mapping[GeneSetId, str | None]
) -> tuple[Diagnostic, ...]:
    """Warnings for gene sets of one pool, of which registries are asked by identity."""
    said: Mapping[GeneSetId, Deprecation] = {}
    if isinstance(pool, RemotePool):
        known = {geneset: each for geneset, each in identities.items() if each is not None}
        said = _of_registry(pool, known)
    elif isinstance(pool, FolderPool):
        said = {
            geneset: found
            for geneset in identities
            if (found := _of_folder(pool, geneset)) is not None
        }
    return tuple(warning(geneset, each) for geneset, each in sorted(said.items()))


def warning(geneset: GeneSetId, said: Deprecation) -> Diagnostic:
    return wording.gene_set_deprecated(str(geneset), said.use, said.reason)


def _of_registry(
    pool: RemotePool, identities: Mapping[GeneSetId, str]
) -> Mapping[GeneSetId, Deprecation]:
    if not identities:
        return {}
    with pool.opened():
        return pool.deprecations(identities)


def _of_folder(pool: FolderPool, geneset: GeneSetId) -> Deprecation | None:
    folder = pool.root / geneset.organization / geneset.geneset
    return deprecations_in(folder, geneset.without_tag).get(geneset.tag)
