"""`eryphc check`: everything `build` would complain about; writes nothing."""

from __future__ import annotations

from typing import Any

import click

from eryphc.cli import options as shared
from eryphc.cli.compiling import Compilation, chosen_targets, target_options
from eryphc.cli.console import WRONG_INPUT, Console, speaking
from eryphc.cli.groups import completes
from eryphc.cli.pipeline import read_one, values_of


@click.command("check")
@click.argument(
    "specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=completes("file")
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("cloud-init",),
    metavar="TARGET",
    shell_complete=completes("target"),
    help="The targets to check for: cloud-init (default) or hyperv. Repeatable.",
)
@shared.front
@target_options
@speaking
def command(
    specs: tuple[str, ...], targets: tuple[str, ...], *, console: Console, **options: Any
) -> int:
    """Report what is wrong with each SPEC, on standard output. Nothing is written.

    The exit code is 1 if there is an error (with --strict: or a warning).
    """
    code = WRONG_INPUT
    try:
        shared.one_standard_input(console, specs)
        compilation = Compilation(console, options, chosen_targets(console, targets))
        given = shared.given_values(console, options)
        values = values_of(given, several=len(specs) > 1, no_input=options["no_input"])
        for name in specs:
            read, exit_code = read_one(name, compilation.front, console)
            if read is None:
                code = max(code, exit_code)
                continue
            for _ in compilation.built(*read, values):
                pass
        values.undeclared(console)
    except shared.StopRunError as ended:
        return console.finish(ended.code, data=ended.code == WRONG_INPUT)
    if console.failed:
        return console.finish(code, data=True)
    result = console.finish(data=True)
    if not console.found:
        console.say(f"{len(specs)} spec{'s' if len(specs) > 1 else ''}: nothing to report")
    return result
