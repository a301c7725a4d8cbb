"""What the pools read of the disk and of the lock to answer for single gene sets."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from eryphc.frozen import NamedTuple
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.genepool.locked import LockedChain
from eryphc.genepool.model import GenePool
from eryphc.genepool.pinned import PinnedPool
from eryphc.identifiers import GeneSetId
from eryphc.reads import Note, Reads


class Consulted(NamedTuple):
    """What the answers depend on: files and folders, and entries of the lock by their names."""

    reads: Reads
    lock: dict[str, Note]


def consulted(chain: PoolChain, genesets: Iterable[GeneSetId]) -> Consulted | None:
    """What the chain consulted for these gene sets.

    None where that is not known: a registry said what a tag means, or a pool takes no notes.
    """
    reads, lock = Reads(), dict[str, Note]()
    for geneset in genesets:
        if isinstance(chain, LockedChain):
            lock |= dict(chain.lock_notes(geneset))
        for pool in chain.owners(geneset):
            noted = _noted(pool, geneset)
            if noted is None:
                return None
            reads.take(noted)
    return Consulted(reads, lock)


def _noted(pool: GenePool, geneset: GeneSetId) -> Reads | None:
    if isinstance(pool, StandardPool):
        return Reads()
    if isinstance(pool, FolderPool):
        return pool.reads(geneset)
    if not isinstance(pool, PinnedPool):
        return None
    if "eryphc.genepool.remote" in sys.modules:
        from eryphc.genepool.remote import RemotePool

        if isinstance(pool, RemotePool):
            return None if pool.asked(geneset) else Reads()
    return pool.reads
