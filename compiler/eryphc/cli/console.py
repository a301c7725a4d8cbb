"""What a command says and where: data to stdout, talk to stderr, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from eryphc import EryphcError
from eryphc.cli.completing import completes
from eryphc.cli.groups import WrongValueError
from eryphc.diagnostics.levels import NO_CHOICES, Choice, Choices, choices, chosen, leveled
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.rendering import DiagnosticsFormat, render
from eryphc.diagnostics.shown import ShownDiagnostic, bounded, ordered, show

if TYPE_CHECKING:
    from eryphc import Result

C = TypeVar("C", bound=Callable[..., Any])

OK, WRONG_INPUT, WRONG_USAGE, FAILED_OUTSIDE = 0, 1, 2, 3


class When(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def diagnostics_format(words: Sequence[str]) -> DiagnosticsFormat:
    """The format that a command line asks for, also where it could not be parsed."""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option == "--diagnostics":
            value = value if equals else (words[at + 1] if at + 1 < len(words) else "")
            if value in tuple(DiagnosticsFormat):
                return DiagnosticsFormat(value)
    return DiagnosticsFormat.TEXT


class Console:
    """One run's way of speaking. Diagnostics are gathered and printed once, at the end.

    `levels` is what the command line says of kinds of findings. A session applies it to its own
    findings; here it applies to all others.
    """

    def __init__(
        self,
        *,
        kind: DiagnosticsFormat = DiagnosticsFormat.TEXT,
        when: When = When.AUTO,
        strict: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        data: bool = False,
        levels: Choices = NO_CHOICES,
    ) -> None:
        self.levels = levels
        self.data = data
        self.kind = kind
        self.when = when
        self.strict = strict
        self.quiet = quiet
        self.verbose = verbose
        self.found: list[ShownDiagnostic] = []
        self._failure = 0

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Findings that are not about a document: about options, the disk, other programs."""
        self.hand(show(diagnostics))

    def hand(self, diagnostics: Iterable[ShownDiagnostic]) -> None:
        """Findings as they leave a session or another part of the tool."""
        self.found.extend(leveled(diagnostics, self.levels) if self.levels else diagnostics)

    def take(self, result: Result) -> None:
        """All findings of a session's answer."""
        self.hand(result.diagnostics)
        self._failure = max(self._failure, result.failure or 0)

    @property
    def failed(self) -> bool:
        """Whether what was found so far counts as an error."""
        return any(
            d.level is Level.ERROR or (self.strict and d.level is Level.WARNING) for d in self.found
        )

    def detail(self, line: str) -> None:
        """Talk that only `-v` asks for."""
        if self.verbose:
            self.say(line)

    def say(self, line: str) -> None:
        """Talk to a person, on stderr. Programs that read diagnostics get nothing between them."""
        if self.kind is DiagnosticsFormat.TEXT and not self.quiet:
            write(sys.stderr, f"{line}\n")

    def colored(self, stream: TextIO) -> bool:
        if self.when is not When.AUTO:
            return self.when is When.ALWAYS
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    def finish(self, code: int = OK) -> int:
        """Print what was found and give the exit code of the run.

        Diagnostics go to stderr, unless they are the data of a command (`data`).
        """
        code = max(code, self._failure)
        stream = sys.stdout if self.data and code in (OK, WRONG_INPUT) else sys.stderr
        shown = bounded(ordered(self.found))
        if self.quiet:
            shown = tuple(d for d in shown if d.level is Level.ERROR)
        if shown or self.kind in (DiagnosticsFormat.JSON, DiagnosticsFormat.SARIF):
            write(stream, render(shown, self.kind, color=self.colored(stream)))
        if self.kind is DiagnosticsFormat.TEXT and not self.quiet:
            self._summary(shown)
        if code == OK and self.failed:
            code = WRONG_INPUT
        return code

    def _summary(self, shown: Sequence[ShownDiagnostic]) -> None:
        if not shown or not any(d.level is not Level.NOTE for d in shown):
            return
        from eryphc.diagnostics.printing import summary

        worst = Level.ERROR if any(d.level is Level.ERROR for d in shown) else Level.WARNING
        code = next(d.code for d in shown if d.level is worst)
        write(sys.stderr, f"{summary(shown)}; `eryphc explain {code}` says more\n")


def write(stream: TextIO, text: str) -> None:
    """Text as UTF-8 with LF line ends, whatever the locale."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
        return
    stream.flush()
    buffer.write(text.encode("utf-8", "backslashreplace"))
    buffer.flush()


def speaking(*, data: bool = False) -> Callable[[C], C]:
    """Add the options of every command that reports diagnostics; gives it a `console`.

    `data`: the diagnostics are what the command prints. What a session refuses ends the run.
    """

    def decorate(function: C) -> C:
        def wrapper(*args: Any, **options: Any) -> Any:
            console = Console(
                kind=DiagnosticsFormat(options.pop("diagnostics")),
                when=When(options.pop("color")),
                strict=options.pop("strict"),
                quiet=options.pop("quiet"),
                verbose=options.pop("verbose"),
                data=data,
                levels=choices((each, options.pop(each.value)) for each in Choice),
            )
            try:
                return function(*args, console=console, **options)
            except EryphcError as error:
                console.hand(error.diagnostics)
                return console.finish(error.failure)

        for option in reversed(_OPTIONS):
            wrapper = option(wrapper)
        return update_wrapper(wrapper, function)  # type: ignore[return-value]

    return decorate


def _level_option(choice: Choice, help_text: str) -> Callable[[C], C]:
    """`--allow`, `--warn` or `--deny`; gives the numbers of the kinds that are named."""

    def numbers(
        context: click.Context, parameter: click.Parameter, words: Sequence[str]
    ) -> tuple[str, ...]:
        found: list[str] = []
        for word in words:
            number = chosen(word, choice)
            if not isinstance(number, str):
                raise WrongValueError(number.message, number.help, parameter, context)
            found.append(number)
        return tuple(found)

    return click.option(
        f"--{choice.value}",
        multiple=True,
        metavar="CODE|NAME",
        callback=numbers,
        shell_complete=completes("code"),
        help=help_text,
    )


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--diagnostics",
        type=click.Choice([kind.value for kind in DiagnosticsFormat]),
        default=DiagnosticsFormat.TEXT.value,
        show_default=True,
        help="How diagnostics are printed.",
    ),
    click.option("--strict", is_flag=True, help="Warnings count as errors."),
    _level_option(Choice.ALLOW, "Do not report findings of this kind. Repeatable."),
    _level_option(Choice.WARN, "Findings of this kind are warnings. Repeatable."),
    _level_option(Choice.DENY, "Findings of this kind are errors. Repeatable."),
    click.option(
        "--color",
        type=click.Choice([when.value for when in When]),
        default=When.AUTO.value,
        show_default=True,
        help="Colour diagnostics.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Also say where gene sets came from.",
    ),
)
