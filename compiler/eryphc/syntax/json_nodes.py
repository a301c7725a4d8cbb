"""JSON text to nodes, strict as RFC 8259, under the limits of `limits`.

Python's own reader gives values without places; this one keeps the place of each value and key.
Source: docs/reference/language.md, "JSON documents".
"""

from __future__ import annotations

import re

from eryphc.diagnostics import reading
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.said import Own, Said, own
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import (
    MAX_DEPTH,
    MAX_DOCUMENT_BYTES,
    MAX_ENTRIES,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    Style,
)

_BLANKS = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")
_PLAIN_TEXT = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_HEX4 = re.compile(r"[0-9A-Fa-f]{4}")


class _RefusedError(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def compose_json(source: SourceText) -> Outcome[Node]:
    """The root node of the JSON text in `source`."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_DOCUMENT_BYTES:
        return Outcome(None, (reading.document_too_large(Span(source, 0, 0)),))
    try:
        return Outcome(_JsonText(source).root())
    except _RefusedError as refused:
        return Outcome(None, (refused.diagnostic,))


class _JsonText:
    """A cursor over the text; every method starts at `at` and leaves it behind what it read."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.at = 0

    def refuse(self, problem: Own, at: int | None = None) -> _RefusedError:
        start = min(self.at if at is None else at, len(self.text))
        end = min(start + 1, len(self.text))
        return _RefusedError(reading.not_json(problem, Span(self.source, start, end)))

    def skip(self) -> str:
        match = _BLANKS.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def root(self) -> Node:
        if not self.skip():
            raise self.refuse(own("the document is empty"))
        node = self.value(0)
        if self.skip():
            raise self.refuse(own("there is text after the end of the document"))
        return node

    def value(self, depth: int) -> Node:
        first = self.skip()
        if first == "{":
            return self.mapping(depth)
        if first == "[":
            return self.sequence(depth)
        if first == '"':
            start = self.at
            return ScalarNode(self.string(), Style.JSON_TEXT, start, self.at)
        for pattern, style in ((_NUMBER, Style.JSON_NUMBER), (_WORD, Style.JSON_WORD)):
            match = pattern.match(self.text, self.at)
            if match:
                start, self.at = self.at, match.end()
                return ScalarNode(match[0], style, start, self.at)
        raise self.refuse(own("a value is expected" if first else "the document ends too early"))

    def _deeper(self, depth: int) -> None:
        if depth >= MAX_DEPTH:
            span = Span(self.source, self.at, self.at + 1)
            raise _RefusedError(reading.too_deep(MAX_DEPTH, span))

    def _counted(self, count: int) -> None:
        if count > MAX_ENTRIES:
            span = Span(self.source, self.at, self.at)
            raise _RefusedError(reading.too_many_entries(MAX_ENTRIES, span))

    def mapping(self, depth: int) -> MappingNode:
        self._deeper(depth)
        node = MappingNode(self.at, flow=True)
        self.at += 1
        if self.skip() == "}":
            self.at += 1
            node.end = self.at
            return node
        while True:
            if self.skip() != '"':
                raise self.refuse(own("a property name in double quotes is expected"))
            start = self.at
            key = ScalarNode(self.string(), Style.JSON_TEXT, start, self.at)
            if self.skip() != ":":
                raise self.refuse(own("`:` is expected after a property name"))
            self.at += 1
            node.entries.append((key, self.value(depth + 1)))
            self._counted(len(node.entries))
            mark = self.skip()
            if mark not in (",", "}"):
                raise self.refuse(own("`,` or `}` is expected"))
            self.at += 1
            if mark == "}":
                node.end = self.at
                return node

    def sequence(self, depth: int) -> SequenceNode:
        self._deeper(depth)
        node = SequenceNode(self.at, flow=True)
        self.at += 1
        if self.skip() == "]":
            self.at += 1
            node.end = self.at
            return node
        while True:
            node.items.append(self.value(depth + 1))
            self._counted(len(node.items))
            mark = self.skip()
            if mark not in (",", "]"):
                raise self.refuse(own("`,` or `]` is expected"))
            self.at += 1
            if mark == "]":
                node.end = self.at
                return node

    def string(self) -> str:
        start = self.at
        self.at += 1
        pieces: list[str] = []
        while True:
            match = _PLAIN_TEXT.match(self.text, self.at)
            if match:
                pieces.append(match[0])
                self.at = match.end()
            mark = self.text[self.at : self.at + 1]
            if mark == '"':
                self.at += 1
                return _joined("".join(pieces))
            if mark != "\\":
                raise self.refuse(
                    own("a control character in a text is written with `\\`")
                    if mark
                    else own("a text is not closed"),
                    None if mark else start,
                )
            pieces.append(self.escape())

    def escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter == "u":
            match = _HEX4.match(self.text, self.at + 2)
            if not match:
                raise self.refuse(own("`\\u` needs four hexadecimal digits"))
            self.at += 6
            return chr(int(match[0], 16))
        if letter not in _ESCAPES or not letter:
            raise self.refuse(own("`\\{}` is not an escape of JSON", Said(letter)))
        self.at += 2
        return _ESCAPES[letter]


def _joined(text: str) -> str:
    """Pairs of surrogates written as two escapes become one character; a half becomes U+FFFD."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
