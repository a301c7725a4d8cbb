"""The static IP addresses that a network-config of the user gives to one machine.

Source: docs/reference/guest-configuration.md, "network-config".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.model import Adapter
from eryphc.source import SourceText, Span

_DEVICES: Final = ("ethernets", "bonds", "bridges", "vlans")


class StaticAddress(NamedTuple):
    """An address without its prefix, the entry that has it, and its place in the file."""

    address: str
    entry: str
    span: Span


def static_addresses_in(
    source: SourceText, reader: TextReader, adapters: Sequence[Adapter]
) -> Iterator[StaticAddress]:
    """The addresses for a machine with these adapters. A file that cannot be read has none.

    What is matched by the MAC address of another machine is not for this one. Addresses that hold
    for one link or for the machine itself alone are left out.
    """
    root = reader.read_any(source.text).root
    network = root.get("network") if isinstance(root, MappingNode) else None
    network = network if isinstance(network, MappingNode) else root
    if not isinstance(network, MappingNode):
        return
    own = {_digits(adapter.mac_address) for adapter in adapters}
    for name, mac, node in (*_version_2(network), *_version_1(network)):
        written = _text(mac)
        if written is not None and _digits(written) not in own:
            continue
        address = _address(node)
        if address is not None:
            yield StaticAddress(address, name, Span(source, node.start, node.end))


def _version_2(network: MappingNode) -> Iterator[tuple[str, Node | None, Node]]:
    for device in _DEVICES:
        section = network.get(device)
        for key, entry in section.entries.items() if isinstance(section, MappingNode) else ():
            if isinstance(entry, MappingNode):
                match = entry.get("match")
                mac = match.get("macaddress") if isinstance(match, MappingNode) else None
                for node in _items(entry.get("addresses")):
                    yield str(key), mac, node


def _version_1(network: MappingNode) -> Iterator[tuple[str, Node | None, Node]]:
    for item in _items(network.get("config")):
        if isinstance(item, MappingNode):
            # The address of a bond or a bridge is one that it gets, not one that it is found by.
            mac = item.get("mac_address") if item.text("type") == "physical" else None
            for subnet in _items(item.get("subnets")):
                node = subnet.get("address") if isinstance(subnet, MappingNode) else None
                if node is not None:
                    yield item.text("name") or "", mac, node


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _text(node: Node | None) -> str | None:
    return None if not isinstance(node, Scalar) or node.value is None else str(node.value)


def _digits(mac: str) -> str:
    return mac.replace(":", "").replace("-", "").upper()


def _address(node: Node) -> str | None:
    # With options it is the key of a map: `{192.0.2.5/24: {label: x}}`.
    key = next(iter(node.entries), None) if isinstance(node, MappingNode) else None
    text = _text(node) if key is None else str(key)
    try:
        found = ipaddress.ip_interface(text or "").ip
    except ValueError:
        return None
    return None if found.is_link_local or found.is_loopback or found.is_unspecified else str(found)
