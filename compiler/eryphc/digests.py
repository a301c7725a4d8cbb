"""Digests of large content, made while it comes by."""

from __future__ import annotations

import hashlib
from typing import Protocol

from eryphc.frozen import NamedTuple


class Digest(NamedTuple):
    """A digest that somebody gives; `algorithm` as hashlib calls it, `hex` in lower case."""

    algorithm: str
    hex: str


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Hashes:
    """SHA-256 of what comes by, which names an image, and one more where a publisher uses it."""

    def __init__(self, algorithm: str = "sha256") -> None:
        self._hashes: dict[str, _Hash] = {
            name: hashlib.new(name) for name in dict.fromkeys(("sha256", algorithm))
        }

    def update(self, data: bytes | memoryview) -> None:
        for each in self._hashes.values():
            each.update(data)

    def __getitem__(self, algorithm: str) -> str:
        return self._hashes[algorithm].hexdigest()
