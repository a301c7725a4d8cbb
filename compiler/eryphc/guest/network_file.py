"""The user's own network-config: read, checked, and completed.

What cloud-init's schema finds is in `network_schema`, what renderers make of the file beyond it in
`network_lint`.
Source: docs/reference/guest-configuration.md, "network-config".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.guest_agents import NUAGEINIT_FORM, nuageinit_form
from eryphc.diagnostics.model import Diagnostic, Level, has_errors
from eryphc.diagnostics.said import Own, Said, named, own
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    descendants,
    kind,
)
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.cloudconfig.tree import FaultKind
from eryphc.guest.document import Network, NetworkFile, known_adapters
from eryphc.guest.model import Adapter, GuestAgent, GuestKind, GuestRequest
from eryphc.guest.network_lint import lint
from eryphc.guest.network_schema import validated
from eryphc.source import SourceText, Span

KINDS: Final = (
    wording.NETWORK_ENTRY_DOUBTFUL,
    wording.NETWORK_NOT_READ_BY_WINDOWS,
    NUAGEINIT_FORM,
)


def users_network_config(request: GuestRequest, source: SourceText, reader: TextReader) -> Network:
    """The file as the guest gets it: as it is, or the same data with the addresses added."""
    reading = reader.read_any(source.text)
    found = []
    for fault in reading.faults:
        if fault.kind is FaultKind.EMPTY:
            continue
        place = Span(source, fault.start, fault.end)
        if fault.kind is FaultKind.DUPLICATE_KEY:
            problem = own("the key `{}` stands twice in one map", fault.words)
            found.append(
                wording.network_entry_doubtful(problem, place, own("only this one counts"))
            )
            continue
        found.append(wording.network_config_invalid(fault.problem, place))
    root = reading.root
    if root is None:
        return None, tuple(found)
    network = _network(root)
    if network is None:
        place = _place(source, root)
        found.append(
            wording.network_config_invalid(
                own("it is {}, where a map is expected", Own(kind(root))), place
            )
        )
        return None, tuple(found)
    disabled = network.text("config") == "disabled" and request.guest is GuestKind.LINUX
    if disabled and not has_errors(found):
        # The one form without version: the guest leaves its network as the image has it.
        return NetworkFile(source, network), (*found, *_refused(request.guest, source, reader))
    version = network.get("version")
    number = version.value if isinstance(version, Scalar) else None
    if not isinstance(number, int) or isinstance(number, bool) or number not in (1, 2):
        place = _place(source, network if version is None else version)
        problem = own("`version` is missing" if version is None else "`version` is neither 1 nor 2")
        found.append(wording.network_config_invalid(problem, place))
        return None, tuple(found)
    found += lint(request.guest, source, network, number, request.reader)
    found += _wrapped(request, source, root, network)
    found += _unread_by_nuageinit(request, source, root, network)
    if not has_errors(found):
        found += validated(request.guest, source, network, number)
    if has_errors(found):
        return None, tuple(found)
    completed, more = _completed(request, source, network, number)
    found += more
    if not completed.added:
        found += _refused(request.guest, source, reader)
    return completed, tuple(found)


def _refused(guest: GuestKind, source: SourceText, reader: TextReader) -> list[Diagnostic]:
    """What the loader of a guest refuses of a file that it gets as it stands."""
    is_windows = guest is GuestKind.WINDOWS
    load = reader.loaded_by_libyaml_any if is_windows else reader.loaded_any
    loaded = load(source.text)
    return [
        wording.network_config_invalid(fault.problem, Span(source, fault.start, fault.end))
        for fault in (loaded.faults if loaded.root is None else ())
        if fault.kind is not FaultKind.DUPLICATE_KEY
    ]


def _wrapped(
    request: GuestRequest, source: SourceText, root: Node, network: MappingNode
) -> Iterator[Diagnostic]:
    """A key `network` around the file, below which eryph's guest services find nothing."""
    level = request.reader.level(GuestAgent.EGS, Level.WARNING)
    is_read = request.guest is not GuestKind.WINDOWS or request.reader.after_0_5_0
    if network is not root and level is not None and not is_read:
        problem = own("eryph's guest services up to 0.5.0 read nothing below the key `network`")
        found = wording.network_not_read_by_windows(problem, _place(source, root))
        yield found._replace(level=level)


def _unread_by_nuageinit(
    request: GuestRequest, source: SourceText, root: Node, network: MappingNode
) -> Iterator[Diagnostic]:
    """nuageinit wants `ethernets` of version 2 without a key around them, and reads no routes."""
    if request.reader.word is not GuestAgent.NUAGEINIT:
        return
    level = Level.ERROR if request.reader.stated else Level.WARNING
    rest = own("commands and files are lost with the network")
    if network is not root:
        what = own("its network-config has no key `network` around it")
        yield nuageinit_form(what, rest, level, _place(source, root))
    ethernets = network.get("ethernets")
    if ethernets is None:
        what = own("its network-config has `ethernets` of version 2")
        yield nuageinit_form(what, rest, level, _place(source, network))
    entries = ethernets.entries.values() if isinstance(ethernets, MappingNode) else ()
    for entry in entries:
        routes = entry.get("routes") if isinstance(entry, MappingNode) else None
        if routes is not None:
            what = own("its network-config has `gateway4` and `gateway6` in place of `routes`")
            yield nuageinit_form(what, own("not read"), level, _place(source, routes))


def _network(root: Node) -> MappingNode | None:
    if not isinstance(root, MappingNode):
        return None
    inner = root.get("network")
    if inner is None:
        return root
    return inner if isinstance(inner, MappingNode) else None


def _place(source: SourceText, node: Node) -> Span:
    end = source.text.find("\n", node.start)
    return Span(source, node.start, min(node.end, len(source.text) if end == -1 else end))


def _completed(
    request: GuestRequest, source: SourceText, network: MappingNode, version: int
) -> tuple[NetworkFile, list[Diagnostic]]:
    """The file with the address of each adapter that it names and whose address is known."""
    adapters = {adapter.name.lower(): adapter for adapter in known_adapters(request)}
    found: list[Diagnostic] = []
    added: list[tuple[Node, Adapter]] = []
    completed = network
    ethernets, config = network.get("ethernets"), network.get("config")
    if version == 2 and isinstance(ethernets, MappingNode):
        entries = {
            key: _matched(adapters.get(str(key).lower()), str(key), entry, source, found, added)
            for key, entry in ethernets.entries.items()
        }
        completed = _with(network, "ethernets", MappingNode(entries, ethernets.keys))
    elif version == 1 and isinstance(config, Sequence):
        items = tuple(_addressed(adapters, item, source, found, added) for item in config.items)
        completed = _with(network, "config", Sequence(items))
    return NetworkFile(source, completed if added else network, tuple(added)), found


def _matched(
    adapter: Adapter | None,
    name: str,
    entry: Node,
    source: SourceText,
    found: list[Diagnostic],
    added: list[tuple[Node, Adapter]],
) -> Node:
    if adapter is None or not isinstance(entry, MappingNode):
        return entry
    match = entry.get("match")
    if isinstance(match, MappingNode):
        _compare(adapter, match.get("macaddress"), source, found)
        return entry
    address = _with(MappingNode({}, {}), "macaddress", _text(adapter.mac_address.lower()))
    completed = _with(MappingNode({}, {}), "match", address)
    if entry.get("set-name") is None:
        # Without it some renderers look for the entry's name instead of the address.
        completed = _with(completed, "set-name", _text(name))
    added += ((node, adapter) for node in descendants(completed))
    for key, value in entry.entries.items():
        completed = _with(completed, key, value, entry.keys.get(key))
    return completed


def _addressed(
    adapters: Mapping[str, Adapter],
    item: Node,
    source: SourceText,
    found: list[Diagnostic],
    added: list[tuple[Node, Adapter]],
) -> Node:
    if not isinstance(item, MappingNode) or item.text("type") != "physical":
        return item
    adapter = adapters.get((item.text("name") or "").lower())
    if adapter is None:
        return item
    written = item.get("mac_address")
    if written is not None:
        _compare(adapter, written, source, found)
        return item
    key, address = _text("mac_address"), _text(adapter.mac_address.lower())
    added += ((key, adapter), (address, adapter))
    return _with(item, "mac_address", address, key)


def _compare(
    adapter: Adapter, written: Node | None, source: SourceText, found: list[Diagnostic]
) -> None:
    if not isinstance(written, Scalar) or not isinstance(written.value, str):
        return
    if written.value.lower().replace("-", ":") != adapter.mac_address.lower():
        found.append(
            wording.network_entry_doubtful(
                own(
                    "the adapter `{}` has the address {}, not {}",
                    named(adapter.name),
                    named(adapter.mac_address.lower()),
                    Said(written.value),
                ),
                _place(source, written),
                own("matches no adapter of the catlet"),
            )
        )


def _text(value: str) -> Scalar:
    return Scalar(value, 0, 0)


def _with(node: MappingNode, key: Any, value: Node, place: Scalar | None = None) -> MappingNode:
    """The map with one more entry; `place` is the node of its key."""
    keys = {**node.keys}
    if place is not None:
        keys[key] = place
    keys.setdefault(key, _text(key))
    return MappingNode({**node.entries, key: value}, keys, node.start, node.end)
