"""`eryphc gene`: look at the genes that the pools hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc.cli import options as shared
from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.cli.groups import CommandGroup, completes
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.words import json_text
from eryphc.identifiers import GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, FodderGene, Variable
from eryphc.passes.redact import REDACTED
from eryphc.syntax.identifiers import parse_gene, parse_gene_set, parse_set_source
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GeneSetTag, Variant

C = TypeVar("C", bound=Callable[..., Any])


_where = shared.all_of(shared.genepool, shared.printed("How it is printed."))


@click.group("gene", cls=CommandGroup)
def command() -> None:
    """List and show the genes of the gene pools."""


@command.command("list")
@click.argument("prefix", metavar="[NAME]", required=False, shell_complete=completes("gene-set"))
@_where
@speaking
def gene_list(prefix: str | None, output_format: str, *, console: Console, **options: Any) -> int:
    """List the gene sets that can be used here, with their tags.

    NAME is an organization, a set, or ORGANIZATION/SET; without it all are listed.
    """
    from eryphc.genepool.listing import gene_sets

    try:
        chain = _chain(console, options)
    except shared.StopRunError as ended:
        return console.finish(ended.code)
    asked = (prefix or "").lower().rstrip("/")
    found = [
        listed
        for listed in gene_sets(chain)
        if not asked or asked in (listed.organization, listed.geneset, listed.id)
    ]
    if output_format == "json":
        data = [
            {
                "id": listed.id,
                "tags": list(listed.tags),
                "description": listed.description,
                "pool": listed.pool,
            }
            for listed in found
        ]
        write(sys.stdout, json_text(data))
        return console.finish()
    if not found:
        named = f" is called `{asked}`; `eryphc gene list` shows all" if asked else " is here"
        console.say(f"no gene set{named}")
    width = max((len(listed.id) for listed in found), default=0)
    for listed in found:
        tags = ", ".join(listed.tags)
        text = f"{listed.description} ({tags})" if listed.description else f"({tags})"
        write(sys.stdout, f"{listed.id:<{width}}  {text}\n")
    return console.finish()


@command.command("show")
@click.argument("id_", metavar="ID", shell_complete=completes("gene-set"))
@_where
@speaking
def gene_show(id_: str, output_format: str, *, console: Console, **options: Any) -> int:
    """Show what a gene set or a fodder gene offers.

    ID is gene:ORGANIZATION/SET[/TAG]:GENE, or ORGANIZATION/SET[/TAG] for all its genes.
    """
    try:
        chain = _chain(console, options)
        geneset, gene = _wanted(console, chain, id_)
        tag = _tag(console, chain, geneset)
        data = _described(console, tag, gene)
    except shared.StopRunError as ended:
        return console.finish(ended.code)
    if output_format == "json":
        write(sys.stdout, json_text(data))
    else:
        write(sys.stdout, "".join(f"{line}\n" for line in _lines(data)))
    return console.finish()


def _chain(console: Console, options: dict[str, Any]) -> PoolChain:
    pools = shared.pools(console, options)
    chain = pools.chain(Path())
    console.add(chain.diagnostics)
    if chain.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    found: PoolChain = chain.value
    return found


def _wanted(console: Console, chain: PoolChain, text: str) -> tuple[GeneSetId, str | None]:
    if text.startswith("gene:"):
        gene = parse_gene(text)
        if isinstance(gene, GeneId):
            return gene.geneset, gene.name
        geneset = parse_set_source(text)
        if geneset is not None:
            return geneset, None
        raise shared.stop(console, wording.gene_unknown(text, gene.message), WRONG_INPUT)
    parsed = parse_gene_set(text)
    if isinstance(parsed, NameFault):
        meant = _named(chain, text)
        raise shared.stop(console, wording.gene_unknown(text, parsed.message, meant), WRONG_INPUT)
    return parsed, None


def _named(chain: PoolChain, text: str) -> str | None:
    """The gene set that a name without an organization can only mean."""
    from eryphc.genepool.listing import gene_sets

    named = {listed.id for listed in gene_sets(chain) if listed.geneset == text.lower()}
    return named.pop() if len(named) == 1 else None


def _tag(console: Console, chain: PoolChain, geneset: GeneSetId) -> GeneSetTag:
    from eryphc.passes.resolve import resolve

    resolved = resolve(geneset, chain, None)
    console.add(resolved.diagnostics)
    if resolved.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    return resolved.value


def _described(console: Console, tag: GeneSetTag, wanted: str | None) -> dict[str, Any]:
    """A gene set tag as data: what it is, and the interface of each gene."""
    from eryphc.genepool.listing import description

    folder = Path(tag.manifest.source.name).parent.parent
    short, long = description(folder)
    data: dict[str, Any] = {
        "id": str(tag.id),
        "short_description": short,
        "description": long,
        "metadata": dict(tag.manifest.metadata),
        "genes": [],
    }
    for kind in (GeneType.CATLET, GeneType.FODDER, GeneType.VOLUME):
        names = ("catlet",) if kind is GeneType.CATLET else tag.names(kind)
        for name in names:
            if wanted is not None and wanted != name.lower():
                continue
            found = tag.variants(kind, name.lower())
            console.add(found.diagnostics)
            for variant in found.value or ():
                data["genes"].append(_gene(console, tag, variant))
    if wanted is not None and not data["genes"]:
        from eryphc.diagnostics.pools import gene_not_found

        gene = GeneId(tag.id, wanted)
        known = tag.names(GeneType.FODDER)
        raise shared.stop(console, gene_not_found(gene, GeneType.FODDER, None, known), WRONG_INPUT)
    return data


def _gene(console: Console, tag: GeneSetTag, variant: Variant) -> dict[str, Any]:
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
    console.add(text.diagnostics)
    if text.value is None:
        return data
    notation = Notation.JSON if text.value.form == "json" else Notation.YAML
    data["sha256"] = text.value.sha256
    read: Any = (read_fodder_gene if variant.type is GeneType.FODDER else read_catlet)(
        text.value.source, notation=notation, strict=notation is Notation.YAML
    )
    console.add(read.diagnostics)
    record: FodderGene | Catlet | None = read.value
    if record is not None:
        if isinstance(record, Catlet):
            data["parent"] = record.parent
        data["variables"] = [_variable(variable) for variable in record.variables or ()]
        data["fodder"] = [
            {
                "name": food.name,
                "source": food.source,
                "type": food.type or ("cloud-config" if not food.source else None),
                "secret": bool(food.secret),
            }
            for food in record.fodder or ()
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


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['id']}"
    for key in ("short_description", "description"):
        if data[key]:
            yield f"  {data[key]}"
    for key, value in data["metadata"].items():
        yield f"  {key}: {value}"
    for gene in data["genes"]:
        yield ""
        arch = "" if gene["arch"] == "any" else f" [{gene['arch']}]"
        yield f"{gene['id']}{arch}  ({gene['type']})"
        if gene.get("url"):
            yield f"  {gene['format']} from {gene['url']}"
        if gene.get("parent"):
            yield f"  parent {gene['parent']}"
        variables = gene.get("variables") or ()
        width = max((len(v["name"]) for v in variables), default=0)
        for variable in variables:
            marks = [word for word in ("required", "secret") if variable[word]]
            default = variable["default"]
            shown = "" if default is None else f" = {default}"
            extra = f"  ({', '.join(marks)})" if marks else ""
            yield f"  {variable['name']:<{width}}  {variable['type']}{shown}{extra}"
        for food in gene.get("fodder") or ():
            what = food["source"] or food["type"]
            yield f"  - {food['name'] or food['source']}: {what}" + (
                " (secret)" if food["secret"] else ""
            )
