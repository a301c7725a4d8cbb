"""What a Windows guest drops of its configuration, or does otherwise.

Source: cloud-init.md 6.2 to 6.5, read in cloudbase-init's own code (1.1.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import windows_guest as wording
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.trail import trail
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, kind
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.tree import FaultKind
from eryphc.guest.foods import (
    ARCHIVE,
    BOOTHOOK,
    CLOUD_CONFIG,
    INCLUDE,
    INCLUDE_ONCE,
    PART_HANDLER,
    SHELLSCRIPT,
    UPSTART_JOB,
    Piece,
)
from eryphc.guest.names import extension
from eryphc.guest.windows_names import (
    has_interpreter_extension,
    has_interpreter_marker,
    is_device,
    wants_32_bit,
)
from eryphc.source import Span

_IGNORED_PARTS: Final = {
    ARCHIVE: "archives",
    BOOTHOOK: "boothooks",
    INCLUDE: "includes",
    INCLUDE_ONCE: "includes",
    UPSTART_JOB: "upstart jobs",
}
_KEYS: Final = (
    "write_files",
    "set_timezone",
    "timezone",
    "set_hostname",
    "hostname",
    "ntp",
    "groups",
    "users",
    "runcmd",
)
_USER_KEYS: Final = (
    "name",
    "gecos",
    "groups",
    "primary_group",
    "passwd",
    "inactive",
    "expiredate",
    "ssh_authorized_keys",
    "no_create_home",
)
_FILE_KEYS: Final = ("path", "content", "encoding", "permissions", "append")
_NTP_KEYS: Final = ("enabled", "servers", "pools")
_PLAIN_KEYS: Final = ("plain_text_passwd", "hashed_passwd")
_HOSTNAME_KEYS: Final = ("hostname", "set_hostname")
_HASH: Final = re.compile(r"\$[0-9A-Za-z]{1,8}\$")
_COMMENT: Final = re.compile(r"\s*(?:#|::|rem\s)", re.IGNORECASE)
_EXIT: Final = re.compile(
    r"(?<![\w.$-])(?:exit(?:\s+/b)?[\s(]+|\[(?:system\.)?environment\]::exit\(\s*|sys\.exit\(\s*)"
    r"(100[123])\b",
    re.IGNORECASE,
)
_RESTART: Final = re.compile(
    r"(?<![\w.$'\"-])(?:restart-computer\b|shutdown(?:\.exe)?\s+(?:[/-]\w+\s+)*[/-]r\b)",
    re.IGNORECASE,
)
_LINUX_IMPORT: Final = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+(cloudinit|crypt|fcntl|grp|posix|pwd|resource|spwd|syslog"
    r"|termios)\b",
    re.MULTILINE,
)
_REDACTED: Final = "#REDACTED"


def lint(pieces: Sequence[Piece], names: Sequence[str]) -> list[Diagnostic]:
    """Warnings and notes for a Windows guest; `names` are those of the parts."""
    found: list[Diagnostic] = []
    for index, (piece, name) in enumerate(zip(pieces, names, strict=True)):
        last = index == len(pieces) - 1
        # The one and only template is sent as plain text, which is the one form that is rendered.
        rendered = len(pieces) == 1 and piece.media_type == CLOUD_CONFIG
        if piece.jinja and not rendered:
            found.append(_ignored(piece, "templates among other parts", piece.first_line))
        elif piece.media_type in _IGNORED_PARTS:
            what = _IGNORED_PARTS[piece.media_type]
            found.append(_ignored(piece, what, piece.food.at("type")))
        elif piece.media_type == SHELLSCRIPT:
            found += _script(piece, name, last=last)
        elif piece.media_type == PART_HANDLER:
            for match in _LINUX_IMPORT.finditer(piece.text):
                place = piece.span(match.start(1), match.end(1))
                module = f"the module `{match[1]}`"
                found.append(
                    wording.windows_script_needs_shell(
                        piece.label, module, place, trail(piece.food.text_origin)
                    )
                )
        elif not piece.jinja:
            found += _cloud_config(piece)
    return found


def _ignored(piece: Piece, what: str, place: Span | None) -> Diagnostic:
    return wording.windows_ignores_part(piece.label, what, place, trail(piece.food.text_origin))


def _script(piece: Piece, name: str, *, last: bool) -> Iterator[Diagnostic]:
    label, text, chain = piece.label, piece.text, trail(piece.food.text_origin)
    name_place = piece.food.at("filename") if piece.food.filename else piece.first_line
    ending = extension(name).lower()
    if is_device(name):
        yield wording.windows_device_name(label, name, name_place, chain)
    if not has_interpreter_extension(name) and not has_interpreter_marker(text):
        yield wording.windows_script_not_run(label, name, piece.first_line, chain)
    elif wants_32_bit(text) and has_interpreter_extension(name):
        yield wording.windows_32_bit_ignored(label, name, name_place, chain)
    elif ending == "py":
        yield wording.windows_script_needs_shell(label, "Python", name_place, chain)
    elif ending == "sh" or (text.startswith("#!") and not has_interpreter_extension(name)):
        yield wording.windows_script_needs_shell(label, "bash", piece.first_line, chain)
    for start, line in _code_lines(text):
        for match in _EXIT.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            if last:
                continue
            if match[1] == "1001":
                yield wording.windows_script_ends_run(label, place, chain)
            else:
                yield wording.windows_runs_again(label, match[1], place, chain)
        for match in _RESTART.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            command = " ".join(match[0].split())
            yield wording.windows_script_restarts(label, command, place, chain)


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        if not _COMMENT.match(line):
            yield start, line
        start += len(line) + 1


def _cloud_config(piece: Piece) -> Iterator[Diagnostic]:
    reading = piece.reading
    label, chain = piece.label, trail(piece.food.text_origin)
    root = reading.root
    faults = [fault for fault in reading.faults if fault.kind is not FaultKind.EMPTY]
    if faults:
        from eryphc.guest.cloudconfig.reports import report

        yield from report(piece.food, faults, Level.WARNING)
    if root is None:
        return
    for key, node in root.keys.items():
        place = piece.span(node.start, node.end)
        if key not in _KEYS:
            yield wording.windows_ignores_key(label, str(key), place, chain)
        elif key in _HOSTNAME_KEYS:
            yield wording.windows_renames_twice(label, str(key), place, chain)
    yield from _users(piece, root.get("users"))
    yield from _files(piece, root.get("write_files"))
    ntp = root.get("ntp")
    if isinstance(ntp, MappingNode):
        yield from _unknown_keys(piece, ntp, "ntp", _NTP_KEYS)
    yield from _commands(piece, root.get("runcmd"))


def _unknown_keys(
    piece: Piece, node: MappingNode, parent: str, known: Sequence[str]
) -> Iterator[Diagnostic]:
    for key, written in node.keys.items():
        if key not in known:
            instead = None
            if parent == "users" and key in _PLAIN_KEYS:
                instead = "use `passwd` with the plain text"
            yield wording.windows_ignores_key(
                piece.label,
                f"{parent}.{key!s}",
                piece.span(written.start, written.end),
                trail(piece.food.text_origin),
                instead,
            )


def _users(piece: Piece, users: Node | None) -> Iterator[Diagnostic]:
    for user in _maps(users):
        yield from _unknown_keys(piece, user, "users", _USER_KEYS)
        password = user.get("passwd")
        if isinstance(password, Scalar) and _HASH.match(str(password.value)):
            key = user.keys["passwd"]
            place = piece.span(key.start, key.end)
            yield wording.windows_password_hash(piece.label, place, trail(piece.food.text_origin))


def _files(piece: Piece, files: Node | None) -> Iterator[Diagnostic]:
    for entry in _maps(files):
        yield from _unknown_keys(piece, entry, "write_files", _FILE_KEYS)
        path = entry.text("path")
        if path is not None and path.startswith("/"):
            place = _value_place(piece, entry, "path")
            shown = _REDACTED if piece.food.secret else path
            yield wording.windows_path_expected(
                piece.label, shown, place, trail(piece.food.text_origin)
            )


def _commands(piece: Piece, commands: Node | None) -> Iterator[Diagnostic]:
    if commands is None or (isinstance(commands, Scalar) and commands.value is None):
        return
    if not isinstance(commands, ListNode):
        yield _misformed(piece, "runcmd", commands)
        return
    for number, entry in enumerate(commands.items):
        if not isinstance(entry, ListNode) and not (
            isinstance(entry, Scalar) and isinstance(entry.value, str)
        ):
            # cloudbase-init raises, unlike cloud-init for an empty one too.
            yield _misformed(piece, f"runcmd[{number}]", entry)
            continue
        words = entry.items if isinstance(entry, ListNode) else (entry,)
        text = " ".join(str(word.value) for word in words if isinstance(word, Scalar))
        place = piece.span(entry.start, _first_line_end(piece.text, entry))
        for _, line in _code_lines(text):
            for match in _EXIT.finditer(line):
                if match[1] != "1002":
                    yield wording.windows_config_never_ends(
                        piece.label, match[1], place, trail(piece.food.text_origin)
                    )
            for match in _RESTART.finditer(line):
                command = " ".join(match[0].split())
                yield wording.windows_script_restarts(
                    piece.label, command, place, trail(piece.food.text_origin)
                )


def _misformed(piece: Piece, path: str, node: Node) -> Diagnostic:
    from eryphc.diagnostics.cloudconfig_lint import command_not_runnable
    from eryphc.guest.cloudconfig.provenance import content_label

    label = content_label(piece.food, node.start, node.end)
    return command_not_runnable(
        path, kind(node), label, Level.WARNING, trail(piece.food.text_origin)
    )


def _value_place(piece: Piece, entry: MappingNode, key: str) -> Span | None:
    node = entry.entries[key]
    return piece.span(node.start, node.end)


def _first_line_end(text: str, node: Node) -> int:
    end = text.find("\n", node.start)
    return min(node.end, len(text) if end == -1 else end)


def _maps(node: Node | None) -> Iterator[MappingNode]:
    """The maps of a list; a single map counts as a list of one."""
    if isinstance(node, MappingNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            if isinstance(item, MappingNode):
                yield item
