"""The command line: which commands there are, and how a run ends.

Each command is imported only when it is called, which keeps the start of the others fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from eryphc import __version__
from eryphc.cli.groups import CommandGroup

if TYPE_CHECKING:
    from eryphc.diagnostics.model import Diagnostic

COMMANDS = {
    "init": ("eryphc.cli.init", "Write a first catlet that builds."),
    "build": ("eryphc.cli.build", "Compile specs and write the artifacts of a target."),
    "check": ("eryphc.cli.check", "Report all that build would complain about; write nothing."),
    "expand": ("eryphc.cli.expand", "Print the effective catlet of a spec."),
    "explain": ("eryphc.cli.explain", "Explain what a diagnostic code means."),
    "external": (
        "eryphc.cli.external",
        "Answer the data source `external` of Terraform and OpenTofu.",
    ),
    "lock": ("eryphc.cli.lock", "Pin the gene sets that specs use in eryph.lock."),
    "update": ("eryphc.cli.update", "Move what eryph.lock pins, and say what that changes."),
    "gene": ("eryphc.cli.gene", "List, show and compare genes."),
    "verify": ("eryphc.cli.verify", "Check builds: artifacts, genes, statements."),
    "volume": ("eryphc.cli.volume", "Fetch, verify, convert and look into disk images."),
    "cache": ("eryphc.cli.cache", "Look into the cache, keep it small, empty or verify it."),
    "schema": ("eryphc.cli.schema", "Print a JSON Schema."),
    "completion": ("eryphc.cli.completion", "Print the completion script of a shell."),
    "version": ("eryphc.cli.version", "Print the version."),
    "help": ("eryphc.cli.help", "Show the help of a command."),
}
INTERRUPTED = 130


class LazyGroup(CommandGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found = import_module(COMMANDS[cmd_name][0]).command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `eryphc init`.",
)
@click.version_option(
    __version__, "-V", "--version", prog_name="eryphc", message="%(prog)s %(version)s"
)
def root() -> None:
    """eryphc compiles catlets, the specifications of virtual machines, to artifacts that boot."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code. Never a traceback for a user's fault.

    Source: docs/reference/command-line.md, "Exit codes".
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = root.main(words, prog_name="eryphc", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        _report_usage(error, words)
        return 2
    except click.ClickException as error:
        from eryphc.diagnostics import command

        return _say(words, command.usage(error.format_message().rstrip("."), None), 2)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(words)
    except BrokenPipeError:
        # The reader of our output has gone: nobody can read a message.
        _drop_unwritable()
        return 0
    except OSError as error:
        from eryphc.diagnostics import command

        reason = _reason(error)
        name = error.filename if isinstance(error.filename, str) else None
        code = _say(words, command.outside_failed(reason, name), 3)
        _drop_unwritable()
        return code
    except MemoryError:
        from eryphc.diagnostics import command

        return _say(words, command.outside_failed("there is not enough memory", None), 3)
    except Exception as error:
        if os.environ.get("ERYPHC_DEBUG"):
            raise
        return _say(words, _internal(error), 3)


def _reason(error: OSError) -> str:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return "the working folder does not exist any more"
    from eryphc.diagnostics.words import os_reason

    return os_reason(error)


def _interrupted(words: Sequence[str]) -> int:
    from eryphc.cli.console import diagnostics_format
    from eryphc.diagnostics.rendering import DiagnosticsFormat

    if diagnostics_format(words) is DiagnosticsFormat.TEXT:
        print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _drop_unwritable() -> None:
    """Drop text that a stream cannot write: Python would end with an exit code of its own."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _internal(error: Exception) -> Diagnostic:
    """The place where an unexpected exception was raised."""
    from pathlib import Path

    from eryphc.diagnostics import command

    trace, place = error.__traceback__, "an unknown place"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return command.internal_fault(type(error).__name__, place)


def _say(words: Sequence[str], diagnostic: Diagnostic, code: int) -> int:
    from eryphc.cli.console import diagnostics_format, write
    from eryphc.diagnostics.rendering import render
    from eryphc.diagnostics.shown import show

    with suppress(OSError):
        write(sys.stderr, render(show((diagnostic,)), diagnostics_format(words), color=False))
    return code


def _report_usage(error: click.UsageError, words: Sequence[str]) -> None:
    from eryphc.cli.console import diagnostics_format, write
    from eryphc.cli.groups import NoCommandError
    from eryphc.cli.usage import explained
    from eryphc.diagnostics import command
    from eryphc.diagnostics.rendering import DiagnosticsFormat

    if (
        isinstance(error, NoCommandError)
        and error.ctx is not None
        and diagnostics_format(words) is DiagnosticsFormat.TEXT
    ):
        write(sys.stderr, error.ctx.get_help() + "\n")
        return
    _say(words, command.usage(*explained(error)), 2)
