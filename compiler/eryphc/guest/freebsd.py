"""Fodder entries to the one plain cloud-config that FreeBSD's nuageinit takes.

A script becomes a file that the cloud-config writes, and a command that runs it in its place.
Source: docs/reference/guest-agents.md, "nuageinit".
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest_agents as wording
from eryphc.diagnostics.model import Diagnostic, Level, Outcome, is_blocked
from eryphc.diagnostics.said import Words, own
from eryphc.frozen import replace
from eryphc.guest.checks import check
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.document import ConfigTree, UserDataPart
from eryphc.guest.encode import quoted
from eryphc.guest.model import GuestRequest, MergeMode
from eryphc.guest.names import linux_name
from eryphc.guest.parts import fold, linux_parts
from eryphc.guest.pieces import CLOUD_CONFIG, SHELLSCRIPT, Piece
from eryphc.ir.content import Content, Written

KINDS: Final = (wording.NUAGEINIT_FORM, wording.DEFAULT_ACCOUNT)
_FOLDER: Final = "/var/lib/eryphc/scripts"


def freebsd_parts(
    request: GuestRequest, fodder: Sequence[Piece]
) -> Outcome[tuple[UserDataPart, ...]]:
    """One part, or those of cloud-init where the fodder does not fit and the agent is assumed."""
    found: list[Diagnostic] = []
    pieces: list[Piece] = []
    for entry in fodder:
        checked, diagnostics = check(entry, MergeMode.MERGED)
        pieces += checked
        found += diagnostics
    misfits = tuple(_misfits(request, pieces))
    if misfits:
        others = linux_parts(request, fodder)
        return Outcome(others.value, (*misfits, *others.diagnostics))
    if is_blocked(found):
        return Outcome(None, tuple(found))
    configs = [
        _config(piece, number, len(pieces)) if piece.media_type == SHELLSCRIPT else piece
        for number, piece in enumerate(pieces, start=1)
    ]
    merged = fold(configs, found)
    if is_blocked(found):
        return Outcome(None, tuple(found))
    found += _account(request, None if merged is None else merged.root, configs)
    if merged is None:
        return Outcome((), tuple(found))
    part = UserDataPart(
        name="cloud-config",
        media_type=CLOUD_CONFIG,
        body=ConfigTree(_with_texts(merged.root), merged.provenance),
        entries=tuple(dict.fromkeys(piece.entry for piece in pieces)),
        secret=merged.secret,
    )
    return Outcome((part,), tuple(found))


def _misfits(request: GuestRequest, pieces: Sequence[Piece]) -> Iterator[Diagnostic]:
    level = Level.ERROR if request.reader.stated else Level.WARNING
    lost = own("the guest applies nothing")
    if request.merge is MergeMode.PARTS and len(pieces) > 1:
        yield wording.nuageinit_form(own("`--merge parts` makes many"), lost, level, None)
    for piece in pieces:
        what: Words
        if piece.jinja:
            what = own("`{}` is a template", piece.said)
        elif piece.media_type not in (CLOUD_CONFIG, SHELLSCRIPT):
            what = own("`{}` is neither a cloud-config nor a script", piece.said)
        else:
            continue
        yield wording.nuageinit_form(what, lost, level, piece.fodder.at("type"))


def _account(
    request: GuestRequest, root: MappingNode | None, configs: Sequence[Piece]
) -> Iterator[Diagnostic]:
    """The account with a known password that nuageinit makes by itself."""
    users = None if root is None else root.get("users")
    items = users.items if isinstance(users, ListNode) else ()
    if items and not any(isinstance(u, Scalar) and u.value == "default" for u in items):
        return
    level = Level.WARNING if request.reader.stated else Level.NOTE
    yield wording.default_account(level, configs[0].fodder.at() if configs else None, ())


def _config(piece: Piece, number: int, count: int) -> Piece:
    """A script as a cloud-config that writes it to a file and runs that."""
    name = linux_name(number, count, piece.fodder, SHELLSCRIPT, after_commands=False)
    path = quoted(f"{_FOLDER}/{name}")
    text = (
        f"write_files:\n- path: {path}\n  permissions: '0700'\n  content: {quoted(piece.text)}\n"
        f"runcmd:\n- {path}\n"
    )
    content = Content(text, Written(piece.span(0, len(piece.text))))
    return Piece(replace(piece.fodder, content=content), CLOUD_CONFIG, piece.entry, piece.reader)


def _with_texts(root: MappingNode) -> MappingNode:
    """The configuration with texts in `runcmd`: a list as a command ends nuageinit."""
    commands = root.get("runcmd")
    if not isinstance(commands, ListNode):
        return root
    items = tuple(map(_as_text, commands.items))
    made = ListNode(items, commands.start, commands.end, (commands,))
    entries = {**root.entries, "runcmd": made}
    return MappingNode(entries, root.keys, root.start, root.end, root.sources or (root,))


def _as_text(command: Node) -> Node:
    if not isinstance(command, ListNode):
        return command
    words = [str(word.value) for word in command.items if isinstance(word, Scalar)]
    return Scalar(shlex.join(words), command.start, command.end, (command,))
