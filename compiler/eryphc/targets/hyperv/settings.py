"""The `hyperv:` section of the project file: settings of the hosts, for all catlets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic
from eryphc.passes.values import Reading, Shape
from eryphc.project.file import TEXT, Section, Setting, texts_by_name, word
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode


class DiskMode(StrEnum):
    """How the disk of a drive is made from its volume gene."""

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
class Folders(Setting):
    """Folders on a Hyper-V host: of machines, of their disks, of parent disks."""

    machines: str | None = None
    disks: str | None = None
    volumes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVDefaults(Setting):
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


_ONE_VLAN = (
    "an adapter has one VLAN, trunks are not supported: give the machine an adapter in a network "
    "of its own for each VLAN"
)


def _vlans(reading: Reading, node: Node, key: str) -> Any:
    """A VLAN by network; a list of them is what people write who want a trunk."""
    if not isinstance(node, MappingNode):
        return texts_by_name(reading, node, key)
    for name, value in node.entries:
        if isinstance(value, SequenceNode) and isinstance(name, ScalarNode):
            message = f"network `{name.value}` has a list of VLANs"
            span = reading.head(value)
            return reading.report(command.project_value("hyperv", message, span, _ONE_VLAN))
    return texts_by_name(reading, node, key)


FOLDERS = Shape("section of folders", Folders, {"machines": TEXT, "disks": TEXT, "volumes": TEXT})
HYPERV = Shape(
    "hyperv section",
    HyperVDefaults,
    {
        "switches": texts_by_name,
        "vlans": _vlans,
        "guardian": TEXT,
        "folders": FOLDERS,
        "start_action": word(StartAction),
        "stop_action": word(StopAction),
        "disks": word(DiskMode),
        "drives": texts_by_name,
    },
)

_VLAN = re.compile("[1-9][0-9]{0,3}")
_NUMBERS = re.compile("[0-9]+")
_LAST_VLAN = 4094


def _faults(defaults: HyperVDefaults) -> Iterator[Diagnostic]:
    for drive, mode in defaults.drives or ():
        if mode not in (DiskMode.DIFFERENCING, DiskMode.COPY):
            message = f"`{mode}` of drive `{drive}` is neither `differencing` nor `copy`"
            yield command.project_value("hyperv", message, defaults.at("drives"))
    for network, vlan in defaults.vlans or ():
        if _VLAN.fullmatch(vlan) is None or int(vlan) > _LAST_VLAN:
            message = f"`{vlan}` of network `{network}` is no VLAN: 1 to {_LAST_VLAN}"
            several = len(_NUMBERS.findall(vlan)) > 1
            help_text = _ONE_VLAN if several else None
            yield command.project_value("hyperv", message, defaults.at("vlans"), help_text)


SECTION = Section(shape=HYPERV, faults=_faults)
