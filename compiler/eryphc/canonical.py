"""JSON whose bytes follow from its data: what is hashed, sealed or signed.

Keys are sorted by code point, there is no white space, characters beyond ASCII stand as they are,
no number has a fraction, no key stands twice, and no line feed ends the text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

DEEPEST = 64
"""The most levels of objects and arrays in a document that is read."""

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')


class NotCanonicalError(ValueError):
    """The bytes are not the canonical form of any data; the text says why."""


def canonical(data: Json) -> bytes:
    """The one form of `data`. Raises ValueError for a text with lone surrogates."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def read_json(data: bytes) -> Any:
    """The data of a document of others, in any form of strict JSON.

    Raises ValueError: for what is no JSON in UTF-8, for NaN and the like, for a key that stands
    twice, and for more than `DEEPEST` levels. The text repeats nothing of the document.
    """
    if _depth(data) > DEEPEST:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    try:
        return json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def read_canonical(data: bytes) -> Any:
    """The data of a document that stands in its canonical form.

    Raises NotCanonicalError: for what is no JSON, for any other form of it, and for more than
    `DEEPEST` levels.
    """
    if _depth(data) > DEEPEST:
        raise NotCanonicalError(f"it nests deeper than {DEEPEST} levels")
    try:
        found = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError("it is no JSON without fractions") from error
    try:
        same = canonical(found) == data
    except ValueError as error:
        raise NotCanonicalError("it holds characters that no text has") from error
    if not same:
        raise NotCanonicalError("it does not stand in its canonical form")
    return found


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a key stands twice")
    return found


def _refuse(value: object) -> NoReturn:
    raise ValueError(f"{value!r} has no canonical form")


def _depth(data: bytes) -> int:
    """The most brackets that are open at once."""
    depth = most = 0
    for sign in re.findall(rb"[\[\]{}]", _STRINGS.sub(b"", data)):
        depth += 1 if sign in b"[{" else -1
        most = max(most, depth)
    return most
