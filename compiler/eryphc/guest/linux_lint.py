"""What a Linux guest gets that is written for Windows.

Source: cloud-init.md 6.5 item 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.trail import trail
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.foods import CLOUD_CONFIG, Piece

_REDACTED: Final = "#REDACTED"
_OLD_HASH_LENGTH: Final = 13
_WINDOWS_KEYS: Final = ("set_timezone", "set_hostname")
_LOOKED_AT: Final = frozenset((*_WINDOWS_KEYS, "users", "write_files"))


def lint(pieces: Sequence[Piece]) -> list[Diagnostic]:
    """Warnings about the plain cloud-configs."""
    found: list[Diagnostic] = []
    for piece in pieces:
        if piece.media_type == CLOUD_CONFIG and not piece.jinja:
            root = piece.root
            if root is not None and not _LOOKED_AT.isdisjoint(root.entries):
                found += _config(piece, root)
    return found


def _config(piece: Piece, root: MappingNode) -> Iterator[Diagnostic]:
    label, chain = piece.label, trail(piece.food.text_origin)
    for key in _WINDOWS_KEYS:
        if key in root.keys:
            node = root.keys[key]
            place = piece.span(node.start, node.end)
            instead = key.removeprefix("set_")
            yield wording.linux_gets_windows_key(label, key, instead, place, chain)
    for user in _maps(root.get("users")):
        password = user.get("passwd")
        if isinstance(password, Scalar) and not _is_hash(password.value):
            key_node = user.keys["passwd"]
            place = piece.span(key_node.start, key_node.end)
            yield wording.linux_password_plain(label, place, chain)
    for entry in _maps(root.get("write_files")):
        path = entry.text("path")
        if path is not None and _is_windows_path(path):
            node_of_path = entry.entries["path"]
            place = piece.span(node_of_path.start, node_of_path.end)
            shown = _REDACTED if piece.food.secret else path
            yield wording.linux_path_expected(label, shown, place, chain)


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
