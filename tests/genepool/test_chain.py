"""Chains of pools: which pool gives a gene set."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.diagnostics.pools import Neighbours
from eryphc.genepool.chain import PoolChain, ProjectPool, ProjectPools
from eryphc.genepool.folder import FolderPool
from eryphc.identifiers import GeneSetId, GeneType
from genepool.pools import KIT, fodder


def test_the_first_pool_with_the_tag_gives_all_of_it(tmp_path: Path) -> None:
    first = write_pool(tmp_path / "a", {"acme/kit/1.0": {"fodder/own.yaml": fodder("own")}})
    second = write_pool(
        tmp_path / "b",
        {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}, "acme/kit/2.0": {}},
    )
    chain = PoolChain([first, second])
    found = chain.find(KIT)
    assert found is not None
    assert found.value is not None
    assert found.value.names(GeneType.FODDER) == ("own",)
    assert chain.find(GeneSetId("acme", "kit", "2.0")) is not None
    assert chain.find(GeneSetId("acme", "kit", "3.0")) is None
    assert chain.neighbours(KIT) == Neighbours(("1.0", "2.0"), ("kit",))


@pytest.mark.parametrize(
    ("organizations", "fallback", "found"),
    [
        pytest.param((), False, False, id="owns all and decides"),
        pytest.param((), True, True, id="lets the next one try"),
        pytest.param(("ac*",), False, False, id="owns it by a pattern"),
        pytest.param(("lumen",), False, True, id="does not own it"),
    ],
)
def test_pools_of_a_project(
    tmp_path: Path, organizations: tuple[str, ...], *, fallback: bool, found: bool
) -> None:
    empty = FolderPool(tmp_path / "a")
    full = write_pool(tmp_path / "b", {"acme/kit/1.0": {}})
    pools = ProjectPools(
        [
            ProjectPool(pool=empty, organizations=organizations, fallback=fallback),
            ProjectPool(pool=full),
        ]
    )
    assert (pools.find(KIT) is not None) == found
