"""Fetches what a build will need, before the passes run: they send no request.

Only catlet genes name gene sets, and an image lists what its catlet gene names. So the whole
closure is found in waves, one for each level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Final

from eryphc.diagnostics.model import Outcome
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.contents import contents_of, final_name
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.pinned import PinnedTag
from eryphc.genepool.remote import RemotePool
from eryphc.identifiers import GeneSetId, GeneType
from eryphc.passes.naming import requires_of
from eryphc.syntax.identifiers import parse_gene_set

AT_ONCE: Final = 4
MOST: Final = 2_000
"""The most gene sets of one closure. Pools decide what a closure holds, so it is bounded."""


def remote_pools(chain: PoolChain) -> tuple[RemotePool, ...]:
    return tuple(pool for pool in chain.ordered() if isinstance(pool, RemotePool))


def acquire(
    names: Iterable[GeneSetId],
    chain: PoolChain,
    known: Callable[[GeneSetId], Sequence[str] | None] = lambda _geneset: None,
) -> None:
    """Ask the chain for the closure of `names`; what its remote pools lack is fetched.

    `known` gives what a gene set leads to without asking for it, None where it has to be asked.
    """
    waiting = set(names)
    seen: set[GeneSetId] = set()
    with ExitStack() as stack:
        for pool in remote_pools(chain):
            stack.enter_context(pool.opened())
        while waiting and len(seen) < MOST:
            wave = sorted(waiting - seen)[: MOST - len(seen)]
            seen |= set(wave)
            waiting = set()
            asked = [geneset for geneset in wave if known(geneset) is None]
            for geneset in wave:
                waiting |= _read(known(geneset) or ())
            _find_at_once(chain, [each for each in asked if not chain.is_at_hand(each)])
            for geneset in asked:
                found = chain.find(geneset)
                if found is None:
                    # What else there is stands in the message.
                    chain.neighbours(geneset)
                waiting |= leads_to(found)


def _find_at_once(chain: PoolChain, genesets: Sequence[GeneSetId]) -> None:
    """Let the chain find gene sets at the same time: no request waits for another."""
    if len(genesets) < 2:
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as workers:
        tuple(workers.map(chain.find, genesets))


def leads_to(found: Outcome[GeneSetTag] | None) -> set[GeneSetId]:
    """The gene sets that a tag names: the one that it stands for, or those of its catlet."""
    tag = None if found is None else found.value
    if tag is None:
        return set()
    if tag.manifest.ref is not None:
        return _read((final_name(tag.manifest.ref),))
    if isinstance(tag, PinnedTag):
        return set(tag.config.details.requires)
    if not tag.variants(GeneType.CATLET, "catlet").value:
        return set()
    contents = contents_of(tag).value
    return set() if contents is None else set(requires_of(contents).value or ())


def _read(names: Iterable[str]) -> set[GeneSetId]:
    parsed = (parse_gene_set(name) for name in names)
    return {each for each in parsed if isinstance(each, GeneSetId)}
