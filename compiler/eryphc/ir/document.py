"""The IR as a document of the language: plain data with the language's own keys.

Unset values are left out, explicit false and 0 stay, keys stand in the order of the tables, `cpu`,
`memory` and capabilities in their long form. Source: docs/reference/language.md,
"How documents are printed".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import yaml

from eryphc.ir.catlet import Catlet, Fodder, FodderGene, Record
from eryphc.ir.content import Content

_KEYS: dict[str, tuple[str, ...]] = {
    "Cpu": ("count",),
    "Memory": ("startup", "minimum", "maximum"),
    "Drive": ("name", "mutation", "location", "store", "source", "size", "type"),
    "NetworkAdapter": (
        "name",
        "mutation",
        "mac_address",
        "mac_address_spoofing",
        "dhcp_guard",
        "router_guard",
    ),
    "Capability": ("name", "mutation", "details"),
    "Subnet": ("name", "ip_pool"),
    "Network": ("name", "mutation", "adapter_name", "subnet_v4", "subnet_v6"),
    "Variable": ("name", "type", "value", "secret", "required"),
    "Fodder": (
        "name",
        "remove",
        "source",
        "type",
        "content",
        "filename",
        "secret",
        "variables",
    ),
    "Catlet": (
        "version",
        "config_type",
        "project",
        "name",
        "location",
        "hostname",
        "environment",
        "store",
        "parent",
        "cpu",
        "memory",
        "drives",
        "network_adapters",
        "capabilities",
        "networks",
        "variables",
        "fodder",
    ),
    "FodderGene": ("version", "name", "variables", "fodder"),
}


def document(record: Catlet | FodderGene | Fodder) -> dict[str, Any]:
    """The record as nested dicts and lists of texts, numbers and booleans."""
    return _record(record)


def trimmed(record: Catlet) -> dict[str, Any]:
    """The same for people, without empty values."""
    result = _record(record)
    for key in ("cpu", "memory"):
        if not result.get(key):
            result.pop(key, None)
    for fodder in result.get("fodder", ()):
        if not fodder.get("variables"):
            fodder.pop("variables", None)
    return {key: value for key, value in result.items() if value not in ([], {})}


def _record(record: Record) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in _KEYS[type(record).__name__]:
        value = getattr(record, key)
        if value is not None:
            result[key] = _value(value)
    return result


def _value(value: object) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Record):
        return _record(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Content):
        return value.text
    return value


class _Dumper(yaml.SafeDumper):
    """The pure emitter, always: the C one writes some characters differently."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, indentless)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Line ends of YAML that are no line feed would be read back as one, or as a blank.
    rare = any(character in text for character in "\r\x85\u2028\u2029")
    style = '"' if rare else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(data: Any) -> str:
    """The document as text; keys keep their order."""
    return str(
        yaml.dump(
            data,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=2**31,
        )
    )
