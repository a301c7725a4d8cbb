"""What renderers make of a network-config beyond its schema.

Source: cloud-init.md 1.4 (its table and its lint), 6.5 item 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.suggest import close_matches
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.model import GuestKind
from eryphc.guest.network import LONGEST_NAME, OLD_WINDOWS
from eryphc.source import SourceText, Span

_ADDRESS: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")
_DEFAULT_ROUTES: Final = ("default", "0.0.0.0/0", "::/0")
_DEVICES: Final = ("ethernets", "bonds", "bridges", "vlans")
# The keys of an entry that netplan 1.1 reads; one that it does not know makes it refuse all.
_ENTRY_KEYS: Final = (
    "accept-ra",
    "activation-mode",
    "addresses",
    "auth",
    "critical",
    "delay-virtual-functions-rebind",
    "dhcp-identifier",
    "dhcp4",
    "dhcp4-overrides",
    "dhcp6",
    "dhcp6-overrides",
    "embedded-switch-mode",
    "emit-lldp",
    "gateway4",
    "gateway6",
    "generic-receive-offload",
    "generic-segmentation-offload",
    "hairpin",
    "id",
    "ignore-carrier",
    "infiniband-mode",
    "interfaces",
    "ipv6-address-generation",
    "ipv6-address-token",
    "ipv6-mtu",
    "ipv6-privacy",
    "large-receive-offload",
    "link",
    "link-local",
    "macaddress",
    "match",
    "mtu",
    "nameservers",
    "neigh-suppress",
    "openvswitch",
    "optional",
    "optional-addresses",
    "parameters",
    "port-mac-learning",
    "ra-overrides",
    "receive-checksum-offload",
    "renderer",
    "routes",
    "routing-policy",
    "set-name",
    "tcp-segmentation-offload",
    "tcp6-segmentation-offload",
    "transmit-checksum-offload",
    "virtual-function-count",
    "wakeonlan",
)
_WINDOWS_V2: Final = ("version", "ethernets", "bonds", "vlans", "renderer")
_WINDOWS_V1: Final = ("physical", "bond", "vlan", "nameserver")


def lint(
    guest: GuestKind, source: SourceText, network: MappingNode, version: int
) -> list[Diagnostic]:
    """Errors for what leaves every guest without network, else warnings."""
    rules = _Rules(guest, source)
    if version == 2:
        rules.version_2(network)
    else:
        rules.version_1(network)
    return rules.found


class _Rules:
    def __init__(self, guest: GuestKind, source: SourceText) -> None:
        self.guest = guest
        self.source = source
        self.found: list[Diagnostic] = []
        self.addresses: dict[str, tuple[str, Span]] = {}
        self.gateways: dict[str, str] = {}

    def place(self, node: Node) -> Span:
        text = self.source.text
        end = text.find("\n", node.start)
        return Span(self.source, node.start, min(node.end, len(text) if end == -1 else end))

    def doubt(self, problem: str, node: Node, label: str = "") -> None:
        self.found.append(wording.network_entry_doubtful(problem, self.place(node), label))

    def version_2(self, network: MappingNode) -> None:
        for written, node in network.keys.items():
            key = str(written)
            if self.guest is GuestKind.WINDOWS and key not in _WINDOWS_V2:
                self.windows(f"cloudbase-init does not read `{key}` of a network-config", node)
            elif key not in (*_WINDOWS_V2, "bridges") and self.guest is GuestKind.LINUX:
                self.doubt(f"only guests with netplan read `{key}`", node)
        if self.guest is GuestKind.WINDOWS:
            self.windows(OLD_WINDOWS, network.keys["version"])
        members = _bridge_members(network)
        for device in _DEVICES:
            for name, entry, place in _entries(network.get(device)):
                self.entry(name, entry)
                if device == "ethernets":
                    self.ethernet(name, entry, place, members)

    def entry(self, name: str, entry: MappingNode) -> None:
        for written, place in entry.keys.items():
            key = str(written)
            if key not in _ENTRY_KEYS:
                close = ["dhcp4"] if key == "dhcp" else close_matches(key, _ENTRY_KEYS)
                meant = f", did you mean `{close[0]}`?" if close else ""
                self.doubt(
                    f"`{key}` of `{name}` is not known{meant}",
                    place,
                    "netplan refuses the whole file",
                )
        for node in _items(entry.get("addresses")):
            if isinstance(node, Scalar) and "/" not in str(node.value):
                self.doubt(
                    f"`{node.value!s}` of `{name}` has no prefix length",
                    node,
                    "expected `/24` or so",
                )
        for key in ("gateway4", "gateway6"):
            gateway = entry.get(key)
            if gateway is not None:
                self.default_route(name, "6" if key == "gateway6" else "4", None, gateway)
        for route in _items(entry.get("routes")):
            if isinstance(route, MappingNode):
                self.route(name, route)

    def route(self, name: str, route: MappingNode) -> None:
        target = route.get("to")
        if not isinstance(target, Scalar) or target.value not in _DEFAULT_ROUTES:
            return
        if target.value == "default" and self.guest is GuestKind.LINUX:
            self.doubt(
                f"`to: default` of `{name}` leaves guests without netplan and with a cloud-init"
                " before 25.3 without network",
                target,
                "write `0.0.0.0/0` or `::/0`",
            )
        six = ":" in str(target.value) or ":" in (route.text("via") or "")
        self.default_route(name, "6" if six else "4", route.get("metric"), target)

    def default_route(self, name: str, family: str, metric: Node | None, node: Node) -> None:
        weight = str(metric.value) if isinstance(metric, Scalar) else ""
        slot = f"{family} {weight}"
        other = self.gateways.get(slot)
        self.gateways.setdefault(slot, name)
        if other is not None:
            self.doubt(
                f"`{name}` has two default routes for IPv{family}"
                if other == name
                else f"`{other}` and `{name}` both have a default route for IPv{family}",
                node,
                "only one of them works",
            )

    def ethernet(self, name: str, entry: MappingNode, key: Scalar, members: frozenset[str]) -> None:
        match = entry.get("match")
        address = match.get("macaddress") if isinstance(match, MappingNode) else None
        if address is not None:
            self.address(name, address)
        elif self.guest is GuestKind.WINDOWS:
            self.windows(f"cloudbase-init finds no adapter for `{name}` without its address", key)
        renamed = entry.get("set-name")
        if renamed is None:
            return
        if match is None:
            self.doubt(
                f"`set-name` of `{name}` has no `match`", renamed, "netplan refuses the whole file"
            )
        self.name(name, renamed)
        if name in members:
            self.doubt(
                f"`{name}` is renamed and a member of a bridge, which guests set up wrongly",
                renamed,
            )

    def name(self, name: str, node: Node) -> None:
        value = node.value if isinstance(node, Scalar) else ""
        if (
            self.guest is GuestKind.LINUX
            and isinstance(value, str)
            and len(value.encode("utf-8", "surrogatepass")) > LONGEST_NAME
        ):
            self.doubt(
                f"`{value}`, the name of `{name}`, is longer than {LONGEST_NAME} bytes",
                node,
                "no name in Linux",
            )

    def address(self, name: str, node: Node) -> None:
        if not isinstance(node, Scalar):
            return
        place = self.place(node)
        if not isinstance(node.value, str):
            written = self.source.text[node.start : node.end]
            self.found.append(wording.network_address_not_text(written, place))
            return
        address = node.value.lower()
        if not _ADDRESS.match(address):
            problem = f"`{node.value}` is no MAC address"
            self.found.append(wording.network_config_invalid(problem, place))
        elif address != node.value:
            self.doubt(f"the address of `{name}` has capital letters", node, "write them small")
        if address in self.addresses:
            other, first = self.addresses[address]
            names = (other, name)
            self.found.append(wording.network_address_twice(address, place, first, names))
        self.addresses.setdefault(address, (name, place))

    def version_1(self, network: MappingNode) -> None:
        for item in _items(network.get("config")):
            if not isinstance(item, MappingNode):
                continue
            word, name = item.text("type") or "", item.text("name") or ""
            if self.guest is GuestKind.WINDOWS and word and word not in _WINDOWS_V1:
                self.windows(f"cloudbase-init does not read `{word}` entries", item)
            if word == "physical":
                address = item.get("mac_address")
                if address is not None:
                    self.address(name, address)
                elif self.guest is GuestKind.WINDOWS:
                    self.windows(
                        f"cloudbase-init finds no adapter for `{name}` without its address", item
                    )
            for subnet in _items(item.get("subnets")):
                if isinstance(subnet, MappingNode):
                    self.subnet(name, subnet)

    def subnet(self, name: str, subnet: MappingNode) -> None:
        address = subnet.get("address")
        if (
            isinstance(address, Scalar)
            and "/" not in str(address.value)
            and subnet.get("netmask") is None
        ):
            self.doubt(
                f"`{address.value!s}` of `{name}` has no prefix length",
                address,
                "expected `/24` or a `netmask`",
            )
        gateway = subnet.get("gateway")
        if isinstance(gateway, Scalar):
            family = "6" if ":" in str(gateway.value) else "4"
            self.default_route(name, family, subnet.get("metric"), gateway)

    def windows(self, problem: str, node: Node) -> None:
        self.found.append(wording.network_not_read_by_windows(problem, self.place(node)))


def _entries(node: Node | None) -> Iterator[tuple[str, MappingNode, Scalar]]:
    if isinstance(node, MappingNode):
        for key, entry in node.entries.items():
            if isinstance(entry, MappingNode):
                yield str(key), entry, node.keys[key]


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()


def _bridge_members(network: MappingNode) -> frozenset[str]:
    return frozenset(
        str(member.value)
        for _, entry, _ in _entries(network.get("bridges"))
        for member in _items(entry.get("interfaces"))
        if isinstance(member, Scalar)
    )
