"""The outcome of comparing: what would change, by which steps, and what prevents it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from eryph_runtime.host import Step

Value: TypeAlias = str | int | bool | None


class Kind(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `steps` run in order; empty where another change's steps do it too.

    `needs_off`: a machine that is not `Off` does not accept it.
    """

    object: str
    what: str
    read: Value = None
    wanted: Value = None
    kind: Kind = Kind.CHANGE
    needs_off: bool = False
    steps: tuple[Step, ...] = field(default=(), repr=False)

    def data(self) -> dict[str, Any]:
        return {
            "object": self.object,
            "what": self.what,
            "read": self.read,
            "wanted": self.wanted,
            "kind": self.kind.value,
            "needs_off": self.needs_off,
        }


@dataclass(slots=True)
class Findings:
    """What a comparison collects: `needs` is what `apply` must be given before it can begin,
    `notes` what is left alone, and why; `refusals` forbid any change.
    """

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
