"""`eryphc expand`: print the effective catlet, or a single fodder gene."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from eryphc.cli import options as shared
from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.cli.groups import completes

if TYPE_CHECKING:
    from eryphc.driver import FrontOptions, Stage
    from eryphc.ir.catlet import Catlet


@click.command("expand")
@click.argument("spec", metavar="SPEC", shell_complete=completes("file"))
@click.option(
    "--stage",
    type=click.Choice(["breed", "feed", "substitute"]),
    default="substitute",
    show_default=True,
    help="How far the catlet is taken.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How the catlet is printed.",
)
@click.option("--show-secrets", is_flag=True, help="Print secrets as they are.")
@shared.front
@speaking
def command(
    spec: str,
    stage: str,
    output_format: str,
    *,
    show_secrets: bool,
    console: Console,
    **options: Any,
) -> int:
    """Print the effective catlet of SPEC.

    SPEC is a file, a folder that holds catlet.yaml, - for standard input, or a fodder gene as
    gene:ORGANIZATION/SET[/TAG]:GENE, whose variables are given with --var.
    """
    from eryphc.driver import Stage

    try:
        front = shared.front_options(console, options)
        if spec.startswith("gene:"):
            from eryphc.cli.expand_gene import expand_gene

            catlet, code = expand_gene(spec, Stage(stage), front, console, options)
        else:
            catlet, code = _expand(spec, Stage(stage), front, console, options)
    except shared.StopRunError as ended:
        return console.finish(ended.code)
    if catlet is None:
        return console.finish(code)
    code = console.finish()
    if code == 0:
        write(sys.stdout, _printed(catlet, output_format, show_secrets=show_secrets))
    return code


def _expand(
    name: str, stage: Stage, front: FrontOptions, console: Console, options: dict[str, Any]
) -> tuple[Catlet | None, int]:
    from eryphc import driver
    from eryphc.cli.pipeline import bred_of, read_one, say_sources, values_of
    from eryphc.passes.conceal import conceal

    pools = shared.pools(console, options)
    given = shared.given_values(console, options)
    values = values_of(given, several=False, no_input=options["no_input"])
    read, code = read_one(name, front, console)
    if read is None:
        return None, code
    spec, document = read
    bred = bred_of(spec, document, pools, front, values, console)
    if bred is None:
        return None, WRONG_INPUT
    catlet, front = bred
    if document.partial:
        outcome: Any = driver.to_fed(catlet, pools.chain(spec.folder).value, front)
    elif stage is driver.Stage.BREED:
        outcome = driver.with_values(catlet, front)
    else:
        chain = pools.chain(spec.folder).value
        outcome = driver.to_fed(catlet, chain, front)
        if outcome.value is not None:
            console.add(outcome.diagnostics)
            say_sources(chain, outcome.value, console)
            if stage is driver.Stage.FEED:
                # Values are shown where they are given, as in the stage before.
                given_catlet = driver.with_values(
                    catlet._replace(catlet=outcome.value.catlet), front
                )
                outcome = given_catlet
            else:
                outcome = driver.to_substituted(outcome.value, front)
    given_values = driver.with_values(catlet, front).value
    secrets = (
        catlet.catlet,
        *((given_values.catlet,) if given_values else ()),
        *(() if outcome.value is None else (outcome.value.catlet,)),
    )
    console.add(outcome.diagnostics)
    console.found[:] = conceal(
        console.found, (*(d.catlet for d in catlet.pedigree.documents), *secrets)
    )
    return (None if outcome.value is None else outcome.value.catlet), WRONG_INPUT


def _printed(catlet: Catlet, output_format: str, *, show_secrets: bool) -> str:
    from eryphc.ir.document import trimmed
    from eryphc.passes.redact import redact

    data = trimmed(catlet if show_secrets else redact(catlet))
    if output_format == "json":
        from eryphc.diagnostics.words import json_text

        return json_text(data)
    from eryphc.ir.yaml_text import yaml_text

    return yaml_text(data)
