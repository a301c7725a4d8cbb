"""The `azure:` section of the project file: defaults for all catlets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic
from eryphc.passes.values import Shape
from eryphc.project.file import TEXT, Section, Setting, list_of, texts_by_name, word


class Outbound(StrEnum):
    """How machines reach the internet."""

    DEFAULT = "default"
    NAT_GATEWAY = "natGateway"
    NONE = "none"


class DiskType(StrEnum):
    STANDARD_SSD = "StandardSSD_LRS"
    PREMIUM_SSD = "Premium_LRS"
    STANDARD_HDD = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureDefaults(Setting):
    """What the options of the command line and the parameters of the template begin with."""

    size: str | None = None
    image: str | None = None
    generation: str | None = None
    location: str | None = None
    zone: str | None = None
    outbound: Outbound | None = None
    os_disk_type: DiskType | None = None
    admin_sources: tuple[str, ...] | None = None
    tags: tuple[tuple[str, str], ...] | None = None


AZURE: Final = Shape(
    "section of defaults for Azure",
    AzureDefaults,
    {
        "size": TEXT,
        "image": TEXT,
        "generation": TEXT,
        "location": TEXT,
        "zone": TEXT,
        "outbound": word(Outbound),
        "os_disk_type": word(DiskType),
        "admin_sources": list_of(TEXT),
        "tags": texts_by_name,
    },
)

_REFUSED: Final = re.compile(r"[<>%&\\?/]|[\x00-\x1f]")
_MOST_TAGS: Final = 25
_LONGEST_NAME, _LONGEST_VALUE = 512, 256
_OWN: Final = ("eryphc-", "microsoft", "azure", "windows")
_ZONE: Final = re.compile("[1-9]")
_LOCATION: Final = re.compile("[A-Za-z][A-Za-z0-9 ]{1,49}")


def _sources_fault(sources: Iterable[str]) -> str | None:
    """What is wrong with the address ranges that may reach a machine.

    Azure takes ranges alone in a list, and `deploy.sh --anyone` alone may open a machine to all.
    """
    from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

    old: list[IPv4Network] = []
    new: list[IPv6Network] = []
    for source in sources:
        try:
            network = ip_network(source, strict=False)
        except ValueError:
            return f"`{source}` is no range of addresses, such as 192.0.2.0/24"
        if isinstance(network, IPv4Network):
            old.append(network)
        else:
            new.append(network)
    lengths = [network.prefixlen for network in collapse_addresses(old)]
    lengths += [network.prefixlen for network in collapse_addresses(new)]
    if 0 in lengths:
        return "they let anyone reach the machine, which only `deploy.sh --anyone` may do"
    return None


def _faults(defaults: AzureDefaults) -> Iterator[Diagnostic]:
    for key, pattern, what in (
        ("zone", _ZONE, "no zone, such as 1"),
        ("location", _LOCATION, "no region, such as westeurope"),
    ):
        text = getattr(defaults, key)
        if text and pattern.fullmatch(text) is None:
            message = f"`{text}` is {what}"
            yield command.project_value("azure", message, defaults.at(key))
    if defaults.generation not in (None, "1", "2"):
        message = f"generation `{defaults.generation}` is neither 1 nor 2"
        yield command.project_value("azure", message, defaults.at("generation"))
    fault = _sources_fault(defaults.admin_sources or ())
    if fault is not None:
        message = f"admin_sources: {fault}"
        yield command.project_value("azure", message, defaults.at("admin_sources"))
    tags = defaults.tags or ()
    if len(tags) > _MOST_TAGS:
        message = f"{len(tags)} tags are more than {_MOST_TAGS}; Azure has 50 with ours"
        yield command.project_value("azure", message, defaults.at("tags"))
    if len({name.lower() for name, _ in tags}) < len(tags):
        message = "two tags differ in letter case alone, which Azure ignores"
        yield command.project_value("azure", message, defaults.at("tags"))
    for name, value in tags:
        wrong = _tag_fault(name, value)
        if wrong is not None:
            yield command.project_value("azure", f"tag `{name}` {wrong}", defaults.at("tags"))


def _tag_fault(name: str, value: str) -> str | None:
    """What Azure refuses of a tag. Source: docs/reference/azure.md, "Tags"."""
    if not name or len(name) > _LONGEST_NAME or _REFUSED.search(name):
        return f"has a name that is empty, longer than {_LONGEST_NAME}, or has one of <>%&\\?/"
    if name.lower().startswith(_OWN):
        return f"begins like the names of {'eryphc' if name.lower()[0] == 'e' else 'Azure'} itself"
    if len(value) > _LONGEST_VALUE or not value.isascii() or not value.isprintable():
        return f"has a value that is longer than {_LONGEST_VALUE} or not plain ASCII"
    return None


SECTION: Final = Section(shape=AZURE, faults=_faults)
