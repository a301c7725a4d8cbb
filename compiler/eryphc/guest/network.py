"""The guest's `network-config`: written for adapters with certain addresses, or the user's own.

With an address that the machine does not have, a guest comes up without network, so the file does
not name an adapter whose address is a guess. Source: docs/reference/guest-configuration.md,
"network-config".
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, has_errors
from eryphc.diagnostics.said import Own, named
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import OLD_WINDOWS, AdapterNetwork, Network, known_adapters
from eryphc.guest.model import Adapter, GuestKind, GuestRequest, NetworkConfigMode


def network_config(request: GuestRequest, reader: TextReader) -> Network:
    """The configuration and findings on it; None where the guest shall ask DHCP by itself."""
    twice = _addresses_twice(request.adapters)
    if request.network_file is not None:
        from eryphc.guest.network_file import users_network_config

        network, found = users_network_config(request, request.network_file, reader)
        return network, (*twice, *found)
    adapters = known_adapters(request)
    found = (*twice, *_left_down(request, adapters))
    if not adapters or has_errors(found):
        return None, found
    version = request.network_version or (1 if request.guest is GuestKind.WINDOWS else 2)
    if version == 2 and request.guest is GuestKind.WINDOWS:
        found = (*found, wording.network_not_read_by_windows(Own(OLD_WINDOWS), None))
    return AdapterNetwork(version, adapters), found


def _left_down(request: GuestRequest, known: Sequence[Adapter]) -> tuple[Diagnostic, ...]:
    # Windows asks DHCP on every adapter by itself.
    # Source: docs/reference/windows-guests.md, "Where it looks".
    if request.network is NetworkConfigMode.NEVER or request.guest is GuestKind.WINDOWS:
        return ()
    unknown = tuple(adapter for adapter in request.adapters if adapter not in known)
    if not unknown or (not known and len(unknown) == 1):
        return ()
    names = tuple(adapter.name for adapter in unknown)
    place = unknown[0 if known else 1].place
    return (wording.adapters_without_address(tuple(map(named, names)), place, some=bool(known)),)


def _addresses_twice(adapters: Sequence[Adapter]) -> tuple[Diagnostic, ...]:
    first: dict[str, Adapter] = {}
    found = []
    for adapter in adapters:
        address = adapter.mac_address.lower()
        if address in first:
            other = first[address]
            names = (named(other.name), named(adapter.name))
            found.append(
                wording.network_address_twice(named(address), adapter.place, other.place, names)
            )
        first.setdefault(address, adapter)
    return tuple(found)
