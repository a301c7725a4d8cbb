"""The change log of gene sets as data: what differs between the tags that two locks hold.

Nothing secret enters it. Defaults of secret variables are `#REDACTED`. Content of secret fodder and
values that references give are left out, and so is all of a text that cannot be read. What is
secret on one side counts as secret on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from eryphc.canonical import Json
from eryphc.changes.guards import Pin
from eryphc.changes.interface import (
    Break,
    GeneKey,
    Interface,
    OfferedFodder,
    OfferedVariable,
    Pair,
    breaks,
    genes_of,
    offered,
    pairs,
    read_gene,
)
from eryphc.changes.lines import Lines
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import MANIFEST_TYPE, ContentFile, TagContents
from eryphc.genepool.volumes import read_descriptor
from eryphc.identifiers import Architecture, GeneType
from eryphc.ir.catlet import Catlet
from eryphc.ir.document import document
from eryphc.passes.redact import REDACTED
from eryphc.source import SourceText


class Kind(StrEnum):
    ADDED = "added"
    GONE = "gone"
    CHANGED = "changed"


class Part(StrEnum):
    """What a change is about."""

    GENE = "gene"
    VARIABLE = "variable"
    FODDER = "fodder"
    BINDING = "binding"
    ORDER = "order"
    SETTING = "setting"
    DISK = "disk"
    TEXT = "text"
    METADATA = "metadata"
    REFERENCE = "reference"
    SIGNER = "signer"
    FILE = "file"


class Change(NamedTuple):
    """One thing that differs.

    `name` is that of the variable, the fodder entry, the key; `key` is what of it differs.
    `before` and `after` are values as they may be shown. `lines` are lines of content that are gone
    (`-`) or new (`+`), each behind its sign. `hidden`: what differs is secret.
    """

    part: Part
    kind: Kind
    name: str | None = None
    key: str | None = None
    before: Json = None
    after: Json = None
    lines: tuple[str, ...] = ()
    hidden: bool = False


class GeneChanges(NamedTuple):
    """What differs in one gene for these architectures."""

    gene: GeneKey
    architectures: tuple[Architecture, ...]
    changes: tuple[Change, ...]


class SetChanges(NamedTuple):
    """What differs in what one gene set leads to.

    `id` is the gene set as it is asked for. `before` and `after` are the final gene sets; without
    `before` the set is added, without `after` it is gone. `pools` are those it came from, where
    they are known. `used_by` are the specifications that use it, sorted.
    """

    id: str
    before: str | None
    after: str | None
    pools: tuple[str | None, str | None] = (None, None)
    used_by: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    genes: tuple[GeneChanges, ...] = ()
    breaks: tuple[Break, ...] = ()

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return Kind.ADDED
        return Kind.GONE if self.after is None else Kind.CHANGED

    @property
    def changed(self) -> bool:
        moved = self.before != self.after or self.pools[0] != self.pools[1]
        return moved or bool(self.changes) or bool(self.genes)


class ChangeLog(NamedTuple):
    """All gene sets that changed, by id, and how many did not."""

    sets: tuple[SetChanges, ...]
    unchanged: int

    @property
    def changed(self) -> bool:
        return bool(self.sets)


class Side(NamedTuple):
    """A gene set before or after: its texts, its pin, or both."""

    contents: TagContents | None = None
    pin: Pin | None = None

    @property
    def final(self) -> str | None:
        if self.pin is not None:
            return str(self.pin.final)
        return None if self.contents is None else str(self.contents.id)


NOTHING: Final = Side()


def change_log(sets: Iterable[SetChanges]) -> ChangeLog:
    """The sets that changed, and the number of the others."""
    every = tuple(sets)
    changed = sorted((each for each in every if each.changed), key=lambda each: each.id)
    return ChangeLog(tuple(changed), len(every) - len(changed))


def joined_logs(logs: Iterable[ChangeLog]) -> ChangeLog:
    """Several change logs as one."""
    every = tuple(logs)
    sets = sorted((each for log in every for each in log.sets), key=lambda each: each.id)
    return ChangeLog(tuple(sets), sum(log.unchanged for log in every))


def set_changes(
    asked: str, before: Side = NOTHING, after: Side = NOTHING, used_by: Iterable[str] = ()
) -> SetChanges:
    """What differs between the two sides of the gene set `asked`. A side without texts and without
    a pin is not there.

    Where only one side has its texts, the digests of both pins are compared.
    """
    old, new = before.contents, after.contents
    found: list[Change] = []
    genes: tuple[GeneChanges, ...] = ()
    broken: tuple[Break, ...] = ()
    if old is not None and new is not None:
        found += _of_tag(old, new)
        genes = _genes(old, new)
        broken = breaks(old, new)
    elif before.final is not None and after.final is not None:
        found += _files(before.pin, after.pin)
    elif old is not None or new is not None:
        genes = _all_genes(old, new)
    found += _pins(before.pin, after.pin)
    return SetChanges(
        id=asked,
        before=before.final,
        after=after.final,
        pools=(_pool(before.pin), _pool(after.pin)),
        used_by=tuple(sorted(set(used_by))),
        changes=tuple(found),
        genes=genes,
        breaks=broken,
    )


def _pool(pin: Pin | None) -> str | None:
    return None if pin is None else pin.pool


# -- the set ------------------------------------------------------------------------------------


def _of_tag(old: TagContents, new: TagContents) -> Iterator[Change]:
    if old.ref != new.ref:
        yield _changed(Part.REFERENCE, None, None, old.ref, new.ref)
    yield from _values(Part.METADATA, dict(old.metadata), dict(new.metadata))
    before, after = _texts(old), _texts(new)
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield Change(Part.FILE, _kind(before.get(path), after.get(path)), path)


def _texts(contents: TagContents) -> dict[str, str]:
    """The digests of texts for people, by path."""
    return {
        file.path: file.digest
        for file in contents.files
        if file.name is None and file.type != MANIFEST_TYPE
    }


def _files(old: Pin | None, new: Pin | None) -> Iterator[Change]:
    """What the digests of two pins tell, where the texts are not at hand."""
    before: Mapping[str, str] = {} if old is None else old.files
    after: Mapping[str, str] = {} if new is None else new.files
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield Change(Part.FILE, _kind(before.get(path), after.get(path)), path)


def _pins(old: Pin | None, new: Pin | None) -> Iterator[Change]:
    """The signer, and the disks that the pins hold beside the texts."""
    if old is None or new is None:
        return
    for path in sorted({*old.disks, *new.disks}):
        was, now = old.disks.get(path), new.disks.get(path)
        if was != now:
            yield _changed(Part.DISK, path, None, was, now)
    if old.signed != new.signed:
        yield _changed(Part.SIGNER, None, None, old.signed, new.signed)


def _values(
    part: Part, old: Mapping[str, Json], new: Mapping[str, Json], name: str | None = None
) -> Iterator[Change]:
    """Values by key; with a `name` they are all of one thing of this name."""
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was != now:
            what, inner = (key, None) if name is None else (name, key)
            yield _changed(part, what, inner, was, now)


def _changed(part: Part, name: str | None, key: str | None, before: Json, after: Json) -> Change:
    return Change(part, _kind(before, after), name, key, before, after)


def _kind(before: object, after: object) -> Kind:
    if before is None:
        return Kind.ADDED
    return Kind.GONE if after is None else Kind.CHANGED


# -- genes --------------------------------------------------------------------------------------


def _all_genes(old: TagContents | None, new: TagContents | None) -> tuple[GeneChanges, ...]:
    """The genes of a set that is added or gone."""
    kind = Kind.ADDED if old is None else Kind.GONE
    contents = new or old
    assert contents is not None  # noqa: S101 - one side has its texts
    return tuple(
        GeneChanges(gene, tuple(variants), (_whole(gene, kind),))
        for gene, variants in genes_of(contents).items()
    )


def _whole(gene: GeneKey, kind: Kind) -> Change:
    return Change(Part.GENE, kind, gene.name, gene.type.value)


def _genes(before: TagContents, after: TagContents) -> tuple[GeneChanges, ...]:
    old, new = genes_of(before), genes_of(after)
    lines = Lines()
    found: list[GeneChanges] = []
    for gene in sorted({*old, *new}):
        if gene not in old or gene not in new:
            kind = Kind.ADDED if gene in new else Kind.GONE
            variants = tuple(new.get(gene) or old[gene])
            found.append(GeneChanges(gene, variants, (_whole(gene, kind),)))
            continue
        for pair in pairs(old[gene], new[gene]):
            changes = tuple(_gene(gene, pair, lines))
            if changes:
                found.append(GeneChanges(gene, pair.architectures, changes))
    return tuple(found)


def _gene(gene: GeneKey, pair: Pair, lines: Lines) -> Iterator[Change]:
    old, new = pair.before, pair.after
    if old is None or new is None:
        yield _whole(gene, _kind(old, new))
    elif old.digest != new.digest:
        if gene.type is GeneType.VOLUME:
            yield from _values(Part.DISK, _description(old), _description(new), gene.name)
        else:
            yield from _document(old, new, lines)


def _description(file: ContentFile) -> dict[str, Json]:
    source = SourceText(file.path, file.text.decode("utf-8", "surrogatepass"), regions=())
    volume = read_descriptor(source).value
    if volume is None:
        # Its text is public, but nobody can tell which words of it count.
        return {"description": file.digest}
    found: dict[str, Json] = {
        "format": volume.format,
        "url": volume.url,
        "checksums_url": volume.checksums_url,
        "file": volume.file,
        "size": volume.size,
    }
    if volume.sha256 is not None:
        found["sha256"] = f"sha256:{volume.sha256}"
    if volume.dated is not None:
        found["dated"] = volume.dated.url
    return {key: value for key, value in found.items() if value is not None}


def _document(old: ContentFile, new: ContentFile, lines: Lines) -> Iterator[Change]:
    before, after = read_gene(old), read_gene(new)
    if before is None or after is None:
        readable = "not readable" if before is None else "readable"
        now = "not readable" if after is None else "readable"
        yield Change(Part.TEXT, Kind.CHANGED, None, None, readable, now, hidden=True)
        return
    was, now_offered = offered(before, old.digest), offered(after, new.digest)
    found = [*_variables(was, now_offered), *_fodder(was, now_offered, lines)]
    if isinstance(before, Catlet) and isinstance(after, Catlet):
        found += _values(Part.SETTING, _settings(before), _settings(after))
    # A comment or the layout of the text is a change too, if a small one.
    yield from found or [Change(Part.TEXT, Kind.CHANGED)]


def _settings(catlet: Catlet) -> dict[str, Json]:
    """All that a catlet says beside variables and fodder, by path: `drives[sda].size`."""
    data = document(catlet)
    data.pop("variables", None)
    data.pop("fodder", None)
    return dict(_leaves("", data))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        if not value:
            yield path, "{}"
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for at, inner in enumerate(value):
            name = inner.get("name", at)
            yield from _leaves(f"{path}[{name}]", inner)
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value))
    else:
        yield path, value


# -- variables ----------------------------------------------------------------------------------


def _variables(old: Interface, new: Interface) -> Iterator[Change]:
    before = {variable.key: variable for variable in old.variables}
    after = {variable.key: variable for variable in new.variables}
    for variable in new.variables:
        if variable.key not in before:
            data = _variable(variable, hide=variable.secret)
            yield Change(Part.VARIABLE, Kind.ADDED, variable.name, None, None, data)
    for variable in old.variables:
        now = after.get(variable.key)
        if now is None:
            data = _variable(variable, hide=variable.secret)
            yield Change(Part.VARIABLE, Kind.GONE, variable.name, None, data, None)
            continue
        hide = variable.secret or now.secret
        was, is_now = _variable(variable, hide=hide), _variable(now, hide=hide)
        yield from _keys(now.name, was, is_now)
        if hide and variable.default != now.default and was["default"] == is_now["default"]:
            values = (was["default"], is_now["default"])
            yield Change(Part.VARIABLE, Kind.CHANGED, now.name, "default", *values, hidden=True)


def _keys(name: str, was: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[Change]:
    for key, value in was.items():
        if value != now[key]:
            yield Change(Part.VARIABLE, Kind.CHANGED, name, key, value, now[key])


def _variable(variable: OfferedVariable, *, hide: bool) -> dict[str, Json]:
    """A variable as it may be shown."""
    secret = hide and variable.has_default
    return {
        "type": variable.type.value,
        "default": REDACTED if secret else variable.default,
        "required": variable.required,
        "secret": variable.secret,
    }


# -- fodder -------------------------------------------------------------------------------------


def _fodder(old: Interface, new: Interface, lines: Lines) -> Iterator[Change]:
    before = {entry.key: entry for entry in old.fodder}
    after = {entry.key: entry for entry in new.fodder}
    for key, entry in after.items():
        if key not in before:
            shown = lines.all("+", None if entry.secret else entry.content)
            yield Change(
                Part.FODDER, Kind.ADDED, key, None, None, _entry(entry), shown, entry.secret
            )
    for key, entry in before.items():
        now = after.get(key)
        if now is None:
            shown = lines.all("-", None if entry.secret else entry.content)
            yield Change(
                Part.FODDER, Kind.GONE, key, None, _entry(entry), None, shown, entry.secret
            )
        else:
            yield from _entry_changes(entry, now, lines)
    if [key for key in before if key in after] != [key for key in after if key in before]:
        yield Change(Part.ORDER, Kind.CHANGED, "fodder")


def _entry(entry: OfferedFodder) -> dict[str, Json]:
    """What an entry of fodder is, without its content."""
    found: dict[str, Json] = {"type": entry.type, "secret": entry.secret}
    if entry.source is not None:
        found = {"source": entry.source, "secret": entry.secret}
    if entry.filename is not None:
        found["filename"] = entry.filename
    if entry.removes:
        found["remove"] = True
    return found


def _entry_changes(old: OfferedFodder, new: OfferedFodder, lines: Lines) -> Iterator[Change]:
    was, now = _entry(old), _entry(new)
    yield from _values(Part.FODDER, was, now, old.key)
    if old.content != new.content:
        if old.secret or new.secret:
            yield Change(Part.FODDER, Kind.CHANGED, old.key, "content", hidden=True)
        else:
            shown = lines.compared(old.content or "", new.content or "")
            yield Change(Part.FODDER, Kind.CHANGED, old.key, "content", lines=shown)
    before, after = dict(old.bindings), dict(new.bindings)
    for name in sorted({*before, *after}):
        if name not in before or name not in after or before[name] != after[name]:
            kind = _kind(True if name in before else None, True if name in after else None)
            yield Change(Part.BINDING, kind, old.key, name, hidden=True)
