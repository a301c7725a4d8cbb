"""Names and identifiers in their normal form, adapters for networks, then defaults.

Source: docs/reference/language.md, "Normal form", "Defaults".
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from types import MappingProxyType
from typing import Final

from eryphc.diagnostics import language
from eryphc.diagnostics import pools as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import Own, name_of, named
from eryphc.frozen import replace
from eryphc.identifiers import GeneId
from eryphc.ir.catlet import (
    Capability,
    Catlet,
    Cpu,
    Drive,
    DriveType,
    Fodder,
    Memory,
    Network,
    NetworkAdapter,
    Place,
    Places,
    Record,
    Subnet,
    Variable,
    VariableType,
)
from eryphc.origin import DEFAULTED, Origin, Step
from eryphc.passes.places import defaulted
from eryphc.source import Span
from eryphc.syntax.identifiers import parse_gene, parse_gene_set
from eryphc.syntax.names import NameFault, blank, mac_address

# A section that no document has.
_UNWRITTEN: Final[Places] = MappingProxyType({"": DEFAULTED})
DEFAULT = "default"
DEFAULT_NAME = "catlet"
DEFAULT_CPUS = 1
DEFAULT_MEMORY = 1024


def normalize(
    catlet: Catlet, removals: Sequence[Fodder] = ()
) -> Outcome[tuple[Catlet, tuple[Fodder, ...]]]:
    """The catlet with normal names, and the removals likewise. Normalising again changes nothing.

    Errors: malformed sources, networks that share an adapter, subnets without a name.
    """
    faults: list[Diagnostic] = []
    name = _lower(catlet.name)
    networks = _networks(catlet.networks, faults)
    places = defaulted(catlet, *_blank(catlet, "project", "environment", "store"))
    if networks is not None and catlet.network_adapters is None:
        places["network_adapters"] = DEFAULTED
    if name is not None and blank(catlet.hostname):
        places["hostname"] = _of_the_name(catlet)
    normal = replace(
        catlet,
        name=name,
        hostname=name if blank(catlet.hostname) else catlet.hostname,
        project=_lower(catlet.project) or DEFAULT,
        environment=_lower(catlet.environment) or DEFAULT,
        store=_lower(catlet.store) or DEFAULT,
        location=_lower(catlet.location),
        parent=_parent(catlet),
        drives=None
        if catlet.drives is None
        else tuple(_drive(drive, faults) for drive in catlet.drives),
        capabilities=None
        if catlet.capabilities is None
        else tuple(_capability(each) for each in catlet.capabilities),
        networks=networks,
        network_adapters=_adapters(networks, catlet.network_adapters),
        variables=None if catlet.variables is None else _variables(catlet.variables),
        fodder=None
        if catlet.fodder is None
        else tuple(_fodder(fodder, faults) for fodder in catlet.fodder),
        places=places,
    )
    asides = tuple(_fodder(fodder, faults) for fodder in removals)
    return Outcome(None if has_errors(faults) else (normal, asides), tuple(faults))


def with_defaults(catlet: Catlet) -> Catlet:
    """Defaults. They come this late because inheriting would take them for a child's own values."""
    name, hostname = catlet.name or DEFAULT_NAME, catlet.hostname
    absent = [key for key in ("name", "cpu", "memory") if not getattr(catlet, key)]
    places = defaulted(catlet, *absent)
    cpu, memory = catlet.cpu or Cpu(places=_UNWRITTEN), catlet.memory or Memory(places=_UNWRITTEN)
    if cpu.count is None:
        cpu = replace(cpu, count=DEFAULT_CPUS, places=defaulted(cpu, "count"))
    if memory.startup is None and memory.minimum is None and memory.maximum is None:
        memory = replace(memory, startup=DEFAULT_MEMORY, places=defaulted(memory, "startup"))
    if blank(hostname):
        hostname, places["hostname"] = name, _of_the_name(catlet)
    return replace(catlet, name=name, hostname=hostname, cpu=cpu, memory=memory, places=places)


def _blank(record: Record, *keys: str) -> list[str]:
    return [key for key in keys if blank(getattr(record, key))]


def _of_the_name(catlet: Catlet) -> Origin:
    """The origin of a host name that no document gives: it is the catlet's name."""
    named = catlet.name is not None and "name" in catlet.places
    via = catlet.origin("name") if named else Origin(catlet.place("name"), Step.DEFAULTED)
    return Origin(catlet.place("hostname"), Step.DEFAULTED, via=via)


def _lower(text: str | None) -> str | None:
    return None if text is None or blank(text) else text.lower()


def _parent(catlet: Catlet) -> str | None:
    text = _lower(catlet.parent)
    parsed = parse_gene_set(text) if text is not None else None
    return text if parsed is None or isinstance(parsed, NameFault) else str(parsed)


def _drive(drive: Drive, faults: list[Diagnostic]) -> Drive:
    absent = [*(() if drive.type else ("type",)), *_blank(drive, "store")]
    return replace(
        drive,
        places=defaulted(drive, *absent) if absent else drive.places,
        name=_lower(drive.name),
        type=drive.type or DriveType.VHD,
        store=_lower(drive.store) or DEFAULT,
        location=_lower(drive.location),
        source=_source(drive, drive.source, faults)
        if (drive.source or "")[:5].lower() == "gene:"
        else (None if blank(drive.source) else drive.source),
    )


def _source(record: Record, source: str | None, faults: list[Diagnostic]) -> str | None:
    if source is None or blank(source):
        return None
    parsed = parse_gene(source)
    if isinstance(parsed, GeneId):
        return str(parsed)
    faults.append(wording.identifier_malformed(parsed.message, record.at("source")))
    return source


def _fodder(fodder: Fodder, faults: list[Diagnostic]) -> Fodder:
    name, source = _lower(fodder.name), _source(fodder, fodder.source, faults)
    variables = _variables(fodder.variables or ())
    if name == fodder.name and source == fodder.source and variables is fodder.variables:
        return fodder
    places = fodder.places if fodder.variables is not None else defaulted(fodder, "variables")
    return replace(fodder, name=name, source=source, variables=variables, places=places)


def _variables(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """The same tuple where nothing changes, as mostly; a copy of each would cost more than it."""
    normal = [_variable(variable) for variable in variables]
    if isinstance(variables, tuple) and all(map(is_, normal, variables)):
        return variables
    return tuple(normal)


def _variable(variable: Variable) -> Variable:
    name = _lower(variable.name)
    if name == variable.name and variable.type is not None:
        return variable
    if variable.type is not None:
        return replace(variable, name=name)
    places = defaulted(variable, "type")
    return replace(variable, name=name, type=VariableType.STRING, places=places)


def _networks(
    networks: Sequence[Network] | None, faults: list[Diagnostic]
) -> tuple[Network, ...] | None:
    if networks is None:
        return None
    normal: list[Network] = []
    for index, network in enumerate(networks):
        name = _lower(network.name)
        own_adapter = not blank(network.adapter_name)
        normal.append(
            replace(
                network,
                places=network.places if own_adapter else defaulted(network, "adapter_name"),
                name=name,
                adapter_name=_lower(network.adapter_name) or f"eth{index}",
                subnet_v4=_subnet(network, "subnet_v4", network.subnet_v4, faults),
                subnet_v6=_subnet(network, "subnet_v6", network.subnet_v6, faults),
            )
        )
    _own_adapters(normal, faults)
    return tuple(normal)


def _subnet(
    network: Network, key: str, subnet: Subnet | None, faults: list[Diagnostic]
) -> Subnet | None:
    if subnet is None:
        return None
    if blank(subnet.name):
        span = subnet.at() or network.at(key)
        faults.append(language.subnet_unnamed(name_of(network), Own(key), span))
    return replace(subnet, name=_lower(subnet.name), ip_pool=_lower(subnet.ip_pool))


def _own_adapters(networks: Sequence[Network], faults: list[Diagnostic]) -> None:
    """Each network has an adapter of its own."""
    users: dict[str, Network] = {}
    taken = {network.adapter_name for network in networks}
    for network in networks:
        adapter = network.adapter_name or ""
        first = users.setdefault(adapter, network)
        if first is not network:
            free = next(f"eth{i}" for i in range(len(networks) + 1) if f"eth{i}" not in taken)
            faults.append(
                language.adapter_clash(
                    named(adapter),
                    (name_of(first), name_of(network)),
                    _adapter_place(network),
                    _adapter_place(first),
                    Own(free),
                )
            )


def _adapter_place(network: Network) -> Span | None:
    return network.place("adapter_name") or network.at("name")


def _adapters(
    networks: Sequence[Network] | None, explicit: Sequence[NetworkAdapter] | None
) -> tuple[NetworkAdapter, ...] | None:
    """The adapters of the networks in their order, then the remaining explicit ones in theirs."""
    if networks is None and explicit is None:
        return None
    given = {(adapter.name or "").lower(): _adapter(adapter) for adapter in explicit or ()}
    adapters: list[NetworkAdapter] = []
    for network in networks or ():
        name = network.adapter_name or ""
        if name in given:
            adapters.append(given.pop(name))
        else:
            places = {"": network.places[""]} if "" in network.places else dict[str, Place]()
            places["name"] = network.origin("adapter_name")
            adapters.append(NetworkAdapter(name=name, places=places, document=network.document))
    return (*adapters, *given.values())


def _adapter(adapter: NetworkAdapter) -> NetworkAdapter:
    name, mac = _lower(adapter.name), _mac(adapter.mac_address)
    if name == adapter.name and mac == adapter.mac_address:
        return adapter
    return replace(adapter, name=name, mac_address=mac)


def _capability(capability: Capability) -> Capability:
    name = _lower(capability.name)
    return capability if name == capability.name else replace(capability, name=name)


def _mac(text: str | None) -> str | None:
    """The normal form. A trailing line feed passes the rules and is dropped here."""
    if text is None or blank(text):
        return None
    return mac_address(text) or mac_address(text.rstrip("\n")) or text.lower()
