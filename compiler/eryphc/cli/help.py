"""`eryphc help [COMMAND]`."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("name", metavar="[COMMAND]", required=False)
@click.pass_context
def command(context: click.Context, name: str | None) -> None:
    """Show the help of COMMAND, or of eryphc itself."""
    parent = context.parent
    group = parent.command if parent is not None else None
    if parent is None or not isinstance(group, click.Group):
        return
    if name is None:
        click.echo(group.get_help(parent))
        return
    found, shown, _ = group.resolve_command(parent, [name])
    if shown is not None and found is not None:
        with click.Context(shown, info_name=found, parent=parent) as inner:
            click.echo(shown.get_help(inner))
