"""What is wrong with a command line, in the words of our diagnostics: click's faults to message
and help.
"""

from __future__ import annotations

import click

from eryphc.cli.groups import UnknownCommandError, WrongValueError
from eryphc.diagnostics.words import clipped, close_matches


def explained(error: click.UsageError) -> tuple[str, str | None]:
    """The message and the help for a fault that click found."""
    see = f"`{error.ctx.command_path} --help` shows how it is used" if error.ctx else None
    match error:
        case UnknownCommandError():
            return error.message, f"did you mean `{error.meant}`?"
        case click.NoSuchOption():
            return _no_such_option(error, see)
        case click.MissingParameter():
            return f"{_parameter(error, 'a value')} is missing", see
        case WrongValueError():
            return f"{_parameter(error, 'a value')}: {error.message}", error.advice or see
        case click.BadParameter():
            message = error.message.rstrip(".").replace("'", "`")
            return f"{_parameter(error, 'a value')}: {clipped(message, 400)}", see
        case click.BadOptionUsage():
            return f"`{error.option_name}` needs a value", see
        case _:
            message = error.format_message().rstrip(".")
            return clipped(message[:1].lower() + message[1:], 400), see


def _parameter(error: click.BadParameter, otherwise: str) -> str:
    parameter = error.param
    if isinstance(parameter, click.Option):
        return f"`{max(parameter.opts, key=len)}`"
    if parameter is not None and error.ctx is not None:
        return f"`{parameter.make_metavar(error.ctx).strip('[]')}`"
    return otherwise


def _no_such_option(error: click.NoSuchOption, see: str | None) -> tuple[str, str | None]:
    name = error.option_name.partition("=")[0]
    message = f"there is no option `{clipped(name)}`"
    if error.ctx is None:
        return message, see
    own = [word for p in error.ctx.command.params for word in (*p.opts, *p.secondary_opts)]
    # Without the dashes, which all of them share.
    known = sorted(word[2:] for word in own if word.startswith("--"))
    close = close_matches(name.lstrip("-"), known)
    if close:
        return message, f"did you mean `--{close[0]}`?"
    if isinstance(error.ctx.command, click.Group) and name in _AFTER_COMMAND:
        return message, f"it stands after the command: `{error.ctx.command_path} COMMAND {name}`"
    return message, see


_AFTER_COMMAND = (
    *(
        "--diagnostics",
        "--strict",
        "--allow",
        "--warn",
        "--deny",
        "--color",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--genepool",
    ),
    *("--var", "--var-file", "--name", "--arch", "--target", "-o", "--output"),
)
