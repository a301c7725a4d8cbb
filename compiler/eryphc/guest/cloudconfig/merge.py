"""Merges the cloud-configs of a Linux guest into the one cloud-config it gets.

Maps merge; lists append, in a way that depends on their items; of any other value the later fodder
entry wins. Each loss is reported.
Source: docs/reference/guest-configuration.md, "Merging cloud-configs".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from eryphc.diagnostics import cloudconfig as wording
from eryphc.diagnostics import cloudconfig_guest as guest_wording
from eryphc.diagnostics.model import Diagnostic, Label, Level, Outcome, has_errors, trail
from eryphc.diagnostics.said import NO_WORDS, Own, Said, Words, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig import losses, strategy
from eryphc.guest.cloudconfig.canonical import Respelled, canonical
from eryphc.guest.cloudconfig.consequences import LEFT_OUT_WHEN_NULL
from eryphc.guest.cloudconfig.keys import (
    LEFT_OUT_WHEN_EMPTY,
    RANK,
    ROOT,
    TWINS,
    USER,
    ListRule,
    Rule,
    TextRule,
)
from eryphc.guest.cloudconfig.nodes import (
    EMPTY,
    MappingNode,
    Node,
    Scalar,
    Sequence,
    Value,
    file_path,
    identity,
    kind,
    made_of,
    same,
)
from eryphc.guest.cloudconfig.provenance import (
    Provenance,
    content_label,
    fodder_said,
    own_trees,
)
from eryphc.guest.cloudconfig.reader import ReadEntry
from eryphc.guest.cloudconfig.reports import report
from eryphc.guest.cloudconfig.saying import Names, below
from eryphc.ir.catlet import Fodder

KINDS: Final = (
    wording.MERGE_HOW_MALFORMED,
    wording.VALUE_OVERRIDDEN,
    wording.FILE_REPLACED,
    wording.LIST_REPLACED,
    wording.REDEFINED,
    wording.KEY_UNSET,
    wording.UNKNOWN_LIST_JOINED,
    wording.EMPTY_LIST_LEFT_OUT,
    wording.DROPPED_BY_STRATEGY,
    guest_wording.HOSTNAME_AS_WRITTEN,
    guest_wording.FILE_BEFORE_DEFERRED,
)
_EARLIER = "set here before"
_NAMES: Final = ("hostname", "fqdn")


class Merged(NamedTuple):
    """One configuration made of many fodder entries.

    `root` has its keys in the order of cloud-init's modules; `provenance` knows the fodder entry
    and the place of every node in it. `secret` when any of the fodder entries is. `respelled` lists
    the keys that were written under an old name, with their fodder entries.
    """

    root: MappingNode
    provenance: Provenance
    secret: bool
    respelled: tuple[tuple[Fodder, Respelled], ...] = ()

    @property
    def empty(self) -> bool:
        return not self.root.entries


def merge(entries: Iterable[ReadEntry]) -> Outcome[Merged]:
    """All `entries` as one configuration; each has the text of a plain cloud-config as content.

    Errors: a text that is no map or no YAML, a map against a list, a malformed `merge_how`.
    """
    sources: list[tuple[Fodder, MappingNode]] = []
    diagnostics: list[Diagnostic] = []
    respelled: list[tuple[Fodder, Respelled]] = []
    numbers: list[int] = []
    for fodder, read, number in own_trees(entries):
        reading = canonical(read)
        if reading.faults:
            diagnostics += report(fodder, reading.faults, Level.ERROR)
        if reading.root is not None:
            sources.append((fodder, reading.root))
            numbers.append(number)
        if reading.respelled:
            respelled += [(fodder, each) for each in reading.respelled]
    provenance = Provenance(sources, numbers)
    fold = _Fold(provenance, diagnostics)
    root = fold.all(sources)
    if has_errors(diagnostics):
        return Outcome(None, tuple(diagnostics))
    merged = Merged(
        root=_in_order(root, fold),
        provenance=provenance,
        secret=any(fodder.secret for fodder, _ in sources),
        respelled=tuple(respelled),
    )
    return Outcome(merged, tuple(diagnostics))


def _in_order(root: MappingNode, fold: _Fold) -> MappingNode:
    root = _in_time(_as_written(root, fold), fold)
    for key in [key for key in root.entries if key in LEFT_OUT_WHEN_NULL]:
        node = root.entries[key]
        if isinstance(node, Scalar) and node.value is None:
            label = fold.provenance.key_label(root, key)
            chain = fold.provenance.chain(node)
            fold.diagnostics.append(wording.null_left_out(Own(str(key)), label, chain))
            root = _without(root, key)
    for key in LEFT_OUT_WHEN_EMPTY:
        items = root.get(key)
        if isinstance(items, Sequence) and not items.items:
            fold.say_of(wording.empty_list_left_out, Own(key), items)
            root = _without(root, key)
    entries = root.entries
    last = len(RANK)
    ordered = sorted(entries, key=lambda key: RANK.get(key, last))
    return MappingNode(
        {key: entries[key] for key in ordered}, root.keys, root.start, root.end, (root,)
    )


def _as_written(root: MappingNode, fold: _Fold) -> MappingNode:
    """Host names of digits and other words that YAML takes for no text, as their author wrote them.

    Source: docs/reference/cloud-init.md, "Values of a wrong shape".
    """
    changed: dict[Value, Node] = {}
    for key in _NAMES:
        node = root.get(key)
        if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, str):
            continue
        text = fold.provenance.written(node)
        while text[:1] in ("&", "!"):  # An anchor or a tag may stand before it.
            text = text.partition(" ")[2].lstrip()
        if text and "\n" not in text:
            changed[key] = Scalar(text, node.start, node.end, (node,))
            fold.say_of(guest_wording.hostname_as_written, Own(str(key)), node)
    if not changed:
        return root
    entries: dict[Value, Node] = {**root.entries, **changed}
    return MappingNode(entries, root.keys, root.start, root.end, (root,))


def _in_time(root: MappingNode, fold: _Fold) -> MappingNode:
    """Files that follow a deferred entry of theirs are deferred too, or they would come before it.

    What one author has in one text stays as it is.
    Source: docs/reference/cloud-init.md, "Files in time".
    """
    files = root.get("write_files")
    if not isinstance(files, Sequence):
        return root
    deferred: dict[str, MappingNode] = {}
    items = list(files.items)
    for number, item in enumerate(items):
        path = _file(item)
        if path is None or not isinstance(item, MappingNode):
            continue
        before = deferred.get(path)
        if _is_true(item, "defer"):
            deferred[path] = item
        elif before is not None:
            provenance = fold.provenance
            apart = provenance.number(item) != provenance.number(before)
            fold.diagnostics.append(
                guest_wording.file_before_deferred(
                    fold.names.entry(own("write_files"), item, number),
                    provenance.label(item),
                    (*provenance.chain(item), provenance.label(before, "deferred here")),
                    apart=apart,
                )
            )
            if apart:
                late = Scalar(value=True, sources=(before.entries["defer"],))
                items[number] = deferred[path] = MappingNode(
                    {**item.entries, "defer": late},
                    {**item.keys, "defer": before.keys["defer"]},
                    item.start,
                    item.end,
                    (item,),
                )
    if all(new is old for new, old in zip(items, files.items, strict=True)):
        return root
    changed = Sequence(tuple(items), files.start, files.end, (files,))
    entries: dict[Value, Node] = {**root.entries, "write_files": changed}
    return MappingNode(entries, root.keys, root.start, root.end, (root,))


def _without(node: MappingNode, key: Value) -> MappingNode:
    entries = {name: value for name, value in node.entries.items() if name != key}
    return MappingNode(entries, node.keys, node.start, node.end, (node,))


class _Fold:
    """One merge: what it says and about which fodder entries. Nodes are never changed."""

    def __init__(self, provenance: Provenance, diagnostics: list[Diagnostic]) -> None:
        self.provenance = provenance
        self.diagnostics = diagnostics
        self.names = Names(provenance)

    def all(self, sources: list[tuple[Fodder, MappingNode]]) -> MappingNode:
        root = EMPTY
        for number, (fodder, part) in enumerate(sources):
            if strategy.has_strategy(part):
                root = self.laid(root, fodder, part)
            elif number == 0:
                root = part
            else:
                root = self.maps(root, part, ROOT, NO_WORDS)
        return root

    def laid(self, root: MappingNode, fodder: Fodder, part: MappingNode) -> MappingNode:
        try:
            how, stripped = strategy.strategy_of(part)
            if "merge_type" in stripped.entries:
                # Beside a `merge_how` a guest ignores it; in the merged part it would count.
                stripped = _without(stripped, "merge_type")
            laid = strategy.lay(root, stripped, how)
        except strategy.StrategyError as error:
            key = "merge_how" if "merge_how" in part.entries else "merge_type"
            node = part.keys[key]
            self.diagnostics.append(
                wording.merge_how_malformed(
                    fodder_said(fodder),
                    Said(str(error)),
                    content_label(fodder, node.start, node.end),
                    Level.ERROR,
                    trail(fodder.text_origin),
                )
            )
            return root
        for loss in losses.between(root, laid, self.names):
            related = (self.provenance.label(loss.node, "left out"),)
            self.say(wording.dropped_by_strategy, loss.paths, stripped, related)
        for loss in losses.between(stripped, laid, self.names):
            self.say(wording.dropped_by_strategy, loss.paths, loss.node)
        return laid

    # What is said

    def say(
        self,
        word: Callable[[tuple[Words, ...], Label, tuple[Label, ...]], Diagnostic],
        paths: tuple[Words, ...],
        node: Node,
        related: tuple[Label, ...] = (),
    ) -> None:
        label = self.provenance.label(node)
        self.diagnostics.append(word(paths, label, self.provenance.chain(node) + related))

    def say_of(
        self,
        word: Callable[[Words, Label, tuple[Label, ...]], Diagnostic],
        path: Words,
        new: Node,
        old: Node | None = None,
    ) -> None:
        provenance = self.provenance
        before = (provenance.label(old, _EARLIER),) if old is not None else ()
        self.diagnostics.append(word(path, provenance.label(new), provenance.chain(new) + before))

    def say_overridden(
        self,
        word: Callable[[Words, Label, Level, tuple[Label, ...]], Diagnostic],
        path: Words,
        old: Node,
        new: Node,
    ) -> None:
        """A note where the later fodder entry is nearer to the spec, a warning otherwise."""
        provenance = self.provenance
        nearer = provenance.fodder(new).layer < provenance.fodder(old).layer
        self.diagnostics.append(
            word(
                path,
                provenance.label(new),
                Level.NOTE if nearer else Level.WARNING,
                (*provenance.chain(new), provenance.label(old, _EARLIER)),
            )
        )

    # What merges with what

    def maps(self, old: MappingNode, new: MappingNode, rule: Rule, path: Words) -> MappingNode:
        entries: dict[Value, Node] = dict(old.entries)
        keys: dict[Value, Scalar] = {**new.keys, **old.keys}
        for key, value in new.entries.items():
            written = key
            before = entries.get(key)
            if before is None and key in TWINS and TWINS[key] in entries:
                key = TWINS[key]
                before = entries[key]
            if before is None:
                entries[key] = value
                continue
            if before is value:
                continue
            here = below(path, self.names.key(new, written))
            if isinstance(value, Scalar) and value.value is None:
                if not (isinstance(before, Scalar) and before.value is None):
                    self.say_of(wording.key_unset, here, value, before)
                    del entries[key]
                continue
            if isinstance(before, Scalar) and before.value is None:
                entries[key] = value
                continue
            said = len(self.diagnostics)
            entries[key] = self.values(before, value, rule.below(key), here)
            if (
                rule.registry
                and said == len(self.diagnostics)
                and isinstance(before, MappingNode)
                and not same(before, value)
            ):
                self.say_overridden(wording.redefined, here, before, value)
        return MappingNode(entries, keys, new.start, new.end, made_of(old, new))

    def values(self, old: Node, new: Node, rule: Rule, here: Words) -> Node:
        if isinstance(old, MappingNode) and isinstance(new, MappingNode):
            return self.maps(old, new, rule, here)
        if isinstance(old, Sequence) and isinstance(new, Sequence):
            return self.lists(old, new, rule, here)
        if isinstance(old, Scalar) and isinstance(new, Scalar):
            if same(old, new):
                return old
            if rule.text is not TextRule.COMMAS or not (_is_text(old) and _is_text(new)):
                self.say_overridden(wording.value_overridden, here, old, new)
                return new
        if rule.text is not TextRule.NONE:
            one, other = _as_list(old, rule.text), _as_list(new, rule.text)
            if one is not None and other is not None:
                return self.lists(one, other, rule, here)
        if isinstance(old, Scalar) or isinstance(new, Scalar):
            self.say_overridden(wording.value_overridden, here, old, new)
            return new
        before = (self.provenance.label(old, kind(old)),)
        self.diagnostics.append(
            wording.kinds_clash(
                here,
                Own(kind(new)),
                Own(kind(old)),
                self.provenance.label(new),
                self.provenance.chain(new) + before,
            )
        )
        return old

    def lists(self, old: Sequence, new: Sequence, rule: Rule, path: Words) -> Sequence:
        items: tuple[Node, ...]
        match rule.lists:
            case ListRule.SEQUENCE:
                items = old.items + new.items
            case ListRule.UNKNOWN:
                self.say_of(wording.unknown_list_joined, path, new, old)
                items = old.items + new.items
            case ListRule.SET:
                items = _union(old.items, new.items)
            case ListRule.ATOMIC:
                if same(old, new):
                    return old
                self.say_overridden(wording.list_replaced, path, old, new)
                return new
            case ListRule.USERS:
                items = self.users(old, new, path)
            case ListRule.NAMED:
                items = self.named(old, new, path)
            case ListRule.FILES:
                items = self.files(old, new, path)
        return Sequence(items, new.start, new.end, (old, new))

    def users(self, old: Sequence, new: Sequence, path: Words) -> tuple[Node, ...]:
        items = list(self.named(old, new, path, USER))
        for number, item in enumerate(items):
            if isinstance(item, Scalar) and item.value == "default":
                items.insert(0, items.pop(number))
                break
        return tuple(items)

    def named(
        self, old: Sequence, new: Sequence, path: Words, rule: Rule | None = None
    ) -> tuple[Node, ...]:
        """Entries of one name are one entry, at the place of the first."""
        items: list[Node] = list(old.items)
        places: dict[str, int] = {}
        nameless = set()
        for number, item in enumerate(items):
            name = _name(item)
            if name is not None:
                places.setdefault(name, number)
            else:
                nameless.add(identity(item))
        for item in new.items:
            name = _name(item)
            number = places.get(name, -1) if name is not None else -1
            if number < 0:
                if name is not None:
                    places[name] = len(items)
                elif identity(item) in nameless:
                    continue
                else:
                    nameless.add(identity(item))
                items.append(item)
                continue
            before = items[number]
            if isinstance(item, MappingNode):
                if isinstance(before, MappingNode):
                    here = self.names.entry(path, item, number)
                    item = self.maps(before, item, rule or Rule(), here)
                items[number] = item
        return tuple(items)

    def files(self, old: Sequence, new: Sequence, path: Words) -> tuple[Node, ...]:
        """A file written again replaces all that came before it, unless it appends."""
        items: list[Node | None] = list(old.items)
        places: dict[str, list[int]] = {}
        for number, item in enumerate(old.items):
            file = _file(item)
            if file is not None:
                places.setdefault(file, []).append(number)
        for item in new.items:
            file = _file(item)
            if file is not None:
                numbers = places.setdefault(file, [])
                if not _appends(item) and numbers:
                    earlier = items[numbers[-1]] or item
                    if len(numbers) == 1 and same(earlier, item):
                        continue
                    here = self.names.entry(path, item, len(items))
                    self.say_overridden(wording.file_replaced, here, earlier, item)
                    for number in numbers:
                        items[number] = None
                    numbers.clear()
                numbers.append(len(items))
            items.append(item)
        return tuple(item for item in items if item is not None)


def _file(item: Node) -> str | None:
    """The path of a file as the guest has it: `/etc//motd` is `/etc/motd`."""
    path = item.text("path") if isinstance(item, MappingNode) else None
    return file_path(path) if path else path


def _is_text(node: Scalar) -> bool:
    return isinstance(node.value, str)


def _as_list(node: Node, rule: TextRule) -> Sequence | None:
    if isinstance(node, Sequence):
        return node
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    texts = [node.value]
    if rule is TextRule.COMMAS:
        texts = [text for part in node.value.split(",") if (text := part.strip())]
    items = tuple(Scalar(text, node.start, node.end, (node,)) for text in texts)
    return Sequence(items, node.start, node.end, (node,))


def _union(old: tuple[Node, ...], new: tuple[Node, ...]) -> tuple[Node, ...]:
    items = list(old)
    known = set(map(identity, old))
    for item in new:
        name = identity(item)
        if name not in known:
            known.add(name)
            items.append(item)
    return tuple(items)


def _name(item: Node) -> str | None:
    if isinstance(item, MappingNode):
        return item.text("name")
    return item.value if isinstance(item, Scalar) and isinstance(item.value, str) else None


def _appends(item: Node) -> bool:
    return isinstance(item, MappingNode) and _is_true(item, "append")


def _is_true(item: MappingNode, key: str) -> bool:
    node = item.get(key)
    return isinstance(node, Scalar) and bool(node.value)
