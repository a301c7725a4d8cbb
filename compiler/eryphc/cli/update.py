"""`eryphc update`: move what the lock pins."""

from __future__ import annotations

from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking
from eryphc.cli.locking import accept, change_log, dry_run, spoken


@click.command("update")
@click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=completes("file"))
@click.option(
    "--gene",
    "genes",
    multiple=True,
    metavar="ORG/SET[/TAG]",
    shell_complete=completes("gene-set"),
    help="Move this gene set alone; without a tag all its tags. Repeatable.",
)
@shared.genepool
@accept
@dry_run
@change_log
@shared.network
@speaking()
def command(
    specs: tuple[str, ...],
    genes: tuple[str, ...],
    accepted: tuple[str, ...],
    output_format: str,
    *,
    dry_run: bool,
    console: Console,
    **options: Any,
) -> int:
    """Look up anew what eryph.lock pins, and print in words what that changes.

    Without SPEC and --gene everything. A gene set moves for all specifications at once.
    """
    from eryphc import sharing

    session = shared.session_of(options, trace=console.detail)
    answers = sharing.update(session, specs, genes=genes, accept=accepted, dry_run=dry_run)
    return spoken(console, answers, output_format, dry_run=dry_run)
