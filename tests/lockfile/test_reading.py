"""A lock as text: what is written is read, what differs in form is refused with its place."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from eryphc import schema_text
from eryphc.diagnostics.model import has_errors
from eryphc.frozen import FrozenMap
from eryphc.lockfile.model import Entry, Lock, LockedDisk, unused, used_by, walk
from eryphc.lockfile.reading import both_sides, read_lock
from eryphc.lockfile.writing import text_of
from eryphc.source import SourceText

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
DIGESTS = HEX.map("sha256:{}".format)
WORDS = st.text(string.ascii_lowercase + string.digits, min_size=3, max_size=8)
NAMES = st.builds("{}/{}/{}".format, WORDS, WORDS, WORDS)
PATHS = st.builds("fodder/{}.yaml".format, WORDS)
POOLS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)
REQUIRES = st.sets(NAMES, max_size=3).map(sorted).map(tuple)
REFERENCES = st.builds(lambda pool, ref: Entry(pool=pool, ref=ref), st.none() | POOLS, NAMES)
LOCAL = st.builds(lambda pool, names: Entry(pool=pool, requires=names), POOLS, REQUIRES)
PINNED = st.builds(
    Entry,
    pool=POOLS,
    ref=st.none(),
    requires=REQUIRES,
    files=st.dictionaries(PATHS, DIGESTS, max_size=3).map(FrozenMap),
    digest=st.none() | DIGESTS,
    manifest=st.none() | DIGESTS,
    signed=st.none() | POOLS,
    form=st.none() | st.just("eryph"),
    disks=st.dictionaries(
        PATHS, st.builds(LockedDisk, digest=DIGESTS, url=st.none() | POOLS), max_size=2
    ).map(FrozenMap),
)
LOCKS = st.builds(
    Lock,
    sets=st.dictionaries(NAMES, REFERENCES | LOCAL | PINNED, max_size=4).map(FrozenMap),
    specs=st.dictionaries(PATHS, REQUIRES, max_size=3).map(FrozenMap),
    source=st.none(),
)
SCHEMA = Draft202012Validator(json.loads(schema_text("lock")))


def source(text: str) -> SourceText:
    return SourceText("eryph.lock", text, regions=())


def read(text: str) -> Lock:
    outcome = read_lock(source(text))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


@given(LOCKS)
def test_what_is_written_is_read(lock: Lock) -> None:
    text = text_of(lock)
    assert read(text)._replace(source=None) == lock
    assert text_of(read(text)) == text
    assert list(SCHEMA.iter_errors(json.loads(text))) == []


@given(LOCKS, st.data())
def test_bytes_that_changed_are_read_or_refused(lock: Lock, data: st.DataObject) -> None:
    text = text_of(lock)
    at = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.sampled_from('{}[]",:\n\\ax0\x00\ud800\u2028'))
    outcome = read_lock(source(text[:at] + sign + text[at + 1 :]))
    assert (outcome.value is None) == has_errors(outcome.diagnostics)
    if outcome.value is not None:
        text_of(outcome.value).encode()


A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
TOP: dict[str, Any] = {"language": 1, "lock_version": 1}


def with_set(**entry: Any) -> dict[str, Any]:
    return {**TOP, "sets": {"acme/kit/1.0": entry}}


@pytest.mark.parametrize(
    ("data", "code", "says", "place"),
    [
        ([], "E1105", "no JSON object", "["),
        ({}, "E1105", "`language` is missing", "{"),
        ({"language": 1}, "E1105", "`lock_version` is missing", "{"),
        ({**TOP, "lock_version": 2}, "E1104", "this eryphc knows 1", '"lock_version": '),
        ({**TOP, "language": 2}, "E1104", "`language` 2", '"language": '),
        ({**TOP, "lock_version": True}, "E1105", "whole number", '"lock_version": '),
        ({**TOP, "lock_version": 0}, "E1105", "at least 1", '"lock_version": '),
        ({**TOP, "more": 1}, "E1105", "unknown key `more`", '"more": '),
        ({**TOP, "sets": []}, "E1105", "`sets` is no JSON object", '"sets": '),
        ({**TOP, "sets": {"acme/kit": {}}}, "E1105", "no gene set with its tag", '"acme/kit": '),
        ({**TOP, "sets": {"Acme/kit/1": {}}}, "E1105", "lower case", '"Acme/kit/1": '),
        (with_set(), "E1105", "neither `ref` nor `pool`", '"acme/kit/1.0": '),
        (with_set(ref="acme/kit"), "E1105", "no gene set with its tag", '"acme/kit/1.0": '),
        (with_set(ref="acme/kit/2.0", files={}), "E1105", "content of its own", None),
        (with_set(pool="a\x1b[31m"), "E1105", "not of its form", None),
        (with_set(pool="p", files={"../x": A}), "E1105", "not of its form", None),
        (with_set(pool="p", files={"/x": A}), "E1105", "not of its form", None),
        (with_set(pool="p", files={"x.yaml": "sha256:ab"}), "E1105", "not of its form", None),
        (with_set(pool="p", requires="x"), "E1105", "list of gene sets", None),
        (with_set(pool="p", form="other"), "E1105", "`form` is `eryph`", None),
        (with_set(pool="p", disks={"x.yaml": {"url": "u"}}), "E1105", "`digest` is missing", None),
        ({**TOP, "specs": {"a.yaml": ["x"]}}, "E1105", "no gene set", '"a.yaml": '),
    ],
)
def test_what_is_wrong(data: Any, code: str, says: str, place: str | None) -> None:
    outcome = read_lock(source(json.dumps(data)))
    assert outcome.value is None
    (found,) = outcome.diagnostics
    assert (found.code.number, says in found.message) == (code, True), found.message
    assert found.primary is not None
    if place is not None:
        assert found.primary.span.text == place


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON: expecting value"),
        ("{\n'a'", "no JSON: expecting property name"),
        ('{"language": 1, "language": 1}', "`language` stands twice"),
        ('{"language": 1.0}', "the number `1.0`"),
        ('{"language": NaN}', "the number `NaN`"),
        ("[" * 100_000, "no JSON"),
        ('{"language": ' + "9" * 5000 + "}", "no JSON"),
    ],
)
def test_text_that_is_no_lock(text: str, says: str) -> None:
    outcome = read_lock(source(text))
    assert outcome.value is None
    assert says in outcome.diagnostics[0].message


def test_json_that_is_cut_is_shown_where_it_ends() -> None:
    (found,) = read_lock(source('{\n  "language": 1,\n  "lock_ver')).diagnostics
    assert found.message == "the lock cannot be used: it is no JSON: unterminated string"
    assert found.primary is not None
    assert (found.primary.span.line, found.primary.span.text) == (3, '"')


# -- merges ---------------------------------------------------------------------------------


def lock_of(*sets: str, digest: str = A) -> Lock:
    files = FrozenMap({"geneset-tag.json": digest})
    return Lock(
        FrozenMap({name: Entry(pool="corp", files=files) for name in sets}),
        FrozenMap({"a.yaml": tuple(sorted(sets))}),
    )


def conflicted(ours: str, theirs: str) -> str:
    """What a merge leaves of two texts that differ in the lines between a common begin and end."""
    mine, other = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    first = next(
        (i for i, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b),
        min(len(mine), len(other)),
    )
    last = 0
    while last < min(len(mine), len(other)) - first and mine[-1 - last] == other[-1 - last]:
        last += 1
    return "".join(
        (
            *mine[:first],
            "<<<<<<< HEAD\n",
            *mine[first : len(mine) - last],
            "||||||| base\n",
            "=======\n",
            *other[first : len(other) - last],
            ">>>>>>> branch\n",
            *mine[len(mine) - last :],
        )
    )


def test_both_sides_of_a_conflict() -> None:
    ours, theirs = lock_of("acme/all/1.0", "acme/bee/1.0"), lock_of("acme/all/1.0", "acme/cee/1.0")
    text = conflicted(text_of(ours), text_of(theirs))
    assert has_errors(read_lock(source(text)).diagnostics)
    merged = both_sides(source(text)).value
    assert merged is not None
    assert sorted(merged.sets) == ["acme/all/1.0", "acme/bee/1.0", "acme/cee/1.0"]
    assert merged.specs["a.yaml"] == ("acme/all/1.0", "acme/bee/1.0", "acme/cee/1.0")


def test_two_contents_of_one_gene_set() -> None:
    text = conflicted(text_of(lock_of("acme/all/1.0")), text_of(lock_of("acme/all/1.0", digest=B)))
    outcome = both_sides(source(text))
    assert outcome.value is None
    (found,) = outcome.diagnostics
    assert "acme/all/1.0" in found.message
    assert "aaaa" in found.notes[0]
    assert "bbbb" in found.notes[1]


@given(LOCKS, LOCKS)
def test_any_two_sides(ours: Lock, theirs: Lock) -> None:
    one, other = text_of(ours), text_of(theirs)
    if one == other:
        return
    outcome = both_sides(source(conflicted(one, other)))
    differ = [n for n in ours.sets if n in theirs.sets and ours.sets[n] != theirs.sets[n]]
    if outcome.value is None:
        assert differ
    else:
        assert not differ
        assert dict(outcome.value.sets) == {**ours.sets, **theirs.sets}


# -- what follows from a lock ---------------------------------------------------------------

REF = Entry(ref="acme/all/1.0")
GRAPH = Lock(
    FrozenMap(
        {
            "acme/all/latest": REF,
            "acme/all/1.0": Entry(pool="corp", requires=("acme/bee/1.0",), files=FrozenMap()),
            "acme/bee/1.0": Entry(pool="corp", requires=("acme/all/latest",), files=FrozenMap()),
            "acme/cee/1.0": Entry(pool="corp", requires=("acme/dee/1.0",), files=FrozenMap()),
            "acme/old/1.0": Entry(pool="corp", files=FrozenMap()),
            "acme/round/latest": Entry(ref="acme/round/latest"),
        }
    ),
    FrozenMap({"dev.yaml": ("acme/all/latest",), "prod.yaml": ("acme/bee/1.0", "acme/cee/1.0")}),
)


def test_walk() -> None:
    found = walk(GRAPH.sets, GRAPH.specs)
    assert found.reached == {"acme/all/latest", "acme/all/1.0", "acme/bee/1.0", "acme/cee/1.0"}
    assert dict(found.missing) == {"acme/dee/1.0": "acme/cee/1.0"}
    assert list(unused(GRAPH)) == ["acme/old/1.0", "acme/round/latest"]
    assert used_by(GRAPH)["acme/bee/1.0"] == ("dev.yaml", "prod.yaml")
    assert used_by(GRAPH)["acme/cee/1.0"] == ("prod.yaml",)


def test_final() -> None:
    assert GRAPH.final("acme/all/latest") == "acme/all/1.0"
    assert GRAPH.final("acme/all/1.0") == "acme/all/1.0"
    assert GRAPH.final("acme/round/latest") is None
    assert GRAPH.final("acme/none/1.0") is None
