"""What registries said in the last minutes, so that they are not asked the same again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.registry import NO_REMARK, Place
from eryphc.genepool.oci.faults import RegistryError

if TYPE_CHECKING:
    from eryphc.store.metadata import Key, Metadata

_PAIR: Final = re.compile(r"(sha256:[0-9a-f]{64}) (sha256:[0-9a-f]{64})")
_FOR_NOW: Final = 60.0
"""The seconds of a registry that does not say how long it wants to be left alone."""


class Lately:
    """`metadata` opens what is kept; it is called when the first registry is about to be asked.

    `anew`: every tag is asked for anew, but what the answer says is kept.
    """

    def __init__(self, metadata: Callable[[], Metadata], *, anew: bool = False) -> None:
        self._metadata = metadata
        self.anew = anew

    def recall(self, key: Key) -> tuple[str, str] | None:
        """The digest of the manifest and the identity that a tag stood for."""
        value = None if self.anew else self._metadata().get(key)
        found = None if value is None else _PAIR.fullmatch(value.decode("utf-8", "replace"))
        return None if found is None else (found[1], found[2])

    def remember(self, key: Key, manifest: str, identity: str) -> None:
        """Keep what a tag stands for now."""
        self._metadata().put(key, f"{manifest} {identity}".encode())

    def heed(self, pool: str, host: str, repository: str) -> None:
        """Raises RegistryError (E1011) for a registry that wants to be left alone."""
        seconds = self._metadata().left(host)
        if seconds is not None:
            place = Place(pool, host, repository)
            said = wording.rate_limited(place, seconds, NO_REMARK, anonymous=False)
            raise RegistryError(said)

    def hear(self, host: str, fault: RegistryError) -> None:
        """Keep that a registry wants to be left alone, if that is its fault."""
        if fault.diagnostic.code == wording.RATE_LIMITED:
            self._metadata().pause(host, _FOR_NOW if fault.pause is None else fault.pause)
