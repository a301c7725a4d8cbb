"""The guest's `network-config`: written for adapters whose addresses hold, or the user's own.

Source: cli.md ("network-config"), cloud-init.md 1.4: with an address that the machine does not
have, a guest comes up without network, so nothing is written where the address is a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, has_errors
from eryphc.guestconfig.metadata import quoted
from eryphc.guestconfig.model import Adapter, GuestKind, GuestRequest, NetworkConfigMode

Network = tuple[bytes | None, tuple[Diagnostic, ...]]
LONGEST_NAME: Final = 15
"""Bytes of an adapter's name in a Linux kernel (IFNAMSIZ without its end)."""

_LINUX_SIGNS: Final = "_.-"


def network_config(request: GuestRequest) -> Network:
    """The file's bytes, None where the guest shall ask DHCP by itself, and what is to be said."""
    twice = _addresses_twice(request.adapters)
    if request.network_file is not None:
        from eryphc.guestconfig.network_file import users_network_config

        data, found = users_network_config(request, request.network_file)
        return data, (*twice, *found)
    adapters = known_adapters(request)
    found = (*twice, *_left_down(request, adapters))
    if not adapters or has_errors(found):
        return None, found
    names, renamed = _guest_names(request.guest, adapters)
    version = request.network_version or (1 if request.guest is GuestKind.WINDOWS else 2)
    if version == 1:
        text = _version_1(zip(names, adapters, strict=True))
    else:
        text = _version_2(zip(names, adapters, strict=True))
        if request.guest is GuestKind.WINDOWS:
            renamed = (*renamed, wording.network_not_read_by_windows(OLD_WINDOWS, None))
    return text.encode(), (*found, *renamed)


OLD_WINDOWS: Final = (
    "version 2 of the network-config is not read by cloudbase-init up to its release 1.1.4"
)


def known_adapters(request: GuestRequest) -> tuple[Adapter, ...]:
    """The adapters that will have the address they have here."""
    match request.network:
        case NetworkConfigMode.ALWAYS:
            return request.adapters
        case NetworkConfigMode.GIVEN:
            return tuple(adapter for adapter in request.adapters if adapter.given)
        case NetworkConfigMode.NEVER:
            return ()


def _left_down(request: GuestRequest, known: Sequence[Adapter]) -> tuple[Diagnostic, ...]:
    if request.network is NetworkConfigMode.NEVER:
        return ()
    unknown = tuple(adapter.name for adapter in request.adapters if adapter not in known)
    if known and unknown:
        return (wording.adapters_without_address(unknown, some=True),)
    if len(unknown) > 1:
        return (wording.adapters_without_address(unknown, some=False),)
    return ()


def _addresses_twice(adapters: Sequence[Adapter]) -> tuple[Diagnostic, ...]:
    first: dict[str, str] = {}
    found = []
    for adapter in adapters:
        address = adapter.mac_address.lower()
        if address in first:
            names = (first[address], adapter.name)
            found.append(wording.network_address_twice(address, None, None, names))
        first.setdefault(address, adapter.name)
    return tuple(found)


def _guest_names(
    guest: GuestKind, adapters: Sequence[Adapter]
) -> tuple[list[str], tuple[Diagnostic, ...]]:
    if guest is GuestKind.WINDOWS:
        return [adapter.name for adapter in adapters], ()
    taken = {adapter.name for adapter in adapters if is_linux_name(adapter.name)}
    names = []
    found = []
    for adapter in adapters:
        name = adapter.name
        if not is_linux_name(name):
            name = _linux_name(name, taken)
            taken.add(name)
            found.append(wording.adapter_name_unusable(adapter.name, name))
        names.append(name)
    return names, tuple(found)


def is_linux_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name == _safe(name) and bool(name.strip("."))


def _safe(name: str) -> str:
    return "".join(
        sign for sign in name if sign.isascii() and (sign.isalnum() or sign in _LINUX_SIGNS)
    )


def _linux_name(name: str, taken: Iterable[str]) -> str:
    stem = _safe(name).strip(".") or "net"
    candidate, number = stem[:LONGEST_NAME], 0
    while candidate in taken:
        number += 1
        ending = str(number)
        candidate = stem[: LONGEST_NAME - len(ending)] + ending
    return candidate


def _version_2(adapters: Iterable[tuple[str, Adapter]]) -> str:
    lines = ["version: 2", "ethernets:"]
    for name, adapter in adapters:
        lines += [
            f"  {quoted(name)}:",
            "    match:",
            f"      macaddress: {quoted(adapter.mac_address.lower())}",
            f"    set-name: {quoted(name)}",
            "    dhcp4: true",
        ]
    return "\n".join(lines) + "\n"


def _version_1(adapters: Iterable[tuple[str, Adapter]]) -> str:
    lines = ["version: 1", "config:"]
    for name, adapter in adapters:
        lines += [
            "  - type: physical",
            f"    name: {quoted(name)}",
            f"    mac_address: {quoted(adapter.mac_address.lower())}",
            "    subnets:",
            "      - type: dhcp",
        ]
    return "\n".join(lines) + "\n"
