"""What a registry says about its gene sets: the index, and what their authors say against them.

Answers are remembered for a while, because lists and locks ask often.
Source: docs/reference/gene-set-images.md, "The index of a pool", "Deprecation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from eryphc.canonical import canonical, read_json
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Outcome
from eryphc.genepool.image import MOST_INDEX, MOST_STATEMENT, ImageType
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.faults import RegistryError
from eryphc.genepool.pool_index import (
    EMPTY,
    Deprecation,
    PoolIndex,
    PoolIndexError,
    read_deprecation,
    read_index,
)
from eryphc.genepool.registry_names import NameFaultError, RegistryName, RegistryNames
from eryphc.identifiers import GeneSetId
from eryphc.store.faults import StoreError

if TYPE_CHECKING:
    from eryphc.genepool.oci.copies import Copy
    from eryphc.genepool.oci.statements import Believe
    from eryphc.genepool.trust import Policy
    from eryphc.store.content import Store
    from eryphc.store.metadata import Key, Metadata

_POLICY: Final = "policy"
"""What a remembered statement says that it was checked by."""
_AT_ONCE: Final = 4
_NONE: Final = b""
"""What is remembered where the registry has nothing."""


class RegistryNotices:
    """The notices of one pool.

    `store` opens the store, `connect` the pool's registry, `metadata` what is remembered; none is
    called before it is needed. `policy` is that of the project. `offline`: no registry is asked.
    """

    def __init__(
        self,
        names: RegistryNames,
        store: Callable[[], Store],
        connect: Callable[[], Sequence[Copy]],
        metadata: Callable[[], Metadata],
        policy: Policy | None = None,
        *,
        offline: bool,
    ) -> None:
        self._policy = policy
        self._names = names
        self._store = store
        self._connect = connect
        self._metadata = metadata
        self._offline = offline

    def index(self, *, fetch: bool) -> Outcome[PoolIndex]:
        name = self._names.index_name
        if name is None:
            return Outcome(EMPTY)
        try:
            text = self._index_text(name, fetch=fetch and not self._offline)
            return Outcome(read_index(text) if text else EMPTY)
        except PoolIndexError as fault:
            where = self._names.reference(name)
            return Outcome(None, (sharing.malformed_artifact(where, "index.json", str(fault)),))
        except (RegistryError, ImageError, StoreError) as fault:
            return Outcome(None, (fault.diagnostic,))

    def _index_text(self, name: RegistryName, *, fetch: bool) -> bytes:
        """The text of the index, empty where there is none. The memory has its digest alone."""
        from eryphc.store.metadata import index_key

        key = index_key(self._names.host, name.repository, name.tag)
        store = self._store()
        memory = self._metadata()
        known = memory.get(key)
        if known == _NONE:
            return _NONE
        text = None if known is None else _kept(store, known)
        if text is not None or not fetch:
            return text or _NONE
        from eryphc.genepool.oci.documents import found_document

        found = found_document(self._connect()[0], name, ImageType.INDEX)
        text = _NONE if found is None else found.document.text
        memory.put(key, store.add_blob(text).encode("ascii") if text else _NONE)
        return text

    def deprecations(self, identities: Mapping[GeneSetId, str]) -> dict[GeneSetId, Deprecation]:
        if self._offline or not identities:
            return {}
        found: dict[GeneSetId, Deprecation | None] = {}
        first, *rest = identities.items()
        try:
            ask = partial(self._deprecation, self._metadata())
            # A registry that does not answer the first question is not asked the others.
            found[first[0]] = ask(*first)
            for (geneset, _), said in zip(rest, _several(ask, rest), strict=True):
                found[geneset] = said
        except (RegistryError, StoreError):
            # Who asks works without an answer, and says so where the registry matters.
            pass
        return {geneset: said for geneset, said in found.items() if said is not None}

    def _deprecation(
        self, memory: Metadata, geneset: GeneSetId, identity: str
    ) -> Deprecation | None:
        try:
            name = self._names.name(geneset)
        except NameFaultError:
            return None
        from eryphc.store.metadata import deprecation_key

        key = deprecation_key(self._names.host, name.repository, identity)
        rule = None if self._policy is None else self._policy.rule(geneset)
        asked = None if rule is None else rule.digest
        known = memory.get(key)
        if known is not None and (asked is None or _believed_by(known, asked)):
            return _read(known)
        from eryphc.genepool.oci.statements import UnbelievedError, found_deprecation

        try:
            said = found_deprecation(self._connect()[0], name, identity, self._belief(geneset))
        except UnbelievedError:
            return None
        except ImageError:
            said = None
        more = {} if asked is None else {_POLICY: asked}
        memory.put(key, _NONE if said is None else canonical({**said.data, **more}))
        return said

    def _belief(self, geneset: GeneSetId) -> Believe:
        from eryphc.genepool.oci.statements import believe_all

        if self._policy is None:
            return believe_all
        return partial(self._policy.believes, geneset, ImageType.DEPRECATION)

    def forget_index(self) -> None:
        """Ask the registry the next time: the index was written."""
        name = self._names.index_name
        if name is not None:
            from eryphc.store.metadata import index_key

            self._forget(index_key(self._names.host, name.repository, name.tag))

    def forget(self, geneset: GeneSetId, identity: str) -> None:
        from eryphc.store.metadata import deprecation_key, tag_key, tags_key

        name, host = self._names.name(geneset), self._names.host
        self._forget(
            deprecation_key(host, name.repository, identity),
            tag_key(host, name.repository, name.tag, moving=True),
            tags_key(host, name.repository),
        )

    def _forget(self, *keys: Key) -> None:
        try:
            memory = self._metadata()
        except StoreError:
            # Then nothing is remembered either.
            return
        for key in keys:
            memory.forget(key)


def _several(
    ask: Callable[[GeneSetId, str], Deprecation | None], rest: Sequence[tuple[GeneSetId, str]]
) -> Iterator[Deprecation | None]:
    """The answers, of which several are waited for at once; after a fault nothing more is asked."""
    if not rest:
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as workers:
        try:
            yield from workers.map(ask, *zip(*rest, strict=True))
        finally:
            workers.shutdown(wait=False, cancel_futures=True)


def _kept(store: Store, digest: bytes) -> bytes | None:
    try:
        return store.blob(digest.decode("ascii", "replace"), MOST_INDEX)
    except ValueError:
        return None


def _believed_by(known: bytes, policy: str) -> bool:
    """Whether what is remembered holds under a policy: that nothing is said does under each."""
    if known == _NONE:
        return True
    try:
        found = read_json(known)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get(_POLICY) == policy


def _read(known: bytes) -> Deprecation | None:
    if known == _NONE or len(known) > MOST_STATEMENT:
        return None
    try:
        return read_deprecation(read_json(known))
    except ValueError:
        return None
