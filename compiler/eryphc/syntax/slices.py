"""Block content as text: the part of the document that a collection covers.

Source: docs/reference/language.md, "Content as text".
"""

from __future__ import annotations

from eryphc.frozen import NamedTuple
from eryphc.source import SourceText
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode

_LINE_BREAKS = "\n\r\x85\u2028\u2029"


class Slice(NamedTuple):
    """`text` is the content. `end` is where the author's own text of it ends.

    `comments` are the offsets of comment lines after the last value: they belong to the text.
    `emptied` tells that lines of only spaces became empty.
    """

    text: str
    start: int
    end: int
    comments: tuple[int, ...]
    emptied: bool


def block_slice(source: SourceText, node: MappingNode | SequenceNode) -> Slice:
    text = source.text
    start, end = node.start, node.end
    line = text.rfind("\n", 0, start) + 1
    line = max(line, *(text.rfind(character, line, start) + 1 for character in _LINE_BREAKS))
    column = start - line
    raw = text[start:end].replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    indent = " " * column
    lines: list[str] = []
    emptied = False
    for written in raw.split("\n"):
        kept = written.removeprefix(indent)
        if kept and not kept.strip(" "):
            # What stands before the next token on its own line is its indentation, not a line.
            emptied = emptied or len(lines) < raw.count("\n")
            kept = ""
        lines.append(kept)
    sliced = "\n".join(lines)
    if not sliced.endswith("\n"):
        sliced += "\n"
    last = _last_offset(node)
    return Slice(sliced, start, end, _comment_lines(text, last, end), emptied)


def _last_offset(node: Node) -> int:
    """Where the last value inside `node` ends."""
    while True:
        if isinstance(node, SequenceNode):
            if node.flow or not node.items:
                return node.end if node.flow else node.start
            node = node.items[-1]
        elif isinstance(node, MappingNode):
            if node.flow or not node.entries:
                return node.end if node.flow else node.start
            key, value = node.entries[-1]
            node = key if isinstance(value, ScalarNode) and value.start == value.end else value
        else:
            return node.end


def _comment_lines(text: str, start: int, end: int) -> tuple[int, ...]:
    found: list[int] = []
    at = text.find("\n", start, end)
    while at != -1:
        line_end = text.find("\n", at + 1, end)
        line = text[at + 1 : end if line_end == -1 else line_end]
        if line.lstrip(" ").startswith("#"):
            found.append(at + 1 + len(line) - len(line.lstrip(" ")))
        at = line_end
    return tuple(found)
