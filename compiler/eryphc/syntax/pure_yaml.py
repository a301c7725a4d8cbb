"""YAML as the loader in guests reads it, where that differs from libyaml.

cloud-init loads with PyYAML's `SafeLoader`, whose scanner is written in Python and is another one
than libyaml's: it refuses a tab between a value and its comment, and takes unknown directives.
The scanner is 20 to 50 times as slow, so it is asked only about texts that both might not read
alike. Source: docs/reference/cloud-init.md, "YAML as a guest reads it".
"""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from eryphc.diagnostics import reading
from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.said import own
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, Style
from eryphc.syntax.yaml_nodes import (
    BYTE_ORDER_MARK,
    RefusedError,
    beyond_limits,
    build,
    marked_error,
    reader_error,
)

# What stands in each text that the loader takes and libyaml refuses: a tag, a directive, a tab or a
# byte order mark, an escape, a sign of a flow collection behind a colon, a question mark.
_LOADED_ALONE: Final = re.compile(
    r"[!?\t\ufeff]|\\[uUxX]|:[}\],]|(?:^|[\r\x85\u2028\u2029])%", re.MULTILINE
)
_BLOCK_HEADER: Final = re.compile(r"[|>][-+0-9]*(?: |$)")
_BLOCKS: Final = (Style.LITERAL, Style.FOLDED)
_QUOTES: Final = (Style.SINGLE, Style.DOUBLE)


class _Parser(Reader, Scanner, Parser):
    """The lower half of `yaml.SafeLoader`: events, and no values."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def compose_as_loaded(source: SourceText) -> Outcome[Node]:
    """The root node of the one document in `source`, or what the loader refuses.

    The limits are those of `yaml_nodes.compose`.
    """
    refused = beyond_limits(source)
    if refused is not None:
        return refused
    try:
        return Outcome(build(source, _Parser(source.text), anchors_once=True))
    except RefusedError as error:
        return Outcome(None, (error.diagnostic,))
    except yaml.reader.ReaderError as error:
        return Outcome(None, (reader_error(source, error),))
    except yaml.MarkedYAMLError as error:
        return Outcome(None, (marked_error(source, error),))
    except (ValueError, OverflowError):
        # An escape beyond Unicode, or a version of too many digits; the scanner knows no place.
        problem = own("it holds a number that no reader of YAML takes")
        return Outcome(None, (reading.not_yaml(problem, Span(source, 0, 0)),))


def may_load_alone(text: str) -> bool:
    """Whether the loader might take a text that libyaml refuses. A property test looks for more."""
    return _LOADED_ALONE.search(text) is not None


def reads_alike(text: str, root: Node) -> bool:
    """Whether the loader surely makes `root` of a text, too, of which libyaml has made it.

    False where it might refuse the text: for a tab outside of quotes and literal blocks, a `?` in a
    flow collection, what follows the sign of a block, `\\'` in double quotes, and for tags,
    anchors and directives. A property test looks for more.
    """
    if BYTE_ORDER_MARK in text:
        return False
    if root.start == root.end == 0 and text:
        # Comments alone.
        return "\t" not in text
    hidden: list[tuple[int, int]] = []
    flow = False
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, AliasNode) or node.tag is not None or node.anchor is not None:
            return False
        if isinstance(node, ScalarNode):
            if node.style in _BLOCKS:
                line_end = text.find("\n", node.start, node.end)
                body = node.end if line_end == -1 else line_end
                if (
                    not _BLOCK_HEADER.match(text, node.start, body)
                    or "\t" in text[node.start : body]
                ):
                    return False
                hidden.append((body, node.end))
            elif node.style in _QUOTES:
                if node.style is Style.DOUBLE and "\\'" in text[node.start : node.end]:
                    return False
                hidden.append((node.start, node.end))
        elif isinstance(node, SequenceNode):
            flow = flow or node.flow
            nodes += node.items
        elif isinstance(node, MappingNode):
            flow = flow or node.flow
            for entry in node.entries:
                nodes += entry
    rest = _outside(text, hidden)
    return "\t" not in rest and not (flow and "?" in rest) and "\n%" not in f"\n{rest}"


def _outside(text: str, hidden: list[tuple[int, int]]) -> str:
    """The text without the stretches `hidden`."""
    kept: list[str] = []
    at = 0
    for start, end in sorted(hidden):
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    return "".join(kept)
