"""What `lock` and `update` share: their options, and how they say what they did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc.cli.console import Console, write
from eryphc.diagnostics.words import json_text

if TYPE_CHECKING:
    from eryphc.sharing import Locked

C = TypeVar("C", bound=Callable[..., Any])

GUARDS = (
    "other-set",
    "other-os",
    "major",
    "older",
    "changed-tag",
    "other-pool",
    "unsigned",
    "breaking",
)

accept = click.option(
    "--accept",
    "accepted",
    multiple=True,
    type=click.Choice(GUARDS),
    help="Take a change that this guard stops. Repeatable.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Print what would change; write nothing.")
change_log = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the change log is printed.",
)


def spoken(
    console: Console, answers: Sequence[Locked], output_format: str, *, dry_run: bool
) -> int:
    """Print what changes in each lock; gives the exit code."""
    from eryphc.sharing import joined_logs, log_as_data, log_as_markdown, log_as_text

    for answer in answers:
        console.take(answer)
    logs = [answer.log for answer in answers if answer.log is not None]
    log = joined_logs(logs)
    match output_format:
        case "json":
            write(sys.stdout, json_text(log_as_data(log, verbose=console.verbose)))
        case "markdown":
            write(sys.stdout, log_as_markdown(log, verbose=console.verbose))
        case _ if logs and log.changed:
            write(sys.stdout, log_as_text(log, verbose=console.verbose))
    for answer in answers:
        if answer.lock is None or not answer.ok:
            continue
        count = len(answer.lock.sets)
        sets = f"{count} gene set{'' if count == 1 else 's'}"
        if answer.written:
            # A signature more, another specification, marks of a merge.
            same = answer.before.sets and answer.log is not None and not answer.log.changed
            more = "; what is pinned stays the same" if same else ""
            console.say(f"{answer.path} is written ({sets}){more}")
        elif answer.changed and dry_run:
            console.say(f"{answer.path} would be written ({sets})")
        else:
            console.say(f"{answer.path}: nothing changes ({sets})")
    return console.finish()
