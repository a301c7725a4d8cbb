"""What a Linux guest would do with a configuration other than its author meant.

One function a rule; each names its row in cloud-init.md 7, or the section that has the fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from eryphc.diagnostics import cloudconfig_lint as wording
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, kind
from eryphc.guest.cloudconfig.provenance import Provenance

Rule: TypeAlias = Callable[[MappingNode, Provenance, Level], Iterator[Diagnostic]]

_COMMAND_KEYS = ("bootcmd", "runcmd")
_PASSWORDS = ("passwd", "hashed_passwd", "plain_text_passwd")
_FOR_DEFAULT_USER = ("ssh_authorized_keys", "password", "ssh_import_id")

# What ends the script or changes how the rest of it runs, at the start of a line.
_ENDS = re.compile(r"\s*(?:exit|exec)\b(?!\s*[0-9]*[<>])")
_STRICT = re.compile(r"\s*set\s+-[a-z]*[eu]")
_MOVES = re.compile(r"\s*cd\s[^;&|]*$")
_START = re.compile(r"\bsystemctl\b([^;&|]*?)\s(start|restart|isolate|enable\s+--now)\s+([^;&|]+)")
_LATE_TARGETS = frozenset(
    (
        *("multi-user.target", "graphical.target", "default.target"),
        *("cloud-final.service", "cloud-init.target"),
    )
)
_SNAP = re.compile(
    r"(?:^|[;&|({`]|\b(?:sudo|then|else|do)[ \t])[ \t]*(?:/usr/bin/)?snap[ \t]+(?:--\S+[ \t]+)*"
    r"(?:install|refresh|remove|set|get|alias|connect|disconnect|start|stop|restart|run|enable"
    r"|disable|ack|list|download|try|switch|revert)\b",
    re.MULTILINE,
)
# Their modules wait for the seed themselves, in a stage before that of `runcmd`.
_WAIT_FOR_SNAPS = ("snap", "lxd", "ubuntu_pro", "ubuntu_advantage")
_AFTER = re.compile(r"^\s*(?:After|Requires)\s*=(.*)$", re.MULTILINE)
_UNIT_FOLDERS = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/")


def lint(root: MappingNode, provenance: Provenance, level: Level) -> list[Diagnostic]:
    """All findings, in the order of the rules. `level` is that of what surely breaks."""
    found: list[Diagnostic] = []
    for rule in _RULES:
        found += rule(root, provenance, level)
    return found


def _entries(node: Node | None) -> Iterator[tuple[int, MappingNode]]:
    if isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            if isinstance(item, MappingNode):
                yield number, item


def _true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and bool(node.value)


def _named(path: str, name: str | None, number: int, node: Node, provenance: Provenance) -> str:
    hidden = name is None or provenance.secret(node)
    return f"{path}[{number if hidden else name}]"


def _created(root: MappingNode) -> Mapping[str, None]:
    """Users and groups that the configuration makes, in order."""
    names: dict[str, None] = {}
    users = root.get("users")
    if isinstance(users, Sequence):
        for item in users.items:
            name = item.text("name") if isinstance(item, MappingNode) else None
            if isinstance(item, Scalar) and isinstance(item.value, str):
                name = item.value
            if name is not None and name != "default":
                names[name] = None
    groups = root.get("groups")
    if isinstance(groups, Sequence):
        for item in groups.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                names[item.value] = None
            elif isinstance(item, MappingNode):
                names.update((key, None) for key in item.entries if isinstance(key, str))
    elif isinstance(groups, MappingNode):
        names.update((key, None) for key in groups.entries if isinstance(key, str))
    return names


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def _commands(root: MappingNode, provenance: Provenance, level: Level) -> Iterator[Diagnostic]:
    """Rows 11 and 12: what is no command among the commands, an empty command."""
    for key in _COMMAND_KEYS:
        node = root.get(key)
        if not isinstance(node, Sequence):
            continue
        for number, item in enumerate(node.items):
            path = f"{key}[{number}]"
            if isinstance(item, Scalar) and item.value is None:
                label = provenance.label(item)
                yield wording.command_is_null(path, label, provenance.chain(item))
            elif not isinstance(item, Sequence) and not _is_text(item):
                label, chain = provenance.label(item), provenance.chain(item)
                yield wording.command_not_runnable(path, kind(item), label, level, chain)


def _files(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Rows 8, 9 and 10: files of users that are not there yet, files in /tmp."""
    created = _created(root)
    for number, file in _entries(root.get("write_files")):
        path = file.text("path")

        def entry(number: int = number, path: str | None = path, file: Node = file) -> str:
            return _named("write_files", path, number, file, provenance)

        if path is not None and path.startswith("/tmp/"):  # noqa: S108
            label, chain = provenance.label(file.entries["path"]), provenance.chain(file)
            yield wording.file_in_tmp(entry(), label, chain)
        if _true(file.get("defer")):
            continue
        owner = file.text("owner")
        if owner is not None:
            for name in owner.split(":"):
                if name in created:
                    label, chain = provenance.label(file.entries["owner"]), provenance.chain(file)
                    shown = "…" if provenance.food(file).secret else name
                    yield wording.owner_not_yet_there(entry(), shown, label, chain)
                    break
        elif path is not None and path.startswith("/home/"):
            name = path.split("/")[2]
            if name in created:
                label, chain = provenance.label(file.entries["path"]), provenance.chain(file)
                shown = "…" if provenance.food(file).secret else name
                yield wording.home_not_yet_there(entry(), shown, label, chain)


def _permissions(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Rows 27 and 28: numbers that are no octal numbers, special bits."""
    for number, file in _entries(root.get("write_files")):
        node = file.get("permissions")
        if not isinstance(node, Scalar):
            continue
        path = f"{_named('write_files', file.text('path'), number, file, provenance)}.permissions"
        value = node.value
        label = provenance.label(node)
        chain = provenance.chain(node)
        if isinstance(value, int) and not isinstance(value, bool):
            written = label.span.text
            if re.fullmatch(r"0o?[0-7_]+", written) is None and not 0 <= value <= 7:
                shown = "…" if provenance.food(node).secret else str(value)
                octal = "…" if provenance.food(node).secret else f"{value:o}"
                yield wording.permissions_not_octal(path, shown, octal, label, chain)
        elif isinstance(value, str) and re.fullmatch(r"0*[1-7][0-7]{3}", value):
            yield wording.permissions_special(path, label, chain)


def _network(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Row 18."""
    node = root.get("network")
    if node is not None:
        label = provenance.key_label(root, "network")
        yield wording.network_ignored(label, provenance.chain(node))


def _passwords(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Row 15."""
    for number, user in _entries(root.get("users")):
        given = [key for key in _PASSWORDS if _is_password(user.get(key))]
        if len(given) > 1:
            path = _named("users", user.text("name"), number, user, provenance)
            label = provenance.key_label(user, given[1])
            chain = provenance.chain(user.entries[given[1]])
            yield wording.password_twice(path, given[0], given[1], label, chain)
        lock = user.get("lock_passwd") or user.get("lock-passwd")
        if isinstance(lock, Scalar) and not lock.value:
            continue
        for key in _PASSWORDS:
            password = user.get(key) or user.get(key.replace("_", "-"))
            if not isinstance(password, Scalar) or password.value in (None, ""):
                continue
            if isinstance(password.value, str) and password.value[:1] in "*!":
                continue
            # Said to be locked beside a password: the author knows.
            if lock is None:
                path = _named("users", user.text("name"), number, user, provenance)
                owner_key = key if key in user.keys else key.replace("_", "-")
                label = provenance.key_label(user, owner_key)
                yield wording.password_locked(path, label, provenance.chain(password))
            break


def _is_password(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value not in (None, "")


def _default_user(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Row 14."""
    users = root.get("users")
    if not isinstance(users, Sequence):
        return
    for item in users.items:
        name = item.value if isinstance(item, Scalar) else None
        if name == "default" or (isinstance(item, MappingNode) and item.text("name") == "default"):
            return
    for key in _FOR_DEFAULT_USER:
        node = root.get(key)
        if node is not None:
            label = provenance.key_label(root, key)
            yield wording.default_user_missing(key, label, provenance.chain(node))


def _units_that_wait(root: MappingNode) -> frozenset[str]:
    """Units among the files that come only after cloud-init's last stage."""
    found = set()
    for _, file in _entries(root.get("write_files")):
        path, content = file.text("path"), file.text("content")
        if path is None or content is None or not path.startswith(_UNIT_FOLDERS):
            continue
        waits = {word for line in _AFTER.findall(content) for word in line.split()}
        if waits & _LATE_TARGETS:
            found.add(path.rsplit("/", 1)[1])
    return frozenset(found)


def _starts(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Row 25: a unit is waited for that waits for the end of the boot."""
    commands = root.get("runcmd")
    if not isinstance(commands, Sequence):
        return
    late: frozenset[str] | None = None
    for number, item in enumerate(commands.items):
        text = _command_text(item)
        if "systemctl" not in text:
            continue
        if late is None:
            late = _units_that_wait(root) | _LATE_TARGETS
        for match in _START.finditer(text):
            words = match[3].split()
            if "--no-block" in match[0]:
                continue
            for word in words:
                unit = word if "." in word else f"{word}.service"
                if unit in late:
                    shown = "…" if provenance.food(item).secret else unit
                    label = provenance.label(item)
                    path = f"runcmd[{number}]"
                    chain = provenance.chain(item)
                    yield wording.start_waits_for_boot(path, shown, label, chain)


def _command_text(item: Node) -> str:
    if isinstance(item, Scalar):
        return item.value if isinstance(item.value, str) else ""
    if isinstance(item, Sequence):
        return " ".join(str(each.value) for each in item.items if isinstance(each, Scalar))
    return ""


def _snaps(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """Row 32: the first command that needs snaps where nothing has waited for them."""
    if any(key in root.entries for key in _WAIT_FOR_SNAPS):
        return
    for key in _COMMAND_KEYS:
        commands = root.get(key)
        if not isinstance(commands, Sequence):
            continue
        for number, item in enumerate(commands.items):
            text = _command_text(item)
            if "snap" not in text:
                continue
            match = _SNAP.search(text)
            waits = text.find("seed.loaded")
            if waits != -1 and (match is None or waits < match.start()):
                break
            if match is not None:
                label = provenance.label(item)
                yield wording.snap_before_seed(f"{key}[{number}]", label, provenance.chain(item))
                break


def _leaks(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """3.2: what one food's command does to those of the foods after it."""
    for key in _COMMAND_KEYS:
        node = root.get(key)
        if not isinstance(node, Sequence) or len(provenance.foods) < 2:
            continue
        items = node.items
        for number, item in enumerate(items):
            text = _command_text(item)
            effect, level = _effect(text)
            if not effect:
                continue
            owner = provenance.number(item)
            last = provenance.number(items[-1])
            if last != owner:
                path = f"{key}[{number}]"
                label = provenance.label(item)
                chain = provenance.chain(item)
                yield wording.command_leaks(path, effect, level, label, chain)


def _effect(text: str) -> tuple[str, Level]:
    if "\n" in text.strip():
        # Of a text of several lines only what surely runs is looked at: its last line.
        text = text.strip().rsplit("\n", 1)[1]
    if _ENDS.match(text):
        return "keeps from running", Level.WARNING
    if _STRICT.match(text):
        return "lets a failure end", Level.WARNING
    if _MOVES.match(text):
        return "changes the working folder of", Level.NOTE
    return "", Level.NOTE


def _users_twice(root: MappingNode, provenance: Provenance, _level: Level) -> Iterator[Diagnostic]:
    """3.1: a guest folds users of one name, first definition first."""
    seen: set[str] = set()
    for number, user in _entries(root.get("users")):
        name = user.text("name")
        if name is None:
            continue
        if name in seen:
            label = provenance.label(user.entries["name"])
            yield wording.user_twice(f"users[{number}]", label, provenance.chain(user))
        seen.add(name)


_RULES: tuple[Rule, ...] = (
    _commands,
    _files,
    _permissions,
    _network,
    _passwords,
    _default_user,
    _starts,
    _snaps,
    _leaks,
    _users_twice,
)
