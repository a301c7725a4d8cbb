"""JSON to nodes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from eryphc.source import SourceText
from eryphc.syntax.json_nodes import compose_json
from syntax.trees import places, plain, some, values


def written(value: Any) -> Any:
    """A value as the texts that JSON writes for it."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    return value if isinstance(value, str) else json.dumps(value)


@some
@given(values)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        outcome = compose_json(SourceText("a.json", text))
        assert outcome.value is not None, outcome.diagnostics
        assert plain(outcome.value) == written(value)
        assert all(0 <= start <= end <= len(text) for start, end in places(outcome.value))
