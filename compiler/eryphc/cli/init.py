"""`eryphc init`: a first catlet that builds."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from eryphc.cli.console import FAILED_OUTSIDE, WRONG_INPUT, Console, speaking, write
from eryphc.diagnostics import command as wording
from eryphc.genepool.files import shown_path

CATLET_FILE = "catlet.yaml"
SCHEMA_FILE = "catlet.schema.json"
_FIRST = """\
# yaml-language-server: $schema=./{schema}
# Build it:  eryphc build {build} --target cloud-init
# See what it becomes:  eryphc expand {build}
name: {name}
parent: dbosoft/ubuntu-24.04
cpu: 2
memory: 2048
variables:
- name: greeting
  value: Hello from {name}
fodder:
- name: welcome
  type: cloud-config
  content: |
    write_files:
    - path: /etc/motd
      content: |
        {{{{ greeting }}}}
"""


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@speaking()
def command(folder: Path, *, console: Console) -> int:
    """Write catlet.yaml into DIR (the working folder), a first catlet that builds.

    The JSON Schema of catlets is written beside it, for editors. Nothing is overwritten.
    """
    from eryphc import schema_text

    catlet = folder / CATLET_FILE
    schema = folder / SCHEMA_FILE
    taken = [path for path in (catlet, schema) if path.exists()]
    taken += [path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()]
    if taken:
        console.add((wording.file_exists(shown_path(taken[0])),))
        return console.finish(WRONG_INPUT)
    build = CATLET_FILE if folder == Path() else shown_path(folder)
    text = _FIRST.format(schema=SCHEMA_FILE, build=build, name=_name(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        catlet.write_text(text, encoding="utf-8", newline="\n")
        schema.write_text(schema_text("catlet"), encoding="utf-8", newline="\n")
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        console.add((wording.file_unwritable(shown_path(folder), reason),))
        return console.finish(FAILED_OUTSIDE)
    write(sys.stdout, f"{shown_path(catlet)}\n")
    console.say(f"next: eryphc build {build} --target cloud-init")
    return console.finish()


def _name(folder: Path) -> str:
    """The folder's name as a catlet may be called."""
    word = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return word[:50].strip("-") or "my-machine"
