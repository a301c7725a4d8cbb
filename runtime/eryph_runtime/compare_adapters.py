"""Which network adapters must be added, set, put on a VLAN, connected. Compared by name.

Source: docs/reference/hyperv.md, "The order of creation", "Comparing", "Adapter names",
"MAC addresses of adapters", "Switches".
"""

from __future__ import annotations

from typing import Any

from eryph_runtime.comparison import Change, Findings, Kind, Value
from eryph_runtime.deployment import NetworkAdapter
from eryph_runtime.host import Action
from eryph_runtime.observe import Observation
from eryph_runtime.state import AdapterState, Machine, State, Switch


def find_switch(state: State, named: str) -> Switch | str:
    """The switch with that name (exactly) or id; else why there is none."""
    found = [each for each in state.switches if each.id == named.lower()] or [
        each for each in state.switches if each.name == named
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted(each.id for each in found))
        return f"the host has several switches named `{named}`; say its id: {ids}"
    known = ", ".join(sorted(f"`{each.name}`" for each in state.switches)) or "none"
    return f"the host has no switch `{named}`; it has {known}"


def remove_default_adapters(
    observation: Observation, machine: Machine, found: Findings
) -> tuple[AdapterState, ...]:
    """Removals of what `New-VM` added, before anything else is done; gives what will remain."""
    wanted = {each.name for each in observation.deployment.network_adapters}
    kept = []
    for each in machine.network_adapters:
        if each.name in wanted and not each.dynamic_mac:
            kept.append(each)
            continue
        found.changes.append(_remove(machine, each, "default adapter"))
    return tuple(kept)


def compare_adapters(
    observation: Observation, machine: Machine, present: tuple[AdapterState, ...], found: Findings
) -> None:
    """Add what the adapters lack; `present` are those of the machine that stay."""
    wanted = {each.name: each for each in observation.deployment.network_adapters}
    addresses = {each.mac_address for each in observation.deployment.network_adapters}
    for each in present:
        if each.name in wanted:
            continue
        if each.mac_address in addresses and not each.dynamic_mac:
            # One of ours under its former name: two adapters cannot share an address.
            found.changes.append(_remove(machine, each, "adapter under another name"))
        else:
            found.notes.append(
                f"left alone: the network adapter `{each.name}` is not in the deployment"
            )
    for name, adapter in wanted.items():
        same = [each for each in present if each.name == name]
        if len(same) > 1:
            found.refusals.append(f"the machine has {len(same)} adapters named `{name}`")
            continue
        _compare(observation, machine, adapter, same[0] if same else None, found)


def _compare(
    observation: Observation,
    machine: Machine,
    wanted: NetworkAdapter,
    read: AdapterState | None,
    found: Findings,
) -> None:
    named = f"adapter {wanted.name}"
    if read is None:
        found.changes.append(
            Change(
                object=named,
                what="address",
                wanted=wanted.mac_address,
                kind=Kind.CREATE,
                steps=(
                    Action(
                        action="add-adapter",
                        arguments={
                            "machine": machine.id,
                            "name": wanted.name,
                            "mac_address": wanted.mac_address,
                        },
                    ),
                ),
            )
        )
    elif read.dynamic_mac or read.mac_address != wanted.mac_address:
        found.changes.append(
            Change(
                object=named,
                what="address",
                read="dynamic" if read.dynamic_mac else read.mac_address,
                wanted=wanted.mac_address,
                needs_off=True,
                steps=(_set(machine, wanted.name, mac_address=wanted.mac_address),),
            )
        )
    guards: list[tuple[str, str, bool, bool]] = [
        (
            "address spoofing",
            "mac_address_spoofing",
            read is not None and read.mac_address_spoofing,
            wanted.mac_address_spoofing,
        ),
        ("DHCP guard", "dhcp_guard", read is not None and read.dhcp_guard, wanted.dhcp_guard),
        (
            "router guard",
            "router_guard",
            read is not None and read.router_guard,
            wanted.router_guard,
        ),
    ]
    differing = [row for row in guards if row[2] != row[3]]
    steps: tuple[Action, ...] = (
        _set(machine, wanted.name, **{row[1]: row[3] for row in differing}),
    )
    for what, _, is_on, should_be in differing:
        found.changes.append(
            Change(object=named, what=what, read=is_on, wanted=should_be, steps=steps)
        )
        steps = ()
    vlan = read.vlan if read is not None else None
    mode = read.vlan_mode if read is not None else "Untagged"
    plain = mode in ("Untagged", "Access") and (mode == "Access") == (wanted.vlan is not None)
    if not plain or (wanted.vlan is not None and vlan != wanted.vlan):
        _add(
            found,
            named,
            "VLAN",
            vlan if mode == "Access" else mode,
            wanted.vlan,
            Action(
                action="set-vlan",
                arguments={"machine": machine.id, "name": wanted.name, "vlan": wanted.vlan},
            ),
        )
    _connect(observation, machine, wanted, read, found)


def _connect(
    observation: Observation,
    machine: Machine,
    wanted: NetworkAdapter,
    read: AdapterState | None,
    found: Findings,
) -> None:
    switch: Switch | None = None
    if wanted.switch is not None:
        named = observation.resolved.switches.get(wanted.name)
        if named is None:
            return
        looked_up = find_switch(observation.state, named)
        if isinstance(looked_up, str):
            return  # a refusal of the preconditions
        switch = looked_up
    current = read.switch if read is not None else None
    if current == (switch.id if switch is not None else None):
        return
    _add(
        found,
        f"adapter {wanted.name}",
        "switch",
        read.switch_name if read is not None else None,
        switch.name if switch is not None else None,
        Action(
            action="connect-adapter",
            arguments={
                "machine": machine.id,
                "name": wanted.name,
                "switch": switch.id if switch is not None else None,
            },
        ),
    )


def _add(
    found: Findings, named: str, what: str, read: Value, wanted: Value, action: Action
) -> None:
    found.changes.append(Change(object=named, what=what, read=read, wanted=wanted, steps=(action,)))


def _set(machine: Machine, name: str, **values: Any) -> Action:
    arguments: dict[str, Any] = {
        "machine": machine.id,
        "name": name,
        "mac_address": None,
        "mac_address_spoofing": None,
        "dhcp_guard": None,
        "router_guard": None,
    }
    return Action(action="set-adapter", arguments={**arguments, **values})


def _remove(machine: Machine, adapter: AdapterState, what: str) -> Change:
    return Change(
        object=f"adapter {adapter.name}",
        what=what,
        read=adapter.mac_address,
        kind=Kind.REMOVE,
        steps=(
            Action(
                action="remove-adapter",
                arguments={"machine": machine.id, "adapter": adapter.id},
            ),
        ),
    )
