"""What `lock` and `update` share: their options, and how they say what they did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc.cli.console import Console

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
    """Print what was done to each lock; gives the exit code."""
    del output_format
    for answer in answers:
        console.take(answer)
        if answer.lock is None:
            continue
        count = len(answer.lock.sets)
        sets = f"{count} gene set{'' if count == 1 else 's'}"
        if not answer.changed:
            console.say(f"{answer.path}: nothing changes ({sets})")
        elif dry_run:
            console.say(f"{answer.path} would be written ({sets})")
        else:
            console.say(f"{answer.path} is written ({sets})")
    return console.finish()
