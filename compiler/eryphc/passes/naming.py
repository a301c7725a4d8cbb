"""The gene sets that a catlet names: its parent, and the sources of its drives and fodder.

Only catlets name gene sets; what their catlet genes name is the whole graph of a closure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eryphc.diagnostics import pools as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import NamedTuple
from eryphc.genepool.files import gene_source
from eryphc.identifiers import GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, Drive, Fodder, Record
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import SourceText
from eryphc.syntax.identifiers import parse_gene, parse_gene_set, parse_set_source
from eryphc.syntax.names import NameFault, blank

if TYPE_CHECKING:
    from eryphc.genepool.contents import TagContents


def named_sets(
    catlet: Catlet, faults: list[Diagnostic]
) -> Iterator[tuple[GeneSetId, tuple[Record, str, str, str]]]:
    """Gene sets, each with the record, the key, its text and the part that names the set.

    The parent, sources of drives, sources of fodder. What is malformed goes to `faults`.
    """
    parent = catlet.parent
    if parent is not None and not blank(parent):
        parsed = parse_gene_set(parent)
        if isinstance(parsed, NameFault):
            faults.append(wording.identifier_malformed(parsed.message, catlet.at("parent")))
        else:
            yield parsed, (catlet, "parent", parent, parent)
    records: tuple[Drive | Fodder, ...] = (*(catlet.drives or ()), *(catlet.fodder or ()))
    for record in records:
        source = record.source
        if source is None or blank(source):
            continue
        if isinstance(record, Drive) and not source.startswith("gene:"):
            continue
        short = parse_set_source(source) if isinstance(record, Fodder) else None
        gene = short or parse_gene(source)
        if isinstance(gene, NameFault):
            faults.append(wording.identifier_malformed(gene.message, record.at("source")))
            continue
        geneset = gene.geneset if isinstance(gene, GeneId) else gene
        yield geneset, (record, "source", source, _set_part(source))


def _set_part(source: str) -> str:
    """The gene set in the text of a source."""
    return source.split(":")[1] if source.count(":") else source


class NamedGene(NamedTuple):
    """A gene as a catlet names it; without `name` it is one that the set alone tells."""

    geneset: GeneSetId
    type: GeneType
    name: str | None


def named_genes(catlet: Catlet) -> Iterator[NamedGene]:
    """The genes that a catlet names: its parent, volumes of drives, fodder. Malformed names are
    passed over."""
    for geneset, (record, key, source, _) in named_sets(catlet, []):
        if key == "parent":
            yield NamedGene(geneset, GeneType.CATLET, "catlet")
            continue
        kind = GeneType.VOLUME if isinstance(record, Drive) else GeneType.FODDER
        gene = parse_gene(source)
        yield NamedGene(geneset, kind, gene.name if isinstance(gene, GeneId) else None)


def genes_named_by(contents: TagContents) -> tuple[NamedGene, ...] | None:
    """The genes that the catlet gene of a tag names; None where it cannot be read."""
    read = _catlet_of(contents)
    if read is None:
        return ()
    return None if read.value is None else tuple(named_genes(read.value))


def names_in(catlet: Catlet) -> Outcome[tuple[GeneSetId, ...]]:
    """The gene sets that a catlet names, each once, sorted. Errors: malformed names."""
    faults: list[Diagnostic] = []
    found = {geneset for geneset, _ in named_sets(catlet, faults)}
    return Outcome(tuple(sorted(found)), tuple(faults))


def requires_of(contents: TagContents) -> Outcome[tuple[GeneSetId, ...]]:
    """The gene sets that the catlet gene of a tag names, each once, sorted; none without one.

    Errors: those of reading the catlet, malformed names.
    """
    read = _catlet_of(contents)
    if read is None:
        return Outcome(())
    if read.value is None or has_errors(read.diagnostics):
        return Outcome(None, read.diagnostics)
    names = names_in(read.value)
    if has_errors(names.diagnostics):
        return Outcome(None, names.diagnostics)
    # The set itself is named where a fodder entry points to a gene of its own.
    others = tuple(name for name in names.value or () if name != contents.id)
    return Outcome(others, read.diagnostics)


def parent_of(contents: TagContents) -> GeneSetId | None:
    """The parent of the catlet gene of a tag; None where it has none, or cannot be read."""
    read = _catlet_of(contents)
    parent = None if read is None or read.value is None else read.value.parent
    parsed = None if parent is None or blank(parent) else parse_gene_set(parent)
    return parsed if isinstance(parsed, GeneSetId) else None


def _catlet_of(contents: TagContents) -> Outcome[Catlet] | None:
    file = next((each for each in contents.files if each.type == GeneType.CATLET), None)
    if file is None:
        return None
    text = file.text.decode("utf-8", "surrogatepass")
    name = f"{contents.id}/{file.path}"
    if file.form == "json":
        return read_catlet(SourceText(name, text), notation=Notation.JSON, strict=False)
    return read_catlet(gene_source(name, text), notation=Notation.YAML)
