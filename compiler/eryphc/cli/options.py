"""Options that mean the same in every command.

Source: docs/reference/command-line.md, "Options that mean the same everywhere".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc import (
    BuildRequest,
    EryphcError,
    Failure,
    GuestKind,
    GuestOptions,
    MergeMode,
    NetworkConfigMode,
    Target,
    read_values,
    target_flags,
    target_options,
)
from eryphc.cli.completing import completes
from eryphc.cli.console import Console
from eryphc.diagnostics import command, language
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import named

if TYPE_CHECKING:
    from eryphc import Session, Source

C = TypeVar("C", bound=Callable[..., Any])

genepool = click.option(
    "--genepool",
    "genepools",
    multiple=True,
    metavar="LOCATION",
    shell_complete=completes("folder"),
    help="A gene pool: a folder, oci-layout:DIR or oci://HOST/PREFIX?orgs=ORG. Repeatable, in "
    "order of priority.",
)
architecture = click.option(
    "--arch",
    metavar="HYPERVISOR/CPU",
    default="hyperv/amd64",
    show_default=True,
    help="Which variants of genes are chosen.",
)

cache_dir = click.option(
    "--cache-dir",
    metavar="DIR",
    shell_complete=completes("folder"),
    help="The cache; else ERYPHC_CACHE_DIR, else the user's cache folder.",
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


_timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    metavar="SECONDS",
    help="What one request to a registry may take, without the time of large content; else 60.",
)
_offline = click.option("--offline", is_flag=True, help="Ask no registry.")


def network(function: C) -> C:
    """The options of a command that may ask registries and has no other that decide about it."""
    return _apply(function, (_timeout, _offline))


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
            click.option(
                "--locked",
                is_flag=True,
                help="Take gene sets from eryph.lock alone, which must have all of them.",
            ),
            _offline,
            _timeout,
            click.option("--frozen", is_flag=True, help="Both --locked and --offline."),
        ),
    )


def guest(function: C) -> C:
    """The options that decide the guest's configuration, for every target."""
    options = (
        click.option(
            "--guest",
            type=click.Choice(["linux", "windows"]),
            help="The guest's kind; else the gene sets of the pedigree say it.",
        ),
        click.option(
            "--guest-agent",
            "guest_agent",
            metavar="WORD[@VERSION]",
            shell_complete=completes("agent"),
            help="The program in the guest that reads user-data; else the project, the gene sets "
            "or the guest's kind say it.",
        ),
        click.option(
            "--merge",
            type=click.Choice(["merged", "parts"]),
            default="merged",
            show_default=True,
            help="One cloud-config of all fodder entries, or one part a fodder entry (Linux "
            "guests).",
        ),
        click.option(
            "--instance-id",
            metavar="content|VALUE",
            shell_complete=completes("instance"),
            help="The instance id: derived from the content, or VALUE; else the catlet id.",
        ),
        click.option(
            "--network-config",
            metavar="given|always|never|FILE",
            shell_complete=completes("network"),
            default="given",
            show_default=True,
            help="Adapters in network-config: those with an address, all, none; or your file.",
        ),
        click.option(
            "--network-config-version",
            "network_version",
            type=click.Choice(["1", "2"]),
            help="Version of network-config; else 2 for Linux, 1 for Windows.",
        ),
        click.option("--sealed", is_flag=True, help="Also an image without secret fodder entries."),
        click.option(
            "--epoch",
            metavar="SECONDS",
            help="The time inside artifacts; else SOURCE_DATE_EPOCH, else 1980-01-01.",
        ),
    )
    return _apply(function, options)


def targets(function: C) -> C:
    """The options that single targets add."""
    return _apply(
        function,
        [
            click.option(
                flag.name,
                _field(flag.name),
                multiple=True,
                type=click.Choice(flag.choices) if flag.choices else None,
                metavar=flag.metavar,
                help=f"{flag.help} ({', '.join(takers)}).",
            )
            for flag, takers in target_flags().values()
        ],
    )


def _field(name: str) -> str:
    return f"target_option_{name.lstrip('-').replace('-', '_')}"


ALL = "all"
"""What stands for every target where nothing is written."""


def chosen_targets(words: Sequence[str], *, all_of_them: bool = False) -> tuple[Target, ...]:
    """The targets named, each once, in order; with `all_of_them`, `all` names every one.

    Raises EryphcError for an unknown one.
    """
    known = tuple(target.value for target in Target)
    found: list[Target] = []
    for word in words:
        for name in word.split(","):
            if name == ALL:
                if all_of_them:
                    found += [target for target in Target if target not in found]
                    continue
                message = f"`--target {ALL}` is for `eryphc check`, which writes nothing"
                names = " ".join(f"--target {target}" for target in known)
                usage = command.usage(message, f"name the targets: {names}")
                raise EryphcError.of(Failure.USAGE, usage)
            if name not in known:
                from eryphc.diagnostics.words import close_matches

                close = close_matches(name, known)
                help_text = f"did you mean `{close[0]}`?" if close else None
                listed = ", ".join(f"`{target}`" for target in known)
                message = f"`{name}` is not a target; targets are {listed}"
                raise EryphcError.of(Failure.USAGE, command.usage(message, help_text))
            if Target(name) not in found:
                found.append(Target(name))
    return tuple(found)


def one_standard_input(specs: Sequence[str]) -> None:
    """Standard input can be read once. Raises EryphcError."""
    if specs.count("-") > 1:
        message = "`-` stands for standard input, which is one spec, and is given more than once"
        raise EryphcError.of(Failure.USAGE, command.usage(message, None))


def own_specs(session: Session) -> tuple[str, ...]:
    """What is meant where no SPEC is given. Raises EryphcError."""
    return tuple(map(str, session.own_specs()))


def environment(options: Mapping[str, Any]) -> Mapping[str, str]:
    """The process's, with the cache that an option names."""
    named = options.get("cache_dir")
    return os.environ if named is None else {**os.environ, "ERYPHC_CACHE_DIR": named}


def session_of(
    options: Mapping[str, Any],
    on_hashing: Callable[[Path, int, int], None] | None = None,
    on_converting: Callable[[str, Path, int, int], None] | None = None,
    trace: Callable[[str], None] | None = None,
    *,
    noting: bool = False,
    spare: Path | None = None,
) -> Session:
    """The session of a command line. Raises EryphcError for a pool folder that is not there."""
    # Outputs that a cache has need none, and it brings all of the compiler.
    from eryphc import Session

    ask = None
    if not options.get("no_input", True) and _is_terminal(sys.stdin) and _is_terminal(sys.stderr):
        ask = _ask
    return Session(
        genepools=options["genepools"],
        environment=environment(options),
        ask=ask,
        on_hashing=on_hashing,
        on_converting=on_converting,
        locked=bool(options.get("locked") or options.get("frozen")),
        offline=bool(options.get("offline") or options.get("frozen")),
        trace=trace,
        timeout=options.get("timeout"),
        noting=noting,
        spare=spare,
    )


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def _ask(name: str, secret: bool) -> str:  # noqa: FBT001 - as a session asks
    answer = click.prompt(name, hide_input=secret, err=True, default="", show_default=False)
    return str(answer)


def request_of(
    console: Console,
    options: Mapping[str, Any],
    targets: Sequence[Target] = (),
    *,
    several: bool = False,
) -> BuildRequest:
    """What a command line asks for. Raises EryphcError."""
    given = read_values(options["variables"], options["variable_files"], os.environ)
    console.hand(given.diagnostics)
    return BuildRequest(
        values=given.values,
        value_files=given.files,
        value_places=given.places,
        other_values=several,
        architecture=options["arch"],
        compat=options["compat"],
        name=options["name"],
        hostname=options["hostname"],
        catlet_id=options["catlet_id"],
        vm_id=options["vm_id"],
        epoch=options.get("epoch"),
        levels=console.levels,
        guest=_guest_options(options) if "merge" in options else GuestOptions(),
        targets=_target_options(options, targets),
    )


def _guest_options(options: Mapping[str, Any]) -> GuestOptions:
    word, version = options["network_config"], options["network_version"]
    is_mode = word in tuple(NetworkConfigMode)
    return GuestOptions(
        kind=GuestKind(options["guest"]) if options["guest"] else None,
        merge=MergeMode(options["merge"]),
        network=NetworkConfigMode(word) if is_mode else NetworkConfigMode.GIVEN,
        network_version=int(version) if version else None,
        network_file=None if is_mode else _network_file(word),
        instance_id=options["instance_id"],
        sealed=options["sealed"],
        agent=options["guest_agent"],
    )


def _network_file(name: str) -> Source:
    from eryphc import read_source

    return read_source(name)


def _target_options(options: Mapping[str, Any], targets: Sequence[Target]) -> tuple[Any, ...]:
    """The options of each target of this run; an option of another target is wrong usage."""
    words: dict[str, Sequence[str]] = {}
    for name, (_, takers) in target_flags().items():
        given = options.get(_field(name), ())
        words[name] = given
        if given and not set(takers) & set(targets):
            known = " or ".join(f"`--target {target}`" for target in takers)
            help_text = "add the target, or leave the option out"
            message = f"`{name}` has no effect without {known}"
            raise EryphcError.of(Failure.USAGE, command.usage(message, help_text))
    return tuple(target_options(target, words) for target in targets)


def undeclared_values(request: BuildRequest, declared: frozenset[str]) -> tuple[Diagnostic, ...]:
    """Values that none of several specifications declares."""
    return tuple(
        language.given_unknown(named(name), tuple(map(named, sorted(declared))))
        for name in request.values
        if name.lower() not in declared
    )
