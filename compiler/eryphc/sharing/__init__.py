"""Sharing genes and pinning them: what a program does beside compiling. Functions take a session.

Functions raise `EryphcError` where nothing can be done at all; what else is wrong stands in the
answers. A module is imported when one of its names is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eryphc.sharing.locks import Locked, check_lock, lock, update

_HOMES = {
    "Locked": "locks",
    "check_lock": "locks",
    "lock": "locks",
    "update": "locks",
}

__all__ = ["Locked", "check_lock", "lock", "update"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
