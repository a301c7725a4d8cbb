"""Fodder entries to the parts a Windows guest gets: one a fodder entry, in order, with names that
run them.

Source: docs/reference/guest-configuration.md, "Windows guests";
docs/reference/windows-guests.md, "Script parts".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.guest.checks import UNFIT, Candidate
from eryphc.guest.document import KeptText, UserDataPart, kept_config
from eryphc.guest.names import extension
from eryphc.guest.pieces import CLOUD_CONFIG, SHELLSCRIPT, Piece
from eryphc.guest.windows_lint import lint
from eryphc.guest.windows_names import unique, windows_name
from eryphc.lint.engine import first

_BATCH: Final = ("cmd", "bat")
_BYTE_ORDER_MARK: Final = "\ufeff"


def windows_parts(pieces: Sequence[Piece]) -> Outcome[tuple[UserDataPart, ...]]:
    """The parts in order; cloudbase-init merges nothing and runs each as it comes."""
    found: list[Diagnostic] = []
    for piece in pieces:
        found += first(UNFIT, Candidate(piece))
    if has_errors(found):
        return Outcome(None, tuple(found))
    names = unique(windows_name(piece) for piece in pieces)
    found += lint(pieces, names)
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
