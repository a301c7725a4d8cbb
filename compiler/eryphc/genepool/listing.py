"""What the pools hold, for people who look for a gene. A compile never lists a pool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import MANIFEST, FolderPool
from eryphc.genepool.model import GenePool
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

_MOST_TEXT = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSet:
    """A gene set as one pool has it: its tags, sorted, and what it says of itself."""

    organization: str
    geneset: str
    tags: tuple[str, ...]
    description: str
    pool: str
    folder: Path

    @property
    def id(self) -> str:
        return f"{self.organization}/{self.geneset}"


def folder_pools(chain: PoolChain) -> Iterator[FolderPool]:
    """The folders of a chain, in order of priority."""
    for pool in chain.pools:
        yield from _folders(pool)


def _folders(pool: GenePool) -> Iterator[FolderPool]:
    if isinstance(pool, FolderPool):
        yield pool
    elif isinstance(pool, PoolChain):
        for inner in pool.pools:
            yield from _folders(inner)


def gene_sets(chain: PoolChain) -> tuple[ListedSet, ...]:
    """All gene sets by name; for a set in several pools the tags that each adds."""
    found: list[ListedSet] = []
    seen: set[GeneSetId] = set()
    for pool in folder_pools(chain):
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
                    found.append(
                        ListedSet(
                            organization=organization.name,
                            geneset=geneset.name,
                            tags=tuple(tags),
                            description=description(geneset)[0],
                            pool=pool.label,
                            folder=geneset,
                        )
                    )
    return tuple(sorted(found, key=lambda listed: listed.id))


def description(folder: Path) -> tuple[str, str]:
    """The short and the long description in a gene set's `geneset.json`; empty for none."""
    try:
        data = json.loads((folder / "geneset.json").read_bytes()[:_MOST_TEXT])
    except (OSError, ValueError, RecursionError):
        return "", ""
    if not isinstance(data, dict):
        return "", ""
    return str(data.get("short_description") or ""), str(data.get("description") or "")


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(
            (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")),
            key=lambda path: path.name,
        )
    except OSError:
        return []
