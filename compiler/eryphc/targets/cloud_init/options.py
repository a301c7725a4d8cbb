"""The options of the target: it has none of its own."""

from __future__ import annotations

from typing import NamedTuple


class CloudInitOptions(NamedTuple):
    """No options: the options of the guest decide what a guest reads."""
