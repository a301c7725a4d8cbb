"""The closure: every gene that a catlet needs, in its variant."""

from __future__ import annotations

from pathlib import Path

from catlets import run, write_pool
from eryphc.identifiers import GeneType


def test_the_closure_lists_every_gene(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/top/1.0": {"catlet.yaml": "parent: acme/base\n"},
            "acme/base/latest": {"ref": "acme/base/1.0"},
            "acme/base/1.0": {
                "catlet.yaml": "drives: [{name: sda}]\nfodder:\n- source: gene:acme/kit/1.0:tls\n",
                "volumes/sda.yaml": "format: raw\nurl: https://example.org/a\nsha256: "
                + "a" * 64
                + "\n",
            },
            "acme/kit/1.0": {
                "fodder/hyperv/a.yaml": "name: tls\nfodder: [{name: a, content: x}]\n"
            },
        },
    )
    genes = run("parent: acme/top/1.0\n", pool).genes
    assert [(gene.type, str(gene.id), str(gene.architecture)) for gene in genes] == [
        (GeneType.CATLET, "gene:acme/base/1.0:catlet", "any"),
        (GeneType.CATLET, "gene:acme/top/1.0:catlet", "any"),
        (GeneType.FODDER, "gene:acme/kit/1.0:tls", "hyperv/any"),
        (GeneType.VOLUME, "gene:acme/base/1.0:sda", "any"),
    ]
    assert genes[-1].sha256 == "a" * 64
    assert all(gene.sha256 and gene.form is None for gene in genes)
