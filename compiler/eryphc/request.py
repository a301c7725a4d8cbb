"""Everything that shapes the result of a compile, as one value."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eryphc.diagnostics import command
from eryphc.diagnostics.levels import Choice, Choices, choices, chosen
from eryphc.diagnostics.model import Diagnostic
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.guest.model import GuestAgent, GuestKind, GuestOptions, MergeMode, NetworkConfigMode
from eryphc.identifiers import DEFAULT_ARCHITECTURE, Architecture
from eryphc.ir.compat import Compat
from eryphc.origin import Outside
from eryphc.source import SourceText
from eryphc.syntax.identifiers import parse_architecture
from eryphc.syntax.names import CATLET, NameFault, name_faults
from eryphc.targets import Target
from eryphc.targets.definition import definition_of

O = TypeVar("O")  # noqa: E741 - the options of a target

_LONGEST_INSTANCE_ID = 255
_PUBLIC_NAMES = {type(None): "None", SourceText: "Source"}


_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~-]{0,39}\Z")
VARIABLE_PREFIX = "ERYPHC_VAR_"


def values_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The values that an environment has for variables, sorted by their names as they stand
    there."""
    return {
        name[len(VARIABLE_PREFIX) :]: value
        for name, value in sorted(environment.items())
        if name.startswith(VARIABLE_PREFIX) and len(name) > len(VARIABLE_PREFIX)
    }


class ValuesFile(NamedTuple):
    """A file that values of variables were read from. `path` is how it was named, `sha256` over its
    bytes, `variables` are the names it gave values for."""

    path: str
    sha256: str | None
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What a compile shall do. Every field has the default of the command line.

    `values` are given for variables of the catlet; one that it does not declare is an error,
    unless `other_values` lets it be (where several specifications share the values). `name` and
    `hostname` replace the author's, `name` alone sets both. `epoch` is the time inside artifacts,
    in seconds since 1970 UTC. `levels` says `allow`, `warn` or `deny` of kinds of findings, each by
    its code or its name. `targets` holds options of targets, at most one of each class.
    `value_files` tells where values were read from, `value_places` how each was given; they shape
    no artifact. Raises
    `EryphcError`, and as Python does `TypeError` and `ValueError` for what is no such value at all.
    Equal requests are equal in everything that shapes a result; a `Source` is equal to
    itself alone.
    """

    values: Mapping[str, str] = field(default_factory=FrozenMap)
    other_values: bool = False
    architecture: Architecture | str = DEFAULT_ARCHITECTURE
    compat: Compat | str = Compat.ERYPHC
    name: str | None = None
    hostname: str | None = None
    catlet_id: str | None = None
    vm_id: str | None = None
    epoch: int | str | None = None
    levels: Mapping[str, Choice | str] = field(default_factory=FrozenMap)
    guest: GuestOptions = field(default_factory=GuestOptions)
    targets: tuple[Any, ...] = ()
    value_files: tuple[ValuesFile, ...] = field(default=(), compare=False)
    value_places: Mapping[str, Outside] = field(default_factory=FrozenMap, compare=False)

    def __post_init__(self) -> None:
        found: list[Diagnostic] = []
        put = object.__setattr__
        put(self, "values", FrozenMap(_texts(self.values)))
        put(self, "value_places", FrozenMap(self.value_places))
        put(self, "compat", Compat(self.compat))
        put(self, "targets", _options_of_targets(self.targets))
        put(self, "guest", _guest(self.guest))
        for key in ("name", "hostname"):
            must_be(f"`{key}`", getattr(self, key), str, type(None))
        must_be("`architecture`", self.architecture, str, Architecture)
        if isinstance(self.architecture, str):
            parsed = parse_architecture(self.architecture)
            if isinstance(parsed, NameFault):
                found.append(command.bad_option_value("--arch", parsed.message))
            else:
                put(self, "architecture", parsed)
        if self.name is not None:
            found += [
                command.bad_option_value("--name", fault.message)
                for fault in name_faults(CATLET, self.name)
            ]
        for option, key in (("--catlet-id", "catlet_id"), ("--vm-id", "vm_id")):
            text = getattr(self, key)
            if text is not None:
                must_be(f"`{key}`", text, str)
                known = _uuid(text)
                if known is None:
                    found.append(_no_uuid(option, text))
                else:
                    put(self, key, known)
        put(self, "levels", FrozenMap(_levels(self.levels, found)))
        if self.guest.agent is not None:
            faults = _agent_faults(self.guest.agent)
            if faults:
                raise EryphcError.of(Failure.USAGE, *faults)
        instance_id = self.guest.instance_id
        if instance_id is not None and not _names_folder(instance_id):
            message = f"an instance id has 1 to {_LONGEST_INSTANCE_ID} printable characters"
            found.append(command.bad_option_value("--instance-id", message))
        if found:
            raise EryphcError.of(Failure.INPUT, *found)

    def __repr__(self) -> str:
        # Values may be secret, and what is printed ends in logs.
        return f"BuildRequest({self.architecture}, {self.name!r}, values of {sorted(self.values)})"

    @property
    def processor(self) -> Architecture:
        """`architecture`; checking made sure that it is a known one."""
        if isinstance(self.architecture, str):
            raise TypeError("the architecture was not read")
        return self.architecture

    @property
    def meaning(self) -> Compat:
        """`compat`; checking made sure that it is one of its words."""
        return Compat(self.compat)

    @property
    def asked_levels(self) -> Choices:
        """`levels` by the numbers of the kinds; checking has replaced the names."""
        return {number: Choice(choice) for number, choice in self.levels.items()}

    def options_of(self, kind: type[O]) -> O:
        """The options of a target's class, or its defaults."""
        for options in self.targets:
            if type(options) is kind:
                return options
        return kind()


def must_be(what: str, value: object, *kinds: type) -> None:
    """Raises TypeError for a value of another kind. It is not quoted: it may be secret."""
    if not isinstance(value, kinds):
        known = " or ".join(_PUBLIC_NAMES.get(kind, kind.__name__) for kind in kinds)
        raise TypeError(f"{what} is to be {known}, not {type(value).__name__}")


def _texts(values: Mapping[str, str]) -> Mapping[str, str]:
    must_be("`values`", values, Mapping)
    for name, text in values.items():
        must_be("the name of a variable", name, str)
        must_be(f"the value of `{name}`", text, str)
    return values


def _guest(options: GuestOptions) -> GuestOptions:
    """The options with words in the place of their texts. Raises TypeError and ValueError."""
    must_be("`guest`", options, GuestOptions)
    must_be("`network_file`", options.network_file, SourceText, type(None))
    must_be("`instance_id`", options.instance_id, str, type(None))
    if options.network_version not in (None, 1, 2):
        raise ValueError(f"`network_version` is to be 1 or 2, not {options.network_version!r}")
    must_be("`agent`", options.agent, str, type(None))
    return options._replace(
        kind=None if options.kind is None else GuestKind(options.kind),
        merge=MergeMode(options.merge),
        network=NetworkConfigMode(options.network),
    )


def _agent_faults(text: str) -> list[Diagnostic]:
    word, _, version = text.partition("@")
    if word not in tuple(GuestAgent):
        shown = word if len(word) <= 60 else word[:57] + "..."
        words = ", ".join(f"`{agent}`" for agent in GuestAgent)
        message = f"`{shown}` is no agent of a guest; agents are {words}"
        return [command.bad_option_value("--guest-agent", message)]
    if "@" in text and not _VERSION.match(version):
        message = (
            "a version has 1 to 40 letters, digits and `.`, `-`, `+`, `~`, and begins with one"
        )
        return [command.bad_option_value("--guest-agent", message)]
    return []


def _options_of_targets(given: Iterable[Any]) -> tuple[Any, ...]:
    """Options of targets, of each at most one. Raises TypeError and ValueError."""
    options = tuple(given)
    if options:
        known = [definition_of(target).options for target in Target]
        for each in options:
            must_be("an entry of `targets`", each, *known)
        if len({type(each) for each in options}) < len(options):
            raise ValueError("`targets` holds options of one target twice")
    return tuple(each._replace(**_frozen_maps(each)) for each in options)


def _frozen_maps(options: Any) -> dict[str, FrozenMap[Any]]:
    """The mappings among options of a target, which nobody can change after this."""
    fields = options._asdict().items()
    return {name: FrozenMap(value) for name, value in fields if isinstance(value, Mapping)}


def _levels(levels: Mapping[str, Choice | str], found: list[Diagnostic]) -> Choices:
    """The levels of kinds of findings, by their numbers."""
    said: list[tuple[Choice, tuple[str]]] = []
    must_be("`levels`", levels, Mapping)
    for word, asked in levels.items():
        must_be("a kind in `levels`", word, str)
        choice = Choice(asked)
        number = chosen(word, choice)
        if isinstance(number, str):
            said.append((choice, (number,)))
        else:
            option = f"--{choice.value}"
            found.append(command.bad_option_value(option, number.message, number.help))
    return choices(said)


def _uuid(text: str) -> str | None:
    """The normal form of a UUID, with or without braces and dashes; None where it is none."""
    plain = text.strip().strip("{}").lower()
    try:
        parsed = str(uuid.UUID(plain))
        return parsed if parsed in (plain, str(uuid.UUID(hex=plain.replace("-", "")))) else None
    except ValueError:
        return None


def _no_uuid(option: str, text: str) -> Diagnostic:
    shown = text if len(text) <= 60 else text[:57] + "..."
    help_text = "write it as 01234567-89ab-cdef-0123-456789abcdef"
    return command.bad_option_value(option, f"`{shown}` is not a UUID", help_text)


def _names_folder(text: str) -> bool:
    """Whether a guest can make a folder of that name: it makes one named after the instance id."""
    if text.strip() in ("", ".", "..") or not text.isprintable():
        return False
    return len(text.encode("utf-8", "surrogatepass")) <= _LONGEST_INSTANCE_ID
