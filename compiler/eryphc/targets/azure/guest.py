"""What Azure does to the configuration of a guest: findings over the composed document.

Source: docs/reference/azure.md, "Custom data", "The administrator".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.model import Diagnostic, Level, trail
from eryphc.diagnostics.said import Own, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import Node, Scalar, descendants
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.document import ConfigTree, GuestDocument
from eryphc.guest.model import GuestKind
from eryphc.guest.pieces import BOOTHOOK, INCLUDES, JINJA, SHELLSCRIPT, said_entry
from eryphc.ir.catlet import Fodder
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span
from eryphc.targets.login import RULES as LOGIN_RULES
from eryphc.targets.login import Login, is_set

_FETCHING_KEYS: Final = {
    "packages": "packages",
    "package_update": "lists of packages",
    "package_upgrade": "packages",
    "apt": "lists of packages",
    "yum_repos": "lists of packages",
    "snap": "snaps",
}
_COMMAND_KEYS: Final = ("runcmd", "bootcmd")
_FETCHING: Final = re.compile(
    r"\b(?:curl|wget|git\s+clone|(?:apt|apt-get|dnf|yum|zypper|apk|snap|pip3?|npm|gem)\b[^\n;&|]*"
    r"\s(?:install|update|upgrade|add)|(?:docker|podman)\s+pull)\b"
)
_NAME_KEYS: Final = ("hostname", "fqdn", "set_hostname")


class Guest(NamedTuple):
    """The document of a guest, and how its machine reaches the internet."""

    document: GuestDocument
    outbound: str


def findings(document: GuestDocument, outbound: str) -> list[Diagnostic]:
    """What the guest loses or does differently on Azure."""
    rules = WINDOWS_RULES if document.guest is GuestKind.WINDOWS else ()
    login = Login(document, own("Azure"), Level.ERROR)
    return [*judge((*RULES, *rules), Guest(document, outbound)), *judge(LOGIN_RULES, login)]


def _trees(document: GuestDocument) -> Iterator[ConfigTree]:
    for part in document.parts:
        if isinstance(part.body, ConfigTree):
            yield part.body


def _without_outbound(guest: Guest) -> Iterator[Diagnostic]:
    """What fetches something although the machine has no way out."""
    if guest.outbound != "none":
        return
    for tree in _trees(guest.document):
        for key, what in _FETCHING_KEYS.items():
            node = tree.root.get(key)
            if is_set(node) and node is not None:
                label = tree.provenance.key_label(tree.root, key)
                fodder = tree.provenance.fodder(node)
                yield wording.no_outbound(
                    said_entry(fodder), Own(what), label.span, tree.provenance.chain(node)
                )
        for key in _COMMAND_KEYS:
            node = tree.root.get(key)
            if node is not None and any(map(_fetches, descendants(node))):
                label = tree.provenance.key_label(tree.root, key)
                fodder = tree.provenance.fodder(node)
                yield wording.no_outbound(
                    said_entry(fodder),
                    own("files or packages"),
                    label.span,
                    tree.provenance.chain(node),
                )
    for part in guest.document.parts:
        for entry in part.entries:
            fodder = guest.document.fodder[entry]
            fetched = _fetched(part.media_type, fodder)
            if fetched is not None:
                yield wording.no_outbound(
                    said_entry(fodder), Own(fetched), _place(fodder), trail(fodder.text_origin)
                )


def _fetches(node: Node) -> bool:
    """Whether a command, or a list of its words, fetches something."""
    if isinstance(node, ListNode):
        words = (str(item.value) for item in node.items if isinstance(item, Scalar))
        return _FETCHING.search(" ".join(words)) is not None
    return isinstance(node, Scalar) and _FETCHING.search(str(node.value)) is not None


def _fetched(media_type: str, fodder: Fodder) -> str | None:
    """What the text of a part fetches, as far as can be told."""
    if media_type in INCLUDES:
        return "what it includes"
    text = "" if fodder.content is None else fodder.content.text
    runs = media_type.startswith((SHELLSCRIPT, BOOTHOOK, JINJA))
    if runs and _FETCHING.search(text) is not None:
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
WINDOWS_RULES: Final[tuple[Rule[Guest], ...]] = (Rule(wording.AGENT_CONTENDS, _names_of_windows),)
