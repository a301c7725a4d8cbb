"""`eryphc verify`: builds against their manifests, locks and statements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from eryphc import EryphcError, Failure
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking, write
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import json_text

if TYPE_CHECKING:
    from eryphc.sharing import Verified


@click.command("verify")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, shell_complete=completes("file")
)
@click.option("--manifest", metavar="FILE", help="The manifest of an artifact that lies elsewhere.")
@click.option(
    "--no-secrets", is_flag=True, help="Fail if an artifact holds secrets: before an upload."
)
@click.option("--lock", metavar="FILE", help="The lock that must pin the genes of the builds.")
@click.option(
    "--provenance", metavar="FILE", help="The statement of the build; else the one beside it."
)
@click.option(
    "--keys",
    metavar="FILE",
    help="Allowed signers in the form of OpenSSH; the statement must be signed by one.",
)
@click.option(
    "--signer",
    "signers",
    multiple=True,
    metavar="PRINCIPAL",
    help="Who of --keys is believed; * and ? stand for any characters. Repeatable.",
)
@click.option(
    "--genes",
    multiple=True,
    metavar="ID=DIGEST",
    help="A gene that every build must have, with this digest. Repeatable.",
)
@click.option(
    "--same-genes",
    metavar="OTHER",
    shell_complete=completes("folder"),
    help="Compare gene by gene with another build, or with the builds of a folder.",
)
@shared.printed("How what was verified is listed on standard output.")
@speaking()
def command(
    paths: tuple[str, ...],
    manifest: str | None,
    lock: str | None,
    provenance: str | None,
    keys: str | None,
    signers: tuple[str, ...],
    genes: tuple[str, ...],
    same_genes: str | None,
    output_format: str,
    *,
    no_secrets: bool,
    console: Console,
) -> int:
    """Check builds: every artifact's size and digest, and that no file is more.

    PATH is the folder of a build, a folder with builds below it, or one artifact. A statement
    beside a build (TARGET.provenance.json) is compared with it.
    """
    from eryphc.sharing import Checks, required_gene, verify

    for option, given in (("--manifest", manifest), ("--provenance", provenance)):
        if given is not None and len(paths) > 1:
            message = f"`{option}` is about one PATH, and there are {len(paths)}"
            raise EryphcError.of(Failure.USAGE, wording.usage(message, None))
    if signers and keys is None:
        message = "`--signer` has no effect without `--keys`"
        raise EryphcError.of(Failure.USAGE, wording.usage(message, None))
    checks = Checks(
        manifest=manifest,
        no_secrets=no_secrets,
        lock=lock,
        provenance=provenance,
        keys=keys,
        signers=signers or ("*",),
        genes=dict(map(required_gene, genes)),
        same_genes=same_genes,
    )
    answers = [verify(path, checks) for path in paths]
    for answer in answers:
        console.take(answer)
    if output_format == "json":
        write(sys.stdout, json_text(_data(answers)))
    else:
        write(sys.stdout, "".join(f"{plain(line)}\n" for line in _lines(answers)))
    return console.finish()


def _data(answers: list[Verified]) -> dict[str, object]:
    return {
        "ok": all(answer.ok for answer in answers),
        "builds": [build._asdict() for answer in answers for build in answer.builds],
        "genes": [row._asdict() for answer in answers for row in answer.rows],
    }


def _lines(answers: list[Verified]) -> Iterator[str]:
    """A line a build that is as it should be, and a line a gene that was compared."""
    for answer in answers:
        for build in answer.builds if answer.ok or answer.rows else ():
            told = "" if build.statement is None else ", its statement"
            if build.signer is not None:
                told += f" signed by {build.signer}"
            artifacts = f"{build.artifacts} artifact{'' if build.artifacts == 1 else 's'}"
            yield f"{build.path}: {artifacts}, {build.genes} genes{told}"
        for row in answer.rows:
            digests = [", ".join(each) or "no digest" for each in (row.here, row.there)]
            shown = " ≠ ".join(digests) if row.state == "differs" else (row.here or row.there)
            more = shown if isinstance(shown, str) else ", ".join(shown)
            yield f"{row.state:<10}  {row.type:<6}  {row.id}  {more}".rstrip()
