"""Values for variables as people write them: words of a command line, files, the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import named, own
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.origin import Outside
from eryphc.request import ValuesFile


class GivenValues(NamedTuple):
    """Values by the names of their variables, and findings about how they were given.

    `files` are the files that they were read from, `places` tells by the names of the variables
    how each value was given.
    """

    values: FrozenMap[str]
    diagnostics: tuple[ShownDiagnostic, ...] = ()
    files: tuple[ValuesFile, ...] = ()
    places: FrozenMap[Outside] = FrozenMap()


def read_values(
    words: Sequence[str] = (),
    files: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> GivenValues:
    """The values of `--var` words and `--var-file` files; a word comes before a file.

    A word is `NAME=VALUE`; `NAME=@FILE` reads a file and `NAME=env:X` the environment,
    `@@` and `env::` begin a value that has these signs itself. Raises `EryphcError`.
    """
    notes: list[Diagnostic] = []
    values: dict[str, str] = {}
    sources: list[ValuesFile] = []
    places: dict[str, Outside] = {}
    for path in files:
        values.update(_variable_file(path, sources, places))
    given: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            fault = command.bad_option_value("--var", "a value is not written NAME=VALUE")
            raise EryphcError.of(Failure.INPUT, fault)
        given[name] = _value(name, text, environment or {}, notes, sources)
        places[name] = _option(name, text)
    # A later source gives way to an earlier one also where only the letter case differs.
    lower = {name.lower() for name in given}
    values = {name: text for name, text in values.items() if name.lower() not in lower}
    found = {**values, **given}
    known = FrozenMap({name: places[name] for name in found})
    return GivenValues(FrozenMap(found), show(notes), tuple(sources), known)


def _option(name: str, text: str) -> Outside:
    """How a word of the command line gives its value; `text` may be the value itself."""
    if text.startswith("env:") and not text.startswith("env::"):
        return Outside(f"`--var {name}={text}`")
    if text.startswith("@") and not text.startswith("@@"):
        return Outside(f"`--var {name}=@...`")
    return Outside(f"`--var {name}`")


def _value(
    name: str,
    text: str,
    environment: Mapping[str, str],
    notes: list[Diagnostic],
    sources: list[ValuesFile],
) -> str:
    if text.startswith("@@"):
        return text[1:]
    if text.startswith("env::"):
        return "env:" + text[5:]
    if text.startswith("@"):
        from eryphc.project.texts import InputMissingError, read_text

        try:
            read = read_text(Path(text[1:]))
        except InputMissingError as missing:
            reason = f"the file after `@` cannot be read: {missing.reason}"
            diagnostic = command.variable_source(name, reason, "@")
            raise EryphcError.of(missing.failure, diagnostic) from None
        if read.value is None:
            reason = "the file after `@` is no UTF-8 text, or larger than 2 MiB"
            raise EryphcError.of(Failure.INPUT, command.variable_source(name, reason, "@"))
        sources.append(ValuesFile(text[1:], read.value.sha256, (name,)))
        content = read.value.text.removesuffix("\n")
        if content.endswith("\r"):
            notes.append(command.value_ends_with_cr(name))
        return content
    if text.startswith("env:"):
        found = environment.get(text[4:])
        if found is None:
            reason = "the environment has no variable of the name after `env:`"
            raise EryphcError.of(Failure.INPUT, command.variable_source(name, reason, "env:"))
        return found
    return text


def _variable_file(
    path: str, sources: list[ValuesFile], places: dict[str, Outside]
) -> dict[str, str]:
    """The values of a file, and where they stand there.

    It is never marked as read: any of its words may be a secret.
    """
    from eryphc.diagnostics import reading
    from eryphc.project.texts import InputMissingError, read_text
    from eryphc.source import Span
    from eryphc.syntax.nodes import AliasNode, MappingNode, ScalarNode
    from eryphc.syntax.scalars import NULLS
    from eryphc.syntax.yaml_nodes import compose

    try:
        read = read_text(Path(path))
    except InputMissingError as missing:
        raise EryphcError.of(missing.failure, missing.diagnostic) from None
    composed = compose(read.value) if read.value is not None else read
    if read.value is None or composed.value is None:
        raise EryphcError.of(Failure.INPUT, *composed.diagnostics)
    root = composed.value
    values: dict[str, str] = {}
    faults: list[Diagnostic] = []
    if isinstance(root, ScalarNode) and root.value in NULLS:
        sources.append(ValuesFile(path, read.value.sha256, ()))
        return values
    if not isinstance(root, MappingNode):
        span = Span(read.value, 0, 0)
        found = reading.wrong_kind(
            own("a file of variables"), own("a mapping"), own("something else"), span
        )
        raise EryphcError.of(Failure.INPUT, found)
    for key, written in root.entries:
        value = written.target if isinstance(written, AliasNode) else written
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode):
            values[key.value] = value.value
            span = Span(read.value, written.start, written.end)
            places[key.value] = Outside("a file of values", span)
            continue
        what = own("a key")
        if isinstance(key, ScalarNode):
            what = own("`{}`", named(key.value))
        span = Span(read.value, written.start, min(written.start + 1, written.end))
        faults.append(reading.wrong_kind(what, own("a text"), own("a collection"), span))
    if faults:
        raise EryphcError.of(Failure.INPUT, *faults)
    sources.append(ValuesFile(path, read.value.sha256, tuple(values)))
    return values
