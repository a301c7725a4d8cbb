"""The capabilities of a catlet, as targets with machines ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eryphc.ir.catlet import Capability, Catlet
from eryphc.source import Span

KNOWN: Final = ("dynamic_memory", "nested_virtualization", "secure_boot", "tpm")


class Capabilities:
    """Which capabilities a catlet has on. Names and details compare without letter case."""

    def __init__(self, catlet: Catlet) -> None:
        self._by_name = {(item.name or "").lower(): item for item in catlet.capabilities or ()}

    def get(self, name: str) -> Capability | None:
        return self._by_name.get(name)

    def disabled(self, name: str) -> bool:
        found = self._by_name.get(name)
        return found is not None and found.disabled

    def on(self, name: str) -> bool:
        return name in self._by_name and not self.disabled(name)

    def at(self, name: str) -> Span | None:
        found = self._by_name.get(name)
        return found.at("name") if found is not None else None

    def unknown(self) -> Iterator[Capability]:
        return (item for name, item in self._by_name.items() if name not in KNOWN)
