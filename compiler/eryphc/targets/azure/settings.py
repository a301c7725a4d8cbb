"""The `azure:` section of the project file: defaults for all catlets."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    "azure section",
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
_ANYONE: Final = ("*", "internet", "any", "0.0.0.0/0", "::/0")


def _faults(defaults: AzureDefaults) -> Iterator[Diagnostic]:
    if defaults.generation not in (None, "1", "2"):
        message = f"generation `{defaults.generation}` is neither 1 nor 2"
        yield command.project_value("azure", message, defaults.at("generation"))
    for source in defaults.admin_sources or ():
        if source.lower() in _ANYONE:
            message = (
                f"`{source}` lets anyone reach the machine: `deploy.sh --anyone` asks for that"
            )
            yield command.project_value("azure", message, defaults.at("admin_sources"))
    tags = defaults.tags or ()
    if len(tags) > _MOST_TAGS:
        message = f"{len(tags)} tags are more than {_MOST_TAGS}; Azure has 50 with ours"
        yield command.project_value("azure", message, defaults.at("tags"))
    if len({name.lower() for name, _ in tags}) < len(tags):
        message = "two tags differ in letter case alone, which Azure ignores"
        yield command.project_value("azure", message, defaults.at("tags"))
    for name, value in tags:
        fault = _tag_fault(name, value)
        if fault is not None:
            yield command.project_value("azure", f"tag `{name}` {fault}", defaults.at("tags"))


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
