"""Every value after substitution knows where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import run, write_pool
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.genepool.model import GenePool
from eryphc.ir.catlet import Drive
from eryphc.ir.stages import Substituted
from eryphc.origin import Origin, Step, placeless
from origins import complaint, text_complaints, values

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "genepool-published"
# Its parent was never published.
_WITHOUT_PARENT = PUBLISHED / "dbosoft/win11-21h2-enterprise/starter-1.0/catlet.yaml"
CATLETS = sorted({*PUBLISHED.glob("*/*/*/catlet.yaml")} - {_WITHOUT_PARENT})
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
SPECS = [path for path in EXAMPLES if "genes" not in path.parts]


def pools(folder: Path = ROOT / "examples") -> PoolChain:
    genes = FolderPool(folder / "genes", "genes")
    return PoolChain([genes, StandardPool(), FolderPool(PUBLISHED, "published")])


def substituted(text: str, pool: GenePool) -> Substituted:
    """The catlet with a value for each variable that asks for one."""
    fed = run(text, pool, until="feed")
    asked = {
        variable.name or "": "x"
        for variable in fed.value.variables or ()
        if variable.required and not variable.value
    }
    result = run(text, pool, values=asked)
    assert result.done is not None, result.shown()
    return result.done


def complaints(done: Substituted) -> list[str]:
    found = [complaint(value) for value in values(done)]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in SPECS])
def test_every_value_of_an_example_has_an_origin(path: Path) -> None:
    done = substituted(path.read_text("utf-8"), pools(path.parent))
    assert [*complaints(done), *text_complaints(done)] == []


@pytest.mark.skipif(not CATLETS, reason="the published gene pool is not beside this checkout")
@pytest.mark.parametrize(
    "tag",
    ["/".join(path.parts[-4:-1]) for path in CATLETS],
)
def test_every_value_of_a_published_catlet_has_an_origin(tag: str) -> None:
    done = substituted(f"parent: {tag}\n", pools())
    assert [*complaints(done), *text_complaints(done)] == []


ROOT_CATLET = """\
cpu: 4
drives: [{name: sda, size: 20}]
networks: [{name: lan}]
fodder:
- name: motd
  content: 'from {{ catletId }}'
- source: gene:acme/old/1.0:banner
"""
BASE_CATLET = """\
parent: acme/root/1.0
memory: 2048
variables: [{name: site, value: here}]
fodder:
- source: gene:acme/kit/1.0:tls
  variables: [{name: domain, value: 'base.{{ site }}'}]
"""
KIT = """\
name: tls
variables:
- {name: domain}
- {name: days, type: number, value: 30}
- {name: key, secret: true, value: hunter2}
- {name: size, type: number}
fodder:
- name: certs
  content: |
    d: {{ domain }}
    n: {{ days }}{{ size }}
- name: keys
  content: 'k: {{ key }}'
"""
BANNER = "name: banner\nfodder: [{name: banner, content: hello}]\n"
POOL = {
    "acme/root/1.0": {"catlet.yaml": ROOT_CATLET},
    "acme/base/1.0": {"catlet.yaml": BASE_CATLET},
    "acme/kit/1.0": {"fodder/tls.yaml": KIT},
    "acme/old/1.0": {"fodder/banner.yaml": BANNER},
}
SPEC = """\
name: web
parent: acme/base/1.0
drives: [{name: sda, store: fast}]
variables:
- {name: site, value: there}
- {name: port, type: number}
fodder:
- name: own
  content: |
    port: {{ port }}
    vm: {{ '{{' }} {{ vmId }}
- source: gene:acme/kit/1.0:tls
  name: certs
  variables: [{name: domain, value: mine}]
"""


@pytest.fixture
def done(tmp_path: Path) -> Substituted:
    steps = {"vmid": Step.STAND_IN}
    result = run(SPEC, write_pool(tmp_path, POOL), values={"port": "8080"}, steps=steps)
    assert result.done is not None, result.shown()
    assert [*complaints(result.done), *text_complaints(result.done)] == []
    return result.done


def story(origin: Origin) -> list[str]:
    """Each step with the text that stands at its place."""
    return [
        each.step.value if each.span is None else f"{each.step.value} {each.span.text}"
        for each in origin.chain()
    ]


PARENT = "written acme/base/1.0"
GRANDPARENT = ["inherited acme/root/1.0", PARENT]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("name", ["written web"], id="the author's own"),
        pytest.param("hostname", ["defaulted", "written web"], id="made of the name"),
        pytest.param("project", ["defaulted"], id="nobody's"),
        pytest.param("config_type", ["defaulted"], id="made by feeding"),
        pytest.param("memory.startup", ["inherited 2048", PARENT], id="of the parent"),
        pytest.param("cpu.count", ["inherited 4", *GRANDPARENT], id="of the parent's parent"),
        pytest.param("drives[0].store", ["written fast"], id="the author's in a merged drive"),
        pytest.param("drives[0].size", ["inherited 20", *GRANDPARENT], id="inherited in it"),
        pytest.param("drives[0].type", ["defaulted"], id="defaulted in it"),
        pytest.param("network_adapters[0].name", ["defaulted"], id="an adapter of a network"),
        pytest.param("variables[0].value", ["given"], id="given from outside"),
        pytest.param("variables[1].value", ["written there"], id="a value of the author's"),
        pytest.param("variables[2].value", ["invented"], id="an invented id"),
        pytest.param("variables[3].value", ["stand-in"], id="a stand-in"),
    ],
)
def test_steps(done: Substituted, path: str, expected: list[str]) -> None:
    found = {value.path: value.origin for value in values(done)}
    assert story(found[path]) == expected


FED = "written gene:acme/kit/1.0:tls"
BY_PARENT = ["inherited gene:acme/kit/1.0:tls", PARENT]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            "own",
            [
                ("port: ", ["written port: "]),
                ("8080", ["substituted {{ port }}", "given"]),
                ("\nvm: {{ ", ["written \n    vm: {{ '{{' }} "]),
                ("the-vm-id", ["substituted {{ vmId }}", "stand-in"]),
                ("\n", ["written \n"]),
            ],
            id="the author's text, a given value, brackets that are escaped, a stand-in",
        ),
        pytest.param(
            "certs",
            [
                ("d: ", ["fed d: ", FED]),
                ("mine", ["substituted {{ domain }}", "bound mine"]),
                ("\nn: ", ["fed \n    n: ", FED]),
                ("30", ["substituted {{ days }}", "fed 30", FED]),
                ("0", ["substituted {{ size }}", "defaulted", f"fed {KIT.rstrip()}", FED]),
                ("\n", ["fed \n", FED]),
            ],
            id="a gene's text, bound and declared values, and one that nobody gave",
        ),
        pytest.param(
            "keys",
            [
                ("k: ", ["fed k: ", *BY_PARENT]),
                ("hunter2", ["substituted {{ key }}", "fed hunter2", *BY_PARENT]),
            ],
            id="a gene that the parent feeds",
        ),
        pytest.param(
            "motd",
            [
                ("from ", ["inherited from ", *GRANDPARENT]),
                ("the-catlet-id", ["substituted {{ catletId }}", "invented"]),
            ],
            id="an ancestor's text with an invented value",
        ),
        pytest.param(
            "banner",
            [("hello", ["fed hello", "inherited gene:acme/old/1.0:banner", *GRANDPARENT])],
            id="a gene that the parent's parent feeds",
        ),
    ],
)
def test_stretches(done: Substituted, name: str, expected: list[tuple[str, list[str]]]) -> None:
    (fodder,) = (fodder for fodder in done.catlet.fodder or () if fodder.name == name)
    text = fodder.content.text if fodder.content is not None else ""
    found = list(fodder.stretches())
    assert [(text[start:end], story(origin)) for start, end, origin in found] == expected
    assert {origin.secret for _, _, origin in found} == {name == "keys"}


def test_a_binding_of_the_parent_comes_via_the_values_in_it(tmp_path: Path) -> None:
    result = run("parent: acme/base/1.0\n", write_pool(tmp_path, POOL))
    (fodder,) = (fodder for fodder in result.fodder_entries if fodder.name == "certs")
    (filled,) = (each.origin for each in fodder.stretches() if each.origin.variable == "domain")
    assert story(filled) == [
        "substituted {{ domain }}",
        "bound 'base.{{ site }}'",
        "inherited here",
        PARENT,
    ]
    assert [str(origin.gene) for origin in filled.chain()] == [
        "gene:acme/kit/1.0:tls",
        *["gene:acme/base/1.0:catlet"] * 2,
        "None",
    ]


def test_an_empty_value_parts_what_was_written_around_it() -> None:
    spec = "variables: [{name: x}]\nfodder: [{name: a, content: 'a{{ x }}b'}]\n"
    (fodder,) = run(spec).fodder_entries
    assert [story(each.origin) for each in fodder.stretches()] == [["written a"], ["written b"]]


def test_an_origin_that_nobody_knows_raises() -> None:
    with pytest.raises(KeyError):
        Drive(name="sda", size=20).origin("size")
    with pytest.raises(ValueError, match="a value that is written has a place"):
        placeless(Step.WRITTEN)
