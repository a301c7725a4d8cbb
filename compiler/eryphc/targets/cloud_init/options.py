"""The options of the target: it has none of its own."""

from __future__ import annotations

from typing import NamedTuple


class CloudInitOptions(NamedTuple):
    """Nothing: what a guest reads is decided by the options of the guest."""
