"""Groups of commands, and the messages for a command that is missing or unknown."""

from __future__ import annotations

import click


class NoCommandError(click.UsageError):
    """A group was called without one of its commands: its help is what the user needs."""


class CommandGroup(click.Group):
    """A group that suggests the command that was probably meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise NoCommandError("a command is missing", ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-"):
            return super().resolve_command(ctx, args)
        from eryphc.diagnostics.words import close_matches

        close = close_matches(name, known)
        error = click.UsageError(f"there is no command `{name}`", ctx)
        if close:
            error = UnknownCommandError(f"there is no command `{name}`", ctx, close[0])
        raise error


class WrongValueError(click.BadParameter):
    """A value that an option does not take; `advice` is the next step."""

    def __init__(
        self,
        message: str,
        advice: str | None,
        param: click.Parameter | None,
        context: click.Context | None,
    ) -> None:
        super().__init__(message, context, param)
        self.advice = advice


class UnknownCommandError(click.UsageError):
    """An unknown command; `meant` is the one that is nearest to it."""

    def __init__(self, message: str, context: click.Context, meant: str) -> None:
        super().__init__(message, context)
        self.meant = meant
