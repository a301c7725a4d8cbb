"""Text of genes to documents, each text once in a run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from eryphc.diagnostics.model import Outcome
from eryphc.genepool.model import GeneText
from eryphc.ir.catlet import Catlet, FodderGene, Record
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene

R = TypeVar("R", bound=Record)
_MOST_CHARACTERS = 4 * 1024 * 1024


class _Once(Generic[R]):
    """What a text was read as. The oldest are forgotten when the texts get too many."""

    def __init__(self, read: Callable[[GeneText], Outcome[R]]) -> None:
        self._read = read
        self._known: OrderedDict[tuple[str, str, str | None], Outcome[R]] = OrderedDict()
        self._characters = 0

    def __call__(self, text: GeneText) -> Outcome[R]:
        key = (text.source.name, text.source.text, text.form)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        outcome = self._read(text)
        self._known[key] = outcome
        self._characters += len(text.source.text)
        while self._characters > _MOST_CHARACTERS and len(self._known) > 1:
            oldest, _ = self._known.popitem(last=False)
            self._characters -= len(oldest[1])
        return outcome


def _read_catlet_gene(text: GeneText) -> Outcome[Catlet]:
    if text.form == "json":
        # A packed gene was accepted by the original: what breaks a rule there is a warning.
        return read_catlet(text.source, notation=Notation.JSON, strict=False)
    return read_catlet(text.source, notation=Notation.YAML)


def _read_fodder_gene(text: GeneText) -> Outcome[FodderGene]:
    if text.form == "json":
        return read_fodder_gene(text.source, notation=Notation.JSON, strict=False)
    return read_fodder_gene(text.source, notation=Notation.YAML, root=text.root)


catlet_gene: Callable[[GeneText], Outcome[Catlet]] = _Once(_read_catlet_gene)
fodder_gene: Callable[[GeneText], Outcome[FodderGene]] = _Once(_read_fodder_gene)
