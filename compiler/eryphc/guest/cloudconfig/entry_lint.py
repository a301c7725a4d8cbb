"""Finds single entries at which a module of cloud-init ends, so that others are lost with them.

Users are made by `useradd`, one after the other, and the first that it refuses is the last that is
asked for; files likewise. What is certain from the configuration alone is an error, what depends on
the image a warning. Source: docs/reference/cloud-init.md, "Entries that take others along".
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Final

from eryphc.diagnostics import cloudconfig_guest as wording
from eryphc.diagnostics.model import Diagnostic, Label
from eryphc.diagnostics.said import Own, Said, Words, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.lint import Config
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    file_path,
    folders_of,
)
from eryphc.guest.cloudconfig.saying import Names
from eryphc.lint.engine import Rule

# --- users -------------------------------------------------------------------------------------

_NO_HOME: Final = ("no_create_home", "system")
_NEED_HOME: Final = ("ssh_authorized_keys", "ssh_import_id", "ssh_redirect_user")
# What `useradd` and `groupadd` of Debian, the most patient ones, refuse as a name.
_NAME: Final = re.compile(r"(?![-+~])[^\s:,]{1,32}\Z")
# These are compiled where they are used, which few users need.
_DATE: Final = r"-?\d+|\d{4}[-/]\d{1,2}[-/]\d{1,2}|"
_NUMBER: Final = r"-?\d+|"
_ID: Final = r"\d+"
_FIELD: Final = r"[^:\n]*"
_FOLDER: Final = r"/[^:\n]*|"
# The keys that become options of `useradd`: what it takes, and what it expects in words.
_OPTIONS: Final = (
    ("gecos", _FIELD, "neither `:` nor a line feed"),
    ("homedir", _FOLDER, "an absolute path"),
    ("shell", _FOLDER, "an absolute path"),
    ("passwd", _FIELD, "neither `:` nor a line feed"),
    ("uid", _ID, "a number"),
    ("inactive", _NUMBER, "a number of days"),
    ("expiredate", _DATE, "a date of the form `YYYY-MM-DD`"),
)
# Users that images have, each with a group of its name.
_USERS_OF_IMAGES: Final = frozenset(
    (
        *("root", "daemon", "bin", "sys", "lp", "mail", "news", "uucp", "man", "proxy", "www-data"),
        *("backup", "list", "irc", "games", "nobody", "messagebus", "sshd", "syslog"),
        *("ubuntu", "debian"),
    )
)
# Groups that images have without a user of that name (Debian's base-passwd and systemd).
_GROUPS_OF_IMAGES: Final = frozenset(
    (
        *("adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape"),
        *("sudo", "audio", "dip", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff"),
        *("users", "nogroup", "systemd-journal", "input", "kvm", "render", "crontab", "netdev"),
        "wheel",
    )
)


class _Group(NamedTuple):
    """A group that the guest makes, and where that is asked for."""

    label: Label
    path: Words


class _User(NamedTuple):
    """One user of the list, in the order in which the guest makes them."""

    name: str
    node: Node
    number: int
    settings: MappingNode | None

    def get(self, key: str) -> Node | None:
        settings = self.settings
        if settings is None:
            return None
        return settings.get(key) or settings.get(key.replace("_", "-"))

    def text(self, key: str) -> str | None:
        node = self.get(key)
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def true(self, key: str) -> bool:
        node = self.get(key)
        return bool(node.value) if isinstance(node, Scalar) else bool(node and _children(node))


def _children(node: Node) -> int:
    return len(node.items) if isinstance(node, Sequence) else len(getattr(node, "entries", ()))


def _users(root: MappingNode) -> Iterator[_User]:
    users = root.get("users")
    if not isinstance(users, Sequence):
        return
    seen = {"default"}
    for number, item in enumerate(users.items):
        if isinstance(item, MappingNode):
            name = item.text("name")
            if name is not None and name not in seen:
                seen.add(name)
                yield _User(name, item, number, item)
        elif isinstance(item, Scalar) and isinstance(item.value, str):
            for name in item.value.split(","):
                if name.strip() and name.strip() not in seen:
                    seen.add(name.strip())
                    yield _User(name.strip(), item, number, None)


def _texts(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The words of a list, or of a text with commas."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        yield from ((word.strip(), node) for word in node.value.split(",") if word.strip())
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item.value.strip(), item
    elif isinstance(node, MappingNode):
        for key in node.entries:
            yield str(key).strip(), node.keys.get(key, node)


def _groups_first(config: Config) -> dict[str, _Group]:
    """The groups that the key `groups` makes: the guest makes them before all users."""
    made: dict[str, _Group] = {}
    groups = config.root.get("groups")
    for name, node in _texts(groups):
        made.setdefault(name, _Group(config.provenance.label(node), own("groups")))
    if isinstance(groups, Sequence):
        for item in groups.items:
            if isinstance(item, MappingNode):
                for name, node in _texts(item):
                    made.setdefault(name, _Group(config.provenance.label(node), own("groups")))
    return made


def _users_refused(config: Config) -> Iterator[Diagnostic]:
    """Users that the guest cannot make: all users after them are missing too."""
    made = _groups_first(config)
    numbers: dict[str, _User] = {}
    for user in _users(config.root):
        if user.name in _USERS_OF_IMAGES:
            continue
        path = Names(config.provenance).entry(own("users"), user.node, user.number)
        yield from _contradictions(config, user, path)
        if user.get("snapuser") is not None:
            continue
        yield from _options(config, user, path)
        uid = user.get("uid")
        if isinstance(uid, Scalar) and uid.value is not None:
            first = numbers.setdefault(str(uid.value), user)
            if first is not user:
                other = Names(config.provenance).entry(own("users"), first.node, first.number)
                words = own("`{}` has the same `uid`", other)
                yield _refused(config, path, words, uid, at=("uid", user))
        yield from _own_group(config, user, path, made)


def _refused(
    config: Config,
    path: Words,
    problem: Words,
    node: Node,
    *,
    at: tuple[str, _User],
    advice: Words | None = None,
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    key, user = at
    steps = ("users", user.number, *((key,) if key else ()))
    label = config.provenance.label(node).at(*steps)
    chain = config.provenance.chain(node)
    return wording.user_refused(path, problem, label, config.breaks, (*chain, *related), advice)


def _contradictions(config: Config, user: _User, path: Words) -> Iterator[Diagnostic]:
    """What the module refuses before it asks `useradd`."""
    settings = user.settings
    if settings is None:
        return
    without = next((key for key in _NO_HOME if user.true(key)), None)
    needs = next((key for key in _NEED_HOME if user.true(key)), None)
    redirect = user.get("ssh_redirect_user")
    if without is not None and needs is not None:
        problem = own(
            "`{}` needs a home, which there is none of with `{}`", Own(needs), Own(without)
        )
        yield _refused(config, path, problem, user.get(needs) or user.node, at=(needs, user))
    elif redirect is not None and user.true("ssh_redirect_user"):
        other = next((k for k in ("ssh_authorized_keys", "ssh_import_id") if user.get(k)), None)
        value = redirect.value if isinstance(redirect, Scalar) else None
        if other is not None:
            problem = own("`ssh_redirect_user` cannot stand beside `{}`", Own(other))
            yield _refused(config, path, problem, redirect, at=("ssh_redirect_user", user))
        elif value is not True and value != "default":
            problem = own("`ssh_redirect_user` is neither true, false nor `default`")
            yield _refused(config, path, problem, redirect, at=("ssh_redirect_user", user))


def _options(config: Config, user: _User, path: Words) -> Iterator[Diagnostic]:
    """What `useradd` refuses of its options."""
    if not _NAME.match(user.name):
        problem = own("`useradd` refuses the name")
        yield _refused(config, path, problem, user.node, at=("name", user))
    for key, takes, expected in _OPTIONS:
        value = user.text(key)
        if value is not None and not re.fullmatch(takes, value):
            node = user.get(key) or user.node
            problem = own("`useradd` expects {} in `{}`", Own(expected), Own(key))
            yield _refused(config, path, problem, node, at=(key, user))
    password = user.text("plain_text_passwd")
    if password is not None and "\n" in password.rstrip("\n"):
        problem = own("`plain_text_passwd` has several lines, which `chpasswd` refuses")
        node = user.get("plain_text_passwd") or user.node
        yield _refused(config, path, problem, node, at=("plain_text_passwd", user))
    for name, node in _texts(user.get("groups")):
        if not _NAME.match(name):
            problem = own(
                "`{}` is no name of a group", Said(name, config.provenance.label(node).span)
            )
            yield _refused(config, path, problem, node, at=("groups", user))


def _own_group(
    config: Config, user: _User, path: Words, made: dict[str, _Group]
) -> Iterator[Diagnostic]:
    """A user whose own group is there before him, or whose main group is not there at all."""
    name, provenance = user.name, config.provenance
    primary, groups = user.get("primary_group"), list(_texts(user.get("groups")))
    creates = user.get("create_groups")
    if not isinstance(creates, Scalar) or creates.value:
        for group, node in groups:
            label = provenance.label(node)
            made.setdefault(group, _Group(label, own("{}.groups", path)))
        main = user.text("primary_group")
        if groups and main is not None and isinstance(primary, Scalar):
            made.setdefault(main, _Group(provenance.label(primary), own("{}.primary_group", path)))
    if user.text("primary_group"):
        yield from _main_group(config, user, path, made)
        return
    if user.true("no_user_group"):
        return
    shown = named(name, provenance.label(user.node).span)
    advice = own(
        "`primary_group: {}` gives him that group, `no_user_group: true` gives him none of his own",
        shown,
    )
    if name in made:
        before = made[name]
        problem = own("`{}` makes a group of this name before him", before.path)
        related = (before.label._replace(message="this group"),)
        yield _refused(
            config, path, problem, user.node, at=("", user), advice=advice, related=related
        )
    elif name in _GROUPS_OF_IMAGES:
        label = provenance.label(user.node).at("users", user.number)
        problem = own("most images have a group of this name")
        yield wording.user_may_be_refused(path, problem, label, provenance.chain(user.node), advice)
    else:
        made[name] = _Group(provenance.label(user.node), path)


def _main_group(
    config: Config, user: _User, path: Words, made: dict[str, _Group]
) -> Iterator[Diagnostic]:
    node, main = user.get("primary_group"), user.text("primary_group")
    if main is None or node is None or main.isdigit():
        return
    if main not in made and main not in _GROUPS_OF_IMAGES and main not in _USERS_OF_IMAGES:
        label = config.provenance.label(node).at("users", user.number, "primary_group")
        shown = named(main, label.span)
        problem = own("nothing makes the group `{}`", shown)
        advice = own("add it to `groups` of the configuration: `groups: [{}]`", shown)
        yield wording.user_may_be_refused(
            path, problem, label, config.provenance.chain(node), advice
        )


# --- files -------------------------------------------------------------------------------------

_GZIP: Final = ("gz", "gzip")
_BASE64: Final = ("b64", "base64")
_BOTH: Final = ("gz+base64", "gzip+base64", "gz+b64", "gzip+b64")
_NO_BASE64: Final = r"[^A-Za-z0-9+/=\s]"
# No more of a compressed file is unpacked: what follows is taken for sound.
_MOST_UNPACKED: Final = 16 * 1024 * 1024
_PIECE: Final = 64 * 1024


class _UndecodableError(Exception):
    """Content is not in the encoding that it names."""

    def __init__(self, problem: Own) -> None:
        super().__init__(problem)
        self.problem = problem


def _files(root: MappingNode) -> Iterator[tuple[int, MappingNode]]:
    files = root.get("write_files")
    for number, item in enumerate(files.items if isinstance(files, Sequence) else ()):
        if isinstance(item, MappingNode):
            yield number, item


def _encodings(config: Config) -> Iterator[Diagnostic]:
    """Content that does not decode: this file and those after it are not written."""
    provenance = config.provenance
    for number, file in _files(config.root):
        encoding, content = file.text("encoding"), file.get("content")
        if encoding is None or not isinstance(content, Scalar):
            continue
        if not isinstance(content.value, (str, bytes)) or not file.text("path"):
            continue
        if provenance.is_open(content):
            continue
        path = Names(provenance).entry(own("write_files"), file, number)
        label = provenance.label(content).at("write_files", number, "content")
        chain = provenance.chain(content)
        try:
            doubtful = _decoded(content.value, encoding.lower().strip())
        except _UndecodableError as error:
            yield wording.file_not_written(path, error.problem, label, config.breaks, chain)
        else:
            if doubtful:
                yield wording.file_doubtful(path, label, chain)


def _decoded(content: str | bytes, encoding: str) -> bool:
    """Decodes as the guest does; whether it passes over characters that base64 does not have."""
    doubtful = False
    if encoding in (*_BASE64, *_BOTH):
        try:
            decoded = b64decode(content)
        except (binascii.Error, ValueError):
            raise _UndecodableError(own("is no base64")) from None
        if isinstance(content, str):
            doubtful = re.search(_NO_BASE64, content) is not None
        content = decoded
    if encoding in (*_GZIP, *_BOTH):
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        _unpack(data, own("is no gzip"))
    return doubtful


def _unpack(data: bytes, problem: Own) -> None:
    """Reads gzip as Python's `gzip` does: one member after the other, zeros at the end."""
    # Few configurations have compressed content.
    import zlib

    left = _MOST_UNPACKED
    while data:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            while not unpacker.eof:
                if not data:
                    raise _UndecodableError(problem)
                left -= len(unpacker.decompress(data, _PIECE))
                data = unpacker.unconsumed_tail
                if left <= 0:
                    return
        except zlib.error:
            raise _UndecodableError(problem) from None
        data = unpacker.unused_data.lstrip(b"\0")


def _files_below_files(config: Config) -> Iterator[Diagnostic]:
    """A file that lies below another one, as if that were a folder."""
    provenance = config.provenance
    seen: dict[str, MappingNode] = {}
    for _, file in _files(config.root):
        path = file.text("path")
        if path:
            seen.setdefault(file_path(path), file)
    for number, file in _files(config.root):
        path = file.text("path")
        if not path:
            continue
        other = next((seen[each] for each in folders_of(path) if each in seen), None)
        if other is not None:
            entry = Names(provenance).entry(own("write_files"), file, number)
            node = file.entries["path"]
            label = provenance.label(node).at("write_files", number, "path")
            related = (provenance.label(other, "this file"),)
            yield wording.file_not_written(
                entry,
                own("lies below another file"),
                label,
                config.breaks,
                (*provenance.chain(node), *related),
            )


# --- what ends other modules -------------------------------------------------------------------


class _Ending(NamedTuple):
    """An entry at which a module ends: its path as words and as steps, and what is lost."""

    words: Own
    problem: Own
    lost: Own
    node: Node
    path: tuple[str | int, ...]


def _entries_that_end(config: Config) -> Iterator[Diagnostic]:
    """Entries of which the schema allows the shape, and which end their module."""
    root, provenance, _ = config
    found = (
        *_nameless(root),
        *_passwords(root),
        *_mounts(root),
        *_packages(root),
        *_snaps(root),
        *_keyboard(root),
    )
    for each in found:
        label = provenance.label(each.node).at(*each.path)
        chain = provenance.chain(each.node)
        yield wording.entry_ends_module(each.words, each.problem, each.lost, label, chain)


def _nameless(root: MappingNode) -> Iterator[_Ending]:
    """Users without a name: the guest adds them to its default user, whose own keys count first."""
    users = root.get("users")
    for number, item in enumerate(users.items if isinstance(users, Sequence) else ()):
        # `snap` makes a user of that entry, whose name it knows.
        if isinstance(item, MappingNode) and not {"name", "snapuser"} & item.entries.keys():
            lost = own("no user is made of it: the guest takes it for its default user")
            words = own("users[{}]", number)
            yield _Ending(words, own("has no `name`"), lost, item, ("users", number))


def _passwords(root: MappingNode) -> Iterator[_Ending]:
    chpasswd = root.get("chpasswd")
    if not isinstance(chpasswd, MappingNode):
        return
    lost = own("not one of the passwords is set")
    listed = chpasswd.get("list")
    lines: Iterable[tuple[str, Node, tuple[int, ...]]] = ()
    if isinstance(listed, Scalar) and isinstance(listed.value, str):
        lines = ((line, listed, ()) for line in listed.value.splitlines())
    elif isinstance(listed, Sequence):
        lines = (
            (item.value, item, (number,))
            for number, item in enumerate(listed.items)
            if isinstance(item, Scalar) and isinstance(item.value, str)
        )
    for line, node, steps in lines:
        if ":" not in line:
            words = own("chpasswd.list[{}]", *steps) if steps else own("chpasswd.list")
            problem = own("has a line without `:`")
            yield _Ending(words, problem, lost, node, ("chpasswd", "list", *steps))
            return
    users = chpasswd.get("users")
    for number, item in enumerate(users.items if isinstance(users, Sequence) else ()):
        if isinstance(item, MappingNode) and "name" not in item.entries:
            words = own("chpasswd.users[{}]", number)
            path = ("chpasswd", "users", number)
            yield _Ending(words, own("has no `name`"), lost, item, path)


def _mounts(root: MappingNode) -> Iterator[_Ending]:
    lost = own("nothing is mounted")
    mounts, fields = root.get("mounts"), root.get("mount_default_fields")
    for number, item in enumerate(mounts.items if isinstance(mounts, Sequence) else ()):
        if isinstance(item, Sequence) and not item.items:
            path = ("mounts", number)
            yield _Ending(own("mounts[{}]", number), own("is empty"), lost, item, path)
    if isinstance(fields, Sequence) and len(fields.items) < 4:
        words, problem = own("mount_default_fields"), own("has fewer than 4 entries")
        yield _Ending(words, problem, lost, fields, ("mount_default_fields",))


def _packages(root: MappingNode) -> Iterator[_Ending]:
    packages = root.get("packages")
    lost = own("not one of the packages is installed")
    for number, item in enumerate(packages.items if isinstance(packages, Sequence) else ()):
        words, path = own("packages[{}]", number), ("packages", number)
        if isinstance(item, Sequence) and len(item.items) not in (1, 2):
            problem = own("is neither a package nor a package and its version")
            yield _Ending(words, problem, lost, item, path)
        elif isinstance(item, MappingNode):
            problem = own("names a package manager, at which cloud-init before 23.4 fails")
            yield _Ending(words, problem, lost, item, path)


def _snaps(root: MappingNode) -> Iterator[_Ending]:
    snap = root.get("snap")
    commands = snap.get("commands") if isinstance(snap, MappingNode) else None
    for number, item in enumerate(commands.items if isinstance(commands, Sequence) else ()):
        if isinstance(item, Sequence) and not item.items:
            words, lost = own("snap.commands[{}]", number), own("not one of its commands runs")
            yield _Ending(words, own("is empty"), lost, item, ("snap", "commands", number))


def _keyboard(root: MappingNode) -> Iterator[_Ending]:
    keyboard = root.get("keyboard")
    if isinstance(keyboard, MappingNode) and "layout" not in keyboard.entries:
        lost = own("the keyboard stays as the image has it")
        yield _Ending(own("keyboard"), own("has no `layout`"), lost, keyboard, ("keyboard",))


RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.USER_REFUSED, _users_refused, more=(wording.USER_MAY_BE_REFUSED,)),
    Rule(wording.FILE_NOT_WRITTEN, _encodings, more=(wording.FILE_DOUBTFUL,)),
    Rule(wording.FILE_NOT_WRITTEN, _files_below_files),
    Rule(wording.ENTRY_ENDS_MODULE, _entries_that_end),
)
