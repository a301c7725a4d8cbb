"""Foods for the tests of this folder, with texts that stand alone in a document."""

from __future__ import annotations

from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Written
from eryphc.source import SourceText, Span


def food(
    text: str,
    name: str = "a",
    *,
    depth: int = 0,
    gene: str | None = None,
    secret: bool = False,
    kind: str = "cloud-config",
) -> Fodder:
    source = SourceText(f"{name}.yaml", text)
    content = Content(text, Written(Span(source, 0, len(text))))
    return Fodder(name=name, type=kind, content=content, depth=depth, gene=gene, secret=secret)


def foods(*texts: str, depth: int = 0) -> list[Fodder]:
    return [food(text, chr(ord("a") + number), depth=depth) for number, text in enumerate(texts)]
