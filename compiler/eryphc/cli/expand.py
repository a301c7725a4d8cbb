"""`eryphc expand`: print the effective catlet, or a single fodder gene."""

from __future__ import annotations

import sys
from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking, write


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
@speaking()
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
    request = shared.request_of(console, options)
    session = shared.session_of(options, trace=console.detail)
    expand = session.expand_gene if spec.startswith("gene:") else session.expand
    expanded = expand(spec, stage, request)
    console.take(expanded)
    for line in expanded.sources:
        console.detail(line)
    code = console.finish()
    if code == 0:
        text = expanded.yaml(show_secrets=show_secrets)
        if output_format == "json":
            from eryphc.diagnostics.words import json_text

            text = json_text(expanded.data(show_secrets=show_secrets))
        write(sys.stdout, text or "")
    return code
