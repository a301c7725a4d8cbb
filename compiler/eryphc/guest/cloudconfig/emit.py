"""From data to cloud-config text that YAML 1.1 and YAML 1.2 readers understand alike.

Every text that any reader could take for something else is quoted; lines are never folded;
the same data gives the same bytes. Output uses no feature newer than YAML 1.1.
"""

from __future__ import annotations

import datetime as dt
import re
from base64 import b64encode

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, Tagged, Value

MARKER = "#cloud-config"

# Text that may stand plain: it begins with a letter or a sign that starts nothing in YAML,
# and holds neither `: ` nor ` #`. Digits, signs and dots begin numbers, so they are quoted.
_PLAIN = re.compile(
    r"[A-Za-z_/$(]"
    r"(?:[A-Za-z0-9_/.,;+$()=@%^<>\\*?&!|\"'~{}\[\]-]|:(?=[A-Za-z0-9_/.,;+$()=@%-])"
    r"|(?<=[A-Za-z0-9_/.-])#| (?=[A-Za-z0-9_/.,;+$()=@%^<>\\*?&!|\"'~{}\[\]-]))*"
)
_WORDS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "none")
)

# What no reader keeps as it is in a literal block: controls but tab and line feed, other line
# ends, the byte order mark, lone surrogates, and what lies beyond the basic plane (readers
# before PyYAML 5.1 refuse it).
_UNPRINTABLE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]"
)
# What stands in no quotes but double ones, escaped.
_ODD = re.compile(
    "[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}

# PyYAML looks at most 1024 characters ahead for the `:` of a key.
_LONGEST_SIMPLE_KEY = 1_000


class Mark(NamedTuple):
    """A node and the place of its text: the number of its chunk and the column, both from 0."""

    chunk: int
    column: int
    node: Node


class Emitted(NamedTuple):
    """A text with the places of its keys, its scalars and its empty lists and maps.

    `chunks` are its lines, but for a literal block, which is one chunk with the line before it.
    """

    text: str
    chunks: tuple[str, ...]
    marks: tuple[Mark, ...]


def write(root: MappingNode, *, slots: tuple[str, ...] = ()) -> Emitted:
    """The whole text of a part: the marker line and the data, with a line feed at the end.

    Every scalar that holds one of `slots` stands in double quotes: nothing else holds it,
    whatever it becomes.
    """
    writer = _Writer(slots)
    writer.chunks.append(MARKER)
    if root.entries:
        writer.mapping(root, "")
    else:
        writer.chunks.append("{}")
    return writer.done()


def emit(node: Node) -> str:
    """The data as one YAML document, with a line feed at the end."""
    return write_document(node).text


def write_document(node: Node) -> Emitted:
    """The data as one YAML document, and where its nodes stand in it."""
    writer = _Writer()
    if isinstance(node, MappingNode) and node.entries:
        writer.mapping(node, "")
    elif isinstance(node, Sequence) and node.items:
        writer.sequence(node, "")
    else:
        writer.leaf("", node, "")
    return writer.done()


class _Writer:
    """Writes one text, chunk by chunk."""

    __slots__ = ("chunks", "marks", "slots")

    def __init__(self, slots: tuple[str, ...] = ()) -> None:
        self.slots = slots
        self.chunks: list[str] = []
        self.marks: list[Mark] = []

    def done(self) -> Emitted:
        text = "\n".join((*self.chunks, ""))
        return Emitted(text, tuple(self.chunks), tuple(self.marks))

    def mapping(self, node: MappingNode, indent: str, lead: str | None = None) -> None:
        """Append the entries; the first line begins with `lead` (after the dash of a list)."""
        first = lead
        for key, value in node.entries.items():
            start = indent if first is None else first
            first = None
            name = self.key(key)
            place = node.keys.get(key, node)
            if len(name) > _LONGEST_SIMPLE_KEY:
                self.marks.append(Mark(len(self.chunks), len(start) + 2, place))
                self.chunks.append(f"{start}? {name}")
                head = f"{indent}:"
            else:
                self.marks.append(Mark(len(self.chunks), len(start), place))
                head = f"{start}{name}:"
            if isinstance(value, Sequence) and value.items:
                self.chunks.append(head)
                self.sequence(value, indent)
            elif isinstance(value, MappingNode) and value.entries:
                self.chunks.append(head)
                self.mapping(value, indent + "  ")
            else:
                self.leaf(f"{head} ", value, indent)

    def sequence(self, node: Sequence, indent: str, lead: str | None = None) -> None:
        first = lead
        inner = indent + "  "
        for item in node.items:
            start = indent if first is None else first
            first = None
            if isinstance(item, Sequence) and item.items:
                self.sequence(item, inner, f"{start}- ")
            elif isinstance(item, MappingNode) and item.entries:
                self.mapping(item, inner, f"{start}- ")
            else:
                self.leaf(f"{start}- ", item, indent)

    def leaf(self, head: str, node: Node, indent: str) -> None:
        """Append what has nothing below it: a scalar, an empty list or an empty map."""
        self.marks.append(Mark(len(self.chunks), len(head), node))
        if isinstance(node, Scalar):
            value = node.value
            if isinstance(value, str) and self.holds_slot(value):
                self.chunks.append(f"{head}{_double_quoted(value)}")
            else:
                self.chunks.append(f"{head}{_scalar(value, indent)}")
        else:
            self.chunks.append(f"{head}{'[]' if isinstance(node, Sequence) else '{}'}")

    def key(self, key: Value) -> str:
        if not isinstance(key, str):
            return _scalar(key, "")
        if self.holds_slot(key):
            return _double_quoted(key)
        return key if _is_plain(key) else _quoted(key)

    def holds_slot(self, text: str) -> bool:
        return bool(self.slots) and any(slot in text for slot in self.slots)


def _scalar(value: Value, indent: str) -> str:
    """The scalar as it stands after its key or dash; further lines are indented below `indent`."""
    if isinstance(value, str):
        if "\n" in value:
            block = _literal(value, indent + "  ")
            if block is not None:
                return block
        elif _is_plain(value):
            return value
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes):
        return f'!!binary "{b64encode(value).decode("ascii")}"'
    if isinstance(value, Tagged):
        return _tagged(value)
    return _timestamp(value)


def _tagged(value: Tagged) -> str:
    """On one line, with all text in double quotes: what is so rare need not look well."""
    if value.tag == "set":
        members = ", ".join(f"? {_in_flow(key)}" for key, _ in value.entries)
        return f"!!set {{{members}}}"
    pairs = ", ".join(f"{{{_pair(*entry)}}}" for entry in value.entries)
    return f"!!{value.tag} [{pairs}]"


def _in_flow(node: Node) -> str:
    if isinstance(node, Sequence):
        return f"[{', '.join(map(_in_flow, node.items))}]"
    if isinstance(node, MappingNode):
        pairs = (_pair(Scalar(key), value) for key, value in node.entries.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(node.value, str):
        return _double_quoted(node.value)
    return _scalar(node.value, "")


def _pair(key: Node, value: Node) -> str:
    return f"? {_in_flow(key)} : {_in_flow(value)}"


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and (len(text) > 8 or text.lower() not in _WORDS)


def _quoted(text: str) -> str:
    # Single quotes keep backslashes readable; they cannot hold what needs an escape, and a
    # quote of their own would have to be doubled.
    if '"' in text and "'" not in text and _ODD.search(text) is None:
        return f"'{text}'"
    return _double_quoted(text)


def _double_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_ODD.sub(_escape, escaped)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _literal(text: str, indent: str) -> str | None:
    """A literal block, or None where one would not give back the text."""
    if not _is_kept(text):
        return None
    body = text.rstrip("\n")
    if not body or body.isspace():
        return None
    ends = len(text) - len(body)
    if body[-1] in " \t":
        # Readers disagree on a last line of blanks alone.
        last = body.rsplit("\n", 1)[-1]
        if not last.strip(" \t"):
            return None
    # Readers take the indentation from the first line that is not empty: say it where that
    # line begins with a blank, or where lines of blanks come before it.
    head = body.lstrip("\n")
    hint = "2" if head[0] in " \t" else ""
    chomp = "-" if ends == 0 else "" if ends == 1 else "+"
    lines = [f"{indent}{line}" if line else "" for line in body.split("\n")]
    lines.extend([""] * (ends - 1))
    return "|" + hint + chomp + "\n" + "\n".join(lines)


def _is_kept(text: str) -> bool:
    """Whether readers keep each character as it is in a literal block."""
    if text.isascii():
        # Compiling the pattern takes longer than most builds spend on all their texts.
        return text.replace("\n", "").replace("\t", "").isprintable()
    return re.search(_UNPRINTABLE, text) is None


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    if "e" in text:
        # YAML 1.1 takes an exponent only behind a point, and only with a sign.
        mantissa, exponent = text.split("e")
        if "." not in mantissa:
            mantissa += ".0"
        if exponent[0] not in "+-":
            exponent = "+" + exponent
        text = f"{mantissa}e{exponent}"
    return text


def _timestamp(value: dt.date) -> str:
    # Plain it would be text to a reader of YAML 1.2.
    return f'!!timestamp "{value.isoformat()}"'
