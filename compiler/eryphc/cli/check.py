"""`eryphc check`: everything `build` would complain about; writes nothing."""

from __future__ import annotations

from typing import Any

import click

from eryphc import Checked, Target
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import Console, speaking


@click.command("check")
@click.argument(
    "specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=completes("file")
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=(Target.CLOUD_INIT.value,),
    metavar="TARGET",
    shell_complete=completes("target"),
    help=f"The targets to check for: {' or '.join(Target)}; else {Target.CLOUD_INIT}. Repeatable.",
)
@shared.front
@shared.guest
@shared.targets
@speaking(data=True)
def command(
    specs: tuple[str, ...], targets: tuple[str, ...], *, console: Console, **options: Any
) -> int:
    """Report what is wrong with each SPEC, on standard output. Nothing is written.

    The exit code is 1 if there is an error (with --strict: or a warning).
    """
    shared.one_standard_input(specs)
    chosen = shared.chosen_targets(targets)
    request = shared.request_of(console, options, chosen, several=len(specs) > 1)
    session = shared.session_of(options)
    declared: frozenset[str] = frozenset()
    answers: list[Checked] = []
    for name in specs:
        checked = session.check(name, chosen, request)
        console.take(checked)
        answers.append(checked)
        for line in (*checked.sources, *checked.details):
            console.detail(line)
        declared |= checked.declared
    if len(specs) > 1:
        console.add(shared.undeclared_values(request, declared))
    console.hand(session.unused_comments(answers))
    result = console.finish()
    if not result and not console.found:
        console.say(f"{len(specs)} spec{'s' if len(specs) > 1 else ''}: nothing to report")
    return result
