"""Gene sets and ancestors: what is found, in which order, and what each fault says."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import run, write_pool
from eryphc.diagnostics.model import related

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
        assert result.fodder_entries[0].source == f"gene:acme/kit/1.0:{meant}"
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


def test_a_specification_is_not_built_again(tmp_path: Path) -> None:
    spec = (
        "config_type: specification\nname: a\nparent: acme/gone/1.0\n"
        "fodder:\n- {name: x, source: 'gene:acme/gone/1.0:tls', content: '{{ v }}',\n"
        "   variables: [{name: v, value: text}]}\n"
    )
    result = run(spec, write_pool(tmp_path, {}))
    assert result.errors() == []
    assert result.contents() == {"x": "text"}
