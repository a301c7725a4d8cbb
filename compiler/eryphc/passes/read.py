"""Text to a checked document: compose, lower, check. The one way in for catlets and genes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from eryphc.diagnostics import reading, rules
from eryphc.diagnostics.model import Code, Diagnostic, Level, Outcome
from eryphc.diagnostics.said import own
from eryphc.genepool.files import gene_source
from eryphc.ir.catlet import Catlet, FodderGene, Record
from eryphc.passes.check import check_catlet
from eryphc.passes.check_fodder import check_fodder_gene
from eryphc.passes.lower import lower_catlet, lower_fodder_gene
from eryphc.passes.values import Notation
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import Node

__all__ = [
    "Notation",
    "decode",
    "gene_source",
    "is_partial",
    "notation_of",
    "other_document",
    "read_catlet",
    "read_fodder_gene",
]

# A content whose type is not known cannot be judged either.
_PARTS_UNREAD = reading.PARTS_UNREAD | {rules.UNKNOWN_FODDER_TYPE}
R = TypeVar("R", bound=Record)
Lower = Callable[[Node, SourceText, Notation], "tuple[R | None, tuple[Diagnostic, ...]]"]


def notation_of(path: str) -> Notation:
    """A name that ends in `.json` is read by the JSON rules, everything else as YAML."""
    return Notation.JSON if path.lower().endswith(".json") else Notation.YAML


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 by its byte order mark, which is dropped.

    Raises UnicodeDecodeError where the bytes are neither.
    """
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8")


def read_catlet(source: SourceText, *, notation: Notation, strict: bool = True) -> Outcome[Catlet]:
    """A catlet document that follows the rules of the language, or what breaks them.

    Where single values cannot be read or break rules, the catlet is given beside the errors, so
    that what is wrong further on can be reported in the same run (`is_partial`).
    `strict` false is for documents that were accepted before (packed genes): broken rules are
    then warnings, only an unreadable document is an error.
    """
    harmless = rules.HARMLESS_LATER | _PARTS_UNREAD
    return _read(source, notation, strict, lower_catlet, check_catlet, harmless)


# How a text begins that a guest reads, what it is, and the type of fodder that it would be.
_OF_GUESTS = (
    ("#cloud-config-archive", own("a cloud-config archive"), own("cloud-config-archive")),
    ("#cloud-config", own("a cloud-config"), own("cloud-config")),
    ("## template: jinja", own("a template of a cloud-config"), own("cloud-config")),
    ("#cloud-boothook", own("a boothook"), own("cloud-boothook")),
    ("#include", own("a list of addresses to include"), own("include-url")),
    ("#ps1", own("a script of PowerShell"), own("shellscript")),
    ("#!", own("a script"), own("shellscript")),
)


# Keys that no text of a guest begins a line with. A catlet may begin with any comment.
_OF_CATLETS = r"(?m)^[\"']?(?:fodder|parent|cpu|memory|drives|capabilities)[\"']?[ \t]*:"


def other_document(source: SourceText) -> Diagnostic | None:
    """The error for a text of a guest that is taken for a catlet; None for any other text."""
    line = source.text.partition("\n")[0].rstrip()
    for marker, what, kind in _OF_GUESTS:
        if line.lower().startswith(marker):
            if re.search(_OF_CATLETS, source.text) is not None:
                return None
            return reading.other_document(what, kind, Span(source, 0, len(line)))
    return None


def read_fodder_gene(
    source: SourceText, *, notation: Notation, strict: bool = True, root: Node | None = None
) -> Outcome[FodderGene]:
    """A fodder gene that follows the rules of the language, or what breaks them.

    `root` is the tree of `source` where that was composed before.
    """
    harmless = rules.HARMLESS_LATER
    return _read(source, notation, strict, lower_fodder_gene, check_fodder_gene, harmless, root)


def is_partial(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether parts of a catlet with these diagnostics could not be read.

    Its gene sets can be looked up and its references fed, but nothing can be said of its values.
    """
    return any(d.code in _PARTS_UNREAD for d in diagnostics if d.level is Level.ERROR)


def _read(
    source: SourceText,
    notation: Notation,
    strict: bool,  # noqa: FBT001
    lower: Lower[R],
    check: Callable[[R, tuple[Diagnostic, ...]], tuple[Diagnostic, ...]],
    harmless: Collection[Code],
    root: Node | None = None,
) -> Outcome[R]:
    composed: Outcome[Node] = Outcome(root)
    if root is None:
        composed = _compose(source, notation)
    if composed.value is None:
        return Outcome(None, composed.diagnostics)
    record, found = lower(composed.value, source, notation)
    if record is None:
        return Outcome(None, found)
    broken = check(record, found)
    if not strict:
        broken = tuple(_softened(diagnostic) for diagnostic in broken)
    diagnostics = (*found, *broken)
    # Whether later passes make sense of the document, and would not echo what is reported.
    goes_on = all(d.level is not Level.ERROR or d.code in harmless for d in diagnostics)
    return Outcome(record if goes_on else None, diagnostics)


def _softened(diagnostic: Diagnostic) -> Diagnostic:
    if diagnostic.level is Level.ERROR:
        return diagnostic._replace(level=Level.WARNING)
    return diagnostic


def _compose(source: SourceText, notation: Notation) -> Outcome[Node]:
    if notation is Notation.JSON:
        from eryphc.syntax.json_nodes import compose_json

        return compose_json(source)
    from eryphc.syntax.yaml_nodes import compose

    return compose(source)
