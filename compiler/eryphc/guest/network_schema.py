"""What cloud-init's schema finds in a network-config, and what guests make of that.

No guest refuses a file for its schema: some validate it, all hand it to their parser and renderer.
So only what these fail on is an error. Source: docs/reference/cloud-init.md, "The schema of a
network-config".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Said, own
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Sequence, plain
from eryphc.guest.model import GuestKind
from eryphc.source import SourceText, Span

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

KINDS: Final = (wording.NETWORK_ENTRY_DOUBTFUL,)
# Kinds of devices that netplan knows and cloud-init hands through to it without a schema.
NETPLAN_ONLY: Final = ("dummy-devices", "modems", "nm-devices", "tunnels", "vrfs", "wifis")
_WITH_SCHEMA: Final = ("physical", "bond", "bridge", "vlan", "nameserver", "route")
# What guests take and the schema has forgotten.
_WITHOUT_SCHEMA: Final = ("loopback", "infiniband")
_LONGEST_MESSAGE: Final = 200
# Lists that every renderer takes as a text too.
_TEXTS: Final = ("dns_nameservers", "dns_search", "search", "address")
# Maps by the name of a port, which the schema has as numbers.
_BY_PORT: Final = ("path-cost", "port-priority")
_COLLECTIONS: Final = ("object", "array")


def validated(
    guest: GuestKind, source: SourceText, network: MappingNode, version: int
) -> list[Diagnostic]:
    """Errors for what guests fail on, warnings for what is only not in the schema."""
    found: list[Diagnostic] = []
    for node, error in _errors(network, version):
        here, steps = node, []
        for step in error.absolute_path:
            steps.append(step)
            if isinstance(here, MappingNode):
                here = here.entries.get(step, here)
            elif isinstance(here, Sequence) and isinstance(step, int):
                here = here.items[step]
        if guest is GuestKind.LINUX and not _fails(error):
            found += _doubts(source, here, steps, error)
        else:
            problem = Said(f"{_where(steps)}{error.message[:_LONGEST_MESSAGE]}")
            found.append(wording.network_config_invalid(problem, _place(source, here)))
    return found


def _errors(network: MappingNode, version: int) -> Iterator[tuple[Node, ValidationError]]:
    """The findings of the schema, each with the node from which its path begins."""
    if version == 2:
        data = {
            key: plain(value) for key, value in network.entries.items() if key not in NETPLAN_ONLY
        }
        for error in _found(data, version, "network_config_version2"):
            yield network, error
        return
    data = {key: plain(value) for key, value in network.entries.items()}
    config = network.get("config")
    if isinstance(config, Sequence):
        rest = []
        for item in config.items:
            word = item.text("type") if isinstance(item, MappingNode) else None
            if word in _WITH_SCHEMA:
                # By its type, so that an error is about this type and not about all.
                for error in _found(plain(item), version, f"anyOf_type_{word}"):
                    yield item, error
            elif word not in _WITHOUT_SCHEMA:
                rest.append(item)
        data["config"] = [plain(item) for item in rest]
        network = network if not rest else _with_items(network, rest)
    for error in _found(data, version, "network_config_version1"):
        yield network, error


def _with_items(network: MappingNode, items: Iterable[Node]) -> MappingNode:
    entries = {**network.entries, "config": Sequence(tuple(items))}
    return MappingNode(entries, network.keys, network.start, network.end)


def _found(data: object, version: int, definition: str) -> list[ValidationError]:
    # This import takes several times as long as a whole build, and few builds have a file.
    from jsonschema import Draft7Validator

    definitions = _schema(version)["$defs"]
    schema = {"$ref": f"#/$defs/{definition}", "$defs": definitions}
    errors = Draft7Validator(schema).iter_errors(data)
    return sorted(errors, key=lambda error: list(map(str, error.path)))


def _fails(error: ValidationError) -> bool:
    """Whether the guest's parser or renderers fail on what the schema has found."""
    path = list(error.absolute_path)
    value: Any = error.instance
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    match error.validator:
        case "type":
            expected: Any = error.validator_value
            kinds = [expected] if isinstance(expected, str) else expected
            if isinstance(value, dict):
                return key not in _BY_PORT
            if isinstance(value, list):
                return True
            if not any(each in _COLLECTIONS for each in kinds):
                # Text for a number and the reverse are the same to renderers, but for addresses.
                return key == "addresses" and "nameservers" not in path and value is not None
            if value is None:
                return key != "subnets"
            return not _is_text_for_list(path, key, value)
        case "additionalProperties":
            # A section that is unknown, and not a key of a device.
            return not path and "type" not in value
        case "enum" | "pattern" | "format" | "minimum" | "maximum" | "minItems":
            return False
        case "anyOf" | "oneOf" if error.context and path[:1] != ["config"]:
            branches: dict[object, bool] = {}
            for each in error.context:
                branch = each.schema_path[0]
                branches[branch] = branches.get(branch, False) or _fails(each)
            return all(branches.values())
        case _:
            return True


def _is_text_for_list(path: list[str | int], key: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    return key in _TEXTS or path[-2:] == ["nameservers", "addresses"]


def _doubts(
    source: SourceText, node: Node, steps: list[str | int], error: ValidationError
) -> Iterator[Diagnostic]:
    if error.validator == "additionalProperties" and isinstance(node, MappingNode):
        known: Any = error.schema
        properties = known.get("properties", {})
        label = own("guests without netplan pass over it")
        for key, place in node.keys.items():
            if str(key) not in properties and key in node.entries:
                name = Said(".".join(map(str, (*steps, key))))
                problem = own("`{}` is not in cloud-init's schema", name)
                yield wording.network_entry_doubtful(problem, _place(source, place), label)
        return
    problem = own("{}", Said(f"{_where(steps)}{error.message[:_LONGEST_MESSAGE]}"))
    label = own("cloud-init's schema has it otherwise")
    yield wording.network_entry_doubtful(problem, _place(source, node), label)


def _where(steps: list[str | int]) -> str:
    return f"`{'.'.join(map(str, steps))}`: " if steps else ""


def _place(source: SourceText, node: Node) -> Span:
    end = source.text.find("\n", node.start)
    return Span(source, node.start, min(node.end, len(source.text) if end == -1 else end))


def _schema(version: int) -> Mapping[str, Any]:
    import json
    from importlib.resources import files

    name = f"schema-network-config-v{version}.json"
    schema: Mapping[str, Any] = json.loads(
        (files("eryphc.guest") / "schemas" / name).read_text(encoding="utf-8")
    )
    return schema
