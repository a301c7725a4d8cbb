"""Several pools as one, in order of priority.

Source: docs/reference/genes-and-pools.md, "Pools and their order".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from fnmatch import fnmatchcase
from typing import Self

from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.pools import Neighbours
from eryphc.frozen import NamedTuple
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.identifiers import GeneSetId


class PoolChain:
    """The first pool that has the gene set and tag gives all of it."""

    def __init__(self, pools: Sequence[GenePool]) -> None:
        self.pools = tuple(pools)
        self._found: dict[GeneSetId, Outcome[GeneSetTag] | None] = {}
        self.asked: set[GeneSetId] | None = None

    @property
    def label(self) -> str:
        return ", ".join(self.labels())

    def labels(self) -> tuple[str, ...]:
        return tuple(label for pool in self.pools for label in pool.labels())

    def listening(self) -> Self:
        """The same pools, and `asked` has the gene sets that somebody asks this one for."""
        other = copy(self)
        other.asked = set()
        return other

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        if self.asked is not None:
            self.asked.add(geneset)
        if geneset not in self._found:
            self._found[geneset] = self._find(geneset)
        return self._found[geneset]

    def _find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        for pool in self.pools:
            found = pool.find(geneset)
            if found is not None:
                return found
        return None

    def is_at_hand(self, geneset: GeneSetId) -> bool:  # noqa: ARG002
        """Whether it is known that finding the gene set asks nobody else."""
        return False

    def owners(self, geneset: GeneSetId) -> Iterator[GenePool]:
        """The pools that are asked for the gene set, in order, whether or not they have it."""
        for pool in self.pools:
            if isinstance(pool, PoolChain):
                yield from pool.owners(geneset)
            else:
                yield pool

    def holders(self, geneset: GeneSetId) -> Iterator[GenePool]:
        """The pools that have the gene set; the first gives it."""
        return (pool for pool in self.owners(geneset) if pool.find(geneset) is not None)

    def ordered(self) -> Iterator[GenePool]:
        """All pools, those of chains too, in order of priority."""
        for pool in self.pools:
            if isinstance(pool, PoolChain):
                yield from pool.ordered()
            else:
                yield pool

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        near = [pool.neighbours(geneset) for pool in self.pools]
        return Neighbours(
            tuple(sorted({tag for each in near for tag in each.tags})),
            tuple(sorted({name for each in near for name in each.sets})),
            tuple(sorted({host for each in near for host in each.hosts})),
        )


RESERVED = frozenset({"eryphc", "dbosoft"})
"""Organizations of the standard genes. A remote pool has them only if they are named."""


class ProjectPool(NamedTuple):
    """A pool of `eryphc.yaml`: the organizations it owns as globs, none meaning all.

    With `fallback` the next owner is searched for gene sets that this pool does not have.
    `remote`: patterns do not make it the owner of the organizations of this tool.
    """

    pool: GenePool
    organizations: tuple[str, ...] = ()
    fallback: bool = False
    remote: bool = False

    def owns(self, geneset: GeneSetId) -> bool:
        if not self.organizations:
            return True
        name = geneset.organization
        if self.remote and name in RESERVED:
            return name in {each.lower() for each in self.organizations}
        return any(fnmatchcase(name, glob.lower()) for glob in self.organizations)


class ProjectPools(PoolChain):
    """The pools of `eryphc.yaml`: the first owner of the organization decides among them."""

    def __init__(self, entries: Sequence[ProjectPool]) -> None:
        super().__init__([entry.pool for entry in entries])
        self.entries = tuple(entries)

    def owners(self, geneset: GeneSetId) -> Iterator[GenePool]:
        for entry in self.entries:
            if not entry.owns(geneset):
                continue
            yield entry.pool
            if not entry.fallback:
                return

    def _find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        for entry in self.entries:
            if not entry.owns(geneset):
                continue
            found = entry.pool.find(geneset)
            if found is not None:
                return found
            if not entry.fallback:
                return None
        return None
