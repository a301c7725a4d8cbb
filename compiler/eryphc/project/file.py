"""`eryphc.yaml`: the settings of a project, for all its specs.

Source: docs/reference/command-line.md, "eryphc.yaml".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from eryphc.diagnostics import command
from eryphc.diagnostics.levels import NO_CHOICES, Choice, Choices, choices, chosen
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.words import clipped, listed
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.ir.catlet import Places, Record
from eryphc.lockfile import STANDARD
from eryphc.passes.values import Converter, Notation, Reading, Shape
from eryphc.source import SourceText
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode
from eryphc.syntax.yaml_nodes import compose


class PoolType(StrEnum):
    FOLDER = "folder"
    OCI = "oci"
    OCI_LAYOUT = "oci_layout"
    ERYPH_LOCAL = "eryph_local"
    GENEPOOL = "genepool"


class Require(StrEnum):
    SIGNATURE = "signature"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Record):
    """A record of the project file."""

    places: Places = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEntry(Setting):
    """`path` is for folders, `prefix` for registries, `url` for the public pool's API. `moving`
    and `fixed` are globs of tags, for pools of images; what follows them is for registries.
    """

    name: str | None = None
    type: PoolType | None = None
    path: str | None = None
    prefix: str | None = None
    url: str | None = None
    orgs: tuple[str, ...] | None = None
    fallback: bool | None = None
    moving: tuple[str, ...] | None = None
    fixed: tuple[str, ...] | None = None
    repository: str | None = None
    tag: str | None = None
    index: str | None = None
    mirrors: tuple[str, ...] | None = None
    ca: str | None = None
    insecure: bool | None = None
    token_hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustEntry(Setting):
    """What is asked of the gene sets of some organizations. `keys` is a file of allowed signers,
    `signers` are globs of the principals in it who are believed."""

    orgs: tuple[str, ...] | None = None
    require: Require | None = None
    keys: str | None = None
    signers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint(Setting):
    """The numbers of kinds of findings, by what they count as."""

    allow: tuple[str, ...] | None = None
    warn: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSettings(Setting):
    """`disks`: the lock pins disk images that are only described, without a digest."""

    disks: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(Setting):
    """The project file; `folder` is where it lies and what its paths are relative to.

    `guest_agent` has words by gene set and kind of guest, or one for `*`.

    `sections` holds what belongs to a target, by key. `source` is its text.
    """

    pools: tuple[PoolEntry, ...] | None = None
    trust: tuple[TrustEntry, ...] | None = None
    shared: tuple[str, ...] | None = None
    specs: tuple[str, ...] | None = None
    guest: str | None = None
    guest_agent: tuple[tuple[str, str], ...] | None = None
    epoch: str | None = None
    lint: Lint | None = None
    lock: LockSettings | None = None
    cache: bool | None = None
    folder: Path = field(default=Path(), compare=False)
    sections: Mapping[str, Any] = field(default_factory=FrozenMap)
    source: SourceText | None = field(default=None, compare=False, repr=False)


def word(words: type[StrEnum]) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.word(node, key, words)

    return read


def list_of(entry: Converter) -> Converter:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return reading.many(node, key, entry)

    return read


def texts_by_name(reading: Reading, node: Node, key: str) -> Any:
    """A mapping with names of the user's own as keys, each with a text."""
    if not isinstance(node, MappingNode):
        return reading.wrong_kind(node, key, "a mapping")
    pairs: list[tuple[str, str]] = []
    for name, value in node.entries:
        if isinstance(name, ScalarNode):
            text = reading.convert(value, name.value, Reading.text)
            if isinstance(text, str):
                pairs.append((name.value, text))
    return tuple(pairs)


def _agents(reading: Reading, node: Node, key: str) -> Any:
    """A word for all guests, or words by kind of guest and by gene set."""
    if isinstance(node, MappingNode):
        return texts_by_name(reading, node, key)
    word = reading.text(node, key)
    return (("*", word),) if isinstance(word, str) else word


_MOST_SUGGESTED = 5


def _kind(choice: Choice) -> Converter:
    """The number of the kind of finding that a code or a name means."""

    def read(reading: Reading, node: Node, key: str) -> Any:
        word = reading.text(node, key)
        if not isinstance(word, str):
            return word
        number = chosen(word, choice, suggest=len(reading.diagnostics) < _MOST_SUGGESTED)
        if isinstance(number, str):
            return number
        span = reading.span(node)
        return reading.report(command.project_value("lint", number.message, span, number.help))

    return read


TEXT: Converter = Reading.text
LINT = Shape("lint section", Lint, {choice.value: list_of(_kind(choice)) for choice in Choice})
LOCK = Shape("lock section", LockSettings, {"disks": Reading.boolean})
POOL = Shape(
    "gene pool",
    PoolEntry,
    {
        "name": TEXT,
        "type": word(PoolType),
        "path": TEXT,
        "prefix": TEXT,
        "url": TEXT,
        "orgs": list_of(TEXT),
        "fallback": Reading.boolean,
        "moving": list_of(TEXT),
        "fixed": list_of(TEXT),
        "repository": TEXT,
        "tag": TEXT,
        "index": TEXT,
        "mirrors": list_of(TEXT),
        "ca": TEXT,
        "insecure": Reading.boolean,
        "token_hosts": list_of(TEXT),
    },
)
TRUST = Shape(
    "trust entry",
    TrustEntry,
    {
        "orgs": list_of(TEXT),
        "require": word(Require),
        "keys": TEXT,
        "signers": list_of(TEXT),
    },
)
_OWN: Mapping[str, Converter] = {
    "pools": list_of(POOL),
    "trust": list_of(TRUST),
    "shared": list_of(TEXT),
    "specs": list_of(TEXT),
    "guest": TEXT,
    "guest_agent": _agents,
    "epoch": TEXT,
    "lint": LINT,
    "lock": LOCK,
    "cache": Reading.boolean,
}


class Section(NamedTuple):
    """A key of the project file that belongs to a target: how it is read, and its rules."""

    shape: Shape
    faults: Callable[[Any], Iterable[Diagnostic]]


def levels_of(project: Project) -> Choices:
    """What the project file says of kinds of findings."""
    lint = project.lint
    if lint is None:
        return NO_CHOICES
    said = ((Choice.ALLOW, lint.allow), (Choice.WARN, lint.warn), (Choice.DENY, lint.deny))
    return choices((choice, numbers or ()) for choice, numbers in said)


def read_project(
    source: SourceText, folder: Path, sections: Mapping[str, Section]
) -> Outcome[Project]:
    """The project file, or what is wrong with it. An empty file says nothing."""
    composed = compose(source)
    if composed.value is None:
        return Outcome(None, composed.diagnostics)
    reading = Reading(source, Notation.YAML)

    def build(places: Places, **values: Any) -> Project:
        own = {key: value for key, value in values.items() if key not in sections}
        theirs = FrozenMap({key: value for key, value in values.items() if key in sections})
        return Project(folder=folder, places=places, sections=theirs, source=source, **own)

    keys: dict[str, Converter] = {**_OWN}
    keys |= {key: section.shape for key, section in sections.items()}
    shape = Shape("project file", build, keys)
    value = reading.convert(composed.value, "project file", shape)
    if value is None:
        return Outcome(Project(folder=folder, source=source), tuple(reading.diagnostics))
    found = [*reading.diagnostics]
    if isinstance(value, Project):
        found += _faults(value)
        for key, section in sections.items():
            if value.sections.get(key) is not None:
                found += section.faults(value.sections[key])
        if not has_errors(found):
            return Outcome(value, tuple(found))
    return Outcome(None, tuple(found))


_NEEDS = {
    PoolType.FOLDER: "path",
    PoolType.ERYPH_LOCAL: "path",
    PoolType.OCI_LAYOUT: "path",
    PoolType.OCI: "prefix",
    PoolType.GENEPOOL: "url",
}


REMOTE = frozenset({PoolType.OCI, PoolType.GENEPOOL})
"""Pools of others, which must say whose gene sets they have."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")

# Keys of the contract that nothing reads yet.
_WITHOUT_EFFECT = ("shared",)


def _faults(project: Project) -> list[Diagnostic]:
    found: list[Diagnostic] = [
        command.project_without_effect(key, project.at(key))
        for key in _WITHOUT_EFFECT
        if getattr(project, key)
    ]
    for pool in project.pools or ():
        kind = pool.type or PoolType.FOLDER
        need = _NEEDS[kind]
        if getattr(pool, need) is None:
            shown = kind.value.replace("_", "-")
            found.append(command.pool_needs(shown, need, pool.at("type")))
        if kind in REMOTE and not pool.orgs:
            found.append(command.pool_needs(kind.value, "orgs", pool.at("type")))
        if pool.name is not None and (pool.name == STANDARD or not _NAME.match(pool.name)):
            message = f"`{pool.name}` is no name of a pool: letters, digits, `.`, `_` and `-`"
            if pool.name == STANDARD:
                message = f"`{STANDARD}` is the name of the standard genes"
            found.append(command.project_value("pools", message, pool.at("name")))
    for trust in project.trust or ():
        found += _trust_faults(trust)
    if project.guest is not None and project.guest not in ("linux", "windows"):
        message = f"`{project.guest}` is neither `linux` nor `windows`"
        found.append(command.project_value("guest", message, project.at("guest")))
    found += _agent_faults(project)
    return found


_AGENTS = ("cloud-init", "cloudbase-init", "egs", "nuageinit", "azure-init", "none")
"""Those of `guest.model.GuestAgent`; a test compares them."""
_AGENT = re.compile(rf"(?:{'|'.join(_AGENTS)})(?:@[0-9A-Za-z][0-9A-Za-z.+~-]{{0,39}})?\Z")
_GUESTS = ("linux", "windows", "freebsd")
_SET = re.compile(r"[a-z0-9-]+/[a-z0-9.-]+(?:/[a-z0-9.-]+)?\Z", re.IGNORECASE)


def _agent_faults(project: Project) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for name, word in project.guest_agent or ():
        if not _AGENT.match(word):
            message = f"`{clipped(word)}` is no agent of a guest; agents are {listed(_AGENTS)}"
        elif name not in (*_GUESTS, "*") and not _SET.match(name):
            message = f"`{clipped(name)}` is neither a gene set nor one of {listed(_GUESTS)}"
        else:
            continue
        found.append(command.project_value("guest_agent", message, project.at("guest_agent")))
    return found


def _trust_faults(entry: TrustEntry) -> list[Diagnostic]:
    found: list[Diagnostic] = []

    def wrong(key: str, message: str) -> None:
        found.append(command.project_value("trust", message, entry.at(key)))

    if not entry.orgs:
        wrong("orgs", "an entry says whose gene sets it is about: `orgs`")
    if entry.require is None:
        wrong("require", "an entry says what it asks for: `require: signature`, or `none`")
    if entry.require is Require.SIGNATURE and not entry.keys:
        wrong("keys", "signatures are checked by a file of allowed signers: `keys`")
    if entry.signers is not None and not entry.signers:
        wrong("signers", "nobody is left who could sign; without `signers` all in `keys` are")
    return found
