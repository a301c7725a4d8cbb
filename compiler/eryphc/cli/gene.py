"""`eryphc gene`: look at the genes that the pools hold, compare their tags, and write new ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eryphc import EryphcError, Failure
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import OK, WRONG_INPUT, Console, speaking, write
from eryphc.cli.gene_push import gene_deprecate, gene_index, gene_push
from eryphc.cli.gene_sign import gene_sign
from eryphc.cli.groups import CommandGroup
from eryphc.cli.volume_progress import Progress
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import json_text

if TYPE_CHECKING:
    from eryphc.sharing import EryphSets, PackedSets

_FAIL_ON = ("breaking", "major", "older", "other-os", "changed-tag")
"""The guards that can tell something of two tags alone."""

_where = shared.all_of(shared.genepool, shared.printed("How it is printed."))
_anywhere = shared.all_of(_where, shared.network)


@click.group("gene", cls=CommandGroup)
def command() -> None:
    """List, show and compare the genes of the gene pools; write, check and pack your own."""


@command.command("list")
@click.argument("prefix", metavar="[NAME]", required=False, shell_complete=completes("gene-set"))
@_anywhere
@speaking()
def gene_list(prefix: str | None, output_format: str, *, console: Console, **options: Any) -> int:
    """List the gene sets that can be used here, with their tags.

    NAME is an organization, a set, or ORGANIZATION/SET; without it all are listed.
    """
    from eryphc.gallery import listing

    answer = listing(shared.session_of(options, trace=console.detail), prefix)
    console.take(answer)
    found = answer.sets
    if output_format == "json":
        data = [
            {
                "id": listed.id,
                "tags": list(listed.tags),
                "description": listed.description,
                "pool": listed.pool,
                **({"deprecated": list(listed.deprecated)} if listed.deprecated else {}),
            }
            for listed in found
        ]
        write(sys.stdout, json_text(data))
        return console.finish()
    if not found:
        asked = (prefix or "").lower().rstrip("/")
        named = f" is called `{asked}`; `eryphc gene list` shows all" if asked else " is here"
        console.say(f"no gene set{named}")
    width = max((len(listed.id) for listed in found), default=0)
    for listed in found:
        tags = ", ".join(
            f"{tag} deprecated" if tag in listed.deprecated else tag for tag in listed.tags
        )
        text = f"{listed.description} ({tags})" if listed.description else f"({tags})"
        write(sys.stdout, f"{listed.id:<{width}}  {text}\n")
    return console.finish()


@command.command("show")
@click.argument("id_", metavar="ID", shell_complete=completes("gene-set"))
@_anywhere
@speaking()
def gene_show(id_: str, output_format: str, *, console: Console, **options: Any) -> int:
    """Show what a gene set or a fodder gene offers.

    ID is gene:ORGANIZATION/SET[/TAG]:GENE, or ORGANIZATION/SET[/TAG] for all its genes.
    """
    from eryphc.gallery import described

    shown = described(shared.session_of(options, trace=console.detail), id_)
    console.take(shown)
    if shown.data is not None:
        if output_format == "json":
            write(sys.stdout, json_text(shown.data))
        else:
            write(sys.stdout, "".join(f"{line}\n" for line in _lines(shown.data)))
    return console.finish()


@command.command("diff")
@click.argument("before", metavar="A", shell_complete=completes("gene-set"))
@click.argument("after", metavar="B", shell_complete=completes("gene-set"))
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    type=click.Choice(["any", *_FAIL_ON]),
    help="Exit with 1 if B differs from A in this way. Repeatable.",
)
@shared.genepool
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the change log is printed; markdown is for pull requests.",
)
@shared.network
@speaking()
def gene_diff(
    before: str,
    after: str,
    fail_on: tuple[str, ...],
    output_format: str,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Show what differs between two tags of a gene set.

    A and B are ORGANIZATION/SET[/TAG], or folders of tags; a folder whose name could be that of a
    gene set is written with ./ in front. -v shows long entries whole.
    """
    from eryphc.sharing import compared_tags, log_as_data, log_as_markdown, log_as_text

    found = compared_tags(shared.session_of(options, trace=console.detail), before, after)
    console.take(found)
    if found.log is None:
        return console.finish()
    match output_format:
        case "json":
            shown = json_text(log_as_data(found.log, verbose=console.verbose))
        case "markdown":
            shown = log_as_markdown(found.log, verbose=console.verbose)
        case _:
            shown = log_as_text(found.log, verbose=console.verbose)
    write(sys.stdout, shown)
    reasons = [f"{stop.guard}: {stop.sentence}" for stop in found.stops if stop.guard in fail_on]
    if "any" in fail_on and found.log.changed:
        reasons.append("any: the tags differ")
    for reason in reasons:
        console.say(f"--fail-on {plain(reason)}")
    return console.finish(WRONG_INPUT if reasons else OK)


@command.command("pull")
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=completes("gene-set"))
@click.option("--lock", "of_lock", is_flag=True, help="All that eryph.lock here pins.")
@click.option("--volumes", is_flag=True, help="Also fetch the disks that lie in their images.")
@click.option("-o", "--output", metavar="DIR", help="Also write the texts to DIR, as a gene pool.")
@shared.genepool
@shared.printed("How it is printed.")
@shared.network
@speaking()
def gene_pull(
    ids: tuple[str, ...],
    output: str | None,
    output_format: str,
    *,
    of_lock: bool,
    volumes: bool,
    console: Console,
    **options: Any,
) -> int:
    """Fetch gene sets and all that they need from registries, for builds without a network.

    ID is ORGANIZATION/SET[/TAG]. What is fetched is verified and kept in the user's store.
    """
    from eryphc.sharing import pull, pull_lock

    if bool(ids) == of_lock:
        usage = wording.usage("`gene pull` takes gene sets, or `--lock`", None)
        raise EryphcError.of(Failure.USAGE, usage)
    session = shared.session_of(options, trace=console.detail)
    into = None if output is None else Path(output)
    progress = Progress(console, "auto")
    disks = progress.bytes if volumes else None
    if of_lock:
        pulled = pull_lock(session, into, disks=disks)
    else:
        pulled = pull(session, ids, into, disks=disks)
    progress.clear()
    console.take(pulled)
    if output_format == "json":
        write(sys.stdout, json_text([each._asdict() for each in pulled.sets]))
        return console.finish()
    width = max((len(each.geneset) for each in pulled.sets), default=0)
    for each in pulled.sets:
        what = each.digest or (f"is {each.ref}" if each.ref else "")
        write(sys.stdout, f"{each.geneset:<{width}}  {each.pool}  {what}".rstrip() + "\n")
    return console.finish()


command.add_command(gene_push)
command.add_command(gene_index)
command.add_command(gene_deprecate)
command.add_command(gene_sign)


@command.command("new")
@click.argument("folder", metavar="DIR", shell_complete=completes("folder"))
@click.option("--catlet", "kind", flag_value="catlet", help="Begin with a catlet gene.")
@click.option("--fodder", "kind", flag_value="fodder", help="Begin with a fodder gene (default).")
@click.option("--both", "kind", flag_value="both", help="Begin with one of each.")
@click.option(
    "--guest",
    type=click.Choice(["linux", "windows"]),
    help="What the genes are for; without it linux.",
)
@click.option(
    "--from",
    "copy_of",
    metavar="ORG/SET/TAG",
    shell_complete=completes("gene-set"),
    help="Begin with a copy of this gene set.",
)
@shared.genepool
@speaking()
def gene_new(
    folder: str,
    kind: str | None,
    guest: str | None,
    copy_of: str | None,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Write the files of a new tag into DIR, which is named ORGANIZATION/SET/TAG.

    What it writes passes `gene check`. Nothing is overwritten.
    """
    from eryphc.sharing import Guest, Kind, new_set

    if copy_of is not None and (kind or guest):
        raise click.UsageError("--from copies a gene set as it is: no --guest and no kind of gene")
    session = shared.session_of(options)
    made = new_set(
        session,
        folder,
        kind=Kind(kind or Kind.FODDER),
        guest=Guest(guest or Guest.LINUX),
        copy_of=copy_of,
    )
    for path in made.written:
        write(sys.stdout, f"{plain(path)}\n")
    console.say(f"next: eryphc gene check {plain(folder)}")
    return console.finish()


@command.command("check")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, shell_complete=completes("folder")
)
@click.option(
    "--against",
    metavar="ID",
    shell_complete=completes("gene-set"),
    help="Also report what breaks those who use this tag: ORG/SET/TAG, or a folder.",
)
@shared.genepool
@shared.network
@speaking(data=True)
def gene_check(
    paths: tuple[str, ...], *, against: str | None, console: Console, **options: Any
) -> int:
    """Report all that a publication of gene sets would complain about.

    PATH is the folder of a tag, or of a set with all its tags. A registry is only asked for what
    the genes or --against name.
    """
    from eryphc.sharing import checked_sets

    session = shared.session_of(options, trace=console.detail)
    checked = checked_sets(session, paths, against=against)
    console.take(checked)
    for name in checked.genesets:
        console.detail(f"checked {name}")
    return console.finish()


@command.command("pack")
@click.argument("path", metavar="PATH", shell_complete=completes("folder"))
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    shell_complete=completes("folder"),
    help="Write an OCI image layout, or with --eryph a gene pool; what is there is replaced.",
)
@click.option("--eryph", is_flag=True, help="Pack as eryph does, for its gene pool.")
@shared.printed("How it is printed.")
@speaking()
def gene_pack(
    path: str, output: str | None, output_format: str, *, eryph: bool, console: Console
) -> int:
    """Make the image of a tag, or of all tags of a set, and print its identity and digests.

    PATH is the folder of the tag or set. The same texts have the same identity anywhere.
    """
    from eryphc.sharing import packed_for_eryph, packed_sets

    if eryph:
        return _packed_for_eryph(console, packed_for_eryph(path, output), output_format)
    return _packed(console, packed_sets(path, output), output_format, texts=True)


@command.command("export")
@click.argument("ids", metavar="[ID...]", nargs=-1, shell_complete=completes("gene-set"))
@click.option("--lock", "of_lock", is_flag=True, help="All that eryph.lock here pins.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    shell_complete=completes("folder"),
    help="The folder, or with --archive the file, that is written.",
)
@click.option("--archive", is_flag=True, help="Write one tar archive instead of a folder.")
@click.option("--volumes", is_flag=True, help="Also write the disks that lie in their images.")
@shared.network
@_where
@speaking()
def gene_export(
    ids: tuple[str, ...],
    output: str,
    output_format: str,
    *,
    of_lock: bool,
    archive: bool,
    volumes: bool,
    console: Console,
    **options: Any,
) -> int:
    """Write gene sets and all that they name as images, in an OCI image layout.

    ID is ORGANIZATION/SET[/TAG]. The folder is a gene pool, `--genepool oci-layout:DIR`. A layout
    that is there is replaced.
    """
    from eryphc.sharing import exported_lock, exported_sets

    if bool(ids) == of_lock:
        usage = wording.usage("`gene export` takes gene sets, or `--lock`", None)
        raise EryphcError.of(Failure.USAGE, usage)
    session = shared.session_of(options, trace=console.detail)
    if of_lock:
        made = exported_lock(session, output, archive=archive, volumes=volumes)
    else:
        made = exported_sets(session, ids, output, archive=archive, volumes=volumes)
    return _packed(console, made, output_format, texts=console.verbose)


def _packed_for_eryph(console: Console, made: EryphSets, output_format: str) -> int:
    """Print packed tags: a tag and its identity a line, below it its genes with their hashes."""
    console.take(made)
    if not made.ok:
        return console.finish()
    data = made.as_data()
    if output_format == "json":
        write(sys.stdout, json_text(data))
    else:
        for tag in data:
            write(sys.stdout, f"{tag['geneset']}/{tag['tag']}  {tag['digest']}\n")
            for gene in tag["genes"]:
                arch = "" if gene["arch"] == "any" else f" [{gene['arch']}]"
                shown = f"{gene['type']} {gene['name']}{arch}"
                write(sys.stdout, f"  {shown}  {gene['hash']}  {gene['size']} bytes\n")
    if made.output is not None:
        console.say(f"written to {plain(made.output)}")
    return console.finish()


def _packed(console: Console, made: PackedSets, output_format: str, *, texts: bool) -> int:
    """Print the images of tags: a tag and its identity a line, below it its `texts`."""
    from eryphc.sharing import packed_as_data

    console.take(made)
    if not made.ok:
        return console.finish()
    data = packed_as_data(made)
    if output_format == "json":
        write(sys.stdout, json_text(data))
    else:
        for tag in data:
            write(sys.stdout, f"{tag['geneset']}/{tag['tag']}  {tag['digest']}\n")
            for alias in tag["aliases"]:
                write(sys.stdout, f"  also {tag['geneset']}/{alias}\n")
            for file in (*tag["files"], *tag["disks"]) if texts else tag["disks"]:
                write(sys.stdout, f"  {file['path']}  {file['digest']}  {file['size']} bytes\n")
    if made.output is not None:
        console.say(f"written to {plain(made.output)}")
    return console.finish()


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['id']}"
    for key in ("short_description", "description"):
        if data[key]:
            yield f"  {data[key]}"
    for key, value in data["metadata"].items():
        yield f"  {key}: {value}"
    for key in ("pool", "digest", "manifest", "signed"):
        if data.get(key):
            yield f"  {key} {data[key]}"
    if data.get("tags"):
        yield f"  tags {', '.join(data['tags'])}"
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
        for fodder in gene.get("fodder") or ():
            what = fodder["source"] or fodder["type"]
            yield f"  - {fodder['name'] or fodder['source']}: {what}" + (
                " (secret)" if fodder["secret"] else ""
            )
