"""Foods to pieces: each with the type a guest takes it for and its text made fit for one.

Source: cli.md ("Text"), cloud-init.md 2.1, 2.2 and 2.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.source import SourceText, Span

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


NO_CONTENT: Final = Content("", Written(Span(SourceText("", ""), 0, 0)))


class Piece(NamedTuple):
    """One food, or one entry of an archive, as a guest would take it up.

    `media_type` is what the piece is in the end; a Jinja piece is sent as `text/jinja2` and
    becomes that only in the guest. `food.content` holds the piece's text with LF line ends,
    without byte order mark and trailing NULs, its places still those of the author's document.
    `entry` is the index in the request's foods of the one that this is, or is an entry of.
    """

    food: Fodder
    entry: int
    media_type: str
    jinja: bool = False

    @property
    def content(self) -> Content:
        return self.food.content or NO_CONTENT

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def label(self) -> str:
        """What people call the piece."""
        return self.food.name or self.food.filename or "food"

    @property
    def sent_as(self) -> str:
        return JINJA if self.jinja else self.media_type

    def span(self, start: int, end: int) -> Span:
        """The place of some characters of the text."""
        return self.content.span(start, end)

    @property
    def first_line(self) -> Span:
        end = self.text.find("\n")
        return self.span(0, len(self.text) if end == -1 else end)


def piece_of(food: Fodder, entry: int) -> Piece:
    """The piece of a food whose type is the one it says, or that its Jinja marker adds to."""
    content = normalised(food.content)
    # Blank is unset; another type can only come from a packed gene, which is not refused for it.
    media_type = MEDIA_TYPES.get(food.type or "", MEDIA_TYPES["cloud-config"])
    if content is not food.content:
        food = replace(food, content=content)
    return Piece(food=food, entry=entry, media_type=media_type, jinja=is_jinja(content.text))


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


def with_marker(text: str) -> str:
    """A cloud-config whose first line, or the one below the Jinja marker, says so."""
    if is_jinja(text):
        first, line_end, rest = text.partition("\n")
        return first + (line_end or "\n") + with_marker(rest)
    first = text.partition("\n")[0]
    if first.startswith(CLOUD_CONFIG_MARKER) and not first[len(CLOUD_CONFIG_MARKER) :].strip():
        return text
    return f"{CLOUD_CONFIG_MARKER}\n{text}"
