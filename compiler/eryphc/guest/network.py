"""The guest's `network-config`: written for adapters with certain addresses, or the user's own.

With an address that the machine does not have, a guest comes up without network, so the file does
not name an adapter whose address is a guess. Source: docs/reference/guest-configuration.md,
"network-config".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.guest_agents import NUAGEINIT_FORM, nuageinit_form
from eryphc.diagnostics.model import Diagnostic, Level, has_errors
from eryphc.diagnostics.said import Own, named, own
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import OLD_WINDOWS, AdapterNetwork, Network, known_adapters
from eryphc.guest.model import Adapter, GuestAgent, GuestKind, GuestRequest, NetworkConfigMode
from eryphc.lint.engine import Rule, judge

KINDS: Final = (NUAGEINIT_FORM,)


def network_config(request: GuestRequest, reader: TextReader) -> Network:
    """The configuration and findings on it; None where the guest shall ask DHCP by itself."""
    found = judge(RULES, request)
    if request.network_file is not None:
        from eryphc.guest.network_file import users_network_config

        network, more = users_network_config(request, request.network_file, reader)
        return network, (*found, *more)
    found += judge(LINUX_RULES, request)
    adapters = known_adapters(request)
    if not adapters or has_errors(found):
        return None, tuple(found)
    found += judge(WINDOWS_RULES, request)
    found += _unread_by_nuageinit(request)
    if has_errors(found):
        return None, tuple(found)
    return AdapterNetwork(_version(request), adapters), tuple(found)


def _version(request: GuestRequest) -> int:
    return request.network_version or (1 if request.guest is GuestKind.WINDOWS else 2)


def _unread(request: GuestRequest) -> Iterator[Diagnostic]:
    reader = request.reader
    if request.guest is not GuestKind.WINDOWS or _version(request) == 1:
        return
    level = reader.level(GuestAgent.CLOUDBASE_INIT, Level.WARNING)
    if level is not None:
        yield wording.network_not_read_by_windows(Own(OLD_WINDOWS), None)._replace(level=level)
    level = reader.level(GuestAgent.EGS, Level.WARNING)
    if level is not None and not reader.after_0_5_0:
        problem = own("eryph's guest services up to 0.5.0 drop version 2 with `match`")
        yield wording.network_not_read_by_windows(problem, None)._replace(level=level)


def _unread_by_nuageinit(request: GuestRequest) -> Iterator[Diagnostic]:
    if request.reader.word is GuestAgent.NUAGEINIT and _version(request) == 1:
        level = Level.ERROR if request.reader.stated else Level.WARNING
        what = own("its network-config has `ethernets` of version 2")
        rest = own("commands and files are lost with the network")
        yield nuageinit_form(what, rest, level, None)


def _left_down(request: GuestRequest) -> Iterator[Diagnostic]:
    # Windows asks DHCP on every adapter by itself.
    # Source: docs/reference/windows-guests.md, "Where it looks".
    if request.network is NetworkConfigMode.NEVER or request.guest is GuestKind.WINDOWS:
        return
    known = known_adapters(request)
    unknown = tuple(adapter for adapter in request.adapters if adapter not in known)
    if not unknown or (not known and len(unknown) == 1):
        return
    names = tuple(adapter.name for adapter in unknown)
    place = unknown[0 if known else 1].place
    yield wording.adapters_without_address(tuple(map(named, names)), place, some=bool(known))


def _addresses_twice(request: GuestRequest) -> Iterator[Diagnostic]:
    first: dict[str, Adapter] = {}
    for adapter in request.adapters:
        address = adapter.mac_address.lower()
        if address in first:
            other = first[address]
            names = (named(other.name), named(adapter.name))
            yield wording.network_address_twice(
                named(address),
                adapter.place,
                other.place,
                names,
                adapters=request.guest is GuestKind.LINUX,
            )
        first.setdefault(address, adapter)


RULES: Final[tuple[Rule[GuestRequest], ...]] = (
    Rule(wording.NETWORK_ADDRESS_TWICE, _addresses_twice),
)
# Where the compiler writes the file.
LINUX_RULES: Final[tuple[Rule[GuestRequest], ...]] = (
    Rule(wording.ADAPTERS_WITHOUT_ADDRESS, _left_down),
)
WINDOWS_RULES: Final[tuple[Rule[GuestRequest], ...]] = (
    Rule(wording.NETWORK_NOT_READ_BY_WINDOWS, _unread),
)
