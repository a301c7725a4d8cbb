"""Which size of machine holds what a catlet asks for.

The list is package data, `sizes.json`, which is loaded when the first question is asked.
Source: docs/reference/azure.md, "Sizes".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import PurePath
from typing import Any, Final, TypeAlias

from eryphc.frozen import NamedTuple

_LIST: Final = "sizes.json"
_PREFIX: Final = "standard_"


class Need(StrEnum):
    """What a size may lack: first what is counted, then what a size has or has not."""

    VCPUS = "vcpus"
    MEMORY = "memory"
    DATA_DISKS = "data-disks"
    INTERFACES = "interfaces"
    GENERATION = "generation"
    ARCHITECTURE = "architecture"
    TRUSTED_LAUNCH = "trusted-launch"
    NESTED_VIRTUALIZATION = "nested-virtualization"


class SizeRequest(NamedTuple):
    """What a machine needs. `memory_mib` is in MiB, `data_disks` leaves out the system drive.

    `generation` is that of the image, 1 or 2. `architecture` is in Azure's words: `x64`, `Arm64`.
    """

    cpus: int
    memory_mib: int
    data_disks: int = 0
    interfaces: int = 1
    generation: int = 2
    trusted_launch: bool = False
    nested_virtualization: bool = False
    architecture: str = "x64"


class Size(NamedTuple):
    """One size of the list. `memory_mib` is in MiB.

    `nvme_only`: its disks appear as NVMe alone, so the image must be tagged for that.
    `needs_accelerated_networking`: interfaces are refused without it. `retires` is the day on
    which Azure ends it, as `2028-11-15`; such a size is taken only where it is named.
    """

    name: str
    series: str
    vcpus: int
    memory_mib: int
    max_data_disks: int
    max_interfaces: int
    generations: tuple[int, ...]
    architecture: str
    trusted_launch: bool
    nested_virtualization: bool
    nvme_only: bool
    needs_accelerated_networking: bool
    retires: str | None


class SizeList(NamedTuple):
    """All sizes. `date` is the newest of the pages that they were read from, as `2026-03-10`.

    `by_default` are those that are chosen without being named, in the order of the choice.
    """

    date: str
    sizes: tuple[Size, ...]
    by_default: tuple[Size, ...]


class Lack(NamedTuple):
    """A figure of a size that is too small. Memory is in MiB; a feature has 0 where 1 is asked.

    Of a generation, `has` is one that the size boots.
    """

    need: Need
    asked: int
    has: int


class Chosen(NamedTuple):
    """A size that holds the request."""

    size: Size


class NoneFits(NamedTuple):
    """No size is chosen by default. `nearest` is the one that lacks least, `lacks` is what.

    `other` is the smallest size of the list that holds the request, and is taken only where it
    is named: None where no size holds it.
    """

    nearest: Size
    lacks: tuple[Lack, ...]
    other: Size | None


class TooSmall(NamedTuple):
    """The named size cannot hold the request."""

    size: Size
    lacks: tuple[Lack, ...]


class UnknownSize(NamedTuple):
    """The list of this `date` lacks the name. `meant` is the name of the list that was meant."""

    name: str
    date: str
    meant: str | None


Answer: TypeAlias = "Chosen | TooSmall | UnknownSize"


@cache
def size_list() -> SizeList:
    """The list of the package."""
    # By the module's own loader, which reads from a zip too; importlib.resources costs more to
    # import than the list to load.
    loader: Any = __spec__.loader
    document = json.loads(loader.get_data(str(PurePath(__file__).with_name(_LIST))))
    sizes = tuple(map(_size, document["sizes"]))
    order = {series: place for place, series in enumerate(document["default_order"])}
    by_default = [size for size in sizes if size.series in order and size.retires is None]
    by_default.sort(key=lambda size: (size.vcpus, size.memory_mib, order[size.series]))
    return SizeList(document["date"], sizes, tuple(by_default))


def default_size(request: SizeRequest) -> Chosen | NoneFits:
    """The smallest size that holds `request`, of the series that are chosen without being named.

    Fewer vcpus come first, then less memory, then the order of the series in the list.
    """
    known = size_list()
    for size in known.by_default:
        if not lacks(size, request):
            return Chosen(size)
    nearest = min(known.by_default, key=lambda size: _distance(lacks(size, request)))
    others = [size for size in known.sizes if size.retires is None and not lacks(size, request)]
    other = min(others, key=lambda size: (size.vcpus, size.memory_mib, size.name), default=None)
    return NoneFits(nearest, lacks(nearest, request), other)


def named_size(name: str, request: SizeRequest) -> Answer:
    """What the list says of the size that somebody named; letter case does not matter."""
    by_name = {size.name.lower(): size for size in size_list().sizes}
    # Some other letters become ASCII ones in lower case.
    wanted = name.lower() if name.isascii() else name
    size = by_name.get(wanted)
    if size is None:
        meant = by_name.get(_PREFIX + wanted)
        return UnknownSize(name, size_list().date, None if meant is None else meant.name)
    lacking = lacks(size, request)
    return TooSmall(size, lacking) if lacking else Chosen(size)


def lacks(size: Size, request: SizeRequest) -> tuple[Lack, ...]:
    """What `size` has too little of to hold `request`, in the order of `Need`."""
    return tuple(_lacks(size, request))


def _lacks(size: Size, request: SizeRequest) -> Iterator[Lack]:
    for need, asked, has in (
        (Need.VCPUS, request.cpus, size.vcpus),
        (Need.MEMORY, request.memory_mib, size.memory_mib),
        (Need.DATA_DISKS, request.data_disks, size.max_data_disks),
        (Need.INTERFACES, request.interfaces, size.max_interfaces),
    ):
        if asked > has:
            yield Lack(need, asked, has)
    if request.generation not in size.generations:
        yield Lack(Need.GENERATION, request.generation, size.generations[-1])
    if request.architecture.lower() != size.architecture.lower():
        yield Lack(Need.ARCHITECTURE, 1, 0)
    if request.trusted_launch and not size.trusted_launch:
        yield Lack(Need.TRUSTED_LAUNCH, 1, 0)
    if request.nested_virtualization and not size.nested_virtualization:
        yield Lack(Need.NESTED_VIRTUALIZATION, 1, 0)


_COUNTED: Final = frozenset((Need.VCPUS, Need.MEMORY, Need.DATA_DISKS, Need.INTERFACES))


def _distance(lacking: tuple[Lack, ...]) -> tuple[int, float]:
    """How far a size is from holding a request: what it has not at all counts first."""
    counted = [lack for lack in lacking if lack.need in _COUNTED]
    return len(lacking) - len(counted), sum(lack.asked / lack.has - 1 for lack in counted)


def _size(entry: dict[str, Any]) -> Size:
    return Size(
        name=entry["name"],
        series=entry["series"],
        vcpus=entry["vcpus"],
        memory_mib=int(entry["memory_gib"] * 1024),
        max_data_disks=entry["max_data_disks"],
        max_interfaces=entry["max_nics"],
        generations=tuple(entry["generations"]),
        architecture=entry["cpu_arch"],
        trusted_launch=entry["trusted_launch"],
        nested_virtualization=entry["nested_virtualization"],
        nvme_only=entry["disk_controllers"] == ["NVMe"],
        needs_accelerated_networking=entry["accelerated_networking"] == "required",
        retires=entry.get("retires"),
    )
