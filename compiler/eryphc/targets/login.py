"""Whether anybody can log in to a machine whose platform makes the administrator.

Such a platform gives its key to cloud-init's default user. Source: docs/reference/azure.md, "The
administrator"; docs/reference/cloud-init.md, "The default user".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics.cloudconfig_lint import DEFAULT_USER_MISSING
from eryphc.diagnostics.model import Diagnostic, Label, Level, trail
from eryphc.diagnostics.platforms import locked_out
from eryphc.diagnostics.said import Own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.document import ConfigTree, GuestDocument, UserDataPart
from eryphc.guest.model import GuestKind
from eryphc.lint.engine import Rule

_LOGIN_KEYS: Final = ("ssh_authorized_keys", "ssh_import_id")
_PASSWORDS: Final = ("passwd", "hashed_passwd", "plain_text_passwd")


class Login(NamedTuple):
    """The document of a guest, what its platform is called, and how grave a lock-out is there."""

    document: GuestDocument
    title: Own
    level: Level


def _nobody(login: Login) -> Iterator[Diagnostic]:
    """Lists of users of which none makes the default user, or another who can log in."""
    document = login.document
    if document.guest is not GuestKind.LINUX:
        return
    last: tuple[UserDataPart, MappingNode] | None = None
    for part in document.parts:
        root = _root(part)
        if root is None or "users" not in root.entries:
            continue
        users = root.entries["users"]
        if _makes_default(users) or _someone_logs_in(users) or is_set(root.get("user")):
            return
        last = part, root
    if last is not None:
        label, chain = _place(document, *last)
        yield locked_out(login.title, label, chain, login.level)


def _root(part: UserDataPart) -> MappingNode | None:
    if isinstance(part.body, ConfigTree):
        return part.body.root
    return None if part.body.reading is None else part.body.reading.root


def _place(
    document: GuestDocument, part: UserDataPart, root: MappingNode
) -> tuple[Label | None, tuple[Label, ...]]:
    if isinstance(part.body, ConfigTree):
        provenance = part.body.provenance
        return provenance.key_label(root, "users"), provenance.chain(root.entries["users"])
    fodder = document.fodder[part.entries[-1]]
    span = fodder.place("name") or fodder.at()
    return None if span is None else Label(span), trail(fodder.text_origin)


def _makes_default(users: Node) -> bool:
    if isinstance(users, Scalar):
        # cloud-init takes a text for names with commas between them.
        return "default" in [name.strip() for name in str(users.value).split(",")]
    if isinstance(users, MappingNode):
        return "default" in users.entries
    return any(
        (isinstance(item, Scalar) and item.value == "default")
        or (isinstance(item, MappingNode) and item.text("name") == "default")
        for item in users.items
    )


def _someone_logs_in(users: Node) -> bool:
    """Whether a user of the list has a key, or a password that is not locked."""
    entries: Sequence[Node] = ()
    if isinstance(users, ListNode):
        entries = users.items
    elif isinstance(users, MappingNode):
        entries = tuple(users.entries.values())
    return any(isinstance(entry, MappingNode) and _logs_in(entry) for entry in entries)


def _logs_in(user: MappingNode) -> bool:
    if any(is_set(user.get(key)) for key in _LOGIN_KEYS):
        return True
    locked = user.get("lock_passwd")
    unlocked = isinstance(locked, Scalar) and locked.value is False
    return unlocked and any(is_set(user.get(key)) for key in _PASSWORDS)


def is_set(node: Node | None) -> bool:
    """Whether a value says something."""
    if isinstance(node, Scalar):
        return node.value not in (None, "", False)
    return node is not None and (not isinstance(node, ListNode) or bool(node.items))


RULES: Final[tuple[Rule[Login], ...]] = (Rule(DEFAULT_USER_MISSING, _nobody),)
