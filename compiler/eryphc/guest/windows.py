"""Fodder entries to the parts a Windows guest gets: one a fodder entry, in order, with names that
run them.

Source: docs/reference/guest-configuration.md, "Windows guests";
docs/reference/windows-guests.md, "Script parts".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eryphc.diagnostics.guest import FODDER_EMPTY, fodder_empty
from eryphc.diagnostics.model import Diagnostic, Level, Outcome, has_errors, trail
from eryphc.guest import egs_lint
from eryphc.guest.checks import UNFIT, Candidate
from eryphc.guest.document import KeptText, UserDataPart, kept_config
from eryphc.guest.model import GuestAgent, GuestRequest, MergeMode
from eryphc.guest.names import extension
from eryphc.guest.pieces import ARCHIVE, CLOUD_CONFIG, SHELLSCRIPT, Piece
from eryphc.guest.windows_lint import lint
from eryphc.guest.windows_names import unique, windows_name
from eryphc.lint.engine import first

KINDS: Final = (FODDER_EMPTY,)
_BATCH: Final = ("cmd", "bat")
_BYTE_ORDER_MARK: Final = "\ufeff"


def windows_parts(
    request: GuestRequest, fodder: Sequence[Piece]
) -> Outcome[tuple[UserDataPart, ...]]:
    """The parts in order: cloudbase-init runs each as it comes.

    eryph's guest services carry out all cloud-configs first, so for them those come first.
    """
    found: list[Diagnostic] = []
    pieces: list[Piece] = []
    for entry in fodder:
        for piece in _opened(entry, found):
            found += first(UNFIT, Candidate(piece))
            pieces.append(piece)
    if has_errors(found):
        return Outcome(None, tuple(found))
    pieces = _filled(request, pieces, found)
    if request.reader.only(GuestAgent.EGS):
        pieces.sort(key=lambda piece: piece.media_type != CLOUD_CONFIG)
    names = unique(windows_name(piece, request.reader) for piece in pieces)
    found += lint(request.reader, pieces, names)
    found += egs_lint.lint(request.reader, pieces)
    if has_errors(found):
        return Outcome(None, tuple(found))
    parts = tuple(
        UserDataPart(
            name=name,
            media_type=piece.sent_as,
            body=_body(piece, name),
            entries=(piece.entry,),
            secret=bool(piece.fodder.secret),
        )
        for name, piece in zip(names, pieces, strict=True)
    )
    return Outcome(parts, tuple(found))


def _opened(piece: Piece, found: list[Diagnostic]) -> Sequence[Piece]:
    """The entries of an archive, which no agent of Windows opens; else the piece itself."""
    if piece.media_type != ARCHIVE or piece.jinja:
        return (piece,)
    from eryphc.guest.archive import expand

    unfit = first(UNFIT, Candidate(piece))
    if unfit:
        found += unfit
        return ()
    pieces, faults = expand(piece)
    found += faults
    return pieces


def _filled(request: GuestRequest, pieces: Sequence[Piece], found: list[Diagnostic]) -> list[Piece]:
    """The pieces without cloud-configs that hold no key: eryph's guest services refuse all
    user-data for the sake of one. `--merge parts` leaves them in."""
    kept: list[Piece] = []
    stay = request.merge is MergeMode.PARTS and request.reader.may_be(GuestAgent.EGS)
    for piece in pieces:
        if not _is_empty(piece):
            kept.append(piece)
            continue
        chain = trail(piece.fodder.text_origin)
        said = fodder_empty(piece.said, piece.fodder.at("name"), chain)
        if stay:
            kept.append(piece)
            level = Level.ERROR if request.reader.stated else Level.WARNING
            found.append(said._replace(level=level))
        elif piece.text.strip():
            found.append(said)
    return kept


def _is_empty(piece: Piece) -> bool:
    if piece.media_type != CLOUD_CONFIG or piece.jinja:
        return False
    root = piece.reading.root
    return root is not None and not root.entries


def _body(piece: Piece, name: str) -> KeptText:
    if piece.media_type == CLOUD_CONFIG:
        return kept_config(piece)
    return KeptText(_text(piece, name), piece.content)


def _text(piece: Piece, name: str) -> str:
    if piece.media_type != SHELLSCRIPT:
        return piece.text
    ending = extension(name).lower()
    if ending in _BATCH:
        return piece.text.replace("\n", "\r\n")
    if ending == "ps1" and not piece.text.isascii():
        # Without it Windows PowerShell reads the file in the code page of the system.
        return _BYTE_ORDER_MARK + piece.text
    return piece.text
