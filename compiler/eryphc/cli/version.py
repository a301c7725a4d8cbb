"""`eryphc version`."""

from __future__ import annotations

import click

from eryphc import __version__


@click.command("version")
def command() -> None:
    """Print the version."""
    click.echo(f"eryphc {__version__}")
