"""What a command says while it works; the command line prints it, tests collect it."""

from __future__ import annotations

from typing import Any, Protocol


class Talk(Protocol):
    """Progress of slow steps. Nothing of it is data."""

    def step(self, text: str) -> None: ...

    def event(self, event: dict[str, Any]) -> None: ...
