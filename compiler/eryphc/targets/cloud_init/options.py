"""The options of the target: it has none of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudInitOptions:
    """Nothing: what a guest reads is decided by the options of the guest."""
