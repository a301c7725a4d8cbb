"""What a lock says, as records, and what follows from that alone.

Gene sets are named by text, `organization/set/tag` in lower case; specifications by their path
from the folder of the lock, with `/`. Source: docs/reference/lock.md, "What is pinned".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from eryphc.canonical import Json, canonical, digest_of
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.source import SourceText

LOCK_VERSION: Final = 1
LANGUAGE: Final = 1
DESCRIPTION: Final = ".yaml"
"""How the path of a description of a disk ends."""
MOST_REFERENCES: Final = 4
"""How many tags may stand for one another until the one that holds the genes."""


class LockedDisk(NamedTuple):
    """A disk image that no text of its gene set pins. `digest` is `<algorithm>:<hex>`; `url` is
    where the image of that day lies, None where only the newest has an address."""

    digest: str
    url: str | None = None


class Entry(NamedTuple):
    """What the lock says of one tag.

    A tag that stands for another has `ref`. Of a local set, one in a folder that is committed with
    the lock, only `pool` is given beside `ref` or `requires`. Every other tag is pinned: `files`
    has the digest of each text (`sha256:<hex>`) by its canonical path. `digest` is the identity of
    a tag from a registry, `manifest` and `form` help to fetch and read it, `signed` names signer
    and key. `requires` are the gene sets that its catlet gene names; `disks` go by the path of
    their description, or of the file where there is none.
    """

    pool: str | None = None
    ref: str | None = None
    requires: tuple[str, ...] = ()
    files: Mapping[str, str] | None = None
    digest: str | None = None
    manifest: str | None = None
    signed: str | None = None
    form: str | None = None
    disks: Mapping[str, LockedDisk] = FrozenMap()

    @property
    def pinned(self) -> bool:
        """Whether content is pinned: not of references, and not of local sets."""
        return self.files is not None

    @property
    def disk_files(self) -> Mapping[str, str]:
        """The digests of disks that are part of the tag: files without a description."""
        return FrozenMap(
            {
                path: disk.digest
                for path, disk in self.disks.items()
                if not path.endswith(DESCRIPTION)
            }
        )

    @property
    def is_local(self) -> bool:
        """Whether it is committed with the lock, so that what it names is always read anew."""
        return self.pool is not None and not self.pinned

    @property
    def names(self) -> tuple[str, ...]:
        """The gene sets that this one leads to."""
        return self.requires if self.ref is None else (self.ref,)


def entry_digest(entry: Entry) -> str:
    """The SHA-256 of all that the lock says of a tag, as 64 hex digits."""
    data: dict[str, Json] = {
        **entry._asdict(),
        "files": None if entry.files is None else dict(entry.files),
        "disks": {path: [disk.digest, disk.url] for path, disk in entry.disks.items()},
    }
    return digest_of(canonical(data)).removeprefix("sha256:")


class Lock(NamedTuple):
    """A lock whole. `source` is the text that it was read from, None for one not yet written."""

    sets: Mapping[str, Entry] = FrozenMap()
    specs: Mapping[str, tuple[str, ...]] = FrozenMap()
    source: SourceText | None = None

    def final(self, name: str) -> str | None:
        """The tag that a tag stands for in the end; None where the lock does not lead to one."""
        for _ in range(MOST_REFERENCES + 1):
            entry = self.sets.get(name)
            if entry is None or entry.ref is None:
                return None if entry is None else name
            name = entry.ref
        return None


class NamedPool(NamedTuple):
    """How a lock calls a pool, and whether it is committed with the lock."""

    name: str
    local: bool


class Walk(NamedTuple):
    """All that specifications reach in a lock. `missing` has the names that the lock does not
    have, each with who names it: a specification or a gene set."""

    reached: frozenset[str]
    missing: Mapping[str, str]


def walk(sets: Mapping[str, Entry], roots: Mapping[str, Sequence[str]]) -> Walk:
    """Follow references and requirements from the gene sets that `roots` name."""
    reached: set[str] = set()
    missing: dict[str, str] = {}
    open_: list[tuple[str, str]] = [(name, root) for root in roots for name in roots[root]]
    while open_:
        name, by = open_.pop()
        if name in reached or name in missing:
            continue
        entry = sets.get(name)
        if entry is None:
            missing[name] = by
            continue
        reached.add(name)
        open_ += [(other, name) for other in entry.names]
    return Walk(frozenset(reached), FrozenMap(dict(sorted(missing.items()))))


def used_by(lock: Lock) -> Mapping[str, tuple[str, ...]]:
    """The specifications that reach each gene set, sorted."""
    found: dict[str, list[str]] = {}
    for spec in sorted(lock.specs):
        for name in walk(lock.sets, {spec: lock.specs[spec]}).reached:
            found.setdefault(name, []).append(spec)
    return FrozenMap({name: tuple(specs) for name, specs in sorted(found.items())})


def unused(lock: Lock) -> Iterator[str]:
    """The gene sets that no specification of the lock reaches, sorted."""
    reached = walk(lock.sets, lock.specs).reached
    return (name for name in sorted(lock.sets) if name not in reached)
