"""`eryphc gene push`: publish gene sets."""

from __future__ import annotations

import sys
from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking, write
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import json_text


@click.command("push")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, shell_complete=completes("folder")
)
@click.option(
    "--to",
    metavar="POOL",
    help="The pool of eryphc.yaml, or oci://HOST/PREFIX; else the pool that owns the sets.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be published; send nothing.")
@click.option("--breaking", is_flag=True, help="Publish what breaks those who use older tags.")
@click.option("--replace", is_flag=True, help="Replace fixed tags that have other content.")
@shared.genepool
@shared.printed("How it is printed.")
@shared.network
@speaking()
def gene_push(
    paths: tuple[str, ...],
    output_format: str,
    *,
    to: str | None,
    dry_run: bool,
    breaking: bool,
    replace: bool,
    console: Console,
    **options: Any,
) -> int:
    """Publish gene sets in a registry, and print a reference for each tag.

    PATH is the folder of a tag, of a set with all its tags, or an OCI image layout. Everything is
    checked before anything is sent. What is there already is not sent again.
    """
    from eryphc.sharing import log_as_text, push

    session = shared.session_of(options, trace=console.detail)
    pushed = push(session, paths, to=to, dry_run=dry_run, breaking=breaking, replace=replace)
    if pushed.log.changed:
        for line in log_as_text(pushed.log, verbose=console.verbose).splitlines():
            console.say(line)
    console.take(pushed)
    if output_format == "json":
        write(sys.stdout, json_text([each.data for each in pushed.sets]))
        return console.finish()
    for each in pushed.sets:
        write(sys.stdout, f"{plain(each.reference)}\n")
        also = f", also {', '.join(each.aliases)}" if each.aliases else ""
        sent = f", {each.size} bytes" if each.size else ""
        console.say(f"{each.geneset}/{each.tag}: {each.status}{also}{sent}")
    return console.finish()
