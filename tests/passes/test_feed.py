"""Feeding: variants, bindings, fodder, and the chain that every fed entry carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catlets import Result, run, write_pool
from eryphc.diagnostics.model import Outcome, related, trail
from eryphc.genepool.folder import FolderPool
from eryphc.identifiers import Architecture
from eryphc.ir.catlet import FodderGene
from eryphc.origin import Step
from eryphc.passes.memory import PassMemory
from eryphc.passes.read import read_fodder_gene
from eryphc.source import SourceText

GENE = """\
name: tls
variables:
- {name: Domain, required: true}
- {name: days, type: number, value: 30, secret: false}
- {name: key, secret: true}
fodder:
- {name: cert, type: shellscript, content: 'cert {{ domain }} {{ days }}'}
- {name: Trust, content: 'trust'}
"""


def fed(tmp_path: Path, fodder: str, gene: str = GENE) -> Result:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": gene}})
    return run(f"fodder:\n{fodder}", pool, until="feed")


def test_fodder_entries_keep_the_spelling_of_their_author(tmp_path: Path) -> None:
    result = fed(tmp_path, "- {source: 'gene:ACME/Kit/1.0:TLS', name: TRUST}\n")
    (fodder,) = result.fodder_entries
    assert (fodder.name, fodder.source) == ("Trust", "gene:acme/kit/1.0:tls")
    assert [v.name for v in fodder.variables or ()] == ["Domain", "days", "key"]


@pytest.mark.parametrize(
    ("binding", "variable", "expected"),
    [
        pytest.param("{name: DOMAIN, value: x}", "Domain", ("x", None), id="in any letter case"),
        pytest.param("{name: days, value: ''}", "days", ("", None), id="an empty text counts"),
        pytest.param("{name: days}", "days", ("30", None), id="without a value the default stays"),
        pytest.param("{name: days, secret: true}", "days", ("30", True), id="secret by binding"),
        pytest.param("{name: key, secret: false}", "key", (None, True), id="secret by the gene"),
        pytest.param("{name: days, secret: false}", "days", ("30", False), id="both say no"),
    ],
)
def test_bindings(
    tmp_path: Path, binding: str, variable: str, expected: tuple[str | None, bool | None]
) -> None:
    result = fed(tmp_path, f"- source: gene:acme/kit/1.0:tls\n  variables: [{binding}]\n")
    (bound,) = (v for v in result.fodder_entries[0].variables or () if v.name == variable)
    assert (bound.value, bound.secret) == expected


def test_a_fed_fodder_says_where_it_came_from(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/base/1.0": {
                "catlet.yaml": "fodder:\n- source: gene:acme/kit/1.0:tls\n"
                "  variables: [{name: domain, value: example.org}]\n"
            },
            "acme/kit/1.0": {"fodder/tls.yaml": GENE},
        },
    )
    result = run("parent: acme/base/1.0\n", pool, until="feed")
    fodder = result.fodder_entries[0]
    assert (fodder.depth, fodder.gene, fodder.layer) == (1, "gene:acme/kit/1.0:tls", 3)
    # What ancestors bring is shared by specs, so the place in the spec comes with substitution.
    assert [origin.step for origin in fodder.origin().chain()] == [Step.FED, Step.INHERITED]
    done = run("parent: acme/base/1.0\n", pool)
    led = done.fodder_entries[0].origin()
    assert [origin.step for origin in led.chain()] == [Step.FED, Step.INHERITED, Step.WRITTEN]
    assert [(label.span.source.name.rsplit("/", 1)[-1], label.message) for label in trail(led)] == [
        ("spec.yaml", "the parent `acme/base/1.0` is named here"),
        ("catlet.yaml", "`gene:acme/kit/1.0:tls` is fed here"),
    ]


@pytest.mark.parametrize(
    ("fodder", "errors"),
    [
        pytest.param(
            "- {source: 'gene:acme/kit/1.0:tls', name: certs}\n",
            ["E0409 spec.yaml:2: the gene `gene:acme/kit/1.0:tls` has no fodder entry `certs`"],
            id="an unknown food",
        ),
        pytest.param(
            "- source: gene:acme/kit/1.0:tls\n"
            "  variables:\n  - {name: yy, value: 1}\n  - {name: Zz, value: 2}\n",
            [
                "E0410 spec.yaml:4: the gene `gene:acme/kit/1.0:tls` has no variable `yy`",
                "E0410 spec.yaml:5: the gene `gene:acme/kit/1.0:tls` has no variable `Zz`",
            ],
            id="unknown bindings, all of them",
        ),
        pytest.param(
            "- source: gene:acme/kit/1.0:tsl\n",
            [
                (
                    "E0301 spec.yaml:2: the gene set `acme/kit/1.0` has no fodder gene `tsl` "
                    "(`gene:acme/kit/1.0:tsl`)"
                )
            ],
            id="an unknown gene",
        ),
        pytest.param(
            "- {source: 'gene:acme/kit/1.0:catlet', name: x}\n",
            [
                (
                    "E0301 spec.yaml:2: the gene set `acme/kit/1.0` has no catlet gene `catlet` "
                    "(`gene:acme/kit/1.0:catlet`)"
                )
            ],
            id="a catlet gene that is none",
        ),
    ],
)
def test_faults(tmp_path: Path, fodder: str, errors: list[str]) -> None:
    assert fed(tmp_path, fodder).errors() == errors


def test_a_close_name_is_suggested_and_the_place_is_narrow(tmp_path: Path) -> None:
    found = fed(tmp_path, "- source: gene:acme/kit/1.0:tsl\n").only("E0301")
    assert found.help == "did you mean `tls`?"
    assert found.primary is not None
    assert found.primary.span.text == "tsl"


ALL = ("any", "hyperv/any", "hyperv/amd64", "kvm/any", "any/amd64")


@pytest.mark.parametrize(
    ("present", "wanted", "chosen"),
    [
        pytest.param(ALL, "hyperv/amd64", "hyperv/amd64", id="exact"),
        pytest.param(("any", "hyperv/any"), "hyperv/amd64", "hyperv/any", id="hypervisor"),
        pytest.param(("any", "any/amd64"), "hyperv/amd64", "any/amd64", id="processor before any"),
        pytest.param(("any/amd64",), "hyperv/amd64", "any/amd64", id="only for a processor"),
        pytest.param(ALL, "any", "any", id="any only accepts any"),
        pytest.param(ALL, "kvm/amd64", "kvm/any", id="another hypervisor"),
        pytest.param(("hyperv/any",), "kvm/amd64", "E0306", id="not for the hypervisor"),
        pytest.param(("hyperv/amd64",), "hyperv/any", "E0307", id="not for the processor"),
    ],
)
def test_the_best_variant_is_chosen(
    tmp_path: Path, present: tuple[str, ...], wanted: str, chosen: str
) -> None:
    files = {
        f"fodder/{'' if arch == 'any' else arch.removesuffix('/any') + '/'}g.yaml": (
            f"name: tls\nfodder: [{{name: a, content: {arch}}}]\n"
        )
        for arch in present
    }
    pool = write_pool(tmp_path, {"acme/kit/1.0": files})
    hypervisor, _, processor = wanted.partition("/")
    result = run(
        "fodder:\n- source: gene:acme/kit/1.0:tls\n",
        pool,
        architecture=Architecture(hypervisor, processor or "any"),
    )
    if chosen.startswith("E"):
        assert [d.code.number for d in result.diagnostics] == [chosen]
    else:
        assert result.contents() == {"a": chosen}
        assert [str(gene.architecture) for gene in result.genes] == [chosen]


def test_a_gene_that_breaks_the_rules_is_shown_with_its_reference(tmp_path: Path) -> None:
    result = fed(tmp_path, "- source: gene:acme/kit/1.0:tls\n", "name: tls\nfodder: [{name: a}]\n")
    (found,) = result.diagnostics
    assert found.primary is not None
    assert found.primary.span.source.name.endswith("acme/kit/1.0/fodder/tls.yaml")
    assert [label.message for label in related(found)] == ["`gene:acme/kit/1.0:tls` is fed here"]


def test_a_gene_is_parsed_once_for_many_catlets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import eryphc.passes.genes as genes

    calls: list[str] = []

    def counted(source: SourceText, **options: Any) -> Outcome[FodderGene]:
        calls.append("read")
        return read_fodder_gene(source, **options)

    monkeypatch.setattr(genes, "read_fodder_gene", counted)
    write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": GENE}})
    memory = PassMemory()
    for _ in range(3):
        pool = FolderPool(tmp_path)
        run("fodder:\n- source: gene:acme/kit/1.0:tls\n", pool, until="feed", memory=memory)
    assert calls == ["read"]
    run("fodder:\n- source: gene:acme/kit/1.0:tls\n", FolderPool(tmp_path), until="feed")
    assert calls == ["read", "read"], "another memory shares nothing"
