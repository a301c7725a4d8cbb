"""Which strings of a template are texts, and that the real engine gives them back."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import eryphc
from eryphc.targets.azure.text import (
    LONGEST_EXPRESSION,
    Expression,
    escaped,
    expression,
    parameters_bytes,
    template_bytes,
)
from places import BICEP, NO_BICEP

pytestmark = pytest.mark.once

COMPILER = Path(eryphc.__file__).parent
EVIL = (
    "[evil('x')]",
    "[[x]",
    "[a] b",
    "a[b]",
    "parameters('x')",
    "[parameters('p0')]",
    "[concat('a', 'b')]",
    "it's 'quoted' and \"quoted\"",
    "\\",
    "${evil}",
    "%{evil}",
    "a\r\nb",
    "a\0b",
    "\0[x]",
    "[x]\0",
    "[x]\n",
    " [x]",
    "[x] ",
    "[\n]",
    "\u202eabc\u2066",
    "\u200b[x]",
    "[x]\u200b",
    "\ufeff[x]",
    "[",
    "]",
    "[]",
    "[[",
    "]]",
    "[[]",
    "[[]]",
    "[[[",
    "[[[]",
    "[[x",
    "x]",
    "][",
    "[ ]",
    "",
    "null",
    "true",
    "12",
    "2020-01-01T00:00:00Z",
    "\ufffe\uffff\U0010ffff é 😀",
    "copy",
    "$schema",
    "\u2028\u2029\x7f\x85",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(
    "[[]]'\"$ {}()\\\r\n\0\u202e\u200bax.", max_size=12
)
IN_BRACKETS = TEXTS.map(lambda text: f"[{text}]")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS | IN_BRACKETS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["a", "b", "[c]", "[[d]", "é"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def unescaped(text: str) -> str:
    """What the engine makes of a string that is no expression."""
    assert not (text.startswith("[") and text.endswith("]") and not text.startswith("[["))
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def read(value: Any) -> Any:
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, list):
        return [read(each) for each in value]
    if isinstance(value, dict):
        return {unescaped(name): read(each) for name, each in value.items()}
    return value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[test]", "[[test]"),
        ("[[x]", "[[[x]"),
        ("[]", "[[]"),
        ("[test", "[test"),
        ("[test] more", "[test] more"),
        ("a[b]", "a[b]"),
        ("[[x", "[[x"),
        ("[", "["),
        ("]", "]"),
        ("[x]\n", "[x]\n"),
    ],
)
def test_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


@given(TEXTS | IN_BRACKETS)
def test_no_escaped_text_is_an_expression(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(st.dictionaries(st.sampled_from(["x", "[y]"]), JSON))
def test_a_template_says_what_it_is_given(value: Mapping[str, Any]) -> None:
    made = template_bytes(value)
    assert read(json.loads(made)) == value
    assert list(json.loads(made)) == [escaped(name) for name in value]
    assert made == template_bytes(value)


@given(st.dictionaries(st.sampled_from(["x", "[y]"]), JSON))
def test_a_parameter_file_says_it_without_escapes(value: Mapping[str, Any]) -> None:
    made = parameters_bytes(value)
    assert json.loads(made) == value
    assert made.isascii()
    assert made.endswith(b"}\n")
    assert b"\r" not in made


def test_the_form() -> None:
    document = {"z": "[x]", "a": [1, ("é", None)], "[n]": Expression("parameters('x')"), "e": {}}
    assert template_bytes(document).decode() == (
        '{\n  "z": "[[x]",\n  "a": [\n    1,\n    [\n      "\\u00e9",\n      null\n    ]\n  ],\n'
        '  "[[n]": "[parameters(\'x\')]",\n  "e": {}\n}\n'
    )


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(float("nan"), ValueError, id="not a number"),
        pytest.param([float("-inf")], ValueError, id="infinite"),
        pytest.param("a\ud800", ValueError, id="half of a pair"),
        pytest.param({"\udfff": 1}, ValueError, id="half of a pair as a name"),
        pytest.param({"Copy": 1, "copy": 2}, ValueError, id="names that differ in case alone"),
        pytest.param({1: 2}, TypeError, id="a name that is no text"),
        pytest.param(b"x", TypeError, id="bytes"),
        pytest.param({"x"}, TypeError, id="a set"),
    ],
)
def test_what_no_file_can_hold(value: object, error: type[Exception]) -> None:
    for write in (template_bytes, parameters_bytes):
        with pytest.raises(error):
            write({"value": value})


def test_a_parameter_file_has_no_expressions() -> None:
    with pytest.raises(ValueError, match="expression"):
        parameters_bytes({"x": {"value": expression("resourceGroup().location")}})


def test_expressions() -> None:
    kind = "Microsoft.Network/virtualNetworks"
    made = expression("resourceId({}, {})", kind, "web-vnet")
    assert made == f"resourceId('{kind}', 'web-vnet')"
    assert type(made) is Expression
    assert expression("if({}, null(), {})", expression("empty(1)"), made) == (
        f"if(empty(1), null(), {made})"
    )
    # Text made of one is a text again.
    assert json.loads(template_bytes({"x": made + "", "y": f"[{made}]"})) == {
        "x": str(made),
        "y": f"[[{made}]",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("f({})", ("it's",), id="a quote"),
        pytest.param("f({})", ("web\n",), id="a line feed"),
        pytest.param("f({})", ("a b",), id="a blank"),
        pytest.param("f({})", ("",), id="nothing"),
        pytest.param("f({})", ("é",), id="a letter that is not ASCII"),
        pytest.param("f({}, {})", ("a",), id="too few words"),
        pytest.param("[f()]", (), id="brackets"),
        pytest.param("", (), id="no text"),
        pytest.param("f({})", ("a" * LONGEST_EXPRESSION,), id="too long"),
    ],
)
def test_what_is_no_expression(text: str, words: Sequence[str]) -> None:
    with pytest.raises(ValueError, match=r"word|name|bracket|long"):
        expression(text, *words)


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(COMPILER.rglob("*.py")):
        if path.parts[-2:] == ("azure", "text.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(COMPILER).as_posix(), node


def test_expressions_are_written_out() -> None:
    """Only their words may vary, and these are names."""
    others = []
    for module, call in calls():
        match call.func:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                pass
            case _:
                continue
        if name == "Expression" and "azure" in module:
            others.append(f"{module}: {ast.unparse(call)}")
        if name == "expression" and "azure" in module:
            match call.args:
                case [ast.Constant(value=str()), *_]:
                    pass
                case _:
                    others.append(f"{module}: {ast.unparse(call)}")
    assert others == []


# --- the engine --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def bicep() -> Path:
    """The compiler with the template engine; unpacked once."""
    if not BICEP.is_dir():
        pytest.skip(NO_BICEP)
    done = subprocess.run(
        [str(BICEP / "unpack.sh")], capture_output=True, text=True, check=True, timeout=120
    )
    return Path(done.stdout.strip())


SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def evaluated(bicep: Path, folder: Path, template: Mapping[str, object]) -> Any:
    """The first resource as the engine would send it, with the template's default values."""
    (folder / "main.json").write_bytes(template_bytes(template))
    parameters = folder / "main.bicepparam"
    parameters.write_text("using 'main.json'\n", encoding="ascii")
    done = subprocess.run(
        [
            str(bicep), "snapshot", str(parameters), "--mode", "overwrite",
            "--subscription-id", SUBSCRIPTION, "--resource-group", "rg", "--location", "westeurope",
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    snapshot = json.loads((folder / "main.snapshot.json").read_text("utf-8"))
    return snapshot["predictedResources"][0]


def template_of(texts: Sequence[str]) -> dict[str, object]:
    """A template with each text as a value, a tag, a default, a variable and two names."""
    numbered = list(enumerate(texts))
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/"
        "deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {"texts": list(texts)},
        "parameters": {
            **{f"p{at}": {"type": "string", "defaultValue": text} for at, text in numbered},
            "object": {"type": "object", "defaultValue": {"all": [{t: t} for t in texts]}},
        },
        "variables": {f"v{at}": text for at, text in numbered},
        "resources": [
            {
                "type": "Microsoft.Compute/disks",
                "apiVersion": "2025-01-02",
                "name": "disk",
                "location": expression("resourceGroup().location"),
                "tags": {f"t{at}": text for at, text in numbered},
                "properties": {
                    "values": list(texts),
                    "names": [{text: at} for at, text in numbered],
                    "defaults": [expression("parameters({})", f"p{at}") for at, _ in numbered],
                    "variables": [expression("variables({})", f"v{at}") for at, _ in numbered],
                    "object": expression("parameters('object')"),
                },
            }
        ],
        "outputs": {f"o{at}": {"type": "string", "value": text} for at, text in numbered},
    }


@pytest.mark.integration
# A call takes more than a second, so each has many texts.
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(TEXTS | IN_BRACKETS, min_size=30, max_size=60))
@example(list(EVIL))
def test_the_engine_gives_every_text_back(bicep: Path, tmp_path: Path, texts: list[str]) -> None:
    found = evaluated(bicep, tmp_path, template_of(texts))
    properties = found["properties"]
    assert found["location"] == "westeurope"
    assert list(found["tags"].values()) == texts
    assert properties["values"] == texts
    assert properties["names"] == [{text: at} for at, text in enumerate(texts)]
    assert properties["defaults"] == texts
    assert properties["variables"] == texts
    assert properties["object"] == {"all": [{text: text} for text in texts]}


@pytest.mark.integration
def test_the_engine_would_evaluate_a_text_without_its_escape(bicep: Path, tmp_path: Path) -> None:
    """So the test above can fail: the engine is asked, and knows no function of that name."""
    template = template_of(["x"])
    template["variables"] = {"v0": Expression("evil('x')")}
    with pytest.raises(AssertionError, match="assert \\(1,"):
        evaluated(bicep, tmp_path, template)
