"""A document to its pedigree: gene sets resolved, ancestors read.

In every document of the result the parent, gene sources of drives and sources of fodder are the
final identifiers, and ancestors have the sources that their gene set gives them.
Source: docs/reference/language.md, "The default network", "Ancestors".
"""

from __future__ import annotations

from eryphc.diagnostics import language
from eryphc.diagnostics import pools as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import named
from eryphc.frozen import replace
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.identifiers import ANY, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, ConfigType, Drive, DriveType, Fodder, Network
from eryphc.ir.stages import Document, Pedigree
from eryphc.origin import Origin, Step
from eryphc.passes.memory import Lineage, PassMemory
from eryphc.passes.naming import named_sets
from eryphc.passes.places import brought, chained, defaulted, part, rooted
from eryphc.passes.resolve import resolve
from eryphc.source import SourceText, Span
from eryphc.syntax.identifiers import parse_gene, parse_gene_set, parse_set_source
from eryphc.syntax.names import GENE, NameFault, blank, name_faults

MOST_ANCESTORS = 4
DEFAULT_NETWORK = "default"


def read_pedigree(
    document: Document, pools: GenePool, memory: PassMemory | None = None
) -> Outcome[Pedigree]:
    """The pedigree of an author's document.

    Errors: malformed sources and gene sets that no pool has (all of one document together), a
    circle, more than four ancestors, a parent without catlet, what reading a catlet gene finds.
    A document that already is a specification is left as it is.
    """
    if document.catlet.config_type in (ConfigType.SPECIFICATION, ConfigType.INSTANCE):
        return Outcome(_of_specification(document, pools))
    walk = _Walk(pools, memory or PassMemory())
    walk.ascend(document._replace(catlet=default_network(document.catlet)))
    found = rooted(walk.found, walk.documents[0].parent_origin)
    if has_errors(found):
        return Outcome(None, found)
    pedigree = Pedigree(
        documents=tuple(walk.documents),
        resolved={written: tag.id for written, tag in walk.resolved.items()},
        os_types=tuple(walk.os_types),
    )
    return Outcome(pedigree, found)


def default_network(catlet: Catlet) -> Catlet:
    """An author's catlet without networks gets one; ancestors play no part in it."""
    if catlet.networks:
        return catlet
    own = Origin(span=catlet.at("networks"), step=Step.DEFAULTED)
    network = Network(name=DEFAULT_NETWORK, places={"": own, "name": own})
    return replace(catlet, networks=(network,), places=defaulted(catlet, "networks"))


def _of_specification(document: Document, pools: GenePool) -> Pedigree:
    """A built document keeps its fodder; only the kind of its guest is looked up."""
    parent = document.catlet.parent
    parsed = parse_gene_set(parent) if parent is not None and not blank(parent) else None
    os_types: tuple[str, ...] = ()
    if isinstance(parsed, GeneSetId):
        tag = resolve(parsed, pools, None).value
        if tag is not None and tag.manifest.os_type is not None:
            os_types = (tag.manifest.os_type,)
    return Pedigree(documents=(document,), resolved={}, os_types=os_types)


class _Walk:
    """One walk up the pedigree."""

    def __init__(self, pools: GenePool, memory: PassMemory) -> None:
        self.pools = pools
        self.memory = memory
        self.found: list[Diagnostic] = []
        self.documents: list[Document] = []
        self.os_types: list[str] = []
        # A gene set that failed stays out, and is reported once.
        self.resolved: dict[GeneSetId, GeneSetTag] = {}
        self.failed: set[GeneSetId] = set()

    def ascend(self, document: Document) -> None:
        """The spec, then its ancestors: as they are known, or step by step."""
        spec = self.resolve_document(document)
        self.documents.append(spec)
        written = self.parent_id(spec.catlet)
        tag = self.resolved.get(written) if written is not None else None
        if written is None or tag is None:
            return
        lineage = self.lineage(written, tag)
        if lineage is None:
            self.climb(spec)
        else:
            self.documents.extend(lineage.documents)
            self.resolved.update(lineage.resolved)
            self.os_types.extend(lineage.os_types)

    def lineage(self, written: GeneSetId, tag: GeneSetTag) -> Lineage | None:
        """The ancestors if no finding is about them, else None."""
        known = self.memory.lineages(self.pools)
        key = (written, tag.id)
        if key not in known:
            walk = _Walk(self.pools, self.memory)
            walk.resolved[written] = tag
            walk.climb(Document(Catlet(parent=str(written)), SourceText("", ""), 0))
            known[key] = (
                None
                if walk.found
                else Lineage(tuple(walk.documents), walk.resolved, tuple(walk.os_types))
            )
        return known[key]

    def climb(self, child: Document) -> None:
        """All ancestors of `child`, whose own gene sets are resolved."""
        visited: list[tuple[GeneSetId, GeneSetId]] = []
        current = self.parent_of(child, visited)
        while current is not None:
            rewritten = self.resolve_document(current)
            self.documents.append(rewritten)
            current = self.parent_of(rewritten, visited)

    def parent_of(
        self, document: Document, visited: list[tuple[GeneSetId, GeneSetId]]
    ) -> Document | None:
        catlet = document.catlet
        written = self.parent_id(catlet)
        tag = self.resolved.get(written) if written is not None else None
        if written is None or tag is None:
            return None
        span = catlet.at("parent")
        known = any(written == one or tag.id == other for one, other in visited)
        visited.append((written, tag.id))
        if known or len(visited) > MOST_ANCESTORS:
            chain = [str(final) if one == final else f"{one} ({final})" for one, final in visited]
            fault = (
                language.pedigree_circle(tuple(map(named, chain)), span)
                if known
                else language.pedigree_too_long(tuple(map(named, chain)), MOST_ANCESTORS, span)
            )
            self.found.extend(chained((fault,), document.origin))
            return None
        if tag.manifest.os_type is not None:
            self.os_types.append(tag.manifest.os_type)
        return self.read_ancestor(document, tag, span)

    def read_ancestor(self, child: Document, tag: GeneSetTag, span: Span | None) -> Document | None:
        variants = tag.variants(GeneType.CATLET, "catlet")
        self.found.extend(chained(variants.diagnostics, child.origin))
        variant = next((v for v in variants.value or () if v.architecture == ANY), None)
        if variant is None:
            if not has_errors(variants.diagnostics):
                fault = wording.catlet_gene_missing(tag.id, span, tag.names(GeneType.FODDER))
                self.found.extend(chained((fault,), child.origin))
            return None
        gene = GeneId(tag.id, "catlet")
        text = tag.read(variant)
        read = None if text.value is None else self.memory.catlet_gene(text.value)
        source = SourceText(str(gene), "") if read is None else read.source
        origin = Origin(
            span=Span(source, 0, len(source.text)),
            step=Step.INHERITED,
            gene=gene,
            # The place in the spec is left open: an ancestor is the same for every spec.
            via=None if child.depth == 0 else child.parent_origin,
        )
        self.found.extend(chained(text.diagnostics, origin))
        if read is None:
            return None
        self.found.extend(chained(read.outcome.diagnostics, origin))
        if read.outcome.value is None:
            return None
        return Document(
            catlet=self.with_sources(brought(read.outcome.value, origin), tag),
            source=source,
            depth=child.depth + 1,
            geneset=tag.id,
            origin=origin,
        )

    # -- sources of an ancestor -------------------------------------------------------------

    def with_sources(self, catlet: Catlet, tag: GeneSetTag) -> Catlet:
        own = str(GeneId(tag.id, "catlet"))
        return replace(
            catlet,
            drives=None
            if catlet.drives is None
            else tuple(self.with_volume(drive, tag) for drive in catlet.drives),
            fodder=None
            if catlet.fodder is None
            else tuple(
                replace(fodder, source=own, places=defaulted(fodder, "source"))
                if blank(fodder.source)
                else fodder
                for fodder in catlet.fodder
            ),
        )

    def with_volume(self, drive: Drive, tag: GeneSetTag) -> Drive:
        if drive.type not in (None, DriveType.VHD) or not blank(drive.source):
            return drive
        name = (drive.name or "").lower()
        if name and not name_faults(GENE, name):
            volumes = tag.variants(GeneType.VOLUME, name)
            self.found.extend(volumes.diagnostics)
            if volumes.value:
                return replace(
                    drive, source=str(GeneId(tag.id, name)), places=defaulted(drive, "source")
                )
        return replace(drive, source=None)

    # -- gene sets of a document ------------------------------------------------------------

    def parent_id(self, catlet: Catlet) -> GeneSetId | None:
        """The gene set of the parent as written; a malformed one is reported with the document."""
        text = catlet.parent
        if text is None or blank(text):
            return None
        parsed = parse_gene_set(text)
        return None if isinstance(parsed, NameFault) else parsed

    def resolve_document(self, document: Document) -> Document:
        """Resolve every gene set the document names, and write the final ones into it.

        The parent stays as written until it was read as an ancestor.
        """
        catlet = document.catlet
        faults: list[Diagnostic] = []
        for geneset, place in named_sets(catlet, faults):
            if geneset in self.resolved or geneset in self.failed:
                continue
            outcome = resolve(geneset, self.pools, None)
            if outcome.diagnostics:
                outcome = resolve(geneset, self.pools, part(*place))
            faults.extend(outcome.diagnostics)
            if outcome.value is None:
                self.failed.add(geneset)
                continue
            self.resolved[geneset] = outcome.value
            self.resolved.setdefault(outcome.value.id, outcome.value)
        rewritten = replace(
            catlet,
            drives=None
            if catlet.drives is None
            else tuple(self.final_drive(drive) for drive in catlet.drives),
            fodder=None
            if catlet.fodder is None
            else tuple(self.final_fodder(fodder, document, faults) for fodder in catlet.fodder),
        )
        self.found.extend(chained(faults, document.origin))
        return document._replace(catlet=rewritten)

    def final_drive(self, drive: Drive) -> Drive:
        source = drive.source
        if source is None or not source.startswith("gene:"):
            return drive
        gene = parse_gene(source)
        tag = self.resolved.get(gene.geneset) if isinstance(gene, GeneId) else None
        if tag is None or isinstance(gene, NameFault):
            return drive
        return replace(drive, source=str(GeneId(tag.id, gene.name)))

    def final_fodder(self, fodder: Fodder, document: Document, faults: list[Diagnostic]) -> Fodder:
        source = self.final_source(fodder, faults)
        if source == fodder.source and document.depth == fodder.depth:
            return fodder
        return replace(fodder, source=source, depth=document.depth)

    def final_source(self, fodder: Fodder, faults: list[Diagnostic]) -> str | None:
        source = fodder.source
        if source is None or blank(source):
            return source
        short = parse_set_source(source)
        gene = parse_gene(source) if short is None else None
        geneset = gene.geneset if isinstance(gene, GeneId) else short
        tag = self.resolved.get(geneset) if geneset is not None else None
        if tag is None:
            return source
        if isinstance(gene, GeneId):
            return str(GeneId(tag.id, gene.name))
        assert short is not None  # noqa: S101
        names = tag.names(GeneType.FODDER)
        if len(names) == 1:
            meant = names[0]
        elif tag.id.geneset in names:
            meant = tag.id.geneset
        else:
            from eryphc.genepool.source_tree import faults_of, in_words, passed_over

            passed = () if names else passed_over(tag)
            broken = faults_of(passed)
            if broken:
                # What is broken may be the gene that is meant.
                faults.extend(chained(broken, fodder.origin("source")))
                return source
            span = part(fodder, "source", source, source)
            words = in_words(passed)
            faults.append(wording.source_unclear(short, tag.id, names, span, words))
            return source
        return str(GeneId(tag.id, meant))


def final_parent(pedigree: Pedigree, document: Document) -> Catlet:
    """The catlet of a document with the final identifier of its parent."""
    catlet = document.catlet
    text = catlet.parent
    parsed = parse_gene_set(text) if text is not None and not blank(text) else None
    final = pedigree.resolved.get(parsed) if isinstance(parsed, GeneSetId) else None
    if final is not None and text != str(final):
        catlet = replace(catlet, parent=str(final))
    return catlet
