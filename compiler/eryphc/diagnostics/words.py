"""Words of a user inside a message: short enough to be read, and the word that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from eryphc.diagnostics.said import HIDDEN

_LONGEST = 120
# What a terminal acts on, and marks that reorder or hide what is shown.
_UNSAFE = "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut with `...` where it has more than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def cleaned(text: str, longest: int = 200) -> str:
    """Words of a server on one line, cut, without what a terminal acts on."""
    return clipped(
        " ".join(re.sub(f"[\0-\x1f]|{_UNSAFE}", " ", text[: 8 * longest]).split()), longest
    )


def os_reason(error: OSError, otherwise: str = "") -> str:
    """What the system says of a failure; `otherwise` where it says nothing, else its kind."""
    return (error.strerror or otherwise or type(error).__name__).lower()


def without_login(address: str) -> str:
    """An address without the login that somebody wrote into it."""
    return re.sub(r"://.*@", "://…@", address, flags=re.DOTALL)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names one after the other, the first `most` of them."""
    shown = [f"`{name}`" for name in names]
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return ", ".join(shown)


def json_text(data: Any) -> str:
    """Data as indented JSON, with escapes for what should not reach a terminal as it is."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False)
    return re.sub(_UNSAFE, lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


# A shorter word is a part of too many others.
_SHORTEST_PART = 4


def close_matches(word: str, known: Iterable[str]) -> list[str]:
    """The one of `known` that is nearest to `word`, or nothing where none is near.

    Near means a typing mistake: at most a third of the letters differ, or the word is a part of
    the known one. Of paths only the last parts are compared, without the suffix of YAML, because
    paths share the rest.
    """
    from difflib import get_close_matches

    if word == HIDDEN:
        return []
    names = {_own_part(name): name for name in known if name != HIDDEN}
    name = _own_part(word)
    return [
        names[close] for close in get_close_matches(name, list(names), n=1) if _near(name, close)
    ]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is nearest to `word`, None where none is near."""
    return next(iter(close_matches(word, known)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help for a word that is none of `known`, letter case aside."""
    spellings = {name.lower(): name for name in sorted(known)}
    close = close_matches(word.lower(), spellings)
    return f"did you mean `{spellings[close[0]]}`?" if close else None


def _own_part(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")


def _near(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    if len(short) >= _SHORTEST_PART and short in long:
        return True
    return _distance(word, other) <= max(1, len(word) // 3)


def _distance(word: str, other: str) -> int:
    """How many letters are wrong, missing, too many, or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and word[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
