"""A gene pool that lies behind a network: what was fetched of it, and what may still be fetched.

Passes ask it like any pool. It sends no request then: before they run, somebody opens it, asks for
all gene sets that they will need, and closes it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.pools import NO_NEIGHBOURS, Neighbours
from eryphc.frozen import NamedTuple
from eryphc.genepool.disk_layers import DiskSource
from eryphc.genepool.image import PushedVolume
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.pinned import PinnedPool, PinnedTag
from eryphc.genepool.pool_index import EMPTY, Deprecation, PoolIndex
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry


class Fetched(NamedTuple):
    """A gene set whose texts are at hand. `manifest` is the digest of the manifest that it has in
    the registry, `signed` names signer and key where a policy asked for them."""

    config: GeneSetConfig
    manifest: str | None = None
    signed: str | None = None


class Source(Protocol):
    """Where a remote pool gets gene sets from. Faults are findings, never exceptions."""

    def by_tag(self, geneset: GeneSetId) -> Outcome[Fetched] | None:
        """What the tag means now; None where the registry does not have it."""
        ...

    def by_lock(self, geneset: GeneSetId, entry: Entry, *, fetch: bool) -> Outcome[Fetched] | None:
        """The content that a lock pins, without `fetch` only what is at hand already."""
        ...

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        """The tags of the same gene set, or that it is not visible without a login."""
        ...

    def text(self, digest: str) -> bytes | None:
        """A text with a digest that is at hand."""
        ...

    def manifest(self, identity: str) -> bytes | None:
        """The manifest that an image was found with; None for what is no image."""
        ...

    def disk(self, config: GeneSetConfig, disk: PushedVolume) -> DiskSource | None:
        """Where a disk of an image can be had; None for what is no image."""
        ...


class Notices(Protocol):
    """What a remote pool says about its gene sets to people. Nothing is found out by it."""

    def index(self, *, fetch: bool) -> Outcome[PoolIndex]:
        """The list of its gene sets, without `fetch` the one that is remembered."""
        ...

    def deprecations(self, identities: Mapping[GeneSetId, str]) -> dict[GeneSetId, Deprecation]:
        """What its authors say against gene sets of these identities. A fault is no answer."""
        ...

    def forget_index(self) -> None:
        """Nothing of the index is remembered any more: it was written."""
        ...

    def forget(self, geneset: GeneSetId, identity: str) -> None:
        """Nothing of the tag is remembered any more: it was published, or something said of it."""
        ...


class NoNotices:
    """The notices of a pool that has none."""

    def index(self, *, fetch: bool) -> Outcome[PoolIndex]:  # noqa: ARG002
        return Outcome(EMPTY)

    def deprecations(
        self,
        identities: Mapping[GeneSetId, str],  # noqa: ARG002
    ) -> dict[GeneSetId, Deprecation]:
        return {}

    def forget_index(self) -> None:
        return

    def forget(self, geneset: GeneSetId, identity: str) -> None:  # noqa: ARG002
        return


class RemotePool(PinnedPool):
    """Gene sets that `source` has. Nothing is fetched while the pool is closed."""

    def __init__(self, label: str, source: Source, notices: Notices | None = None) -> None:
        super().__init__(label, self._config, source.text, self._names, source.manifest)
        self.notices = notices or NoNotices()
        self._source = source
        self._is_open = False
        self._fetched: dict[GeneSetId, Outcome[Fetched] | None] = {}
        self._neighbours: dict[GeneSetId, Neighbours] = {}
        self._locked: dict[tuple[GeneSetId, str | None], Outcome[GeneSetTag] | None] = {}

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Lets the pool fetch what it is asked for."""
        before, self._is_open = self._is_open, True
        try:
            yield
        finally:
            self._is_open = before

    def fetched(self, geneset: GeneSetId) -> Fetched | None:
        """What was fetched for a gene set, of which `find` gives the tag."""
        known = self._fetched.get(geneset)
        return None if known is None else known.value

    def locked(self, geneset: GeneSetId, entry: Entry) -> Outcome[GeneSetTag] | None:
        """The tag with the content that a lock pins; None where that is not to be had."""
        key = (geneset, entry.digest)
        if self._locked.get(key) is None:
            found = self._source.by_lock(geneset, entry, fetch=self._is_open)
            self._locked[key] = None if found is None else self._made(geneset, found)
        return self._locked[key]

    def at_hand(self, geneset: GeneSetId, entry: Entry) -> bool:
        """Whether the content that a lock pins is here, or cannot be used, without a request."""
        return self._source.by_lock(geneset, entry, fetch=False) is not None

    def asked(self, geneset: GeneSetId) -> bool:
        """Whether a registry was asked what a tag means, or somebody wanted to ask it."""
        return geneset in self._fetched

    def _made(self, geneset: GeneSetId, found: Outcome[Fetched]) -> Outcome[GeneSetTag]:
        if found.value is None:
            return Outcome(None, found.diagnostics)
        config, source = found.value.config, self._source
        tag = PinnedTag(geneset, config, self.label, source.text, source.manifest)
        return Outcome(tag, found.diagnostics)

    def disk_source(self, config: GeneSetConfig, disk: PushedVolume) -> DiskSource | None:
        return self._source.disk(config, disk)

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        if self._is_open and geneset not in self._neighbours:
            self._neighbours[geneset] = self._source.neighbours(geneset)
        fetched = super().neighbours(geneset)
        there = self._neighbours.get(geneset, NO_NEIGHBOURS)
        tags = there.tags or fetched.tags
        sets = {*fetched.sets, *(() if tags else self._listed_beside(geneset))}
        return Neighbours(tags, tuple(sorted(sets)), there.hosts)

    def _listed_beside(self, geneset: GeneSetId) -> tuple[str, ...]:
        """The sets of the same organization that the index lists."""
        named = (name.partition("/") for name in self.index().value or ())
        return tuple(name for org, _, name in named if org == geneset.organization)

    def index(self) -> Outcome[PoolIndex]:
        """The list of the gene sets in the registry, for people; empty where there is none."""
        return self.notices.index(fetch=self._is_open)

    def deprecations(self, identities: Mapping[GeneSetId, str]) -> dict[GeneSetId, Deprecation]:
        """What its authors say against gene sets of these identities; nothing while closed."""
        return self.notices.deprecations(identities) if self._is_open else {}

    def _names(self) -> tuple[GeneSetId, ...]:
        return tuple(name for name, found in self._fetched.items() if found is not None)

    def _config(self, geneset: GeneSetId) -> Outcome[GeneSetConfig] | None:
        if geneset not in self._fetched:
            if not self._is_open:
                return None
            found = self._source.by_tag(geneset)
            self._fetched[geneset] = found
            if found is not None and found.value is not None:
                # A moving tag brings the tag that it stands for.
                self._fetched.setdefault(found.value.config.id, found)
        known = self._fetched[geneset]
        if known is None:
            return None
        return Outcome(None if known.value is None else known.value.config, known.diagnostics)
