"""Which volumes a command line means: one gene, or all that the drives of a spec start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from eryphc.cli import options as shared
from eryphc.cli.console import WRONG_INPUT, Console
from eryphc.diagnostics import command as command_wording
from eryphc.diagnostics import volumes as wording
from eryphc.identifiers import Architecture, GeneId, GeneType
from eryphc.ir.volume import Volume

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GeneSetTag
    from eryphc.specs import Pools


class WantedVolume(NamedTuple):
    """A volume gene, its tag and variant; `drives` are those of the spec that start from it."""

    gene: GeneId
    architecture: Architecture
    volume: Volume
    tag: GeneSetTag
    drives: tuple[str, ...] = ()
    spec: str | None = None
    catlet: str | None = None


def wanted_volumes(
    words: tuple[str, ...], console: Console, options: Mapping[str, Any]
) -> tuple[list[WantedVolume], int]:
    """The volumes that GENEs and SPECs name, each once, and the exit code of what failed."""
    pools = shared.pools(console, options)
    architecture = _architecture(console, options["arch"])
    found: list[WantedVolume] = []
    code = 0
    for word in words:
        try:
            if word.startswith("gene:"):
                found.append(_of_gene(word, console, pools, architecture))
            else:
                found += _of_spec(word, console, pools, architecture)
        except shared.StopRunError as ended:
            code = max(code, ended.code)
    return found, code


def _architecture(console: Console, text: str) -> Architecture:
    from eryphc.syntax.identifiers import parse_architecture
    from eryphc.syntax.names import NameFault

    architecture = parse_architecture(text)
    if isinstance(architecture, NameFault):
        diagnostic = command_wording.bad_option_value("--arch", architecture.message)
        raise shared.stop(console, diagnostic, WRONG_INPUT)
    return architecture


def _of_gene(text: str, console: Console, pools: Pools, architecture: Architecture) -> WantedVolume:
    from pathlib import Path

    from eryphc.diagnostics.model import Diagnostic
    from eryphc.diagnostics.pools import gene_not_found
    from eryphc.passes.collect import best_match
    from eryphc.syntax.identifiers import parse_gene
    from eryphc.syntax.names import NameFault

    gene = parse_gene(text)
    if isinstance(gene, NameFault):
        raise shared.stop(console, command_wording.gene_unknown(text, gene.message), WRONG_INPUT)
    chain = pools.chain(Path())
    console.add(chain.diagnostics)
    if chain.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    tag = _tag(console, chain.value, gene)
    gene = GeneId(tag.id, gene.name)
    variants = tag.variants(GeneType.VOLUME, gene.name)
    console.add(variants.diagnostics)
    if variants.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    if not variants.value:
        known = tag.names(GeneType.VOLUME)
        diagnostic = gene_not_found(gene, GeneType.VOLUME, None, known)
        raise shared.stop(console, diagnostic, WRONG_INPUT)
    variant = best_match(gene, variants.value, architecture, None)
    if isinstance(variant, Diagnostic):
        raise shared.stop(console, variant, WRONG_INPUT)
    volume = variant.volume or Volume(path=variant.path)
    return WantedVolume(gene, variant.architecture, volume, tag)


def _tag(console: Console, chain: PoolChain, gene: GeneId) -> GeneSetTag:
    from eryphc.passes.resolve import resolve

    resolved = resolve(gene.geneset, chain, None)
    console.add(resolved.diagnostics)
    if resolved.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    return resolved.value


def _of_spec(
    word: str, console: Console, pools: Pools, architecture: Architecture
) -> list[WantedVolume]:
    from eryphc import driver
    from eryphc.cli.pipeline import bred_of, read_one, values_of

    front = driver.FrontOptions(architecture=architecture)
    read, code = read_one(word, front, console)
    if read is None:
        raise shared.StopRunError(code)
    spec, document = read
    values = values_of(shared.Given({}, {}), several=False, no_input=True)
    bred = bred_of(spec, document, pools, front, values, console)
    chain = pools.chain(spec.folder).value
    if bred is None or chain is None:
        raise shared.StopRunError(WRONG_INPUT)
    fed = driver.to_fed(bred[0], chain, bred[1])
    console.add(fed.diagnostics)
    if fed.value is None:
        raise shared.StopRunError(WRONG_INPUT)
    drives: dict[str, list[str]] = {}
    for drive in fed.value.catlet.drives or ():
        if drive.source is not None:
            drives.setdefault(drive.source, []).append(drive.name or "")
    found = [
        WantedVolume(
            gene=gene.id,
            architecture=gene.architecture,
            volume=gene.volume or Volume(),
            tag=_tag(console, chain, gene.id),
            drives=tuple(sorted(drives[str(gene.id)])),
            spec=word,
            catlet=driver.catlet_name(document),
        )
        for gene in fed.value.genes
        # An ancestor's volume that no drive starts from any more is not needed.
        if gene.type is GeneType.VOLUME and str(gene.id) in drives
    ]
    if not found:
        console.add((wording.nothing_to_fetch(word),))
    return found
