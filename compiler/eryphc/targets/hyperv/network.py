"""Network adapters and the switches they are connected to.

Sources: hyperv.md 5 (MAC), 7; docs/deployment.md, "A network adapter".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.guestconfig.model import Adapter
from eryphc.ir.catlet import Catlet, Network
from eryphc.targets.hyperv.settings import HyperVDefaults
from eryphc.targets.hyperv.storage import setting

_MAC = re.compile("[0-9A-F]{12}")
_HOST_POOL = "00155D"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(slots=True)
class Adapters:
    """The adapters in the catlet's order; `open_networks` are those whose switch is left open."""

    adapters: list[dict[str, Any]] = field(default_factory=list)
    open_networks: list[str] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)


def adapters(catlet: Catlet, addresses: tuple[Adapter, ...], settings: HyperVDefaults) -> Adapters:
    result = Adapters()
    switches = {name.lower(): switch for name, switch in settings.switches or ()}
    vlans = {name.lower(): int(vlan) for name, vlan in settings.vlans or ()}
    networks = _by_adapter(catlet, result)
    _check_vlans(catlet, settings, vlans, result)
    _check_switches(catlet, settings, switches, result)
    seen: dict[str, str] = {}
    for adapter, address in zip(catlet.network_adapters or (), addresses, strict=True):
        name = adapter.name or ""
        mac = re.sub("[:-]", "", address.mac_address).upper()
        if _MAC.fullmatch(mac) is None:
            # It has been reported; the rest of the catlet is still looked at.
            continue
        at = adapter.at("mac_address")
        if address.given and mac.startswith(_HOST_POOL):
            result.found.append(wording.mac_of_pool(address.mac_address, name, at))
        if int(mac[:2], 16) & 1 or not int(mac, 16):
            result.found.append(wording.multicast_mac(address.mac_address, name, at))
        if mac in seen:
            result.found.append(wording.duplicate_mac(address.mac_address, (seen[mac], name), at))
        seen.setdefault(mac, name)
        network = networks.get(name)
        switch: dict[str, Any] | None = None
        vlan: int | None = None
        if network is None:
            result.found.append(wording.adapter_disconnected(name, adapter.at("name")))
        else:
            own = network.name or ""
            vlan = vlans.get(own)
            switch = setting(switches.get(own), f"switch-{own}")
            if switch["value"] is None and own not in result.open_networks:
                result.open_networks.append(own)
        result.adapters.append(
            {
                "name": name,
                "mac_address": mac,
                "mac_address_spoofing": bool(adapter.mac_address_spoofing),
                "dhcp_guard": bool(adapter.dhcp_guard),
                "router_guard": bool(adapter.router_guard),
                "network": network.name if network is not None else None,
                "switch": switch,
                "vlan": vlan,
                "addresses": [],
            }
        )
    return result


def _check_switches(
    catlet: Catlet, settings: HyperVDefaults, switches: Mapping[str, str], result: Adapters
) -> None:
    """Switches of networks that the catlet lacks, and names that no switch has."""
    at = settings.at("switches")
    names = [network.name or "" for network in catlet.networks or ()]
    open_names = [name for name in names if name not in switches]
    for name, switch in switches.items():
        if not switch.strip() or _CONTROL.search(switch):
            fault = "is no name of a switch"
            result.found.append(wording.bad_setting(f"switches.{name}", switch, fault, at))
        if name not in names:
            found = wording.setting_unknown("switches", name, "network", open_names, at)
            result.found.append(found)


def _check_vlans(
    catlet: Catlet, settings: HyperVDefaults, vlans: Mapping[str, int], result: Adapters
) -> None:
    """VLANs of networks that the catlet lacks."""
    names = [network.name or "" for network in catlet.networks or ()]
    at = settings.at("vlans")
    open_names = [name for name in names if name not in vlans]
    result.found += [
        wording.setting_unknown("vlans", name, "network", open_names, at)
        for name in vlans
        if name not in names
    ]


def _by_adapter(catlet: Catlet, result: Adapters) -> dict[str, Network]:
    """The network of each adapter: at most one, as normalising a catlet sees to."""
    found: dict[str, Network] = {}
    for network in catlet.networks or ():
        found[network.adapter_name or ""] = network
        for key, subnet in (("subnet_v4", network.subnet_v4), ("subnet_v6", network.subnet_v6)):
            if subnet is None:
                continue
            plain = (subnet.name or "default") == "default" and (
                (subnet.ip_pool or "default") == "default"
            )
            if not plain:
                what = "subnet" if subnet.ip_pool is None else "subnet and pool of addresses"
                span = network.at(key)
                result.found.append(wording.subnet_ignored(network.name or "", what, span))
    return found
