"""Single values of a document: what text, numbers, flags, words, content and lists are read from.

Which key wants which is in `lower`. Source: docs/reference/language.md, "Scalars",
"Null and blank", "Enumerations", "Anchors, aliases and tags", "Content as text", "JSON documents".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Any, TypeAlias, TypeGuard, TypeVar

from eryphc.diagnostics import reading
from eryphc.diagnostics.findings import Findings
from eryphc.diagnostics.levels import is_for_us
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, Said, named, own
from eryphc.ir.catlet import WHOLE, Record
from eryphc.ir.content import Content, Written
from eryphc.source import Region, Secrecy, SourceText, Span
from eryphc.syntax import scalars
from eryphc.syntax.names import WHITE_SPACE
from eryphc.syntax.nodes import (
    MAX_EXPANDED,
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    Style,
)
from eryphc.syntax.slices import block_slice

E = TypeVar("E", bound=StrEnum)

_CORE = "tag:yaml.org,2002:"
_ALIAS = re.compile(r"\*([^\s,\[\]{}]+)")
# A text with more of them is hidden as a whole.
_MOST_REGIONS = 10_000
_OF_BINDINGS = ("name", "type", "secret", "required")
# The values of these keys, or of records in them, may be declared secret.
_MAY_BE_SECRET = ("value", "content", "variables", "fodder")


class Notation(Enum):
    """By which rules a document is read: those of YAML or the strict ones of JSON."""

    YAML = "yaml"
    JSON = "json"


class _Missing(Enum):
    """What a converter gives after it has reported an error; it differs from null."""

    FAULTY = 0


FAULTY = _Missing.FAULTY
Converter: TypeAlias = "Callable[[Reading, Node, str], Any]"


class Shape:
    """A record of the language: its name for people, its class, and a reader for each key.

    `aliases` false is for the records inside which the original takes no alias.
    """

    __slots__ = ("aliases", "build", "fields", "name")

    def __init__(
        self,
        name: str,
        build: Callable[..., Record],
        fields: Mapping[str, Converter],
        *,
        aliases: bool = True,
    ) -> None:
        self.name = name
        self.build = build
        self.fields = fields
        self.aliases = aliases

    def __call__(self, reading: Reading, node: Node, key: str) -> Any:  # noqa: ARG002
        return reading.record(node, self)


class Reading:
    """The reading of one document: where it is, how it is read, and what was found."""

    def __init__(self, source: SourceText, notation: Notation) -> None:
        self.source = source
        self.json = notation is Notation.JSON
        self.diagnostics = Findings()
        # Values of anchored nodes by the identity of the node, with the reader that made them.
        self.converted: dict[int, tuple[Converter, Any]] = {}
        self.expanded = 0
        self._regions: list[Region] = []
        # Anchors of what is secret: their aliases stand for it.
        self._anchors: dict[str, Secrecy] = {}

    def span(self, node: Node) -> Span:
        return Span(self.source, node.start, node.end)

    def head(self, node: Node) -> Span:
        """The first character of a collection, the whole of a scalar."""
        if isinstance(node, (MappingNode, SequenceNode)):
            return Span(self.source, node.start, min(node.start + 1, len(self.source.text)))
        return self.span(node)

    def remember(self, node: Node, reader: Converter, value: Any) -> None:
        """Keep the value of an anchored node for its aliases."""
        self.converted[id(node)] = (reader, value)

    def report(self, diagnostic: Diagnostic) -> _Missing:
        self.diagnostics.append(diagnostic)
        return FAULTY

    # -- what every value goes through ------------------------------------------------------

    def convert(self, node: Node, key: str, reader: Converter) -> Any:
        """The value of `node` as `reader` takes it: None for null, FAULTY after an error."""
        if isinstance(node, AliasNode):
            return self._alias(node, key, reader)
        if isinstance(node, ScalarNode) and self.is_null(node):
            if node.tag is not None and not node.tag.startswith(_CORE):
                return self.report(reading.tag_refused(named(node.tag), Own(key), self.span(node)))
            if node.tag in (_CORE + "null", _CORE + "binary"):
                return self.report(reading.tag_refused(named(node.tag), Own(key), self.span(node)))
            if key in ("cpu", "memory") and not self.json:
                unit = own("a number of processors" if key == "cpu" else "a size in MiB")
                return self.report(reading.shorthand_empty(Own(key), unit, self.span(node)))
            return None
        if node.tag is not None and not isinstance(node, ScalarNode):
            return self.report(reading.tag_refused(named(node.tag), Own(key), self.head(node)))
        value = reader(self, node, key)
        if node.anchor is not None and value is not FAULTY:
            self.remember(node, reader, value)
        return value

    def is_null(self, node: ScalarNode) -> bool:
        if self.json:
            return node.style is Style.JSON_WORD and node.value == "null"
        return node.style is Style.PLAIN and node.value in scalars.NULLS

    def _alias(self, node: AliasNode, key: str, reader: Converter) -> Any:
        target = node.target
        while isinstance(target, AliasNode):
            target = target.target
        if target is None:
            return FAULTY
        span = self.span(node)
        if isinstance(target, ScalarNode) and self.is_null(target):
            return None
        known = self.converted.get(id(target))
        if known is None:
            reason = own("its anchor stands on a value that cannot be used again")
            return self.report(reading.alias_refused(named(node.anchor), Own(key), reason, span))
        self.expanded += target.end - target.start
        if self.expanded > MAX_EXPANDED:
            return self.report(reading.expanded_too_large(span))
        first_reader, value = known
        if first_reader is reader:
            return value
        is_scalar = isinstance(target, ScalarNode) and key not in ("cpu", "memory")
        if is_scalar and not isinstance(value, (tuple, Record, Content)):
            again = ScalarNode(_as_text(value), Style.DOUBLE, node.start, node.end)
            return reader(self, again, key)
        return self.report(
            reading.alias_refused(
                named(node.anchor), Own(key), own("its anchor is of another kind"), span
            )
        )

    def wrong_kind(self, node: Node, key: str, expected: str) -> _Missing:
        """Report that `node` is of another kind than `expected`."""
        found = _kind(node)
        return self.report(
            reading.wrong_kind(own("`{}`", Own(key)), Own(expected), found, self.head(node))
        )

    def _scalar(self, node: Node, key: str, expected: str) -> ScalarNode | None:
        if isinstance(node, ScalarNode):
            return node
        found = _kind(node)
        self.report(
            reading.wrong_kind(own("`{}`", Own(key)), Own(expected), found, self.head(node))
        )
        return None

    # -- scalars ----------------------------------------------------------------------------

    def text(self, node: Node, key: str) -> Any:
        scalar = self._scalar(node, key, "text")
        if scalar is None:
            return FAULTY
        if self.json and scalar.style is not Style.JSON_TEXT:
            found = own("`{}`", Said(scalar.value))
            return self.report(
                reading.wrong_kind(
                    own("`{}`", Own(key)), own("text in quotes"), found, self.span(scalar)
                )
            )
        return self._tagged_text(scalar, key)

    def _tagged_text(self, scalar: ScalarNode, key: str) -> Any:
        """The text of a scalar after its core tag, if it has one."""
        tag = scalar.tag
        if tag is None or tag == _CORE + "str":
            return scalar.value
        span = self.span(scalar)
        if tag == _CORE + "int":
            number = scalars.integer(scalar.value)
            if isinstance(number, str):
                return self.report(
                    reading.not_a_number(Own(key), Said(scalar.value), Own(number), span)
                )
            return str(number)
        if tag == _CORE + "float":
            text = scalars.float_text(scalar.value)
            if text is None:
                return self.report(
                    reading.not_a_number(
                        Own(key), Said(scalar.value), own("it is not written in digits"), span
                    )
                )
            return text
        if tag == _CORE + "bool":
            value = scalars.flag(scalar.value)
            if value is None:
                return self.report(reading.not_a_flag(Own(key), Said(scalar.value), span))
            return str(value)
        return self.report(reading.tag_refused(named(tag), Own(key), span))

    def integer(self, node: Node, key: str) -> Any:
        scalar = self._scalar(node, key, "a whole number")
        if scalar is None:
            return FAULTY
        span = self.span(scalar)
        if self.json:
            if scalar.style is not Style.JSON_NUMBER:
                return self.report(
                    reading.wrong_kind(
                        own("`{}`", Own(key)),
                        own("a number"),
                        own("`{}`", Said(scalar.value)),
                        span,
                    )
                )
            number = scalars.json_integer(scalar.value)
        else:
            text = self._tagged_text(scalar, key)
            if text is FAULTY:
                return FAULTY
            if scalar.tag == _CORE + "float":
                text = text.partition(".")[0]
            number = scalars.integer(text)
        if isinstance(number, str):
            return self.report(
                reading.not_a_number(Own(key), Said(scalar.value), Own(number), span)
            )
        return number

    def boolean(self, node: Node, key: str) -> Any:
        scalar = self._scalar(node, key, "true or false")
        if scalar is None:
            return FAULTY
        span = self.span(scalar)
        if self.json:
            if scalar.style is not Style.JSON_WORD:
                return self.report(
                    reading.wrong_kind(
                        own("`{}`", Own(key)),
                        own("true or false"),
                        own("`{}`", Said(scalar.value)),
                        span,
                    )
                )
            return scalar.value == "true"
        if scalar.tag == _CORE + "str":
            return self.report(reading.tag_refused(named(scalar.tag), Own(key), span))
        text = self._tagged_text(scalar, key)
        if text is FAULTY:
            return FAULTY
        value = scalars.flag(text)
        if value is None:
            return self.report(reading.not_a_flag(Own(key), Said(scalar.value), span))
        return value

    def word(self, node: Node, key: str, words: type[E]) -> Any:
        scalar = self._scalar(node, key, "a word")
        if scalar is None:
            return FAULTY
        if self.json and scalar.style is not Style.JSON_TEXT:
            found = own("`{}`", Said(scalar.value))
            return self.report(
                reading.wrong_kind(own("`{}`", Own(key)), own("text"), found, self.span(scalar))
            )
        text = self._tagged_text(scalar, key)
        if text is FAULTY:
            return FAULTY
        if self.json:
            wanted = text.strip(WHITE_SPACE)
            lower = wanted.lower() if wanted.isascii() else ""
            for member in words:
                if wanted == member.value or lower == member.value.replace("_", "").lower():
                    return member
        else:
            compact = scalars.compact_word(text)
            for member in words:
                if compact == member.value.replace("_", "").lower():
                    return member
        values = tuple(member.value for member in words)
        return self.report(
            reading.unknown_word(
                Own(key), Said(scalar.value), tuple(map(Own, values)), self.span(scalar)
            )
        )

    # -- content ----------------------------------------------------------------------------

    def content(self, node: Node, key: str) -> Any:
        if isinstance(node, ScalarNode):
            text = self.text(node, key)
            if text is FAULTY:
                return FAULTY
            span = self.span(node)
            block = node.style in (Style.LITERAL, Style.FOLDED)
            return Content(text, Written(span, 1 if block else 0))
        if self.json:
            found = _kind(node)
            return self.report(
                reading.wrong_kind(own("`{}`", Own(key)), own("text"), found, self.head(node))
            )
        if isinstance(node, AliasNode) or node.flow:
            return self.report(reading.flow_content(self.head(node)))
        cut = block_slice(self.source, node)
        for at in cut.comments:
            line_end = self.source.text.find("\n", at)
            end = line_end if line_end != -1 else len(self.source.text)
            if not is_for_us(self.source.text[at:end]):
                self.report(reading.comment_in_content(Span(self.source, at, end)))
        if cut.emptied:
            self.report(reading.blank_lines_changed(self.head(node)))
        span = Span(self.source, cut.start, cut.end)
        return Content(cut.text, Written(span))

    def _content(self, node: Node, key_node: Node) -> Any:
        """Content stands apart from other values: aliases and anchors mean nothing there."""
        if isinstance(node, AliasNode):
            return self.report(
                reading.alias_refused(
                    named(node.anchor),
                    own("content"),
                    own("content is taken as text"),
                    self.span(node),
                )
            )
        if not isinstance(node, ScalarNode):
            if not node.flow and (node.anchor is not None or node.tag is not None):
                return self.report(reading.content_decorated(self.head(node)))
            self._lost_comment(key_node, node)
        elif self.is_null(node):
            return self.convert(node, "content", Reading.text)
        return self.content(node, "content")

    def _lost_comment(self, key_node: Node, node: Node) -> None:
        between = self.source.text[key_node.end : node.start]
        at = between.find("#")
        while at != -1 and is_for_us(between[at:].split("\n", 1)[0]):
            at = between.find("#", between.find("\n", at))
        if at != -1 and between[at - 1 : at] in (" ", "\n", "\t"):
            start = key_node.end + at
            line_end = self.source.text.find("\n", start)
            first = between[at:].split("\n", 1)[0]
            if first.rstrip() != "#cloud-config" and "\n" in between[:at]:
                self.report(reading.comment_lost(Span(self.source, start, line_end)))

    # -- collections ------------------------------------------------------------------------

    def many(self, node: Node, key: str, reader: Converter) -> Any:
        if not isinstance(node, SequenceNode):
            found = _kind(node)
            return self.report(
                reading.wrong_kind(own("`{}`", Own(key)), own("a list"), found, self.head(node))
            )
        values: list[Any] = []
        for item in node.items:
            value = self.convert(item, f"an entry of {key}", reader)
            if value is None:
                self.report(reading.null_entry(Own(key), self.span(item)))
            elif value is not FAULTY:
                values.append(value)
        return tuple(values)

    def record(self, node: Node, shape: Shape) -> Any:
        name, fields = shape.name, shape.fields
        if not isinstance(node, MappingNode):
            found = _kind(node)
            return self.report(
                reading.wrong_kind(own("a {}", Own(name)), own("a mapping"), found, self.head(node))
            )
        source = self.source
        values: dict[str, Any] = {}
        places: dict[str, Span] = {"": self.head(node), WHOLE: self.span(node)}
        unread = False
        for key_node, value_node in node.entries:
            if not isinstance(key_node, ScalarNode):
                self.report(reading.key_not_text(Own(name), self.head(key_node)))
                self.close(key_node.start, value_node)
                unread = True
                continue
            key = self._key(key_node)
            if key not in fields:
                if not isinstance(value_node, ScalarNode):
                    # It was not read, so it may hold values that are declared secret.
                    self.close(value_node.start, value_node)
                unread = True
                folded = _fold(key_node.value, fields)
                self.report(
                    reading.unknown_key(
                        named(key_node.value),
                        Own(name),
                        tuple(map(Own, fields)),
                        self.span(key_node),
                        None if folded is None else Own(folded),
                        unnamed=all(
                            each.value != "name" for each, _ in node.entries if _is_word(each)
                        ),
                    )
                )
                continue
            if key in places:
                first = self._first(key, node)
                self.report(reading.duplicate_key(Own(key), Own(name), self.span(key_node), first))
            place = _place(key_node, value_node)
            places[key] = Span(source, place.start, place.end)
            if key == "content":
                value = self._content(value_node, key_node)
            elif not shape.aliases and (alias := _alias_in(value_node)) is not None:
                reason = own("a {} takes no aliases inside; write the value out", Own(name))
                value = self.report(
                    reading.alias_refused(named(alias.anchor), Own(key), reason, self.span(alias))
                )
            else:
                value = self.convert(value_node, key, fields[key])
            # A value that may be a secret counts as one until the document is correct.
            unreadable = True if key == "secret" else None
            values[key] = unreadable if value is FAULTY else value
            if value is FAULTY:
                unread = True
                if key in _MAY_BE_SECRET or isinstance(value_node, (MappingNode, SequenceNode)):
                    self.close(key_node.end, value_node)
        self._note_secrets(node, values, unread=unread)
        if not node.flow and node.entries and isinstance(node.entries[0][0], ScalarNode):
            places[""] = self.span(node.entries[0][0])
        return shape.build(places=places, **values)

    # -- what is secret ---------------------------------------------------------------------

    def close(self, start: int, node: Node, secrecy: Secrecy = Secrecy.CLOSED) -> None:
        """Let the text from `start` to the end of `node` count as secret, with its aliases."""
        self._regions.append(Region(start, node.end, secrecy))
        if isinstance(node, AliasNode):
            if node.target is not None and not isinstance(node.target, AliasNode):
                self.close(node.target.start, node.target, secrecy)
        elif node.anchor is not None:
            self._anchors[node.anchor] = secrecy

    def regions(self) -> tuple[Region, ...]:
        """The secrets of the document: what is declared secret, and what could not be read."""
        if len(self._regions) > _MOST_REGIONS:
            return (Region(0, len(self.source.text), Secrecy.CLOSED),)
        used = _ALIAS.finditer(self.source.text) if self._anchors else ()
        aliases = (
            Region(match.start(), match.end(), self._anchors[match[1]])
            for match in used
            if match[1] in self._anchors
        )
        return (*self._regions, *aliases)

    def _note_secrets(self, node: MappingNode, values: Mapping[str, Any], *, unread: bool) -> None:
        """Note the secrets of a record: values of variables, and fodder, declared as secret."""
        entries = [(self._key(key), key, value) for key, value in node.entries if _is_word(key)]
        if unread and any(_says_secret(key) for key, _, _ in entries):
            # If one key is not understood, the value of any other may be the secret.
            self.close(node.start, node)
        if values.get("secret"):
            for key, key_node, value in entries:
                if key == "content":
                    self.close(key_node.end, value, Secrecy.FODDER)
                elif key in ("value", "variables"):
                    self.close(key_node.end, value)
        if values.get("source"):
            for key, _, value in entries:
                if key == "variables" and isinstance(value, SequenceNode):
                    self._note_bindings(value)

    def _note_bindings(self, variables: SequenceNode) -> None:
        for binding in variables.items:
            for key, value in binding.entries if isinstance(binding, MappingNode) else ():
                word = self._key(key) if _is_word(key) else ""
                if word == "value":
                    self.close(key.end, value, Secrecy.BINDING)
                elif word not in _OF_BINDINGS:
                    # `- password: x` was meant as a binding of `password`.
                    self.close(key.end, value)

    def _first(self, key: str, node: MappingNode) -> Span:
        """The place of the first key of that name."""
        for key_node, _ in node.entries:
            if isinstance(key_node, ScalarNode) and self._key(key_node) == key:
                return self.span(key_node)
        return self.head(node)

    def _key(self, node: ScalarNode) -> str:
        value = node.value
        return value if self.json or not value.isascii() else value.lower()


def _is_word(key: Node) -> TypeGuard[ScalarNode]:
    return isinstance(key, ScalarNode)


def _says_secret(key: str) -> bool:
    """Whether a key is `secret`, or was probably meant so."""
    if key == "secret" or not 5 <= len(key) <= 8:
        return key == "secret"
    from eryphc.diagnostics.words import close_matches

    return bool(close_matches(key.lower(), ("secret",)))


def _place(key: ScalarNode, value: Node) -> Node:
    """The value itself; the key where the value is a collection, a block or nothing at all."""
    if isinstance(value, ScalarNode):
        block = value.style is Style.LITERAL or value.style is Style.FOLDED
        return key if block or value.end <= value.start else value
    return value if isinstance(value, AliasNode) else key


def _alias_in(node: Node) -> AliasNode | None:
    """The first alias in a value that is a scalar or a list of scalars."""
    items = node.items if isinstance(node, SequenceNode) else [node]
    return next((item for item in items if isinstance(item, AliasNode)), None)


def _kind(node: Node) -> Own:
    if isinstance(node, MappingNode):
        return own("a mapping")
    return own("a list" if isinstance(node, SequenceNode) else "a single value")


def _as_text(value: object) -> str:
    """What an alias between scalars of different kinds is converted from."""
    return value.value if isinstance(value, StrEnum) else str(value)


def _fold(key: str, fields: Mapping[str, Converter]) -> str | None:
    """The key that was meant where only underscores and letter case differ."""
    folded = key.replace("_", "").replace("-", "").lower()
    for name in fields:
        if name.replace("_", "") == folded:
            return name
    return None
