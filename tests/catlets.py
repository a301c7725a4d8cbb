"""Catlets and gene pools for tests, written as text, and the passes run on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from eryphc.diagnostics.model import Diagnostic, Level, Outcome
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.model import GenePool
from eryphc.identifiers import DEFAULT_ARCHITECTURE, Architecture
from eryphc.ir.catlet import Catlet, Fodder
from eryphc.ir.compat import Compat
from eryphc.ir.stages import Document, PinnedGene, Substituted
from eryphc.origin import Step
from eryphc.passes.breed import breed
from eryphc.passes.feed import feed
from eryphc.passes.memory import PassMemory
from eryphc.passes.pedigree import read_pedigree
from eryphc.passes.read import Notation, read_catlet
from eryphc.passes.substitute import substitute
from eryphc.source import SourceText
from saying import said

T = TypeVar("T")


def write_pool(root: Path, tags: Mapping[str, Mapping[str, Any]]) -> FolderPool:
    """A pool in the published layout.

    `tags` maps `org/set/tag` to `ref`, `os_type`, or file paths below the tag with their text.
    """
    for tag, entry in tags.items():
        folder = root / tag
        folder.mkdir(parents=True, exist_ok=True)
        manifest: dict[str, object] = {"version": "1.1", "geneset": tag}
        if "ref" in entry:
            manifest["ref"] = entry["ref"]
        if "os_type" in entry:
            manifest["metadata"] = {"_os_type": entry["os_type"]}
        (folder / "geneset-tag.json").write_text(json.dumps(manifest), encoding="utf-8")
        for name, text in entry.items():
            if name in ("ref", "os_type"):
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    return FolderPool(root, "genes")


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted as they are shown; what is said twice of one place has its gravest level."""

    def key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
        code, message = diagnostic.code.number, diagnostic.message
        if diagnostic.primary is None:
            return ("", -1, -1, code, message)
        span = diagnostic.primary.span
        return (span.source.name, span.start, span.end, code, message)

    lightest_first = sorted(diagnostics, key=lambda found: -list(Level).index(found.level))
    found = {key(diagnostic): diagnostic for diagnostic in map(said, lightest_first)}
    return [found[each] for each in sorted(found)]


def shown_code(found: Diagnostic) -> str:
    """The number; with the level where it is not the one that the letter says."""
    number = found.code.number
    if found.level.value.startswith(number[0].lower()):
        return number
    return f"{found.level.value}[{number}]"


@dataclass
class Result:
    """What a run of the passes gave. `stage` is the last pass that ran."""

    stage: str
    catlet: Catlet | None
    genes: tuple[PinnedGene, ...] = ()
    uses_vm_id: tuple[str, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    done: Substituted | None = None

    @property
    def value(self) -> Catlet:
        assert self.catlet is not None, self.shown()
        return self.catlet

    @property
    def fodder_entries(self) -> tuple[Fodder, ...]:
        return self.value.fodder or ()

    def contents(self) -> dict[str | None, str]:
        return {
            fodder.name: fodder.content.text if fodder.content else ""
            for fodder in self.fodder_entries
        }

    def shown(self, level: Level | None = None) -> list[str]:
        """`CODE FILE:LINE: MESSAGE` of each diagnostic, in order."""
        lines = []
        for found in ordered(self.diagnostics):
            if level is not None and found.level is not level:
                continue
            span = found.primary.span if found.primary else None
            place = f"{Path(span.source.name).name}:{span.line}" if span else "-"
            lines.append(f"{found.code.number} {place}: {found.message}")
        return lines

    def errors(self) -> list[str]:
        return self.shown(Level.ERROR)

    def only(self, code: str) -> Diagnostic:
        found = [d for d in self.diagnostics if d.code.number == code]
        assert len(found) == 1, self.shown()
        return said(found[0])


def run(
    spec: str,
    pool: GenePool | None = None,
    *,
    until: str = "substitute",
    architecture: Architecture = DEFAULT_ARCHITECTURE,
    compat: Compat = Compat.ERYPHC,
    values: Mapping[str, str] | None = None,
    catlet_id: str = "the-catlet-id",
    vm_id: str = "the-vm-id",
    steps: Mapping[str, Step] = MappingProxyType({}),
    memory: PassMemory | None = None,
) -> Result:
    """Run the passes on a spec up to `until` (`read`, `pedigree`, `breed`, `feed`, ...)."""
    pools = pool if pool is not None else PoolChain([])
    source = SourceText("spec.yaml", spec)
    found: list[Diagnostic] = []

    def take(outcome: Outcome[T]) -> T | None:
        found.extend(outcome.diagnostics)
        return outcome.value

    catlet = take(read_catlet(source, notation=Notation.YAML))
    if catlet is None or until == "read":
        return Result("read", catlet, diagnostics=found)
    document = Document(catlet=catlet, source=source, depth=0)
    pedigree = take(read_pedigree(document, pools, memory))
    if pedigree is None or until == "pedigree":
        young = pedigree.documents[0].catlet if pedigree else None
        return Result("pedigree", young, diagnostics=found)
    bred = take(breed(pedigree))
    if bred is None or until == "breed":
        return Result("breed", bred.catlet if bred else None, diagnostics=found)
    fed = take(feed(bred, pools, architecture, compat, memory))
    if fed is None or until == "feed":
        genes = fed.genes if fed else ()
        return Result("feed", fed.catlet if fed else None, genes, diagnostics=found)
    done = take(substitute(fed, values or {}, catlet_id, vm_id, steps))
    if done is None:
        return Result("substitute", None, fed.genes, diagnostics=found)
    return Result("substitute", done.catlet, done.genes, done.uses_vm_id, found, done)
