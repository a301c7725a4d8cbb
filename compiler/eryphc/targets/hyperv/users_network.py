"""What the user's own network-config means on the adapters of a Hyper-V machine.

Linux gives the names of Hyper-V's adapters in the order in which they answer, which is another one
after another boot, so only an address says which adapter is meant.
Source: https://github.com/systemd/systemd/issues/8652; docs/reference/hyperv.md, "Adapters in
the guest".
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Words, joined, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.document import GuestDocument, NetworkFile
from eryphc.guest.model import Adapter, GuestKind
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span

# Of one machine on any host.
_MOST_ADAPTERS: Final = 68
_LONGEST_PATTERN: Final = 255


class Entry(NamedTuple):
    """An interface of the file. `place` is where it is named; `mac` is the address that it matches,
    None where it has none. `added`: that address is the compiler's. `pattern` is what the adapter
    must be called in the guest, None where it is found otherwise."""

    name: str
    pattern: str | None
    place: Span
    mac: str | None
    added: bool
    asks: bool
    optional: bool


class UsersNetwork(NamedTuple):
    """The interfaces of the file, and the adapters of the machine."""

    entries: tuple[Entry, ...]
    adapters: tuple[Adapter, ...]


def findings(document: GuestDocument, adapters: tuple[Adapter, ...]) -> list[Diagnostic]:
    """What the file means on these adapters; nothing for a file that the compiler writes."""
    if document.guest is not GuestKind.LINUX or not isinstance(document.network, NetworkFile):
        return []
    entries = tuple(_entries(document.network))
    return judge(RULES, UsersNetwork(entries, adapters))


def _entries(network: NetworkFile) -> Iterator[Entry]:
    added = {id(node) for node, _ in network.added}
    ethernets = network.root.get("ethernets")
    if isinstance(ethernets, MappingNode):
        for key, entry in ethernets.entries.items():
            if not isinstance(entry, MappingNode):
                continue
            match = entry.get("match")
            written = match.get("macaddress") if isinstance(match, MappingNode) else None
            yield Entry(
                name=str(key),
                pattern=match.text("name") if isinstance(match, MappingNode) else str(key),
                place=_place(network, ethernets.keys[key]),
                mac=_text(written),
                added=id(written) in added,
                asks=_is_true(entry.get("dhcp4")) or _is_true(entry.get("dhcp6")),
                optional=_is_true(entry.get("optional")),
            )
    config = network.root.get("config")
    for item in config.items if isinstance(config, Sequence) else ():
        if isinstance(item, MappingNode) and item.text("type") == "physical":
            written = item.get("mac_address")
            kinds = list(_subnets(item))
            yield Entry(
                name=item.text("name") or "",
                pattern=item.text("name"),
                place=_place(network, item.get("name") or item),
                mac=_text(written),
                added=id(written) in added,
                asks=any((kind or "").startswith("dhcp") for kind, _ in kinds),
                optional=all(control == "manual" for _, control in kinds),
            )


def _subnets(item: MappingNode) -> Iterator[tuple[str | None, str | None]]:
    """The type of each subnet of version 1, and who brings it up."""
    subnets = item.get("subnets")
    for subnet in subnets.items if isinstance(subnets, Sequence) else ():
        if isinstance(subnet, MappingNode):
            yield subnet.text("type"), subnet.text("control")


def _place(network: NetworkFile, node: Node) -> Span:
    text = network.source.text
    end = text.find("\n", node.start)
    return Span(network.source, node.start, min(node.end, len(text) if end == -1 else end))


def _text(node: Node | None) -> str | None:
    return None if not isinstance(node, Scalar) or node.value is None else str(node.value)


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is True


def _by_name(network: UsersNetwork) -> Iterator[Diagnostic]:
    """Entries that any of several adapters may get, or none."""
    known = joined(
        own("`{}` ({})", named(adapter.name), named(adapter.mac_address.lower()))
        for adapter in network.adapters
    )
    for entry in network.entries:
        if entry.mac is not None:
            continue
        if entry.pattern is not None and not _is_called(entry.pattern):
            wanted = named(entry.pattern)
            yield wording.network_name_absent(named(entry.name), wanted, known, entry.place)
        elif len(network.adapters) > 1:
            yield wording.network_by_name(named(entry.name), known, entry.place)


def _is_called(pattern: str) -> bool:
    """Whether the kernel may call an adapter of Hyper-V so, on Linux or FreeBSD."""
    names = (f"{device}{number}" for device in ("eth", "hn") for number in range(_MOST_ADAPTERS))
    return len(pattern) <= _LONGEST_PATTERN and any(fnmatchcase(name, pattern) for name in names)


def _completed(network: UsersNetwork) -> Iterator[Diagnostic]:
    """Entries of several adapters that are matched by the addresses of ours."""
    added = [entry for entry in network.entries if entry.added]
    if len(network.adapters) > 1 and added:
        names: list[Words] = [own("`{}`", named(entry.name)) for entry in added]
        yield wording.network_completed(joined(names), added[0].place)


def _awaited(network: UsersNetwork) -> Iterator[Diagnostic]:
    """Entries of adapters that are connected to nothing."""
    loose = {_digits(each.mac_address): each for each in network.adapters if not each.connected}
    for entry in network.entries:
        adapter = None if entry.mac is None else loose.get(_digits(entry.mac))
        if adapter is not None and entry.asks and not entry.optional:
            yield wording.disconnected_awaited(named(adapter.name), named(entry.name), entry.place)


def _digits(mac: str) -> str:
    return mac.replace(":", "").replace("-", "").upper()


RULES: Final[tuple[Rule[UsersNetwork], ...]] = (
    Rule(wording.NETWORK_BY_NAME, _by_name),
    Rule(wording.NETWORK_COMPLETED, _completed),
    Rule(wording.DISCONNECTED_AWAITED, _awaited),
)
