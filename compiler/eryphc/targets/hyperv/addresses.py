"""The addresses that the user's network-config gives the adapters of a machine.

The runtime falls back to them when it looks for the machine's address.
Source: docs/reference/hyperv.md, "The address of a guest".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, plain
from eryphc.guest.model import Adapter


class _Entry(NamedTuple):
    """One interface of the file: known by its `mac`, or else by the first name that is one."""

    mac: str | None
    names: tuple[str, ...]
    texts: tuple[Any, ...]


def static_addresses(
    config: MappingNode, adapters: Iterable[Adapter]
) -> Mapping[str, tuple[str, ...]]:
    """By the name of the adapter, in the file's order; adapters without any are left out.

    `config` is a network-config of version 1 or 2, as the user wrote it, that was found valid.
    An entry belongs to the adapter whose address the guest's copy of the file gets there
    (`guest/network_file.py`).
    """
    data = _map(plain(config))
    by_mac, by_name = {}, {}
    for adapter in adapters:
        by_mac[_digits(adapter.mac_address)] = adapter.name
        by_name[adapter.name.lower()] = adapter.name
    found: dict[str, tuple[str, ...]] = {}
    for entry in (*_version_2(data), *_version_1(data)):
        if entry.mac is not None:
            name = by_mac.get(_digits(entry.mac))
        else:
            named = (by_name.get(each.lower()) for each in entry.names)
            name = next((each for each in named if each is not None), None)
        addresses = [known for each in entry.texts if (known := _address(each)) is not None]
        if name is not None and addresses:
            found[name] = (*found.get(name, ()), *addresses)
    return found


def _version_2(data: dict[str, Any]) -> Iterator[_Entry]:
    for key, value in _map(data.get("ethernets")).items():
        values = _map(value)
        match, renamed = values.get("match"), str(values.get("set-name", key))
        mac = _map(match).get("macaddress")
        yield _Entry(
            mac=str(mac) if mac is not None else None,
            # An entry that matches by something else is no more than what it is renamed to.
            names=(renamed,) if isinstance(match, dict) else (str(key), renamed),
            texts=tuple(values.get("addresses") or ()),
        )


def _version_1(data: dict[str, Any]) -> Iterator[_Entry]:
    for item in data.get("config") or []:
        values = _map(item)
        if values.get("type") == "physical":
            mac = values.get("mac_address")
            yield _Entry(
                mac=str(mac) if mac is not None else None,
                names=(str(values.get("name")),),
                texts=tuple(_map(subnet).get("address") for subnet in values.get("subnets") or ()),
            )


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _digits(mac: str) -> str:
    return mac.replace(":", "").replace("-", "").upper()


def _address(text: Any) -> str | None:
    try:
        return str(ipaddress.ip_interface(str(text)).ip)
    except ValueError:
        return None
