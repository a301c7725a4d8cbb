"""Gene sets as written, resolved to their tags: chains, circles, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import run, write_pool
from eryphc.diagnostics.model import related


def references(hops: int) -> dict[str, dict[str, str]]:
    tags: dict[str, dict[str, str]] = {
        f"acme/base/hop-{i}": {"ref": f"acme/base/hop-{i + 1}"} for i in range(hops)
    }
    tags[f"acme/base/hop-{hops}"] = {"catlet.yaml": "cpu: 2\n"}
    return tags


@pytest.mark.parametrize(
    ("hops", "code"),
    [pytest.param(4, None, id="four hops"), pytest.param(5, "E0305", id="five hops")],
)
def test_a_chain_names_at_most_five_gene_sets(tmp_path: Path, hops: int, code: str | None) -> None:
    result = run("parent: acme/base/hop-0\n", write_pool(tmp_path, references(hops)))
    assert [d.code.number for d in result.diagnostics] == ([code] if code else [])


def test_a_loop_of_references_is_shown_whole(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/base/latest": {"ref": "acme/base/edge"}, "acme/base/edge": {"ref": "acme/base"}},
    )
    result = run("parent: acme/base\n", pool)
    found = result.only("E0304")
    assert found.message == (
        "the tag `acme/base/latest` refers to itself: "
        "`acme/base/latest` → `acme/base/edge` → `acme/base/latest`"
    )
    assert [label.message for label in related(found)] == ["`acme/base/latest` is named here"]


def test_a_missing_target_of_a_reference_is_shown_in_the_manifest(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/base/latest": {"ref": "acme/base/9.9"}})
    found = run("parent: acme/base\n", pool).only("E0302")
    assert found.message == "no gene pool has the gene set `acme/base/9.9`"
    assert found.primary is not None
    assert found.primary.span.text == "acme/base/9.9"
    assert found.primary.span.source.name.endswith("acme/base/latest/geneset-tag.json")
    assert [label.span.text for label in related(found)] == ["acme/base"]


def test_all_missing_gene_sets_of_a_document_are_told_together(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/base/1.0": {"catlet.yaml": "parent: acme/lost/1.0\n"}})
    spec = (
        "parent: acme/base/1.0\n"
        "drives:\n- {name: sda, source: 'gene:acme/disk/1.0:sda'}\n"
        "fodder:\n- source: gene:acme/kit/1.0:tls\n- source: gene:acme/kit/1.0:agent\n"
    )
    assert run(spec, pool).errors() == [
        "E0302 catlet.yaml:1: no gene pool has the gene set `acme/lost/1.0`",
        "E0302 spec.yaml:3: no gene pool has the gene set `acme/disk/1.0`",
        "E0302 spec.yaml:5: no gene pool has the gene set `acme/kit/1.0`",
    ]


def test_the_place_of_a_gene_set_is_narrow(tmp_path: Path) -> None:
    found = run("fodder:\n- source: 'gene:Acme/Kit/1.0:tls'\n", write_pool(tmp_path, {})).only(
        "E0302"
    )
    assert found.primary is not None
    assert found.primary.span.text == "Acme/Kit/1.0"


def test_a_close_tag_is_suggested(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/base/22.04": {}, "acme/base/24.04": {}})
    found = run("parent: acme/base/22.05\n", pool).only("E0302")
    assert found.help == "did you mean `22.04`?"
    assert found.notes == (
        "`acme/base` has the tags `22.04`, `24.04`",
        "looked in `genes`",
    )
