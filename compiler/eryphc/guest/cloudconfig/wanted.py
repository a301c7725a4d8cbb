"""Which kinds of values cloud-init's schema takes at a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from eryphc.guest.cloudconfig.verdict import Schema, schema

_KIND_OF: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


def kinds_at(path: Sequence[str | int]) -> frozenset[str] | None:
    """The words of `type` for what may stand at a path; None where the schema does not say."""
    modules = [_target(each["$ref"]) for each in schema()["allOf"]]
    at: list[Schema] = [schema(), *modules]
    for number, step in enumerate(path):
        at = [found for each in at for found in _below(each, step)]
        if number == 0 and not at:
            return None
    found: set[str] = set()
    for each in at:
        for leaf in _expanded(each):
            kinds = leaf.get("type")
            if kinds is not None:
                found.update([kinds] if isinstance(kinds, str) else kinds)
            elif "enum" in leaf:
                found.update(_KIND_OF.get(type(value), "null") for value in leaf["enum"])
    return frozenset(found) or None


def _below(at: Schema, step: str | int) -> Iterator[Schema]:
    for each in _expanded(at):
        if isinstance(step, int):
            items = each.get("items")
            if isinstance(items, dict):
                yield items
            continue
        own = each.get("properties", {}).get(step)
        if own is not None:
            yield own
            continue
        fitting = [
            below
            for pattern, below in each.get("patternProperties", {}).items()
            if re.search(pattern, step)
        ]
        others = each.get("additionalProperties")
        if not fitting and isinstance(others, dict):
            fitting = [others]
        yield from fitting


def _expanded(at: Schema) -> Iterator[Schema]:
    """A schema with all of its alternatives; the published ones have no circles."""
    while "$ref" in at:
        at = _target(at["$ref"])
    yield at
    for key in ("allOf", "oneOf", "anyOf"):
        for each in at.get(key, ()):
            yield from _expanded(each)


def _target(reference: str) -> Schema:
    found: Any = schema()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    target: Schema = found
    return target
