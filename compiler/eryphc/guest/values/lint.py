"""Findings on values that do not arrive in a guest as the one value that they are.

Source: docs/reference/language.md, "Values in context"; docs/reference/cloud-init.md, "YAML as a
guest reads it".
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Final, TypeAlias

from eryphc.diagnostics import values as wording
from eryphc.diagnostics.findings import MOST
from eryphc.diagnostics.model import Diagnostic, Label, trail
from eryphc.diagnostics.said import NO_WORDS, Own, Said, Words, joined, named, own
from eryphc.diagnostics.words import clipped
from eryphc.guest.cloudconfig import nodes as data
from eryphc.guest.cloudconfig.wanted import kinds_at
from eryphc.guest.model import GuestKind, Reader
from eryphc.guest.names import extension
from eryphc.guest.pieces import (
    ARCHIVE,
    BOOTHOOK,
    BOOTHOOK_MARKER,
    CLOUD_CONFIG,
    Piece,
    template_body,
    without_expressions,
)
from eryphc.guest.values import yaml as trees
from eryphc.guest.values.places import Place, Placed, placed
from eryphc.guest.values.quoting import Quoting
from eryphc.lint.engine import Declared
from eryphc.origin import Step
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style

KINDS: Final[Declared] = (wording.VALUE_BREAKS_OUT,)

_SCRIPTS: Final = (
    "text/x-shellscript",
    "text/x-shellscript-per-boot",
    "text/x-shellscript-per-instance",
    "text/x-shellscript-per-once",
    BOOTHOOK,
)
# Nothing to a shell, to PowerShell, and inside the quotes of JSON.
_OF_ONE_WORD: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:%+=^-"
)
# What may be a number, a date, a flag or null where it is a piece of a plain scalar, or all of it.
_OF_NUMBERS: Final = frozenset("0123456789-+.:_ abcdefxotz~")
_TYPED: Final = frozenset(
    ("y", "yes", "n", "no", "on", "off", "true", "false", "null", "inf", "nan")
)
# These are compiled where they are used, which few catlets need.
_OTHER_NUMBER: Final = r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+|0o[0-7]+"
_PWSH: Final = r"#!.*\bpwsh\b"
_JSON_QUOTES: Final = r'(?s:\\.|")'
_JSON_SIGNS: Final = r'[\0-\x1f"\\]'
_SIGNS: Final = (
    (r"[\n\r]", own("a line break")),
    (r"(?:^|\s)#", own("a `#` that begins a comment")),
    (r":(?:\s|$)", own("a `:` that ends a key")),
    (r"['\"]", own("a quote")),
    (r"\\", own("a backslash")),
    (r"^\s|\s$", own("a blank at an end")),
    (r"^[!&*|>%@`?-]", own("a sign of YAML at its beginning")),
    (r"[\[\]{},]", own("a bracket or a comma")),
    (r"", own("a sign of YAML")),
)
# The names of variables are public, whatever stands in the place of a reference.
_NOWHERE: Final = Span(SourceText("", ""), 0, 0)
_LONGEST: Final = 60
_MOST_KEYS: Final = 5
_MOST_TRIED: Final = 8


def lint(pieces: Iterable[Piece], guest: GuestKind, agent: Reader) -> list[Diagnostic]:
    """All findings on the values in the texts of a guest, which `agent` reads.

    A text without values costs nothing.
    """
    found: list[Diagnostic] = []
    for piece in pieces:
        places = placed(piece.content)
        if places is not None:
            found += _Text(piece, places, guest, agent).judged()
    return found


class _FullError(Exception):
    """There are enough findings."""


class _Text:
    """One text, and what was found in it: of each variable the first finding of a kind."""

    def __init__(self, piece: Piece, places: Placed, guest: GuestKind, agent: Reader) -> None:
        self.piece = piece
        self.placed = places
        self.guest = guest
        self.agent = agent
        self.chain = trail(piece.fodder.text_origin)
        self.found: dict[tuple[str, object], Diagnostic] = {}
        self.out: set[int] = set()

    def judged(self) -> Iterable[Diagnostic]:
        piece = self.piece
        with suppress(_FullError):
            if piece.media_type == CLOUD_CONFIG:
                self.types()
            if piece.media_type in (CLOUD_CONFIG, ARCHIVE):
                self.yaml()
            elif piece.media_type in _SCRIPTS and any(map(_splits, self.placed.places)):
                self.script()
        return self.found.values()

    def add(self, place: Place, what: object, diagnostic: Diagnostic) -> None:
        if place.stood_in:
            return
        self.found.setdefault((place.name.lower(), what), diagnostic)
        if len(self.found) >= MOST:
            raise _FullError

    def related(self, place: Place) -> tuple[Label, ...]:
        return (*self.chain, *_came_from(place))

    def secret(self, place: Place) -> bool:
        return place.secret or bool(self.piece.fodder.secret)

    # --- YAML -----------------------------------------------------------------------------------

    def yaml(self) -> None:
        breaks = trees.suspicious(self.placed)
        splits = any(map(_splits, self.placed.places))
        if not breaks and not splits:
            return
        expected = self.read(self.placed.marked)
        # A text that is none with any harmless word takes a piece of YAML for its value.
        root = SequenceNode if self.piece.media_type == ARCHIVE else MappingNode
        if not isinstance(expected, root):
            return
        if breaks:
            self.breaks(expected)
        if splits and self.piece.media_type == CLOUD_CONFIG and isinstance(expected, MappingNode):
            self.commands(expected)
            self.files(expected)

    def read(self, text: str) -> Node | None:
        text = without_expressions(text) if self.piece.jinja else text
        return self.piece.reader.syntax(text).value

    def breaks(self, expected: Node) -> None:
        placed, read = self.placed, self.read(self.placed.text)
        if read is None:
            scalars = _scalars(placed, expected)
            causes = self.unreadable()
            for number in causes:
                self.out.add(number)
                words = own("the guest cannot read the text at all")
                self.breaks_out(placed.places[number], words, scalars.get(number))
            placed = placed.without(causes)
            read = self.read(placed.text)
            if read is None:
                return
        for each in trees.differences(placed, expected, read):
            if any(self.placed.places[number].stood_in for number in each.places):
                continue
            for number in each.places:
                place = self.placed.places[number]
                self.out.add(number)
                self.breaks_out(place, self.read_instead(each, place), each.scalar)

    def unreadable(self) -> Sequence[int]:
        """The values that make the text unreadable, of the first few that could."""
        numbers = range(len(self.placed.places))
        causes = [number for number in numbers if self.placed.is_suspicious(number)]
        if len(causes) <= 1:
            return causes
        return [
            number
            for number in causes[:_MOST_TRIED]
            if self.read(self.placed.without({*numbers} - {number}).text) is None
        ] or causes[:1]

    def breaks_out(self, place: Place, read: Words, scalar: ScalarNode | None) -> None:
        self.add(
            place,
            wording.VALUE_BREAKS_OUT,
            wording.value_breaks_out(
                named(place.name, _NOWHERE),
                self.piece.said,
                read,
                self.holding(place, scalar),
                place.span,
                self.related(place),
                _given(place),
                quoted=scalar is not None and scalar.style in (Style.SINGLE, Style.DOUBLE),
            ),
        )

    def read_instead(self, broken: trees.Broken, place: Place) -> Words:
        if self.secret(place):
            return own("the guest reads something else, as it holds {}", _signs(place.value))
        also: Words = NO_WORDS
        if broken.more:
            keys = joined(own("`{}`", _shown(key)) for key in broken.more[:_MOST_KEYS])
            also = own(", and also {}", keys)
        read = broken.read
        if broken.scalar is None or read is None:
            return own("the guest reads other data than was written{}", also)
        text = self.placed.filled(broken.scalar.value)
        meant = _shown(text)
        if isinstance(read, SequenceNode):
            return own("the guest reads a list, not `{}`{}", meant, also)
        if isinstance(read, MappingNode):
            return own("the guest reads a map, not `{}`{}", meant, also)
        if not isinstance(read, ScalarNode):
            return own("the guest reads an alias, not `{}`{}", meant, also)
        if read.value == text:
            return own("the guest reads it with a tag of its own{}", also)
        if not read.value:
            return own("the guest reads nothing, not `{}`{}", meant, also)
        return own("the guest reads `{}`, not `{}`{}", _shown(read.value), meant, also)

    def holding(self, place: Place, scalar: ScalarNode | None) -> Words:
        """Which quoting would hold the value."""
        if scalar is None:
            return own("keep line breaks out of the value, or leave the reference out of comments")
        text = self.placed.filled(scalar.value)
        if "\n" in text.rstrip("\n") or "\r" in text:
            return own(
                "no quotes hold a line break; give the value in base64, or to a script that reads "
                "it from a here-document"
            )
        written: Words = own("...")
        if self.placed.is_one(scalar.value.strip()):
            written = named(f"{{{{ {place.name} }}}}", _NOWHERE)
        if "'" not in text:
            return own("put all of it in single quotes: `'{}'`", written)
        if '"' not in text and "\\" not in text:
            return own('put all of it in double quotes: `"{}"`', written)
        return own("write it as a block: `|-`, and `{}` indented on the next line", written)

    # --- types ----------------------------------------------------------------------------------

    def types(self) -> None:
        """Plain scalars with values that are not read as the text that they are."""
        text, places = self.placed.text, self.placed.places
        if self.piece.text != text or not any(_may_be_typed(each.value) for each in places):
            return
        root = self.piece.root
        if root is None:
            return
        starts = [place.start for place in places]
        for scalar, path in _scalars_of(root):
            if isinstance(scalar.value, str) and not re.fullmatch(_OTHER_NUMBER, scalar.value):
                continue
            number = bisect_left(starts, scalar.start)
            if number == len(starts):
                continue
            place = places[number]
            inside = place.start < scalar.end
            if not inside and text[scalar.start : place.start].strip(" ") + place.value:
                continue
            read = _changed(text[scalar.start : scalar.end], scalar.value, path)
            if read is None:
                continue
            self.add(
                place,
                wording.VALUE_CHANGES_TYPE,
                wording.value_changes_type(
                    named(place.name, _NOWHERE),
                    self.piece.said,
                    own("the guest reads no text") if self.secret(place) else read,
                    place.span,
                    self.related(place),
                    _given(place),
                ),
            )

    # --- scripts and files ----------------------------------------------------------------------

    def script(self) -> None:
        piece, marked = self.piece, self.placed.marked
        if piece.jinja:
            marked = template_body(marked)
        head = marked.removeprefix(BOOTHOOK_MARKER).lstrip() if piece.media_type == BOOTHOOK else ""
        if _is_shell(head or marked):
            self.quoting(marked)
        elif _is_powershell(piece, marked, self.guest, self.agent):
            self.quoting(marked, powershell=True)

    def commands(self, root: MappingNode) -> None:
        """What `runcmd` and `bootcmd` give to a shell."""
        if self.guest is GuestKind.WINDOWS:
            return
        for key, value in root.entries:
            if not isinstance(key, ScalarNode) or key.value not in ("runcmd", "bootcmd"):
                continue
            for item in value.items if isinstance(value, SequenceNode) else ():
                if isinstance(item, ScalarNode):
                    self.quoting(item.value)
                elif isinstance(item, SequenceNode):
                    words = [each.value for each in item.items if isinstance(each, ScalarNode)]
                    if len(words) > 2 and words[1] == "-c" and _is_shell_name(words[0]):
                        self.quoting(words[2])

    def files(self, root: MappingNode) -> None:
        """Scripts and JSON in `write_files`."""
        for key, value in root.entries:
            if not isinstance(key, ScalarNode) or key.value != "write_files":
                continue
            for item in value.items if isinstance(value, SequenceNode) else ():
                if isinstance(item, MappingNode):
                    self.file(item)

    def file(self, item: MappingNode) -> None:
        known = {
            key.value: value
            for key, value in item.entries
            if isinstance(key, ScalarNode) and isinstance(value, ScalarNode)
        }
        content, path = known.get("content"), known.get("path")
        if content is None or "encoding" in known or not any(self.placed.marks(content.value)):
            return
        ending = extension(path.value).lower() if path is not None else ""
        if ending == "json":
            self.json(content)
        elif ending == "ps1" or re.match(_PWSH, content.value):
            self.quoting(content.value, powershell=True)
        elif _is_shell(content.value) or (ending == "sh" and not content.value.startswith("#!")):
            self.quoting(content.value)

    def quoting(self, marked: str, *, powershell: bool = False) -> None:
        """Judge a text of a shell, or of PowerShell. Most texts of a catlet need neither."""
        places = self.placed.places
        marks = list(self.placed.marks(marked))
        if not any(_splits(places[number]) for _, _, number in marks):
            return
        language = _powershell() if powershell else _shell()
        contexts = language.contexts(marked, [(start, end) for start, end, _ in marks])
        for (_, _, number), context in zip(marks, contexts, strict=True):
            place = places[number]
            if number in self.out:
                continue
            # A line that is nothing but a value takes commands.
            if context.whole and context.quoting is Quoting.BARE:
                continue
            words = language.broken(context, place.value)
            if words is None:
                continue
            self.add(
                place,
                wording.VALUE_BREAKS_QUOTING,
                wording.value_breaks_quoting(
                    named(place.name, _NOWHERE),
                    self.piece.said,
                    words,
                    Own(context.quoting.value),
                    language.remedy(context, place.value),
                    place.span,
                    self.related(place),
                    _given(place),
                ),
            )

    def json(self, content: ScalarNode) -> None:
        """Values in a file of JSON: inside quotes they are text, elsewhere values of their own."""
        text = content.value
        if not text.lstrip().startswith(("{", "[")):
            return
        at, quoted = 0, False
        for start, _, number in self.placed.marks(text):
            place = self.placed.places[number]
            for match in re.compile(_JSON_QUOTES).finditer(text, at, start):
                quoted = quoted != (match[0] == '"')
            at = start
            if number in self.out:
                continue
            if quoted and re.search(_JSON_SIGNS, place.value):
                self.out.add(number)
                read = own("it holds a quote, a backslash or a line break, inside quotes of JSON")
            elif not quoted and not _is_json(place.value):
                self.out.add(number)
                read = own("it is no value of JSON, and stands there without quotes")
            else:
                continue
            self.breaks_out_of_json(place, read, quoted=quoted)

    def breaks_out_of_json(self, place: Place, read: Words, *, quoted: bool) -> None:
        holds = (
            own('give the value as it stands between the quotes of JSON: `\\"` for `"`')
            if quoted
            else own('put it in double quotes: `"{}"`', named(f"{{{{ {place.name} }}}}"))
        )
        self.add(
            place,
            wording.VALUE_BREAKS_OUT,
            wording.value_breaks_out(
                named(place.name, _NOWHERE),
                self.piece.said,
                read,
                holds,
                place.span,
                self.related(place),
                _given(place),
            ),
        )


def _splits(place: Place) -> bool:
    """Whether a value may be more than one word to a shell, or more than text in JSON."""
    return not _OF_ONE_WORD.issuperset(place.value)


def _signs(value: str) -> Own:
    """The kind of character in a value that has a meaning in YAML, without the value."""
    return next((words for pattern, words in _SIGNS if re.search(pattern, value)), _SIGNS[-1][1])


def _shell() -> ModuleType:
    from eryphc.guest.values import shell

    return shell


def _powershell() -> ModuleType:
    from eryphc.guest.values import powershell

    return powershell


def _is_shell(text: str) -> bool:
    found: bool = _shell().is_shell(text)
    return found


def _is_shell_name(word: str) -> bool:
    return word.rpartition("/")[2] in _shell().SHELLS


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_powershell(piece: Piece, text: str, guest: GuestKind, agent: Reader) -> bool:
    if re.match(_PWSH, text):
        return True
    if guest is not GuestKind.WINDOWS:
        return False
    from eryphc.guest.windows_names import windows_name

    return extension(windows_name(piece, agent)).lower() == "ps1" or text[:4].lower() == "#ps1"


def _scalars(places: Placed, root: Node) -> dict[int, ScalarNode]:
    """Of each place the scalar that holds it."""
    found: dict[int, ScalarNode] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ScalarNode):
            found.update(dict.fromkeys(places.numbers(node.value), node))
        elif isinstance(node, SequenceNode):
            stack += node.items
        elif isinstance(node, MappingNode):
            stack += [each for pair in node.entries for each in pair]
    return found


_Path: TypeAlias = "tuple[str | int, ...]"


def _scalars_of(root: data.MappingNode) -> Iterator[tuple[data.Scalar, _Path]]:
    """The values with their paths; what aliases share comes once."""
    stack: list[tuple[data.Node, _Path]] = [(root, ())]
    seen: set[int] = set()
    while stack:
        node, path = stack.pop()
        if isinstance(node, data.Scalar):
            yield node, path
            continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, data.Sequence):
            items = [(item, (*path, number)) for number, item in enumerate(node.items)]
            stack += reversed(items)
        else:
            pairs = [(value, (*path, str(key))) for key, value in node.entries.items()]
            stack += reversed(pairs)


def _changed(text: str, value: data.Value, path: _Path) -> Words | None:
    """What the guest makes of a plain scalar, where that is not its text or not welcome."""
    kinds = kinds_at(path)
    wants_text = kinds is not None and "string" in kinds
    if isinstance(value, str):
        return own("some readers of YAML take `{}` for a number", _shown(text))
    if value is None:
        return None if kinds and "null" in kinds else own("the guest reads null, which is no text")
    if isinstance(value, bool):
        if kinds is not None and "boolean" in kinds:
            return None
        if text in ("true", "false") and not wants_text:
            return None
        return own("the guest reads `{}` as {}", _shown(text), Own(str(value).lower()))
    if isinstance(value, int | float):
        if str(value) == text:
            welcome = kinds is None or not wants_text or kinds & {"integer", "number"}
            return None if welcome else own("the guest reads the number `{}`", _shown(text))
        return own("the guest reads `{}` as the number {}", _shown(text), _shown(str(value)))
    if isinstance(value, bytes):
        return None
    return own("the guest reads `{}` as a date", _shown(text))


def _shown(text: str) -> Said:
    """Words of a text on one line."""
    escaped = text.replace("\\", "\\\\") if "\n" in text else text
    return Said(clipped(escaped.replace("\n", "\\n").replace("\r", "\\r"), _LONGEST))


def _came_from(place: Place) -> Iterator[Label]:
    """Where the value was written, bound or declared."""
    if place.origin is None:
        return
    for each in place.origin.chain():
        if each.span is None or each.span == place.span:
            continue
        match each.step:
            case Step.BOUND:
                yield Label(each.span, "bound here")
            case Step.WRITTEN | Step.INHERITED | Step.FED | Step.DEFAULTED if each.variable:
                yield Label(each.span, "its value")
            case Step.WRITTEN | Step.INHERITED | Step.FED if each is place.origin:
                yield Label(each.span, "its value")
            case _:
                return


def _may_be_typed(value: str) -> bool:
    lower = value.lower()
    return _OF_NUMBERS.issuperset(lower) or lower.strip("+-.") in _TYPED


def _given(place: Place) -> Words | None:
    if place.origin is None or not any(e.step is Step.GIVEN for e in place.origin.chain()):
        return None
    return own("the value was given from outside the specification")
