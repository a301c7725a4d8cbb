"""`eryphc lock`: pin the gene sets that specifications use."""

from __future__ import annotations

from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking
from eryphc.cli.locking import accept, change_log, dry_run, spoken


@click.command("lock")
@click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=completes("file"))
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; fail if the lock is not what the specifications need. Reads no pinned "
    "content.",
)
@click.option(
    "--disks",
    is_flag=True,
    help="Also pin disk images whose descriptions have no digest, as their publishers have them "
    "today. A lock that pins some keeps doing so.",
)
@shared.genepool
@accept
@dry_run
@change_log
@shared.network
@speaking()
def command(
    specs: tuple[str, ...],
    accepted: tuple[str, ...],
    output_format: str,
    *,
    check: bool,
    disks: bool,
    dry_run: bool,
    console: Console,
    **options: Any,
) -> int:
    """Write eryph.lock: which content of which gene sets each SPEC uses.

    Without SPEC those that the lock knows and those of `specs:` in eryphc.yaml, else catlet.yaml
    here. What is pinned already stays as it is; `eryphc update` moves it.
    """
    from eryphc import sharing

    session = shared.session_of(options, trace=console.detail)
    if check:
        console.take(sharing.check_lock(session, specs))
        result = console.finish()
        if not result and not console.found:
            console.say("the lock is what the specifications need")
        return result
    answers = sharing.lock(session, specs, accept=accepted, disks=disks, dry_run=dry_run)
    return spoken(console, answers, output_format, dry_run=dry_run)
