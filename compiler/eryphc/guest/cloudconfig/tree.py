"""From the text of a cloud-config to its data, exactly as the loader in a guest reads it.

cloud-init loads with PyYAML's SafeLoader: YAML 1.1, where `yes` is true, `0644` is 420 and
`1:30` is 90. The same resolver and constructors decide here.
Source: docs/reference/cloud-init.md, "YAML as a guest reads it".
"""

from __future__ import annotations

from enum import Enum

import yaml

from eryphc.diagnostics import reading
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.said import NO_WORDS, Own, Said, Words, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Scalar,
    Sequence,
    Tagged,
    Value,
    kind,
)
from eryphc.source import SourceText
from eryphc.syntax import nodes as syntax
from eryphc.syntax.nodes import MAX_DEPTH, MAX_EXPANDED
from eryphc.syntax.yaml_nodes import BYTE_ORDER_MARK, compose

MAX_NODES = 200_000
"""Values in one cloud-config after its aliases are expanded."""

LONGEST_READ_TWICE = 64 * 1024
"""A longer text that libyaml refuses is refused: the loader of a guest takes seconds for it."""

_MAX_NUMBER_LENGTH = 1_000

_PREFIX = "tag:yaml.org,2002:"
_STR, _MERGE, _VALUE = _PREFIX + "str", _PREFIX + "merge", _PREFIX + "value"
_TEXT_TAGS = frozenset((_STR, _PREFIX + "python/unicode"))
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_CONSTRUCTORS = {
    _PREFIX + "null": _CONSTRUCTOR.construct_yaml_null,
    _PREFIX + "bool": _CONSTRUCTOR.construct_yaml_bool,
    _PREFIX + "int": _CONSTRUCTOR.construct_yaml_int,
    _PREFIX + "float": _CONSTRUCTOR.construct_yaml_float,
    _PREFIX + "binary": _CONSTRUCTOR.construct_yaml_binary,
    _PREFIX + "timestamp": _CONSTRUCTOR.construct_yaml_timestamp,
}
_SET, _OMAP, _PAIRS = _PREFIX + "set", _PREFIX + "omap", _PREFIX + "pairs"
# What the parser refuses, and no limit of ours.
_PARSER_REFUSES = frozenset((reading.NOT_YAML, reading.CHARACTER_REFUSED, reading.TAB_REFUSED))
_NUMBERS = frozenset((_PREFIX + "int", _PREFIX + "float"))


class FaultKind(Enum):
    UNREADABLE = "unreadable"
    NOT_A_MAPPING = "not a mapping"
    VALUE = "value"
    EXPANDED = "expanded"
    DUPLICATE_KEY = "duplicate key"
    EMPTY = "empty"


class Fault(NamedTuple):
    """What is wrong with a text, by offsets into it, in `words` or as the finding `inner` of the
    reader of YAML."""

    kind: FaultKind
    start: int
    end: int
    words: Words = NO_WORDS
    first: tuple[int, int] | None = None
    inner: Diagnostic | None = None
    shift: int = 0

    @property
    def problem(self) -> Words | Diagnostic:
        return self.words if self.inner is None else self.inner


class Reading(NamedTuple):
    """A text as data. `root` is None only where one of the faults is fatal.

    A duplicate key and an empty text are not fatal: a guest takes the last value, or nothing.
    """

    root: MappingNode | None
    faults: tuple[Fault, ...]


class AnyReading(NamedTuple):
    """A text as data, whatever its root is."""

    root: Node | None
    faults: tuple[Fault, ...]


class UnloadableError(Exception):
    """No guest can load a text with this in it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words)
        self.fault = fault


def read(text: str) -> Reading:
    """The data of a cloud-config. `reader.TextReader` reads each text once."""
    return config_of(text, read_any(text))


def read_any(text: str) -> AnyReading:
    """The data of a text of any shape (a cloud-config archive is a list)."""
    return data_of(text, syntax_of(text))


def syntax_of(text: str, longest: int = LONGEST_READ_TWICE) -> Outcome[syntax.Node]:
    """The text as written, without a byte order mark in front and zeros behind.

    As libyaml reads it, and where that refuses it as the loader of a guest does: then the value
    comes with the errors of libyaml. A text above `longest` characters is read once.
    """
    source = _source(text)
    outcome = compose(source)
    marked = BYTE_ORDER_MARK in source.text
    if not marked and outcome.value is not None:
        return outcome
    from eryphc.syntax.pure_yaml import compose_as_loaded, may_load_alone

    if marked or (
        outcome.diagnostics[0].code in _PARSER_REFUSES
        and len(source.text) <= longest
        and may_load_alone(source.text)
    ):
        loaded = compose_as_loaded(source)
        if loaded.value is not None:
            return Outcome(loaded.value, outcome.diagnostics)
    return outcome


def loaded_syntax_of(text: str, written: Outcome[syntax.Node]) -> Outcome[syntax.Node]:
    """What the loader of a guest makes of the text as it stands; `written` is its `syntax_of`."""
    if written.value is None:
        return written
    from eryphc.syntax.pure_yaml import compose_as_loaded, reads_alike

    source = _source(text)
    if reads_alike(source.text, written.value):
        return written
    return compose_as_loaded(source)


def libyaml_syntax_of(written: Outcome[syntax.Node]) -> Outcome[syntax.Node]:
    """What cloudbase-init's loader makes of a text, whose `syntax_of` is `written`.

    It asks PyYAML for its `CLoader`.
    """
    return Outcome(None, written.diagnostics) if written.diagnostics else written


def _source(text: str) -> SourceText:
    return SourceText("", text[_shift(text) :].rstrip("\0"))


def data_of(text: str, outcome: Outcome[syntax.Node]) -> AnyReading:
    """The data of a text whose syntax is known."""
    shift = _shift(text)
    if outcome.value is None:
        inner = outcome.diagnostics[0]
        place = inner.primary.span if inner.primary else None
        start = place.start + shift if place else 0
        end = place.end + shift if place else 0
        fault = Fault(
            kind=FaultKind.UNREADABLE,
            start=start,
            end=end,
            inner=inner,
            shift=shift,
        )
        return AnyReading(None, (fault,))
    builder = Builder(text[shift:].rstrip("\0"), shift)
    try:
        root = builder.build(outcome.value, 0)
    except UnloadableError as fatal:
        return AnyReading(None, (*builder.faults, fatal.fault))
    return AnyReading(root, tuple(builder.faults))


def config_of(text: str, reading: AnyReading) -> Reading:
    """A text as a cloud-config: its root has to be a map."""
    root = reading.root
    if root is None or isinstance(root, MappingNode):
        return Reading(root, reading.faults)
    if isinstance(root, Scalar) and root.value is None:
        end = len(text.split("\n", 1)[0])
        empty = MappingNode({}, {}, 0, end)
        return Reading(empty, (*reading.faults, Fault(kind=FaultKind.EMPTY, start=0, end=end)))
    fault = Fault(
        kind=FaultKind.NOT_A_MAPPING,
        start=root.start,
        end=min(root.end, _line_end(text, root.start)),
        words=Own(kind(root)),
    )
    return Reading(None, (*reading.faults, fault))


def block_lines(text: str, node: Scalar) -> list[tuple[int, int]] | None:
    """Where the lines of a literal block stand in its text, each by its start and end.

    None for what is no literal block, and for one whose lines do not stand there as they are.
    """
    value = node.value
    if not isinstance(value, str) or not text.startswith("|", node.start):
        return None
    found: list[tuple[int, int]] = []
    at = _line_end(text, node.start) + 1
    for line in value.removesuffix("\n").split("\n"):
        end = _line_end(text, at)
        if not text.endswith(line, at, end):
            return None
        found.append((end - len(line), end))
        at = end + 1
    return found


def _shift(text: str) -> int:
    return 1 if text.startswith("\ufeff") else 0


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end == -1 else end


class Builder:
    """One walk over the syntax tree; measures what aliases expand to, so that none is a bomb."""

    def __init__(self, text: str, shift: int) -> None:
        self.text = text
        self.shift = shift
        self.faults: list[Fault] = []
        self.count = 0
        self.size = 0
        self.deepest = 0
        # Of each anchored syntax node: the node, its count, its size, its height.
        self.anchored: dict[int, tuple[Node, int, int, int]] = {}
        self.open: set[int] = set()

    def fail(self, kind: FaultKind, node: syntax.Node, words: Words) -> UnloadableError:
        start = node.start
        end = min(node.end, _line_end(self.text, start))
        shift = self.shift
        return UnloadableError(Fault(kind=kind, start=start + shift, end=end + shift, words=words))

    def build(self, node: syntax.Node, depth: int) -> Node:
        if isinstance(node, syntax.AliasNode):
            return self.alias(node, depth)
        if node.anchor is None:
            return self.anew(node, depth)
        count, size, deepest = self.count, self.size, self.deepest
        self.deepest = depth
        self.open.add(id(node))
        built = self.anew(node, depth)
        self.open.discard(id(node))
        self.anchored[id(node)] = (
            built,
            self.count - count,
            self.size - size,
            self.deepest - depth,
        )
        self.deepest = max(self.deepest, deepest)
        return built

    def alias(self, node: syntax.AliasNode, depth: int) -> Node:
        target = node.target
        known = self.anchored.get(id(target))
        if known is None:
            words = own("the alias `*{}` stands inside what it stands for", Said(node.anchor))
            raise self.fail(FaultKind.EXPANDED, node, words)
        built, count, size, height = known
        self.count += count
        self.size += size
        self.deepest = max(self.deepest, depth + height)
        if self.count > MAX_NODES or self.size > MAX_EXPANDED or depth + height > MAX_DEPTH:
            words = own("its aliases expand to more than eryphc takes")
            raise self.fail(FaultKind.EXPANDED, node, words)
        return built

    def anew(self, node: syntax.Node, depth: int) -> Node:
        self.count += 1
        if depth > self.deepest:
            self.deepest = depth
        if isinstance(node, syntax.ScalarNode):
            self.size += len(node.value)
            return self.scalar(node)
        if isinstance(node, syntax.SequenceNode):
            if node.tag in (_OMAP, _PAIRS):
                return self.pairs(node, depth)
            self.check_tag(node, "seq")
            items = tuple([self.build(item, depth + 1) for item in node.items])
            return Sequence(items, node.start + self.shift, node.end + self.shift)
        if isinstance(node, syntax.MappingNode):
            if node.tag == _SET:
                keys = self.mapping(node, depth).keys.values()
                members = tuple([(key, Scalar(None, key.end, key.end)) for key in keys])
                return Scalar(
                    Tagged("set", members), node.start + self.shift, node.end + self.shift
                )
            self.check_tag(node, "map")
            return self.mapping(node, depth)
        return self.alias(node, depth)

    def check_tag(self, node: syntax.SequenceNode | syntax.MappingNode, name: str) -> None:
        if node.tag is not None and node.tag != "!" and node.tag != _PREFIX + name:
            tag = Said(_short(node.tag))
            words = own("the tag `{}` has no meaning in a cloud-config here", tag)
            raise self.fail(FaultKind.VALUE, node, words)

    def pairs(self, node: syntax.SequenceNode, depth: int) -> Scalar:
        found: list[tuple[Node, Node]] = []
        for item in node.items:
            entry: tuple[Node, Node] | None = None
            if isinstance(item, syntax.AliasNode) or item.anchor is not None:
                built = self.build(item, depth + 1)
                if isinstance(built, MappingNode) and len(built.entries) == 1:
                    key, value = next(iter(built.entries.items()))
                    entry = built.keys[key], value
            elif isinstance(item, syntax.MappingNode) and len(item.entries) == 1:
                # Here any value may be a key.
                first, second = item.entries[0]
                entry = self.build(first, depth + 2), self.build(second, depth + 2)
            if entry is None:
                words = own("a list of pairs takes maps of one entry")
                raise self.fail(FaultKind.VALUE, item, words)
            found.append(entry)
        tagged = Tagged("omap" if node.tag == _OMAP else "pairs", tuple(found))
        return Scalar(tagged, node.start + self.shift, node.end + self.shift)

    def mapping(self, node: syntax.MappingNode, depth: int) -> MappingNode:
        here: dict[Value, Node] = {}
        keys: dict[Value, Scalar] = {}
        merged: list[MappingNode] = []
        for key_node, value_node in node.entries:
            if is_merge(key_node):
                merged.extend(self.merged(value_node, depth))
                continue
            key = self.key(key_node, depth)
            value = self.build(value_node, depth + 1)
            if key.value in here:
                first = keys[key.value]
                self.faults.append(
                    Fault(
                        kind=FaultKind.DUPLICATE_KEY,
                        start=key.start,
                        end=key.end,
                        words=Said(str(key.value)),
                        first=(first.start, first.end),
                    )
                )
            here[key.value] = value
            keys[key.value] = key
        if merged:
            entries: dict[Value, Node] = {}
            all_keys: dict[Value, Scalar] = {}
            for part in merged:
                entries.update(part.entries)
                all_keys.update(part.keys)
            entries.update(here)
            all_keys.update(keys)
            here, keys = entries, all_keys
        return MappingNode(here, keys, node.start + self.shift, node.end + self.shift)

    def merged(self, node: syntax.Node, depth: int) -> list[MappingNode]:
        """What `<<` brings in, weakest first."""
        built = self.build(node, depth + 1)
        if isinstance(built, MappingNode):
            return [built]
        if isinstance(built, Sequence):
            parts = [item for item in built.items if isinstance(item, MappingNode)]
            if len(parts) == len(built.items):
                return parts[::-1]
        raise self.fail(FaultKind.VALUE, node, own("`<<` takes a map, or a list of maps"))

    def key(self, node: syntax.Node, depth: int) -> Scalar:
        if isinstance(node, syntax.ScalarNode) and _is_plain(node) and node.value == "=":
            return Scalar("=", node.start + self.shift, node.end + self.shift)
        built = self.build(node, depth + 1)
        if isinstance(built, Scalar) and not isinstance(built.value, Tagged):
            return built
        raise self.fail(FaultKind.VALUE, node, own("{} cannot be a key", Own(kind(built))))

    def scalar(self, node: syntax.ScalarNode) -> Scalar:
        shift = self.shift
        value = node.value
        tag = node.tag
        if tag is None or tag == "!":
            tag = _resolve(value) if tag == "!" or node.style is syntax.Style.PLAIN else _STR
        if tag in _TEXT_TAGS:
            return Scalar(value, node.start + shift, node.end + shift)
        construct = _CONSTRUCTORS.get(tag)
        if construct is None:
            words = (
                own("`{}` has a special meaning in YAML 1.1 that no guest can load", Said(value))
                if tag in (_MERGE, _VALUE)
                else own("the tag `{}` has no meaning in a cloud-config here", Said(_short(tag)))
            )
            raise self.fail(FaultKind.VALUE, node, words)
        if tag in _NUMBERS and len(value) > _MAX_NUMBER_LENGTH:
            raise self.fail(FaultKind.VALUE, node, own("the number is too long to be read"))
        try:
            built = construct(yaml.ScalarNode(tag, value))
        except (ValueError, LookupError, AttributeError, ArithmeticError, yaml.YAMLError):
            name = Own(_short(tag).removeprefix("!!"))
            words = own("it looks like a value of the type `{}`, and is none", name)
            raise self.fail(FaultKind.VALUE, node, words) from None
        return Scalar(built, node.start + shift, node.end + shift)


def _resolve(value: str) -> str:
    for tag, pattern in _RESOLVERS.get(value[0] if value else "", ()):
        if pattern.match(value):
            return str(tag)
    return _STR


def _is_plain(node: syntax.ScalarNode) -> bool:
    return node.tag == "!" or (node.tag is None and node.style is syntax.Style.PLAIN)


def is_merge(node: syntax.Node) -> bool:
    if not isinstance(node, syntax.ScalarNode):
        return False
    return node.tag == _MERGE or (node.value == "<<" and _is_plain(node))


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag
