"""Canonical JSON: one form for the same data, and nothing else is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.canonical import (
    DEEPEST,
    Json,
    NotCanonicalError,
    canonical,
    digest_of,
    read_canonical,
    read_json,
)

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def test_the_published_example() -> None:
    data: Json = {"version": "1.1", "metadata": {"_os_type": "linux"}, "geneset": "acme/motd/1.0"}
    assert digest_of(canonical(data) + b"\n") == (
        "sha256:d3ac9822083acb16c707fdd0c646eb9d5bd774a21dd0df952ad3f85410244806"
    )


@given(DATA)
def test_what_is_written_is_read(data: object) -> None:
    assert read_canonical(canonical(data)) == data  # type: ignore[arg-type]


@given(DATA, st.sampled_from([{"indent": 1}, {"separators": (", ", ":")}]))
def test_no_other_form_is_read(data: object, form: dict[str, object]) -> None:
    other = json.dumps(data, ensure_ascii=False, sort_keys=True, **form).encode()  # type: ignore[arg-type]
    if other == canonical(data):  # type: ignore[arg-type]
        return
    with pytest.raises(NotCanonicalError):
        read_canonical(other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1.0",
        b"1e3",
        b"NaN",
        b"-0",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b"1\n",
        b'"\\u0041"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 100_000,
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        read_canonical(data)


def test_the_deepest() -> None:
    data = b"[" * DEEPEST + b"]" * DEEPEST
    assert canonical(read_canonical(data)) == data
    assert read_canonical(b'"' + b"[" * 100 + b'"') == "[" * 100


@given(DATA, st.sampled_from([None, 2]))
def test_documents_of_others_are_read_in_any_form(data: object, indent: int | None) -> None:
    assert read_json(json.dumps(data, indent=indent).encode()) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"NaN",
        b"{",
        b"\xff",
        b'{"a":1,"a":1}',
        b'[{"b":{"a":1,"a":2}}]',
        b"1" * 10_000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_of_others(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(data)


def test_fractions_of_others_are_read() -> None:
    assert read_json(b'{"weight": 1.5}') == {"weight": 1.5}
