"""What a target is made of, and what it is given: the contract between the session and targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.targets import Target

if TYPE_CHECKING:
    from eryphc.artifacts.file import ArtifactFile
    from eryphc.diagnostics.losses import Loss
    from eryphc.diagnostics.model import Diagnostic, Outcome
    from eryphc.diagnostics.secrecy import Secrets
    from eryphc.guest.cloudconfig.reader import TextReader
    from eryphc.guest.model import GuestOptions, GuestRequest
    from eryphc.identifiers import Architecture
    from eryphc.ir.stages import Fed, Substituted
    from eryphc.ir.volume import DiskFault, DiskImage
    from eryphc.lint.engine import Declared
    from eryphc.project.file import Section


O = TypeVar("O", bound=tuple[Any, ...])  # noqa: E741 - the options of a target
P = TypeVar("P")


class OptionRefused(ValueError):  # noqa: N818 - it says what happened
    """The value of an option is not one that it takes; the text says why."""


class Flag(NamedTuple):
    """One option that a target adds to the command line.

    `field` is the field of the target's options class that it sets. `read` makes the field's
    value of the words that were given, in their order, and raises `OptionRefused`. `choices` are
    the only words that it takes; none means any.
    """

    name: str
    field: str
    metavar: str
    help: str
    read: Callable[[Sequence[str]], Any]
    choices: tuple[str, ...] = ()


def _drives(words: Sequence[str]) -> FrozenMap[str]:
    volumes: dict[str, str] = {}
    for word in words:
        drive, _, path = word.partition("=")
        if not drive or not path:
            raise OptionRefused(f"`{word}` is not written DRIVE=PATH")
        if volumes.get(drive.lower(), path) != path:
            raise OptionRefused(f"drive `{drive}` is given two files")
        volumes[drive.lower()] = path
    return FrozenMap(volumes)


VOLUME = Flag(
    name="--volume",
    field="volumes",
    metavar="DRIVE=PATH",
    help="The disk of a drive, where the pools do not have it",
    read=_drives,
)
"""The flag of targets that take disk images; it sets the field `volumes`, paths by drive."""


class Opening(NamedTuple):
    """What a target leaves open, so that the deployment supplies it.

    `values` are stand-ins for variables of the catlet, `vm_id` one for the id of the machine,
    None where the target does not leave it open. `details` is the target's own note of them. A
    variable that is left open counts as secret, and its value may be missing.
    """

    values: Mapping[str, str] = FrozenMap()
    vm_id: str | None = None
    details: Any = None


NOTHING_OPEN = Opening()


class Openable(NamedTuple):
    """What a target chooses open values from. `values` were given, `vm_id` too unless it is None.

    No stand-in may be a part of `texts`, which reach the guest beside the catlet's own.
    """

    fed: Fed
    values: Mapping[str, str]
    vm_id: str | None
    texts: Sequence[str] = ()


class TargetInput(NamedTuple, Generic[O]):
    """Everything that a target decides from. Nothing else shapes its files.

    `epoch` is the time inside artifacts, in seconds since 1970 UTC. `vm_id_given`: the VM id is
    the user's, not the catlet id. `guest_assumed`: no source said that the guest is Linux.
    `settings` is the target's section of the project file, `disks` what was read of each disk file
    that `Backend.disk_files` named. `reader` reads texts of fodder; it belongs to the session and
    remembers what other builds have read. `guest` is what was asked for, whatever the target makes
    of it. `losses` is what the target cannot express, where `Backend.reports_losses`.
    """

    catlet: Substituted
    name: str
    catlet_id: str
    architecture: Architecture
    request: GuestRequest
    guest_assumed: bool
    vm_id_given: bool
    sealed: bool
    epoch: int
    tool: str
    reader: TextReader
    guest: GuestOptions
    options: O
    settings: Any = None
    opening: Opening = NOTHING_OPEN
    disks: Mapping[Path, DiskImage | DiskFault] = MappingProxyType({})
    losses: tuple[Loss, ...] = ()


FindLosses: TypeAlias = "Callable[[TargetInput[Any], Secrets, str | None], tuple[Loss, ...]]"
"""What a target cannot express, with the words that may be shown. The last argument is what the
author's document is called where the answer has to be the same on every machine."""


class Conversion(NamedTuple):
    """A disk image that a build converts, and puts at `path` in the folder of the target.

    `source` is a file of the format `format`, None: the format that it shows. `sha256` is the hash
    that the source is known by, None where nobody knows it yet. `wanted` is the new format: a
    `vhd` is fixed and has whole MiB.
    """

    path: str
    source: Path
    format: str | None = None
    sha256: str | None = None
    wanted: Literal["vhd"] = "vhd"
    media_type: str = "application/x-vhd"


class Backend(NamedTuple, Generic[O, P]):
    """The functions of a target; all but `plan` and `emit` may be left out.

    `plan` makes every decision and reports what the target cannot do. `emit` writes the plan
    down, the same bytes for the same plan, and cannot fail. `guest_options` changes what was asked
    for where the target needs another thing, and says so. `open` decides what the
    deployment supplies later. `disk_files` names the disk files that the plan wants to know,
    `hashed_formats` the formats of those that are hashed too. `conversions` names the images that a
    build converts beside the files of `emit`; `check` converts none.
    `declared` is what the target itself looks for, beside what is found in the guest's documents.
    `details` are facts about a plan for those who ask for more (`-v`): lines without secrets.
    `reports_losses`: a file of the target lists what it cannot express. `needs_guest`: a kind of
    guest that is only assumed is a warning, because the machine depends on it.
    """

    plan: Callable[[TargetInput[O]], Outcome[P]]
    emit: Callable[[P], Mapping[str, ArtifactFile]]
    guest_options: Callable[[GuestOptions], tuple[GuestOptions, tuple[Diagnostic, ...]]] | None = (
        None
    )
    open: Callable[[Openable, O], Outcome[Opening]] | None = None
    disk_files: Callable[[Substituted, O], tuple[Path, ...]] | None = None
    hashed_formats: tuple[str, ...] = ("vhdx",)
    conversions: Callable[[P], Iterable[Conversion]] | None = None
    declared: tuple[Declared, ...] = ()
    details: Callable[[P], Iterable[str]] | None = None
    reports_losses: bool = False
    needs_guest: bool = False


class TargetDefinition(NamedTuple, Generic[O, P]):
    """One target. Modules that are imported only when needed stand behind a function.

    `options` is a named tuple whose fields all have defaults, `flags` what the command line adds
    for them. `section` reads the target's key of the project file, `section_schema` is the JSON
    Schema of that key's value. `left_open` names the variables whose values the deployment supplies
    later, so that nobody is asked for them. `losses` tells what the target cannot express
    (`targets.losses.LossTable.losses`); a plan also makes the findings of the same table.
    """

    options: type[O]
    backend: Callable[[], Backend[O, P]]
    flags: tuple[Flag, ...] = ()
    left_open: Callable[[O], Iterable[str]] | None = None
    section: Callable[[], Section] | None = None
    section_name: str | None = None
    section_schema: Callable[[], Mapping[str, Any]] | None = None
    losses: Callable[[], FindLosses] | None = None


def definition_of(target: Target) -> TargetDefinition[Any, Any]:
    """The definition of a target, imported now."""
    package = import_module(f"eryphc.targets.{target.value.replace('-', '_')}")
    definition = package.DEFINITION
    if not isinstance(definition, TargetDefinition):
        raise TypeError(f"{package.__name__}.DEFINITION is no TargetDefinition")
    return definition


def project_sections() -> Mapping[str, Section]:
    """The sections of the project file that belong to targets, by key."""
    found: dict[str, Section] = {}
    for target in Target:
        definition = definition_of(target)
        if definition.section is not None and definition.section_name is not None:
            found[definition.section_name] = definition.section()
    return found


def target_flags() -> Mapping[str, tuple[Flag, tuple[Target, ...]]]:
    """What the targets add to the command line, by name, with the targets that take it."""
    found: dict[str, tuple[Flag, tuple[Target, ...]]] = {}
    for target in Target:
        for flag in definition_of(target).flags:
            known = found.get(flag.name, (flag, ()))
            found[flag.name] = (known[0], (*known[1], target))
    return found


def target_options(target: Target, words: Mapping[str, Sequence[str]]) -> Any:
    """The options of a target from the words that were given for each of its flags.

    Flags of other targets are passed over. Raises `EryphcError` for a word that a flag does not
    take, and ValueError for a flag that no target has.
    """
    from eryphc.diagnostics import command
    from eryphc.errors import EryphcError, Failure

    known = target_flags()
    for name, given in words.items():
        if name not in known:
            raise ValueError(f"no target has the flag {name!r}; the flags are {', '.join(known)}")
        if isinstance(given, str):
            raise TypeError(f"the words of {name} are to be a sequence of texts, not one text")
    definition = definition_of(Target(target))
    values: dict[str, Any] = {}
    for flag in definition.flags:
        if words.get(flag.name):
            try:
                values[flag.field] = flag.read(words[flag.name])
            except OptionRefused as fault:
                found = command.bad_option_value(flag.name, str(fault))
                raise EryphcError.of(Failure.INPUT, found) from None
    return definition.options(**values)
