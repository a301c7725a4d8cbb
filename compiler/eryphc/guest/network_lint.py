"""What renderers make of a network-config beyond its schema.

Source: docs/reference/cloud-init.md, "Renderers of network-config",
"Mistakes in a network-config"; docs/reference/windows-guests.md, "Network".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.guest_agents import ADDRESS_WITHOUT_PREFIX, address_without_prefix
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.said import Own, Said, named, own
from eryphc.diagnostics.words import close_matches
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.document import LONGEST_NAME, OLD_WINDOWS
from eryphc.guest.model import GuestAgent, GuestKind, Reader
from eryphc.lint.engine import Rule, judge
from eryphc.source import SourceText, Span

_ADDRESS: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")
_DEFAULT_ROUTES: Final = ("default", "0.0.0.0/0", "::/0")
_DEVICES: Final = ("ethernets", "bonds", "bridges", "vlans")
# Devices that the guest makes itself, under the names that the file gives them.
_NEW_DEVICES: Final = ("bonds", "bridges", "vlans", "dummy-devices", "tunnels", "vrfs")
# What cloud-init turns into the words of other renderers; it fails on any other parameter
# (`NET_CONFIG_TO_V2` of cloudinit/net/network_state.py).
_PARAMETERS: Final = {
    "bonds": (
        *("ad-select", "arp-interval", "arp-ip-target", "arp-validate", "down-delay"),
        *("fail-over-mac-policy", "lacp-rate", "mii-monitor-interval", "min-links", "mode"),
        *("gratuitous-arp", "gratuitious-arp", "primary", "primary-reselect-policy", "up-delay"),
        "transmit-hash-policy",
    ),
    "bridges": (
        *("ageing-time", "priority", "forward-delay", "hello-time", "max-age", "path-cost"),
        *("port-priority", "stp"),
    ),
}
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


class Network(NamedTuple):
    """The data of a network-config, without the key `network` around it."""

    guest: GuestKind
    source: SourceText
    root: MappingNode
    version: int
    reader: Reader

    def place(self, node: Node) -> Span:
        text = self.source.text
        end = text.find("\n", node.start)
        return Span(self.source, node.start, min(node.end, len(text) if end == -1 else end))

    def doubt(self, problem: str, node: Node, label: str = "") -> Diagnostic:
        return wording.network_entry_doubtful(Said(problem), self.place(node), Own(label))

    def unread(self, problem: str, node: Node) -> Diagnostic:
        return wording.network_not_read_by_windows(Said(problem), self.place(node))

    def entries(self) -> Iterator[tuple[str, MappingNode]]:
        """The devices of version 2 by their names, in the order in which they are set up."""
        for device in _DEVICES:
            for name, entry, _ in _entries(self.root.get(device)):
                yield name, entry

    def items(self) -> Iterator[tuple[str, MappingNode]]:
        """The entries of version 1 by their names."""
        for item in _items(self.root.get("config")):
            if isinstance(item, MappingNode):
                yield item.text("name") or "", item

    def subnets(self) -> Iterator[tuple[str, MappingNode]]:
        """The subnets of version 1 by the names of their entries."""
        for name, item in self.items():
            for subnet in _items(item.get("subnets")):
                if isinstance(subnet, MappingNode):
                    yield name, subnet


def lint(
    guest: GuestKind, source: SourceText, network: MappingNode, version: int, reader: Reader
) -> list[Diagnostic]:
    """Errors for what leaves every guest without network, else warnings."""
    rules = VERSION_2_RULES if version == 2 else VERSION_1_RULES
    return judge(rules, Network(guest, source, network, version, reader))


# --- what a guest does not read ----------------------------------------------------------------


def _sections_of_netplan(network: Network) -> Iterator[Diagnostic]:
    if network.guest is GuestKind.LINUX:
        for written, node in network.root.keys.items():
            if str(written) not in (*_WINDOWS_V2, "bridges"):
                yield network.doubt(f"only guests with netplan read `{written!s}`", node)


def _of_egs(network: Network, problem: str, node: Node) -> Iterator[Diagnostic]:
    level = network.reader.level(GuestAgent.EGS, Level.WARNING)
    if network.guest is GuestKind.WINDOWS and level is not None:
        yield network.unread(problem, node)._replace(level=level)


def _version_1_of_egs(network: Network) -> Iterator[Diagnostic]:
    for name, subnet in network.subnets():
        address = subnet.get("address")
        if isinstance(address, Scalar) and ":" in str(address.value):
            problem = f"eryph's guest services lose the IPv6 address of `{name}` in version 1"
            yield from _of_egs(network, problem, address)
    for name, item in network.items():
        word = item.text("type") or ""
        if word not in ("", "physical", "nameserver"):
            problem = f"`{name}`: eryph's guest services do not apply `{word}` entries"
            yield from _of_egs(network, problem, item)


def _version_2_of_egs(network: Network) -> Iterator[Diagnostic]:
    for name, entry, _ in _entries(network.root.get("ethernets")):
        match = entry.get("match")
        if match is not None and not network.reader.after_0_5_0:
            problem = (
                f"eryph's guest services up to 0.5.0 drop the whole file because of `match` of "
                f"`{name}`"
            )
            yield from _of_egs(network, problem, match)
            break
    for device in ("bonds", "bridges", "vlans"):
        node = network.root.get(device)
        if node is not None:
            problem = f"eryph's guest services do not apply `{device}`"
            yield from _of_egs(network, problem, node)
    for name, entry, _ in _entries(network.root.get("ethernets")):
        renamed = entry.get("set-name")
        if renamed is not None:
            problem = f"eryph's guest services do not rename `{name}`"
            yield from _of_egs(network, problem, renamed)


def _of_cloudbase_init(network: Network, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    level = network.reader.level(GuestAgent.CLOUDBASE_INIT, Level.WARNING)
    if network.guest is GuestKind.WINDOWS and level is not None:
        for each in found:
            yield each._replace(level=level)


def _sections_unread(network: Network) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(network, _sections_unread_by_cbi(network))


def _sections_unread_by_cbi(network: Network) -> Iterator[Diagnostic]:
    for written, node in network.root.keys.items():
        if str(written) not in _WINDOWS_V2:
            problem = f"cloudbase-init does not read `{written!s}` of a network-config"
            yield network.unread(problem, node)
    yield network.unread(OLD_WINDOWS, network.root.keys["version"])
    for name, entry, key in _entries(network.root.get("ethernets")):
        if _matched_address(entry) is None:
            problem = f"cloudbase-init finds no adapter for `{name}` without its address"
            yield network.unread(problem, key)


def _items_unread(network: Network) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(network, _items_unread_by_cbi(network))


def _items_unread_by_cbi(network: Network) -> Iterator[Diagnostic]:
    for name, item in network.items():
        word = item.text("type") or ""
        if word and word not in _WINDOWS_V1:
            yield network.unread(f"cloudbase-init does not read `{word}` entries", item)
        if word == "physical" and item.get("mac_address") is None:
            problem = f"cloudbase-init finds no adapter for `{name}` without its address"
            yield network.unread(problem, item)


def _unknown_keys(network: Network) -> Iterator[Diagnostic]:
    for name, entry in network.entries():
        for written, place in entry.keys.items():
            key = str(written)
            if key not in _ENTRY_KEYS:
                close = ["dhcp4"] if key == "dhcp" else close_matches(key, _ENTRY_KEYS)
                meant = f", did you mean `{close[0]}`?" if close else ""
                problem = f"`{key}` of `{name}` is not known{meant}"
                yield network.doubt(problem, place, "netplan refuses the whole file")


def _unknown_parameters(network: Network) -> Iterator[Diagnostic]:
    if network.guest is not GuestKind.LINUX:
        return
    for section, known in _PARAMETERS.items():
        for name, entry, _ in _entries(network.root.get(section)):
            parameters = entry.get("parameters")
            keys = parameters.keys if isinstance(parameters, MappingNode) else {}
            for key, place in keys.items():
                written = str(key)
                if written not in known:
                    problem = (
                        f"only guests with netplan may know the parameter `{written}` of `{name}`"
                    )
                    yield network.doubt(problem, place, "others then set up no network")


# --- addresses and routes ----------------------------------------------------------------------


def _addresses_for_egs(network: Network) -> Iterator[Diagnostic]:
    """Addresses at which eryph's guest services stop; a netmask does not help."""
    is_windows = network.guest is GuestKind.WINDOWS
    level = network.reader.level(GuestAgent.EGS, Level.ERROR, Level.WARNING)
    if not is_windows or level is None:
        return
    nodes = [node for _, entry in network.entries() for node in _items(entry.get("addresses"))]
    nodes += [node for _, subnet in network.subnets() if (node := subnet.get("address"))]
    for node in nodes:
        if isinstance(node, Scalar) and "/" not in str(node.value):
            yield address_without_prefix(named(str(node.value)), level, network.place(node))


def _is_told(network: Network) -> bool:
    """Whether addresses without a prefix are findings about eryph's guest services."""
    return network.guest is GuestKind.WINDOWS and network.reader.may_be(GuestAgent.EGS)


def _without_prefix(network: Network) -> Iterator[Diagnostic]:
    if _is_told(network):
        return
    for name, entry in network.entries():
        for node in _items(entry.get("addresses")):
            if isinstance(node, Scalar) and "/" not in str(node.value):
                problem = f"`{node.value!s}` of `{name}` has no prefix length"
                yield network.doubt(problem, node, "expected `/24` or so")


def _without_netmask(network: Network) -> Iterator[Diagnostic]:
    if _is_told(network):
        return
    for name, subnet in network.subnets():
        node = subnet.get("address")
        if (
            isinstance(node, Scalar)
            and "/" not in str(node.value)
            and subnet.get("netmask") is None
        ):
            problem = f"`{node.value!s}` of `{name}` has no prefix length"
            yield network.doubt(problem, node, "expected `/24` or a `netmask`")


def _default_by_word(network: Network) -> Iterator[Diagnostic]:
    if network.guest is not GuestKind.LINUX:
        return
    for name, entry in network.entries():
        for route in _default_routes(entry):
            target = route.get("to")
            if isinstance(target, Scalar) and target.value == "default":
                yield network.doubt(
                    f"`to: default` of `{name}` leaves guests without netplan and with a"
                    " cloud-init before 25.3 without network",
                    target,
                    "write `0.0.0.0/0` or `::/0`",
                )


def _default_routes(entry: MappingNode) -> Iterator[MappingNode]:
    for route in _items(entry.get("routes")):
        if isinstance(route, MappingNode):
            target = route.get("to")
            if isinstance(target, Scalar) and target.value in _DEFAULT_ROUTES:
                yield route


class _Gateway(NamedTuple):
    """A default route: of which entry, for IPv4 or IPv6, its metric and where it is written."""

    name: str
    family: str
    metric: Node | None
    node: Node


def _gateways_of_entries(network: Network) -> Iterator[Diagnostic]:
    yield from _gateways_twice(network, _gateways(network))


def _gateways(network: Network) -> Iterator[_Gateway]:
    for name, entry in network.entries():
        for key, family in (("gateway4", "4"), ("gateway6", "6")):
            gateway = entry.get(key)
            if gateway is not None:
                yield _Gateway(name, family, None, gateway)
        for route in _default_routes(entry):
            target = route.entries["to"]
            written = target.value if isinstance(target, Scalar) else ""
            six = ":" in str(written) or ":" in (route.text("via") or "")
            yield _Gateway(name, "6" if six else "4", route.get("metric"), target)


def _gateways_of_subnets(network: Network) -> Iterator[Diagnostic]:
    found = (
        _Gateway(name, "6" if ":" in str(node.value) else "4", subnet.get("metric"), node)
        for name, subnet in network.subnets()
        if isinstance(node := subnet.get("gateway"), Scalar)
    )
    yield from _gateways_twice(network, found)


def _gateways_twice(network: Network, gateways: Iterable[_Gateway]) -> Iterator[Diagnostic]:
    known: dict[tuple[str, str], str] = {}
    for name, family, metric, node in gateways:
        weight = str(metric.value) if isinstance(metric, Scalar) else ""
        other = known.get((family, weight))
        known.setdefault((family, weight), name)
        if other is not None:
            yield network.doubt(
                f"`{name}` has two default routes for IPv{family}"
                if other == name
                else f"`{other}` and `{name}` both have a default route for IPv{family}",
                node,
                "only one of them works",
            )


# --- adapters ----------------------------------------------------------------------------------


def _names(network: Network) -> Iterator[Diagnostic]:
    members = _bridge_members(network.root)
    for name, entry, _ in _entries(network.root.get("ethernets")):
        renamed = entry.get("set-name")
        if renamed is None:
            continue
        if entry.get("match") is None:
            problem = f"`set-name` of `{name}` has no `match`"
            yield network.doubt(problem, renamed, "netplan refuses the whole file")
        value = renamed.value if isinstance(renamed, Scalar) else ""
        if isinstance(value, str) and _is_too_long(network, value):
            problem = f"`{value}`, the name of `{name}`, is longer than {LONGEST_NAME} bytes"
            yield network.doubt(problem, renamed, "no name in Linux")
        if name in members:
            problem = (
                f"`{name}` is renamed and a member of a bridge, which guests without netplan set "
                "up wrongly"
            )
            yield network.doubt(problem, renamed)


def _is_too_long(network: Network, name: str) -> bool:
    if network.guest is not GuestKind.LINUX:
        return False
    return len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME


def _long_names(network: Network) -> Iterator[Diagnostic]:
    """Names that the guest gives to new devices. That of an adapter may only be its entry's id."""
    for section in _NEW_DEVICES:
        for name, _, key in _entries(network.root.get(section)):
            if _is_too_long(network, name):
                problem = f"`{name}` is longer than {LONGEST_NAME} bytes"
                yield network.doubt(problem, key, "no name in Linux")


def _long_names_of_items(network: Network) -> Iterator[Diagnostic]:
    for name, item in network.items():
        if item.get("name") is not None and _is_too_long(network, name):
            problem = f"`{name}` is longer than {LONGEST_NAME} bytes"
            yield network.doubt(problem, item.entries["name"], "no name in Linux")


def _matched_address(entry: MappingNode) -> Node | None:
    match = entry.get("match")
    return match.get("macaddress") if isinstance(match, MappingNode) else None


def _addresses(network: Network) -> Iterator[tuple[str, Scalar]]:
    """The MAC addresses by which adapters are found, of both versions."""
    found: list[tuple[str, Node | None]] = [
        (name, _matched_address(entry))
        for name, entry, _ in _entries(network.root.get("ethernets"))
        if network.version == 2
    ]
    found += [
        (name, item.get("mac_address"))
        for name, item in network.items()
        if network.version == 1 and item.text("type") == "physical"
    ]
    for name, node in found:
        if isinstance(node, Scalar):
            yield name, node


def _addresses_that_are_numbers(network: Network) -> Iterator[Diagnostic]:
    for _, node in _addresses(network):
        if not isinstance(node.value, str):
            written = network.source.text[node.start : node.end]
            yield wording.network_address_not_text(Said(written), network.place(node))


def _addresses_that_are_none(network: Network) -> Iterator[Diagnostic]:
    for _, node in _addresses(network):
        if isinstance(node.value, str) and not _ADDRESS.match(node.value.lower()):
            problem = own("`{}` is no MAC address", Said(node.value))
            yield wording.network_config_invalid(problem, network.place(node))


def _addresses_in_capitals(network: Network) -> Iterator[Diagnostic]:
    """Addresses of adapters that get a name: cloud-init compares them with small letters.

    Source: docs/reference/cloud-init.md, "Mistakes in a network-config".
    """
    if network.guest is not GuestKind.LINUX:
        return
    unnamed = {
        name
        for name, entry, _ in _entries(network.root.get("ethernets"))
        if entry.get("set-name") is None and network.reader.word is not GuestAgent.NUAGEINIT
    }
    for name, node in _addresses(network):
        written = str(node.value)
        if name in unnamed or not _ADDRESS.match(written.lower()) or written == written.lower():
            continue
        problem = f"the address of `{name}` has capital letters: the guest finds no adapter by it"
        yield network.doubt(problem, node, "no network is set up then")


def _addresses_twice(network: Network) -> Iterator[Diagnostic]:
    known: dict[str, tuple[str, Span]] = {}
    for name, node in _addresses(network):
        if not isinstance(node.value, str):
            continue
        address, place = node.value.lower(), network.place(node)
        if address in known:
            other, first = known[address]
            yield wording.network_address_twice(
                named(address), place, first, (named(other), named(name))
            )
        known.setdefault(address, (name, place))


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


_ADDRESS_RULES: Final[tuple[Rule[Network], ...]] = (
    Rule(wording.NETWORK_ADDRESS_NOT_TEXT, _addresses_that_are_numbers),
    Rule(wording.NETWORK_CONFIG_INVALID, _addresses_that_are_none),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _addresses_in_capitals),
    Rule(wording.NETWORK_ADDRESS_TWICE, _addresses_twice),
)
VERSION_1_RULES: Final[tuple[Rule[Network], ...]] = (
    Rule(ADDRESS_WITHOUT_PREFIX, _addresses_for_egs),
    Rule(wording.NETWORK_NOT_READ_BY_WINDOWS, _version_1_of_egs),
    Rule(wording.NETWORK_NOT_READ_BY_WINDOWS, _items_unread),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _without_netmask),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _gateways_of_subnets),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _long_names_of_items),
    *_ADDRESS_RULES,
)
VERSION_2_RULES: Final[tuple[Rule[Network], ...]] = (
    Rule(ADDRESS_WITHOUT_PREFIX, _addresses_for_egs),
    Rule(wording.NETWORK_NOT_READ_BY_WINDOWS, _version_2_of_egs),
    Rule(wording.NETWORK_NOT_READ_BY_WINDOWS, _sections_unread),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _sections_of_netplan),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _unknown_keys),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _unknown_parameters),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _without_prefix),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _default_by_word),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _gateways_of_entries),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _names),
    Rule(wording.NETWORK_ENTRY_DOUBTFUL, _long_names),
    *_ADDRESS_RULES,
)
