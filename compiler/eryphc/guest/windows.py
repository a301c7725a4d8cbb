"""Foods to the parts a Windows guest gets: one a food, in order, with names that run them.

Source: cli.md ("The guest's configuration"), cloud-init.md 6.
"""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.trail import trail
from eryphc.guest.checks import is_encodable, is_encoded
from eryphc.guest.foods import CLOUD_CONFIG, SHELLSCRIPT, Piece, piece_of, with_marker
from eryphc.guest.model import GuestRequest, Part
from eryphc.guest.names import extension
from eryphc.guest.windows_lint import lint
from eryphc.guest.windows_names import unique, windows_name

_BATCH: Final = ("cmd", "bat")
_BYTE_ORDER_MARK: Final = "\ufeff"


def windows_parts(request: GuestRequest) -> Outcome[tuple[Part, ...]]:
    """The parts in order; cloudbase-init merges nothing and runs each as it comes."""
    pieces = [piece_of(food, entry) for entry, food in enumerate(request.foods)]
    found: list[Diagnostic] = []
    for piece in pieces:
        unreadable = is_encodable(piece) or is_encoded(piece)
        if unreadable is not None:
            found.append(unreadable)
        elif not piece.text.strip():
            found.append(
                wording.food_empty(
                    piece.label, piece.food.at("name"), trail(piece.food.text_origin)
                )
            )
    if has_errors(found):
        return Outcome(None, tuple(found))
    names = unique(windows_name(piece) for piece in pieces)
    found += lint(pieces, names)
    parts = tuple(
        Part(
            name=name,
            media_type=piece.sent_as,
            text=_text(piece, name),
            secret=bool(piece.food.secret),
            foods=(piece.entry,),
        )
        for name, piece in zip(names, pieces, strict=True)
    )
    return Outcome(parts, tuple(found))


def _text(piece: Piece, name: str) -> str:
    if piece.media_type == CLOUD_CONFIG:
        return with_marker(piece.text)
    if piece.media_type != SHELLSCRIPT:
        return piece.text
    ending = extension(name).lower()
    if ending in _BATCH:
        return piece.text.replace("\n", "\r\n")
    if ending == "ps1" and not piece.text.isascii():
        # Without it Windows PowerShell reads the file in the code page of the system.
        return _BYTE_ORDER_MARK + piece.text
    return piece.text
