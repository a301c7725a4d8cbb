"""What each kind of value is read from. Rows follow catlet-language.md 2.3 to 2.7, 3 and 13."""

from __future__ import annotations

from typing import Any

import pytest

from eryphc.diagnostics.model import Level
from eryphc.ir.catlet import Catlet
from eryphc.ir.document import document
from eryphc.passes.lower import lower_catlet
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from eryphc.syntax.yaml_nodes import compose


def lowered(text: str) -> tuple[Catlet | None, list[str]]:
    """The catlet before any rule is applied, and the codes of what was found."""
    source = SourceText("spec.yaml", text)
    composed = compose(source)
    if composed.value is None:
        return None, [d.code.number for d in composed.diagnostics]
    catlet, found = lower_catlet(composed.value, source, Notation.YAML)
    return catlet, [d.code.number for d in found]


def value(text: str) -> Any:
    catlet, found = lowered(text)
    assert catlet is not None
    assert [code for code in found if code.startswith("E")] == []
    return document(catlet)


INTEGERS = {
    "4": 4, '"4"': 4, "' 4 '": 4, "+4": 4, "-4": -4, "1_0": 10, "_1": 1, "1_": 1, "0x400": 1024,
    "0x_f": 15, "-0x1F": -31, "0b101": 5, "+0b1": 1, "010": 8, "0_10": 8, "0": 0, "-0": 0,
    "1:30": 90, "1:60": 120, "1:2:3": 3723, "2147483647": 2147483647, "-2147483648": -2147483648,
    "!!str 4": 4, "!!int 010": 8, "!!float 4.5": 4,
}  # fmt: skip
NO_INTEGERS = (
    "4.0", "1e3", "0o17", "08", "0X1F", "0B1", "0:10", "1:-5", "'1,024'", "1 000", "0x", "\u0664",
    "''", "2147483648", "-2147483649", "0b2", "x",
)  # fmt: skip


@pytest.mark.parametrize(("written", "number"), INTEGERS.items(), ids=INTEGERS)
def test_integers(written: str, number: int) -> None:
    assert value(f"cpu:\n  count: {written}\n") == {"cpu": {"count": number}}


@pytest.mark.parametrize("written", NO_INTEGERS)
def test_what_is_no_integer(written: str) -> None:
    assert lowered(f"cpu:\n  count: {written}\n")[1] == ["E0115"]


@pytest.mark.parametrize("written", ["true", "y", "Yes", "ON", "'true'", "!!bool yes"])
def test_true(written: str) -> None:
    assert value(f"fodder:\n- secret: {written}\n") == {"fodder": [{"secret": True}]}


@pytest.mark.parametrize("written", ["false", "n", "No", "OFF", '"no"'])
def test_false(written: str) -> None:
    assert value(f"fodder:\n- secret: {written}\n") == {"fodder": [{"secret": False}]}


@pytest.mark.parametrize("written", ["1", "0", "t", "' true '", "''", "tru\u0435"])
def test_what_is_no_flag(written: str) -> None:
    assert lowered(f"fodder:\n- secret: {written}\n")[1] == ["E0116"]


WORDS = {
    "SharedVHD": "shared_vhd",
    "sharedvhd": "shared_vhd",
    "shared-vhd": "shared_vhd",
    "SHARED_VHD": "shared_vhd",
    "_shared_vhd": "shared_vhd",
    "VHDSet": "vhd_set",
    "' vhdset '": "vhd_set",
    "phd": "phd",
}
NO_WORDS = ("vhd_", "vh__d", "shared vhd", "0", "'vhd, dvd'", "vhdx", "''")


@pytest.mark.parametrize(("written", "word"), WORDS.items(), ids=WORDS)
def test_words(written: str, word: str) -> None:
    assert value(f"drives:\n- type: {written}\n") == {"drives": [{"type": word}]}


@pytest.mark.parametrize("written", NO_WORDS)
def test_what_is_no_word(written: str) -> None:
    assert lowered(f"drives:\n- type: {written}\n")[1] == ["E0117"]


@pytest.mark.parametrize("null", ["", "~", "null", "Null", "NULL", "!!str null"])
@pytest.mark.parametrize("key", ["hostname", "config_type", "drives", "cpu:\n  count", "variables"])
def test_null_is_not_set(key: str, null: str) -> None:
    assert value(f"name: web\n{key}: {null}\n") in ({"name": "web"}, {"name": "web", "cpu": {}})


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
