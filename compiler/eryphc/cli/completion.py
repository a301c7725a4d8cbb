"""`eryphc completion SHELL`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes eryphc's commands and options in SHELL.

    For bash: eval "$(eryphc completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    root = context.find_root().command
    if kind is not None:
        click.echo(kind(root, {}, "eryphc", "_ERYPHC_COMPLETE").source())
