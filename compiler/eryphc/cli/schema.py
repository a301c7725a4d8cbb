"""`eryphc schema`: the JSON Schemas of documents, for editors and other tools."""

from __future__ import annotations

import sys

import click

from eryphc import schema_names, schema_text
from eryphc.cli.completing import completes
from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.diagnostics import command as wording


@click.command("schema")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=completes("schema"))
@speaking()
def command(name: str | None, *, console: Console) -> int:
    """Print the JSON Schema of a kind of document; without NAME list the kinds.

    An editor uses it through a first line such as
    # yaml-language-server: $schema=./catlet.schema.json
    """
    known = schema_names()
    if name is None:
        write(sys.stdout, "".join(f"{schema}\n" for schema in known))
        return console.finish()
    if name not in known:
        console.add((wording.unknown_schema(name, known),))
        return console.finish(WRONG_INPUT)
    write(sys.stdout, schema_text(name))
    return console.finish()
