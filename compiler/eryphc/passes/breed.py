"""A pedigree to one catlet: what each child has inherited, mutated, normalised, with defaults.

Source: docs/reference/language.md, "Breeding", "Removals", "Normal form", "Defaults".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

from eryphc.diagnostics import language
from eryphc.diagnostics.model import Diagnostic, Level, Outcome, has_errors
from eryphc.diagnostics.said import Own, name_of, named, own
from eryphc.frozen import replace
from eryphc.ir.catlet import (
    Capability,
    Catlet,
    ConfigType,
    Cpu,
    Drive,
    DriveType,
    Fodder,
    Memory,
    Mutation,
    Network,
    NetworkAdapter,
    Record,
    Variable,
)
from eryphc.ir.stages import Bred, Pedigree
from eryphc.origin import DEFAULTED
from eryphc.passes.check import check_sizes
from eryphc.passes.fodder_keys import FodderKey, gene_of, key_of, merge_fodder
from eryphc.passes.memory import Ancestors, PassMemory
from eryphc.passes.normalize import normalize, with_defaults
from eryphc.passes.pedigree import final_parent
from eryphc.passes.places import in_documents, inherited, part, rooted
from eryphc.source import Span
from eryphc.syntax.names import blank

# A network that is removed may be the one that a catlet without networks gets.
_KINDS: Final = {
    "drives": own("drive"),
    "network_adapters": own("network adapter"),
    "capabilities": own("capability"),
}

_FODDER: Final = own("fodder entry")

E = TypeVar("E", Drive, NetworkAdapter, Network, Capability)
N = TypeVar("N", Drive, NetworkAdapter, Network, Capability, Variable)


def breed(pedigree: Pedigree, memory: PassMemory | None = None) -> Outcome[Bred]:
    """Inherit from the oldest ancestor down to the author's document.

    A document without a parent is not bred: nothing is sorted or merged. Removals of fodder
    entries of genes are put aside, because feeding needs them. Errors: one gene set with two tags,
    names that are missing or not unique, a drive type that does not fit an inherited source, and
    what normalising finds. Sizes that no longer fit each other give warnings.
    """
    spec = final_parent(pedigree, pedigree.documents[0])
    found: list[Diagnostic] = []
    catlet = spec
    if len(pedigree.documents) > 1:
        parent = _ancestors(pedigree, memory or PassMemory())
        found.extend(parent.diagnostics)
        catlet = _Breeding(found).breed(parent.value, spec)
    else:
        _Breeding(found).alone(spec)
    if catlet.config_type is ConfigType.CONFIGURATION:
        catlet = replace(catlet, config_type=None)
    removals = tuple(fodder for fodder in catlet.fodder or () if fodder.remove and gene_of(fodder))
    normal = normalize(_mutate(catlet), removals)
    found.extend(normal.diagnostics)
    if has_errors(found) or normal.value is None:
        return Outcome(None, _placed(found, pedigree))
    catlet, removals = normal.value
    if len(pedigree.documents) > 1:
        found.extend(
            fault._replace(level=Level.WARNING)
            for fault in check_sizes(catlet)
            if fault.level is Level.ERROR
        )
    return Outcome(
        Bred(catlet=with_defaults(catlet), pedigree=pedigree, removals=removals),
        _placed(found, pedigree),
    )


def _placed(found: Sequence[Diagnostic], pedigree: Pedigree) -> tuple[Diagnostic, ...]:
    return rooted(in_documents(found, pedigree.documents), pedigree.root)


def _ancestors(pedigree: Pedigree, memory: PassMemory) -> Ancestors:
    """All ancestors bred to one catlet, once for the same documents."""
    documents = pedigree.documents[1:]
    known = memory.bred(documents)
    if known is None:
        catlets = [final_parent(pedigree, document) for document in documents]
        found: list[Diagnostic] = []
        catlet = catlets[-1]
        for child in reversed(catlets[:-1]):
            catlet = _Breeding(found).breed(catlet, child)
        known = Ancestors(documents, catlet, tuple(found))
        memory.remember(known)
    return known


def _mutate(catlet: Catlet) -> Catlet:
    """Drop the entries that still have `remove: true`."""

    def kept(items: tuple[E, ...] | None) -> tuple[E, ...] | None:
        if items is None:
            return None
        return tuple(item for item in items if item.mutation is not Mutation.REMOVE)

    return replace(
        catlet,
        drives=kept(catlet.drives),
        network_adapters=kept(catlet.network_adapters),
        capabilities=kept(catlet.capabilities),
        networks=kept(catlet.networks),
        fodder=None
        if catlet.fodder is None
        else tuple(fodder for fodder in catlet.fodder if not fodder.remove),
    )


def _ordinal(name: str | None) -> str:
    """Names sort as if they were capitals, so `_` comes after the letters."""
    return (name or "").upper()


class _Breeding:
    """One parent and one child."""

    def __init__(self, found: list[Diagnostic]) -> None:
        self.found = found

    def breed(self, parent: Catlet, child: Catlet) -> Catlet:
        places = dict(child.places)
        for key in (
            "cpu",
            "memory",
            "drives",
            "network_adapters",
            "capabilities",
            "networks",
            "variables",
            "fodder",
        ):
            if key not in places and key in parent.places:
                places[key] = parent.origin(key)
        return replace(
            child,
            config_type=None,
            cpu=_breed_cpu(parent.cpu, child.cpu),
            memory=_breed_memory(parent.memory, child.memory),
            drives=self.entries("drives", parent.drives, child.drives, self.drive),
            network_adapters=self.entries(
                "network_adapters", parent.network_adapters, child.network_adapters, _adapter
            ),
            capabilities=self.entries(
                "capabilities", parent.capabilities, child.capabilities, _capability
            ),
            networks=self.entries("networks", parent.networks, child.networks, _network),
            variables=self.variables(parent.variables, child.variables),
            fodder=self.fodder(parent.fodder, child.fodder),
            places=places,
        )

    def alone(self, catlet: Catlet) -> None:
        """Removals in a document that inherits nothing."""
        self.idle(own("drive"), (), catlet.drives)
        self.idle(own("network adapter"), (), catlet.network_adapters)
        self.idle(own("capability"), (), catlet.capabilities)
        for fodder in catlet.fodder or ():
            if fodder.remove and gene_of(fodder) is None and not blank(fodder.name):
                self.not_there(_FODDER, fodder, (), "remove")

    def idle(self, kind: Own, parent: Collection[str], child: Sequence[E] | None) -> None:
        """What removes an entry that is not inherited. `parent` are names in lower case."""
        for item in child or ():
            removes = item.mutation is Mutation.REMOVE and not blank(item.name)
            if removes and (item.name or "").lower() not in parent:
                self.not_there(kind, item, parent, "mutation")

    def not_there(self, kind: Own, record: Record, known: Iterable[str], key: str) -> None:
        names = tuple(map(named, known))
        self.found.append(
            language.removal_without_effect(kind, name_of(record), record.at(key), names)
        )

    # -- lists by name ----------------------------------------------------------------------

    def by_name(self, kind: str, items: Sequence[N] | None) -> dict[str, N]:
        named: dict[str, N] = {}
        for item in items or ():
            if item.name is None or blank(item.name):
                self.found.append(language.name_missing(Own(kind), item.at()))
                continue
            name = item.name.lower()
            if name in named:
                self.found.append(
                    language.name_twice(
                        Own(kind), name_of(item), item.at("name"), named[name].at("name")
                    )
                )
                continue
            named[name] = item
        return named

    def entries(
        self,
        kind: str,
        parent: Sequence[E] | None,
        child: Sequence[E] | None,
        merge: Callable[[E, E], E],
    ) -> tuple[E, ...] | None:
        if parent is None and child is None:
            return None
        parents, children = self.by_name(kind, parent), self.by_name(kind, child)
        if kind in _KINDS:
            self.idle(_KINDS[kind], parents, child)
        result: dict[str, E] = {}
        for name, item in parents.items():
            if item.mutation is Mutation.REMOVE:
                continue
            own = children.get(name)
            if own is None:
                result[name] = item
            elif own.mutation is Mutation.OVERWRITE:
                result[name] = own
            elif own.mutation is not Mutation.REMOVE:
                result[name] = merge(item, own)
        for name, item in children.items():
            if name not in result and item.mutation is not Mutation.REMOVE:
                result[name] = item
        return tuple(sorted(result.values(), key=lambda item: _ordinal(item.name)))

    def variables(
        self, parent: Sequence[Variable] | None, child: Sequence[Variable] | None
    ) -> tuple[Variable, ...] | None:
        """A child's variable replaces its parent's whole, flags and all."""
        if parent is None and child is None:
            return None
        merged = self.by_name("variables", parent) | self.by_name("variables", child)
        return tuple(sorted(merged.values(), key=lambda variable: _ordinal(variable.name)))

    def drive(self, parent: Drive, child: Drive) -> Drive:
        kept = [
            key
            for key, own in (
                ("type", child.type is not None),
                ("source", child.source is not None),
                ("size", bool(child.size)),
                ("location", not blank(child.location)),
                ("store", not blank(child.store)),
            )
            if not own
        ]
        places = inherited(child, parent, kept)
        if child.type is None and parent.type is None:
            places["type"] = DEFAULTED
        merged = replace(
            child,
            type=child.type or parent.type or DriveType.VHD,
            source=parent.source if child.source is None else child.source,
            size=child.size or parent.size,
            location=parent.location if blank(child.location) else child.location,
            store=parent.store if blank(child.store) else child.store,
            places=places,
        )
        source = merged.source or ""
        if source.startswith("gene:") and merged.type is not DriveType.VHD:
            span = child.at("type" if child.type is not None else "source")
            self.found.append(
                language.gene_drive_type(name_of(child), named(source), Own(str(merged.type)), span)
            )
        return merged

    # -- fodder -----------------------------------------------------------------------------

    def fodder(
        self, parent: Sequence[Fodder] | None, child: Sequence[Fodder] | None
    ) -> tuple[Fodder, ...] | None:
        if parent is None and child is None:
            return None
        self.one_tag((*(parent or ()), *(child or ())))
        parents, children = self.by_key(parent), self.by_key(child)
        result: dict[FodderKey, Fodder] = {}
        for key, fodder in parents.items():
            own = children.get(key)
            if key.source is None and (fodder.remove or (own is not None and own.remove)):
                continue
            if own is not None and key.source is not None:
                self.dropped(fodder, own)
            if own is not None and fodder.remove and own.remove is None:
                reference = str(key)
                self.found.append(
                    language.removal_inherited(
                        named(reference), own.at("source"), fodder.at("remove")
                    )
                )
            result[key] = fodder if own is None else merge_fodder(fodder, own)
        for key, fodder in children.items():
            if key not in parents and key.source is None and fodder.remove:
                known = [item.name or "" for each, item in parents.items() if each.source is None]
                self.not_there(_FODDER, fodder, known, "remove")
            if key not in result and not (key.source is None and fodder.remove):
                result[key] = fodder
        return tuple(result.values())

    def dropped(self, parent: Fodder, child: Fodder) -> None:
        """The bindings of a parent's reference that a child's reference replaces."""
        if parent.remove or child.remove:
            return
        kept = {(each.name or "").lower() for each in child.variables or ()}
        lost = [each for each in parent.variables or () if (each.name or "").lower() not in kept]
        if lost:
            key = "variables" if child.variables is not None else "source"
            self.found.append(
                language.bindings_dropped(
                    name_of(child, "source"),
                    tuple(map(name_of, lost)),
                    child.at(key),
                    tuple(each.at("name") for each in lost),
                )
            )

    def by_key(self, fodder_entries: Sequence[Fodder] | None) -> dict[FodderKey, Fodder]:
        keyed: dict[FodderKey, Fodder] = {}
        for fodder in fodder_entries or ():
            key = key_of(fodder)
            if key.name is None and key.source is None:
                self.found.append(
                    language.fodder_unnamed(name_of(fodder, "source"), fodder.at("source"))
                    if fodder.source
                    else language.name_missing(own("fodder"), fodder.at())
                )
            elif key in keyed:
                self.found.append(
                    language.name_twice(
                        own("fodder"), named(str(key)), fodder.at(), keyed[key].at()
                    )
                )
            else:
                keyed[key] = fodder
        return keyed

    def one_tag(self, fodder_entries: Sequence[Fodder]) -> None:
        first: dict[str, tuple[str, Span | None]] = {}
        for fodder in fodder_entries:
            gene = gene_of(fodder)
            if gene is None:
                continue
            geneset, tag = gene.geneset.without_tag, gene.geneset.tag
            span = part(fodder, "source", fodder.source or "", fodder.source or "")
            known, place = first.setdefault(geneset, (tag, span))
            if known != tag:
                fault = language.two_tags(named(geneset), (named(known), named(tag)), span, place)
                if fault not in self.found:
                    self.found.append(fault)


def _breed_cpu(parent: Cpu | None, child: Cpu | None) -> Cpu | None:
    if parent is None or child is None:
        return parent if child is None else child
    if child.count is not None:
        return child
    return replace(child, count=parent.count, places=inherited(child, parent, ("count",)))


def _breed_memory(parent: Memory | None, child: Memory | None) -> Memory | None:
    if parent is None or child is None:
        return parent if child is None else child
    kept = [key for key in ("startup", "minimum", "maximum") if getattr(child, key) is None]
    return replace(
        child,
        startup=parent.startup if child.startup is None else child.startup,
        minimum=parent.minimum if child.minimum is None else child.minimum,
        maximum=parent.maximum if child.maximum is None else child.maximum,
        places=inherited(child, parent, kept),
    )


def _adapter(parent: NetworkAdapter, child: NetworkAdapter) -> NetworkAdapter:
    keys = ("mac_address", "mac_address_spoofing", "dhcp_guard", "router_guard")
    kept = {key: getattr(parent, key) for key in keys if getattr(child, key) is None}
    return replace(child, **kept, places=inherited(child, parent, kept))


def _network(parent: Network, child: Network) -> Network:
    """A subnet is taken whole, never field by field."""
    keys = ("adapter_name", "subnet_v4", "subnet_v6")
    kept = {key: getattr(parent, key) for key in keys if getattr(child, key) is None}
    return replace(child, **kept, places=inherited(child, parent, kept))


def _capability(parent: Capability, child: Capability) -> Capability:
    if child.details is not None:
        return replace(child, mutation=None)
    return replace(
        child,
        mutation=None,
        details=parent.details,
        places=inherited(child, parent, ("details",)),
    )
