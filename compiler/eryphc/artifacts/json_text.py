"""Values go in, JSON text that is the same everywhere comes out."""

from __future__ import annotations

import json


def json_bytes(value: object) -> bytes:
    """`value` as UTF-8: two spaces a level, keys in the order given, one final line feed.

    Not-a-number and infinities raise `ValueError`; so does text with lone surrogates.
    """
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n").encode("utf-8")


def canonical_json(value: object) -> bytes:
    """The form that is hashed: sorted keys, no white space, UTF-8."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode("utf-8")
