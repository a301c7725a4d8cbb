"""`eryphc.yaml`: what a project says once for all its specs. Source: cli.md, "eryphc.yaml"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.ir.catlet import Places, Record
from eryphc.passes.values import Converter, Notation, Reading, Shape
from eryphc.source import SourceText
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode
from eryphc.syntax.yaml_nodes import compose


class PoolType(StrEnum):
    FOLDER = "folder"
    OCI = "oci"
    OCI_LAYOUT = "oci_layout"
    ERYPH_LOCAL = "eryph_local"
    GENEPOOL = "genepool"


class DiskMode(StrEnum):
    """How a drive that has a volume gene comes to its disk."""

    DIFFERENCING = "differencing"
    COPY = "copy"


class StartAction(StrEnum):
    NOTHING = "nothing"
    START_IF_RUNNING = "start_if_running"
    START = "start"


class StopAction(StrEnum):
    TURN_OFF = "turn_off"
    SAVE = "save"
    SHUT_DOWN = "shut_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting(Record):
    """A record of the project file."""

    places: Places = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEntry(_Setting):
    """`path` is for folders, `prefix` for registries, `url` for the public pool's API."""

    name: str | None = None
    type: PoolType | None = None
    path: str | None = None
    prefix: str | None = None
    url: str | None = None
    orgs: tuple[str, ...] | None = None
    fallback: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders(_Setting):
    """Folders on a Hyper-V host: of machines, of their disks, of parent disks."""

    machines: str | None = None
    disks: str | None = None
    volumes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVDefaults(_Setting):
    """`switches` maps the name of a network to a switch, `vlans` to a VLAN, `drives` a drive to
    how it is made. `guardian` names whose key protects TPMs; else the host's own does."""

    switches: tuple[tuple[str, str], ...] | None = None
    vlans: tuple[tuple[str, str], ...] | None = None
    guardian: str | None = None
    folders: Folders | None = None
    start_action: StartAction | None = None
    stop_action: StopAction | None = None
    disks: DiskMode | None = None
    drives: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(_Setting):
    """The project file; `folder` is where it lies and what its paths are relative to."""

    pools: tuple[PoolEntry, ...] | None = None
    shared: tuple[str, ...] | None = None
    specs: tuple[str, ...] | None = None
    guest: str | None = None
    epoch: str | None = None
    lint: tuple[tuple[str, str], ...] | None = None
    hyperv: HyperVDefaults | None = None
    azure: tuple[tuple[str, str], ...] | None = None
    folder: Path = field(default=Path(), compare=False)


def _word(words: type[StrEnum]) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.word(node, key, words)

    return read


def _list_of(entry: Converter) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.many(node, key, entry)

    return read


def _texts_by_name(reading: Reading, node: Node, key: str) -> Any:
    """A mapping with names of the user's own as keys, each with a text."""
    if not isinstance(node, MappingNode):
        return reading.wrong_kind(node, key, "a mapping")
    pairs: list[tuple[str, str]] = []
    for name, value in node.entries:
        if isinstance(name, ScalarNode):
            text = reading.convert(value, name.value, Reading.text)
            if isinstance(text, str):
                pairs.append((name.value, text))
    return tuple(pairs)


_text = Reading.text
POOL = Shape(
    "gene pool",
    PoolEntry,
    {
        "name": _text,
        "type": _word(PoolType),
        "path": _text,
        "prefix": _text,
        "url": _text,
        "orgs": _list_of(_text),
        "fallback": Reading.boolean,
    },
)
FOLDERS = Shape(
    "section of folders", Folders, {"machines": _text, "disks": _text, "volumes": _text}
)
HYPERV = Shape(
    "hyperv section",
    HyperVDefaults,
    {
        "switches": _texts_by_name,
        "vlans": _texts_by_name,
        "guardian": _text,
        "folders": FOLDERS,
        "start_action": _word(StartAction),
        "stop_action": _word(StopAction),
        "disks": _word(DiskMode),
        "drives": _texts_by_name,
    },
)
PROJECT = Shape(
    "project file",
    Project,
    {
        "pools": _list_of(POOL),
        "shared": _list_of(_text),
        "specs": _list_of(_text),
        "guest": _text,
        "epoch": _text,
        "lint": _texts_by_name,
        "hyperv": HYPERV,
        "azure": _texts_by_name,
    },
)


def read_project(source: SourceText, folder: Path) -> Outcome[Project]:
    """The project file, or what is wrong with it. An empty file says nothing."""
    composed = compose(source)
    if composed.value is None:
        return Outcome(None, composed.diagnostics)
    reading = Reading(source, Notation.YAML)
    value = reading.convert(composed.value, "project file", PROJECT)
    if value is None:
        return Outcome(Project(folder=folder), tuple(reading.diagnostics))
    found = [*reading.diagnostics]
    if isinstance(value, Project):
        found += _faults(value)
        if not has_errors(found):
            fields = {key: getattr(value, key) for key in PROJECT.fields}
            return Outcome(Project(folder=folder, places=value.places, **fields), tuple(found))
    return Outcome(None, tuple(found))


_VLAN = re.compile("[1-9][0-9]{0,3}")
_LAST_VLAN = 4094
_NEEDS = {
    PoolType.FOLDER: "path",
    PoolType.ERYPH_LOCAL: "path",
    PoolType.OCI_LAYOUT: "path",
    PoolType.OCI: "prefix",
    PoolType.GENEPOOL: "url",
}


# Keys of the contract that nothing reads yet.
_WITHOUT_EFFECT = ("shared", "specs", "lint", "azure")


def _faults(project: Project) -> list[Diagnostic]:
    found: list[Diagnostic] = [
        command.project_without_effect(key, project.at(key))
        for key in _WITHOUT_EFFECT
        if getattr(project, key)
    ]
    for pool in project.pools or ():
        kind = pool.type or PoolType.FOLDER
        need = _NEEDS[kind]
        if getattr(pool, need) is None:
            shown = kind.value.replace("_", "-")
            found.append(command.pool_needs(shown, need, pool.at("type")))
    if project.guest is not None and project.guest not in ("linux", "windows"):
        message = f"`{project.guest}` is neither `linux` nor `windows`"
        found.append(command.project_value("guest", message, project.at("guest")))
    hyperv = project.hyperv
    for drive, mode in (hyperv.drives or ()) if hyperv is not None else ():
        if mode not in (DiskMode.DIFFERENCING, DiskMode.COPY):
            message = f"`{mode}` of drive `{drive}` is neither `differencing` nor `copy`"
            span = hyperv.at("drives") if hyperv is not None else None
            found.append(command.project_value("hyperv", message, span))
    for network, vlan in (hyperv.vlans or ()) if hyperv is not None else ():
        if _VLAN.fullmatch(vlan) is None or int(vlan) > _LAST_VLAN:
            message = f"`{vlan}` of network `{network}` is no VLAN: 1 to {_LAST_VLAN}"
            span = hyperv.at("vlans") if hyperv is not None else None
            found.append(command.project_value("hyperv", message, span))
    return found
