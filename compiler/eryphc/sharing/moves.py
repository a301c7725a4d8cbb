"""From one lock to the next: what that changes in words, and the guards that stop it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from eryphc.changes.guards import Move, Pin, Stop, stops
from eryphc.changes.interface import GeneKey
from eryphc.changes.log import NOTHING, ChangeLog, Side, change_log, set_changes
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import TagContents
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry, Lock, used_by
from eryphc.syntax.identifiers import parse_gene_set


class Moves(NamedTuple):
    """What differs between two locks: the change log, and what stops which gene set."""

    log: ChangeLog
    stops: tuple[Stop, ...]


def moves(
    before: Lock,
    after: Lock,
    contents: Mapping[str, TagContents],
    look_up: Callable[[str, Entry], TagContents | None],
    used: Callable[[str], Collection[GeneKey] | None] = lambda _name: None,
) -> Moves:
    """Compare two locks, by the gene sets that specifications and catlet genes ask for.

    `contents` has what was looked up for the new lock; `look_up` finds the pinned content of a
    tag, None where it is not at hand. `used` has the genes of a gene set that specifications use,
    None meaning all. Local gene sets are left out: they are committed.
    """
    old_names, new_names = _asked(before), _asked(after)
    users = {**used_by(before), **used_by(after)}
    found = []
    stopped: list[Stop] = []
    for name in sorted(old_names | new_names):
        old = _pin(before, name) if name in old_names else None
        new = _pin(after, name) if name in new_names else None
        if old is None and new is None:
            continue
        sides = [NOTHING, NOTHING]
        same = old == new
        for place, (pin, lock) in enumerate(((old, before), (new, after))):
            if pin is None:
                continue
            final = str(pin.final)
            texts = None
            if not same:
                texts = contents.get(final) if lock is after else None
                texts = texts or look_up(final, lock.sets[final])
            sides[place] = Side(texts, pin)
        found.append(set_changes(name, sides[0], sides[1], users.get(name, ())))
        if old is not None and new is not None:
            genes = None if same else used(name)
            stopped += stops(Move(old, new, sides[0].contents, sides[1].contents, genes))
    return Moves(change_log(found), tuple(stopped))


def _asked(lock: Lock) -> frozenset[str]:
    """The gene sets that somebody names, not those that only references lead to."""
    names: set[str] = set()
    for each in lock.specs.values():
        names.update(each)
    for entry in lock.sets.values():
        names.update(entry.requires)
    return frozenset(names & lock.sets.keys())


def _pin(lock: Lock, name: str) -> Pin | None:
    """What the lock pins under a name; None for local gene sets."""
    final = lock.final(name)
    entry = None if final is None else lock.sets[final]
    if final is None or entry is None or not entry.pinned:
        return None
    return Pin(
        id=_id(name),
        final=_id(final),
        pool=entry.pool or "",
        digest=entry.digest,
        files=FrozenMap(entry.files or {}),
        disks=FrozenMap({path: disk.digest for path, disk in entry.disks.items()}),
        signed=entry.signed,
    )


def _id(name: str) -> GeneSetId:
    parsed = parse_gene_set(name)
    assert isinstance(parsed, GeneSetId)  # noqa: S101 - reading and making a lock check names
    return parsed
