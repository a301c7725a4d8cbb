"""Whether the open places of fodder can take any value, and where those stand that cannot.

Text that is emitted anew has every open place in double quotes. Text that is kept as its author
wrote it is a matter of the author's quotes: a value in a plain scalar could become a number, a
date or a key. Source: docs/deployment.md, "A seed"; cloud-init.md 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from eryph_runtime.deployment import SlotKind
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.model import Part
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content
from eryphc.passes.places import chained
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from eryphc.syntax.yaml_nodes import compose
from eryphc.targets.hyperv.slots import Slot

_CONFIG = "text/cloud-config"
_TEMPLATE = "text/jinja2"
_CONFIG_TYPES = (None, "cloud-config")
_JINJA = "## template: jinja"
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def place_faults(
    parts: Iterable[Part], foods: Sequence[Fodder], slots: Sequence[Slot]
) -> tuple[Diagnostic, ...]:
    """E0708 for slots outside of the author's quotes, E0717 for slots in encoded text.

    `foods` are those that `parts` were made of.
    """
    found: list[Diagnostic] = []
    for food in foods:
        if food.type in _CONFIG_TYPES and any(_holds(food, slot) for slot in slots):
            found += chained(_encoded(food, slots), food.text_origin)
    for part in parts:
        own = [foods[index] for index in part.foods]
        for slot in _unquoted(part.media_type, part.text, slots):
            found += _unquoted_faults([food for food in own if _holds(food, slot)] or own, slot)
    return tuple(found)


def _label(food: Fodder) -> str:
    return food.name or food.filename or "food"


def _holds(food: Fodder, slot: Slot) -> bool:
    return food.content is not None and slot.text in food.content.text


def _unquoted_faults(foods: Sequence[Fodder], slot: Slot) -> Iterator[Diagnostic]:
    """The fault at each of the foods in which the slot stands bare.

    An archive holds the text of a part in another form, so its place is all that can be told.
    """
    bare = [
        (food, offset)
        for food in foods
        if food.content is not None
        and (offset := next(_bare(food.content.text, slot.text), None)) is not None
    ]
    for food, offset in bare:
        fault = wording.slot_unquoted(slot.name, _label(food), _span(food.content, offset, slot))
        yield from chained((fault,), food.text_origin)
    for food in foods if not bare else ():
        fault = wording.slot_unquoted(slot.name, _label(food), food.at("content"))
        yield from chained((fault,), food.text_origin)


def _span(content: Content | None, offset: int, slot: Slot) -> Span | None:
    return content.span(offset, offset + len(slot.text)) if content is not None else None


def _unquoted(media_type: str, text: str, slots: Sequence[Slot]) -> Iterator[Slot]:
    """The slots that stand in a part where a value could change what the text means.

    A script takes any value of the alphabet of slots as it is.
    """
    used = [slot for slot in slots if slot.text in text]
    if not used or media_type not in (_CONFIG, _TEMPLATE):
        return
    if media_type == _TEMPLATE and not text.partition("\n")[2].startswith("#cloud-config"):
        return
    yield from (slot for slot in used if next(_bare(text, slot.text), None) is not None)


def _bare(text: str, wanted: str) -> Iterator[int]:
    """Where `wanted` stands in a plain scalar of a cloud-config, or of a template of one."""
    masked = _without_expressions(text) if _is_template(text) else text
    root = compose(SourceText("", masked)).value
    if root is None:
        yield from _bare_in_lines(text, wanted)
        return
    for scalar, _ in _scalars(root):
        if scalar.style is Style.PLAIN and wanted in scalar.value:
            yield text.index(wanted, scalar.start)


def _is_template(text: str) -> bool:
    return text.partition("\n")[0].rstrip().lower() == _JINJA


def _without_expressions(text: str) -> str:
    """A template as YAML of the same length: expressions are letters, statements blanks."""
    text = _STATEMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return _EXPRESSION.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), text)


def _bare_in_lines(text: str, wanted: str) -> Iterator[int]:
    """Where a line that no reader of YAML takes has `wanted` outside of quotes."""
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


def _encoded(food: Fodder, slots: Sequence[Slot]) -> Iterator[Diagnostic]:
    """Slots in text that a guest decodes: what is filled in would be decoded with it."""
    content = food.content
    if content is None:
        return
    text = content.text
    root = compose(SourceText("", _without_expressions(text) if _is_template(text) else text)).value
    if root is None:
        return
    for scalar, encoding in _scalars(root):
        if scalar.tag is not None and scalar.tag.endswith("binary"):
            encoding = "base64"
        if encoding is None:
            continue
        for slot in slots:
            if slot.text not in scalar.value:
                continue
            # A value may be given in the very encoding.
            whole = scalar.value.strip() == slot.text
            if whole and slot.kind is SlotKind.VALUE and "64" in encoding and scalar.tag is None:
                continue
            span = _span(content, text.index(slot.text, scalar.start), slot)
            yield wording.slot_encoded(slot.name, _label(food), encoding, span)


def _scalars(node: Node) -> Iterator[tuple[ScalarNode, str | None]]:
    """Every scalar, the `content` of a file with the encoding that stands beside it."""
    stack: list[tuple[Node, str | None]] = [(node, None)]
    while stack:
        current, encoding = stack.pop()
        if isinstance(current, ScalarNode):
            yield current, encoding
        elif isinstance(current, SequenceNode):
            stack += [(item, None) for item in reversed(current.items)]
        elif isinstance(current, MappingNode):
            beside = _encoding(current)
            for key, value in reversed(current.entries):
                holds = isinstance(key, ScalarNode) and key.value == "content"
                stack += [(value, beside if holds else None), (key, None)]


def _encoding(node: MappingNode) -> str | None:
    for key, value in node.entries:
        if isinstance(key, ScalarNode) and key.value == "encoding":
            word = value.value.strip().lower() if isinstance(value, ScalarNode) else ""
            return word if word not in ("", "text/plain", "plain", "null", "~") else None
    return None
