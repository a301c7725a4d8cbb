"""`eryphc check`: everything `build` would complain about; writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from eryphc import Checked, DiagnosticsFormat, Target
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import OK, WRONG_INPUT, Console, speaking, write

if TYPE_CHECKING:
    from eryphc import Loss


@click.command("check")
@click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=completes("file"))
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=(Target.CLOUD_INIT.value,),
    metavar="TARGET",
    shell_complete=completes("checked-target"),
    help=f"The targets to check for: {', '.join(Target)} or all; else {Target.CLOUD_INIT}. "
    "Repeatable.",
)
@click.option(
    "--losses",
    "losses_format",
    type=click.Choice(["text", "json"]),
    help="Also print what each target cannot express.",
)
@shared.front
@shared.guest
@shared.targets
@speaking(data=True)
def command(
    specs: tuple[str, ...],
    targets: tuple[str, ...],
    losses_format: str | None,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Report what is wrong with each SPEC, on standard output. Nothing is written.

    Without SPEC the specs that eryphc.yaml lists, else catlet.yaml here.

    The exit code is 1 if there is an error (with --strict: or a warning).
    """
    shared.one_standard_input(specs)
    chosen = shared.chosen_targets(targets, all_of_them=True)
    if losses_format == "json" or (losses_format and console.kind in _WHOLE_STREAM):
        # Nothing else is written where a document of JSON goes.
        console.data = False
    session = shared.session_of(options, trace=console.detail)
    specs = specs or shared.own_specs(session)
    request = shared.request_of(console, options, chosen, several=len(specs) > 1)
    declared: frozenset[str] = frozenset()
    answers: list[Checked] = []
    for name in specs:
        checked = session.check(name, chosen, request, losses=losses_format is not None)
        console.take(checked)
        answers.append(checked)
        for line in (*checked.sources, *checked.details):
            console.detail(line)
        declared |= checked.declared
    if len(specs) > 1:
        console.add(shared.undeclared_values(request, declared))
        given = (each for answer in answers for each in answer.addresses)
        console.hand(session.shared_addresses(given))
    console.hand(session.unused_comments(answers))
    result = console.finish()
    if losses_format is not None and result in (OK, WRONG_INPUT):
        # What several specs inherit or are given is listed once.
        lost = tuple(dict.fromkeys(loss for each in answers for loss in each.losses))
        write(sys.stdout, _as_json(lost) if losses_format == "json" else _as_text(lost))
        if not lost:
            console.say(f"nothing is lost with {' or '.join(chosen)}")
    if not result and not console.found:
        console.say(f"{len(specs)} spec{'s' if len(specs) > 1 else ''}: nothing to report")
    return result


_WHOLE_STREAM = (DiagnosticsFormat.JSON, DiagnosticsFormat.SARIF)


def _as_json(losses: Iterable[Loss]) -> str:
    from eryphc.diagnostics.words import json_text

    return json_text({"schema": "eryphc/losses/v1", "losses": [loss.data() for loss in losses]})


def _as_text(losses: Sequence[Loss]) -> str:
    """One line a loss, in columns; empty text for none."""
    from eryphc.diagnostics.printing import plain

    if not losses:
        return ""
    rows: list[tuple[str, ...]] = [("TARGET", "LEVEL", "WHAT", "WHERE", "WHY")]
    for loss in losses:
        where = "-" if loss.file is None else f"{loss.file}:{loss.line}"
        words = (loss.target, loss.level.value, loss.path, where, loss.message)
        rows.append(tuple(map(plain, words)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )
