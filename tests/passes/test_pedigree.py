"""Gene sets and ancestors: what is found, in which order, and what each fault says."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import run, write_pool
from eryphc.diagnostics.trail import related
from eryphc.identifiers import GeneType

BASE = {"acme/base/1.0": {"catlet.yaml": "cpu: 2\n"}}


def chain(length: int) -> dict[str, dict[str, str]]:
    """`acme/gen-1/1.0` with `length - 1` ancestors of its own."""
    return {
        f"acme/gen-{i}/1.0": {
            "catlet.yaml": f"parent: acme/gen-{i + 1}/1.0\n" if i < length else "cpu: 3\n"
        }
        for i in range(1, length + 1)
    }


@pytest.mark.parametrize(
    ("ancestors", "errors"),
    [
        pytest.param(4, [], id="four"),
        pytest.param(
            5,
            [
                (
                    "E0402 catlet.yaml:1: a catlet has at most 4 ancestors, and this is one more: "
                    "`acme/gen-1/1.0` → `acme/gen-2/1.0` → `acme/gen-3/1.0` → `acme/gen-4/1.0` → "
                    "`acme/gen-5/1.0`"
                )
            ],
            id="five",
        ),
    ],
)
def test_at_most_four_ancestors(tmp_path: Path, ancestors: int, errors: list[str]) -> None:
    pool = write_pool(tmp_path, chain(ancestors))
    assert run("parent: acme/gen-1/1.0\n", pool).errors() == errors


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


def test_a_circle_over_two_names_of_one_tag(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/egg/latest": {"ref": "acme/egg/1.0"},
            "acme/egg/1.0": {"catlet.yaml": "parent: acme/egg\n"},
        },
    )
    found = run("parent: acme/egg/1.0\n", pool).only("E0401")
    assert found.message == (
        "a catlet is its own ancestor: `acme/egg/1.0` → `acme/egg/latest (acme/egg/1.0)`"
    )


def test_faults_in_an_ancestor_carry_the_chain(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/top/1.0": {"catlet.yaml": "parent: acme/base/1.0\n"},
            "acme/base/1.0": {"catlet.yaml": "name: x\ncpu: 0\n"},
        },
    )
    (found,) = run("parent: acme/top/1.0\n", pool).diagnostics
    assert found.primary is not None
    assert found.primary.span.line == 2
    assert [label.message for label in related(found)] == [
        "the parent `acme/top/1.0` is named here",
        "the parent `acme/base/1.0` is named here",
    ]


def test_a_parent_needs_a_catlet(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/kit/1.0": {"fodder/a.yaml": "name: tls\nfodder: [{name: a, content: x}]\n"}},
    )
    found = run("parent: acme/kit/1.0\n", pool).only("E0319")
    assert (
        found.message == "the gene set `acme/kit/1.0` has no catlet gene, so it cannot be a parent"
    )
    assert found.notes == ("it has the fodder genes `tls`",)


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        pytest.param("", ["default", "lan"], id="none written: default is added to the parent's"),
        pytest.param("networks: []\n", ["default", "lan"], id="an empty list is none written"),
        pytest.param("networks: [{name: dmz}]\n", ["dmz", "lan"], id="one written: no default"),
        pytest.param(
            "networks: [{name: default, mutation: remove}]\n", ["lan"], id="default declined"
        ),
    ],
)
def test_the_default_network(tmp_path: Path, networks: str, expected: list[str]) -> None:
    pool = write_pool(tmp_path, {"acme/base/1.0": {"catlet.yaml": "networks: [{name: lan}]\n"}})
    result = run(f"parent: acme/base/1.0\n{networks}", pool)
    assert [network.name for network in result.value.networks or ()] == expected


@pytest.mark.parametrize(
    ("files", "meant"),
    [
        pytest.param({"a": "pages"}, "pages", id="the only gene"),
        pytest.param({"a": "other", "b": "kit"}, "kit", id="the one named like the set"),
        pytest.param({"a": "other", "b": "pages"}, None, id="unclear"),
        pytest.param({}, None, id="no fodder at all"),
    ],
)
def test_a_source_without_a_gene_name(
    tmp_path: Path, files: dict[str, str], meant: str | None
) -> None:
    texts = {
        f"fodder/{file}.yaml": f"name: {name}\nfodder: [{{name: x, content: y}}]\n"
        for file, name in files.items()
    }
    pool = write_pool(tmp_path, {"acme/kit/1.0": texts})
    result = run("fodder:\n- source: gene:acme/kit/1.0\n", pool)
    if meant is not None:
        assert result.foods[0].source == f"gene:acme/kit/1.0:{meant}"
        return
    message = result.only("E0316").message
    assert "acme/kit/1.0" in message
    assert all(name in message for name in files.values())


def test_drives_of_an_ancestor_take_the_volume_of_their_name(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/base/1.0": {
                "catlet.yaml": "drives: [{name: SDA}, {name: sdb}, {name: cd, type: dvd}]\n",
                "volumes/hyperv/amd64/sda.vhdx": "",
                "volumes/cd.vhdx": "",
            }
        },
    )
    result = run("parent: acme/base/1.0\ndrives: [{name: cd, size: 1}]\n", pool)
    assert {drive.name: drive.source for drive in result.value.drives or ()} == {
        "cd": None,
        "sda": "gene:acme/base/1.0:sda",
        "sdb": None,
    }


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


def test_a_specification_is_not_built_again(tmp_path: Path) -> None:
    spec = (
        "config_type: specification\nname: a\nparent: acme/gone/1.0\n"
        "fodder:\n- {name: x, source: 'gene:acme/gone/1.0:tls', content: '{{ v }}',\n"
        "   variables: [{name: v, value: text}]}\n"
    )
    result = run(spec, write_pool(tmp_path, {}))
    assert result.errors() == []
    assert result.contents() == {"x": "text"}
