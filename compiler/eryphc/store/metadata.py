"""What registries said, kept for minutes: tags, lists, deprecations, and when to ask again.

It lies in the index, which is a cache: what it says is a hint, and content is verified as ever.
Hosts, repositories and tags were checked by their grammars before they come here.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics.command import bad_option_value
from eryphc.errors import Failure
from eryphc.frozen import NamedTuple
from eryphc.store.faults import StoreError

if TYPE_CHECKING:
    from eryphc.store.index import Index

FRESH_VARIABLE: Final = "ERYPHC_FRESH"
_MINUTES: Final = 5 * 60
_DAY: Final = 24 * 60 * 60
# The first line of a value: when it was stored, in seconds since 1970.
_STORED: Final = re.compile(rb"(\d{1,12})\n")


class Key(NamedTuple):
    """What a value is stored under, and the seconds for which it counts.

    `renewed`: `ERYPHC_FRESH` decides the seconds instead.
    """

    text: str
    seconds: int
    renewed: bool = True


def tag_key(host: str, repository: str, tag: str, *, moving: bool) -> Key:
    """What a tag stands for: the digest of a manifest and an identity."""
    return Key(f"tag/1/{host}/{repository}/{tag}", _MINUTES if moving else _DAY)


def tags_key(host: str, repository: str) -> Key:
    """The list of the tags of a repository."""
    return Key(f"tags/1/{host}/{repository}", _MINUTES)


def index_key(host: str, repository: str, tag: str) -> Key:
    """The digest of a pool's index, whose bytes are a blob of the store."""
    return Key(f"index/1/{host}/{repository}/{tag}", _MINUTES)


def deprecation_key(host: str, repository: str, identity: str) -> Key:
    """The digest of the statement that deprecates a gene set, or that there is none."""
    return Key(f"deprecation/1/{host}/{repository}/{identity}", _DAY, renewed=False)


class Metadata:
    """What registries said. `fresh` are the seconds of `ERYPHC_FRESH`, None without it.

    Threads may share it.
    """

    def __init__(
        self, index: Index, fresh: int | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._index = index
        self._fresh = fresh
        self._clock = clock
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._index.close()

    def get(self, key: Key) -> bytes | None:
        """The value of a key, None where none is fresh enough."""
        data = self._get(key.text)
        stored = None if data is None else _STORED.match(data)
        if data is None or stored is None:
            return None
        age = self._clock() - int(stored[1])
        return data[stored.end() :] if 0 <= age < self._seconds(key) else None

    def put(self, key: Key, value: bytes) -> None:
        stored = f"{int(self._clock())}\n".encode()
        self._set(key.text, stored + value, self._seconds(key))

    def forget(self, key: Key) -> None:
        with self._lock:
            self._index.remove(key.text)

    def not_before(self, host: str) -> float | None:
        """When a registry that had enough of us may be asked again, in seconds since 1970.

        None where it may be asked now.
        """
        data = self._get(f"host/1/{host}")
        if data is None or re.fullmatch(rb"\d{1,12}", data) is None:
            return None
        when = int(data)
        # Nothing that a registry said holds us off for longer than a day.
        return when if 0 < when - self._clock() <= _DAY else None

    def put_not_before(self, host: str, when: float) -> None:
        seconds = min(when - self._clock(), _DAY)
        if seconds > 0:
            until = str(int(self._clock() + seconds)).encode()
            self._set(f"host/1/{host}", until, seconds)

    def left(self, host: str) -> float | None:
        """The seconds until a registry that had enough of us may be asked again."""
        when = self.not_before(host)
        return None if when is None else when - self._clock()

    def pause(self, host: str, seconds: float) -> None:
        """A registry had enough of us, and is not asked for some seconds."""
        self.put_not_before(host, self._clock() + seconds)

    def _get(self, key: str) -> bytes | None:
        with self._lock:
            return self._index.get(key)

    def _set(self, key: str, value: bytes, seconds: float) -> None:
        with self._lock:
            self._index.set(key, value, seconds)

    def _seconds(self, key: Key) -> int:
        return self._fresh if key.renewed and self._fresh is not None else key.seconds


def fresh_seconds(environment: Mapping[str, str]) -> int | None:
    """`ERYPHC_FRESH`, None where it is not set. Raises StoreError."""
    text = environment.get(FRESH_VARIABLE, "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}", text, re.ASCII) is None:
        reason = "it is no number of seconds"
        raise StoreError(bad_option_value(FRESH_VARIABLE, reason), Failure.INPUT)
    return int(text)
