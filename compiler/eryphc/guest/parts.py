"""Fodder entries to the parts a Linux guest gets: merged or one by one, named so that their order
holds.

Source: docs/reference/guest-configuration.md, "Linux guests", "Names of scripts";
docs/reference/cloud-init.md, "The order of a boot", "Names of parts".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, is_blocked, trail
from eryphc.frozen import NamedTuple, replace
from eryphc.guest.checks import check
from eryphc.guest.cloudconfig.merge import Merged, merge
from eryphc.guest.cloudconfig.reader import ReadEntry
from eryphc.guest.cloudconfig.tree import Reading
from eryphc.guest.document import ConfigTree, KeptText, UserDataPart, kept_config
from eryphc.guest.linux_lint import lint
from eryphc.guest.model import GuestRequest, MergeMode
from eryphc.guest.names import linux_name
from eryphc.guest.pieces import (
    ARCHIVE,
    CLOUD_CONFIG,
    SHELLSCRIPT,
    Piece,
    without_expressions,
)
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content

KINDS: Final = (wording.SCRIPT_BETWEEN_COMMANDS,)
APPEND_HEADER: Final = ("X-Merge-Type", "list(append)+dict(no_replace,recurse_list)+str()")
"""What makes cloud-init add a part to those before it; the header's spelling must be exact."""


class _Draft(NamedTuple):
    """A part that has its body but, as others may follow, no name yet.

    It is named after `naming`, as a text of the type `kind`.
    """

    body: ConfigTree | KeptText
    media_type: str
    naming: Fodder
    kind: str
    pieces: tuple[Piece, ...]
    after_commands: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def linux_parts(
    request: GuestRequest, fodder: Sequence[Piece]
) -> Outcome[tuple[UserDataPart, ...]]:
    """The parts in document order, and everything the guest would lose or do otherwise."""
    found: list[Diagnostic] = []
    pieces: list[Piece] = []
    for entry in fodder:
        checked, diagnostics = check(entry, request.merge)
        pieces += checked
        found += diagnostics
    found += lint(pieces)
    drafts = _drafts(request, pieces, found)
    if is_blocked(found):
        return Outcome(None, tuple(found))
    count = len(drafts)
    parts = tuple(
        UserDataPart(
            name=linux_name(
                number, count, draft.naming, draft.kind, after_commands=draft.after_commands
            ),
            media_type=draft.media_type,
            body=draft.body,
            # An archive is one fodder entry of several pieces.
            entries=tuple(dict.fromkeys(piece.entry for piece in draft.pieces)),
            secret=any(piece.fodder.secret for piece in draft.pieces),
            # There is nothing to add a part to where it is the only one.
            headers=draft.headers if count > 1 else (),
        )
        for number, draft in enumerate(drafts, start=1)
    )
    return Outcome(parts, tuple(found))


def _drafts(
    request: GuestRequest, pieces: Sequence[Piece], found: list[Diagnostic]
) -> list[_Draft]:
    match request.merge:
        case MergeMode.MERGED:
            return _merged(pieces, found)
        case MergeMode.PARTS:
            return _one_by_one(pieces, found)


def _one_by_one(pieces: Sequence[Piece], found: list[Diagnostic]) -> list[_Draft]:
    from eryphc.guest.cloudconfig.bootmerge import drops
    from eryphc.guest.cloudconfig.examine import examine_parts

    after = _after_commands(pieces, found)
    found += drops(_configs(pieces))
    found += examine_parts(piece.loaded_entry for piece in pieces if _is_static(piece))
    return [_draft(piece, after[index]) for index, piece in enumerate(pieces)]


def _configs(pieces: Sequence[Piece]) -> Iterator[ReadEntry]:
    """All that the guest lays onto one another, archives opened as it will open them.

    A template counts with what it sets whatever it renders to.
    """
    for piece in pieces:
        if _is_static(piece):
            yield piece.loaded_entry
        elif _is_template(piece):
            if piece.root is not None:
                plain = Content(without_expressions(piece.text), piece.content.origin)
                # Its faults have been reported, of what it renders to.
                yield ReadEntry(
                    replace(piece.fodder, content=plain), Reading(piece.root, ()), piece.entry
                )
        elif piece.media_type == ARCHIVE and not piece.jinja:
            from eryphc.guest.archive import expand

            yield from _configs(expand(piece, stays=True)[0])


def _merged(pieces: Sequence[Piece], found: list[Diagnostic]) -> list[_Draft]:
    """One part of all plain cloud-configs where the first of them stood, then the templates.

    A template adds to the merged part, so one that stood before it moves behind it.
    """
    after = _after_commands(pieces, found)
    static = [index for index, piece in enumerate(pieces) if _is_static(piece)]
    templates = [index for index, piece in enumerate(pieces) if _is_template(piece)]
    merged = fold([pieces[index] for index in static], found)
    if templates:
        from eryphc.guest.templates import come_later, shared_values

        found += shared_values(
            [pieces[index] for index in templates], merged.root if merged else None
        )
        found += come_later(pieces, templates, static)
    if merged is None:
        order = [index for index in range(len(pieces)) if index not in static]
        return [_draft(pieces[index], after[index], joins=True) for index in order]
    anchor = static[0]
    early = [index for index in templates if index < anchor]
    before = [index for index in range(anchor) if index not in early]
    behind = [index for index in range(anchor, len(pieces)) if index not in static]
    return [
        *(_draft(pieces[index], after[index]) for index in before),
        _merged_draft(merged, [pieces[index] for index in static]),
        *(_draft(pieces[index], after[index], joins=True) for index in (*early, *behind)),
    ]


def fold(static: Sequence[Piece], found: list[Diagnostic]) -> Merged | None:
    """All plain cloud-configs as one, None where nothing is left to configure."""
    if not static:
        return None
    from eryphc.guest.cloudconfig.examine import examine

    outcome = merge([piece.read_entry for piece in static])
    found += outcome.diagnostics
    if outcome.value is None or outcome.value.empty:
        return None
    found += examine(outcome.value)
    return outcome.value


_MANY: Final = Fodder(name="cloud-config")


def _merged_draft(merged: Merged, static: Sequence[Piece]) -> _Draft:
    return _Draft(
        body=ConfigTree(merged.root, merged.provenance),
        media_type=CLOUD_CONFIG,
        naming=static[0].fodder if len(static) == 1 else _MANY,
        kind=CLOUD_CONFIG,
        pieces=tuple(static),
    )


def _draft(piece: Piece, after_commands: bool, *, joins: bool = False) -> _Draft:  # noqa: FBT001
    is_config = piece.media_type == CLOUD_CONFIG
    return _Draft(
        body=kept_config(piece) if is_config else KeptText(piece.text, piece.content),
        media_type=piece.sent_as,
        naming=piece.fodder,
        kind=piece.media_type,
        pieces=(piece,),
        after_commands=after_commands,
        headers=(APPEND_HEADER,) if joins and is_config else (),
    )


def _is_static(piece: Piece) -> bool:
    return piece.media_type == CLOUD_CONFIG and not piece.jinja


def _is_template(piece: Piece) -> bool:
    return piece.media_type == CLOUD_CONFIG and piece.jinja


def _after_commands(pieces: Sequence[Piece], found: list[Diagnostic]) -> list[bool]:
    """Of each piece whether it is a script that follows the last fodder entry with `runcmd`.

    All `runcmd` entries are one script of the guest, so a script between two fodder entries that
    have some cannot keep its place.
    """
    commands = [index for index, piece in enumerate(pieces) if _has_commands(piece)]
    if not commands:
        return [False] * len(pieces)
    first, last = commands[0], commands[-1]
    for index, piece in enumerate(pieces):
        if piece.media_type == SHELLSCRIPT and first < index < last:
            found.append(
                wording.script_between_commands(
                    piece.said,
                    pieces[first].said,
                    pieces[last].said,
                    piece.fodder.at(),
                    trail(piece.fodder.text_origin),
                )
            )
    return [piece.media_type == SHELLSCRIPT and index > last for index, piece in enumerate(pieces)]


def _has_commands(piece: Piece) -> bool:
    if piece.media_type != CLOUD_CONFIG or "runcmd" not in piece.text:
        return False
    if piece.jinja:
        return re.search(r"^[\"']?runcmd[\"']?\s*:", piece.text, re.MULTILINE) is not None
    return piece.root is not None and "runcmd" in piece.root.entries
