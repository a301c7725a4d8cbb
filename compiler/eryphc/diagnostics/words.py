"""Words of a user inside a message: short enough to be read, whatever a document holds."""

from __future__ import annotations

_LONGEST = 120


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut with `...` where it has more than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
