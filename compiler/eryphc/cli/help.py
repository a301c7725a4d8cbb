"""`eryphc help [COMMAND...]`."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("names", metavar="[COMMAND...]", nargs=-1)
@click.pass_context
def command(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of COMMAND, or of eryphc itself."""
    shown = context.parent
    if shown is None:
        return
    for name in names:
        group = shown.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"`{shown.command_path}` has no command `{name}`", shown)
        found, below, _ = group.resolve_command(shown, [name])
        if below is None:
            return
        shown = click.Context(below, info_name=found, parent=shown)
    click.echo(shown.get_help())
