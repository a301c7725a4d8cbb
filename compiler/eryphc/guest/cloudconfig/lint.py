"""Finds configuration with which a Linux guest does something else than its author meant.

One function a rule; each names the section that has the fact.
Source: docs/reference/cloud-init.md, "Mistakes that no guest reports".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from eryphc.diagnostics import cloudconfig_guest as guest_wording
from eryphc.diagnostics import cloudconfig_lint as wording
from eryphc.diagnostics.model import Diagnostic, Label, Level
from eryphc.diagnostics.said import Own, Said, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    file_path,
    folders_of,
    kind,
)
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.saying import Names
from eryphc.lint.engine import Rule

_COMMAND_KEYS = ("bootcmd", "runcmd")
_PASSWORDS = ("passwd", "hashed_passwd", "plain_text_passwd")
_FOR_DEFAULT_USER = ("ssh_authorized_keys", "password", "ssh_import_id")

_RESTART = re.compile(
    r"\s*(?:sudo\s+)?(?:/usr)?(?:/s?bin/)?(?:reboot|poweroff|halt|(?:tel)?init\s+[06]"
    r"|systemctl\s+(?:-\S+\s+)*(?:reboot|poweroff|halt|kexec)"
    r"|shutdown\s+(?:-\S+\s+)*(?:now|\+0))(?:\s|;|&|$)"
)
# A number in octal; an anchor or a tag may stand before it.
_OCTAL = re.compile(r"(?:[&!]\S*\s+)*0[0-7_]+")
# What ends the script or changes how the rest of it runs, at the start of a line.
_ENDS = re.compile(r"\s*(?:exit|exec)\b(?!\s*[0-9]*[<>])")
_STRICT = re.compile(r"\s*set\s+-[a-z]*[eu]")
_MOVES = re.compile(r"\s*cd\s[^;&|]*$")
_START = re.compile(r"\bsystemctl\b([^;&|]*?)\s(start|restart|isolate|enable\s+--now)\s+([^;&|]+)")
# What is over only when cloud-init's last stage is, and what is in some distributions.
_LAST_STAGE = frozenset(("cloud-final.service", "cloud-init.target"))
_TARGETS = frozenset(("multi-user.target", "graphical.target", "default.target"))
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


class Config(NamedTuple):
    """A cloud-config and the places of its nodes. `breaks` is the level of what surely breaks."""

    root: MappingNode
    provenance: Provenance
    breaks: Level


def _entries(node: Node | None) -> Iterator[tuple[int, MappingNode]]:
    if isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            if isinstance(item, MappingNode):
                yield number, item


def _true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and bool(node.value)


def _named(path: str, number: int, node: Node, provenance: Provenance) -> Own:
    return Names(provenance).entry(Own(path), node, number)


def _value(node: Node, words: object, provenance: Provenance) -> Said:
    """A part of a value that is no identity."""
    return Said(str(words), provenance.label(node).span)


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


def _commands(config: Config) -> Iterator[tuple[Own, Node, Label]]:
    """Every command with its path and its place."""
    for key in _COMMAND_KEYS:
        node = config.root.get(key)
        if isinstance(node, Sequence):
            for number, item in enumerate(node.items):
                label = config.provenance.label(item).at(key, number)
                yield own("{}[{}]", Own(key), number), item, label


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _commands_that_are_none(config: Config) -> Iterator[Diagnostic]:
    """Entries among the commands that are no commands.

    Source: docs/reference/cloud-init.md, "Commands that are none".
    """
    for path, item, label in _commands(config):
        if not isinstance(item, Sequence) and not _is_text(item) and not _is_null(item):
            chain = config.provenance.chain(item)
            yield wording.command_not_runnable(path, Own(kind(item)), label, config.breaks, chain)


def _empty_commands(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Commands that are none"."""
    for path, item, label in _commands(config):
        if _is_null(item):
            yield wording.command_is_null(path, label, config.provenance.chain(item))


def _files_in_tmp(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Files before their users"."""
    root, provenance, _ = config
    for number, file in _entries(root.get("write_files")):
        path = file.text("path")
        if path is not None and path.startswith("/tmp/"):  # noqa: S108
            entry = _named("write_files", number, file, provenance)
            label, chain = provenance.label(file.entries["path"]), provenance.chain(file)
            yield wording.file_in_tmp(entry, label, chain)


def _owners_that_come_later(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Files before their users"."""
    root, provenance, _ = config
    created = _created(root)
    for number, file in _entries(root.get("write_files")):
        owner = file.text("owner")
        if owner is None or _true(file.get("defer")):
            continue
        name = next((name for name in owner.split(":") if name in created), None)
        if name is not None:
            entry = _named("write_files", number, file, provenance)
            label, chain = provenance.label(file.entries["owner"]), provenance.chain(file)
            shown = _value(file.entries["owner"], name, provenance)
            yield wording.owner_not_yet_there(entry, shown, label, chain)


def _homes_that_come_later(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Files before their users"."""
    root, provenance, _ = config
    created = _created(root)
    for number, file in _entries(root.get("write_files")):
        path = file.text("path")
        if path is None or not path.startswith("/home/") or _true(file.get("defer")):
            continue
        name = path.split("/")[2]
        if name in created and file.text("owner") is None:
            entry = _named("write_files", number, file, provenance)
            label, chain = provenance.label(file.entries["path"]), provenance.chain(file)
            shown = named(name, label.span)
            yield wording.home_not_yet_there(entry, shown, label, chain)


def _permissions(config: Config) -> Iterator[tuple[Own, Scalar, Label]]:
    """The permissions of every file, with their paths and places."""
    root, provenance, _ = config
    for number, file in _entries(root.get("write_files")):
        node = file.get("permissions")
        if isinstance(node, Scalar):
            entry = _named("write_files", number, file, provenance)
            label = provenance.label(node).at("write_files", number, "permissions")
            yield own("{}.permissions", entry), node, label


def _decimal_permissions(config: Config) -> Iterator[Diagnostic]:
    """Numbers that are not written as octal numbers.

    Source: docs/reference/cloud-init.md, "Permissions".
    """
    provenance = config.provenance
    for path, node, label in _permissions(config):
        value = node.value
        if not isinstance(value, int) or isinstance(value, bool) or 0 <= value <= 7:
            continue
        if _OCTAL.fullmatch(provenance.written(node)) is None:
            shown = _value(node, value, provenance)
            octal = _value(node, f"{value:o}", provenance)
            chain = provenance.chain(node)
            digits = str(value).isdigit() and not set(str(value)) & set("89")
            yield wording.permissions_not_octal(path, shown, octal, label, chain, digits=digits)


def _special_permissions(config: Config) -> Iterator[Diagnostic]:
    """Bits that are dropped. Source: docs/reference/cloud-init.md, "Permissions"."""
    for path, node, label in _permissions(config):
        if not isinstance(node.value, str) or not re.fullmatch(r"0*[1-7][0-7]{3}", node.value):
            continue
        mode = int(node.value, 8)
        # Linux takes set-gid from a file that its group may execute.
        if mode & 0o4000 or mode & 0o2010 == 0o2010:
            yield wording.permissions_special(path, label, config.provenance.chain(node))


def _network(config: Config) -> Iterator[Diagnostic]:
    """A key that does nothing. Source: docs/reference/cloud-init.md, "Network in user-data"."""
    root, provenance, _ = config
    node = root.get("network")
    if node is not None:
        label = provenance.key_label(root, "network").at("network")
        yield wording.network_ignored(label, provenance.chain(node))


def _passwords_of_one_user(config: Config) -> Iterator[Diagnostic]:
    """Of two passwords the guest takes one.

    Source: docs/reference/cloud-init.md, "Passwords that open nothing".
    """
    root, provenance, _ = config
    for number, user in _entries(root.get("users")):
        given = [key for key in _PASSWORDS if _is_password(user.get(key))]
        if len(given) > 1:
            path = _named("users", number, user, provenance)
            label = provenance.key_label(user, given[1])
            chain = provenance.chain(user.entries[given[1]])
            yield wording.password_twice(path, Own(given[0]), Own(given[1]), label, chain)


def _locked_passwords(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Passwords that open nothing"."""
    root, provenance, _ = config
    unlocked = frozenset(_set_by_chpasswd(root))
    for number, user in _entries(root.get("users")):
        # chpasswd runs later and writes a hash that is not locked.
        if user.text("name") in unlocked:
            continue
        # The author has set `lock_passwd` beside the password, so it is meant.
        if user.get("lock_passwd") is not None or user.get("lock-passwd") is not None:
            continue
        for key in _PASSWORDS:
            password = user.get(key) or user.get(key.replace("_", "-"))
            if not isinstance(password, Scalar) or password.value in (None, ""):
                continue
            if isinstance(password.value, str) and password.value[:1] in "*!":
                continue
            path = _named("users", number, user, provenance)
            owner_key = key if key in user.keys else key.replace("_", "-")
            label = provenance.key_label(user, owner_key)
            yield wording.password_locked(path, label, provenance.chain(password))
            break


def _set_by_chpasswd(root: MappingNode) -> Iterator[str]:
    """The users whose password the key `chpasswd` sets."""
    chpasswd = root.get("chpasswd")
    if not isinstance(chpasswd, MappingNode):
        return
    for _, user in _entries(chpasswd.get("users")):
        yield user.text("name") or ""
    listed = chpasswd.get("list")
    items = listed.items if isinstance(listed, Sequence) else (listed,)
    for item in items:
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield from (line.partition(":")[0] for line in item.value.splitlines())


def _is_password(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value not in (None, "")


def _default_user(config: Config) -> Iterator[Diagnostic]:
    """Settings of a default user that does not exist.

    Source: docs/reference/cloud-init.md, "The default user".
    """
    root, provenance, _ = config
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
            yield wording.default_user_missing(Own(key), label, provenance.chain(node))


def _units_that_wait(root: MappingNode) -> Mapping[str, bool]:
    """Units that may come only after cloud-init's last stage, and whether they surely do."""
    found = {**dict.fromkeys(_TARGETS, False), **dict.fromkeys(_LAST_STAGE, True)}
    for _, file in _entries(root.get("write_files")):
        path, content = file.text("path"), file.text("content")
        if path is None or content is None or not path.startswith(_UNIT_FOLDERS):
            continue
        waits = {word for line in _AFTER.findall(content) for word in line.split()}
        if waits & (_LAST_STAGE | _TARGETS):
            found[path.rsplit("/", 1)[1]] = not waits.isdisjoint(_LAST_STAGE)
    return found


def _starts(config: Config) -> Iterator[Diagnostic]:
    """A command waits for a unit that itself waits for the end of the boot.

    Source: docs/reference/cloud-init.md, "Units that wait for the end of the boot".
    """
    root, provenance, _ = config
    commands = root.get("runcmd")
    if not isinstance(commands, Sequence):
        return
    late: Mapping[str, bool] | None = None
    for number, item in enumerate(commands.items):
        text = _command_text(item)
        if "systemctl" not in text:
            continue
        if late is None:
            late = _units_that_wait(root)
        for match in _START.finditer(text):
            words = match[3].split()
            if "--no-block" in match[0]:
                continue
            for word in words:
                unit = word if "." in word else f"{word}.service"
                if unit in late:
                    shown = _value(item, unit, provenance)
                    label = provenance.label(item)
                    path = own("runcmd[{}]", number)
                    chain = provenance.chain(item)
                    yield wording.start_waits_for_boot(path, shown, label, chain, surely=late[unit])


def _command_text(item: Node) -> str:
    if isinstance(item, Scalar):
        return item.value if isinstance(item.value, str) else ""
    if isinstance(item, Sequence):
        return " ".join(str(each.value) for each in item.items if isinstance(each, Scalar))
    return ""


def _snaps(config: Config) -> Iterator[Diagnostic]:
    """The first command that needs snaps where nothing has waited for them.

    Source: docs/reference/cloud-init.md, "Snaps before they are ready".
    """
    root, provenance, _ = config
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
                yield wording.snap_before_seed(
                    own("{}[{}]", Own(key), number), label, provenance.chain(item)
                )
                break


def _leaks(config: Config) -> Iterator[Diagnostic]:
    """What one fodder entry's command does to those of the fodder entries after it.

    Source: docs/reference/cloud-init.md, "Commands that change the script".
    """
    root, provenance, _ = config
    for key in _COMMAND_KEYS:
        node = root.get(key)
        if not isinstance(node, Sequence) or len(provenance.fodder_entries) < 2:
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
                path = own("{}[{}]", Own(key), number)
                label = provenance.label(item)
                chain = provenance.chain(item)
                yield wording.command_leaks(path, Own(effect), level, label, chain)


def _restarts(config: Config) -> Iterator[Diagnostic]:
    """What ends this boot before the commands of other fodder entries, or before all commands.

    Source: docs/reference/cloud-init.md, "Restarts in between".
    """
    root, provenance, _ = config
    for key in _COMMAND_KEYS:
        node = root.get(key)
        items = node.items if isinstance(node, Sequence) else ()
        for number, item in enumerate(items):
            text = _command_text(item)
            last = text.strip().rsplit("\n", 1)[-1]
            if not _RESTART.match(last) or provenance.number(items[-1]) == provenance.number(item):
                continue
            path = own("{}[{}]", Own(key), number)
            words = own("the commands of other fodder entries that follow")
            yield guest_wording.restarts_early(
                path, words, provenance.label(item), provenance.chain(item)
            )
    restart, power = root.get("package_reboot_if_required"), root.get("power_state")
    packages = root.get("packages")
    # Where nothing is installed, nothing asks for a restart.
    installs = isinstance(packages, Sequence) and packages.items
    if (
        isinstance(power, MappingNode)
        and restart is not None
        and _true(restart)
        and (installs or _true(root.get("package_upgrade")))
    ):
        label = provenance.key_label(root, "package_reboot_if_required")
        words = own("all commands and scripts, and again or for good by `power_state`")
        path = own("package_reboot_if_required")
        yield guest_wording.restarts_early(path, words, label, provenance.chain(restart))


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


class _Mount(NamedTuple):
    """One entry of `mounts` that the guest mounts: a device at a folder."""

    number: int
    device: str
    point: str
    node: Sequence


def _mounts(root: MappingNode) -> list[_Mount]:
    """What is mounted in the end: an entry without a folder takes the earlier ones back."""
    found: list[_Mount] = []
    mounts = root.get("mounts")
    for number, item in enumerate(mounts.items if isinstance(mounts, Sequence) else ()):
        if not isinstance(item, Sequence) or not item.items:
            continue
        words = [word.value if isinstance(word, Scalar) else "" for word in item.items]
        device, point = str(words[0]), words[1] if len(words) > 1 else None
        if point is None:
            found = [each for each in found if each.device != device]
        options = str(words[3]) if len(words) > 3 else ""
        if isinstance(point, str) and point.startswith("/") and "noauto" not in options.split(","):
            found.append(_Mount(number, device, file_path(point), item))
    return found


def _mounts_twice(config: Config) -> Iterator[Diagnostic]:
    """Source: docs/reference/cloud-init.md, "Files in time"."""
    first: dict[str, _Mount] = {}
    for mount in _mounts(config.root):
        other = first.setdefault(mount.point, mount)
        if other.device != mount.device:
            provenance = config.provenance
            label = provenance.label(mount.node).at("mounts", mount.number)
            point = named(mount.point, label.span)
            related = (provenance.label(other.node, "mounted here first"),)
            chain = provenance.chain(mount.node)
            yield guest_wording.mounted_twice(point, label, (*chain, *related))


def _files_below_mounts(config: Config) -> Iterator[Diagnostic]:
    """Files that are written before something is mounted over them.

    Source: docs/reference/cloud-init.md, "Files in time".
    """
    root, provenance, _ = config
    mounts = {mount.point: mount for mount in _mounts(root)}
    for number, file in _entries(root.get("write_files")):
        path = file.text("path")
        if not path or _true(file.get("defer")):
            continue
        above = (mounts[folder] for folder in folders_of(path) if folder in mounts)
        mount = next(above, None)
        if mount is not None:
            label = provenance.label(file.entries["path"]).at("write_files", number, "path")
            entry = _named("write_files", number, file, provenance)
            point = named(mount.point, provenance.label(mount.node).span)
            related = (provenance.label(mount.node, "mounted here"),)
            chain = provenance.chain(file)
            yield guest_wording.file_below_mount(entry, point, label, (*chain, *related))


def _users_twice(config: Config) -> Iterator[Diagnostic]:
    """A guest joins users of one name; the first definition counts before later ones.

    Source: docs/reference/cloud-init.md, "Users defined twice".
    """
    root, provenance, _ = config
    seen: set[str] = set()
    for number, user in _entries(root.get("users")):
        name = user.text("name")
        if name is None:
            continue
        if name in seen:
            label = provenance.label(user.entries["name"])
            yield wording.user_twice(own("users[{}]", number), label, provenance.chain(user))
        seen.add(name)


RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.COMMAND_NOT_RUNNABLE, _commands_that_are_none),
    Rule(wording.COMMAND_IS_NULL, _empty_commands),
    Rule(wording.FILE_IN_TMP, _files_in_tmp),
    Rule(wording.OWNER_NOT_YET_THERE, _owners_that_come_later),
    Rule(wording.HOME_NOT_YET_THERE, _homes_that_come_later),
    Rule(wording.PERMISSIONS_NOT_OCTAL, _decimal_permissions),
    Rule(wording.PERMISSIONS_SPECIAL, _special_permissions),
    Rule(wording.NETWORK_IGNORED, _network),
    Rule(wording.PASSWORD_TWICE, _passwords_of_one_user),
    Rule(wording.PASSWORD_LOCKED, _locked_passwords),
    Rule(wording.DEFAULT_USER_MISSING, _default_user),
    Rule(wording.START_WAITS_FOR_BOOT, _starts),
    Rule(wording.SNAP_BEFORE_SEED, _snaps),
    Rule(wording.COMMAND_LEAKS, _leaks),
    Rule(guest_wording.RESTARTS_EARLY, _restarts),
    Rule(guest_wording.MOUNTED_TWICE, _mounts_twice),
    Rule(guest_wording.FILE_BELOW_MOUNT, _files_below_mounts),
    Rule(wording.USER_TWICE, _users_twice),
)
