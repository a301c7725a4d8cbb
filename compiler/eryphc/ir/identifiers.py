"""Identifiers that cannot be malformed: gene sets, genes, architectures, and types of genes.

Each has one reader in `eryphc.syntax.identifiers`; everything is already lower case.
Sources: catlet-language.md 7 and 9.3.
"""

from __future__ import annotations

from enum import StrEnum

from eryphc.syntax.identifiers import (
    ANY,
    DEFAULT_ARCHITECTURE,
    HYPERVISORS,
    PROCESSORS,
    Architecture,
    GeneId,
    GeneSetId,
)

__all__ = [
    "ANY",
    "DEFAULT_ARCHITECTURE",
    "HYPERVISORS",
    "PROCESSORS",
    "Architecture",
    "GeneId",
    "GeneSetId",
    "GeneType",
]


class GeneType(StrEnum):
    CATLET = "catlet"
    FODDER = "fodder"
    VOLUME = "volume"
