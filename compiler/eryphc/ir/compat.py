"""Whose meaning of the language counts, where two are known."""

from __future__ import annotations

from enum import StrEnum


class Compat(StrEnum):
    """What a partial removal means: as eryphc defines it, or as eryph does it."""

    ERYPHC = "eryphc"
    ERYPH = "eryph"
