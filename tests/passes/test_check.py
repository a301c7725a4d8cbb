"""The rules of documents: what is refused, in which words, and what is not.

Source: docs/reference/language.md, "Names", "Rules of a catlet", "Rules of fodder",
"Rules of variables", "Rules of a fodder gene".
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from eryphc.diagnostics.printing import text as printed
from eryphc.diagnostics.shown import show
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.source import SourceText
from golden import Golden

REFUSED = {
    "a character": "name: web_1",
    "two in a row": "name: a..b",
    "at an end": "name: -a-",
    "too long and a fault": "project: 'a-x-x-x-x-x-x-x-x-x-x-x-x'",
    "a project of the system": "project: P_x",
    "a parent": "parent: acme/base/v1",
    "a parent with gene:": "parent: gene:acme/base",
    "a drive without a name": "drives:\n- size: 1",
    "names by letter case": "drives:\n- name: a\n- name: A",
    "a size": "drives:\n- name: a\n  size: 0",
    "a large size": "drives:\n- name: a\n  size: 65537",
    "a gene on a dvd": "drives:\n- name: a\n  type: dvd\n  source: gene:acme/kit:sda",
    "a source": "drives:\n- name: a\n  source: GENE:acme/kit:sda",
    "a relative path": "drives:\n- name: a\n  source: C:\\a\\..\\b",
    "processors": "cpu: 241",
    "memory": "memory: 100",
    "minimum above startup": "memory: {startup: 1024, minimum: 2048}",
    "a short adapter": "network_adapters:\n- name: e",
    "an address": "network_adapters:\n- name: eth0\n  mac_address: 1a2b",
    "a capability": "capabilities: [a]",
    "a subnet": "networks:\n- name: lan\n  subnet_v4: {ip_pool: a_b}",
    "an unnamed food": "fodder:\n- content: x",
    "content on a reference": "fodder:\n- source: gene:acme/kit:tls\n  secret: false",
    "content on a removal": "fodder:\n- name: a\n  remove: true\n  content: x",
    "a type": "fodder:\n- name: a\n  type: Cloud-Config\n  content: x",
    "a file name": "fodder:\n- name: a\n  filename: a/b\n  content: x",
    "no content": "fodder:\n- name: a\n  content: ' '",
    "two tags": "fodder:\n- source: gene:acme/kit:a\n- source: gene:acme/kit/1.4:b",
    "a food twice": "fodder:\n- {name: a, content: x}\n- {name: A, content: y}",
    "a food twice by an alias": "fodder:\n- &f {name: a, content: x}\n- *f",
    "a catlet source": "fodder:\n- source: gene:acme/kit:catlet",
    "a typed binding": "fodder:\n- source: gene:acme/kit:tls\n  variables:\n"
    "  - name: a\n    type: string\n    required: false",
    "a digit first": "variables:\n- name: 9x",
    "a system variable": "variables:\n- name: VMID",
    "a boolean": "variables:\n- name: a\n  type: boolean\n  value: yes",
    "a secret number": "variables:\n- name: a\n  type: number\n  secret: true\n  value: hunter2",
    "a line feed": "variables:\n- name: a\n  type: number\n  value: |\n    5",
}
GENES = {
    "no name": "fodder:\n- name: a\n  content: x",
    "no food": "name: tls\nfodder: []",
    "the reserved name": "name: Catlet\nfodder:\n- name: a\n  content: x",
    "a food without a name": "name: tls\nfodder:\n- content: x",
    "a food with a source": "name: tls\nfodder:\n- name: a\n  source: gene:acme/kit:tls",
    "a food with variables": "name: tls\nfodder:\n- name: a\n  content: x\n  variables: []",
    "a food without content": "name: tls\nfodder:\n- name: a",
    "a food twice": "name: tls\nfodder:\n- {name: a, content: x}\n- {name: A, content: x}",
    "a food that removes": "name: tls\nfodder:\n- name: a\n  remove: true",
}
ACCEPTED = (
    "name: a.-b",
    "variables:\n- name: __x_",
    "hostname: '!!'",
    "name: '   '\nhostname: x",
    "cpu: 240\nmemory: 12582912",
    (
        "variables:\n- {name: a, type: number, value: '5.'}\n"
        "- {name: b, type: number, value: '-0'}\n- {name: c, type: number, value: '007'}"
    ),
    "networks:\n- name: lan\n  subnet_v4: {ip_pool: a}",
    "fodder:\n- {name: a, source: 'gene:acme/kit:tls'}\n- {name: a, content: x}",
    "drives:\n- name: a\n  source: '\\\\host\\share\\a.vhdx'",
    "network_adapters:\n- name: eth0\n  mac_address: 1a2b-3c:4d5e6f",
    "fodder:\n- name: a\n  remove: true",
    "fodder:\n- name: a\n  remove: false\n  content: x",
)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Golden)


def _shown(title: str, text: str, diagnostics: str) -> str:
    return f"======== {title}\n{text}\n--------\n{diagnostics}"


def test_refused_catlets(golden: SnapshotAssertion) -> None:
    shown = []
    for title, text in REFUSED.items():
        read = read_catlet(SourceText("spec.yaml", text + "\n"), notation=Notation.YAML)
        assert read.diagnostics, title
        shown.append(_shown(title, text, printed(show(read.diagnostics))))
    assert "".join(shown) == golden


def test_refused_genes(golden: SnapshotAssertion) -> None:
    shown = []
    for title, text in GENES.items():
        read = read_fodder_gene(SourceText("gene.yaml", text + "\n"), notation=Notation.YAML)
        assert read.diagnostics, title
        shown.append(_shown(title, text, printed(show(read.diagnostics))))
    assert "".join(shown) == golden


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    read = read_catlet(SourceText("spec.yaml", text + "\n"), notation=Notation.YAML)
    assert read.value is not None
    assert read.diagnostics == ()


@pytest.mark.parametrize("count", [1, 64, 65])
def test_at_most_64_drives(count: int) -> None:
    text = "drives:\n" + "".join(f"- name: d{n}\n" for n in range(count))
    read = read_catlet(SourceText("spec.yaml", text), notation=Notation.YAML)
    assert [d.code.number for d in read.diagnostics] == (["E0204"] if count > 64 else [])
