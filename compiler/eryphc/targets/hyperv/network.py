"""Network adapters and the switches they are connected to.

Source: docs/reference/hyperv.md, "MAC addresses of adapters", "Switches";
docs/reference/deployment.md, "A network adapter".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import nearest
from eryphc.frozen import NamedTuple
from eryphc.guest.model import Adapter
from eryphc.ir.catlet import Catlet, Network
from eryphc.lint.engine import Rule, judge
from eryphc.targets.hyperv.settings import HyperVDefaults
from eryphc.targets.hyperv.storage import setting

_MAC = re.compile("[0-9A-F]{12}")
_HOST_POOL = "00155D"
# The switch that Windows clients come with: its name and its id.
_DEFAULT_SWITCH = ("default switch", "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters in the catlet's order; `open_networks` are those whose switch is left open."""

    adapters: tuple[deployment.NetworkAdapter, ...]
    open_networks: tuple[str, ...]


class Networks(NamedTuple):
    """The networks of a catlet, and the `switches` and `vlans` of the project file by network."""

    catlet: Catlet
    settings: HyperVDefaults
    switches: Mapping[str, str]
    vlans: Mapping[str, int]

    @property
    def names(self) -> list[str]:
        return [network.name or "" for network in self.catlet.networks or ()]


def adapters(
    catlet: Catlet,
    addresses: tuple[Adapter, ...],
    settings: HyperVDefaults,
    static: Mapping[str, tuple[str, ...]],
) -> tuple[Adapters, tuple[Diagnostic, ...]]:
    """The adapters of the deployment, and what is wrong with them and their networks.

    `addresses` are the adapters with the MAC address of each, in the catlet's order; `static` the
    IP addresses that an adapter is told to take, by its name.
    """
    switches = {name.lower(): switch for name, switch in settings.switches or ()}
    vlans = {name.lower(): int(vlan) for name, vlan in settings.vlans or ()}
    networks = {network.adapter_name or "": network for network in catlet.networks or ()}
    found = judge(RULES, Networks(catlet, settings, switches, vlans))
    made: list[deployment.NetworkAdapter] = []
    open_networks: dict[str, None] = {}
    seen: dict[str, str] = {}
    for adapter, address in zip(catlet.network_adapters or (), addresses, strict=True):
        name = adapter.name or ""
        mac = re.sub("[:-]", "", address.mac_address).upper()
        if _MAC.fullmatch(mac) is None:
            # It has been reported; the rest of the catlet is still looked at.
            continue
        at = adapter.at("mac_address")
        if address.given and mac.startswith(_HOST_POOL):
            found.append(wording.mac_of_pool(address.mac_address, name, at))
        if int(mac[:2], 16) & 1 or not int(mac, 16):
            found.append(wording.multicast_mac(address.mac_address, name, at))
        if mac in seen:
            found.append(wording.duplicate_mac(address.mac_address, (seen[mac], name), at))
        seen.setdefault(mac, name)
        network = networks.get(name)
        switch: deployment.Setting | None = None
        vlan: int | None = None
        if network is None:
            found.append(wording.adapter_disconnected(name, adapter.at("name")))
        else:
            own = network.name or ""
            vlan = vlans.get(own)
            switch = setting(switches.get(own), f"switch-{own}")
            if switch.value is None:
                open_networks[own] = None
            found += _static_by_chance(network, name, switch, static.get(name, ()))
        made.append(
            deployment.NetworkAdapter(
                name=name,
                mac_address=mac,
                mac_address_spoofing=bool(adapter.mac_address_spoofing),
                dhcp_guard=bool(adapter.dhcp_guard),
                router_guard=bool(adapter.router_guard),
                network=network.name if network is not None else None,
                switch=switch,
                vlan=vlan,
                addresses=static.get(name, ()),
            )
        )
    return Adapters(adapters=tuple(made), open_networks=tuple(open_networks)), tuple(found)


def _static_by_chance(
    network: Network, adapter: str, switch: deployment.Setting, addresses: tuple[str, ...]
) -> Iterator[Diagnostic]:
    """Static addresses of an adapter that goes to the Default Switch, where the host has one."""
    own = network.name or ""
    named = switch.value
    may_be = own == "default" if named is None else named.lower() in _DEFAULT_SWITCH
    if addresses and may_be:
        yield wording.static_on_default_switch(addresses[0], adapter, own, network.at("name"))


def _switches(networks: Networks) -> Iterator[Diagnostic]:
    """Switches of networks that the catlet lacks, and names that no switch has."""
    names, switches, at = networks.names, networks.switches, networks.settings.at("switches")
    open_names = [name for name in names if name not in switches]
    for name, switch in switches.items():
        if not switch.strip() or _CONTROL.search(switch):
            fault = "is no name of a switch"
            yield wording.bad_setting(f"switches.{name}", switch, fault, at)
        if name not in names:
            yield wording.setting_unknown(
                "switches", name, "network", nearest(name, open_names), at
            )


def _vlans(networks: Networks) -> Iterator[Diagnostic]:
    """VLANs of networks that the catlet lacks."""
    names, vlans, at = networks.names, networks.vlans, networks.settings.at("vlans")
    open_names = [name for name in names if name not in vlans]
    for name in vlans:
        if name not in names:
            yield wording.setting_unknown("vlans", name, "network", nearest(name, open_names), at)


def _subnets(networks: Networks) -> Iterator[Diagnostic]:
    """Subnets and pools of addresses that no switch of a host has."""
    for network in networks.catlet.networks or ():
        for key, subnet in (("subnet_v4", network.subnet_v4), ("subnet_v6", network.subnet_v6)):
            if subnet is None:
                continue
            if not subnet.is_plain:
                what = "subnet" if subnet.ip_pool is None else "subnet and pool of addresses"
                span = network.at(key)
                yield wording.subnet_ignored(network.name or "", what, span)


RULES: Final[tuple[Rule[Networks], ...]] = (
    Rule(wording.SUBNET_IGNORED, _subnets),
    Rule(wording.SETTING_UNKNOWN, _vlans, more=(wording.SETTING_ELSEWHERE,)),
    Rule(wording.BAD_SETTING, _switches, more=(wording.SETTING_UNKNOWN, wording.SETTING_ELSEWHERE)),
)
# Found on the way to an adapter.
KINDS: Final = (
    wording.MAC_OF_POOL,
    wording.ADAPTER_DISCONNECTED,
    wording.STATIC_ON_DEFAULT_SWITCH,
)
