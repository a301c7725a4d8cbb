"""The index of a pool as a text: the published example, what is left out, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.canonical import Json, digest_of
from eryphc.frozen import FrozenMap
from eryphc.genepool.image import ImageType, document_image, manifest_of
from eryphc.genepool.pool_index import (
    MOST_SETS,
    Deprecation,
    IndexedSet,
    IndexedTag,
    PoolIndexError,
    read_index,
    write_index,
)

IDENTITY = "sha256:4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34"
MOTD = IndexedSet(
    FrozenMap({"1.0": IndexedTag(digest=IDENTITY), "latest": IndexedTag(alias="1.0")}),
    "A message of the day",
)
WEB = IndexedSet(FrozenMap({"latest": IndexedTag(ref="acme/motd/1.0")}))


def test_the_published_example() -> None:
    text = write_index({"acme/motd": MOTD, "acme/web": WEB})
    assert len(text) == 248
    image = document_image(ImageType.INDEX, text)
    assert image.identity == (
        "sha256:ccffc6ca1f8245b6ca11e74b0a9d900bf05311120eefdd52bf6e4717f360a3c5"
    )
    assert digest_of(manifest_of(image, embed=False)) == (
        "sha256:e44f666503a4b5e409b9e328d462d2d0f2b52831f54ae474ed701d050ee172ee"
    )
    assert read_index(text) == {"acme/motd": MOTD, "acme/web": WEB}


def test_genes_and_deprecations_come_back() -> None:
    entry = MOTD._replace(
        genes=FrozenMap({"motd": {"type": "fodder"}}),
        deprecated=FrozenMap({"1.0": Deprecation("acme/motd/1.1", "old")}),
    )
    assert read_index(write_index({"acme/motd": entry})) == {"acme/motd": entry}


def one(**members: Any) -> bytes:
    entry = {"tags": {"1.0": {"digest": IDENTITY}}, **members}
    return json.dumps({"version": 1, "sets": {"acme/motd": entry}}).encode()


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ({"1.0": {"digest": IDENTITY}}, ["1.0"]),
        ({"1.0": {"digest": "sha256:00"}}, []),
        ({"1.0": {"digest": 1}, "1.1": 7, "1.2": {}}, []),
        ({"../x": {"digest": IDENTITY}, "UPPER": {"digest": IDENTITY}}, []),
        ({"x" * 5000: {"digest": IDENTITY}}, []),
        ({"latest": {"alias": "../../etc"}}, []),
        ({"latest": {"ref": "acme/motd"}}, []),
        ({"latest": {"ref": "acme/motd/1.0"}}, ["latest"]),
        ([], []),
    ],
)
def test_what_is_no_tag_is_left_out(tags: Any, left: list[str]) -> None:
    assert list(read_index(one(tags=tags))["acme/motd"].tags) == left


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"1.0": {"use": "acme/motd/1.1"}}, Deprecation("acme/motd/1.1")),
        ({"1.0": {"use": "acme/motd", "reason": "a\x1b[31mb"}}, Deprecation(None, "a [31mb")),
        ({"1.0": {"use": 7, "reason": []}}, None),
        ({"1.0": "old"}, None),
        ({"..": {"reason": "x"}}, None),
        ("old", None),
    ],
)
def test_what_is_no_deprecation_is_left_out(said: Any, left: Deprecation | None) -> None:
    found = read_index(one(deprecated=said))["acme/motd"].deprecated
    assert dict(found) == ({} if left is None else {"1.0": left})


@pytest.mark.parametrize(
    "name", ["acme", "a/b/c", "ACME/motd", "acme/../x", "x" * 9000, "acme/m\n"]
)
def test_what_is_no_set_is_left_out(name: str) -> None:
    text = json.dumps({"version": 1, "sets": {name: {"tags": {}}}}).encode()
    assert read_index(text) == {}


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b'{"sets":[],"version":1}', b'{"sets":{},"version":2}', b"[" * 5000,
     json.dumps({"version": 1, "sets": {str(at): {} for at in range(MOST_SETS + 1)}}).encode()],
)  # fmt: skip
def test_what_is_no_index_is_refused(text: bytes) -> None:
    with pytest.raises(PoolIndexError):
        read_index(text)


def test_an_index_has_limits() -> None:
    with pytest.raises(PoolIndexError, match="5000 gene sets"):
        write_index({f"acme/s{at}": WEB for at in range(MOST_SETS + 1)})
    genes: FrozenMap[Json] = FrozenMap({"x": "y" * 5_000_000})
    with pytest.raises(PoolIndexError, match="bytes"):
        write_index({"acme/motd": MOTD._replace(genes=genes)})


KEYS = st.sampled_from(["tags", "genes", "deprecated", "1.0", "use", "digest", "about"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    )
)
def test_whatever_an_entry_is_it_can_be_written_again(entry: Any) -> None:
    text = json.dumps({"version": 1, "sets": {"acme/motd": entry}}).encode()
    found = read_index(text)
    assert read_index(write_index(found)) == found
