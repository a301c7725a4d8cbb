"""A document as the first pass reads it."""

from __future__ import annotations

from typing import Any

from eryphc.ir.catlet import Catlet
from eryphc.ir.document import document
from eryphc.passes.lower import lower_catlet
from eryphc.passes.read import Notation
from eryphc.source import SourceText
from eryphc.syntax.yaml_nodes import compose


def lowered(text: str) -> tuple[Catlet | None, list[str]]:
    """The catlet before any rule is applied, and the codes of what was found."""
    source = SourceText("spec.yaml", text)
    composed = compose(source)
    if composed.value is None:
        return None, [d.code.number for d in composed.diagnostics]
    catlet, found = lower_catlet(composed.value, source, Notation.YAML)
    return catlet, [d.code.number for d in found]


def value(text: str) -> Any:
    catlet, found = lowered(text)
    assert catlet is not None
    assert [code for code in found if code.startswith("E")] == []
    return document(catlet)
