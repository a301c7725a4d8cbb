"""The JSON Schemas and the reader say the same of documents in their canonical spelling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cli.command_line import CommandLine
from eryphc import schema_names, schema_text
from eryphc.diagnostics.model import has_errors
from eryphc.ir.catlet import Catlet
from eryphc.ir.document import document, trimmed
from eryphc.passes.read import Notation, decode, notation_of, read_catlet, read_fodder_gene
from eryphc.project.file import read_project
from eryphc.source import SourceText
from eryphc.targets.definition import project_sections
from places import CONFORMANCE, PACKED, PUBLISHED
from saying import said

ROOT = Path(__file__).parents[2]
SCHEMAS = {name: Draft202012Validator(json.loads(schema_text(name))) for name in schema_names()}


def complaints(kind: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SCHEMAS[kind].iter_errors(data)]


def accepted(kind: str, name: str, text: str) -> Any:
    """The record that reader and rules accept, or None."""
    read: Any = read_catlet if kind == "catlet" else read_fodder_gene
    outcome = read(SourceText(name, text), notation=notation_of(name))
    return None if has_errors(outcome.diagnostics) else outcome.value


def without_blanks(data: Any) -> Any:
    """A document without blank texts, which the language takes for absent."""
    if isinstance(data, dict):
        return {k: without_blanks(v) for k, v in data.items() if not (v == "" and k != "value")}
    return [without_blanks(item) for item in data] if isinstance(data, list) else data


def loaded(name: str, text: str) -> Any:
    """The document as an editor's YAML library has it; Ellipsis where that refuses it."""
    try:
        return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError):
        return ...


def published() -> Iterator[tuple[str, Path]]:
    yield from (("catlet", path) for path in sorted(PUBLISHED.rglob("catlet.yaml")))
    for path in sorted(PUBLISHED.rglob("*.y*ml")):
        if "fodder" in path.relative_to(PUBLISHED).parts[3:-1]:
            yield "fodder-gene", path


@pytest.mark.parametrize("name", schema_names())
def test_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(name)))


def test_names_of_the_contract_are_there() -> None:
    assert {"catlet", "fodder-gene", "geneset-tag", "manifest", "project"} <= set(schema_names())


def test_what_build_writes(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\n")
    assert eryphc("build", "web.yaml", "--target", "cloud-init", "--target", "hyperv").code == 0
    for kind, path in (
        ("manifest", "cloud-init/manifest.json"),
        ("manifest", "hyperv/manifest.json"),
        ("deployment", "hyperv/deployment.json"),
    ):
        data = json.loads((eryphc.folder / "build/web" / path).read_text(encoding="utf-8"))
        assert complaints(kind, data) == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_examples(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    record = accepted("catlet", path.name, text)
    assert record is not None
    assert complaints("catlet", trimmed(record)) == []
    assert complaints("catlet", loaded(path.name, text)) == []


def test_published_genes() -> None:
    seen = 0
    for kind, path in published():
        text = decode(path.read_bytes())
        record = accepted(kind, path.name, text)
        assert record is not None, path
        assert complaints(kind, document(record)) == [], path
        # Editors hold to lower case; the reader takes keys in any.
        raw = loaded(path.name, text)
        if raw is not ...:
            assert [c for c in complaints(kind, raw) if "fileName" not in c] == [], path
        seen += 1
    assert seen > 100


def test_specs_of_the_conformance_cases() -> None:
    seen = 0
    for path in sorted(CONFORMANCE.rglob("*.yaml")):
        case = yaml.safe_load(path.read_text(encoding="utf-8"))
        spec = case.get("spec") if isinstance(case, dict) else None
        if not isinstance(spec, str):
            continue
        record = accepted("catlet", "spec.yaml", spec)
        if record is not None:
            assert complaints("catlet", without_blanks(trimmed(record))) == [], path
            seen += 1
    assert seen > 50


# What the schemas let pass although the rules refuse it, and why they cannot say so.
BEYOND_A_SCHEMA = {
    "two values compared": (
        "catlet-capability-duplicate.yaml",
        "catlet-drive-name-twice.yaml",
        "catlet-fodder-same-key-twice.yaml",
        "catlet-fodder-two-tags.yaml",
        "catlet-memory-min-above-max.yaml",
        "catlet-variable-twice.yaml",
        "fodder-entry-twice.yaml",
    ),
    "how a value is written, which an editor's YAML library does not tell": (
        "catlet-content-flow-mapping.yaml",
        "catlet-content-flow-sequence.yaml",
        "catlet-int-underscore-float.yaml",
        "catlet-merge-key.yaml",
        "catlet-variable-bool-capital.yaml",
        "fodder-content-flow.yaml",
        "fodder-content-with-value-anchor.yaml",
    ),
    "what one entry may not have beside another": (
        "catlet-fodder-no-content.yaml",
        "catlet-fodder-reference-variable-type.yaml",
        "catlet-fodder-remove-with-content.yaml",
        "catlet-fodder-source-and-content.yaml",
        "fodder-content-blank.yaml",
        "fodder-entry-no-content.yaml",
    ),
}
# Refused by the original's packer for what it does to the text afterwards, not by the language.
PACKER_ONLY = {"fodder-leading-spaces-first-line.yaml"}
# Refused by the original for where YamlDotNet wants an indentation (2.10: may be accepted).
MAY_BE_ACCEPTED = {
    "fodder-mapping-line-separator.yaml",
    "fodder-mapping-nel.yaml",
    "fodder-mapping-paragraph-separator.yaml",
}


def refused_inputs() -> list[dict[str, Any]]:
    entries = json.loads((PACKED / "refused.json").read_text(encoding="utf-8"))
    return [
        e
        for e in entries
        if e["input"] and e["kind"] in ("catlet", "fodder") and e["refused"]["0.10"]
    ]


def test_what_the_original_refuses() -> None:
    passed = set()
    for entry in refused_inputs():
        path = PACKED / entry["input"]
        kind = "catlet" if entry["kind"] == "catlet" else "fodder-gene"
        try:
            text = decode(path.read_bytes())
        except UnicodeDecodeError:
            continue
        if path.name not in PACKER_ONLY | MAY_BE_ACCEPTED:
            assert accepted(kind, path.name, text) is None, entry
        data = loaded(path.name, text)
        if data is not ... and not complaints(kind, data):
            passed.add(path.name)
    reasons = {name for names in BEYOND_A_SCHEMA.values() for name in names}
    # Exactly these: a reason that is none any more has to go.
    assert passed - PACKER_ONLY - MAY_BE_ACCEPTED == reasons


@pytest.mark.parametrize("kind", ["catlet", "fodder"])
def test_packed_genes_are_accepted(kind: str) -> None:
    paths = [p for p in sorted(PACKED.rglob(f"{kind}-*.json")) if p.parent.name.startswith("json")]
    assert len(paths) > 5
    name = "catlet" if kind == "catlet" else "fodder-gene"
    for path in paths:
        text = path.read_text(encoding="utf-8")
        record = accepted(name, path.name, text)
        assert record is not None, path
        assert complaints(name, document(record)) == [], path
        assert complaints(name, json.loads(text)) == [], path


names = st.from_regex(r"[a-z]([-.]?[a-z0-9]){1,12}", fullmatch=True)
plain = st.from_regex(r"[a-z](-?[a-z0-9]){1,12}", fullmatch=True)
maybe = st.none
sizes = st.integers(0, 40).map(lambda n: n * 64)
sources = st.sampled_from(
    ["gene:acme/kit:sda", "C:\\a.vhdx", "\\\\host\\a", "a.vhdx", "/a", "C:\\.\\a"]
)
genes = st.sampled_from(["gene:acme/kit/1.0:tls", "gene:acme/kit", "acme/kit"])
catlets = st.fixed_dictionaries(
    {},
    optional={
        "name": names,
        "project": st.text("ab.-_", min_size=1, max_size=6),
        "hostname": st.text("aZ0-. #:\u00e9\u4e2d", max_size=5),
        "parent": st.sampled_from(["acme/kit", "acme/kit/1.0", "a/b", "acme/kit/v1", "acme"]),
        "cpu": st.fixed_dictionaries({"count": st.integers(-1, 300)}),
        "memory": st.fixed_dictionaries(
            {},
            optional={k: st.integers(0, 40).map(lambda n: n * 64) for k in ("startup", "minimum")},
        ),
        "drives": st.lists(
            st.fixed_dictionaries(
                {"name": st.one_of(plain, st.just("a_b"))},
                optional={
                    "size": st.integers(-1, 70_000),
                    "type": st.sampled_from(["vhd", "dvd", "shared_vhd", "vhdx"]),
                    "source": sources,
                },
            ),
            max_size=3,
        ),
        "variables": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["a", "_b", "9c", "vmId", "long_name"])},
                optional={
                    "type": st.sampled_from(["string", "number", "boolean", "float"]),
                    "value": st.sampled_from(["", "1", "1.5", "true", "yes"]),
                    "secret": st.booleans(),
                },
            ),
            max_size=3,
        ),
        "fodder": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": names,
                    "content": st.sampled_from(["", "a: 1"]),
                    "type": st.sampled_from(["cloud-config", "shellscript", "shell"]),
                    "filename": st.sampled_from(["a.sh", "a/b"]),
                    "remove": st.booleans(),
                    "source": sources,
                },
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=200)
@given(catlets)
def test_whatever_is_accepted_is_accepted_by_the_schema(data: dict[str, Any]) -> None:
    source = SourceText("spec.json", json.dumps(data))
    outcome = read_catlet(source, notation=Notation.JSON)
    if outcome.value is not None and not has_errors(outcome.diagnostics):
        assert complaints("catlet", without_blanks(data)) == []
        assert complaints("catlet", without_blanks(trimmed(outcome.value))) == []


@settings(max_examples=100)
@given(catlets)
def test_yaml_and_json_mean_the_same(data: dict[str, Any]) -> None:
    as_json = read_catlet(SourceText("a.json", json.dumps(data)), notation=Notation.JSON)
    flow = read_catlet(
        SourceText("a.yaml", json.dumps(data, ensure_ascii=False)), notation=Notation.YAML
    )
    block = read_catlet(
        SourceText("b.yaml", yaml.safe_dump(data, sort_keys=False)), notation=Notation.YAML
    )
    # What stands on the line of a secret is not shown, and only block style has many lines.
    secret = any(variable.get("secret") for variable in data.get("variables") or ())
    found = [
        [(d.code, d.level, "" if secret else d.message) for d in outcome.diagnostics]
        for outcome in (as_json, flow, block)
    ]
    assert found[0] == found[1] == found[2]
    assert _data(as_json.value) == _data(flow.value) == _data(block.value)


def _data(catlet: Catlet | None) -> Any:
    return None if catlet is None else document(catlet)


PROJECTS = {
    "empty": "",
    "levels": "lint:\n  allow: [W0534]\n  warn: [command-leaks]\n  deny: []\n",
    "a folder": "pools:\n- path: genes\n",
    "a folder with a type": "pools:\n- name: ours\n  type: folder\n  path: genes\n"
    "  orgs: [acme*]\n",
    "a registry": "pools:\n- type: oci\n  prefix: registry.example.com/genes\n  orgs: [acme]\n"
    "  fallback: true\n",
    "all of a registry": "pools:\n- type: oci\n  prefix: registry.example.com/genes\n"
    "  orgs: [acme]\n  repository: '{org}_{set}'\n  tag: '{tag}'\n  index: 'index:latest'\n"
    "  mirrors: [mirror.example/genes]\n  ca: certs/ca.pem\n  insecure: false\n"
    "  token_hosts: [login.example]\n",
    "an API": "pools:\n- type: genepool\n  url: https://genes.example.com\n  orgs: [acme]\n",
    "trust": "trust:\n- {orgs: [acme, 'a-*'], require: signature, keys: k, signers: ['*@a.b']}\n"
    "- {orgs: ['*'], require: none}\n",
    "the rest": "shared: [acme/kit]\nspecs: ['*.yaml']\nguest: linux\nepoch: 1700000000\n",
    "hyperv": "hyperv:\n  switches:\n    lan: External\n  folders:\n    machines: 'D:\\vms'\n"
    "  vlans:\n    lan: 42\n  guardian: Datacenter\n"
    "  start_action: start\n  stop_action: shut_down\n  disks: copy\n  drives:\n    sda: copy\n",
}
WRONG_PROJECTS = {
    "levels that are none": "lint: {forbid: [W0534]}\n",
    "one level": "lint: {allow: W0534}\n",
    "an unknown key": "pool: []\n",
    "a pool without its place": "pools:\n- name: ours\n",
    "a registry without prefix": "pools:\n- type: oci\n  path: x\n",
    "a registry without organizations": "pools:\n- type: oci\n  prefix: registry.example.com\n",
    "an API without organizations": "pools:\n- type: genepool\n  url: https://genes.example.com\n"
    "  orgs: []\n",
    "an unknown type": "pools:\n- type: ftp\n  path: x\n",
    "trust without organizations": "trust: [{require: none}]\n",
    "trust in nothing": "trust: [{orgs: [acme]}]\n",
    "trust in something else": "trust: [{orgs: [acme], require: luck}]\n",
    "signers that are nobody": "trust: [{orgs: [a], require: signature, keys: k, signers: []}]\n",
    "signatures without keys": "trust: [{orgs: [acme], require: signature}]\n",
    "an unknown guest": "guest: beos\n",
    "an unknown mode": "hyperv:\n  drives:\n    sda: move\n",
    "a VLAN that is none": "hyperv:\n  vlans:\n    lan: 4095\n",
    "several VLANs": "hyperv:\n  vlans:\n    lan: [1, 2]\n",
    "a VLAN and a name": "hyperv:\n  vlans: {lan: 1,2}\n",
    "a switch without a name": "hyperv:\n  switches: {lan: }\n",
    "a drive without a mode": "hyperv:\n  drives: {sda: }\n",
    "an unknown action": "hyperv:\n  start_action: dance\n",
    "a list for a mapping": "hyperv: []\n",
}


@pytest.mark.parametrize("text", PROJECTS.values(), ids=PROJECTS)
def test_projects(text: str) -> None:
    outcome = read_project(SourceText("eryphc.yaml", text), Path(), project_sections())
    assert outcome.value is not None, outcome.diagnostics
    assert complaints("project", yaml.safe_load(text)) == []


@pytest.mark.parametrize("text", WRONG_PROJECTS.values(), ids=WRONG_PROJECTS)
def test_wrong_projects(text: str) -> None:
    outcome = read_project(SourceText("eryphc.yaml", text), Path(), project_sections())
    assert has_errors(outcome.diagnostics)
    assert complaints("project", yaml.safe_load(text)) != []


def test_what_has_no_effect_is_said() -> None:
    text = "guest: linux\nshared: [acme/kit]\nspecs: []\n"
    outcome = read_project(SourceText("eryphc.yaml", text), Path(), project_sections())
    assert outcome.value is not None
    assert [(d.code.number, said(d).message) for d in outcome.diagnostics] == [
        ("W0918", "`shared` of the project file has no effect in this version"),
    ]
