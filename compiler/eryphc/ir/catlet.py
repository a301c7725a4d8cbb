"""The catlet and the fodder gene as data.

Sources: catlet-language.md 5 and 6. A record keeps the place of each of its values in
`places`, by the key of the language ("" for the record itself); places take no part in
equality. None means "left open"; lists tell "left open" (None) from "empty".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from eryphc.diagnostics.model import Label
from eryphc.ir.content import Content
from eryphc.source import Span

Places: TypeAlias = Mapping[str, Span]
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


class Record:
    """What every record has: the places of its values.

    The records of the language are tuples: a build makes and copies hundreds a catlet, and
    classes of tuples are made in a tenth of the time of frozen dataclasses at every start.
    """

    __slots__ = ()

    places: Places

    def at(self, key: str = "") -> Span | None:
        """Place of the value of `key`, or of the record where the value has none."""
        return self.places.get(key) or self.places.get("")


class _Compared(Record):
    """A tuple that is equal to another by its fields up to the one named `until`."""

    __slots__ = ()

    _said: ClassVar[int]

    def __init_subclass__(cls, until: str = "places") -> None:
        # Of the tuple that each of these classes is, too.
        fields: tuple[str, ...] = getattr(cls, "_fields")  # noqa: B009 - unknown to this class
        cls._said = fields.index(until)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _said(self) == _said(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(_said(self))


def _said(record: Any) -> Any:
    return record[: record._said]


class _Cpu(NamedTuple):
    # The key of the language hides a method of tuples that nobody calls.
    count: int | None = None  # type: ignore[assignment]
    places: Places = NOWHERE


class Cpu(_Compared, _Cpu):
    """The processors of a machine."""

    __slots__ = ()


class _Memory(NamedTuple):
    startup: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    places: Places = NOWHERE


class Memory(_Compared, _Memory):
    """Sizes in MiB."""

    __slots__ = ()


class _Drive(NamedTuple):
    name: str | None = None
    mutation: Mutation | None = None
    location: str | None = None
    store: str | None = None
    source: str | None = None
    size: int | None = None
    type: DriveType | None = None
    places: Places = NOWHERE


class Drive(_Compared, _Drive):
    """`source` is a gene identifier or a Windows path; `size` is in GiB."""

    __slots__ = ()


class _NetworkAdapter(NamedTuple):
    name: str | None = None
    mutation: Mutation | None = None
    mac_address: str | None = None
    mac_address_spoofing: bool | None = None
    dhcp_guard: bool | None = None
    router_guard: bool | None = None
    places: Places = NOWHERE


class NetworkAdapter(_Compared, _NetworkAdapter):
    """One network adapter; its address is in normal form only once it is normalised."""

    __slots__ = ()


class _Capability(NamedTuple):
    name: str | None = None
    mutation: Mutation | None = None
    details: tuple[str, ...] | None = None
    places: Places = NOWHERE


class Capability(_Compared, _Capability):
    """One capability of the machine, such as `secure_boot`; `details` refine it."""

    __slots__ = ()


class _Subnet(NamedTuple):
    name: str | None = None
    ip_pool: str | None = None
    places: Places = NOWHERE


class Subnet(_Compared, _Subnet):
    """One subnet of a network, and the pool that its addresses come from."""

    __slots__ = ()


class _Network(NamedTuple):
    name: str | None = None
    mutation: Mutation | None = None
    adapter_name: str | None = None
    subnet_v4: Subnet | None = None
    subnet_v6: Subnet | None = None
    places: Places = NOWHERE


class Network(_Compared, _Network):
    """One network; `adapter_name` is the adapter that joins it."""

    __slots__ = ()


class _Variable(NamedTuple):
    name: str | None = None
    type: VariableType | None = None
    value: str | None = None
    secret: bool | None = None
    required: bool | None = None
    places: Places = NOWHERE


class Variable(_Compared, _Variable):
    """A variable of a catlet, a food or a gene, or the binding of one at a reference."""

    __slots__ = ()


class _Fodder(NamedTuple):
    name: str | None = None
    remove: bool | None = None
    source: str | None = None
    type: str | None = None
    content: Content | None = None
    filename: str | None = None
    secret: bool | None = None
    variables: tuple[Variable, ...] | None = None
    depth: int = 0
    gene: str | None = None
    chain: tuple[Label, ...] = ()
    places: Places = NOWHERE


class Fodder(_Compared, _Fodder, until="depth"):
    """One entry of fodder: an inline food, a reference to a gene, or a removal.

    `depth` is the document that writes it: 0 the spec, 1 its parent, and so on; a merged
    entry is as young as its youngest writer. `gene` is the gene a fed food came from, and
    `chain` the places that led to it (spec, parent, reference), outermost first.
    """

    __slots__ = ()

    @property
    def layer(self) -> int:
        """How near the food is: 0 the spec's own, 1 its genes', 2 its parent's own, ..."""
        return self.depth * 2 + (1 if self.gene else 0)


class _Catlet(NamedTuple):
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
    places: Places = NOWHERE


class Catlet(_Compared, _Catlet):
    """A machine's specification: a document as written, or the effective one."""

    __slots__ = ()


class _FodderGene(NamedTuple):
    version: str | None = None
    name: str | None = None
    variables: tuple[Variable, ...] | None = None
    fodder: tuple[Fodder, ...] | None = None
    places: Places = NOWHERE


class FodderGene(_Compared, _FodderGene):
    """A fodder gene: foods, and the variables that they use."""

    __slots__ = ()
