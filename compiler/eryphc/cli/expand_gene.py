"""`eryphc expand gene:...`: one fodder gene with its variables bound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eryphc.cli import options as shared
from eryphc.cli.console import WRONG_INPUT, Console
from eryphc.diagnostics import command
from eryphc.ir.catlet import Catlet, Fodder, Variable
from eryphc.ir.stages import Document
from eryphc.source import SourceText, Span
from eryphc.syntax.identifiers import parse_gene, parse_set_source
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.driver import FrontOptions, Stage


def expand_gene(
    text: str, stage: Stage, front: FrontOptions, console: Console, options: Mapping[str, Any]
) -> tuple[Catlet | None, int]:
    """A catlet that holds nothing but the foods of the gene; its variables are `--var`."""
    from eryphc import driver

    parsed = parse_gene(text)
    if isinstance(parsed, NameFault) and parse_set_source(text) is None:
        raise shared.stop(console, command.gene_unknown(text, parsed.message), WRONG_INPUT)
    pools = shared.pools(console, options)
    values = shared.given_values(console, options).values
    source = SourceText("<command line>", text)
    places = {"": Span(source, 0, len(text)), "source": Span(source, 0, len(text))}
    reference = Fodder(
        source=text,
        variables=tuple(
            Variable(name=name, value=value, places=places) for name, value in values.items()
        ),
        places=places,
    )
    chain = pools.chain(Path())
    console.add(chain.diagnostics)
    if chain.value is None:
        return None, WRONG_INPUT
    document = Document(
        catlet=Catlet(name="gene", fodder=(reference,), places=places), source=source, depth=0
    )
    bred = driver.to_bred(document, chain.value)
    console.add(bred.diagnostics)
    if bred.value is None:
        return None, WRONG_INPUT
    fed = driver.to_fed(bred.value, chain.value, front)
    console.add(fed.diagnostics)
    if fed.value is None:
        return None, WRONG_INPUT
    catlet = fed.value.catlet
    if stage is driver.Stage.SUBSTITUTE:
        done = driver.to_substituted(fed.value, front._replace(values={}))
        console.add(done.diagnostics)
        if done.value is None:
            return None, WRONG_INPUT
        catlet = done.value.catlet
    return Catlet(fodder=catlet.fodder), 0
