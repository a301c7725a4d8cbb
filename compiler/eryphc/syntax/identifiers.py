"""Text of gene sets, genes and architectures to checked identifiers.

`identifiers.lark` is the definition. Well-formed text is recognised by the patterns below,
which a test holds to the grammar; refused text is explained with the grammar's help.
"""

from __future__ import annotations

import re
from functools import lru_cache

from eryphc.diagnostics.words import clipped
from eryphc.identifiers import HYPERVISORS, PROCESSORS, Architecture, GeneId, GeneSetId
from eryphc.syntax.names import GENE, GENE_SET, ORGANIZATION, TAG, NameFault, NameKind, name_faults

_WORD = r"[A-Za-z0-9]+(?:(?:\.(?!\.)|-(?!-))+[A-Za-z0-9]+)*"
_SET = rf"({_WORD})/({_WORD})(?:/({_WORD}))?"
_GENE_SET = re.compile(rf"{_SET}\Z")
_GENE = re.compile(rf"gene:{_SET}:({_WORD})\Z")
_SET_SOURCE = re.compile(rf"gene:{_SET}\Z")
_ARCHITECTURE = re.compile(
    rf"(?:({'|'.join(HYPERVISORS)})/({'|'.join(PROCESSORS)})|any)\Z", re.ASCII | re.IGNORECASE
)
DEFAULT_TAG = "latest"
# No identifier is longer; longer text of a hostile document never reaches a pattern.
_LONGEST = 40 + 40 + 20 + 20 + 10


def _identifier(organization: str, geneset: str, tag: str | None) -> GeneSetId | None:
    tag = tag or DEFAULT_TAG
    if 3 <= len(organization) <= 40 and 3 <= len(geneset) <= 40 and 3 <= len(tag) <= 20:
        return GeneSetId(organization.lower(), geneset.lower(), tag.lower())
    return None


@lru_cache(maxsize=4096)
def parse_gene_set(text: str) -> GeneSetId | NameFault:
    """`org/set[/tag]`, in any letter case; without a tag `latest` is meant."""
    match = _GENE_SET.match(text) if len(text) <= _LONGEST else None
    if match:
        found = _identifier(match[1], match[2], match[3])
        if found is not None:
            return found
    return _gene_set_fault(text, text, 0, "gene set")


@lru_cache(maxsize=4096)
def parse_gene(text: str) -> GeneId | NameFault:
    """`gene:org/set[/tag]:name`; the word `gene` is lower case."""
    match = _GENE.match(text) if len(text) <= _LONGEST else None
    if match and len(match[4]) <= 20:
        found = _identifier(match[1], match[2], match[3])
        if found is not None:
            return GeneId(found, match[4].lower())
    return _gene_fault(text)


@lru_cache(maxsize=4096)
def parse_set_source(text: str) -> GeneSetId | None:
    """`gene:org/set[/tag]`, a fodder source that leaves the gene to the set; else None."""
    match = _SET_SOURCE.match(text) if len(text) <= _LONGEST else None
    return _identifier(match[1], match[2], match[3]) if match else None


def parse_architecture(text: str) -> Architecture | NameFault:
    """`hypervisor/processor` or `any`, in any letter case, of the known ones."""
    match = _ARCHITECTURE.match(text) if len(text) <= _LONGEST else None
    if match:
        return Architecture((match[1] or "any").lower(), (match[2] or "any").lower())
    from eryphc.syntax.grammars import refused_at

    at = refused_at("identifiers", "architecture", text) or 0
    known = ", ".join(f"`{h}`" for h in HYPERVISORS)
    processors = ", ".join(f"`{p}`" for p in PROCESSORS)
    return NameFault(
        f"`{clipped(text)}` is not an architecture: it is written HYPERVISOR/PROCESSOR or `any`; "
        f"hypervisors are {known}, processors {processors}",
        min(at, len(text)),
        len(text),
    )


def _parts_fault(text: str, parts: list[str], offset: int) -> NameFault | None:
    kinds: tuple[NameKind, ...] = (ORGANIZATION, GENE_SET, TAG)
    at = offset
    for kind, part in zip(kinds, parts, strict=False):
        for fault in name_faults(kind, part):
            return NameFault(
                f"in `{clipped(text)}`: {fault.message}", at + fault.start, at + fault.end
            )
        at += len(part) + 1
    return None


def _gene_set_fault(whole: str, text: str, offset: int, what: str) -> NameFault:
    parts = text.split("/")
    if len(parts) in (2, 3):
        fault = _parts_fault(whole, parts, offset)
        if fault is not None:
            return fault
    from eryphc.syntax.grammars import refused_at

    at = refused_at("identifiers", "gene_set", text) or 0
    return NameFault(
        f"`{clipped(whole)}` is not a {what}: it is written "
        + ("ORGANIZATION/SET or ORGANIZATION/SET/TAG" if what == "gene set" else _GENE_FORM),
        min(offset + at, len(whole)),
        len(whole),
    )


_GENE_FORM = "gene:ORGANIZATION/SET[/TAG]:GENE"


def _gene_fault(text: str) -> NameFault:
    from eryphc.syntax.grammars import refused_at

    parts = text.split(":")
    if len(parts) == 3 and parts[0] == "gene":
        sets = parts[1].split("/")
        if len(sets) in (2, 3):
            fault = _parts_fault(text, sets, 5)
            if fault is not None:
                return fault
            offset = len(parts[0]) + len(parts[1]) + 2
            for gene_fault in name_faults(GENE, parts[2]):
                return NameFault(
                    f"in `{clipped(text)}`: {gene_fault.message}",
                    offset + gene_fault.start,
                    offset + gene_fault.end,
                )
    at = refused_at("identifiers", "gene", text) or 0
    return NameFault(
        f"`{clipped(text)}` is not a gene identifier: it is written {_GENE_FORM}",
        min(at, len(text)),
        len(text),
    )
