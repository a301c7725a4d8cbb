"""Which fodder holds what a guest keeps secret, whether its author says so or not.

A password, a hash of one, a private key, a token: who can read them can log in. Source:
docs/reference/cloud-init.md, "What is secret".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, trail
from eryphc.diagnostics.said import Own
from eryphc.frozen import replace
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.pieces import ARCHIVE, CLOUD_CONFIG, Piece, piece_of, said_entry
from eryphc.ir.catlet import Fodder
from eryphc.lint.engine import Declared
from eryphc.origin import Step, placeless

KINDS: Final[Declared] = (wording.SECRET_NOT_DECLARED,)

# Paths from the root; `*` is each entry of a list or a map. A module of cloud-init reads each.
_PATHS: Final = (
    "password",
    "chpasswd.list",
    "chpasswd.list.*",
    "chpasswd.users.*.password",
    "users.*.passwd",
    "users.*.hashed_passwd",
    "users.*.plain_text_passwd",
    "users.*.plain-text-passwd",
    "users.*.hashed-passwd",
    "user.passwd",
    "user.hashed_passwd",
    "user.plain_text_passwd",
    "ssh_keys.*",
    "rh_subscription.password",
    "rh_subscription.activation-key",
    "ubuntu_advantage.token",
    "ubuntu_pro.token",
    "landscape.client.registration_key",
    "salt_minion.private_key",
    "chef.validation_key",
    "chef.validation_cert",
    "mcollective.conf.private-cert",
    "lxd.init.trust_password",
    "spacewalk.activation_key",
    "wireguard.interfaces.*.content",
    "yum_repos.*.password",
)
_STEPS: Final = tuple(tuple(path.split(".")) for path in _PATHS)
# A text without one of these has no such path and no private key.
_WORDS: Final = (
    *("passw", "_key", "-key", "_pro", "advantage", "_cert", "-cert", "wireguard", "private key"),
)
_PRIVATE_KEY: Final = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
# No password at all: locked, empty, or one that the guest makes up itself.
_NONE: Final = r"[!*]*|x"
_RANDOM: Final = ("R", "RANDOM")


def _has_a_word(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def with_undeclared(
    fodder_entries: Sequence[Fodder], reader: TextReader
) -> tuple[tuple[Fodder, ...], tuple[Diagnostic, ...]]:
    """The entries, those that hold secrets marked as secret, and a note for each of these."""
    found: list[Diagnostic] = []
    entries: list[Fodder] = []
    for number, fodder in enumerate(fodder_entries):
        what = None if fodder.secret else _secret_in(fodder, number, reader)
        if what is not None:
            places = {**fodder.places, "secret": placeless(Step.DEFAULTED)}
            fodder = replace(fodder, secret=True, places=places)
            found.append(
                wording.secret_not_declared(
                    said_entry(fodder),
                    Own(what),
                    fodder.place("name") or fodder.at(),
                    trail(fodder.text_origin),
                )
            )
        entries.append(fodder)
    return tuple(entries), tuple(found)


def _secret_in(fodder: Fodder, number: int, reader: TextReader) -> str | None:
    """The words for the first secret in a text; None where it has none."""
    if fodder.content is None or not _has_a_word(fodder.content.text):
        return None
    piece = piece_of(fodder, number, reader)
    for root in _roots(piece):
        path = _path_in(root)
        if path is not None:
            return path
    return "a private key" if re.search(_PRIVATE_KEY, piece.text) else None


def _roots(piece: Piece) -> Iterator[Node]:
    """The cloud-configs of a text, those in an archive included."""
    if piece.media_type == CLOUD_CONFIG and piece.root is not None:
        yield piece.root
    elif piece.media_type == ARCHIVE and not piece.jinja:
        root = piece.archive.root
        for item in root.items if isinstance(root, ListNode) else ():
            content = item.get("content") if isinstance(item, MappingNode) else item
            if isinstance(content, Scalar) and isinstance(content.value, str):
                inner = piece.reader.read_text(content.value).root
                if inner is not None:
                    yield inner


def _path_in(root: Node) -> str | None:
    for path, steps in zip(_PATHS, _STEPS, strict=True):
        for key, node in _at(root, steps):
            if _is_secret(path, key, node):
                return f"`{path.replace('.*', '')}`"
    return None


def _at(root: Node, steps: Sequence[str]) -> Iterator[tuple[str, Node]]:
    """What stands at a path, each with the record or the key that it stands in."""
    nodes: list[tuple[str, Node]] = [("", root)]
    for step in steps:
        below: list[tuple[str, Node]] = []
        for _, node in nodes:
            if isinstance(node, MappingNode):
                entries = (
                    node.entries.items()
                    if step == "*"
                    else ((step, node.entries[step]),)
                    if step in node.entries
                    else ()
                )
                below += [(str(key), value) for key, value in entries]
            elif isinstance(node, ListNode) and step == "*":
                below += [("", item) for item in node.items]
        nodes = below
    yield from nodes


def _is_secret(path: str, key: str, node: Node) -> bool:
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
        return False
    text = str(node.value).strip()
    if path == "ssh_keys.*":
        return key.endswith("_private") and bool(text)
    if path.startswith("chpasswd.list"):
        passwords = (line.partition(":")[2].strip() for line in text.splitlines())
        return any(_is_password(each) for each in passwords)
    return _is_password(text)


def _is_password(text: str) -> bool:
    return text not in _RANDOM and re.fullmatch(_NONE, text) is None
