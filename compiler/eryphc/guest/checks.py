"""Whether a guest takes a piece up at all, and what for.

What a guest would silently drop is refused; where its own handling is asked for (`--merge parts`)
the same is a warning, and the piece stays. The first refusal counts: the rest would only say what
follows from it. Source: docs/reference/cloud-init.md, "Types of parts",
"Names of parts", "Jinja templates", "Archives and includes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Label, Level, has_errors, trail
from eryphc.diagnostics.said import Own, Said, Words, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.reports import report
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
from eryphc.lint.engine import Rule, first, judge

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
# A line of the header of mail, a comment, or the line that begins a mailbox.
_HEADER_LINE: Final = re.compile(r"[!-9;-~]+:.*|[ \t]+\S.*|From .*|#.*")
_MULTIPART: Final = re.compile(
    r"^content-type:[ \t]*multipart/[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY: Final = re.compile(r"boundary[ \t]*=[ \t]*[\"']?([^\"'\s;]+)", re.IGNORECASE)
# As much as cloud-init searches for the header.
_LONGEST_HEADER: Final = 4096
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


class Candidate(NamedTuple):
    """A piece that a guest may take up, and how it would reach the guest."""

    piece: Piece
    mode: MergeMode = MergeMode.MERGED

    @property
    def body(self) -> str:
        """The text that counts once a template is rendered."""
        return template_body(self.piece.text) if self.piece.jinja else self.piece.text

    @property
    def chain(self) -> tuple[Label, ...]:
        return trail(self.piece.fodder.text_origin)

    @property
    def read_as(self) -> str | None:
        """The other type that a guest takes a script for by its beginning."""
        marked = marked_type(self.body) if self.piece.media_type == SHELLSCRIPT else None
        return marked if marked in _WORDS else None

    def refused(self, error: Diagnostic, reason: Words) -> Diagnostic:
        """The error, or with the guest's own handling that the guest drops the piece."""
        if self.mode is MergeMode.MERGED:
            return error
        place = error.primary.span if error.primary else None
        return wording.guest_drops_part(self.piece.said, reason, place, error.related)


def check(piece: Piece, mode: MergeMode) -> Checked:
    """The pieces that come of one piece for a Linux guest: none where it is refused."""
    candidate = Candidate(piece, mode)
    refused = first(REFUSALS if mode is MergeMode.MERGED else DROPS, candidate)
    if refused:
        stays = mode is MergeMode.PARTS and not has_errors(refused)
        return (piece,) if stays else (), tuple(refused)
    if piece.media_type == ARCHIVE:
        return _check_archive(piece, mode)
    unloadable = _of_template(piece, mode)
    if has_errors(unloadable):
        return (), unloadable
    found = (*unloadable, *judge(REMARKS, candidate))
    if candidate.read_as is None:
        return (piece,), found
    pieces, more = check(piece.retyped(candidate.read_as), mode)
    return pieces, (*found, *more)


def _of_template(piece: Piece, mode: MergeMode) -> tuple[Diagnostic, ...]:
    """What is wrong with a Jinja cloud-config, whatever it renders to."""
    if not piece.jinja or piece.media_type != CLOUD_CONFIG:
        return ()
    fodder, faults = piece.rendered
    level = Level.ERROR if mode is MergeMode.MERGED else Level.WARNING
    return tuple(report(fodder, faults, level))


def _check_archive(piece: Piece, mode: MergeMode) -> Checked:
    from eryphc.guest.archive import expand

    entries, found = expand(piece, stays=mode is MergeMode.PARTS)
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


# --- what any guest refuses --------------------------------------------------------------------


def _not_unicode(candidate: Candidate) -> Iterator[Diagnostic]:
    """JSON can write half a surrogate pair, which has no UTF-8 form."""
    piece = candidate.piece
    if piece.text.isascii():
        return
    try:
        piece.text.encode()
    except UnicodeEncodeError as error:
        place = piece.span(error.start, error.start + 1)
        yield wording.text_not_unicode(piece.said, place, candidate.chain)


def _empty(candidate: Candidate) -> Iterator[Diagnostic]:
    piece, mode = candidate
    # What a guest makes of cloud-configs as they are is reported with all of them.
    if not piece.text.strip() and (mode is MergeMode.MERGED or piece.media_type != CLOUD_CONFIG):
        yield wording.fodder_empty(piece.said, piece.fodder.at("name"), candidate.chain)


def _encoded(candidate: Candidate) -> Iterator[Diagnostic]:
    """Somebody has encoded the text already, as other tools want user-data."""
    piece, text = candidate.piece, candidate.piece.text
    if not text[:64].lstrip(" \n").startswith(_ENCODED):
        return
    if text.startswith("\x1f"):
        encoding = "compressed"
    elif _BASE64.fullmatch(text) is not None:
        encoding = "base64"
    else:
        return
    error = wording.text_encoded(piece.said, Own(encoding), piece.first_line, candidate.chain)
    yield candidate.refused(error, own("its text is encoded"))


def _multipart(candidate: Candidate) -> Iterator[Diagnostic]:
    """Somebody has put the parts together already. The build does that."""
    piece = candidate.piece
    text = piece.text
    blank = len(text) - len(text.lstrip())
    header = text[blank : blank + _LONGEST_HEADER].partition("\n\n")[0]
    found = _MULTIPART.search(header)
    boundary = None if found is None else _BOUNDARY.search(found[0])
    if found is None or boundary is None or f"\n--{boundary[1]}" not in text:
        return
    if all(_HEADER_LINE.fullmatch(line) for line in header.split("\n")):
        line_end = text.find("\n", blank + found.start())
        place = piece.span(blank + found.start(), len(text) if line_end == -1 else line_end)
        error = wording.multipart_pasted(piece.said, place, candidate.chain)
        yield candidate.refused(error, own("it is a multipart document (MIME)"))


# --- what a Linux guest refuses ----------------------------------------------------------------


def _upstart_job(candidate: Candidate) -> Iterator[Diagnostic]:
    piece = candidate.piece
    if piece.media_type == UPSTART_JOB:
        error = wording.upstart_job_removed(piece.said, piece.fodder.at("type"), candidate.chain)
        yield candidate.refused(error, own("cloud-init removed upstart jobs in 22.2"))


def _never_rendered(candidate: Candidate) -> Iterator[Diagnostic]:
    piece = candidate.piece
    if piece.jinja and piece.media_type not in _TEMPLATES:
        known = _FODDER_TYPES.get(piece.media_type)
        kind = Said(piece.media_type) if known is None else Own(known)
        error = wording.template_not_possible(piece.said, kind, piece.first_line, candidate.chain)
        yield candidate.refused(error, own("a {} is never rendered", kind))


def _broken_template(candidate: Candidate) -> Iterator[Diagnostic]:
    piece = candidate.piece
    if not piece.jinja:
        return
    from eryphc.guest.templates import template_fault

    fault = template_fault(piece.text)
    if fault is not None:
        reason, start, end = fault
        error = wording.template_broken(piece.said, reason, piece.span(start, end), candidate.chain)
        yield candidate.refused(error, own("it is no template: {}", reason))


def _other_type(candidate: Candidate) -> Iterator[Diagnostic]:
    piece, mode = candidate
    if piece.media_type != CLOUD_CONFIG or mode is MergeMode.PARTS:
        return
    marked = marked_type(candidate.body)
    if marked is None or marked == CLOUD_CONFIG:
        return
    if not piece.jinja and piece.root is not None and piece.root.entries:
        return
    yield wording.type_contradicts_text(
        piece.said,
        own("cloud-config"),
        Own(_FODDER_TYPES[marked]) if marked in _FODDER_TYPES else None,
        _marker(candidate.body),
        piece.first_line,
        candidate.chain,
    )


def _marker(body: str) -> Said:
    """The marker alone: what follows it may be anything."""
    line = body.lstrip().partition("\n")[0]
    return Said(line[:2] if line.startswith("#!") else line.split()[0])


def _for_windows(candidate: Candidate) -> Iterator[Diagnostic]:
    piece, body = candidate.piece, candidate.body
    if piece.media_type not in _SCRIPTS or marked_type(body) is not None:
        return
    from eryphc.guest.windows_names import has_interpreter_marker

    ending = extension(piece.fodder.filename or "").lower()
    if ending in ("ps1", "cmd", "bat") or has_interpreter_marker(body):
        error = wording.linux_gets_windows_script(piece.said, piece.first_line, candidate.chain)
        yield candidate.refused(error, own("it is a script for Windows"))


def _without_interpreter(candidate: Candidate) -> Iterator[Diagnostic]:
    piece, text = candidate.piece, candidate.body
    if piece.media_type == BOOTHOOK:
        what, text = "boothook", text.removeprefix(BOOTHOOK_MARKER).lstrip()
    elif piece.media_type in _SCRIPTS and candidate.read_as is None:
        what = "script"
    else:
        return
    if not text.startswith("#!"):
        error = wording.script_without_interpreter(
            piece.said,
            Own(what),
            piece.first_line,
            candidate.chain,
            indented=piece.text.lstrip().startswith("#!"),
        )
        yield candidate.refused(error, own("it does not begin with `#!`"))


# --- what a Linux guest takes up, though not as its author may think -----------------------------


def _script_read_as_other(candidate: Candidate) -> Iterator[Diagnostic]:
    piece, other = candidate.piece, candidate.read_as
    if other is not None:
        yield wording.script_read_as_other(
            piece.said,
            Own(_WORDS[other]),
            _marker(candidate.body),
            piece.first_line,
            candidate.chain,
        )


def _unpinned(candidate: Candidate) -> Iterator[Diagnostic]:
    piece = candidate.piece
    if piece.media_type in INCLUDES:
        yield wording.include_unpinned(piece.said, piece.fodder.at(), candidate.chain)


UNFIT: Final[tuple[Rule[Candidate], ...]] = (
    Rule(wording.TEXT_NOT_UNICODE, _not_unicode),
    Rule(wording.FODDER_EMPTY, _empty),
    Rule(wording.TEXT_ENCODED, _encoded),
    Rule(wording.MULTIPART_PASTED, _multipart),
)
REFUSALS: Final[tuple[Rule[Candidate], ...]] = (
    *UNFIT,
    Rule(wording.UPSTART_JOB_REMOVED, _upstart_job),
    Rule(wording.TEMPLATE_NOT_POSSIBLE, _never_rendered),
    Rule(wording.TEMPLATE_BROKEN, _broken_template),
    Rule(wording.TYPE_CONTRADICTS_TEXT, _other_type),
    Rule(wording.LINUX_GETS_WINDOWS_SCRIPT, _for_windows),
    Rule(wording.SCRIPT_WITHOUT_INTERPRETER, _without_interpreter),
)
# The same where the guest's own handling is asked for.
DROPS: Final[tuple[Rule[Candidate], ...]] = tuple(
    rule._replace(more=(wording.GUEST_DROPS_PART,)) for rule in REFUSALS
)
REMARKS: Final[tuple[Rule[Candidate], ...]] = (
    Rule(wording.SCRIPT_READ_AS_OTHER, _script_read_as_other),
    Rule(wording.INCLUDE_UNPINNED, _unpinned),
)
