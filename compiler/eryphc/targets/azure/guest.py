"""What Azure does to the configuration of a guest: findings over the composed document.

Source: docs/reference/azure.md, "Custom data", "The administrator".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.cloudconfig_lint import DEFAULT_USER_MISSING
from eryphc.diagnostics.model import Diagnostic, trail
from eryphc.diagnostics.said import Own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.document import ConfigTree, GuestDocument
from eryphc.guest.model import GuestKind
from eryphc.guest.pieces import INCLUDES, SHELLSCRIPT, said_entry
from eryphc.ir.catlet import Fodder
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span

_LOGIN_KEYS: Final = ("ssh_authorized_keys", "ssh_import_id")
_PASSWORDS: Final = ("passwd", "hashed_passwd", "plain_text_passwd")
_FETCHING_KEYS: Final = {
    "packages": "packages",
    "package_update": "lists of packages",
    "package_upgrade": "packages",
    "snap": "snaps",
}
_FETCHING_WORDS: Final = ("curl ", "wget ", "apt-get install", "dnf install", "pip install")
_NAME_KEYS: Final = ("hostname", "fqdn", "set_hostname")


class Guest(NamedTuple):
    """The document of a guest, and how its machine reaches the internet."""

    document: GuestDocument
    outbound: str


def findings(document: GuestDocument, outbound: str) -> list[Diagnostic]:
    """What the guest loses or does differently on Azure."""
    rules = WINDOWS_RULES if document.guest is GuestKind.WINDOWS else LINUX_RULES
    return judge((*RULES, *rules), Guest(document, outbound))


def _trees(document: GuestDocument) -> Iterator[ConfigTree]:
    for part in document.parts:
        if isinstance(part.body, ConfigTree):
            yield part.body


def _locked_out(guest: Guest) -> Iterator[Diagnostic]:
    """A list of users without `default` keeps cloud-init from making Azure's administrator."""
    for tree in _trees(guest.document):
        users = tree.root.get("users")
        if users is None or isinstance(users, Scalar):
            continue
        if _makes_default(users) or _someone_logs_in(users) or tree.root.get("user") is not None:
            continue
        label = tree.provenance.key_label(tree.root, "users")
        chain = tree.provenance.chain(users)
        yield wording.locked_out(label, chain)


def _makes_default(users: Node) -> bool:
    if isinstance(users, MappingNode):
        return "default" in users.entries
    return isinstance(users, ListNode) and any(
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
    if any(_is_set(user.get(key)) for key in _LOGIN_KEYS):
        return True
    locked = user.get("lock_passwd")
    unlocked = isinstance(locked, Scalar) and locked.value is False
    return unlocked and any(_is_set(user.get(key)) for key in _PASSWORDS)


def _is_set(node: Node | None) -> bool:
    if isinstance(node, Scalar):
        return node.value not in (None, "", False)
    return node is not None and (not isinstance(node, ListNode) or bool(node.items))


def _without_outbound(guest: Guest) -> Iterator[Diagnostic]:
    """What fetches something although the machine has no way out."""
    if guest.outbound != "none":
        return
    for tree in _trees(guest.document):
        for key, what in _FETCHING_KEYS.items():
            node = tree.root.get(key)
            if _is_set(node) and node is not None:
                label = tree.provenance.key_label(tree.root, key)
                fodder = tree.provenance.fodder(node)
                yield wording.no_outbound(
                    said_entry(fodder), Own(what), label.span, tree.provenance.chain(node)
                )
    for part in guest.document.parts:
        for entry in part.entries:
            fodder = guest.document.fodder[entry]
            fetched = _fetched(part.media_type, fodder)
            if fetched is not None:
                yield wording.no_outbound(
                    said_entry(fodder), Own(fetched), _place(fodder), trail(fodder.text_origin)
                )


def _fetched(media_type: str, fodder: Fodder) -> str | None:
    """What the text of a part fetches, as far as can be told."""
    if media_type in INCLUDES:
        return "what it includes"
    text = "" if fodder.content is None else fodder.content.text
    if media_type.startswith(SHELLSCRIPT) and any(word in text for word in _FETCHING_WORDS):
        return "files or packages"
    return None


def _place(fodder: Fodder) -> Span | None:
    return fodder.place("name") or fodder.at()


def _names_of_windows(guest: Guest) -> Iterator[Diagnostic]:
    """The Provisioning Agent sets the name of the computer itself."""
    document = guest.document
    for part in document.parts:
        reading = None if isinstance(part.body, ConfigTree) else part.body.reading
        root = reading.root if reading is not None else None
        if root is None:
            continue
        for key in _NAME_KEYS:
            if root.get(key) is not None:
                fodder = document.fodder[part.entries[0]]
                yield wording.agent_contends(said_entry(fodder), Own(key), _place(fodder))


RULES: Final[tuple[Rule[Guest], ...]] = (Rule(wording.NO_OUTBOUND, _without_outbound),)
LINUX_RULES: Final[tuple[Rule[Guest], ...]] = (Rule(DEFAULT_USER_MISSING, _locked_out),)
WINDOWS_RULES: Final[tuple[Rule[Guest], ...]] = (Rule(wording.AGENT_CONTENDS, _names_of_windows),)
