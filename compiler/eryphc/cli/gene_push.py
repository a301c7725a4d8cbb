"""`eryphc gene push` and `gene index`: publish gene sets, and list what is published."""

from __future__ import annotations

import sys
from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking, write
from eryphc.cli.volume_progress import Progress
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import json_text

_sign = click.option(
    "--sign",
    "key",
    metavar="KEY",
    shell_complete=completes("file"),
    help="Sign it with this key of SSH, or with the one in an agent whose .pub file is named.",
)


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
@click.option("--no-index", is_flag=True, help="Leave the list of the pool's gene sets alone.")
@_sign
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
    no_index: bool,
    key: str | None,
    console: Console,
    **options: Any,
) -> int:
    """Publish gene sets in a registry, and print a reference for each tag.

    PATH is the folder of a tag, of a set with all its tags, or an OCI image layout. Everything is
    checked before anything is sent. What is there already is not sent again.
    """
    from eryphc.sharing import Signing, log_as_text, push

    signing = None if key is None else Signing(key)
    session = shared.session_of(options, trace=console.detail)
    told = Progress(console, "auto", "sending")
    pushed = push(
        session,
        paths,
        to=to,
        dry_run=dry_run,
        breaking=breaking,
        replace=replace,
        index=not no_index,
        sign=None if signing is None else signing.gene_set,
        sign_statements=None if signing is None else signing.statement,
        progress=told.bytes,
    )
    told.clear()
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


@click.command("index")
@click.argument("pool", metavar="[POOL]", required=False)
@click.option("--add", metavar="ORG/SET", multiple=True, help="Also list this set. Repeatable.")
@click.option(
    "--rebuild",
    metavar="DIR",
    shell_complete=completes("folder"),
    help="List the sets whose source trees lie in DIR as ORG/SET, and no others.",
)
@shared.genepool
@shared.printed("How it is printed.")
@shared.network
@speaking()
def gene_index(
    pool: str | None,
    add: tuple[str, ...],
    rebuild: str | None,
    output_format: str,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Bring the list of a registry's gene sets up to date, which `gene list` shows.

    POOL is a pool of eryphc.yaml or oci://HOST/PREFIX?orgs=ORG. Every push keeps the list; this
    command mends it.
    """
    from eryphc.sharing import index

    session = shared.session_of(options, trace=console.detail)
    done = index(session, pool, add=add, rebuild=rebuild)
    console.take(done)
    if output_format == "json":
        write(sys.stdout, json_text({name: list(tags) for name, tags in done.sets.items()}))
        return console.finish()
    for name, tags in done.sets.items():
        write(sys.stdout, f"{name}  {', '.join(tags)}\n")
    if done.ok and done.sets:
        console.say(f"{plain(done.reference)} lists {len(done.sets)} gene sets")
    return console.finish()


@click.command("deprecate")
@click.argument("id_", metavar="ORG/SET/TAG", shell_complete=completes("gene-set"))
@click.option("--reason", metavar="TEXT", required=True, help="Why it should not be used.")
@click.option("--use", metavar="ORG/SET/TAG", help="What to use instead.")
@click.option(
    "--to",
    metavar="POOL",
    help="The pool of eryphc.yaml, or oci://HOST/PREFIX; else the pool that owns the set.",
)
@click.option("--no-index", is_flag=True, help="Leave the list of the pool's gene sets alone.")
@_sign
@shared.genepool
@shared.network
@speaking()
def gene_deprecate(
    id_: str,
    *,
    reason: str,
    use: str | None,
    to: str | None,
    no_index: bool,
    key: str | None,
    console: Console,
    **options: Any,
) -> int:
    """Say of a published tag that it should not be used any more, and print where it is said.

    The tag stays where it is. `lock`, `update`, `gene list` and `gene show` warn of it. A later
    word takes the place of an earlier one.
    """
    from eryphc.sharing import Signing, deprecate

    sign = None if key is None else Signing(key).statement
    session = shared.session_of(options, trace=console.detail)
    done = deprecate(session, id_, reason=reason, use=use, to=to, index=not no_index, sign=sign)
    console.take(done)
    write(sys.stdout, f"{plain(done.reference)}\n")
    console.say(f"{done.geneset} is deprecated" if done.changed else "it said so before")
    return console.finish()
