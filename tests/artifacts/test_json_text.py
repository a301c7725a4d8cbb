"""JSON as it is written: one text for one value."""

import hashlib
import json

import pytest

from eryphc.artifacts.manifest import canonical_json, document_bytes


def test_json_text() -> None:
    value = {"b": ["ä", {"c": None, "a": [1]}], "a": 1, "none": [], 'quote"': {}}
    assert document_bytes(value).decode() == (
        '{\n  "b": [\n    "ä",\n    {"c": null, "a": [1]}\n  ],\n  "a": 1,\n'
        '  "none": [],\n  "quote\\"": {}\n}\n'
    )
    assert json.loads(document_bytes(value)) == value
    assert canonical_json({"b": ["ä", None], "a": 1}).decode() == '{"a":1,"b":["ä",null]}'
    assert hashlib.sha256(canonical_json({})).hexdigest().startswith("44136fa355b3678a")
    with pytest.raises(ValueError, match="JSON"):
        document_bytes({"a": float("nan")})
