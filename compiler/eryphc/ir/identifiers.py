"""Identifiers that cannot be malformed: gene sets, genes, architectures.

Sources: catlet-language.md 7 and 9.3. Each has one reader, `parse`, in the module
`eryphc.syntax.identifiers`; everything here is already lower case.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GeneType(StrEnum):
    CATLET = "catlet"
    FODDER = "fodder"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, order=True)
class GeneSetId:
    """`org/set/tag`; a reference without a tag means `latest`."""

    organization: str
    geneset: str
    tag: str

    def __str__(self) -> str:
        return f"{self.organization}/{self.geneset}/{self.tag}"

    @property
    def without_tag(self) -> str:
        return f"{self.organization}/{self.geneset}"


@dataclass(frozen=True, slots=True, order=True)
class GeneId:
    """`gene:org/set/tag:name`."""

    geneset: GeneSetId
    name: str

    def __str__(self) -> str:
        return f"gene:{self.geneset}:{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """`hypervisor/processor`; `any/any` is written `any`."""

    hypervisor: str
    processor: str

    def __str__(self) -> str:
        if self.hypervisor == "any" and self.processor == "any":
            return "any"
        return f"{self.hypervisor}/{self.processor}"


ANY = Architecture("any", "any")
DEFAULT_ARCHITECTURE = Architecture("hyperv", "amd64")
HYPERVISORS = ("any", "azure", "ec2", "hyperv", "kvm")
PROCESSORS = ("amd64", "any", "arm64")
