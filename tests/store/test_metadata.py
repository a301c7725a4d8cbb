"""What registries said counts for as long as the table says, and no longer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eryphc.errors import Failure
from eryphc.store.content import Store
from eryphc.store.faults import StoreError
from eryphc.store.index import Index
from eryphc.store.metadata import (
    Key,
    Metadata,
    deprecation_key,
    fresh_seconds,
    index_key,
    tag_key,
    tags_key,
)

PLACE = ("ghcr.io", "acme/genes/motd")
MOVING = tag_key(*PLACE, "latest", moving=True)
FIXED = tag_key(*PLACE, "1.0", moving=False)
MINUTES, DAY = 300, 86400


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(store: Store) -> Iterator[Index]:
    with Index(store.folder) as index:
        yield index


@pytest.mark.parametrize(
    ("key", "text", "seconds"),
    [
        (MOVING, "tag/1/ghcr.io/acme/genes/motd/latest", MINUTES),
        (FIXED, "tag/1/ghcr.io/acme/genes/motd/1.0", DAY),
        (tags_key(*PLACE), "tags/1/ghcr.io/acme/genes/motd", MINUTES),
        (index_key(*PLACE, "latest"), "index/1/ghcr.io/acme/genes/motd/latest", MINUTES),
        (deprecation_key(*PLACE, "ab"), "deprecation/1/ghcr.io/acme/genes/motd/ab", DAY),
    ],
)
def test_how_long_it_counts(index: Index, clock: Clock, key: Key, text: str, seconds: int) -> None:
    assert key.text == text
    metadata = Metadata(index, clock=clock)
    metadata.put(key, b"value\nwith lines")
    assert metadata.get(key) == b"value\nwith lines"
    clock.now += seconds - 1
    assert metadata.get(key) == b"value\nwith lines"
    clock.now += 1
    assert metadata.get(key) is None


def test_the_variable_decides_when_it_is_read(index: Index, clock: Clock) -> None:
    """A run that wants fresh answers takes none that another run has stored for longer."""
    Metadata(index, clock=clock).put(FIXED, b"x")
    Metadata(index, clock=clock).put(deprecation_key(*PLACE, "ab"), b"none")
    clock.now += 10
    assert Metadata(index, 11, clock).get(FIXED) == b"x"
    assert Metadata(index, 5, clock).get(FIXED) is None
    assert Metadata(index, 0, clock).get(FIXED) is None
    assert Metadata(index, 0, clock).get(deprecation_key(*PLACE, "ab")) == b"none"


def test_what_the_future_stored_does_not_count(index: Index, clock: Clock) -> None:
    metadata = Metadata(index, clock=clock)
    metadata.put(MOVING, b"x")
    clock.now -= 1000
    assert metadata.get(MOVING) is None


def test_it_can_be_forgotten(index: Index, clock: Clock) -> None:
    metadata = Metadata(index, clock=clock)
    metadata.put(MOVING, b"x")
    metadata.forget(MOVING)
    assert metadata.get(MOVING) is None


@pytest.mark.parametrize("value", [b"", b"x", b"123", b"-5\nx", b"99999999999999\nx"])
def test_a_poisoned_value(index: Index, clock: Clock, value: bytes) -> None:
    index.set(MOVING.text, value)
    assert Metadata(index, clock=clock).get(MOVING) is None


class TestNotBefore:
    def test_until_then(self, index: Index, clock: Clock) -> None:
        metadata = Metadata(index, clock=clock)
        assert metadata.not_before("ghcr.io") is None
        metadata.put_not_before("ghcr.io", clock.now + 60)
        assert metadata.not_before("ghcr.io") == int(clock.now + 60)
        assert metadata.not_before("quay.io") is None
        clock.now += 60
        assert metadata.not_before("ghcr.io") is None

    def test_no_more_than_a_day(self, index: Index, clock: Clock) -> None:
        metadata = Metadata(index, clock=clock)
        metadata.put_not_before("ghcr.io", clock.now + 1e9)
        assert metadata.not_before("ghcr.io") == int(clock.now + DAY)
        index.set("host/1/ghcr.io", str(int(clock.now + 1e9)).encode())
        assert metadata.not_before("ghcr.io") is None

    @pytest.mark.parametrize("value", [b"", b"x", b"-1", b"1e9", b"\xd9\xa1"])
    def test_poisoned(self, index: Index, clock: Clock, value: bytes) -> None:
        index.set("host/1/ghcr.io", value)
        assert Metadata(index, clock=clock).not_before("ghcr.io") is None


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("60", 60), (" 5\n", 5), ("", None)])
def test_the_variable(text: str, seconds: int | None) -> None:
    assert fresh_seconds({"ERYPHC_FRESH": text}) == seconds
    assert fresh_seconds({}) is None


@pytest.mark.parametrize("text", ["-1", "1.5", "a", "1e3", "٣", "9" * 10])
def test_a_variable_that_is_no_number(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        fresh_seconds({"ERYPHC_FRESH": text})
    assert caught.value.failure is Failure.INPUT
    assert caught.value.diagnostic.code.number == "E0904"
