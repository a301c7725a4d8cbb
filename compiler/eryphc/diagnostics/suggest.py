"""What was probably meant: imported late, since only a fault asks for it."""

from __future__ import annotations

from collections.abc import Iterable


def close_matches(word: str, known: Iterable[str]) -> list[str]:
    """The one of `known` that is nearest to `word`, or nothing where none is near."""
    from difflib import get_close_matches

    return get_close_matches(word, list(known), n=1)
