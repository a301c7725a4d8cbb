"""The text of `deploy.ps1`: one constant program, one inert literal."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryph_runtime.session import host_program
from eryphc.targets.hyperv.deploy_script import deploy_script, literal, program_parts

pytestmark = pytest.mark.once

# What could end a literal, start an expression or look like another kind of quote.
NASTY = st.sampled_from(
    [
        "'",
        "'@",
        "\n'@\n",
        "@'",
        '"',
        '"@',
        "$(",
        "$x",
        "`",
        "`n",
        "\u2018",
        "\u2019",
        "\u201a",
        "\u201b",
        "\u201c",
        "\u201d",
        "\u201e",
        "\u2028",
        "\u2029",
        "\u202e",
        "\ufeff",
        "\x00",
        "\x07",
        "\x1b",
        "\x7f",
        "\x85",
        "\r\n",
        "\\",
        "\\u0027",
        "{}",
        "#",
        "<#",
        "#>",
        ";",
        "&",
        "|",
        "%",
        "\U0001f600",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=5)), max_size=6).map("".join)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
DOCUMENT = st.dictionaries(TEXT, VALUE, max_size=6)


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


@given(DOCUMENT)
@settings(max_examples=150)
def test_the_literal_is_inert_and_gives_the_document_back(document: dict[str, Any]) -> None:
    text = literal(written(document))
    assert all(32 <= ord(character) < 127 or character == "\n" for character in text)
    assert "'" not in text
    assert json.loads(text) == document


@given(DOCUMENT)
@settings(max_examples=50)
def test_the_program_is_the_same_for_every_document(document: dict[str, Any]) -> None:
    before, after = program_parts()
    text = deploy_script(written(document))
    assert text.startswith(before)
    assert text.endswith(after)
    assert text[len(before) : -len(after)] == literal(written(document))


def test_the_literal_stands_in_a_here_string_at_the_end() -> None:
    before, after = program_parts()
    assert before.endswith("\n$document = @'\n")
    assert after.startswith("\n'@\n")
    assert "@'" not in after
    assert "{0}" not in before
    for part in (before, after):
        part.encode("ascii")


def test_what_both_programs_do_is_written_once() -> None:
    """Each program holds the whole text of `shared.ps1`, which no other file repeats."""
    shared = files("eryph_runtime").joinpath("powershell/shared.ps1").read_text(encoding="ascii")
    for program in (program_parts()[0], host_program().decode("ascii")):
        assert program.count(shared) == 1
        assert "stands here" not in program
        own = program.replace(shared, "")
        functions = re.findall(r"^function ([\w-]+)", own, re.MULTILINE)
        assert functions
        assert not set(functions) & set(re.findall(r"^function ([\w-]+)", shared, re.MULTILINE))
