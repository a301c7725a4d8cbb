"""What each kind of value is read from.

Source: docs/reference/language.md, "Keys", "Scalars", "Null and blank", "Enumerations",
"Anchors, aliases and tags", "Content as text".
"""

from __future__ import annotations

from typing import Any

import pytest

from eryphc.diagnostics.model import Level
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from passes.lowering import lowered, value
from saying import said

ROWS = [
    pytest.param("hostname: 'null'", {"hostname": "null"}, id="a quoted null is text"),
    pytest.param("hostname: nULL", {"hostname": "nULL"}, id="nULL is text"),
    pytest.param("NAME: x\nHostName: y", {"name": "x", "hostname": "y"}, id="keys in any case"),
    pytest.param("'name' : x", {"name": "x"}, id="a quoted key"),
    pytest.param("? name\n: x", {"name": "x"}, id="an explicit key"),
    pytest.param("!!foo name: x", {"name": "x"}, id="a tag on a key is ignored"),
    pytest.param("{name: x, cpu: 2}", {"name": "x", "cpu": {"count": 2}}, id="a flow mapping"),
    pytest.param("name: a\nname: b", {"name": "b"}, id="the later key wins"),
    pytest.param("cpu: 4", {"cpu": {"count": 4}}, id="cpu in short"),
    pytest.param("memory: 2048", {"memory": {"startup": 2048}}, id="memory in short"),
    pytest.param("capabilities: [tpm]", {"capabilities": [{"name": "tpm"}]}, id="a bare name"),
    pytest.param(
        "capabilities:\n- null\n- ~\n-\n",
        {"capabilities": [{"name": "null"}, {"name": "~"}, {"name": ""}]},
        id="null capabilities are names",
    ),
    pytest.param(
        "variables:\n- value: on\n- value: -4.2\n- value: 0012\n",
        {"variables": [{"value": "on"}, {"value": "-4.2"}, {"value": "0012"}]},
        id="values stay as they are written",
    ),
    pytest.param("hostname: !!int 010", {"hostname": "8"}, id="an integer as text"),
    pytest.param("%YAML 1.13 # later\n---\nname: a\n", {"name": "a"}, id="a later YAML 1"),
    pytest.param("hostname: !!float 1e3", {"hostname": "1000"}, id="a float as text"),
    pytest.param("hostname: !!bool yes", {"hostname": "True"}, id="a flag as text"),
    pytest.param(
        "hostname: &n 42\ndrives:\n- size: *n\n",
        {"hostname": "42", "drives": [{"size": 42}]},
        id="an alias between kinds",
    ),
    pytest.param(
        "variables: &v\n- name: a\nfodder:\n- variables: *v\n",
        {"variables": [{"name": "a"}], "fodder": [{"variables": [{"name": "a"}]}]},
        id="a list used again",
    ),
    pytest.param(
        "fodder:\n- content: 42\n- content: true\n- content: ~\n",
        {"fodder": [{"content": "42"}, {"content": "true"}, {}]},
        id="scalar contents",
    ),
    pytest.param(
        "fodder:\n- content:\n  - x\n",
        {"fodder": [{"content": "- x\n"}]},
        id="a list at the column of its key",
    ),
    pytest.param(
        "fodder:\n- name: sample\n  content:\n    # dropped\n    jobs:\n"
        "    - id: {{ jobId }}   # kept\n\n      note: |\n        two\n"
        "# also kept, belongs to the slice\n- name: next\n  content: x\n",
        {
            "fodder": [
                {
                    "name": "sample",
                    "content": "jobs:\n- id: {{ jobId }}   # kept\n\n  note: |\n    two\n"
                    "# also kept, belongs to the slice\n",
                },
                {"name": "next", "content": "x"},
            ]
        },
        id="the example of section 3",
    ),
    pytest.param(
        "fodder:\r\n- content:\r\n    a: 1\r\n    b: 2",
        {"fodder": [{"content": "a: 1\nb: 2\n"}]},
        id="carriage returns, and no line feed at the end",
    ),
    pytest.param(
        "fodder:\n- content:\n    a: |\n      one\n        \n      two\n",
        {"fodder": [{"content": "a: |\n  one\n\n  two\n"}]},
        id="lines of blanks become empty",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "data"), ROWS)
def test_reading(text: str, data: dict[str, Any]) -> None:
    assert value(text) == data


REFUSED = [
    pytest.param("name: a\n---\nname: b\n", "E0104", id="a second document"),
    pytest.param("name: a\n...\nname: b\n", "E0104", id="text after the end"),
    pytest.param("%YAML 2.0\n---\nname: a\n", "E0101", id="another YAML"),
    pytest.param("- a\n", "E0112", id="a list at the root"),
    pytest.param("a\n", "E0112", id="a scalar at the root"),
    pytest.param("", "E0111", id="nothing"),
    pytest.param("# comment\n", "E0111", id="only a comment"),
    pytest.param("---\n", "E0111", id="only a marker"),
    pytest.param("~\n", "E0111", id="a null"),
    pytest.param("networkAdapters: []\n", "E0113", id="camel case"),
    pytest.param("networkadapters: []\n", "E0113", id="underscores count"),
    pytest.param("<<: {name: a}\n", "E0113", id="a merge key"),
    pytest.param("[a]: b\n", "E0114", id="a list as key"),
    pytest.param("{{ a }}: b\n", "E0114", id="a mapping as key"),
    pytest.param("cpu:\n", "E0123", id="cpu left empty"),
    pytest.param("memory: ~\n", "E0123", id="memory left empty"),
    pytest.param("drives:\n-\n", "E0122", id="an empty entry"),
    pytest.param("cpu:\n  count: {}\n", "E0112", id="a mapping as number"),
    pytest.param("drives:\n- type: {}\n", "E0112", id="a mapping as word"),
    pytest.param("fodder:\n- secret: {}\n", "E0112", id="a mapping as flag"),
    pytest.param("hostname: []\n", "E0112", id="a list as text"),
    pytest.param("drives: sda\n", "E0112", id="a scalar as list"),
    pytest.param("fodder:\n- content: {a: b}\n", "E0118", id="content in braces"),
    pytest.param("fodder:\n- content: [a]\n", "E0118", id="content in brackets"),
    pytest.param("fodder:\n- content: &x\n    a: b\n", "E0119", id="an anchor on content"),
    pytest.param("fodder:\n- content: !!map\n    a: b\n", "E0119", id="a tag on content"),
    pytest.param("fodder:\n- name: &x a\n  content: *x\n", "E0121", id="an alias as content"),
    pytest.param("memory: &x 1024\ncpu: *x\n", "E0121", id="an alias as cpu of memory"),
    pytest.param("hostname: &x 4\ncpu: *x\n", "E0121", id="an alias as cpu of a text"),
    pytest.param("hostname: &x 4\ncpu:\n  count: *x\n", "E0121", id="an alias inside cpu"),
    pytest.param("hostname: &x 512\nmemory: {minimum: *x}\n", "E0121", id="one inside memory"),
    pytest.param(
        "hostname: &x tpm\ncapabilities:\n- name: *x\n", "E0121", id="one inside a capability"
    ),
    pytest.param(
        "hostname: &x a\ncapabilities:\n- name: tpm\n  details: [b, *x]\n",
        "E0121",
        id="an alias among details",
    ),
    pytest.param("%YAML 2.0\n---\nname: a\n", "E0101", id="another YAML"),
    pytest.param("name: *x\n", "E0105", id="an alias before its anchor"),
    pytest.param("name: !foo a\n", "E0120", id="a tag of one's own"),
    pytest.param("name: !!binary a\n", "E0120", id="binary"),
    pytest.param("cpu: !!int 4\n", "E0120", id="a tag on a short form"),
    pytest.param("fodder:\n- secret: !!str true\n", "E0120", id="a text as flag"),
    pytest.param("a: {{ x }}-suffix\n", "E0101", id="text behind braces"),
    pytest.param("\tname: a\n", "E0103", id="a tab as indentation"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_refused(text: str, code: str) -> None:
    found = lowered(text)[1]
    if code != "E0111" or found:
        assert code in found


JSON = [
    pytest.param('{"name": "web"}', None, id="a catlet"),
    pytest.param('{"name": null}', None, id="null is not set"),
    pytest.param('{"drives": [{"name": "a", "type": "SharedVHD"}]}', None, id="compact spelling"),
    pytest.param('{"drives": [{"name": "a", "type": "SHARED_VHD"}]}', "E0117", id="other casing"),
    pytest.param('{"drives": [{"name": "a", "type": "shared-vhd"}]}', "E0117", id="a hyphen"),
    pytest.param('{"Name": "web"}', "E0113", id="letter case of keys"),
    pytest.param('{"cpu": 4}', "E0112", id="no short form"),
    pytest.param('{"cpu": {"count": 4.0}}', "E0115", id="a fraction"),
    pytest.param('{"cpu": {"count": 1e1}}', "E0115", id="an exponent"),
    pytest.param('{"cpu": {"count": "4"}}', "E0112", id="a number in quotes"),
    pytest.param('{"variables": [{"name": "a", "value": 42}]}', "E0112", id="a text without"),
    pytest.param('{"capabilities": ["tpm"]}', "E0112", id="a bare capability"),
    pytest.param('{"fodder": [{"name": "a", "content": {"a": 1}}]}', "E0112", id="content"),
    pytest.param("null", "E0111", id="null at the root"),
    pytest.param('{"name": "web",}', "E0110", id="a comma too many"),
    pytest.param('{"name": "web"} x', "E0110", id="text behind it"),
    pytest.param("", "E0110", id="nothing"),
    pytest.param('{"name": "web"} // x', "E0110", id="a comment"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), JSON)
def test_json(text: str, code: str | None) -> None:
    outcome = read_catlet(SourceText("spec.json", text), notation=Notation.JSON)
    errors = [d.code.number for d in outcome.diagnostics if d.level is Level.ERROR]
    assert errors[:1] == ([] if code is None else [code])


@pytest.mark.parametrize("key", ["cpu", "memory"])
def test_a_tag_on_a_short_form_is_named(key: str) -> None:
    outcome = read_catlet(SourceText("a.yaml", f"{key}: !!int 4\n"), notation=Notation.YAML)
    assert [said(found).message for found in outcome.diagnostics] == [
        f"the YAML tag `!!int` is not allowed on `{key}`"
    ]
