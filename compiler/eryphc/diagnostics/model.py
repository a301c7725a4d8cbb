"""The shape of a diagnostic, and what led to it in words.

All other wording lives in the catalogue modules beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from eryphc.diagnostics.said import HIDDEN
from eryphc.frozen import NamedTuple
from eryphc.origin import Origin, Step
from eryphc.source import Span

P = ParamSpec("P")
T = TypeVar("T")


class Level(StrEnum):
    """How much a finding matters: an error stops the run, a note never counts."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_LEVELS = {"E": Level.ERROR, "W": Level.WARNING, "N": Level.NOTE}


def level_of(number: str) -> Level:
    """The default level of a kind, which the letter of its number says."""
    return _LEVELS[number[0]]


class Code(NamedTuple):
    """A kind of finding. A released number is never given to another kind.

    `soft`: an error of this kind does not keep the artifact from being made, so that a user may
    lower it (`levels`).
    """

    number: str
    name: str
    soft: bool = False


class Label(NamedTuple):
    """A place, and a few words of this tool about it.

    `path` is that of a value in a configuration: many values may have one place, as in JSON.
    """

    span: Span
    message: str = ""
    path: tuple[str | int, ...] = ()

    def at(self, *path: str | int) -> Label:
        """The same place, for the value at `path`."""
        return self._replace(path=path)


class Form(NamedTuple):
    """A wording function and what it was called with: the message is formed again from it."""

    function: Callable[..., Diagnostic]
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def __repr__(self) -> str:
        return f"Form({self.function.__name__})"


class Diagnostic(NamedTuple):
    """One finding.

    `message` alone says what is wrong and names the thing. `related` are other places that it
    speaks of, `via` is an origin in the faulty document, which tells what led there (`trail`
    puts it into words). `notes` are facts, `help` the next step. `secret` keeps the source line
    from being shown.

    Until the diagnostic is handed out (`secrecy`), its words hold none of a document; `form` is
    what they are formed from then.
    """

    code: Code
    level: Level
    message: str
    primary: Label | None = None
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    secret: bool = False
    via: Origin | None = None
    form: Form | None = None

    def __repr__(self) -> str:
        place = self.primary.span if self.primary is not None else None
        where = "" if place is None else f" at {place.source.name}:{place.line}:{place.column}"
        return f"Diagnostic({self.code.number} {self.code.name}{where})"


def wording(function: Callable[P, Diagnostic]) -> Callable[P, Diagnostic]:
    """Makes a function of the catalogue keep what it was called with.

    What is neither `Said` nor `Own` is not trusted: plain text counts as words of a document.
    """

    @wraps(function)
    def kept(*arguments: P.args, **options: P.kwargs) -> Diagnostic:
        closed = function(
            *(_closed(each) for each in arguments),
            **{name: _closed(each) for name, each in options.items()},
        )
        return closed._replace(form=Form(function, arguments, dict(options)))

    return kept


def _closed(argument: Any) -> Any:
    kind = type(argument)
    if kind is str:
        return HIDDEN
    if kind is tuple or kind is list:
        return kind(map(_closed, argument))
    return argument


def finding(
    code: Code,
    message: str,
    span: Span | None = None,
    label: str = "",
    *,
    help: str | None = None,  # noqa: A002
    notes: Iterable[str] = (),
    related: Iterable[Label] = (),
) -> Diagnostic:
    """A diagnostic of the level that the letter of its code says."""
    return Diagnostic(
        code=code,
        level=level_of(code.number),
        message=message,
        primary=Label(span, label) if span is not None else None,
        notes=tuple(notes),
        help=help,
        related=tuple(related),
    )


class Outcome(NamedTuple, Generic[T]):
    """What a pass gives: a value, and what it found.

    `value` is None only where one of the diagnostics is an error.
    """

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)


def is_blocked(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them is an error with which nothing can be made of what was read."""
    return any(each.level is Level.ERROR and not each.code.soft for each in diagnostics)


def trail(origin: Origin | None) -> tuple[Label, ...]:
    """The places that led to the document of `origin`, outermost first."""
    labels: list[Label] = []
    while origin is not None and origin.via is not None:
        words = _words(origin)
        if words is not None and origin.via.span is not None:
            labels.append(Label(origin.via.span, words))
        origin = origin.via
    return tuple(reversed(labels))


def related(diagnostic: Diagnostic) -> tuple[Label, ...]:
    """All places to be shown beside that of the fault: what led to it, then its own."""
    return (*trail(diagnostic.via), *diagnostic.related)


def _words(origin: Origin) -> str | None:
    """The words for the place that `origin` came via."""
    match origin.step:
        case Step.INHERITED if origin.gene is not None:
            return f"the parent `{origin.gene.geneset}` is named here"
        case Step.FED:
            return f"`{origin.gene}` is fed here"
        case _:
            return None
