"""Fodder entries for the tests of this folder, with texts that stand alone in a document."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.guest.cloudconfig.bootmerge import Boot
from eryphc.guest.cloudconfig.bootmerge import boot as boot_entries
from eryphc.guest.cloudconfig.examine import examine_parts as examine_entries
from eryphc.guest.cloudconfig.merge import Merged
from eryphc.guest.cloudconfig.merge import merge as merge_entries
from eryphc.guest.cloudconfig.provenance import content_of
from eryphc.guest.cloudconfig.reader import ReadEntry, TextReader
from eryphc.identifiers import GeneId
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Written
from eryphc.origin import Origin, Step
from eryphc.source import SourceText, Span


def fodder(
    text: str,
    name: str = "a",
    *,
    depth: int = 0,
    gene: GeneId | None = None,
    secret: bool = False,
    kind: str = "cloud-config",
) -> Fodder:
    source = SourceText(f"{name}.yaml", text, regions=())
    span = Span(source, 0, len(text))
    fed = None if gene is None else Origin(span=span, step=Step.FED, gene=gene)
    return Fodder(
        name=name,
        type=kind,
        content=Content(text, Written(span)),
        depth=depth,
        secret=secret,
        document=fed,
    )


def fodder_entries(*texts: str, depth: int = 0) -> list[Fodder]:
    return [fodder(text, chr(ord("a") + number), depth=depth) for number, text in enumerate(texts)]


def entries(fodder_entries: Iterable[Fodder]) -> list[ReadEntry]:
    """The fodder entries with their data, read by one reader."""
    reader = TextReader()
    return [
        ReadEntry(each, reader.read(content_of(each)), number)
        for number, each in enumerate(fodder_entries)
    ]


def merge(fodder_entries: Iterable[Fodder]) -> Outcome[Merged]:
    return merge_entries(entries(fodder_entries))


def boot(fodder_entries: Iterable[Fodder]) -> Boot:
    return boot_entries(entries(fodder_entries))


def examine_parts(fodder_entries: Iterable[Fodder]) -> tuple[Diagnostic, ...]:
    return examine_entries(entries(fodder_entries))
