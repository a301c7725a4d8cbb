"""Which genes of a gene set the specifications of a lock use: what may break for somebody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from eryphc.changes.interface import GeneKey
from eryphc.genepool.contents import TagContents
from eryphc.lockfile.model import Entry, Lock
from eryphc.passes.naming import NamedGene, genes_named_by

Named: TypeAlias = "Iterable[NamedGene] | None"
"""The genes that a document names, None where it cannot be read."""


class Usage:
    """Read when it is first asked for. `of_spec` gives the genes that a specification names, by its
    path from the lock, `look_up` the content of a tag, None where it is not at hand.

    What cannot be read may use any gene.
    """

    def __init__(
        self,
        lock: Lock,
        of_spec: Callable[[str], Named],
        look_up: Callable[[str, Entry], TagContents | None],
    ) -> None:
        self._lock = lock
        self._of_spec = of_spec
        self._look_up = look_up
        self._by_set: dict[str, set[GeneKey]] | None = None
        self._read = False
        self._whole: set[str] = set()

    def __call__(self, name: str) -> Collection[GeneKey] | None:
        """The genes of a gene set, asked for under this name, that are used; None: any may be."""
        if not self._read:
            self._read, self._by_set = True, self._found()
        if self._by_set is None or name in self._whole:
            return None
        return self._by_set.get(name, set())

    def _found(self) -> dict[str, set[GeneKey]] | None:
        found: dict[str, set[GeneKey]] = {}
        for document in self._documents():
            if document is None:
                return None
            for gene in document:
                name = str(gene.geneset)
                if gene.name is None:
                    self._whole.add(name)
                else:
                    found.setdefault(name, set()).add(GeneKey(gene.type, gene.name))
        return found

    def _documents(self) -> Iterable[Named]:
        for path in self._lock.specs:
            yield self._of_spec(path)
        for name, entry in self._lock.sets.items():
            # What names no gene set uses none of another.
            if entry.requires:
                contents = self._look_up(name, entry)
                yield None if contents is None else genes_named_by(contents)
