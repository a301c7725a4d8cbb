"""YAML text to nodes, from parse events, under the limits of `limits`.

PyYAML's C composer crashes the process on deep nesting, and its nodes lack anchors. So it
composes only texts that can have neither, which spares an object for each event. All other texts,
and every text that it refuses, are built from events. A test checks that both give the same.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import yaml

from eryphc.diagnostics import reading
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.said import Own, Said, Words, named, own
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_DOCUMENT_BYTES,
    MAX_ENTRIES,
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    Style,
)

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # a PyYAML that was built without libyaml
    from yaml import Loader as _Parser  # type: ignore[assignment]

    _composes = False
else:
    _composes = True

BYTE_ORDER_MARK = "\ufeff"
"""Where a line begins with it, libyaml passes it over and the pure loader reads it as text."""

_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}


# Where a tag, an anchor, an alias or a directive may begin: any other such sign is text.
_DECORATION = "(?s:[!&*%](?<![^\\s,:?\\[{\ufeff].))"
# How deep a text could be that has so many signs of collections. Far below what the composer's
# recursion can take, far above what people write by hand in one document.
_MOST_SIGNS = 1_000

# libyaml refuses a later version than 1.2, which the language takes like the others (2.2).
_LATER_VERSION = re.compile(r"%YAML[ \t]+1\.([0-9]{1,9})(?=[ \t\r\n])")


# Words of PyYAML that quote nothing of a document, or a sign or two.
_UNQUOTING = re.compile(r"(?:[^'\"`]|'[^\w']{1,2}')*")


class RefusedError(Exception):
    """Not the parser refuses the text, but a limit or a rule of ours does."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def compose(source: SourceText) -> Outcome[Node]:
    """The root node of the one document in `source`; None only together with errors.

    A document that is empty gives a plain empty scalar. Errors: what YAML itself refuses, a
    second document, and the limits.
    """
    refused = beyond_limits(source)
    return refused or _composed(source, source.text)


def beyond_limits(source: SourceText) -> Outcome[Node] | None:
    """The errors of a text that no parser is asked about."""
    text = source.text
    if len(text) > MAX_DOCUMENT_BYTES or (
        len(text) * 4 > MAX_DOCUMENT_BYTES
        and len(text.encode("utf-8", "surrogatepass")) > MAX_DOCUMENT_BYTES
    ):
        return Outcome(None, (reading.document_too_large(Span(source, 0, 0)),))
    if text.startswith("\ufeff"):
        # libyaml would drop a second byte order mark, and count its marks without it.
        return Outcome(None, (reading.character_refused(0xFEFF, Span(source, 0, 1)),))
    if text.count("\n%") > MAX_DIRECTIVES:
        # libyaml compares each `%TAG` with all before it.
        return Outcome(None, (reading.too_many_directives(MAX_DIRECTIVES, Span(source, 0, 0)),))
    return None


def _composed(source: SourceText, text: str) -> Outcome[Node]:
    """The root node; `text` is that of `source`, with a version that the parser takes."""
    try:
        return Outcome(_compose(source, text))
    except RefusedError as refused:
        return Outcome(None, (refused.diagnostic,))
    except yaml.reader.ReaderError as error:
        return Outcome(None, (reader_error(source, error),))
    except yaml.MarkedYAMLError as error:
        later = _later_version(text, error)
        if later is not None:
            start, end = later.span(1)
            older = text[:start] + "1".rjust(end - start, "0") + text[end:]
            return _composed(source, older)
        return Outcome(None, (marked_error(source, error),))
    except UnicodeEncodeError as error:
        span = Span(source, error.start, error.start + 1)
        return Outcome(None, (reading.character_refused(ord(text[error.start]), span),))


def _later_version(text: str, error: yaml.MarkedYAMLError) -> re.Match[str] | None:
    if error.problem != "found incompatible YAML document" or error.problem_mark is None:
        return None
    return _LATER_VERSION.match(text, error.problem_mark.index)


class _Composer(_Parser):
    """The C composer, without resolving what plain scalars are."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> None:
        """No tag."""

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Nothing to do."""

    def ascend_resolver(self) -> None:
        """Nothing to do."""


def _compose(source: SourceText, text: str) -> Node:
    if _composes and _is_simple(text):
        # What it refuses is refused again below, in our words.
        with contextlib.suppress(yaml.YAMLError, UnicodeEncodeError, _UnlikeError):
            return _converted(_Composer(text).get_single_node(), 0)
    parser: Any = _Parser(text)
    try:
        return build(source, parser)
    finally:
        dispose = getattr(parser, "dispose", None)
        if dispose is not None:
            dispose()


def _is_simple(text: str) -> bool:
    signs = 0
    for sign in "-:?[{":
        signs += text.count(sign)
    if signs > _MOST_SIGNS:
        return False
    decorated = "!" in text or "&" in text or "*" in text or "%" in text
    return not decorated or re.search(_DECORATION, text) is None


_COMPOSED_SCALAR = yaml.ScalarNode


class _UnlikeError(Exception):
    """The composer met what only events tell."""


def _converted(node: Any, depth: int) -> Node:
    kind = type(node)
    if kind is _COMPOSED_SCALAR:
        return ScalarNode(
            node.value, _STYLES[node.style], node.start_mark.index, node.end_mark.index
        )
    if depth >= MAX_DEPTH or node is None or len(node.value) > MAX_ENTRIES:
        raise _UnlikeError
    depth += 1
    if kind is yaml.MappingNode:
        mapping = MappingNode(node.start_mark.index, flow=bool(node.flow_style))
        mapping.end = node.end_mark.index
        mapping.entries = [
            (_converted(key, depth), _converted(value, depth)) for key, value in node.value
        ]
        return mapping
    sequence = SequenceNode(node.start_mark.index, flow=bool(node.flow_style))
    sequence.end = node.end_mark.index
    sequence.items = [_converted(item, depth) for item in node.value]
    return sequence


def build(source: SourceText, parser: Any, *, anchors_once: bool = False) -> Node:
    """The root node, from the events of `parser`. Raises its errors and `RefusedError`."""
    get_event: Callable[[], Any] = parser.get_event
    events = yaml.events
    scalar_event, alias_event = events.ScalarEvent, events.AliasEvent
    mapping_start, sequence_start = events.MappingStartEvent, events.SequenceStartEvent
    collection_end = events.CollectionEndEvent
    anchors: dict[str, Node] = {}
    aliases = 0
    root: Node | None = None
    # Open collections; for a mapping the key that waits for its value lies in `keys`.
    stack: list[SequenceNode | MappingNode] = []
    keys: list[Node | None] = []
    node: Node
    while True:
        event = get_event()
        kind = type(event)
        if kind is scalar_event:
            node = ScalarNode(
                event.value,
                _STYLES[event.style],
                event.start_mark.index,
                event.end_mark.index,
                event.tag,
                event.anchor,
            )
        elif kind is mapping_start or kind is sequence_start:
            if len(stack) >= MAX_DEPTH:
                at = event.start_mark.index
                raise RefusedError(reading.too_deep(MAX_DEPTH, Span(source, at, at + 1)))
            build = MappingNode if kind is mapping_start else SequenceNode
            node = build(
                event.start_mark.index,
                flow=bool(event.flow_style),
                tag=event.tag,
                anchor=event.anchor,
            )
        elif issubclass(kind, collection_end):
            closed = stack.pop()
            keys.pop()
            closed.end = event.end_mark.index
            continue
        elif kind is alias_event:
            aliases += 1
            start, end = event.start_mark.index, event.end_mark.index
            if aliases > MAX_ALIASES:
                raise RefusedError(reading.too_many_aliases(MAX_ALIASES, Span(source, start, end)))
            target = anchors.get(event.anchor)
            if target is None:
                raise RefusedError(
                    reading.alias_unknown(
                        event.anchor, Span(source, start, end), tuple(map(named, anchors))
                    )
                )
            node = AliasNode(event.anchor, start, end, target)
        elif kind is events.DocumentEndEvent:
            break
        elif kind is events.StreamEndEvent:
            # Nothing but comments: there is no document at all.
            return ScalarNode("", Style.PLAIN, 0, 0)
        else:
            continue
        if kind is not alias_event and event.anchor is not None:
            if anchors_once and event.anchor in anchors:
                raise RefusedError(_anchor_twice(source, node, anchors[event.anchor]))
            anchors[event.anchor] = node
        if not stack:
            root = node
        else:
            parent = stack[-1]
            if isinstance(parent, SequenceNode):
                parent.items.append(node)
                count = len(parent.items)
            elif keys[-1] is None:
                keys[-1] = node
                count = 0
            else:
                parent.entries.append((keys[-1], node))
                keys[-1] = None
                count = len(parent.entries)
            if count > MAX_ENTRIES:
                at = node.start
                raise RefusedError(reading.too_many_entries(MAX_ENTRIES, Span(source, at, at + 1)))
        if kind is mapping_start or kind is sequence_start:
            stack.append(node)  # type: ignore[arg-type]
            keys.append(None)
    event = get_event()
    if not isinstance(event, events.StreamEndEvent):
        at = event.start_mark.index
        raise RefusedError(reading.second_document(Span(source, at, min(at + 3, len(source.text)))))
    return root if root is not None else ScalarNode("", Style.PLAIN, 0, 0)


def _anchor_twice(source: SourceText, node: Node, first: Node) -> Diagnostic:
    return reading.not_yaml(
        own("the anchor `&{}` stands twice", Said(node.anchor or "")),
        Span(source, node.start, min(node.start + 1, len(source.text))),
        own("it stands here first"),
        Span(source, first.start, min(first.start + 1, len(source.text))),
    )


def reader_error(source: SourceText, error: yaml.reader.ReaderError) -> Diagnostic:
    # The position of a reader error counts bytes in the C parser and characters in the pure one:
    # the character itself is looked for instead.
    text = source.text
    for at, character in enumerate(text):
        if not printable(character):
            return reading.character_refused(ord(character), Span(source, at, at + 1))
    at = min(max(int(error.position or 0), 0), len(text))
    return reading.not_yaml(_problem(str(error.reason)), Span(source, at, at))


def _problem(text: str) -> Words:
    """Words of the parser: its own but where it quotes more than a sign of the document."""
    return Own(text) if _UNQUOTING.fullmatch(text) else Said(text)


def printable(character: str) -> bool:
    """Whether YAML lets a character stand in a text as it is."""
    code = ord(character)
    return (
        code in (0x09, 0x0A, 0x0D, 0x85)
        or 0x20 <= code <= 0x7E
        or (0xA0 <= code <= 0xD7FF)
        or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)
        or 0x10000 <= code <= 0x10FFFF
    )


def marked_error(source: SourceText, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    at = min(mark.index if mark is not None else 0, len(source.text))
    end = min(at + 1, len(source.text))
    problem = error.problem or "not valid YAML"
    context = error.context
    context_span = None
    if error.context_mark is not None and error.context_mark.index != at:
        start = min(error.context_mark.index, len(source.text))
        context_span = Span(source, start, min(start + 1, len(source.text)))
    text = source.text
    if problem == "did not find expected <document start>" and text[:at].rstrip().endswith("..."):
        return reading.second_document(Span(source, at, end))
    if problem == "exceeded maximum nesting depth":
        # The scanner of libyaml runs ahead of the events that are counted here.
        return reading.too_deep(MAX_DEPTH, Span(source, at, end))
    if text[at:end] == "\t" and (
        "cannot start any token" in problem
        or "tab character" in problem
        or problem.endswith("but found '\\t'")
    ):
        return reading.tab_refused(Span(source, at, end))
    return reading.not_yaml(
        _problem(problem),
        Span(source, at, end),
        None if context is None else _problem(context),
        context_span,
    )
