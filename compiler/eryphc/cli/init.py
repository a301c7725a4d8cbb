"""`eryphc init`: a first catlet that builds, or the examples."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from eryphc import shown_path
from eryphc.cli.completing import completes
from eryphc.cli.console import FAILED_OUTSIDE, WRONG_INPUT, Console, speaking, write
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.words import os_reason

CATLET_FILE = "catlet.yaml"
SCHEMA_FILE = "catlet.schema.json"
# The specs below examples/ that share its gene pool; the first needs no gene of it.
EXAMPLES = ("web-config.yaml", "dev-server.yaml", "prod-server.yaml")
_GENE_FILES = (".yaml", ".json")
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
@click.argument(
    "folder",
    metavar="[DIR]",
    type=click.Path(path_type=Path),
    default=Path(),
    shell_complete=completes("folder"),
)
@click.option(
    "--examples", is_flag=True, help="Write three example specs and their genes into DIR instead."
)
@speaking()
def command(folder: Path, *, examples: bool, console: Console) -> int:
    """Write catlet.yaml into DIR (the working folder), a first catlet that builds.

    The JSON Schema of catlets is written beside it, for editors. Nothing is overwritten.
    """
    if examples:
        files = _example_files()
        specs = [folder / name for name in EXAMPLES]
        build = shown_path(specs[0])
    else:
        build = CATLET_FILE if folder == Path() else shown_path(folder)
        files = _first_files(build, _name(folder))
        specs = [folder / CATLET_FILE]
    taken = _in_the_way(folder, files)
    if taken is not None:
        again = "eryphc init --examples" if examples else "eryphc init"
        console.add((wording.file_exists(shown_path(taken), again),))
        return console.finish(WRONG_INPUT)
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        reason = os_reason(error, "it cannot be written")
        console.add((wording.file_unwritable(shown_path(folder), reason),))
        return console.finish(FAILED_OUTSIDE)
    write(sys.stdout, "".join(f"{shown_path(spec)}\n" for spec in specs))
    console.say(f"next: eryphc build {build} --target cloud-init")
    return console.finish()


def _in_the_way(folder: Path, files: Iterable[str]) -> Path | None:
    """The first path that keeps `files` from being written into `folder` as new files."""
    paths = [folder / name for name in files]
    for path in paths:
        if os.path.lexists(path):
            return path
    for parent in dict.fromkeys(parent for path in paths for parent in path.parents):
        if os.path.lexists(parent) and not parent.is_dir():
            return parent
    return None


def _first_files(build: str, name: str) -> dict[str, bytes]:
    """A catlet called `name` and its schema; `build` is what the user builds it by."""
    from eryphc import schema_text

    catlet = _FIRST.format(schema=SCHEMA_FILE, build=build, name=name)
    return {CATLET_FILE: catlet.encode(), SCHEMA_FILE: schema_text("catlet").encode()}


def _example_files() -> dict[str, bytes]:
    """The example specs and the files of their gene pool, by the path in the folder of examples."""
    root = _examples_folder()
    genes = (path for path in (root / "genes").rglob("*") if path.suffix in _GENE_FILES)
    names = [*EXAMPLES, *sorted(path.relative_to(root).as_posix() for path in genes)]
    return {name: (root / name).read_bytes() for name in names}


def _examples_folder() -> Path:
    """Inside this package in a wheel, where the build puts a copy; at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "examples"
    return inside if inside.is_dir() else package.parents[1] / "examples"


def _name(folder: Path) -> str:
    """The folder's name as a catlet may be called."""
    word = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return word[:50].strip("-") or "my-machine"
