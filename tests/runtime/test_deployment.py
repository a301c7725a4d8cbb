"""The records of the deployment document, and all that is held to them: JSON, schema and docs."""

from __future__ import annotations

import copy
import json
import re
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eryph_runtime.deployment import (
    Deployment,
    Setting,
    from_data,
    from_text,
    to_data,
    to_text,
)
from runtime.deployments import EXAMPLE, HERE

ROOT = HERE.parents[1]
SCHEMA = json.loads((ROOT / "compiler/eryphc/schemas/deployment.schema.json").read_text("ascii"))
PAGE = (ROOT / "docs/reference/deployment.md").read_text("utf-8")
DOCS = PAGE.partition("\n## The document\n")[2].partition("\n## ")[0]


# -- JSON -----------------------------------------------------------------------------------------


def test_the_example_is_written_as_it_was_read() -> None:
    text = (HERE / "example-deployment.json").read_bytes()
    deployment = from_text(text)
    assert to_text(deployment).encode("ascii") == text
    assert to_data(deployment) == EXAMPLE


@given(deployment=st.from_type(Deployment))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_every_deployment_comes_back(deployment: Deployment) -> None:
    """Of any values: what a value may be is for the rules to say."""
    text = to_text(deployment)
    assert text == json.dumps(to_data(deployment), indent=2, sort_keys=True) + "\n"
    assert text.isascii()
    assert from_text(text.encode("ascii")) == deployment
    assert from_data(to_data(deployment)) == deployment


def test_a_number_that_is_none_is_not_written() -> None:
    deployment = from_data(EXAMPLE)
    machine = replace(deployment.machine, start_delay=float("nan"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_text(replace(deployment, machine=machine))


# -- the schema -----------------------------------------------------------------------------------


def alternatives(schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plain schemas that `schema` is a choice of: each an object, a list, a text, null, ..."""
    if "$ref" in schema:
        yield from alternatives(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    elif choice := schema.get("anyOf") or schema.get("oneOf"):
        for each in choice:
            yield from alternatives(each, whole)
    elif "enum" in schema:
        for value in schema["enum"]:
            yield {"type": "null"} if value is None else {"const": value}
    elif isinstance(schema.get("type"), list):
        for each in schema["type"]:
            yield {"type": "null"} if each == "null" else {**schema, "type": each}
    else:
        yield schema


def differences(kind: Any, schema: dict[str, Any], whole: dict[str, Any], at: str) -> list[str]:
    """Where a type of the records and a schema of the document `whole` say different things."""
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    plain = list(alternatives(schema, whole))
    found = []
    if (type(None) in kinds) != ({"type": "null"} in plain):
        found.append(f"{at}: null")
    plain = [each for each in plain if each != {"type": "null"}]
    kinds = tuple(each for each in kinds if each is not type(None))
    if all(map(is_dataclass, kinds)):
        return [*found, *chain(*records(kinds, plain, whole, at))]
    (kind,) = kinds
    if get_origin(kind) is tuple:
        if [each.get("type") for each in plain] != ["array"]:
            return [*found, f"{at}: no list"]
        return [*found, *differences(get_args(kind)[0], plain[0]["items"], whole, f"{at}[]")]
    if get_origin(kind) is Literal or issubclass(kind, StrEnum):
        values = list(get_args(kind)) if get_origin(kind) is Literal else [x.value for x in kind]
        if sorted(str(each.get("const")) for each in plain) != sorted(map(str, values)):
            found.append(f"{at}: other values")
    elif {each.get("type") for each in plain} != {NAMES[kind]}:
        found.append(f"{at}: another type")
    return found


NAMES = {str: "string", int: "integer", bool: "boolean"}


def records(
    kinds: tuple[Any, ...], plain: list[dict[str, Any]], whole: dict[str, Any], at: str
) -> Iterator[list[str]]:
    """The same for records, one of which is chosen by its `kind` where there are several."""
    left = list(plain)
    for kind in kinds:
        hints = get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        mine = left
        if len(kinds) > 1:
            tags = [{"const": tag} for tag in get_args(hints["kind"])]
            mine = [each for each in left if each.get("properties", {}).get("kind") in tags]
        left = [each for each in left if each not in mine]
        if not mine or any(each.get("type") != "object" for each in mine):
            yield [f"{at}: no {kind.__name__}"]
            continue
        for each in mine:
            if sorted(each["properties"]) != sorted(names):
                yield [f"{at}: other keys than {kind.__name__}"]
            if sorted(each["required"]) != sorted(names):
                yield [f"{at}: other keys are required"]
            if each.get("additionalProperties") is not False:
                yield [f"{at}: more keys are allowed"]
            if not set(conditional(each.get("allOf", []))) <= set(names):
                yield [f"{at}: a condition of an unknown key"]
        for name in names:
            choice = [each["properties"][name] for each in mine if name in each["properties"]]
            yield differences(hints[name], {"anyOf": choice}, whole, f"{at}.{name}")
    if left:
        yield [f"{at}: more alternatives"]


def conditional(schema: Any) -> Iterator[str]:
    """The keys that the conditions of a schema name."""
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
    for each in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(each, dict | list):
            yield from conditional(each)


def compared(schema: dict[str, Any]) -> list[str]:
    return differences(Deployment, schema, schema, "document")


def test_the_schema_has_the_keys_and_types_of_the_records() -> None:
    assert compared(SCHEMA) == []
    assert set(SCHEMA["$defs"]) == set(re.findall(r"#/\$defs/(\w+)", json.dumps(SCHEMA)))


def objects(schema: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of the schemas of an object, but not of the conditions on one."""
    if isinstance(schema, dict) and "required" in schema:
        yield path
    if isinstance(schema, dict | list):
        pairs = schema.items() if isinstance(schema, dict) else enumerate(schema)
        for key, each in pairs:
            yield from objects(each, (*path, key))


def test_a_schema_that_says_anything_else_is_found() -> None:
    """Every key in turn: left out, not required, unknown, and null where it was not or was."""
    places = list(objects(SCHEMA))
    assert len(places) == len(RECORDS) + 1  # a setting is written as two
    for path in places:
        at = SCHEMA
        for key in path:
            at = at[key]
        for name, schema in at["properties"].items():
            nullable = {"type": "null"} in list(alternatives(schema, SCHEMA))
            only = [each for each in alternatives(schema, SCHEMA) if each != {"type": "null"}]
            toggled = {"anyOf": only if nullable else [schema, {"type": "null"}]}
            changes: tuple[dict[str, Any], ...] = (
                {"properties": {k: v for k, v in at["properties"].items() if k != name}},
                {"required": [each for each in at["required"] if each != name]},
                {"properties": {**at["properties"], "surprise": {"type": "string"}}},
                {"properties": {**at["properties"], name: {"type": "number"}}},
                {"properties": {**at["properties"], name: toggled}},
                {"additionalProperties": True},
            )
            for change in changes:
                if "anyOf" in change.get("properties", {}).get(name, {}) and "setting" in path:
                    # Each of the two forms has a null; together they may be what they were.
                    continue
                other = copy.deepcopy(SCHEMA)
                inner = other
                for key in path:
                    inner = inner[key]
                inner.update(change)
                assert compared(other), (path, name, change)


# -- docs/reference/deployment.md -----------------------------------------------------------------


def reached(kind: Any) -> Iterator[Any]:
    """`kind` and all types that its records hold."""
    yield kind
    inner = get_type_hints(kind).values() if is_dataclass(kind) else get_args(kind)
    for each in inner:
        yield from reached(each)


RECORDS = {kind for kind in reached(Deployment) if is_dataclass(kind)}
CHOICES = {
    kind for kind in reached(Deployment) if isinstance(kind, type) and issubclass(kind, StrEnum)
}


def documented() -> Iterator[tuple[str, ...]]:
    """The keys of each object in the section: in tables of keys, or in braces."""
    for table in re.findall(r"^\| key \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", DOCS, re.MULTILINE):
        yield tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    for braces in re.findall(r"`\{([^`{}]+)\}`", DOCS):
        yield tuple(each.partition(":")[0].strip(' "') for each in braces.split(","))


def test_the_docs_describe_each_record_with_its_keys_in_order() -> None:
    assert set(documented()) == {tuple(each.name for each in fields(kind)) for kind in RECORDS}


@pytest.mark.parametrize("kind", sorted(CHOICES, key=str))
def test_the_docs_name_every_choice(kind: type[StrEnum]) -> None:
    assert {each.value for each in kind} - set(re.findall(r"`([^`\n]+)`", DOCS)) == set()
    assert kind.__module__ == Setting.__module__
