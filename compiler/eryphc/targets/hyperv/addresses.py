"""The addresses that the network-config of a seed gives the adapters of a machine.

Whoever looks for the machine's address later falls back to them. Source: hyperv.md 8.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from eryphc.guestconfig.cloudconfig.nodes import plain
from eryphc.guestconfig.cloudconfig.tree import read_any
from eryphc.guestconfig.model import Adapter


def static_addresses(config: bytes, adapters: Iterable[Adapter]) -> dict[str, list[str]]:
    """By the name of the adapter, in the file's order; adapters without any are left out.

    `config` is a network-config of version 1 or 2 that was found valid.
    """
    root = read_any(config.decode("utf-8")).root
    whole = _map(plain(root) if root is not None else None)
    data = _map(whole.get("network", whole))
    names = {adapter.name: adapter.name for adapter in adapters}
    names |= {_digits(adapter.mac_address): adapter.name for adapter in adapters}
    found: dict[str, list[str]] = {}
    for mac, name, texts in (*_version_2(data), *_version_1(data)):
        adapter = names.get(_digits(mac)) if mac is not None else names.get(name)
        for text in texts:
            address = _address(text)
            if adapter is not None and address is not None:
                found.setdefault(adapter, []).append(address)
    return found


def _version_2(data: dict[str, Any]) -> Iterator[tuple[str | None, str, list[Any]]]:
    for key, entry in _map(data.get("ethernets")).items():
        values = _map(entry)
        mac = _map(values.get("match")).get("macaddress")
        name = str(values.get("set-name", key))
        texts = values.get("addresses") or []
        yield (str(mac) if mac is not None else None), name, texts


def _version_1(data: dict[str, Any]) -> Iterator[tuple[str | None, str, list[Any]]]:
    for item in data.get("config") or []:
        values = _map(item)
        if values.get("type") == "physical":
            mac = values.get("mac_address")
            texts = [_map(subnet).get("address") for subnet in values.get("subnets") or []]
            yield (str(mac) if mac is not None else None), str(values.get("name")), texts


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _digits(mac: str) -> str:
    return mac.replace(":", "").replace("-", "").upper()


def _address(text: Any) -> str | None:
    try:
        return str(ipaddress.ip_interface(str(text)).ip)
    except ValueError:
        return None
