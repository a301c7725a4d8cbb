"""Whether a cloud-config meets cloud-init's JSON Schema, and nothing more: no words, no places.

A small interpreter of draft 4 for the keywords this schema uses, because most configurations are
valid and a validation library takes longer to import than the rest of a build. A test holds it to
jsonschema. If the answer here is not a plain yes, `schema` gets the words from that library.
Source: docs/reference/cloud-init.md, "The schema".
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from pathlib import PurePath
from typing import Any, TypeAlias

from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence

MARKS = ("deprecated", "changed")
"""What cloud-init marks as deprecated: keys and definitions, and single values of them."""

VALID = 0
DEPRECATED = 1
INVALID = 2

Check: TypeAlias = Callable[[Node], int]
"""Gives the bits above for a value."""

Schema: TypeAlias = Mapping[str, Any]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@cache
def schema() -> Schema:
    """cloud-init's schema of 26.2, as published."""
    # By the module's own loader, which reads from a zip too; importlib.resources costs more to
    # import than the schema to load.
    path = str(PurePath(__file__).parents[1] / "schemas" / "schema-cloud-config-v1.json")
    loader: Any = __spec__.loader
    loaded: Schema = json.loads(loader.get_data(path))
    return loaded


def is_date(text: object) -> bool:
    """Whether text is a date as the `format` of the schema means it; other values are not asked."""
    if not isinstance(text, str):
        return True
    if _DATE.fullmatch(text) is None or not text.isascii():
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def verdict(root: MappingNode) -> int:
    """VALID, or DEPRECATED and INVALID as bits."""
    found = VALID
    by_key = _checks()
    for key, value in root.entries.items():
        checks = by_key.get(key) if isinstance(key, str) else None
        if checks is None:
            return INVALID
        for check in checks:
            found |= check(value)
    return found


@cache
def _checks() -> Mapping[str, tuple[Check, ...]]:
    """Of each top-level key the checks of all modules that read it.

    The modules only demand that the root is a map, so keys are independent.
    """
    root = schema()
    found: dict[str, list[Schema]] = {key: [] for key in root["properties"]}
    for module in root["allOf"]:
        for key, below in _target(module["$ref"]).get("properties", {}).items():
            found[key].append(below)
    return {key: tuple(map(_Lazy, schemas)) for key, schemas in found.items()}


class _Lazy:
    """A check that is prepared when it is first needed: a configuration uses few of the keys."""

    __slots__ = ("_check", "_schema")

    def __init__(self, below: Schema) -> None:
        self._schema = below
        self._check: Check | None = None

    def __call__(self, node: Node) -> int:
        if self._check is None:
            self._check = _compile(self._schema)
        return self._check(node)


def _target(reference: str) -> Schema:
    found: Any = schema()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    target: Schema = found
    return target


def _compile(below: Schema) -> Check:
    """The check of one schema. Beside a reference only the marks count (draft 4)."""
    mark = DEPRECATED if any(below.get(mark) is True for mark in MARKS) else VALID
    if "$ref" in below:
        checks: list[Check] = [_Lazy(_target(below["$ref"]))]
    else:
        checks = [
            make(below[keyword], below) for keyword, make in _KEYWORDS.items() if keyword in below
        ]
    if len(checks) == 1 and not mark:
        return checks[0]

    def check(node: Node) -> int:
        found = mark
        for each in checks:
            found |= each(node)
            if found & INVALID:
                return found
        return found

    return check


def _type(value: Any, _below: Schema) -> Check:
    allowed = _allowed(value)

    def check(node: Node) -> int:
        return VALID if _kinds(node) in allowed else INVALID

    return check


_Kinds: TypeAlias = tuple[str, ...]
"""All that a value is in the words of `type`."""

# By the class of a collection's node, or of a scalar's value. cloud-init counts `!!binary` as
# text too.
_KINDS_OF: Mapping[type, _Kinds] = {
    MappingNode: ("object",),
    Sequence: ("array",),
    str: ("string",),
    bytes: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    type(None): ("null",),
}


def _kinds(node: Node) -> _Kinds:
    return _KINDS_OF.get(type(node.value if isinstance(node, Scalar) else node), ())


def _allowed(value: str | list[str]) -> frozenset[_Kinds]:
    """What a `type` of the schema takes."""
    names = {value} if isinstance(value, str) else set(value)
    return frozenset(kinds for kinds in _KINDS_OF.values() if not names.isdisjoint(kinds))


def _takes(below: Schema) -> frozenset[_Kinds] | None:
    """What a schema takes by its `type`; None where it has none."""
    while "$ref" in below:
        below = _target(below["$ref"])
    return _allowed(below["type"]) if "type" in below else None


class _Choices:
    """The alternatives of a schema by what kind of value each may take: mostly it is one."""

    __slots__ = ("_all", "_by_kinds")

    def __init__(self, schemas: Any) -> None:
        self._all = [(_takes(each), _Lazy(each)) for each in schemas]
        self._by_kinds: dict[_Kinds, tuple[Check, ...]] = {}

    def of(self, node: Node) -> tuple[Check, ...]:
        kinds = _kinds(node)
        known = self._by_kinds.get(kinds)
        if known is None:
            known = self._by_kinds[kinds] = tuple(
                check for takes, check in self._all if takes is None or kinds in takes
            )
        return known


def _enum(value: Any, _below: Schema) -> Check:
    allowed = frozenset((isinstance(each, bool), each) for each in value)

    def check(node: Node) -> int:
        if not isinstance(node, Scalar):
            return INVALID
        return VALID if (isinstance(node.value, bool), node.value) in allowed else INVALID

    return check


def _properties(value: Any, below: Schema) -> Check:
    """`properties`, `patternProperties` and `additionalProperties` in one."""
    named = {key: _Lazy(each) for key, each in value.items()}
    patterns = [
        (re.compile(pattern), _Lazy(each))
        for pattern, each in below.get("patternProperties", {}).items()
    ]
    others = below.get("additionalProperties", True)
    rest = _Lazy(others) if isinstance(others, dict) else None

    def check(node: Node) -> int:
        if not isinstance(node, MappingNode):
            return VALID
        found = VALID
        for key, each in node.entries.items():
            name = key if isinstance(key, str) else str(key)
            known = False
            property_check = named.get(name)
            if property_check is not None:
                known = True
                found |= property_check(each)
            for pattern, pattern_check in patterns:
                if pattern.search(name):
                    known = True
                    found |= pattern_check(each)
            if not known:
                if rest is not None:
                    found |= rest(each)
                elif others is False:
                    return found | INVALID
        return found

    return check


def _property_patterns(_value: Any, below: Schema) -> Check:
    return _anything if "properties" in below else _properties({}, below)


def _additional(_value: Any, below: Schema) -> Check:
    handled = "properties" in below or "patternProperties" in below
    return _anything if handled else _properties({}, below)


def _anything(_node: Node) -> int:
    return VALID


def _items(value: Any, _below: Schema) -> Check:
    item = _Lazy(value)

    def check(node: Node) -> int:
        found = VALID
        if isinstance(node, Sequence):
            for each in node.items:
                found |= item(each)
        return found

    return check


def _required(value: Any, _below: Schema) -> Check:
    def check(node: Node) -> int:
        if not isinstance(node, MappingNode):
            return VALID
        return VALID if all(key in node.entries for key in value) else INVALID

    return check


def _sized(size: Callable[[Node], int | None], fits: Callable[[int, int], bool]) -> Any:
    def make(value: Any, _below: Schema) -> Check:
        def check(node: Node) -> int:
            found = size(node)
            return VALID if found is None or fits(found, value) else INVALID

        return check

    return make


def _length(node: Node) -> int | None:
    return len(node.items) if isinstance(node, Sequence) else None


def _width(node: Node) -> int | None:
    return len(node.entries) if isinstance(node, MappingNode) else None


def _minimum(value: Any, _below: Schema) -> Check:
    def check(node: Node) -> int:
        number = node.value if isinstance(node, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return VALID
        return INVALID if number < value else VALID

    return check


def _pattern(value: Any, _below: Schema) -> Check:
    pattern = re.compile(value)

    def check(node: Node) -> int:
        text = node.value if isinstance(node, Scalar) else None
        return VALID if not isinstance(text, str) or pattern.search(text) else INVALID

    return check


def _format(value: Any, _below: Schema) -> Check:
    if value != "date":
        return _anything

    def check(node: Node) -> int:
        return VALID if not isinstance(node, Scalar) or is_date(node.value) else INVALID

    return check


def _unique(value: Any, _below: Schema) -> Check:
    def check(node: Node) -> int:
        if not isinstance(node, Sequence) or not value:
            return VALID
        return VALID if len(set(map(_equal_form, node.items))) == len(node.items) else INVALID

    return check


def _equal_form(node: Node) -> Hashable:
    """Equal for what JSON Schema calls equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(node, MappingNode):
        return frozenset((key, _equal_form(value)) for key, value in node.entries.items())
    if isinstance(node, Sequence):
        return (Sequence, *map(_equal_form, node.items))
    return (bool, node.value) if isinstance(node.value, bool) else node.value


def _all_of(value: Any, _below: Schema) -> Check:
    checks = [_Lazy(each) for each in value]

    def check(node: Node) -> int:
        found = VALID
        for each in checks:
            found |= each(node)
        return found

    return check


def _any_of(value: Any, _below: Schema) -> Check:
    choices = _Choices(value)

    def check(node: Node) -> int:
        for each in choices.of(node):
            found = each(node)
            if not found & INVALID:
                return found
        return INVALID

    return check


def _one_of(value: Any, _below: Schema) -> Check:
    choices = _Choices(value)

    def check(node: Node) -> int:
        fitting = [found for each in choices.of(node) if not (found := each(node)) & INVALID]
        return fitting[0] if len(fitting) == 1 else INVALID

    return check


def _not(value: Any, _below: Schema) -> Check:
    inner = _Lazy(value)

    def check(node: Node) -> int:
        return VALID if inner(node) & INVALID else INVALID

    return check


_KEYWORDS: Mapping[str, Callable[[Any, Schema], Check]] = {
    "type": _type,
    "enum": _enum,
    "properties": _properties,
    "patternProperties": _property_patterns,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "minItems": _sized(_length, lambda found, limit: found >= limit),
    "maxItems": _sized(_length, lambda found, limit: found <= limit),
    "minProperties": _sized(_width, lambda found, limit: found >= limit),
    "minimum": _minimum,
    "pattern": _pattern,
    "format": _format,
    "uniqueItems": _unique,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}
