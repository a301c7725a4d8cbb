"""Options of the guest and the targets, and one spec through all its targets.

`build` writes what comes out, `check` throws it away.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc.cli import options as shared
from eryphc.cli.console import WRONG_INPUT, WRONG_USAGE, Console
from eryphc.cli.groups import completes
from eryphc.cli.pipeline import Values, bred_of, say_sources
from eryphc.diagnostics import command
from eryphc.ir.stages import Document
from eryphc.specs import InputMissingError, Pools, Spec, read_text

if TYPE_CHECKING:
    from eryphc.driver import Built, FrontOptions, Target, TargetOptions
    from eryphc.ir.volume import ReadDisk
    from eryphc.project import Project

C = TypeVar("C", bound=Callable[..., Any])

TARGETS = ("cloud-init", "hyperv")
_NETWORK_WORDS = ("given", "always", "never")


def target_options(function: C) -> C:
    """The options that decide the guest's configuration and the targets."""
    options: Sequence[Callable[[C], C]] = (
        click.option(
            "--guest",
            type=click.Choice(["linux", "windows"]),
            help="The guest's kind; else the gene sets of the pedigree say it.",
        ),
        click.option(
            "--merge",
            type=click.Choice(["merged", "parts"]),
            default="merged",
            show_default=True,
            help="One cloud-config of all foods, or one part a food (Linux guests).",
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
        click.option("--sealed", is_flag=True, help="Also an image without secret foods."),
        click.option(
            "--epoch",
            metavar="SECONDS",
            help="The time inside artifacts; else SOURCE_DATE_EPOCH, else 1980-01-01.",
        ),
        click.option(
            "--open",
            "open_slots",
            multiple=True,
            metavar="NAME=LENGTH",
            help="A value that the deployment supplies later (hyperv).",
        ),
        click.option(
            "--volume",
            "volumes",
            multiple=True,
            metavar="DRIVE=PATH",
            help="The disk of a drive, where the pools do not have it (hyperv).",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def chosen_targets(console: Console, words: Sequence[str]) -> tuple[Target, ...]:
    """The targets named, each once, in order; an unknown one is wrong usage."""
    from eryphc.driver import Target

    found: list[Target] = []
    for word in words:
        for name in word.split(","):
            if name not in TARGETS:
                from eryphc.diagnostics.suggest import close_matches

                close = close_matches(name, TARGETS)
                help_text = f"did you mean `{close[0]}`?" if close else None
                known = ", ".join(f"`{target}`" for target in TARGETS)
                message = f"`{name}` is not a target; targets are {known}"
                raise shared.stop(console, command.usage(message, help_text), WRONG_USAGE)
            if Target(name) not in found:
                found.append(Target(name))
    return tuple(found)


class Compilation:
    """Everything a command line says about compiling; turns specs into built targets."""

    def __init__(self, console: Console, options: Mapping[str, Any], targets: Sequence[Target]):
        self.console = console
        self.options = options
        self.targets = targets
        self.front = shared.front_options(console, options)
        self.pools: Pools = shared.pools(console, options)
        self.network_file = self._network_file()
        self.instance_id = _instance_id(console, options["instance_id"])
        self.slots = _slots(console, options["open_slots"])
        self.volumes = _volumes(console, options["volumes"])
        # `Pools` keeps the projects, so their identity holds.
        self._known_settings: dict[tuple[int, str | None], TargetOptions] = {}
        _without_effect(console, targets, {"--open": self.slots, "--volume": self.volumes})
        # Hears how far a large disk file has been hashed.
        self.disk_progress: Callable[[Path, int, int], None] | None = None

    def built(
        self, spec: Spec, document: Document, values: Values
    ) -> Iterator[tuple[Target, Built]]:
        """The targets of one spec, each as it is made; what is found goes to the console."""
        from eryphc.passes.conceal import conceal

        before = len(self.console.found)
        catlets = [document.catlet]
        try:
            yield from self._built(spec, document, values, catlets)
        finally:
            found = self.console.found[before:]
            self.console.found[before:] = conceal(found, catlets)

    def _built(
        self, spec: Spec, document: Document, values: Values, catlets: list[Any]
    ) -> Iterator[tuple[Target, Built]]:
        from eryphc import driver

        project = self.pools.project(spec.folder)
        if project is not None:
            self.console.add(project.diagnostics)
        bred = bred_of(spec, document, self.pools, self.front, values, self.console)
        chain = self.pools.chain(spec.folder).value
        if bred is None or chain is None:
            return
        catlets += [d.catlet for d in bred[0].pedigree.documents]
        front: FrontOptions = bred[1]
        given = driver.with_values(bred[0], front)
        if given.value is not None:
            catlets.append(given.value.catlet)
        fed = driver.to_fed(bred[0], chain, front)
        self.console.add(fed.diagnostics)
        if fed.value is None:
            return
        if document.partial:
            return
        say_sources(chain, fed.value, self.console)
        catlets.append(fed.value.catlet)
        settings = self._settings_of(project.value if project else None, spec)
        if settings is None:
            return
        for target in self.targets:
            made = driver.build_target(fed.value, target, front, settings)
            self.console.add(made.diagnostics)
            if made.value is not None:
                yield target, made.value

    @cached_property
    def _disks(self) -> ReadDisk:
        """One for all specs: a disk that they share is hashed once."""
        from eryphc.genepool.disk_images import DiskImages

        return DiskImages(self.disk_progress)

    def _network_file(self) -> Any:
        word = self.options["network_config"]
        if word in _NETWORK_WORDS:
            return None
        try:
            read = read_text(Path(word))
        except InputMissingError as missing:
            raise shared.stop(self.console, missing.diagnostic, missing.exit_code) from None
        if read.value is None:
            self.console.add(read.diagnostics)
            raise shared.StopRunError(WRONG_INPUT)
        return read.value

    def _settings_of(self, project: Project | None, spec: Spec) -> TargetOptions | None:
        """The same for all specs of one project whose gene sets say the same."""
        key = (id(project), spec.os_type)
        known = self._known_settings.get(key)
        if known is None:
            known = self._settings(project, spec)
            if known is not None:
                self._known_settings[key] = known
        return known

    def _settings(self, project: Project | None, spec: Spec) -> TargetOptions | None:
        from eryphc.artifacts.epoch import EpochSource, resolve_epoch
        from eryphc.driver import TargetOptions
        from eryphc.guestconfig.model import GuestKind, MergeMode, NetworkConfigMode

        epoch = resolve_epoch(
            option=self.options["epoch"],
            project=EpochSource(name="epoch", value=project.epoch, span=project.at("epoch"))
            if project
            else None,
            environment=os.environ.get("SOURCE_DATE_EPOCH") or None,
        )
        self.console.add(epoch.diagnostics)
        if epoch.value is None:
            return None
        guest = self.options["guest"] or (project.guest if project else None)
        if not guest and spec.os_type in tuple(GuestKind):
            guest = spec.os_type
        word = self.options["network_config"]
        version = self.options["network_version"]
        return TargetOptions(
            guest=GuestKind(guest) if guest else None,
            merge=MergeMode(self.options["merge"]),
            network=NetworkConfigMode(word if word in _NETWORK_WORDS else "given"),
            network_version=int(version) if version else None,
            network_file=self.network_file,
            instance_id=self.instance_id,
            sealed=self.options["sealed"],
            epoch=epoch.value,
            hyperv=project.hyperv if project else None,
            open_slots=self.slots,
            volumes=self.volumes,
            read_disk=lambda path: self._disks(path),
        )


def _instance_id(console: Console, word: str | None) -> str | None:
    """The word if it can be the name of a folder, which is what a guest makes of it."""
    if word is None or (
        word.strip() not in ("", ".", "..") and word.isprintable() and len(word.encode()) <= 255
    ):
        return word
    message = "an instance id has 1 to 255 printable characters"
    raise shared.stop(console, command.bad_option_value("--instance-id", message), WRONG_INPUT)


def _without_effect(
    console: Console, targets: Sequence[Target], given: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse what only a deployment can supply where none is built."""
    if all(str(target) != "hyperv" for target in targets):
        for option, values in given.items():
            if values:
                message = f"`{option}` has no effect without `--target hyperv`"
                help_text = "add the target, or leave the option out"
                raise shared.stop(console, command.usage(message, help_text), WRONG_USAGE)


def _slots(console: Console, words: Sequence[str]) -> dict[str, int]:
    slots: dict[str, int] = {}
    for word in words:
        name, _, length = word.partition("=")
        if not name or not length.isascii() or not length.isdigit() or not 0 < int(length) <= 4096:
            message = f"`{word}` is not written NAME=LENGTH with a length of 1 to 4096"
            raise shared.stop(console, command.bad_option_value("--open", message), WRONG_INPUT)
        if slots.get(name, int(length)) != int(length):
            message = f"`{name}` is given two lengths, {slots[name]} and {length}"
            raise shared.stop(console, command.bad_option_value("--open", message), WRONG_INPUT)
        slots[name] = int(length)
    return slots


def _volumes(console: Console, words: Sequence[str]) -> dict[str, str]:
    volumes: dict[str, str] = {}
    for word in words:
        drive, _, path = word.partition("=")
        if not drive or not path:
            message = f"`{word}` is not written DRIVE=PATH"
            raise shared.stop(console, command.bad_option_value("--volume", message), WRONG_INPUT)
        if volumes.get(drive.lower(), path) != path:
            message = f"drive `{drive}` is given two files"
            raise shared.stop(console, command.bad_option_value("--volume", message), WRONG_INPUT)
        volumes[drive.lower()] = path
    return volumes
