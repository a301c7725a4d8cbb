"""Which values of a cloud-config make eryph's guest services apply nothing of the user-data.

They read YAML into typed records. A text is judged with the scanner of PyYAML that is written in
Python, each scalar taken as it is written, against the table in `schemas/egs-shapes.json`.
Source: docs/reference/guest-agents.md, "Shapes of values".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader as YamlReader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from eryphc.frozen import NamedTuple

Shape: TypeAlias = "str | Mapping[str, Any]"
Path: TypeAlias = "tuple[Step, ...]"

_NULLS: Final = ("", "~", "null", "Null", "NULL")
_WORDS: Final = ("true", "false", "yes", "no", "on", "off", "y", "n")
_BOOLEANS: Final = frozenset(
    form for word in _WORDS for form in (word, word.capitalize(), word.upper())
)
_INTEGER: Final = re.compile(
    r"[+-]?(?:0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|0b[01](?:_?[01])*|0o[0-7](?:_?[0-7])*"
    r"|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)\Z"
)
_OCTAL: Final = re.compile(r"(?:0o)?[0-7]+\Z")
_WANTED: Final = {
    "text": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "texts": "a list of texts",
    "text-or-texts": "a text or a list of texts",
    "boolean-or-text": "a text, true or false",
    "mode": "an octal number",
    "commands": "a list of texts and lists of texts",
    "list": "a list",
    "fields": "a map",
    "map": "a map",
}


class Step(NamedTuple):
    """A key, with its place in the text, or the number of an entry with that of the entry."""

    name: str | int
    start: int
    end: int


class Refusal(NamedTuple):
    """A value that is refused: the keys and numbers that lead to it, what its key wants, and its
    place in the text. `path` is empty for the text as a whole."""

    path: Path
    wanted: str
    start: int
    end: int


class _Loader(YamlReader, Scanner, Parser, Composer, BaseResolver):
    """Nodes whose tag is empty where the text gives them none."""

    def __init__(self, text: str) -> None:
        YamlReader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002
        return ""


@lru_cache(maxsize=1)
def table() -> Mapping[str, Shape]:
    """The shape of each top-level key by its name in lower case."""
    path = files("eryphc.guest") / "schemas" / "egs-shapes.json"
    keys: Mapping[str, Shape] = json.loads(path.read_text(encoding="utf-8"))["keys"]
    return keys


def refusals(text: str) -> Iterator[Refusal]:
    """All that is refused in a cloud-config that the other readers take within their limits."""
    try:
        root = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = 0 if mark is None else min(mark.index, len(text))
        yield Refusal((), "YAML in one document", at, at + 1)
        return
    except yaml.YAMLError as error:
        at = int(getattr(error, "position", 0))
        yield Refusal((), "characters that YAML takes", at, at + 1)
        return
    except RecursionError:
        return
    if not isinstance(root, yaml.MappingNode):
        end = len(text) if root is None else root.end_mark.index
        yield Refusal((), "a map with at least one key", 0, end)
        return
    if root.tag:
        yield _refused(root, (), "a map without a tag")
    yield from _Judge().fields(root, table(), ())


class _Judge:
    """Judges each node once for each shape, however many aliases name it."""

    def __init__(self) -> None:
        self._done: set[tuple[int, int]] = set()

    def value(self, node: yaml.Node, shape: Shape, path: Path) -> Iterator[Refusal]:
        if (id(node), id(shape)) in self._done:
            return
        self._done.add((id(node), id(shape)))
        if node.tag:
            yield _refused(node, path, "a value without a tag")
        elif isinstance(shape, str):
            yield from self._plain(node, shape, path)
        elif _is_null(node):
            return
        elif "fields" in shape:
            if isinstance(node, yaml.MappingNode):
                yield from self.fields(node, shape["fields"], path)
            else:
                yield _refused(node, path, _WANTED["fields"])
        elif "map" in shape:
            if isinstance(node, yaml.MappingNode):
                for key, value in _entries(node).values():
                    yield from self.value(value, shape["map"], (*path, _step(key.value, key)))
            else:
                yield _refused(node, path, _WANTED["map"])
        elif "list" in shape:
            if isinstance(node, yaml.SequenceNode):
                for number, item in enumerate(node.value):
                    yield from self.value(item, shape["list"], (*path, _step(number, item)))
            else:
                yield _refused(node, path, _WANTED["list"])
        else:
            text, fields = shape["either"]
            other = text if isinstance(node, yaml.ScalarNode) else fields
            yield from self.value(node, other, path)

    def fields(
        self, node: yaml.MappingNode, known: Mapping[str, Shape], path: Path
    ) -> Iterator[Refusal]:
        """The entries with a known name. A tag anywhere is refused, also below other names."""
        for name, (key, value) in _entries(node).items():
            if key.tag:
                yield _refused(key, path, "keys without a tag")
            shape = known.get(name)
            if shape is not None:
                yield from self.value(value, shape, (*path, _step(key.value, key)))
            else:
                yield from self._tags(value, (*path, _step(key.value, key)))

    def _tags(self, node: yaml.Node, path: Path) -> Iterator[Refusal]:
        if (id(node), 0) in self._done:
            return
        self._done.add((id(node), 0))
        if node.tag:
            yield _refused(node, path, "a value without a tag")
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                yield from self._tags(item, (*path, _step(number, item)))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else "?"
                yield from self._tags(value, (*path, _step(name, key)))

    def _plain(self, node: yaml.Node, shape: str, path: Path) -> Iterator[Refusal]:
        if shape == "anything":
            yield from self._tags(node, path)
        elif isinstance(node, yaml.ScalarNode):
            if not _is_null(node) and not _takes(shape, node.value):
                yield _refused(node, path, _WANTED[shape])
        elif shape not in ("texts", "text-or-texts", "commands") or isinstance(
            node, yaml.MappingNode
        ):
            yield _refused(node, path, _WANTED[shape])
        else:
            inner = "text-or-texts" if shape == "commands" else "text"
            for number, item in enumerate(node.value):
                yield from self.value(item, inner, (*path, _step(number, item)))


def _takes(shape: str, text: str) -> bool:
    match shape:
        case "boolean":
            return text in _BOOLEANS
        case "integer":
            return _INTEGER.match(text) is not None
        case "mode":
            return _OCTAL.match(text) is not None
        case "texts":
            return False
        case _:
            return True


def _entries(node: yaml.MappingNode) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
    """The entries by name in lower case; of equal names the last counts. What `<<` brings does not
    replace what is written beside it."""
    found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    merged: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value == "<<" and key.style is None and not key.tag:
            parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in parts:
                if isinstance(part, yaml.MappingNode) and part is not node:
                    merged = {**_entries(part), **merged}
        else:
            found[key.value.lower()] = (key, value)
    return {**merged, **found}


def _step(name: str | int, node: yaml.Node) -> Step:
    return Step(name, node.start_mark.index, node.end_mark.index)


def _is_null(node: yaml.Node) -> bool:
    return (
        isinstance(node, yaml.ScalarNode)
        and node.style is None
        and not node.tag
        and node.value in _NULLS
    )


def _refused(node: yaml.Node, path: Path, wanted: str) -> Refusal:
    return Refusal(path, wanted, node.start_mark.index, node.end_mark.index)
