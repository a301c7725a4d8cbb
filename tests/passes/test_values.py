"""Values of documents: numbers, flags, words and null (docs/reference/language.md, "Scalars")."""

from __future__ import annotations

import pytest

from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from passes.lowering import lowered, value
from saying import said

INTEGERS = {
    "4": 4, '"4"': 4, "' 4 '": 4, "+4": 4, "-4": -4, "1_0": 10, "_1": 1, "1_": 1, "0x400": 1024,
    "0x_f": 15, "-0x1F": -31, "0b101": 5, "+0b1": 1, "010": 8, "0_10": 8, "0": 0, "-0": 0,
    "1:30": 90, "1:60": 120, "1:2:3": 3723, "2147483647": 2147483647, "-2147483648": -2147483648,
    "!!str 4": 4, "!!int 010": 8, "!!float 4.5": 4,
}  # fmt: skip
NO_INTEGERS = (
    "4.0", "1e3", "0o17", "08", "0X1F", "0B1", "0:10", "1:-5", "'1,024'", "1 000", "0x", "\u0664",
    "''", "2147483648", "-2147483649", "0b2", "x", "!!float abc",
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


def found(text: str) -> list[tuple[str, str, tuple[int, int], tuple[int, int]]]:
    """Code and message of what is found, and where it begins and ends as line and column."""
    source = SourceText("spec.yaml", text)
    labels = [
        (found.code.number, said(found).message, found.primary.span)
        for found in read_catlet(source, notation=Notation.YAML).diagnostics
        if found.primary is not None
    ]
    return [
        (code, message, source.position(span.start), source.position(span.end))
        for code, message, span in labels
    ]


def test_a_comment_in_content_ends_with_its_line() -> None:
    text = "fodder:\n- name: a\n  content:\n    a: 1\n    # b\n- name: b\n  content: c\n"
    message = "this comment becomes part of the content above it"
    assert found(text) == [("W0102", message, (5, 5), (5, 8))]


def test_a_comment_that_ends_the_document_ends_there() -> None:
    text = "fodder:\n- name: a\n  content:\n    a: 1\n    # b"
    assert [(code, end) for code, _, _, end in found(text)] == [("W0102", (5, 8))]


@pytest.mark.parametrize(
    ("entry", "start", "end"),
    [
        pytest.param("{type: shellscript}", (2, 3), (2, 4), id="flow: at its brace"),
        pytest.param("type: shellscript", (2, 3), (2, 7), id="block: at its first key"),
    ],
)
def test_where_an_entry_is(entry: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    message = "a fodder entry needs a `name` or a `source`"
    assert found(f"fodder:\n- {entry}\n") == [("E0212", message, start, end)]
