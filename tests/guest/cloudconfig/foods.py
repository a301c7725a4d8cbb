"""Foods for the tests of this folder, with texts that stand alone in a document."""

from __future__ import annotations

from eryphc.identifiers import GeneId
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Written
from eryphc.origin import Origin, Step
from eryphc.source import SourceText, Span


def food(
    text: str,
    name: str = "a",
    *,
    depth: int = 0,
    gene: GeneId | None = None,
    secret: bool = False,
    kind: str = "cloud-config",
) -> Fodder:
    source = SourceText(f"{name}.yaml", text)
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


def foods(*texts: str, depth: int = 0) -> list[Fodder]:
    return [food(text, chr(ord("a") + number), depth=depth) for number, text in enumerate(texts)]
