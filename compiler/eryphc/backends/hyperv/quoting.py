"""Whether an open place in a cloud-config can take any value: only quotes and blocks can."""

from __future__ import annotations

from collections.abc import Iterator

from eryphc.backends.hyperv.slots import Slot
from eryphc.guestconfig.model import Part
from eryphc.source import SourceText
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from eryphc.syntax.yaml_nodes import compose

_CONFIG = "text/cloud-config"
_TEMPLATE = "text/jinja2"


def unquoted(part: Part, slots: tuple[Slot, ...]) -> Iterator[Slot]:
    """The slots that stand in `part` where a value could change what the text means.

    A script takes any value of the alphabet of slots as it is.
    """
    used = [slot for slot in slots if slot.text in part.text]
    if not used or part.media_type not in (_CONFIG, _TEMPLATE):
        return
    if part.media_type == _TEMPLATE:
        if part.text.partition("\n")[2].startswith("#!"):
            return
        yield from (slot for slot in used if not _in_quotes(part.text, slot.text))
        return
    root = compose(SourceText(part.name, part.text)).value
    if root is None:
        return
    plain = [scalar.value for scalar in _scalars(root) if scalar.style is Style.PLAIN]
    yield from (slot for slot in used if any(slot.text in value for value in plain))


def _in_quotes(text: str, wanted: str) -> bool:
    """Whether every line that holds `wanted` has it between two quotes of one kind."""
    for line in text.splitlines():
        before, found, after = line.partition(wanted)
        if found and not any(quote in before and quote in after for quote in "\"'"):
            return False
    return True


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for key, value in node.entries:
            yield from _scalars(key)
            yield from _scalars(value)
