"""JSON text of values, the same on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping

_ONE_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def document_bytes(value: Mapping[str, object]) -> bytes:
    """A mapping as UTF-8: a line a member and an entry of its lists, keys in the order given.

    People compare such files line by line. Not-a-number and infinities raise `ValueError`; so
    does text with lone surrogates. (The library's own indentation is ten times slower.)
    """
    members = ",\n".join(
        f"  {_ONE_LINE.encode(key)}: {_member(item)}" for key, item in value.items()
    )
    return f"{{\n{members}\n}}\n".encode()


def canonical_json(value: object) -> bytes:
    """The form that is hashed: sorted keys, no white space, UTF-8."""
    return _CANONICAL.encode(value).encode()


class Rendered(str):
    """JSON text of a value, in one line: an entry that many documents have is made once."""

    __slots__ = ()


def one_line(value: object) -> Rendered:
    return Rendered(_ONE_LINE.encode(value))


def _member(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _ONE_LINE.encode(value)
    entries = ",\n".join(
        f"    {entry if isinstance(entry, Rendered) else _ONE_LINE.encode(entry)}"
        for entry in value
    )
    return f"[\n{entries}\n  ]"
