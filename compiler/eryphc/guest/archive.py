"""Archives of cloud-config: one fodder entry that holds others, taken apart at build time.

An archive is data, so the guest need not do it.
Source: docs/reference/cloud-init.md, "Archives and includes".
"""

from __future__ import annotations

import re
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Level, trail
from eryphc.diagnostics.said import Own, Said, Words, own
from eryphc.frozen import replace
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, kind
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.cloudconfig.reports import report
from eryphc.guest.cloudconfig.strategy import has_strategy
from eryphc.guest.cloudconfig.tree import block_lines
from eryphc.guest.encode import quoted
from eryphc.guest.pieces import (
    ARCHIVE,
    CLOUD_CONFIG,
    INCLUDES,
    JINJA,
    UPSTART_JOB,
    Piece,
    is_jinja,
    marked_type,
    normalised,
    template_body,
)
from eryphc.ir.content import Content, Insertion, Substituted, Written

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+\Z")
# What becomes of user-data with a broken archive (`_explode_archive` of cloud-init's user_data.py).
_ALL_LOST: Final = Own("the guest would lose all of its user-data")
_ARCHIVE_LOST: Final = Own("the guest drops the archive")
_ENTRY_LOST: Final = Own("the guest drops it")
_MERGE_HEADERS: Final = ("Merge-Type", "X-Merge-Type")
# Keys that no header is made of, in lower case.
_NO_HEADERS: Final = frozenset(
    (
        *("content", "filename", "launch-index", "content-disposition"),
        *("number-attachments", "content-type"),
    )
)


def expand(
    archive: Piece, *, stays: bool = False
) -> tuple[tuple[Piece, ...], tuple[Diagnostic, ...]]:
    """The entries of an archive as pieces, in order, and what no guest would take up.

    What is broken so that a guest loses everything, or an entry that a guest drops, is an error.
    An archive that `stays` one is read by the guest.
    """
    fodder, chain = archive.fodder, trail(archive.fodder.text_origin)
    reading = archive.loaded_archive if stays else archive.archive
    root = reading.root
    if root is None:
        fault = reading.faults[-1]
        if stays and archive.archive.root is not None:
            # Only the loader of the guest refuses it.
            return (), tuple(report(fodder, (fault,), Level.WARNING, is_archive=True))
        place = archive.span(fault.start, fault.end)
        return (), (
            wording.archive_broken(archive.said, fault.problem, _ARCHIVE_LOST, place, chain),
        )
    if not isinstance(root, Sequence):
        place = archive.span(root.start, min(root.end, _line_end(archive.text, root.start)))
        problem = own("it is {}, not a list", Own(kind(root)))
        return (), (wording.archive_broken(archive.said, problem, _ARCHIVE_LOST, place, chain),)
    pieces: list[Piece] = []
    found: list[Diagnostic] = []
    for number, entry in enumerate(root.items, start=1):
        place = archive.span(entry.start, _line_end(archive.text, entry.start))
        content = entry.get("content") if isinstance(entry, MappingNode) else entry
        if not isinstance(content, Scalar) or not isinstance(content.value, str):
            has = own("no content")
            if content is not None:
                has = own("{} as its content", Own(kind(content)))
            problem = own("entry {} has {}, where text is expected", number, has)
            # Of an entry without `content` the guest makes an empty part.
            is_read = isinstance(entry, MappingNode) and content is not None
            lost = _ALL_LOST if is_read else _ENTRY_LOST
            found.append(wording.archive_broken(archive.said, problem, lost, place, chain))
            continue
        unfit = _unfit_header(entry) if stays else None
        if unfit is not None:
            key, value = unfit
            problem = own("entry {} has {} as `{}`, where text is expected", number, value, key)
            found.append(wording.archive_broken(archive.said, problem, _ALL_LOST, place, chain))
            continue
        text = _merging(
            entry, normalised(_content(archive, content, content.value)), archive.reader
        )
        given, filename = _said(entry, "type"), _said(entry, "filename")
        media_type = _type(text.text, given)
        reason = _refusal(media_type, given)
        if reason is not None:
            lost = _ALL_LOST if "/" not in media_type else _ENTRY_LOST
            entry_said = own("entry {}", number)
            found.append(
                wording.archive_entry_dropped(
                    archive.said, entry_said, Own(reason), lost, place, chain
                )
            )
            continue
        jinja = is_jinja(text.text)
        if jinja and media_type == JINJA:
            media_type = marked_type(template_body(text.text)) or CLOUD_CONFIG
        name = f"{fodder.name}-{number}" if fodder.name else None
        pieces.append(
            Piece(
                replace(fodder, name=name, filename=filename, content=text),
                media_type,
                archive.entry,
                archive.reader,
                jinja=jinja,
            )
        )
    return tuple(pieces), tuple(found)


def _unfit_header(entry: Node) -> tuple[Words, Own] | None:
    """A key of which the guest cannot make a header of mail, and what its value is."""
    if not isinstance(entry, MappingNode):
        return None
    for key, value in entry.entries.items():
        scalar = value.value if isinstance(value, Scalar) else value
        taken = scalar is None or isinstance(scalar, str)
        if not isinstance(key, str):
            return Said(repr(key)), own("a key that is no text")
        if key == "type":
            # What counts as false is no type.
            taken = taken or (isinstance(value, Scalar) and not scalar)
        if not taken and key.lower() not in _NO_HEADERS:
            return Said(key), Own(kind(value))
    return None


def _said(entry: Node, key: str) -> str | None:
    return entry.text(key) if isinstance(entry, MappingNode) else None


def _type(text: str, given: str | None) -> str:
    if given:
        return given.lower()
    return marked_type(text) or CLOUD_CONFIG


def _refusal(media_type: str, given: str | None) -> str | None:
    if given is not None and not _MEDIA_TYPE.match(given):
        return "of a type that is no media type"
    if media_type == ARCHIVE:
        return "an archive again"
    if media_type in INCLUDES:
        return "an include"
    if media_type == UPSTART_JOB:
        return "an upstart-job"
    return None


def _merging(entry: Node, content: Content, reader: TextReader) -> Content:
    """The text with the strategy of its entry's header, which the text's own goes before."""
    if not isinstance(entry, MappingNode):
        return content
    header = next((said for key in _MERGE_HEADERS if (said := entry.text(key))), None)
    root = None if header is None else reader.read(content).root
    if header is None or root is None or not root.entries or has_strategy(root):
        return content
    own = content.text
    # Behind everything else where that gives a key of the map, else at its beginning.
    made = _replaced(content, len(own.rstrip()), len(own), f"\nmerge_how: {quoted(header)}\n")
    merging = reader.read_text(made.text).root
    if merging is None or "merge_how" not in merging.entries:
        at = root.start
        made = _replaced(content, at, at + 1, f"{{merge_how: {quoted(header)},")
    return made


def _replaced(content: Content, start: int, end: int, text: str) -> Content:
    """The content with `text` for its characters from `start` to `end`."""
    insertion = Insertion(start, start + len(text), start, end)
    made = f"{content.text[:start]}{text}{content.text[end:]}"
    return Content(made, Substituted(content, (insertion,)))


def _content(archive: Piece, node: Scalar, text: str) -> Content:
    """The text of an entry, which knows its places by those of the archive."""
    source, base = archive.text, archive.content
    kept = block_lines(source, node)
    if kept is None:
        at = source.find(text, node.start, node.end)
        if at == -1:
            # Folded or escaped: no character can be followed.
            return Content(text, Written(base.span(node.start, node.end)))
        kept = [(at, at + len(text))]
    insertions: list[Insertion] = []
    new = old = 0
    for start, end in kept:
        # What lies between two lines is left out: indentation, and what stands around.
        insertions.append(Insertion(new, new, old, start))
        # With the line feed, where the text has one.
        length = end - start + text.startswith("\n", new + end - start)
        new, old = new + length, start + length
    insertions.append(Insertion(new, new, old, len(source)))
    return Content(text, Substituted(base, tuple(insertions)))


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end == -1 else end
