"""The change log as text for people, as markdown for a pull request, and as data for programs.

Every text comes from documents that may be hostile: control characters are shown as escapes, long
values and long entries are cut unless all is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from eryphc.canonical import Json
from eryphc.changes.interface import titled
from eryphc.changes.log import Change, ChangeLog, GeneChanges, Kind, Part, SetChanges
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.words import clipped

MOST_LINES: Final = 20
"""The most lines of one entry of fodder that are shown."""
_LONGEST_LINE: Final = 200
_LONGEST_VALUE: Final = 80
_MOST_SPECS: Final = 5
_LONGEST_MARKDOWN: Final = 60_000
"""GitHub takes 65,536 characters as the text of a pull request."""
_DIGEST = re.compile(r"(sha[0-9]+:[0-9a-f]{12})[0-9a-f]+\Z")
_VOLUME = re.compile(r"volumes/(?:(?P<architecture>.+)/)?[^/]+\Z")


def text(log: ChangeLog, *, verbose: bool = False) -> str:
    """One paragraph a gene set, and a line that counts the others."""
    return "".join(f"{line}\n" for line in _lines(log, verbose=verbose))


def markdown(log: ChangeLog, *, verbose: bool = False) -> str:
    """A heading and a fenced block, which no word of a gene can leave."""
    count = len(log.sets)
    lines = list(_lines(log, verbose=verbose))
    room, kept = _LONGEST_MARKDOWN, 0
    while kept < len(lines) and room > len(lines[kept]):
        room -= len(lines[kept]) + 1
        kept += 1
    if kept < len(lines):
        lines = [*lines[:kept], f"… {len(lines) - kept} more lines"]
    runs = re.findall("`+", "\n".join(lines))
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    changed = f"{count} changed" if count else "nothing changed"
    return "\n".join([f"### Gene sets: {changed}", "", f"{fence}text", *lines, fence, ""])


def data(log: ChangeLog, *, verbose: bool = False) -> dict[str, Any]:
    """The change log as JSON holds it. An entry has `more` where lines of it are left out."""
    return {
        "changed": log.changed,
        "sets": [_set_data(each, verbose=verbose) for each in log.sets],
        "unchanged": log.unchanged,
    }


# -- data ---------------------------------------------------------------------------------------


def _set_data(changes: SetChanges, *, verbose: bool) -> dict[str, Any]:
    return {
        "id": changes.id,
        "kind": changes.kind.value,
        "before": changes.before,
        "after": changes.after,
        "pool_before": changes.pools[0],
        "pool_after": changes.pools[1],
        "used_by": list(changes.used_by),
        "changes": [_change_data(each, verbose=verbose) for each in changes.changes],
        "genes": [
            {
                "name": each.gene.name,
                "type": each.gene.type.value,
                "architectures": [str(architecture) for architecture in each.architectures],
                "changes": [_change_data(change, verbose=verbose) for change in each.changes],
            }
            for each in changes.genes
        ],
        "breaks": [
            {
                "kind": each.kind.value,
                "gene": each.gene.name,
                "type": each.gene.type.value,
                "architectures": [str(architecture) for architecture in each.architectures],
                "name": each.name,
                "message": each.sentence,
            }
            for each in changes.breaks
        ],
    }


def _change_data(change: Change, *, verbose: bool) -> dict[str, Any]:
    lines, more = _cut(change.lines, verbose=verbose)
    return {
        "part": change.part.value,
        "kind": change.kind.value,
        "name": change.name,
        "key": change.key,
        "before": change.before,
        "after": change.after,
        "lines": list(lines),
        "more": more,
        "secret": change.hidden,
    }


def _cut(lines: Sequence[str], *, verbose: bool) -> tuple[Sequence[str], int]:
    """The lines that are shown, and the number of the others."""
    if verbose:
        return lines, 0
    shown = [clipped(line, _LONGEST_LINE) for line in lines[:MOST_LINES]]
    return shown, len(lines) - len(shown)


# -- text ---------------------------------------------------------------------------------------


def _lines(log: ChangeLog, *, verbose: bool) -> Iterator[str]:
    for changes in log.sets:
        yield from _set_lines(changes, verbose=verbose)
    if log.unchanged:
        yield f"{log.unchanged} gene set{'' if log.unchanged == 1 else 's'} unchanged"


def _set_lines(changes: SetChanges, *, verbose: bool) -> Iterator[str]:
    own = [_of_set(change) for change in changes.changes]
    # One disk alone needs no line of its own.
    alone = len(own) == 1 and changes.changes[0].part is Part.DISK and not changes.genes
    yield _head(changes, own[0] if alone else None)
    if not alone:
        yield from (f"  {line}" for line in own)
    if changes.kind is Kind.CHANGED:
        for gene in changes.genes:
            yield from _gene_lines(gene, verbose=verbose)
    elif changes.genes:
        names = ", ".join(titled(each.gene, each.architectures) for each in changes.genes)
        yield f"  genes: {_shown(names)}"
    for broken in changes.breaks:
        yield f"  breaking: {_shown(broken.sentence)}"


def _head(changes: SetChanges, more: str | None) -> str:
    parts = [f"{changes.id}  {_move(changes)}".rstrip()]
    before, after = changes.pools
    if before is not None and after is not None and before != after:
        parts.append(f"{before} → {after}")
    elif after is not None or before is not None:
        parts.append(after or before or "")
    if changes.used_by:
        shown = ", ".join(changes.used_by[:_MOST_SPECS])
        others = len(changes.used_by) - _MOST_SPECS
        parts.append(f"used by {shown}" + (f" and {others} more" if others > 0 else ""))
    if more is not None:
        parts.append(more)
    return "   ".join(map(_shown, parts))


def _move(changes: SetChanges) -> str:
    """From which tag to which; whole gene sets where they are not the one that was asked for."""
    asked = _set_of(changes.id)
    before, after = changes.before, changes.after
    finals = [each for each in (before, after) if each is not None]
    full = any(_set_of(each) != asked for each in finals)
    shown = [each if full else each.rpartition("/")[2] for each in finals]
    if changes.kind is not Kind.CHANGED:
        word = "new" if changes.kind is Kind.ADDED else "gone"
        return word if finals[0] == changes.id else f"{word} ({shown[0]})"
    if before == after:
        return "" if after == changes.id else shown[0]
    return " → ".join(shown)


def _set_of(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _of_set(change: Change) -> str:
    """A change of the set itself in words."""
    name = _shown(change.name or "")
    match change.part:
        case Part.METADATA:
            return f"metadata `{name}`{_values(change)}"
        case Part.REFERENCE:
            return f"reference{_values(change)}"
        case Part.SIGNER:
            return _signer(change)
        case Part.DISK:
            where = _VOLUME.match(change.name or "")
            place = (where["architecture"] or "any") if where is not None else name
            return f"disk {place} {_arrow(change)}"
        case _:
            return f"{name} {_WORDS[change.kind]}"


def _signer(change: Change) -> str:
    match change.kind:
        case Kind.ADDED:
            return f"signed now, by {_value(change.after, quote=False)}"
        case Kind.GONE:
            return f"not signed any more, was by {_value(change.before, quote=False)}"
        case Kind.CHANGED:
            return f"signed by {_arrow(change)}"


_WORDS: Final = {Kind.ADDED: "is new", Kind.GONE: "is gone", Kind.CHANGED: "changed"}


def _gene_lines(changes: GeneChanges, *, verbose: bool) -> Iterator[str]:
    title = _shown(titled(changes.gene, changes.architectures))
    for part in (Part.GENE, Part.TEXT, Part.VARIABLE, Part.SETTING, Part.DISK):
        found = [each for each in changes.changes if each.part is part]
        if found:
            yield f"  {title}: {'; '.join(_IN_WORDS[part](found))}"
    for change in changes.changes:
        if change.part in (Part.FODDER, Part.BINDING, Part.ORDER):
            yield f"  {title}: {_of_fodder(change)}"
            lines, more = _cut(change.lines, verbose=verbose)
            yield from (f"    {line[0]} {_shown(line[1:])}".rstrip() for line in lines)
            if more:
                yield f"    … {more} more line{'' if more == 1 else 's'}"


def _of_gene(found: Sequence[Change]) -> Iterator[str]:
    for change in found:
        yield f"the {change.key} gene {_WORDS[change.kind]}"


def _of_text(found: Sequence[Change]) -> Iterator[str]:
    for change in found:
        if not change.hidden:
            yield "its text changed, but nothing that it says"
        elif change.after == "readable":
            yield "its text can be read now"
        elif change.before == "readable":
            yield "its text cannot be read any more"
        else:
            yield "its text changed, and it cannot be read"


def _of_variables(found: Sequence[Change]) -> Iterator[str]:
    """One phrase a variable, those that are new first."""
    changed: dict[str, list[str]] = {}
    for change in found:
        name = _shown(clipped(change.name or ""))
        if change.kind is Kind.CHANGED or change.key is not None:
            changed.setdefault(name, []).append(_of_key(change))
        elif change.kind is Kind.ADDED and isinstance(change.after, Mapping):
            yield f"new variable `{name}` ({_variable(change.after)})"
        else:
            yield f"variable `{name}` is gone"
    for name, words in changed.items():
        yield f"`{name}`: {', '.join(words)}"


def _of_key(change: Change) -> str:
    match change.key:
        case "required":
            return "required now" if change.after else "not required any more"
        case "secret":
            return "secret now" if change.after else "not secret any more"
        case "default" if change.hidden:
            return "another default (secret)"
        case "default":
            return f"default {_value(change.before)} → {_value(change.after)}"
        case _:
            return f"{change.key} {_arrow(change)}"


def _variable(values: Mapping[str, Json]) -> str:
    words = [str(values["type"])]
    if values["default"] is not None:
        words.append(f"default {_value(values['default'])}")
    words += [key for key in ("required", "secret") if values[key]]
    return ", ".join(words)


def _of_settings(found: Sequence[Change]) -> Iterator[str]:
    for change in found:
        yield f"{_shown(clipped(change.name or ''))}{_values(change)}"


def _of_disks(found: Sequence[Change]) -> Iterator[str]:
    for change in found:
        what = "disk" if change.key == "sha256" else f"disk {change.key}"
        yield (
            f"{what} {_arrow(change)}"
            if change.kind is Kind.CHANGED
            else (f"{what}{_values(change)}")
        )


_IN_WORDS: Final[dict[Part, Callable[[Sequence[Change]], Iterator[str]]]] = {
    Part.GENE: _of_gene,
    Part.TEXT: _of_text,
    Part.VARIABLE: _of_variables,
    Part.SETTING: _of_settings,
    Part.DISK: _of_disks,
}


def _of_fodder(change: Change) -> str:
    name = f"fodder `{_shown(clipped(change.name or ''))}`"
    if change.part is Part.ORDER:
        return "its fodder is in another order"
    if change.part is Part.BINDING:
        variable = f"`{_shown(clipped(change.key or ''))}`"
        return {
            Kind.ADDED: f"{name} gives {variable} too",
            Kind.GONE: f"{name} does not give {variable} any more",
            Kind.CHANGED: f"{name} gives {variable} another value",
        }[change.kind]
    if change.key == "content":
        return f"{name}: other content (secret)" if change.hidden else f"{name}, {_count(change)}"
    if change.key == "secret":
        return f"{name}: {'secret now' if change.after else 'not secret any more'}"
    if change.key is not None:
        return f"{name}: {change.key}{_values(change)}"
    if change.kind is Kind.GONE:
        return f"{name} is gone"
    entry = change.after
    what = entry.get("type") if isinstance(entry, Mapping) else None
    secret = ", secret" if change.hidden else ""
    return f"new {name} ({what or 'a reference'}{secret})"


def _count(change: Change) -> str:
    count = len(change.lines)
    if not count:
        return "the line end at its end"
    return f"{count} line{'' if count == 1 else 's'}"


# -- values -------------------------------------------------------------------------------------


def _values(change: Change) -> str:
    """What became of a value, behind its name."""
    match change.kind:
        case Kind.ADDED:
            return f" is new: {_value(change.after)}"
        case Kind.GONE:
            return f" is gone, was {_value(change.before)}"
        case Kind.CHANGED:
            return f": {_value(change.before)} → {_value(change.after)}"


def _arrow(change: Change, longest: int = _LONGEST_VALUE) -> str:
    before, after = (_value(each, longest, quote=False) for each in (change.before, change.after))
    return f"{before} → {after}"


def _value(value: Json, longest: int = _LONGEST_VALUE, *, quote: bool = True) -> str:
    """A value as people read it: texts in quotes, digests by their first digits."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return str(value)
    digest = _DIGEST.match(value)
    if digest is not None:
        return f"{digest[1]}…"
    shown = _shown(clipped(value, longest))
    return f'"{shown}"' if quote else shown


def _shown(words: str) -> str:
    """Words of a document with escapes for what a terminal would act on, and for tabs."""
    return plain(words.replace("\t", "\\t"))
