"""Identifiers that cannot be malformed: gene sets, genes, architectures, and types of genes.

Values without behaviour, so that origins and the wording of diagnostics can hold them. Each has
one reader in `eryphc.syntax.identifiers`; everything is already lower case.
Source: docs/reference/language.md, "Identifiers"; docs/reference/genes-and-pools.md,
"Architectures".
"""

from __future__ import annotations

from enum import StrEnum

from eryphc.frozen import NamedTuple


class GeneSetId(NamedTuple):
    """`org/set/tag`; a reference without a tag means `latest`."""

    organization: str
    geneset: str
    tag: str

    def __str__(self) -> str:
        return f"{self.organization}/{self.geneset}/{self.tag}"

    @property
    def without_tag(self) -> str:
        return f"{self.organization}/{self.geneset}"


class GeneId(NamedTuple):
    """`gene:org/set/tag:name`."""

    geneset: GeneSetId
    name: str

    def __str__(self) -> str:
        return f"gene:{self.geneset}:{self.name}"


class Architecture(NamedTuple):
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


class GeneType(StrEnum):
    CATLET = "catlet"
    FODDER = "fodder"
    VOLUME = "volume"
