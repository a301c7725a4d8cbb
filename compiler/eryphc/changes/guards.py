"""What must not happen to a pin without somebody's consent.

A guard is a function of a move, that is of a pin before and after, and of the texts behind both. It
gives a sentence where it stops the move. Who writes a lock asks all guards and writes nothing while
one of them stops that nobody has accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

from eryphc.changes.interface import Break, GeneKey, breaks
from eryphc.diagnostics.words import clipped
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool import versions
from eryphc.genepool.contents import TagContents
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import DESCRIPTION

NOTHING: Final[FrozenMap[str]] = FrozenMap()
_GUEST: Final = ("_os_type", "_os_name")


class Pin(NamedTuple):
    """What a gene set leads to, as a lock holds it.

    `id` is the gene set as it is asked for, `final` the one at the end of its references. `digest`
    is the identity of its image, None where the pool has none. `files` are the digests of its texts
    by canonical path, `disks` those of disks by the path of their description or file; each is the
    name of an algorithm, a colon and hex digits. `signed` is the principal that signed it, and
    after a blank the fingerprint of the key.
    """

    id: GeneSetId
    final: GeneSetId
    pool: str
    digest: str | None = None
    files: FrozenMap[str] = NOTHING
    disks: FrozenMap[str] = NOTHING
    signed: str | None = None

    @property
    def principal(self) -> str | None:
        """Who signed it, whatever the key."""
        return None if self.signed is None else self.signed.rpartition(" ")[0] or self.signed


def is_fixed(geneset: GeneSetId) -> bool:
    """Whether the tag is to keep its content, where no pool says otherwise."""
    return versions.is_fixed(geneset.tag)


class Move(NamedTuple):
    """A pin before and after, and what is behind both.

    `before` and `after` are the contents of the final tags. Without one of them the guards that
    read contents, `other-os` and `breaking`, stop nothing. `used` are the genes that
    specifications use, None meaning all; `fixed` tells the tags whose content must stay.
    """

    old: Pin
    new: Pin
    before: TagContents | None = None
    after: TagContents | None = None
    used: Collection[GeneKey] | None = None
    fixed: Callable[[GeneSetId], bool] = is_fixed

    @property
    def same_set(self) -> bool:
        return self.old.final.without_tag == self.new.final.without_tag


class Guard(StrEnum):
    """The guards by the names under which they are accepted."""

    OTHER_SET = "other-set"
    OTHER_OS = "other-os"
    MAJOR = "major"
    OLDER = "older"
    CHANGED_TAG = "changed-tag"
    OTHER_POOL = "other-pool"
    UNSIGNED = "unsigned"
    BREAKING = "breaking"


class Stop(NamedTuple):
    """A guard that stops a move of `id`, and why."""

    guard: Guard
    id: GeneSetId
    sentence: str


def stops(move: Move) -> tuple[Stop, ...]:
    """The guards that stop a move, in the order of `Guard`."""
    found = ((guard, GUARDS[guard](move)) for guard in Guard)
    return tuple(Stop(guard, move.new.id, why) for guard, why in found if why is not None)


def _other_set(move: Move) -> str | None:
    if move.same_set:
        return None
    return f"`{move.new.id}` led to `{move.old.final}` and now leads to `{move.new.final}`"


def _other_os(move: Move) -> str | None:
    if move.before is None or move.after is None:
        return None
    old, new = dict(move.before.metadata), dict(move.after.metadata)
    for key in _GUEST:
        was, now = old.get(key) or None, new.get(key) or None
        if was != now:
            return f"`{key}` of `{move.new.id}` was {_quoted(was)} and is {_quoted(now)}"
    return None


def _quoted(value: str | None) -> str:
    return "not given" if value is None else f"`{clipped(value)}`"


def _major(move: Move) -> str | None:
    old, new = move.old.final, move.new.final
    if not (move.same_set and versions.comparable(old.tag, new.tag)):
        return None
    was, now = versions.major(old.tag), versions.major(new.tag)
    if was is None or now is None or now <= was:
        return None
    return f"`{move.new.id}` goes from version {was} to version {now} (`{old}` to `{new}`)"


def _older(move: Move) -> str | None:
    old, new = move.old.final, move.new.final
    if not (move.same_set and versions.older(new.tag, old.tag)):
        return None
    return f"`{move.new.id}` goes back from `{old}` to the older `{new}`"


def _changed_tag(move: Move) -> str | None:
    old, new = move.old, move.new
    if old.final != new.final:
        if old.id != new.id or not move.fixed(new.id):
            return None
        return f"the fixed tag `{new.id}` led to `{old.final}` and now leads to `{new.final}`"
    if not move.fixed(new.final) or _same_content(old, new):
        return None
    return f"the fixed tag `{new.final}` has other content than before"


def _same_content(old: Pin, new: Pin) -> bool:
    """By the identity of the images where both have one, else by their files, of disks too.

    A disk that is only described is no content: its publisher may bring a newer one.
    """
    if old.digest is not None and new.digest is not None:
        return old.digest == new.digest
    if _disk_files(old) != _disk_files(new):
        return False
    return old.files == new.files and (bool(old.files) or old.digest == new.digest)


def _disk_files(pin: Pin) -> dict[str, str]:
    return {path: disk for path, disk in pin.disks.items() if not path.endswith(DESCRIPTION)}


def _other_pool(move: Move) -> str | None:
    if move.old.pool == move.new.pool:
        return None
    was, now = clipped(move.old.pool), clipped(move.new.pool)
    return f"`{move.new.id}` came from the pool `{was}` and now comes from `{now}`"


def _unsigned(move: Move) -> str | None:
    was, now = move.old.principal, move.new.principal
    if was is None or was == now:
        return None
    if now is None:
        return f"`{move.new.id}` was signed by `{clipped(was)}` and is not signed any more"
    return f"`{move.new.id}` was signed by `{clipped(was)}` and is now signed by `{clipped(now)}`"


def _breaking(move: Move) -> str | None:
    found = breaks_of(move)
    if not found:
        return None
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"`{move.new.id}` breaks what uses it: {found[0].sentence}{more}"


def breaks_of(move: Move) -> tuple[Break, ...]:
    """How the interface breaks for the genes that are used."""
    if move.before is None or move.after is None:
        return ()
    found = breaks(move.before, move.after)
    return tuple(each for each in found if move.used is None or each.gene in move.used)


GUARDS: Final[dict[Guard, Callable[[Move], str | None]]] = {
    Guard.OTHER_SET: _other_set,
    Guard.OTHER_OS: _other_os,
    Guard.MAJOR: _major,
    Guard.OLDER: _older,
    Guard.CHANGED_TAG: _changed_tag,
    Guard.OTHER_POOL: _other_pool,
    Guard.UNSIGNED: _unsigned,
    Guard.BREAKING: _breaking,
}
