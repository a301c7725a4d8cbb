"""The published schemas of Azure's resources, made strict, and the judgement of a template by them.

Objects of the published schemas are open; here a property that they do not name is refused.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "azure" / "schemas"
COMMON = "https://schema.management.azure.com/schemas/common/definitions.json"
FILES = {
    "Microsoft.Compute": "Microsoft.Compute.json",
    "Microsoft.Network": "Microsoft.Network.NRP.json",
}
# Of every resource of a template, beside what its own schema says.
ENVELOPE = ("condition", "dependsOn", "copy", "scope", "comments", "sku")


def faults(template: dict[str, Any]) -> list[str]:
    """What the schemas have against each resource. Skips where there are no schemas."""
    if not FOLDER.is_dir():
        pytest.skip("the schemas of Azure are not at hand: see tests/README.md")
    found = []
    for resource in template["resources"]:
        kind, version = resource["type"], resource["apiVersion"]
        for error in _validator(kind, version).iter_errors(resource):
            best = _deepest(error)
            place = "/".join(map(str, best.absolute_path))
            found.append(f"{kind} {place}: {best.message[:300]}")
    return found


def _deepest(error: Any) -> Any:
    """The fault inside the alternative that is no expression."""
    while error.context:
        inner = [each for each in error.context if "expression" not in str(each.schema_path)]
        errors = [each for each in inner if each.validator != "pattern"] or inner
        if not errors:
            break
        error = max(errors, key=lambda each: len(each.absolute_path))
    return error


@cache
def _validator(kind: str, version: str) -> Draft4Validator:
    provider, _, name = kind.partition("/")
    path = FOLDER / version / FILES[provider]
    schema = json.loads(path.read_text(encoding="utf-8"))
    own = schema["resourceDefinitions"].get(name.replace("/", "_"))
    assert own is not None, f"{path} has no {name}"
    _close(schema)
    own["properties"] |= {each: own["properties"].get(each, {}) for each in ENVELOPE}
    # Its list of sizes ends in 2018.
    registry: Registry[Any] = Registry().with_resources(
        [
            (COMMON, DRAFT4.create_resource(_COMMON)),
            (schema["id"], DRAFT4.create_resource(schema)),
        ]
    )
    reference = {"$ref": f"{schema['id']}/resourceDefinitions/{name.replace('/', '_')}"}
    if "#" not in reference["$ref"]:
        reference = {
            "$ref": f"{schema['id'].rstrip('#')}#/resourceDefinitions/{name.replace('/', '_')}"
        }
    return Draft4Validator(reference, registry=registry)


_COMMON = {
    "id": COMMON,
    "definitions": {"expression": {"type": "string", "pattern": r"^\[([^\[].*)?\]$"}},
}


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict) and properties and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            # A range that no engine but Microsoft's takes.
            schema["pattern"] = pattern.replace("\\w-._", "\\w._-")
        for each in schema.values():
            _close(each)
    elif isinstance(schema, list):
        for each in schema:
            _close(each)
