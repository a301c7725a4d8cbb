"""`eryphc explain`: what a diagnostic code means, with a wrong and a right example."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from eryphc import explain
from eryphc.cli.completing import completes
from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.codes import KINDS, known_words


@click.command("explain")
@click.argument("what", metavar="[CODE]", required=False, shell_complete=completes("code"))
@speaking()
def command(what: str | None, *, console: Console) -> int:
    """Explain what the diagnostic CODE means; without CODE list all codes.

    CODE is a number such as E0301, or its name.
    """
    if what is None:
        write(sys.stdout, "".join(f"{line}\n" for line in sorted(_listed())))
        return console.finish()
    page = explain(what)
    if page is None:
        console.add((wording.unknown_code(what, known_words()),))
        return console.finish(WRONG_INPUT)
    write(sys.stdout, page)
    return console.finish()


def _listed() -> Iterator[str]:
    for kind in KINDS:
        yield f"{kind.number}  {kind.name}{' (hard)' if kind.hard else ''}"
        for alias in kind.aliases:
            yield f"{alias}  {kind.name} (now {kind.number})"
