"""What the gene pools offer: lists of gene sets, and what one of their genes takes and holds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from eryphc.answers import Result
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.genepool.listing import ListedSet, gene_sets
from eryphc.identifiers import GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, FodderGene, Variable
from eryphc.passes.redact import REDACTED
from eryphc.project.locations import pool_locations
from eryphc.request import must_be
from eryphc.session import Session
from eryphc.syntax.identifiers import parse_gene, parse_gene_set, parse_set_source
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GeneSetTag, Variant


__all__ = (
    "Description",
    "Listing",
    "described",
    "listed_sets",
    "listing",
    "pool_locations",
    "resolved_tag",
)


class Description(Result):
    """A gene set tag as data (`gene show --format json`); `data` is None after an error."""

    def __init__(self, data: dict[str, Any], found: list[Diagnostic]) -> None:
        super().__init__(show(found))
        self.data = data if self.ok else None


class Listing(Result):
    """The gene sets that a session can use, by name. What keeps a registry from telling what it has
    is a warning."""

    def __init__(self, sets: tuple[ListedSet, ...], found: list[Diagnostic]) -> None:
        super().__init__(each._replace(level=Level.WARNING) for each in show(found))
        self.sets = sets


def listing(session: Session, name: str | None = None) -> Listing:
    """The gene sets that a session can use; registries are asked for their lists.

    `name` as in `listed_sets`. Raises `EryphcError`.
    """
    from eryphc.project.acquire import remote_pools

    must_be("the name", name, str, type(None))
    session.opener.ask_anew()
    chain = session.pools()
    found: list[Diagnostic] = []
    with ExitStack() as stack:
        for pool in remote_pools(chain):
            stack.enter_context(pool.opened())
        sets = _named_so(gene_sets(chain, found), name)
        if not sets and (name or "").count("/") == 1:
            sets = _in_registry(chain, (name or "").lower())
    return Listing(sets, [*session.overheard(), *found])


def _in_registry(chain: PoolChain, name: str) -> tuple[ListedSet, ...]:
    """A set that no index lists, by the tags that a registry has of it."""
    from eryphc.genepool.remote import RemotePool

    geneset = parse_gene_set(f"{name}/latest")
    if isinstance(geneset, NameFault):
        return ()
    for pool in chain.owners(geneset):
        tags = pool.neighbours(geneset).tags if isinstance(pool, RemotePool) else ()
        if tags:
            listed = ListedSet(
                organization=geneset.organization,
                geneset=geneset.geneset,
                tags=tuple(tags),
                description="",
                pool=pool.labels()[0],
            )
            return (listed,)
    return ()


def listed_sets(session: Session, name: str | None = None) -> tuple[ListedSet, ...]:
    """The gene sets that a session can use, by name; of registries those that are remembered.

    `name` is an organization, a set, or `ORGANIZATION/SET`. Raises `EryphcError`.
    """
    must_be("the name", name, str, type(None))
    return _named_so(gene_sets(session.pools()), name)


def _named_so(sets: tuple[ListedSet, ...], name: str | None) -> tuple[ListedSet, ...]:
    asked = (name or "").lower().rstrip("/")
    return tuple(
        listed
        for listed in sets
        if not asked or asked in (listed.organization, listed.geneset, listed.id)
    )


def described(session: Session, id_: str) -> Description:
    """What a gene set or a fodder gene offers.

    `id_` is `gene:ORGANIZATION/SET[/TAG]:GENE`, or `ORGANIZATION/SET[/TAG]` for all its genes.
    Raises `EryphcError` where there is no such gene.
    """
    must_be("the id", id_, str)
    session.opener.ask_anew()
    chain = session.pools()
    asked = _asked(id_)
    if asked is not None:
        session.opener.acquire((asked,), chain)
    geneset, gene = _wanted(chain, id_)
    found: list[Diagnostic] = []
    try:
        tag = resolved_tag(chain, geneset, found)
    except EryphcError as fault:
        # Why there was no login is half of the answer.
        heard = show(session.overheard())
        raise EryphcError(fault.failure, (*heard, *fault.diagnostics)) from None
    data = _described(tag, gene, found)
    published = _published(chain, tag, found)
    return Description({**data, **published}, [*session.overheard(), *found])


def _published(chain: PoolChain, tag: GeneSetTag, found: list[Diagnostic]) -> dict[str, Any]:
    """What is known of a tag as something that was published; only members with a value."""
    from eryphc.genepool.pinned import PinnedTag
    from eryphc.genepool.remote import RemotePool
    from eryphc.project.deprecations import deprecated_tag, warning

    data: dict[str, Any] = {}
    if isinstance(tag, PinnedTag):
        data |= {"pool": tag.label, "digest": tag.config.identity}
        for pool in chain.ordered():
            fetched = pool.fetched(tag.id) if isinstance(pool, RemotePool) else None
            if isinstance(pool, RemotePool) and fetched is not None and pool.label == tag.label:
                with pool.opened():
                    tags = pool.neighbours(tag.id).tags
                data |= {"manifest": fetched.manifest, "signed": fetched.signed, "tags": list(tags)}
    said = deprecated_tag(chain, tag)
    if said is not None:
        data["deprecated"] = said.data
        found.append(warning(tag.id, said))
    return {key: value for key, value in data.items() if value}


def resolved_tag(chain: PoolChain, geneset: GeneSetId, found: list[Diagnostic]) -> GeneSetTag:
    """The tag that a gene set stands for in the end. Raises `EryphcError`."""
    from eryphc.passes.resolve import resolve

    resolved = resolve(geneset, chain, None)
    if resolved.value is None:
        shown = show(resolved.diagnostics)
        raise EryphcError(failure_of(shown) or Failure.INPUT, shown)
    found += resolved.diagnostics
    return resolved.value


def _asked(text: str) -> GeneSetId | None:
    """The gene set that an id names in full."""
    if not text.startswith("gene:"):
        parsed = parse_gene_set(text)
        return None if isinstance(parsed, NameFault) else parsed
    gene = parse_gene(text)
    return gene.geneset if isinstance(gene, GeneId) else parse_set_source(text)


def _wanted(chain: PoolChain, text: str) -> tuple[GeneSetId, str | None]:
    if text.startswith("gene:"):
        gene = parse_gene(text)
        if isinstance(gene, GeneId):
            return gene.geneset, gene.name
        geneset = parse_set_source(text)
        if geneset is not None:
            return geneset, None
        raise EryphcError.of(Failure.INPUT, wording.gene_unknown(text, gene.message))
    parsed = parse_gene_set(text)
    if isinstance(parsed, NameFault):
        meant = _named(chain, text)
        raise EryphcError.of(Failure.INPUT, wording.gene_unknown(text, parsed.message, meant))
    return parsed, None


def _named(chain: PoolChain, text: str) -> str | None:
    """The only gene set that a name without an organization can mean."""
    named = {listed.id for listed in gene_sets(chain) if listed.geneset == text.lower()}
    return named.pop() if len(named) == 1 else None


def _described(tag: GeneSetTag, wanted: str | None, found: list[Diagnostic]) -> dict[str, Any]:
    """A gene set tag as data: what it is, and the interface of each gene."""
    from eryphc.genepool.listing import descriptions_of
    from eryphc.genepool.source_tree import faults_of, in_words, passed_over

    short, long = descriptions_of(tag)
    data: dict[str, Any] = {
        "id": str(tag.id),
        "short_description": short,
        "description": long,
        "metadata": dict(tag.manifest.metadata),
        "genes": [],
    }
    for kind in (GeneType.CATLET, GeneType.FODDER, GeneType.VOLUME):
        names = ("catlet",) if kind is GeneType.CATLET else tag.names(kind)
        for name in dict.fromkeys((*names, *([wanted] if wanted else ()))):
            if wanted is not None and wanted != name.lower():
                continue
            variants = tag.variants(kind, name.lower())
            found += variants.diagnostics
            for variant in variants.value or ():
                data["genes"].append(_gene(tag, variant, found))
    passed = passed_over(tag)
    broken = faults_of(passed, wanted)
    if wanted is None:
        found += broken
    elif not data["genes"]:
        from eryphc.diagnostics.pools import gene_not_found

        gene = GeneId(tag.id, wanted)
        known = tag.names(GeneType.FODDER)
        missing = gene_not_found(gene, GeneType.FODDER, None, known, in_words(passed))
        shown = show(broken or (missing,))
        raise EryphcError(failure_of(shown) or Failure.INPUT, shown)
    return data


def _gene(tag: GeneSetTag, variant: Variant, found: list[Diagnostic]) -> dict[str, Any]:
    from eryphc.passes.read import Notation, read_catlet, read_fodder_gene

    data: dict[str, Any] = {
        "id": str(GeneId(tag.id, variant.name.lower())),
        "type": variant.type.value,
        "arch": str(variant.architecture),
    }
    if variant.type is GeneType.VOLUME:
        if variant.volume is not None:
            data["format"] = variant.volume.format
            data["url"] = variant.volume.url
        return data
    text = tag.read(variant)
    found += text.diagnostics
    if text.value is None:
        return data
    notation = Notation.JSON if text.value.form == "json" else Notation.YAML
    data["sha256"] = text.value.sha256
    read: Any = (read_fodder_gene if variant.type is GeneType.FODDER else read_catlet)(
        text.value.source, notation=notation, strict=notation is Notation.YAML
    )
    found += read.diagnostics
    record: FodderGene | Catlet | None = read.value
    if record is not None:
        if isinstance(record, Catlet):
            data["parent"] = record.parent
        data["variables"] = [_variable(variable) for variable in record.variables or ()]
        data["fodder"] = [
            {
                "name": fodder.name,
                "source": fodder.source,
                "type": fodder.type or ("cloud-config" if not fodder.source else None),
                "secret": bool(fodder.secret),
            }
            for fodder in record.fodder or ()
        ]
    return data


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "type": (variable.type or "string"),
        "default": REDACTED if variable.secret and variable.value else variable.value,
        "required": bool(variable.required),
        "secret": bool(variable.secret),
    }
