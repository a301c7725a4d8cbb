"""`eryphc gene sign`: sign a gene set that a registry has."""

from __future__ import annotations

import sys
from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking, write
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import json_text


@click.command("sign")
@click.argument("id_", metavar="ID", shell_complete=completes("gene-set"))
@click.option(
    "--key",
    metavar="KEY",
    required=True,
    shell_complete=completes("file"),
    help="The private key of SSH, or the .pub file of one in an agent.",
)
@click.option(
    "--to",
    metavar="POOL",
    help="The pool of eryphc.yaml, or oci://HOST/PREFIX; else the pool that owns the set.",
)
@shared.genepool
@shared.printed("How it is printed.")
@shared.network
@speaking()
def gene_sign(
    id_: str,
    key: str,
    output_format: str,
    *,
    to: str | None,
    console: Console,
    **options: Any,
) -> int:
    """Sign a gene set in its registry, and print its reference.

    ID is ORGANIZATION/SET/TAG. Its content and identity stay; moving tags that are other names of
    it get the signature too.
    """
    from eryphc.sharing import sign_set

    signed = sign_set(shared.session_of(options, trace=console.detail), id_, key, to=to)
    console.take(signed)
    if output_format == "json":
        write(sys.stdout, json_text(signed.data))
        return console.finish()
    write(sys.stdout, f"{plain(signed.reference)}\n")
    also = f", also {', '.join(signed.aliases)}" if signed.aliases else ""
    console.say(f"{signed.geneset}/{signed.tag}: {signed.status}{also}, {signed.digest}")
    return console.finish()
