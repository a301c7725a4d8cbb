"""Which adapters will have the addresses of the catlet, and how long their names may be."""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.document import NetworkConfig
from eryphc.guest.model import Adapter, GuestRequest, NetworkConfigMode

Network = tuple[NetworkConfig | None, tuple[Diagnostic, ...]]
"""The configuration and findings on it; None where the guest shall ask DHCP by itself."""

LONGEST_NAME: Final = 15
"""Bytes of an adapter's name in a Linux kernel (IFNAMSIZ without its end)."""

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
