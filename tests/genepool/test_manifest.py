"""Manifests of tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import write_pool
from genepool.pools import KIT, tag_of


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param("{", "E0308", id="no JSON"),
        pytest.param("[]", "E0308", id="no object"),
        pytest.param('{"version": "1.1"}', "E0308", id="no gene set"),
        pytest.param('{"geneset": "acme/kit/1.0", "ref": 1}', "E0308", id="a ref that is no text"),
        pytest.param('{"geneset": "acme/kit/1.0", "metadata": []}', "E0308", id="metadata a list"),
        pytest.param('{"geneset": "acme/kit/2.0"}', "E0309", id="another gene set"),
        pytest.param('{"geneset": "acme/kit/2.0", "ref": "a-b/c-d"}', "W0321", id="in an alias"),
        pytest.param(
            '{"geneset": "acme/kit/1.0", "fodder": [{"name": "a", "hash": "sha256:'
            + "0" * 64
            + '", "arch": "hyperv/x86"}]}',
            "E0308",
            id="an unknown processor of a known hypervisor",
        ),
    ],
)
def test_a_manifest_that_is_wrong(tmp_path: Path, manifest: str, code: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/geneset-tag.json").write_text(manifest, encoding="utf-8")
    found = pool.find(KIT)
    assert found is not None
    assert [d.code.number for d in found.diagnostics] == [code]
    assert (found.value is None) == code.startswith("E")


def test_a_gene_for_an_unknown_hypervisor_is_skipped(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    digest = "sha256:" + "0" * 64
    (tmp_path / "acme/kit/1.0/geneset-tag.json").write_text(
        '{"geneset": "acme/kit/1.0", "fodder": ['
        f'{{"name": "a", "hash": "{digest}", "arch": "vmware/amd64"}},'
        f'{{"name": "a", "hash": "{digest}"}}]}}',
        encoding="utf-8",
    )
    assert [str(g.architecture) for g in tag_of(pool).manifest.genes] == ["any"]
