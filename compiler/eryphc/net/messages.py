"""What is asked and what comes back, as records that show neither secrets nor bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.net.addresses import Address

Headers = Mapping[str, str]

PIECE = 64 * 1024
"""The most bytes of one read or write, between which deadlines are looked at."""


class Body(Protocol):
    """What is sent: `size` bytes, given in order and anew for each attempt."""

    @property
    def size(self) -> int: ...
    def blocks(self) -> Iterator[bytes]: ...


class Request(NamedTuple):
    """What is asked. `authorization` and `key`, which is sent as `X-Api-Key`, go to the origin of
    `address` alone.

    Its `repr` shows neither headers nor queries.
    """

    method: str
    address: Address
    headers: FrozenMap[str] = FrozenMap()
    authorization: str | None = None
    body: Body | None = None
    key: str | None = None

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address.shown})"


class Answer(NamedTuple):
    """What came back. `address` is where the redirects ended; names of `headers` have any case."""

    status: int
    headers: Headers
    body: bytes
    address: Address
    challenges: tuple[str, ...] = ()
    retry_after: float | None = None

    def __repr__(self) -> str:
        return f"Answer({self.status} {self.address.shown})"


class Bytes(NamedTuple):
    """A body that lies in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), PIECE):
            yield self.data[start : start + PIECE]

    def __repr__(self) -> str:
        return f"Bytes({len(self.data)})"


class Sink(Protocol):
    """Takes a body in order; `restart` forgets what came so far."""

    def write(self, block: bytes, /) -> object: ...
    def restart(self) -> object: ...
