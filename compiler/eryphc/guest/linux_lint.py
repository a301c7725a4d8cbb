"""Finds configuration of a Linux guest that is written for Windows.

Source: docs/reference/windows-guests.md, "Windows text in a Linux guest".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Label, trail
from eryphc.diagnostics.said import Own, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.pieces import CLOUD_CONFIG, Piece
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span

_OLD_HASH_LENGTH: Final = 13
_WINDOWS_KEYS: Final = ("set_timezone", "set_hostname")
_LOOKED_AT: Final = frozenset((*_WINDOWS_KEYS, "users", "write_files"))


class Config(NamedTuple):
    """A plain cloud-config and its data."""

    piece: Piece
    root: MappingNode

    def place(self, node: Node) -> Span:
        return self.piece.span(node.start, node.end)

    @property
    def chain(self) -> tuple[Label, ...]:
        return trail(self.piece.fodder.text_origin)


def lint(pieces: Sequence[Piece]) -> list[Diagnostic]:
    """Warnings about the plain cloud-configs."""
    found: list[Diagnostic] = []
    for piece in pieces:
        if piece.media_type == CLOUD_CONFIG and not piece.jinja:
            root = piece.root
            if root is not None and not _LOOKED_AT.isdisjoint(root.entries):
                found += judge(RULES, Config(piece, root))
    return found


def _windows_keys(config: Config) -> Iterator[Diagnostic]:
    for key in _WINDOWS_KEYS:
        if key in config.root.keys:
            place = config.place(config.root.keys[key])
            instead = key.removeprefix("set_")
            yield wording.linux_gets_windows_key(
                config.piece.said, Own(key), Own(instead), place, config.chain
            )


def _plain_passwords(config: Config) -> Iterator[Diagnostic]:
    users = config.root.get("users")
    for number, user in enumerate(users.items if isinstance(users, ListNode) else ()):
        password = user.get("passwd") if isinstance(user, MappingNode) else None
        if isinstance(user, MappingNode) and isinstance(password, Scalar):
            if _is_hash(password.value):
                continue
            # The path tells one user from another where all have one place, as in JSON.
            place, path = config.place(user.keys["passwd"]), own("users[{}]", number)
            yield wording.linux_password_plain(config.piece.said, path, place, config.chain)


def _windows_paths(config: Config) -> Iterator[Diagnostic]:
    for entry in _maps(config.root.get("write_files")):
        path = entry.text("path")
        if path is not None and _is_windows_path(path):
            place = config.place(entry.entries["path"])
            yield wording.linux_path_expected(config.piece.said, named(path), place, config.chain)


def _is_hash(value: object) -> bool:
    """Whether a `passwd` may be a hash of `crypt(3)`, or locks the account.

    The oldest form of a hash looks like any word of 13 characters.
    """
    text = "" if value is None else str(value)
    return not text or text[0] in "$_!*" or len(text) == _OLD_HASH_LENGTH


def _is_windows_path(path: str) -> bool:
    drive = path[:1].isalpha() and path[1:2] == ":"
    return drive or path.startswith(("\\\\", "%")) or path.lower().startswith("$env:")


def _maps(node: Node | None) -> Iterator[MappingNode]:
    if isinstance(node, ListNode):
        for item in node.items:
            if isinstance(item, MappingNode):
                yield item


RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.LINUX_GETS_WINDOWS_KEY, _windows_keys),
    Rule(wording.LINUX_PASSWORD_PLAIN, _plain_passwords),
    Rule(wording.LINUX_PATH_EXPECTED, _windows_paths),
)
