"""Options that mean the same in every command. Source: cli.md, "Options that mean the same"."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from eryphc.cli.console import WRONG_INPUT, WRONG_USAGE, Console
from eryphc.cli.groups import completes
from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic

C = TypeVar("C", bound=Callable[..., Any])

VARIABLE_PREFIX = "ERYPHC_VAR_"


class StopRunError(Exception):
    """The run ends here; what is to be said has been given to the console."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Given(NamedTuple):
    """Values for variables: those that must be declared, and those of the environment."""

    values: Mapping[str, str]
    environment: Mapping[str, str]


genepool = click.option(
    "--genepool",
    "genepools",
    multiple=True,
    metavar="LOCATION",
    shell_complete=completes("folder"),
    help="A gene pool: a folder. Repeatable, in order of priority.",
)
architecture = click.option(
    "--arch",
    metavar="HYPERVISOR/CPU",
    default="hyperv/amd64",
    show_default=True,
    help="Which variants of genes are chosen.",
)


def printed(how: str) -> Callable[[C], C]:
    """`--format` of a command that prints text for people or JSON for programs."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=how,
    )


def progress(what: str) -> Callable[[C], C]:
    """`--progress`, which says on standard error how far a slow step is."""
    return click.option(
        "--progress",
        type=click.Choice(["auto", "plain", "none"]),
        default="auto",
        show_default=True,
        help=what,
    )


def all_of(*options: Callable[[C], C]) -> Callable[[C], C]:
    """Several options as one decorator, in the order in which help shows them."""
    return lambda function: _apply(function, options)


def _apply(function: C, options: Sequence[Callable[[C], C]]) -> C:
    for option in reversed(options):
        function = option(function)
    return function


def front(function: C) -> C:
    """The options that decide the effective catlet."""
    return _apply(
        function,
        (
            genepool,
            architecture,
            click.option(
                "--var",
                "variables",
                multiple=True,
                metavar="NAME=VALUE",
                help="Value of a variable; NAME=@FILE reads a file, NAME=env:X the environment.",
            ),
            click.option(
                "--var-file",
                "variable_files",
                multiple=True,
                metavar="FILE",
                shell_complete=completes("file"),
                help="A YAML mapping of variables.",
            ),
            click.option("--name", metavar="NAME", help="Replace the name (and hostname)."),
            click.option("--hostname", metavar="NAME", help="Replace the hostname."),
            click.option("--catlet-id", metavar="UUID", help="Fix the catlet id."),
            click.option("--vm-id", metavar="UUID", help="Fix the VM id."),
            click.option(
                "--compat",
                type=click.Choice(["eryphc", "eryph"]),
                default="eryphc",
                show_default=True,
                help="Whose meaning partial removals of fodder have.",
            ),
            click.option("--no-input", is_flag=True, help="Never ask for a missing value."),
        ),
    )


def stop(console: Console, diagnostic: Diagnostic, code: int) -> StopRunError:
    console.add((diagnostic,))
    return StopRunError(code)


def one_standard_input(console: Console, specs: Sequence[str]) -> None:
    """Standard input can be read once. Raises StopRunError."""
    if specs.count("-") > 1:
        message = "`-` stands for standard input, which is one spec, and is given more than once"
        raise stop(console, command.usage(message, None), WRONG_USAGE)


def front_options(console: Console, options: Mapping[str, Any]) -> Any:
    """The FrontOptions of a command line, without values. Raises StopRunError."""
    from eryphc.driver import FrontOptions
    from eryphc.passes.feed import Compat
    from eryphc.syntax.identifiers import parse_architecture
    from eryphc.syntax.names import CATLET, NameFault, name_faults

    architecture = parse_architecture(options["arch"])
    if isinstance(architecture, NameFault):
        raise stop(console, command.bad_option_value("--arch", architecture.message), WRONG_INPUT)
    name = options["name"]
    if name is not None:
        for fault in name_faults(CATLET, name):
            console.add((command.bad_option_value("--name", fault.message),))
        if console.failed:
            raise StopRunError(WRONG_INPUT)
    return FrontOptions(
        architecture=architecture,
        compat=Compat(options["compat"]),
        name=name,
        hostname=options["hostname"],
        catlet_id=_uuid(console, "--catlet-id", options["catlet_id"]),
        vm_id=_uuid(console, "--vm-id", options["vm_id"]),
    )


def _uuid(console: Console, option: str, text: str | None) -> str | None:
    if text is None:
        return None
    shown = text if len(text) <= 60 else text[:57] + "..."
    plain = text.strip().strip("{}").lower()
    try:
        parsed = uuid.UUID(plain)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) not in (plain, str(uuid.UUID(hex=plain.replace("-", "")))):
        raise stop(
            console,
            command.bad_option_value(
                option,
                f"`{shown}` is not a UUID",
                "write it as 01234567-89ab-cdef-0123-456789abcdef",
            ),
            WRONG_INPUT,
        )
    return str(parsed)


def pools(console: Console, options: Mapping[str, Any]) -> Any:
    """The gene pools of a command line. Raises StopRunError for a folder that is not there."""
    from eryphc.specs import Pools

    environment = os.environ.get("ERYPHC_GENEPOOL")
    refused = Pools.refused(options["genepools"], environment)
    if refused is not None:
        raise stop(console, refused, WRONG_USAGE)
    return Pools(options["genepools"], environment)


def given_values(console: Console, options: Mapping[str, Any]) -> Given:
    """Values by precedence: `--var`, `--var-file`, the environment. Raises StopRunError."""
    environment = {
        name[len(VARIABLE_PREFIX) :]: value
        for name, value in sorted(os.environ.items())
        if name.startswith(VARIABLE_PREFIX) and len(name) > len(VARIABLE_PREFIX)
    }
    values: dict[str, str] = {}
    for path in options["variable_files"]:
        values.update(_variable_file(console, path))
    given: dict[str, str] = {}
    for word in options["variables"]:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise stop(
                console,
                command.bad_option_value("--var", "a value is not written NAME=VALUE"),
                WRONG_INPUT,
            )
        given[name] = _value(console, name, text)
    # A later source gives way to an earlier one also where only the letter case differs.
    lower = {name.lower() for name in given}
    values = {name: text for name, text in values.items() if name.lower() not in lower}
    return Given(values={**values, **given}, environment=environment)


def _value(console: Console, name: str, text: str) -> str:
    if text.startswith("@@"):
        return text[1:]
    if text.startswith("env::"):
        return "env:" + text[5:]
    if text.startswith("@"):
        from eryphc.specs import InputMissingError, read_text

        try:
            read = read_text(Path(text[1:]))
        except InputMissingError as missing:
            diagnostic = command.variable_source(name, missing.diagnostic.message)
            raise stop(console, diagnostic, missing.exit_code) from None
        if read.value is None:
            console.add(_without_lines(read.diagnostics))
            raise StopRunError(WRONG_INPUT)
        content = read.value.text.removesuffix("\n")
        if content.endswith("\r"):
            console.add((command.value_ends_with_cr(name, text[1:]),))
        return content
    if text.startswith("env:"):
        found = os.environ.get(text[4:])
        if found is None:
            diagnostic = command.variable_source(
                name, f"the environment has no variable `{text[4:]}`"
            )
            raise stop(console, diagnostic, WRONG_INPUT)
        return found
    return text


def _without_lines(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics of a file of values, any of which may be a secret: none is shown."""
    return (diagnostic._replace(secret=True) for diagnostic in diagnostics)


def _variable_file(console: Console, path: str) -> dict[str, str]:
    from eryphc.diagnostics import reading
    from eryphc.source import Span
    from eryphc.specs import InputMissingError, read_text
    from eryphc.syntax.nodes import AliasNode, MappingNode, ScalarNode
    from eryphc.syntax.scalars import NULLS
    from eryphc.syntax.yaml_nodes import compose

    try:
        read = read_text(Path(path))
    except InputMissingError as missing:
        raise stop(console, missing.diagnostic, missing.exit_code) from None
    composed = compose(read.value) if read.value is not None else read
    if read.value is None or composed.value is None:
        console.add(_without_lines(composed.diagnostics))
        raise StopRunError(WRONG_INPUT)
    root = composed.value
    values: dict[str, str] = {}
    faults: list[Diagnostic] = []
    if isinstance(root, ScalarNode) and root.value in NULLS:
        return values
    if not isinstance(root, MappingNode):
        span = Span(read.value, 0, 0)
        found = reading.wrong_kind("a file of variables", "a mapping", "something else", span)
        console.add(_without_lines((found,)))
        raise StopRunError(WRONG_INPUT)
    for key, written in root.entries:
        value = written.target if isinstance(written, AliasNode) else written
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode):
            values[key.value] = value.value
            continue
        name = f"`{key.value}`" if isinstance(key, ScalarNode) else "a key"
        span = Span(read.value, written.start, min(written.start + 1, written.end))
        faults.append(reading.wrong_kind(name, "a text", "a collection", span))
    if faults:
        console.add(_without_lines(faults))
        raise StopRunError(WRONG_INPUT)
    return values
