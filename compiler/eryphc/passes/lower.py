"""Nodes to the IR: the key decides how its value is read.

Source: docs/reference/language.md, "The catlet document", "The fodder gene document".

Nothing is checked here beyond kinds and spelling; the rules are in `check`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from eryphc.diagnostics import reading as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, named
from eryphc.ir.catlet import (
    Capability,
    Catlet,
    ConfigType,
    Cpu,
    Drive,
    DriveType,
    Fodder,
    FodderGene,
    Memory,
    Mutation,
    Network,
    NetworkAdapter,
    Record,
    Subnet,
    Variable,
    VariableType,
)
from eryphc.passes.values import FAULTY, Converter, Notation, Reading, Shape
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import Node, ScalarNode, SequenceNode

R = TypeVar("R", bound=Record)


def _word(words: type[StrEnum]) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.word(node, key, words)

    return read


def _list_of(entry: Converter) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.many(node, key, entry)

    return read


_text, _flag, _integer = Reading.text, Reading.boolean, Reading.integer
_mutation = _word(Mutation)

CPU = Shape("cpu section", Cpu, {"count": _integer}, aliases=False)
MEMORY = Shape(
    "memory section",
    Memory,
    {"startup": _integer, "minimum": _integer, "maximum": _integer},
    aliases=False,
)


def _cpu(reading: Reading, node: Node, key: str) -> Any:
    """`cpu: 4` stands for `cpu: {count: 4}` in YAML; left empty it is refused."""
    if reading.json or not isinstance(node, ScalarNode):
        return CPU(reading, node, key)
    count = _shorthand(reading, node, key)
    if count is FAULTY:
        return FAULTY
    span = reading.span(node)
    return Cpu(count=count, places={"": span, "count": span})


def _memory(reading: Reading, node: Node, key: str) -> Any:
    """`memory: 2048` stands for `memory: {startup: 2048}` in YAML."""
    if reading.json or not isinstance(node, ScalarNode):
        return MEMORY(reading, node, key)
    startup = _shorthand(reading, node, key)
    if startup is FAULTY:
        return FAULTY
    span = reading.span(node)
    return Memory(startup=startup, places={"": span, "startup": span})


def _shorthand(reading: Reading, node: ScalarNode, key: str) -> Any:
    if node.tag is not None:
        return reading.report(wording.tag_refused(named(node.tag), Own(key), reading.span(node)))
    return reading.integer(node, key)


DRIVE = Shape(
    "drive",
    Drive,
    {
        "name": _text,
        "mutation": _mutation,
        "location": _text,
        "store": _text,
        "source": _text,
        "size": _integer,
        "type": _word(DriveType),
    },
)
NETWORK_ADAPTER = Shape(
    "network adapter",
    NetworkAdapter,
    {
        "name": _text,
        "mutation": _mutation,
        "mac_address": _text,
        "mac_address_spoofing": _flag,
        "dhcp_guard": _flag,
        "router_guard": _flag,
    },
)


def _details(reading: Reading, node: Node, key: str) -> Any:
    """A list of texts in which null is the empty text."""
    if not isinstance(node, SequenceNode):
        return reading.many(node, key, _text)
    found = [reading.convert(item, key, _text) for item in node.items]
    return tuple(text or "" for text in found if text is not FAULTY)


CAPABILITY = Shape(
    "capability",
    Capability,
    {"name": _text, "mutation": _mutation, "details": _details},
    aliases=False,
)


def _capabilities(reading: Reading, node: Node, key: str) -> Any:
    """A list whose items may be bare names in YAML; a bare null is then a name too."""
    if reading.json or not isinstance(node, SequenceNode):
        return reading.many(node, key, CAPABILITY)
    found: list[Capability] = []
    for item in node.items:
        if not isinstance(item, ScalarNode):
            value = reading.convert(item, key, CAPABILITY)
            if isinstance(value, Capability):
                found.append(value)
        elif item.tag is not None:
            reading.report(wording.tag_refused(named(item.tag), Own(key), reading.span(item)))
        else:
            span = reading.span(item)
            bare = Capability(name=item.value, places={"": span, "name": span})
            if item.anchor is not None:
                reading.remember(item, CAPABILITY, bare)
            found.append(bare)
    return tuple(found)


SUBNET = Shape("subnet", Subnet, {"name": _text, "ip_pool": _text})
NETWORK = Shape(
    "network",
    Network,
    {
        "name": _text,
        "mutation": _mutation,
        "adapter_name": _text,
        "subnet_v4": SUBNET,
        "subnet_v6": SUBNET,
    },
)
VARIABLE = Shape(
    "variable",
    Variable,
    {
        "name": _text,
        "type": _word(VariableType),
        "value": _text,
        "secret": _flag,
        "required": _flag,
    },
)
_variables = _list_of(VARIABLE)
FODDER = Shape(
    "fodder entry",
    Fodder,
    {
        "name": _text,
        "remove": _flag,
        "source": _text,
        "type": _text,
        "content": Reading.content,
        "filename": _text,
        "secret": _flag,
        "variables": _variables,
    },
)
_fodder = _list_of(FODDER)
CATLET = Shape(
    "catlet",
    Catlet,
    {
        "version": _text,
        "config_type": _word(ConfigType),
        "project": _text,
        "name": _text,
        "location": _text,
        "hostname": _text,
        "environment": _text,
        "store": _text,
        "parent": _text,
        "cpu": _cpu,
        "memory": _memory,
        "drives": _list_of(DRIVE),
        "network_adapters": _list_of(NETWORK_ADAPTER),
        "capabilities": _capabilities,
        "networks": _list_of(NETWORK),
        "variables": _variables,
        "fodder": _fodder,
    },
)
FODDER_GENE = Shape(
    "fodder gene",
    FodderGene,
    {"version": _text, "name": _text, "variables": _variables, "fodder": _fodder},
)


def lower_catlet(
    root: Node, source: SourceText, notation: Notation
) -> tuple[Catlet | None, tuple[Diagnostic, ...]]:
    """The catlet of a document, as far as it can be read, and what is wrong with it."""
    return _lower(root, source, notation, CATLET, Catlet)


def lower_fodder_gene(
    root: Node, source: SourceText, notation: Notation
) -> tuple[FodderGene | None, tuple[Diagnostic, ...]]:
    """The fodder gene of a document, as far as it can be read, and what is wrong with it."""
    return _lower(root, source, notation, FODDER_GENE, FodderGene)


def _lower(
    root: Node, source: SourceText, notation: Notation, shape: Shape, build: type[R]
) -> tuple[R | None, tuple[Diagnostic, ...]]:
    reading = Reading(source, notation)
    value = reading.convert(root, shape.name, shape)
    if value is None:
        reading.report(wording.empty_document(Own(shape.name), Span(source, 0, 0)))
    if not isinstance(value, build):
        return None, tuple(reading.diagnostics)
    source.regions = reading.regions()
    return value, tuple(reading.diagnostics)
