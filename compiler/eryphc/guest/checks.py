"""Whether a Linux guest takes a piece up at all, and what for.

What a guest would silently drop is refused; where its own handling is asked for (`--merge parts`)
the same is a warning, and the piece stays. Source: docs/reference/cloud-init.md, "Types of parts",
"Names of parts", "Jinja templates", "Archives and includes".
"""

from __future__ import annotations

import re
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Level, trail
from eryphc.diagnostics.said import Own, Said, Words, own
from eryphc.guest.model import MergeMode
from eryphc.guest.names import extension
from eryphc.guest.pieces import (
    ARCHIVE,
    BOOTHOOK,
    BOOTHOOK_MARKER,
    CLOUD_CONFIG,
    INCLUDE,
    INCLUDE_ONCE,
    INCLUDES,
    JSON_PATCH,
    MEDIA_TYPES,
    PART_HANDLER,
    SHELLSCRIPT,
    UPSTART_JOB,
    Piece,
    marked_type,
    template_body,
)

Checked = tuple[tuple[Piece, ...], tuple[Diagnostic, ...]]
_TEMPLATES: Final = (CLOUD_CONFIG, SHELLSCRIPT, BOOTHOOK)
_SCRIPTS: Final = (
    SHELLSCRIPT,
    "text/x-shellscript-per-boot",
    "text/x-shellscript-per-instance",
    "text/x-shellscript-per-once",
)
# How base64 begins of what begins like something a guest takes up, and gzip itself.
_ENCODED: Final = (
    *("I2Nsb3VkL", "I2luY2x1ZGU", "I3BhcnQtaGFuZGxlc", "IyMgdGVtcGxhdGU", "IyE", "I3BzM"),
    *("TUlNRS1WZXJzaW9u", "Q29udGVudC1UeXBl", "H4sI", "\x1f\x8b"),
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]{16,}=*\s*")
_FODDER_TYPES: Final = {media_type: name for name, media_type in MEDIA_TYPES.items()}
_WORDS: Final = {
    CLOUD_CONFIG: "a cloud-config",
    BOOTHOOK: "a boothook",
    ARCHIVE: "an archive",
    INCLUDE: "an include",
    INCLUDE_ONCE: "an include",
    PART_HANDLER: "a part-handler",
    JSON_PATCH: "a JSON patch",
}


def is_encodable(piece: Piece) -> Diagnostic | None:
    """The error of a text that has no UTF-8 form; JSON can write half a surrogate pair."""
    text = piece.text
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = piece.span(error.start, error.start + 1)
        return wording.text_not_unicode(piece.said, place, trail(piece.fodder.text_origin))
    return None


def is_encoded(piece: Piece) -> Diagnostic | None:
    """The error of a text that somebody has encoded already, as other tools want user-data."""
    text = piece.text
    if not text[:64].lstrip(" \n").startswith(_ENCODED):
        return None
    if text.startswith("\x1f"):
        encoding = "compressed"
    elif _BASE64.fullmatch(text) is not None:
        encoding = "base64"
    else:
        return None
    return wording.text_encoded(
        piece.said, Own(encoding), piece.first_line, trail(piece.fodder.text_origin)
    )


def check(piece: Piece, mode: MergeMode) -> Checked:
    """The pieces that come of one piece for a Linux guest: none where it is refused."""
    unreadable = is_encodable(piece)
    if unreadable is not None:
        return (), (unreadable,)
    kept = (piece,) if mode is MergeMode.PARTS else ()
    if not piece.text.strip():
        if mode is MergeMode.PARTS and piece.media_type == CLOUD_CONFIG:
            return kept, ()
        return kept, (
            wording.fodder_empty(
                piece.said, piece.fodder.at("name"), trail(piece.fodder.text_origin)
            ),
        )
    encoded = is_encoded(piece)
    if encoded is not None:
        return kept, (_faithful(piece, encoded, own("its text is encoded"), mode),)
    if piece.media_type == UPSTART_JOB:
        refused = wording.upstart_job_removed(
            piece.said, piece.fodder.at("type"), trail(piece.fodder.text_origin)
        )
        return kept, (
            _faithful(piece, refused, own("cloud-init removed upstart jobs in 22.2"), mode),
        )
    if piece.jinja and piece.media_type not in _TEMPLATES:
        known = _FODDER_TYPES.get(piece.media_type)
        kind = Said(piece.media_type) if known is None else Own(known)
        refused = wording.template_not_possible(
            piece.said, kind, piece.first_line, trail(piece.fodder.text_origin)
        )
        return kept, (_faithful(piece, refused, own("a {} is never rendered", kind), mode),)
    if piece.jinja:
        from eryphc.guest.templates import template_fault

        fault = template_fault(piece.text)
        if fault is not None:
            reason, start, end = fault
            place = piece.span(start, end)
            refused = wording.template_broken(
                piece.said, reason, place, trail(piece.fodder.text_origin)
            )
            return kept, (_faithful(piece, refused, own("it is no template: {}", reason), mode),)
    if piece.media_type == CLOUD_CONFIG:
        return _check_cloud_config(piece, mode)
    if piece.media_type in _SCRIPTS:
        return _check_script(piece, mode)
    if piece.media_type == BOOTHOOK:
        return _check_boothook(piece, mode)
    if piece.media_type in INCLUDES:
        return (piece,), (
            wording.include_unpinned(
                piece.said, piece.fodder.at(), trail(piece.fodder.text_origin)
            ),
        )
    if piece.media_type == ARCHIVE:
        return _check_archive(piece, mode)
    return (piece,), ()


def _faithful(piece: Piece, refused: Diagnostic, reason: Words, mode: MergeMode) -> Diagnostic:
    if mode is MergeMode.MERGED:
        return refused
    place = refused.primary.span if refused.primary else None
    return wording.guest_drops_part(piece.said, reason, place, refused.related)


def _check_cloud_config(piece: Piece, mode: MergeMode) -> Checked:
    body = template_body(piece.text) if piece.jinja else piece.text
    marked = marked_type(body)
    if marked is None or marked == CLOUD_CONFIG or mode is MergeMode.PARTS:
        # What a guest drops of cloud-configs as they are is reported with all of them.
        return (piece,), ()
    if not piece.jinja and piece.root is not None and piece.root.entries:
        return (piece,), ()
    line = body.lstrip().partition("\n")[0]
    return (), (
        wording.type_contradicts_text(
            piece.said,
            own("cloud-config"),
            Own(_FODDER_TYPES[marked]) if marked in _FODDER_TYPES else None,
            _marker(line),
            piece.first_line,
            trail(piece.fodder.text_origin),
        ),
    )


def _marker(line: str) -> Said:
    """The marker alone: what follows it may be anything."""
    return Said(line[:2] if line.startswith("#!") else line.split()[0])


def _check_script(piece: Piece, mode: MergeMode) -> Checked:
    body = template_body(piece.text) if piece.jinja else piece.text
    marked = marked_type(body)
    if marked is not None and marked != SHELLSCRIPT and piece.media_type == SHELLSCRIPT:
        line = body.lstrip().partition("\n")[0]
        retyped = piece.retyped(marked)
        note = wording.script_read_as_other(
            piece.said,
            Own(_WORDS.get(marked, "a template")),
            _marker(line),
            piece.first_line,
            trail(piece.fodder.text_origin),
        )
        if marked not in _WORDS:
            return (piece,) if mode is MergeMode.PARTS else (), (_no_interpreter(piece, mode),)
        pieces, found = check(retyped, mode)
        return pieces, (note, *found)
    if body.startswith("#!"):
        return (piece,), ()
    from eryphc.guest.windows_names import has_interpreter_marker

    kept = (piece,) if mode is MergeMode.PARTS else ()
    ending = extension(piece.fodder.filename or "").lower()
    if marked is None and (ending in ("ps1", "cmd", "bat") or has_interpreter_marker(body)):
        refused = wording.linux_gets_windows_script(
            piece.said, piece.first_line, trail(piece.fodder.text_origin)
        )
        return kept, (_faithful(piece, refused, own("it is a script for Windows"), mode),)
    return kept, (_no_interpreter(piece, mode),)


def _no_interpreter(piece: Piece, mode: MergeMode, what: str = "script") -> Diagnostic:
    refused = wording.script_without_interpreter(
        piece.said,
        Own(what),
        piece.first_line,
        trail(piece.fodder.text_origin),
        indented=piece.text.lstrip().startswith("#!"),
    )
    return _faithful(piece, refused, own("it does not begin with `#!`"), mode)


def _check_boothook(piece: Piece, mode: MergeMode) -> Checked:
    body = template_body(piece.text) if piece.jinja else piece.text
    if body.removeprefix(BOOTHOOK_MARKER).lstrip().startswith("#!"):
        return (piece,), ()
    kept = (piece,) if mode is MergeMode.PARTS else ()
    return kept, (_no_interpreter(piece, mode, "boothook"),)


def _check_archive(piece: Piece, mode: MergeMode) -> Checked:
    from eryphc.guest.archive import expand

    entries, found = expand(piece)
    pieces: list[Piece] = []
    all_found = list(found)
    for entry in entries:
        checked, more = check(entry, mode)
        pieces += checked
        all_found += more
    if mode is MergeMode.MERGED:
        return tuple(pieces), tuple(all_found)
    return (piece,), tuple(_as_drop(piece, diagnostic) for diagnostic in all_found)


def _as_drop(archive: Piece, found: Diagnostic) -> Diagnostic:
    """An error of an archive as what the guest does then."""
    if found.level is not Level.ERROR or found.code == wording.TEXT_NOT_UNICODE:
        return found
    place = found.primary.span if found.primary else None
    return wording.guest_drops_part(archive.said, found, place, found.related)
