"""The catlet and the fodder gene as data.

A record knows the origin of each of its values, by the key of the language ("" for the record
itself); origins take no part in equality. None means "left open"; lists tell "left open" (None)
from "empty". Source: docs/reference/language.md, "The catlet document", "Fodder entries".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from eryphc.frozen import field, record
from eryphc.ir.content import Content, Stretch
from eryphc.origin import Origin, Step, rooted
from eryphc.source import Span

# A span for what stands in the record's own document; the whole origin for every other value.
Place: TypeAlias = Span | Origin
Places: TypeAlias = Mapping[str, Place]
# The key of a record's place from its first to its last character.
WHOLE = "*"


class ConfigType(StrEnum):
    CONFIGURATION = "configuration"
    SPECIFICATION = "specification"
    INSTANCE = "instance"


class Mutation(StrEnum):
    MERGE = "merge"
    OVERWRITE = "overwrite"
    REMOVE = "remove"


class DriveType(StrEnum):
    VHD = "vhd"
    SHARED_VHD = "shared_vhd"
    PHD = "phd"
    DVD = "dvd"
    VHD_SET = "vhd_set"


class VariableType(StrEnum):
    STRING = "string"
    BOOLEAN = "boolean"
    NUMBER = "number"


FODDER_TYPES = (
    "cloud-boothook",
    "cloud-config",
    "cloud-config-archive",
    "include-once-url",
    "include-url",
    "part-handler",
    "shellscript",
    "upstart-job",
)


NOWHERE: Final[Places] = MappingProxyType({})


@record(frozen=True, kw_only=True, repr=False)
class Record:
    """What every record has: where its values come from, which takes no part in equality.

    `document` tells how the document in which the record stands came to the catlet; None is for
    the author's own. It is shared by all records of the document, so a value in it is only a
    span until its origin is asked for.
    """

    places: Places = field(default=NOWHERE, compare=False)
    document: Origin | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """Its kind and name alone: any of its values may be secret."""
        return f"{type(self).__name__}({getattr(self, 'name', None) or ''})"

    def place(self, key: str) -> Span | None:
        """Place of the value of `key`; None where no document holds it."""
        place = self.places.get(key)
        return place.span if isinstance(place, Origin) else place

    def at(self, key: str = "") -> Span | None:
        """Place of the value of `key`, or of the record where the value has none."""
        return self.place(key) or self.place("")

    def origin(self, key: str = "") -> Origin:
        """Where the value of `key` comes from. Raises KeyError if its origin is not known.

        What an ancestor wrote has an open end until `eryphc.origin.rooted` closes it.
        """
        place = self.places[key]
        return place if isinstance(place, Origin) else self._here(place)

    def _here(self, span: Span) -> Origin:
        document = self.document
        if document is None:
            return Origin(span, Step.WRITTEN)
        return Origin(span, document.step, None, document.gene, document.via)


@record(frozen=True, kw_only=True, repr=False)
class Cpu(Record):
    """The processors of a machine."""

    count: int | None = None


@record(frozen=True, kw_only=True, repr=False)
class Memory(Record):
    """Sizes in MiB."""

    startup: int | None = None
    minimum: int | None = None
    maximum: int | None = None


@record(frozen=True, kw_only=True, repr=False)
class Drive(Record):
    """`source` is a gene identifier or a Windows path; `size` is in GiB."""

    name: str | None = None
    mutation: Mutation | None = None
    location: str | None = None
    store: str | None = None
    source: str | None = None
    size: int | None = None
    type: DriveType | None = None


@record(frozen=True, kw_only=True, repr=False)
class NetworkAdapter(Record):
    """One network adapter; its address is in normal form only once it is normalised."""

    name: str | None = None
    mutation: Mutation | None = None
    mac_address: str | None = None
    mac_address_spoofing: bool | None = None
    dhcp_guard: bool | None = None
    router_guard: bool | None = None


@record(frozen=True, kw_only=True, repr=False)
class Capability(Record):
    """One capability of the machine, such as `secure_boot`; `details` refine it."""

    name: str | None = None
    mutation: Mutation | None = None
    details: tuple[str, ...] | None = None

    @property
    def disabled(self) -> bool:
        """Whether it counts as absent. Details compare without letter case."""
        return any(detail.strip().lower() == "disabled" for detail in self.details or ())

    def detail_at(self, text: str) -> Span | None:
        """The place of a detail: the place of a list is its key, and its entries follow that."""
        key = self.at("details")
        if key is None or self.place("details") is None:
            return key
        start = key.source.text.find(text, key.end)
        return key if start == -1 else Span(key.source, start, start + len(text))


@record(frozen=True, kw_only=True, repr=False)
class Subnet(Record):
    """One subnet of a network, and the pool that its addresses come from."""

    name: str | None = None
    ip_pool: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing but the default subnet and pool."""
        return (self.name or "default") == "default" == (self.ip_pool or "default")


@record(frozen=True, kw_only=True, repr=False)
class Network(Record):
    """One network; `adapter_name` is the adapter that joins it."""

    name: str | None = None
    mutation: Mutation | None = None
    adapter_name: str | None = None
    subnet_v4: Subnet | None = None
    subnet_v6: Subnet | None = None


@record(frozen=True, kw_only=True, repr=False)
class Variable(Record):
    """A variable of a catlet, a fodder entry or a gene, or the binding of one at a reference.

    The origin of its value names the variable, and tells whether it is secret.
    """

    name: str | None = None
    type: VariableType | None = None
    value: str | None = None
    secret: bool | None = None
    required: bool | None = None

    def origin(self, key: str = "") -> Origin:
        found = Record.origin(self, key)
        if key != "value":
            return found
        return found._replace(variable=self.name, secret=bool(self.secret))


@record(frozen=True, kw_only=True, repr=False)
class Fodder(Record):
    """One entry of fodder: an inline fodder entry, a reference to a gene, or a removal.

    `depth` is the document that writes it: 0 the spec, 1 its parent, and so on; a merged
    entry is as young as its youngest writer. `root` is where the spec names its parent, known
    from substitution on: then a fodder entry tells of all origins without its catlet.
    """

    name: str | None = None
    remove: bool | None = None
    source: str | None = None
    type: str | None = None
    content: Content | None = None
    filename: str | None = None
    secret: bool | None = None
    variables: tuple[Variable, ...] | None = None
    depth: int = field(default=0, compare=False)
    root: Origin | None = field(default=None, compare=False)

    def origin(self, key: str = "") -> Origin:
        found = rooted(Record.origin(self, key), self.root)
        return found._replace(secret=True) if key == "content" and self.secret else found

    @property
    def gene(self) -> str | None:
        """The gene a fed fodder entry came from."""
        document = self.document
        fed = document is not None and document.step is Step.FED
        return str(document.gene) if document is not None and fed else None

    @property
    def text_origin(self) -> Origin:
        """Where its text comes from; where the entry does that has no text."""
        if "content" not in self.places and self.content is not None:
            return rooted(self._here(self.content.whole), self.root)
        return self.origin("" if self.content is None else "content")

    def stretches(self) -> Iterator[Stretch]:
        """Its text in stretches of one origin each."""
        return iter(()) if self.content is None else self.content.stretches(self.text_origin)

    @property
    def layer(self) -> int:
        """How near the fodder entry is: 0 the spec's own, 1 its genes', 2 its parent's own, ..."""
        return self.depth * 2 + (1 if self.gene else 0)


@record(frozen=True, kw_only=True, repr=False)
class Catlet(Record):
    """A machine's specification: a document as written, or the effective one."""

    version: str | None = None
    config_type: ConfigType | None = None
    project: str | None = None
    name: str | None = None
    location: str | None = None
    hostname: str | None = None
    environment: str | None = None
    store: str | None = None
    parent: str | None = None
    cpu: Cpu | None = None
    memory: Memory | None = None
    drives: tuple[Drive, ...] | None = None
    network_adapters: tuple[NetworkAdapter, ...] | None = None
    capabilities: tuple[Capability, ...] | None = None
    networks: tuple[Network, ...] | None = None
    variables: tuple[Variable, ...] | None = None
    fodder: tuple[Fodder, ...] | None = None


@record(frozen=True, kw_only=True, repr=False)
class FodderGene(Record):
    """A fodder gene: fodder entries, and the variables that they use."""

    version: str | None = None
    name: str | None = None
    variables: tuple[Variable, ...] | None = None
    fodder: tuple[Fodder, ...] | None = None
