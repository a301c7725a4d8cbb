"""Whether the open places of fodder can take any value, and where those stand that cannot.

Text that the compiler writes anew has every open place in double quotes. Text that is kept as its
author wrote it has only the author's quotes: a value in a plain scalar could become a number, a
date or a key. Source: docs/reference/deployment.md, "A seed"; docs/reference/cloud-init.md,
"Types of parts".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eryph_runtime.deployment import SlotKind
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Said, Words, own
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import GuestDocument, KeptText
from eryphc.guest.pieces import (
    CLOUD_CONFIG,
    CLOUD_CONFIG_MARKER,
    JINJA,
    is_jinja,
    said_entry,
    template_body,
    without_expressions,
)
from eryphc.ir.catlet import Fodder
from eryphc.passes.places import chained
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from eryphc.targets.hyperv.slots import Slot

_CONFIG_TYPES = (None, "cloud-config")
_PLAIN = ("", "text/plain", "plain", "null", "~")


def place_faults(
    document: GuestDocument, slots: Sequence[Slot], reader: TextReader
) -> tuple[Diagnostic, ...]:
    """E0708 for slots outside of the author's quotes, E0717 for slots in encoded text."""
    found: list[Diagnostic] = []
    for fodder in document.fodder:
        text = fodder.content.text if fodder.content is not None else ""
        if fodder.type in _CONFIG_TYPES and any(slot.text in text for slot in slots):
            found += chained(_encoded(fodder, slots, reader), fodder.text_origin)
    for part in document.parts:
        body = part.body
        # A tree is written with every slot in double quotes.
        if isinstance(body, KeptText):
            fodder = document.fodder[part.entries[0]]
            found += chained(
                _unquoted(part.media_type, body, fodder, slots, reader), fodder.text_origin
            )
    return tuple(found)


def _unquoted(
    media_type: str, body: KeptText, fodder: Fodder, slots: Sequence[Slot], reader: TextReader
) -> Iterator[Diagnostic]:
    """The faults at slots that stand where a value could change what a kept text means.

    A script takes any value of the alphabet of slots as it is.
    """
    if media_type not in (CLOUD_CONFIG, JINJA):
        return
    text = body.content.text
    if media_type == JINJA and not template_body(body.text).startswith(CLOUD_CONFIG_MARKER):
        return
    for slot in slots:
        offset = next(_bare(text, slot.text, reader), None) if slot.text in text else None
        if offset is not None:
            span = body.content.span(offset, offset + len(slot.text))
            yield wording.slot_unquoted(slot.said, said_entry(fodder), span)


def _bare(text: str, wanted: str, reader: TextReader) -> Iterator[int]:
    """Where `wanted` stands in a plain scalar of a cloud-config, or of a template of one."""
    root = reader.syntax(_as_yaml(text)).value
    if root is None:
        yield from _bare_in_lines(text, wanted)
        return
    for scalar, _ in _scalars(root):
        if scalar.style is Style.PLAIN and wanted in scalar.value:
            yield text.index(wanted, scalar.start)


def _as_yaml(text: str) -> str:
    return without_expressions(text) if is_jinja(text) else text


def _bare_in_lines(text: str, wanted: str) -> Iterator[int]:
    """Where `wanted` stands outside of quotes, in a line that no YAML reader accepts."""
    at = text.find(wanted)
    while at != -1:
        quote = ""
        for character in text[text.rfind("\n", 0, at) + 1 : at]:
            if character == quote:
                quote = ""
            elif not quote and character in "\"'":
                quote = character
        end = text.find("\n", at)
        rest = text[at + len(wanted) :] if end == -1 else text[at + len(wanted) : end]
        if not quote or quote not in rest:
            yield at
        at = text.find(wanted, at + len(wanted))


def _encoded(fodder: Fodder, slots: Sequence[Slot], reader: TextReader) -> Iterator[Diagnostic]:
    """Slots in text that a guest decodes: it would decode the filled-in value too."""
    content = fodder.content
    if content is None:
        return
    text = content.text
    root = reader.syntax(_as_yaml(text)).value
    if root is None:
        return
    for scalar, word in _scalars(root):
        if scalar.tag is not None and scalar.tag.endswith("binary"):
            encoding = "base64"
            said: Words = own("base64")
        elif word is not None:
            encoding = _encoding(word)
            said = Said(encoding, content.span(word.start, word.end))
        else:
            continue
        for slot in slots:
            if slot.text not in scalar.value:
                continue
            # A value may be given in the very encoding.
            whole = scalar.value.strip() == slot.text
            if whole and slot.kind is SlotKind.VALUE and "64" in encoding and scalar.tag is None:
                continue
            offset = text.index(slot.text, scalar.start)
            span = content.span(offset, offset + len(slot.text))
            yield wording.slot_encoded(slot.said, said_entry(fodder), said, span)


def _scalars(node: Node) -> Iterator[tuple[ScalarNode, ScalarNode | None]]:
    """Every scalar, the `content` of a file with the encoding that stands beside it."""
    stack: list[tuple[Node, ScalarNode | None]] = [(node, None)]
    while stack:
        current, encoding = stack.pop()
        if isinstance(current, ScalarNode):
            yield current, encoding
        elif isinstance(current, SequenceNode):
            stack += [(item, None) for item in reversed(current.items)]
        elif isinstance(current, MappingNode):
            beside = _beside(current)
            for key, value in reversed(current.entries):
                holds = isinstance(key, ScalarNode) and key.value == "content"
                stack += [(value, beside if holds else None), (key, None)]


def _beside(node: MappingNode) -> ScalarNode | None:
    """The `encoding` of a file whose content a guest decodes."""
    for key, value in node.entries:
        if isinstance(key, ScalarNode) and key.value == "encoding":
            if isinstance(value, ScalarNode) and _encoding(value) not in _PLAIN:
                return value
            return None
    return None


def _encoding(word: ScalarNode) -> str:
    return word.value.strip().lower()
