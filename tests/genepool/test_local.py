"""Local pools, as the original keeps them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from eryphc.genepool.local import LocalTag
from eryphc.identifiers import GeneType
from genepool.original import folders, name_of, open_tag, texts
from places import PACKED


@pytest.mark.parametrize("folder", folders("pool/*/*/*"), ids=name_of)
def test_a_local_pool_is_read(folder: Path) -> None:
    tag_name = folder.relative_to(PACKED / "pool").as_posix()
    tag = open_tag(PACKED / "pool", tag_name)
    expected = {
        path.stem: path.read_text("utf-8")
        for path in (PACKED / "tags" / tag_name).glob("json/*.json")
    }
    assert texts(tag) == expected
    if tag.manifest.ref is None:
        assert isinstance(tag, LocalTag)


def test_a_gene_counts_only_with_its_file_and_its_hash(tmp_path: Path) -> None:
    shutil.copytree(PACKED / "pool" / "acme" / "limits", tmp_path / "acme" / "limits")
    folder = tmp_path / "acme" / "limits" / "1.0"
    tag = open_tag(tmp_path, "acme/limits/1.0")

    def codes(name: str) -> list[str]:
        tag = open_tag(tmp_path, "acme/limits/1.0")
        (variant,) = tag.variants(GeneType.FODDER, name).value or ()
        return [d.code.number for d in tag.read(variant).diagnostics]

    assert codes("b2047") == []
    (folder / "fodder" / "b2047.json").unlink()
    assert codes("b2047") == ["E0310"]
    merged = json.loads((folder / "genes.json").read_text("utf-8"))
    (digest,) = (g.digest for g in tag.manifest.genes if g.name == "b2048")
    merged["MergedGenes"].remove(digest)
    (folder / "genes.json").write_text(json.dumps(merged), encoding="utf-8")
    assert codes("b2048") == ["E0310"]
    assert codes("b2049") == []
