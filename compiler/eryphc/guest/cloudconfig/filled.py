"""Texts made of a template and values, read without reading the template again.

Catlets share genes, so most texts are one text with other values in its places. The tree of the
text is made once, with a mark at each place; for a further text the values are put into that tree.
This gives the same as reading the text, or nothing: a value is put into a tree only if it can be
nothing but a piece of its scalar. A property test compares the two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence as Many
from enum import Enum
from typing import Final, TypeAlias

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.cloudconfig.tree import (
    Builder,
    Reading,
    UnloadableError,
    is_merge,
)
from eryphc.ir.content import Content, Substituted
from eryphc.source import SourceText
from eryphc.syntax import nodes as syntax
from eryphc.syntax.yaml_nodes import compose

# Values that are only text wherever in a scalar they stand: no quotes, flow signs, comments,
# escapes or line ends; blanks only between other characters, and no indicator in front.
# A colon begins a value only before a blank, or in a flow collection.
_HARMLESS: Final = re.compile(
    r"[A-Za-z0-9_/]"
    r"(?:[A-Za-z0-9_./@+=~%$()^;-]| (?=[A-Za-z0-9_./@+=~%$()^;-])|:(?=[A-Za-z0-9_/]))*"
)
# A value of the same kind that also cannot continue an escape, a header or a directive.
_MARK: Final = "Zplace"
_ANY_MARK: Final = re.compile(_MARK + "[0-9]+Z")

_LONGEST: Final = 16 * 1024
_MOST: Final = 256


class _Shift(NamedTuple):
    """What a text puts into its template.

    `moved` has one entry more than `values`: by how much the first none, one, two ... of them
    move what follows.
    """

    values: Many[str]
    moved: Many[int]


_Make: TypeAlias = Callable[[_Shift], Node]


class _UnfitError(Exception):
    """The text has to be read as it is: the template cannot serve."""


class _Template:
    """The tree of a text with places."""

    def __init__(self, text: str, places: Many[tuple[int, int]]) -> None:
        if len(text) > _LONGEST or _MARK in text or "\0" in text or text.startswith("\ufeff"):
            raise _UnfitError
        pieces: list[str] = []
        self.marks: list[tuple[int, int]] = []
        at = length = 0
        for number, (start, end) in enumerate(places):
            mark = f"{_MARK}{number}Z"
            pieces += (text[at:start], mark)
            length += start - at
            self.marks.append((length, length + len(mark)))
            length += len(mark)
            at = end
        marked = "".join((*pieces, text[at:]))
        self.in_flow: set[int] = set()
        self.found = 0
        self.builder = Builder(marked, 0)
        outcome = compose(SourceText("", marked))
        if not isinstance(outcome.value, syntax.MappingNode):
            raise _UnfitError
        self.make = self.mapping(outcome.value, flow=outcome.value.flow)
        if not outcome.value.entries or outcome.value.tag or outcome.value.anchor:
            raise _UnfitError
        if self.found != len(self.marks):
            # A place in a comment, or in a key.
            raise _UnfitError

    def read(self, values: Many[str]) -> MappingNode:
        """The tree with `values` in its places. Raises `_UnfitError`."""
        moved = [0]
        for number, value in enumerate(values):
            if _HARMLESS.fullmatch(value) is None or (":" in value and number in self.in_flow):
                raise _UnfitError
            start, end = self.marks[number]
            moved.append(moved[-1] + len(value) - (end - start))
        return self.make(_Shift(values, moved))

    def before(self, offset: int) -> int:
        """How many places begin before `offset`."""
        return sum(1 for start, _ in self.marks if start < offset)

    def node(self, node: syntax.Node, *, flow: bool) -> _Make:
        if isinstance(node, syntax.AliasNode) or node.anchor is not None or node.tag is not None:
            raise _UnfitError
        if isinstance(node, syntax.ScalarNode):
            return self.scalar(node, flow=flow)
        if isinstance(node, syntax.SequenceNode):
            return self.sequence(node, flow=flow or node.flow)
        return self.mapping(node, flow=flow or node.flow)

    def scalar(self, node: syntax.ScalarNode, *, flow: bool) -> _Make:
        start, end = node.start, node.end
        first, last = self.before(start), self.before(end)
        if _MARK not in node.value:
            value = self.builder.scalar(node).value

            def fixed(shift: _Shift) -> Node:
                moved = shift.moved
                return Scalar(value, start + moved[first], end + moved[last])

            return fixed
        between = _ANY_MARK.split(node.value)
        if _ANY_MARK.findall(node.value) != [f"{_MARK}{n}Z" for n in range(first, last)]:
            raise _UnfitError
        self.found += last - first
        if flow:
            self.in_flow.update(range(first, last))
        style, builder = node.style, self.builder

        def filled(shift: _Shift) -> Node:
            moved = shift.moved
            text = between[0] + "".join(
                value + rest
                for value, rest in zip(shift.values[first:last], between[1:], strict=True)
            )
            place = start + moved[first], end + moved[last]
            if style is not syntax.Style.PLAIN:
                return Scalar(text, *place)
            return builder.scalar(syntax.ScalarNode(text, style, *place))

        return filled

    def sequence(self, node: syntax.SequenceNode, *, flow: bool) -> _Make:
        makes = [self.node(item, flow=flow) for item in node.items]
        start, end = node.start, node.end
        first, last = self.before(start), self.before(end)

        def make(shift: _Shift) -> Node:
            moved = shift.moved
            return Sequence(
                tuple([make(shift) for make in makes]), start + moved[first], end + moved[last]
            )

        return make

    def mapping(self, node: syntax.MappingNode, *, flow: bool) -> Callable[[_Shift], MappingNode]:
        makes: list[tuple[Scalar, int, int, _Make]] = []
        seen = set()
        for key_node, value_node in node.entries:
            if not isinstance(key_node, syntax.ScalarNode) or is_merge(key_node):
                raise _UnfitError
            if key_node.anchor is not None or key_node.tag is not None or _MARK in key_node.value:
                raise _UnfitError
            key = self.builder.key(key_node, 0)
            if key.value in seen:
                raise _UnfitError
            seen.add(key.value)
            places = self.before(key.start), self.before(key.end)
            makes.append((key, *places, self.node(value_node, flow=flow)))
        start, end = node.start, node.end
        first, last = self.before(start), self.before(end)

        def make(shift: _Shift) -> MappingNode:
            moved = shift.moved
            entries = {key.value: make(shift) for key, _, _, make in makes}
            keys = {
                key.value: Scalar(key.value, key.start + moved[before], key.end + moved[within])
                for key, before, within, _ in makes
            }
            return MappingNode(entries, keys, start + moved[first], end + moved[last])

        return make


class _Stage(Enum):
    """What is known of a text with places that has no template."""

    SEEN = "once: a template is made when it comes again"
    UNFIT = "it has none"


_Key: TypeAlias = tuple[str, tuple[tuple[int, int], ...]]


class Templates:
    """The templates that have been seen lately."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[_Key, _Template | _Stage] = {}

    def read(self, content: Content) -> Reading | None:
        """The data of a text with values in it; None where the text has to be read."""
        origin, text = content.origin, content.text
        if not isinstance(origin, Substituted) or not origin.insertions or len(text) > _LONGEST:
            return None
        base, insertions = origin.base, origin.insertions
        if isinstance(base.origin, Substituted):
            return None
        places = tuple([(insertion.old_start, insertion.old_end) for insertion in insertions])
        key = base.text, places
        known = self._known
        # What is used goes to the end, the oldest first.
        template = known.pop(key, None)
        if template is None:
            if len(known) >= _MOST:
                del known[next(iter(known))]
            known[key] = _Stage.SEEN
            return None
        if template is _Stage.SEEN:
            template = _template(base.text, places)
        known[key] = template
        if isinstance(template, _Stage):
            return None
        try:
            root = template.read([text[each.start : each.end] for each in insertions])
        except (_UnfitError, UnloadableError):
            return None
        return Reading(root, ())


def _template(text: str, places: Many[tuple[int, int]]) -> _Template | _Stage:
    try:
        return _Template(text, places)
    except (_UnfitError, UnloadableError):
        return _Stage.UNFIT
