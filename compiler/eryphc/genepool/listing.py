"""What the pools hold, for people who look for a gene. A compile never lists a pool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.files import PoolFiles
from eryphc.genepool.folder import MANIFEST, FolderPool
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.genepool.pinned import PinnedPool, PinnedTag
from eryphc.genepool.pool_index import EMPTY, Deprecation, PoolIndex, read_deprecations
from eryphc.genepool.remote import RemotePool
from eryphc.identifiers import GeneSetId
from eryphc.reads import Reads
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

_MOST_TEXT = 2 * 1024 * 1024
_LONGEST_LICENSE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSet:
    """A gene set as one pool has it: its tags, sorted, and what it says of itself. `deprecated` are
    those of the tags that its authors say should not be used any more."""

    organization: str
    geneset: str
    tags: tuple[str, ...]
    description: str
    pool: str
    deprecated: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.organization}/{self.geneset}"


def gene_sets(chain: PoolChain, faults: list[Diagnostic] | None = None) -> tuple[ListedSet, ...]:
    """All gene sets by name; for a set in several pools the tags that each adds.

    `faults` gets what keeps a registry from telling what it has.
    """
    found: list[ListedSet] = []
    seen: set[GeneSetId] = set()
    for pool in _pools(chain):
        if isinstance(pool, FolderPool):
            found += _of_folder(pool, seen)
        elif isinstance(pool, RemotePool):
            index = pool.index()
            if faults is not None:
                faults += index.diagnostics
            found += _of_index(pool, index.value or EMPTY, chain, seen)
        elif isinstance(pool, PinnedPool):
            found += _of_images(pool, seen)
    return tuple(sorted(found, key=lambda listed: listed.id))


def _pools(pool: GenePool) -> Iterator[GenePool]:
    """The pools that a chain is made of, in order of priority."""
    if isinstance(pool, PoolChain):
        for inner in pool.pools:
            yield from _pools(inner)
    else:
        yield pool


def _of_folder(pool: FolderPool, seen: set[GeneSetId]) -> Iterator[ListedSet]:
    for organization in _subfolders(pool.root):
        for geneset in _subfolders(organization):
            tags: list[str] = []
            for tag in _subfolders(geneset):
                parsed = parse_gene_set(f"{organization.name}/{geneset.name}/{tag.name}")
                if isinstance(parsed, NameFault) or parsed in seen:
                    continue
                if (tag / MANIFEST).is_file():
                    seen.add(parsed)
                    tags.append(tag.name)
            if tags:
                name = f"{organization.name}/{geneset.name}".lower()
                said = deprecations_in(geneset, name)
                yield ListedSet(
                    organization=organization.name,
                    geneset=geneset.name,
                    tags=tuple(tags),
                    description=description(geneset)[0],
                    pool=pool.label,
                    deprecated=tuple(tag for tag in tags if tag.lower() in said),
                )


def _of_index(
    pool: RemotePool, index: PoolIndex, chain: PoolChain, seen: set[GeneSetId]
) -> Iterator[ListedSet]:
    """What the index of a registry lists, of the organizations that the pool is asked for."""
    for name, listed in index.items():
        organization, _, geneset = name.partition("/")
        ids = [GeneSetId(organization, geneset, tag) for tag in listed.tags]
        new = [each for each in ids if each not in seen]
        if not new or not any(owner is pool for owner in chain.owners(new[0])):
            continue
        seen.update(new)
        tags = tuple(each.tag for each in new)
        yield ListedSet(
            organization=organization,
            geneset=geneset,
            tags=tags,
            description=listed.about or "",
            pool=pool.label,
            deprecated=tuple(tag for tag in tags if tag in listed.deprecated),
        )


def _of_images(pool: PinnedPool, seen: set[GeneSetId]) -> Iterator[ListedSet]:
    """A set says what its last tag by name says; one that cannot be read says nothing."""
    new = [geneset for geneset in pool.genesets() if geneset not in seen]
    seen.update(new)
    for name, group in groupby(new, key=lambda geneset: geneset[:2]):
        tags = tuple(group)
        last = pool.find(tags[-1])
        yield ListedSet(
            organization=name[0],
            geneset=name[1],
            tags=tuple(geneset.tag for geneset in tags),
            description=descriptions_of(last.value)[0] if last and last.value else "",
            pool=pool.label,
        )


def descriptions_of(tag: GeneSetTag) -> tuple[str, str]:
    """The short and the long description of the set that a tag belongs to; empty for none."""
    if isinstance(tag, PinnedTag):
        return tag.about, ""
    return description(Path(tag.manifest.source.name).parent.parent)


def description(folder: Path) -> tuple[str, str]:
    """The short and the long description in a gene set's `geneset.json`; empty for none."""
    data = _facts(folder)
    return str(data.get("short_description") or ""), str(data.get("description") or "")


def deprecations_in(folder: Path, name: str) -> Mapping[str, Deprecation]:
    """What the `geneset.json` of the set `ORG/SET` in a folder says against its tags."""
    return read_deprecations(name, _facts(folder).get("deprecated"))


def _facts(folder: Path) -> dict[str, Any]:
    """The members of a gene set's `geneset.json`; none where it cannot be read."""
    try:
        data = json.loads((folder / "geneset.json").read_bytes()[:_MOST_TEXT])
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def licenses_of(tag: GeneSetTag) -> str | None:
    """What the image of a tag, or the `geneset.json` above it, says of its licence: an SPDX
    expression."""
    if isinstance(tag, PinnedTag):
        return tag.config.details.licenses
    folder = Path(tag.manifest.source.name).parent.parent
    # Only tags in folders take notes of what is read for them.
    reads: Reads | None = getattr(tag, "reads", None)
    read = PoolFiles(folder, str(tag.id), reads).read(folder / "geneset.json", _MOST_TEXT)
    try:
        found = json.loads(read.value or b"")["metadata"]["licenses"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    usable = isinstance(found, str) and found.isprintable() and 0 < len(found) <= _LONGEST_LICENSE
    return found if usable else None


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(
            (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")),
            key=lambda path: path.name,
        )
    except OSError:
        return []
