"""What a Linux guest does when a value has the wrong shape or is null, key by key.

cloud-init hands each key to a module without looking at it, so what happens follows from the code
of the module: it passes the value over, or fails and with it all that it had still to do; some
values end a whole stage. The table is what the modules of cloud-init 22.4.2 (`cloudinit/config/`,
`distros/__init__.py`, `cmd/main.py`) do; a test runs them for each row.
Source: docs/reference/cloud-init.md, "Values of a wrong shape".
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import Final

from eryphc.diagnostics import cloudconfig as cloud_wording
from eryphc.diagnostics import cloudconfig_guest as wording
from eryphc.diagnostics.model import Diagnostic, Label
from eryphc.diagnostics.said import NO_WORDS, Own, Words, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.lint import Config
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, Value, kind
from eryphc.guest.cloudconfig.saying import Names, below
from eryphc.lint.engine import Rule


class End(Enum):
    """What a value of the wrong shape ends."""

    NOTHING = "it is passed over"
    MODULE = "the module fails"
    STAGE = "the stage fails"
    ALL = "every stage fails"


class Row(NamedTuple):
    """One key and the kinds of values under it that its module takes.

    `path` has the keys that lead to the value: `*` is any key of a map, `[]` any entry of a list.
    `takes` has a letter for each kind that does no harm: Null, Boolean, Integer or other number,
    Text, List, Map, Date, and Empty for what counts as false. `lost` is what the guest then lacks.
    `grave`: it lacks commands, files or users for certain. `also` has numbers that do no harm. Of
    rows with one path the first counts that does not take the value.
    """

    path: str
    takes: str
    module: str
    lost: str
    end: End = End.MODULE
    grave: bool = False
    also: tuple[int, ...] = ()


MAX_FINDINGS: Final = 100
"""No one reads more, and a hostile text could have any number of them."""

_COMMANDS: Final = "not one of its commands runs"
_FILES: Final = "neither this file nor those after it are written"
_USERS: Final = "neither this user nor those after him are made"
_NO_USERS: Final = "not one of the users and groups is made"
_LATER: Final = "his SSH keys and all users after him are missing"
_HOST_KEYS: Final = "the host keys and the keys of the default user are missing"
_STAGES: Final = "not one module of this stage runs"
_NAME: Final = "the host name stays that of the meta-data, and the next boot stops in this stage"

ROWS: Final = (
    # The init stage.
    Row("reporting", "NME", "init", "nothing of the configuration is applied", End.ALL, grave=True),
    Row(
        "reporting.*", "NME", "init", "nothing of the configuration is applied", End.ALL, grave=True
    ),
    Row("cloud_init_modules", "NLME", "init", _STAGES, End.STAGE, grave=True),
    Row("cloud_config_modules", "NLME", "config", _STAGES, End.STAGE, grave=True),
    Row("cloud_final_modules", "NLME", "final", _STAGES, End.STAGE, grave=True),
    Row("random_seed", "M", "seed_random", "no seed is written"),
    Row("bootcmd", "L", "bootcmd", _COMMANDS, grave=True),
    Row("write_files", "L", "write_files", "not one file is written", grave=True),
    Row("write_files.[]", "M", "write_files", _FILES, grave=True),
    Row("write_files.[].path", "TE", "write_files", _FILES, grave=True),
    Row("write_files.[].content", "T", "write_files", _FILES, grave=True),
    Row("write_files.[].owner", "TE", "write_files", _FILES, grave=True),
    Row("write_files.[].encoding", "TE", "write_files", _FILES, grave=True),
    Row("growpart", "M", "growpart", "no partition grows", End.NOTHING),
    Row("disk_setup", "NM", "disk_setup", "no disk is partitioned", End.NOTHING),
    Row("disk_setup.*", "M", "disk_setup", "this disk stays as it is", End.NOTHING),
    Row("fs_setup", "NL", "disk_setup", "no file system is made", End.NOTHING),
    Row("fs_setup.[]", "M", "disk_setup", "this file system is not made", End.NOTHING),
    Row("fs_setup.[].device", "NT", "disk_setup", "not one of the file systems is made"),
    Row("device_aliases", "ME", "mounts", "nothing is mounted"),
    Row("mount_default_fields", "L", "mounts", "nothing is mounted"),
    Row("mounts", "L", "mounts", "nothing is mounted"),
    Row("mounts.[]", "L", "mounts", "nothing is mounted"),
    Row("hostname", "T", "set_hostname", _NAME, End.STAGE, grave=True),
    Row("fqdn", "T", "set_hostname", _NAME, End.STAGE, grave=True),
    Row("ca_certs", "M", "ca_certs", "not one of the certificates is added"),
    Row("rsyslog", "LM", "rsyslog", "nothing of it is set up"),
    Row("rsyslog.configs", "L", "rsyslog", "nothing of it is set up"),
    Row("rsyslog.remotes", "M", "rsyslog", "nothing of it is set up"),
    Row("groups", "TLM", "users_groups", _NO_USERS, grave=True),
    Row("groups.[]", "TM", "users_groups", _NO_USERS, grave=True),
    Row("groups.[].*", "TL", "users_groups", _NO_USERS, grave=True),
    Row("groups.[].*.[]", "T", "users_groups", "not one of the users is made", grave=True),
    Row("groups.*", "TLM", "users_groups", _NO_USERS, grave=True),
    Row("groups.*.[]", "T", "users_groups", "not one of the users is made", grave=True),
    Row("user.groups", "TLM", "users_groups", "neither this user nor others are made", grave=True),
    Row(
        "users",
        "TLM",
        "users_groups",
        "no user is made, not even the default one",
        End.NOTHING,
        grave=True,
    ),
    Row("users.[]", "TLM", "users_groups", _NO_USERS, grave=True),
    Row("users.*", "BITM", "users_groups", _NO_USERS, grave=True),
    Row("users.*", "BM", "users_groups", "this user is not made", End.NOTHING, grave=True),
    Row("users.[].name", "T", "users_groups", _USERS, grave=True),
    Row("users.[].groups", "TLME", "users_groups", _USERS, grave=True),
    Row("users.[].groups.[]", "T", "users_groups", _USERS, grave=True),
    Row("users.[].sudo", "TLE", "users_groups", _LATER, grave=True),
    Row("users.[].ssh_authorized_keys", "BITLMD", "users_groups", _LATER, grave=True),
    Row("users.[].ssh_authorized_keys.[]", "NBITD", "users_groups", _LATER, grave=True),
    Row("ssh_keys", "M", "ssh", _HOST_KEYS),
    *(
        Row(f"ssh_keys.{name}_{part}", "T", "ssh", _HOST_KEYS)
        for name in ("rsa", "dsa", "ecdsa", "ed25519")
        for part in ("private", "public", "certificate")
    ),
    Row("ssh_publish_hostkeys", "TLM", "ssh", "the keys of the default user are missing"),
    Row(
        "ssh_authorized_keys",
        "L",
        "ssh",
        "the default user gets none of the keys",
        End.NOTHING,
        grave=True,
    ),
    # The config stage.
    Row("snap", "ME", "snap", "nothing of it is done"),
    Row("snap.assertions", "LME", "snap", "nothing of it is done"),
    Row("snap.commands", "LME", "snap", _COMMANDS),
    Row("snap.commands.[]", "TL", "snap", _COMMANDS),
    Row("keyboard", "M", "keyboard", "the keyboard stays as the image has it"),
    Row("chpasswd", "TLM", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.list", "TLME", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.list.[]", "T", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.users", "NL", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.users.[]", "M", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.users.[].name", "T", "set_passwords", "not one of the passwords is set"),
    Row("chpasswd.users.[].password", "T", "set_passwords", "not one of the passwords is set"),
    Row("ssh_pwauth", "NBT", "set_passwords", "SSH stays as the image has it", also=(0, 1)),
    Row("apt", "TLM", "apt_configure", "nothing of it is set up"),
    Row("apt", "M", "apt_configure", "nothing of it is set up", End.NOTHING),
    Row("apt.sources", "M", "apt_configure", "not one of the sources is added"),
    Row("apt.sources.*", "M", "apt_configure", "neither this source nor those after it are added"),
    Row(
        "apt.sources.*.source",
        "T",
        "apt_configure",
        "neither this source nor those after it are added",
    ),
    Row("apt.conf", "TE", "apt_configure", "it and all sources are missing"),
    Row("apt.debconf_selections", "ME", "apt_configure", "it and all sources are missing"),
    Row("apt.debconf_selections.*", "T", "apt_configure", "it and all sources are missing"),
    Row("yum_repos", "ME", "yum_add_repo", "not one of the repositories is added"),
    Row("yum_repos.*", "ME", "yum_add_repo", "not one of the repositories is added"),
    Row("ntp", "NM", "ntp", "no time server is set up"),
    Row("ntp.servers", "NTLM", "ntp", "no time server is set up"),
    Row("ntp.pools", "NTLM", "ntp", "no time server is set up"),
    Row("timezone", "T", "timezone", "the time zone stays as the image has it"),
    Row("runcmd", "L", "runcmd", _COMMANDS, grave=True),
    # The final stage.
    Row(
        "packages.[]",
        "TLM",
        "package_update_upgrade_install",
        "not one of the packages is installed",
    ),
    Row("phone_home", "TLM", "phone_home", "nothing is posted"),
    Row("phone_home.url", "T", "phone_home", "nothing is posted"),
    Row("phone_home.post", "TLM", "phone_home", "nothing is posted"),
    Row("power_state", "NM", "power_state_change", "the machine goes on", End.NOTHING),
)
"""Rows of one key follow the order of the modules in a boot."""

LEFT_OUT_WHEN_NULL: Final = frozenset(
    (
        *(row.path for row in ROWS if "." not in row.path and not {"N", "E"} & set(row.takes)),
        # The text `None` becomes the password, or the locale.
        *("password", "locale"),
    )
    # That no user shall be made is a meaning.
) - {"users"}
"""Top-level keys whose module cannot take null, which says nothing there."""

_LETTERS: Final = {
    "null": "N",
    "a boolean": "B",
    "a number": "I",
    "text": "T",
    "a list": "L",
    "a map": "M",
    "a date": "D",
}


class _Branch:
    """The rows by the next key of their path."""

    __slots__ = ("below", "rows")

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()
        self.below: dict[str, _Branch] = {}


def _tree() -> _Branch:
    root = _Branch()
    for row in ROWS:
        here = root
        for key in row.path.split("."):
            here = here.below.setdefault(key, _Branch())
        here.rows += (row,)
    return root


_ROOT: Final = _tree()


def harms(row: Row, node: Node) -> bool:
    """Whether a module cannot do with the value what it is there for."""
    if "E" in row.takes and _is_empty(node):
        return False
    if isinstance(node, Scalar) and node.value in row.also and kind(node) == "a number":
        return False
    return _LETTERS[kind(node)] not in row.takes


def _is_empty(node: Node) -> bool:
    if isinstance(node, Scalar):
        return not node.value
    return not (node.items if isinstance(node, Sequence) else node.entries)


class _Step(NamedTuple):
    """From a map to the value of a key, or from a list to the entry of a number."""

    owner: MappingNode | Sequence
    key: Value

    @property
    def name(self) -> str | int:
        """The step as a path of the table has it."""
        if isinstance(self.owner, Sequence) and isinstance(self.key, int):
            return self.key
        return _name(self.key)


class _Found(NamedTuple):
    """A value that its row does not take, and the steps that lead to it."""

    row: Row
    node: Node
    way: tuple[_Step, ...]

    @property
    def path(self) -> tuple[str | int, ...]:
        return tuple(step.name for step in self.way)

    def words(self, names: Names) -> Words:
        """What messages call the value."""
        said: Words = NO_WORDS
        for owner, key in self.way:
            if isinstance(owner, MappingNode):
                said = below(said, names.key(owner, key))
            elif isinstance(key, int):
                said = names.entry(said, owner.items[key], key)
        return said


def _below(branch: _Branch, node: Node, way: tuple[_Step, ...]) -> Iterator[_Found]:
    if isinstance(node, MappingNode):
        for key, value in node.entries.items():
            following = branch.below.get(_name(key)) or branch.below.get("*")
            if following is not None:
                yield from _at(following, value, (*way, _Step(node, key)))
    elif isinstance(node, Sequence):
        following = branch.below.get("[]")
        if following is not None:
            for number, item in enumerate(node.items):
                yield from _at(following, item, (*way, _Step(node, number)))


def _at(branch: _Branch, node: Node, way: tuple[_Step, ...]) -> Iterator[_Found]:
    row = next((row for row in branch.rows if harms(row, node)), None)
    if row is not None:
        yield _Found(row, node, way)
    elif branch.below:
        yield from _below(branch, node, way)


def _name(key: Value) -> str:
    return key if isinstance(key, str) else str(key)


def _shapes(config: Config) -> Iterator[Diagnostic]:
    """Values that their module does not take, with what is lost by them."""
    root, provenance, breaks = config
    names = Names(provenance)
    for found in islice(_below(_ROOT, root, ()), MAX_FINDINGS):
        row, node, path, words = found.row, found.node, found.path, found.words(names)
        label = provenance.label(node).at(*path)
        if isinstance(node, Scalar) and node.value is None:
            label = _key_label(config, path).at(*path)
        chain = provenance.chain(node)
        problem = own("is {}, and has to be {}", Own(kind(node)), Own(_taken(row)))
        if row.grave:
            lost = Own(row.lost)
            yield wording.value_loses(words, problem, lost, _ended(row), label, breaks, chain)
        else:
            consequence = own("{}: {}", _ended(row), Own(row.lost))
            yield cloud_wording.value_invalid(words, problem, label, chain, consequence)


def _taken(row: Row) -> str:
    names = [name for name, letter in _LETTERS.items() if letter in row.takes]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def _ended(row: Row) -> Own:
    module = Own(row.module)
    match row.end:
        case End.NOTHING:
            return own("cloud-init passes it over (`{}`)", module)
        case End.MODULE:
            return own("the module `{}` of cloud-init fails on it", module)
        case End.STAGE:
            return own("cloud-init fails on it (`{}`)", module)
        case End.ALL:
            return own("cloud-init ends before its first module")


def _key_label(config: Config, path: tuple[str | int, ...]) -> Label:
    """The place of the last key of a path, or of the list entry there."""
    node: Node = config.root
    label = config.provenance.label(node)
    for step in path:
        if isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step]
            label = config.provenance.label(node)
        elif isinstance(node, MappingNode):
            key = next(key for key in node.entries if str(key) == step)
            label = config.provenance.key_label(node, key)
            node = node.entries[key]
    return label


RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.VALUE_LOSES, _shapes, more=(cloud_wording.VALUE_INVALID,)),
)
