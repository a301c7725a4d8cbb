"""Text of genes to documents, each text once as long as a memory of the passes lives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from eryphc.diagnostics.model import Outcome
from eryphc.frozen import NamedTuple
from eryphc.genepool.model import GeneText
from eryphc.ir.catlet import Catlet, FodderGene, Record
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.source import SourceText

R = TypeVar("R", bound=Record)
_MOST_CHARACTERS = 4 * 1024 * 1024


class ReadGene(NamedTuple, Generic[R]):
    """What a text was read as. The places of the outcome lie in `source`: a text of the same name
    and content that was read before."""

    source: SourceText
    outcome: Outcome[R]


class Once(Generic[R]):
    """Reads each text once. The oldest are forgotten when the texts get too many."""

    def __init__(self, read: Callable[[GeneText], Outcome[R]]) -> None:
        self._read = read
        self._known: OrderedDict[tuple[str, str, str | None], ReadGene[R]] = OrderedDict()
        self._characters = 0

    def __call__(self, text: GeneText) -> ReadGene[R]:
        key = (text.source.name, text.source.text, text.form)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        read = ReadGene(text.source, self._read(text))
        self._known[key] = read
        self._characters += len(text.source.text)
        while self._characters > _MOST_CHARACTERS and len(self._known) > 1:
            oldest, _ = self._known.popitem(last=False)
            self._characters -= len(oldest[1])
        return read


def catlet_genes() -> Once[Catlet]:
    """A reader of catlet genes that remembers what it has read."""
    return Once(_read_catlet_gene)


def fodder_genes() -> Once[FodderGene]:
    """A reader of fodder genes that remembers what it has read."""
    return Once(_read_fodder_gene)


def _read_catlet_gene(text: GeneText) -> Outcome[Catlet]:
    if text.form == "json":
        # A packed gene was accepted by the original: what breaks a rule there is a warning.
        return read_catlet(text.source, notation=Notation.JSON, strict=False)
    return read_catlet(text.source, notation=Notation.YAML)


def _read_fodder_gene(text: GeneText) -> Outcome[FodderGene]:
    if text.form == "json":
        return read_fodder_gene(text.source, notation=Notation.JSON, strict=False)
    return read_fodder_gene(text.source, notation=Notation.YAML, root=text.root)
