"""E10xx: what keeps a gene set from being published, and what is said of published ones."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import cleaned, clipped
from eryphc.identifiers import GeneSetId

TAG_TAKEN = Code("E1009", "tag-taken")
INTERFACE_BROKEN = Code("E1027", "interface-broken")
GENE_SET_DEPRECATED = Code("W1029", "gene-set-deprecated")
INDEX_NOT_UPDATED = Code("W1030", "index-not-updated")

_MOST_SHOWN = 10


def tag_taken(reference: str, ours: str, found: str) -> Diagnostic:
    """`found` is the identity of what is there, or what it is else."""
    return finding(
        TAG_TAKEN,
        f"`{clipped(reference, 300)}` is there already, with other content",
        notes=(f"to be published  {cleaned(ours)}", f"there is         {cleaned(found)}"),
        help="publish under a new tag; `--replace` takes the tag away from all who use it",
    )


def interface_broken(geneset: GeneSetId, before: str, sentences: Sequence[str]) -> Diagnostic:
    """`before` is the tag it is compared with, `sentences` what its users rely on."""
    shown = [cleaned(each, 200) for each in sentences[:_MOST_SHOWN]]
    if len(sentences) > _MOST_SHOWN:
        shown.append(f"and {len(sentences) - _MOST_SHOWN} more")
    return finding(
        INTERFACE_BROKEN,
        f"`{geneset}` breaks those who use `{geneset.without_tag}/{clipped(before)}`",
        notes=shown,
        help="publish it under a tag with a higher first number, or with `--breaking`",
    )


def gene_set_deprecated(geneset: str, use: str | None, reason: str | None) -> Diagnostic:
    """What its author says of a gene set: what to `use` instead, and the `reason`."""
    notes = () if not reason else (f"reason: {cleaned(reason, 300)}",)
    help_text = None if use is None else f"use `{clipped(use)}` instead"
    return finding(
        GENE_SET_DEPRECATED,
        f"`{clipped(geneset)}` is deprecated by those who publish it",
        notes=notes,
        help=help_text,
    )


def index_not_updated(index: str, reason: str, help_text: str | None = None) -> Diagnostic:
    """`index` is where it lies, `reason` a whole clause."""
    return finding(
        INDEX_NOT_UPDATED,
        f"the index `{clipped(index, 300)}` is not updated: {clipped(reason, 300)}",
        notes=("builds do not need it; lists of gene sets show what it says",),
        help=help_text or "`eryphc gene index` tries again",
    )
