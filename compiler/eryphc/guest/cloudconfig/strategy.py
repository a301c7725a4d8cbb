"""cloud-init's own merge strategies, as data: what `merge_how` says and what it does to a part.

The behaviour is that of cloud-init 22.4.2 and 26.2, oddities kept.
Source: docs/reference/cloud-init.md, "How a guest merges parts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import (
    MappingNode,
    Node,
    Plain,
    Scalar,
    Sequence,
    Value,
    made_of,
    plain,
)

_NAME = re.compile(r"([a-z_][a-z0-9_]*)\((.*?)\)$")
_KINDS = ("dict", "list", "str")


class StrategyError(Exception):
    """A part that cloud-init drops because of its strategy; the message says why."""


class DictMerger(NamedTuple):
    replace: bool = False
    recurse_list: bool = False
    recurse_str: bool = False
    allow_delete: bool = False


class ListMerger(NamedTuple):
    """`method` is one of append, prepend, replace and no_replace."""

    method: str = "replace"
    recurse_list: bool = False
    recurse_str: bool = False
    recurse_dict: bool = False


class StrMerger(NamedTuple):
    append: bool = False


class Strategy(NamedTuple):
    """One merger a kind of value; None leaves values of that kind as they were."""

    dicts: DictMerger | None = None
    lists: ListMerger | None = None
    texts: StrMerger | None = None


DEFAULT = Strategy(dicts=DictMerger(replace=True), lists=ListMerger(), texts=StrMerger())
"""What a part without `merge_how` gets: it replaces whole top-level keys."""

APPEND_HEADER = "list(append)+dict(no_replace,recurse_list)+str()"
"""The strategy that joins lists and keeps the first of two scalars.

Source: docs/reference/guest-configuration.md, "Jinja fodder".
"""

_Parsed: TypeAlias = list[tuple[Any, Any]]


def strategy_of(root: MappingNode, header: str = "") -> tuple[Strategy, MappingNode]:
    """The strategy a part is laid with, and the part without the keys that say so.

    `header` is the part's `Merge-Type` header. Raises StrategyError.
    """
    how = root.get("merge_how")
    how_type = root.get("merge_type")
    if how is None and how_type is None and not header:
        return DEFAULT, root
    entries = dict(root.entries)
    raw: Plain = None
    if how is not None:
        raw = plain(how)
        del entries["merge_how"]
    if raw is None and how_type is not None:
        raw = plain(how_type)
        del entries["merge_type"]
    parsed: _Parsed = [] if raw is None else _parse(raw)
    parsed += _parse_text(header)
    stripped = MappingNode(entries, root.keys, root.start, root.end, (root,))
    return (_construct(parsed) if parsed else DEFAULT), stripped


def has_strategy(root: MappingNode) -> bool:
    return "merge_how" in root.entries or "merge_type" in root.entries


def _parse_text(text: str) -> _Parsed:
    parsed: _Parsed = []
    for part in text.split("+"):
        name = part.lower().strip().replace("-", "_")
        if not name:
            continue
        match = _NAME.match(name)
        if match is None:
            raise StrategyError(f"`{part.strip()}` is not of the form `name(option,option)`")
        options = [word.strip() for word in match[2].split(",")]
        parsed.append((match[1], [word for word in options if word]))
    return parsed


def _parse(raw: Plain) -> _Parsed:
    if isinstance(raw, str):
        return _parse_text(raw)
    if not isinstance(raw, (list, dict, bytes)):
        raise StrategyError("it is neither text nor a list")
    parsed: _Parsed = []
    for item in raw:
        if isinstance(item, dict):
            name = item.get("name")
            if not isinstance(name, str) or "settings" not in item:
                raise StrategyError("an entry has no `name` or no `settings`")
            name = name.replace("-", "_").strip()
            options: object = item["settings"]
        elif isinstance(item, (list, str)) and item:
            name = item[0]
            options = item[1:]
        else:
            raise StrategyError("an entry is neither a map nor a list that begins with a name")
        if name:
            parsed.append((name, options))
    return parsed


def _construct(parsed: _Parsed) -> Strategy:
    dicts: DictMerger | None = None
    lists: ListMerger | None = None
    texts: StrMerger | None = None
    for name, options in parsed:
        kind = str(name).removeprefix("m_") if isinstance(name, str) else ""
        if kind not in _KINDS:
            raise StrategyError(f"there is no merger `{name}`; there are {', '.join(_KINDS)}")
        if not isinstance(options, (list, dict, str)):
            raise StrategyError(f"the settings of `{kind}` are no list")
        # The first of a kind is used; the others only have to be well formed.
        if kind == "dict":
            dicts = dicts or DictMerger(
                replace=_first(("replace", "no_replace"), options, "no_replace") == "replace",
                recurse_list="recurse_array" in options or "recurse_list" in options,
                recurse_str="recurse_str" in options,
                allow_delete="allow_delete" in options,
            )
        elif kind == "list":
            lists = lists or ListMerger(
                method=_first(("append", "prepend", "replace", "no_replace"), options, "replace"),
                recurse_list="recurse_array" in options or "recurse_list" in options,
                recurse_str="recurse_str" in options,
                recurse_dict="recurse_dict" in options,
            )
        else:
            texts = texts or StrMerger(append="append" in options)
    return Strategy(dicts=dicts, lists=lists, texts=texts)


def _first(words: Iterable[str], options: Any, otherwise: str) -> str:
    return next((word for word in words if word in options), otherwise)


def lay(below: MappingNode, part: MappingNode, strategy: Strategy) -> MappingNode:
    """`part` laid onto `below`. Raises StrategyError where cloud-init fails and drops the part."""
    return _merge_dict(below, part, strategy)


def _merge(old: Node, new: Node, strategy: Strategy) -> Node:
    if isinstance(old, MappingNode):
        return _merge_dict(old, new, strategy)
    if isinstance(old, Sequence):
        return _merge_list(old, new, strategy)
    if isinstance(old.value, str) and strategy.texts is not None:
        if not strategy.texts.append:
            return new
        if not isinstance(new, Scalar) or not isinstance(new.value, str):
            raise StrategyError("text can be appended only to text")
        return Scalar(old.value + new.value, sources=(old, new))
    return old


def _merge_dict(old: MappingNode, new: Node, strategy: Strategy) -> MappingNode:
    merger = strategy.dicts
    if merger is None or not isinstance(new, MappingNode):
        return old
    entries: dict[Value, Node] = dict(old.entries)
    keys = {**new.keys, **old.keys}
    for key, value in new.entries.items():
        before = entries.get(key)
        if before is None:
            entries[key] = value
        elif merger.allow_delete and isinstance(value, Scalar) and value.value is None:
            del entries[key]
        elif merger.replace:
            entries[key] = value
            keys[key] = new.keys[key]
        elif (
            isinstance(value, MappingNode)
            or (isinstance(value, Sequence) and merger.recurse_list)
            or (isinstance(value, Scalar) and isinstance(value.value, str) and merger.recurse_str)
        ):
            entries[key] = _merge(before, value, strategy)
    return MappingNode(entries, keys, sources=made_of(old, new))


def _merge_list(old: Sequence, new: Node, strategy: Strategy) -> Node:
    merger = strategy.lists
    if merger is None:
        return old
    if merger.method == "replace" and not isinstance(new, Sequence):
        return new
    theirs = _items(new)
    if merger.method == "append":
        return Sequence((*old.items, *theirs), sources=(old, new))
    if merger.method == "prepend":
        return Sequence((*theirs, *old.items), sources=(old, new))
    common = min(len(old.items), len(theirs))
    if common and isinstance(new, MappingNode) and not _indexable(new, common):
        raise StrategyError("a list and a map cannot be merged by position")
    if merger.method == "no_replace":
        return Sequence(old.items, sources=(old,))
    merged = list(old.items)
    for index in range(common):
        before, value = merged[index], theirs[index]
        if (
            (isinstance(value, Sequence) and merger.recurse_list)
            or (isinstance(value, MappingNode) and merger.recurse_dict)
            or (isinstance(value, Scalar) and isinstance(value.value, str) and merger.recurse_str)
        ):
            value = _merge(before, value, strategy)
        merged[index] = value
    return Sequence(tuple(merged), sources=(old, new))


def _items(node: Node) -> tuple[Node, ...]:
    """What iterating over the value gives in Python: items, keys or characters."""
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, MappingNode):
        return tuple(Scalar(key, sources=(node.keys[key],)) for key in node.entries)
    if isinstance(node.value, str):
        return tuple(Scalar(character, sources=(node,)) for character in node.value)
    raise StrategyError("a list and a single value cannot be joined")


def _indexable(node: MappingNode, count: int) -> bool:
    return all(index in node.entries for index in range(count))
