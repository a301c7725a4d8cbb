"""The table of a machine's plain properties: what is read, what is wanted, what sets it, and when.

Source: docs/reference/hyperv.md, "From catlet to cmdlet", "What a live machine accepts".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from eryph_runtime.comparison import Change, Value
from eryph_runtime.deployment import WantedMachine
from eryph_runtime.host import Action
from eryph_runtime.state import HostFacts, Machine

Applies: TypeAlias = Callable[[Machine, WantedMachine, HostFacts], bool]
NeedsOff: TypeAlias = Callable[[Machine, WantedMachine], bool]

NEVER_LIVE: NeedsOff = lambda _machine, _wanted: True  # noqa: E731
ALWAYS_LIVE: NeedsOff = lambda _machine, _wanted: False  # noqa: E731
ALWAYS: Applies = lambda _machine, _wanted, _host: True  # noqa: E731


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One row. Rows with one `setter` and one need of power go out in one call."""

    what: str
    setter: str
    argument: str
    read: Callable[[Machine], Value]
    wanted: Callable[[WantedMachine], Value]
    needs_off: NeedsOff = NEVER_LIVE
    applies: Applies = ALWAYS


def _startup_needs_off(machine: Machine, wanted: WantedMachine) -> bool:
    # Static memory is resized live, but not with a hypervisor running inside.
    return (
        machine.memory.dynamic
        or wanted.memory.dynamic
        or machine.processor.nested_virtualization
        or wanted.processor.nested_virtualization
    )


def _minimum_needs_off(machine: Machine, wanted: WantedMachine) -> bool:
    lower = (wanted.memory.minimum or 0) < machine.memory.minimum
    return not (machine.memory.dynamic and lower)


def _maximum_needs_off(machine: Machine, wanted: WantedMachine) -> bool:
    higher = (wanted.memory.maximum or 0) > machine.memory.maximum
    return not (machine.memory.dynamic and higher)


def _dynamic(_machine: Machine, wanted: WantedMachine, _host: HostFacts) -> bool:
    # Bounds of static memory are no difference: comparing them never ends.
    return wanted.memory.dynamic


def _secure(_machine: Machine, wanted: WantedMachine, _host: HostFacts) -> bool:
    return wanted.firmware.secure_boot


def _knows_automatic(machine: Machine, _wanted: WantedMachine, host: HostFacts) -> bool:
    return machine.automatic_checkpoints is not None and not host.lacks(
        "Set-VM:AutomaticCheckpointsEnabled"
    )


# In the order of creation (the TPM is no plain property). What is not known to be accepted by a
# live machine waits for power off.
BEFORE_TPM = (
    Property(
        what="automatic checkpoints",
        setter="set-machine",
        argument="automatic_checkpoints",
        read=lambda machine: machine.automatic_checkpoints,
        wanted=lambda wanted: wanted.automatic_checkpoints,
        applies=_knows_automatic,
    ),
    Property(
        what="checkpoint type",
        setter="set-machine",
        argument="checkpoint_type",
        read=lambda machine: machine.checkpoint_type,
        wanted=lambda wanted: wanted.checkpoint_type,
    ),
    Property(
        what="start action",
        setter="set-machine",
        argument="start_action",
        read=lambda machine: machine.start_action,
        wanted=lambda wanted: wanted.start_action,
        needs_off=ALWAYS_LIVE,
    ),
    Property(
        what="start delay",
        setter="set-machine",
        argument="start_delay",
        read=lambda machine: machine.start_delay,
        wanted=lambda wanted: wanted.start_delay,
    ),
    Property(
        what="stop action",
        setter="set-machine",
        argument="stop_action",
        read=lambda machine: machine.stop_action,
        wanted=lambda wanted: wanted.stop_action,
    ),
    Property(
        what="secure boot",
        setter="set-firmware",
        argument="secure_boot",
        read=lambda machine: machine.firmware.secure_boot,
        wanted=lambda wanted: wanted.firmware.secure_boot,
    ),
    Property(
        what="secure boot template",
        setter="set-firmware",
        argument="secure_boot_template",
        read=lambda machine: machine.firmware.secure_boot_template,
        wanted=lambda wanted: wanted.firmware.secure_boot_template,
        applies=_secure,
    ),
)
AFTER_TPM = (
    Property(
        what="processors",
        setter="set-processor",
        argument="count",
        read=lambda machine: machine.processor.count,
        wanted=lambda wanted: wanted.processor.count,
    ),
    Property(
        what="nested virtualization",
        setter="set-processor",
        argument="nested_virtualization",
        read=lambda machine: machine.processor.nested_virtualization,
        wanted=lambda wanted: wanted.processor.nested_virtualization,
    ),
    Property(
        what="dynamic memory",
        setter="set-memory",
        argument="dynamic",
        read=lambda machine: machine.memory.dynamic,
        wanted=lambda wanted: wanted.memory.dynamic,
    ),
    Property(
        what="startup memory",
        setter="set-memory",
        argument="startup",
        read=lambda machine: machine.memory.startup,
        wanted=lambda wanted: wanted.memory.startup,
        needs_off=_startup_needs_off,
    ),
    Property(
        what="minimum memory",
        setter="set-memory",
        argument="minimum",
        read=lambda machine: machine.memory.minimum,
        wanted=lambda wanted: wanted.memory.minimum,
        needs_off=_minimum_needs_off,
        applies=_dynamic,
    ),
    Property(
        what="maximum memory",
        setter="set-memory",
        argument="maximum",
        read=lambda machine: machine.memory.maximum,
        wanted=lambda wanted: wanted.memory.maximum,
        needs_off=_maximum_needs_off,
        applies=_dynamic,
    ),
)
# Every argument of a setter is on the wire; null leaves the property alone.
_ARGUMENTS = {
    "set-machine": (
        "start_action",
        "start_delay",
        "stop_action",
        "checkpoint_type",
        "automatic_checkpoints",
    ),
    "set-firmware": ("secure_boot", "secure_boot_template"),
    "set-processor": ("count", "nested_virtualization"),
    "set-memory": ("dynamic", "startup", "minimum", "maximum"),
}


def compare_properties(
    table: tuple[Property, ...], machine: Machine, wanted: WantedMachine, host: HostFacts
) -> list[Change]:
    """The differences of the rows in `table`, live ones of a setter before those that are not."""
    rows = [
        (row, row.needs_off(machine, wanted))
        for row in table
        if row.applies(machine, wanted, host) and row.read(machine) != row.wanted(wanted)
    ]
    changes = []
    calls = dict.fromkeys((row.setter, needs_off) for row, needs_off in rows)
    for setter, needs_off in sorted(calls, key=lambda call: (_position(table, call[0]), call[1])):
        group = [row for row, off in rows if (row.setter, off) == (setter, needs_off)]
        arguments: dict[str, Any] = {"machine": machine.id, **dict.fromkeys(_ARGUMENTS[setter])}
        arguments.update({row.argument: row.wanted(wanted) for row in group})
        steps: tuple[Action, ...] = (Action(action=setter, arguments=arguments),)
        for row in group:
            changes.append(
                Change(
                    object="machine",
                    what=row.what,
                    read=row.read(machine),
                    wanted=row.wanted(wanted),
                    needs_off=needs_off,
                    steps=steps,
                )
            )
            steps = ()
    return changes


def _position(table: tuple[Property, ...], setter: str) -> int:
    return next(index for index, row in enumerate(table) if row.setter == setter)
