"""Fodder entries to pieces: each with the type a guest takes it for and its text made fit for one.

Source: docs/reference/guest-configuration.md, "Text of parts"; docs/reference/cloud-init.md,
"Encoding of parts", "Types of parts", "Jinja templates".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics.said import Said, named
from eryphc.frozen import replace
from eryphc.guest.cloudconfig.nodes import MappingNode
from eryphc.guest.cloudconfig.reader import ReadEntry, TextReader
from eryphc.guest.cloudconfig.tree import AnyReading, Reading
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.source import SourceText, Span

if TYPE_CHECKING:
    from eryphc.guest.renderings import Rendered

CLOUD_CONFIG: Final = "text/cloud-config"
SHELLSCRIPT: Final = "text/x-shellscript"
BOOTHOOK: Final = "text/cloud-boothook"
ARCHIVE: Final = "text/cloud-config-archive"
INCLUDE: Final = "text/x-include-url"
INCLUDE_ONCE: Final = "text/x-include-once-url"
PART_HANDLER: Final = "text/part-handler"
UPSTART_JOB: Final = "text/upstart-job"
JSON_PATCH: Final = "text/cloud-config-jsonp"
JINJA: Final = "text/jinja2"
INCLUDES: Final = (INCLUDE, INCLUDE_ONCE)

MEDIA_TYPES: Final = {
    "cloud-config": CLOUD_CONFIG,
    "shellscript": SHELLSCRIPT,
    "cloud-boothook": BOOTHOOK,
    "cloud-config-archive": ARCHIVE,
    "include-url": INCLUDE,
    "include-once-url": INCLUDE_ONCE,
    "part-handler": PART_HANDLER,
    "upstart-job": UPSTART_JOB,
}

JINJA_MARKER: Final = "## template: jinja"
CLOUD_CONFIG_MARKER: Final = "#cloud-config"
BOOTHOOK_MARKER: Final = "#cloud-boothook"
# Longest first, as cloud-init looks them up.
_MARKERS: Final = (
    ("#cloud-config-archive", ARCHIVE),
    ("#cloud-config-jsonp", JSON_PATCH),
    (JINJA_MARKER, JINJA),
    (BOOTHOOK_MARKER, BOOTHOOK),
    ("#include-once", INCLUDE_ONCE),
    (CLOUD_CONFIG_MARKER, CLOUD_CONFIG),
    ("#part-handler", PART_HANDLER),
    ("#include", INCLUDE),
    ("#!", SHELLSCRIPT),
)
_ANY_MARKER: Final = tuple(marker for marker, _ in _MARKERS)

_CLOSING: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_TAG: Final = re.compile(r"\{[{%#]")

NO_CONTENT: Final = Content("", Written(Span(SourceText("", ""), 0, 0)))


class Piece:
    """One fodder entry, or one entry of an archive, as a guest would read it.

    `media_type` is what the piece is in the end; a Jinja piece is sent as `text/jinja2` and
    becomes that only in the guest. `fodder.content` holds the piece's text with LF line ends,
    without byte order mark and trailing NULs, its places still those of the author's document.
    `entry` is the position of the fodder entry in its catlet. A piece carries its data, which
    `reader` reads when it is first asked for.
    """

    __slots__ = (
        "_archive",
        "_reading",
        "_rendered",
        "entry",
        "fodder",
        "jinja",
        "media_type",
        "reader",
    )

    def __init__(
        self,
        fodder: Fodder,
        media_type: str,
        entry: int,
        reader: TextReader,
        *,
        jinja: bool = False,
    ) -> None:
        self.fodder: Final = fodder
        self.media_type: Final = media_type
        self.entry: Final = entry
        self.reader: Final = reader
        self.jinja: Final = jinja
        self._reading: Reading | None = None
        self._archive: AnyReading | None = None
        self._rendered: Rendered | None = None

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"Piece({self.label!r}, {self.sent_as!r})"

    @property
    def content(self) -> Content:
        return self.fodder.content or NO_CONTENT

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def label(self) -> str:
        """The name of the piece for people."""
        return _label(self.fodder)

    @property
    def said(self) -> Said:
        """The label inside a message."""
        return said_entry(self.fodder)

    @property
    def sent_as(self) -> str:
        return JINJA if self.jinja else self.media_type

    @property
    def reading(self) -> Reading:
        """The data of a cloud-config; of a template what it holds whatever it renders to."""
        if self._reading is None:
            self._reading = (
                self.reader.read_text(without_expressions(self.text))
                if self.jinja
                else self.reader.read(self.content)
            )
        return self._reading

    @property
    def rendered(self) -> Rendered:
        """What is certain of a template that is to become a cloud-config."""
        if self._rendered is None:
            from eryphc.guest.renderings import render

            self._rendered = render(self.fodder, self.content)
        return self._rendered

    @property
    def root(self) -> MappingNode | None:
        return self.reading.root

    @property
    def archive(self) -> AnyReading:
        """The data of an archive."""
        if self._archive is None:
            self._archive = self.reader.read_any(self.text)
        return self._archive

    @property
    def loaded_archive(self) -> AnyReading:
        """The data of an archive that reaches the guest as it stands."""
        return self.reader.loaded_any(self.text)

    @property
    def read_entry(self) -> ReadEntry:
        return ReadEntry(self.fodder, self.reading, self.entry)

    @property
    def loaded_entry(self) -> ReadEntry:
        """A cloud-config that reaches the guest as it stands, with what its loader makes of it."""
        return ReadEntry(self.fodder, self.reader.loaded(self.text), self.entry)

    def retyped(self, media_type: str) -> Piece:
        """The same text, taken for another type."""
        return Piece(self.fodder, media_type, self.entry, self.reader, jinja=self.jinja)

    def span(self, start: int, end: int) -> Span:
        """The place of some characters of the text."""
        return self.content.span(start, end)

    @property
    def first_line(self) -> Span:
        end = self.text.find("\n")
        return self.span(0, len(self.text) if end == -1 else end)


def _label(fodder: Fodder) -> str:
    return fodder.name or fodder.filename or "fodder entry"


def said_entry(fodder: Fodder) -> Said:
    """What people call a fodder entry, inside a message."""
    key = "name" if fodder.name else "filename"
    return named(_label(fodder), fodder.place(key) or fodder.at())


def piece_of(fodder: Fodder, entry: int, reader: TextReader) -> Piece:
    """The piece of a fodder entry: its type is the one it says, and its Jinja marker counts."""
    content = normalised(fodder.content)
    # Blank is unset; another type can only come from a packed gene, which is not refused for it.
    media_type = MEDIA_TYPES.get(fodder.type or "", MEDIA_TYPES["cloud-config"])
    if content is not fodder.content:
        fodder = replace(fodder, content=content)
    return Piece(fodder, media_type, entry, reader, jinja=is_jinja(content.text))


def normalised(content: Content | None) -> Content:
    """The text as every guest gets it: no trailing NULs, no byte order mark, LF for CR LF."""
    if content is None:
        return NO_CONTENT
    text = content.text.rstrip("\0")
    insertions: list[Insertion] = []
    if text.startswith("\ufeff"):
        insertions.append(Insertion(0, 0, 0, 1))
    if "\r\n" in text:
        found = text.find("\r\n")
        while found != -1:
            at = found - len(insertions)
            insertions.append(Insertion(at, at + 1, found, found + 2))
            found = text.find("\r\n", found + 2)
        text = text.replace("\r\n", "\n")
    text = text.removeprefix("\ufeff")
    if insertions:
        return Content(text, Substituted(content, tuple(insertions)))
    return content if text == content.text else Content(text, Substituted(content, ()))


def is_jinja(text: str) -> bool:
    """Whether the first line makes the text a template that the guest renders."""
    return text.startswith("#") and text.partition("\n")[0].rstrip().lower() == JINJA_MARKER


def marked_type(text: str) -> str | None:
    """The type cloud-init gives a text by its beginning, white space and case ignored."""
    start = text.lstrip()[:24].lower()
    if not start.startswith(_ANY_MARKER):
        return None
    return next(media_type for marker, media_type in _MARKERS if start.startswith(marker))


def template_body(text: str) -> str:
    """A Jinja text without its first line."""
    return text.partition("\n")[2]


def without_expressions(text: str) -> str:
    """A template with words for its expressions and blanks for its statements.

    Each is as long as what it stands for, so that places stay right.
    """
    made: list[str] = []
    at = 0
    unclosed: set[str] = set()
    for match in _TAG.finditer(text):
        opening, start = match[0], match.start()
        if start < at or opening in unclosed:
            continue
        closing = _CLOSING[opening]
        end = text.find(closing, start + 2)
        if end == -1:
            # None of the others is closed either.
            unclosed.add(opening)
            continue
        end += len(closing)
        made += (text[at:start], _filled(text[start:end], "x" if opening == "{{" else " "))
        at = end
    return "".join((*made, text[at:]))


def _filled(text: str, character: str) -> str:
    return "".join("\n" if here == "\n" else character for here in text)


def marker_line(text: str) -> int | None:
    """Before which line of a cloud-config its marker is missing; None where it is there.

    The marker is the first line, or the one below the Jinja marker.
    """
    number = 0
    line, _, rest = text.partition("\n")
    while is_jinja(line):
        number += 1
        line, _, rest = rest.partition("\n")
    if line.startswith(CLOUD_CONFIG_MARKER) and not line[len(CLOUD_CONFIG_MARKER) :].strip():
        return None
    return number


def with_marker(text: str) -> str:
    """A cloud-config that says it is one."""
    number = marker_line(text)
    if number is None:
        return text
    lines = text.split("\n")
    if number == len(lines):
        lines.append("")
    lines.insert(number, CLOUD_CONFIG_MARKER)
    return "\n".join(lines)
