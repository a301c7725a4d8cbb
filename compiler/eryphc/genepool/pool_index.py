"""The index of a pool in a registry: its gene sets with their tags, for people who look for one.

Registries do not list what they have, so those who publish write it down. It is never used to find
out what a tag is.
Source: docs/reference/gene-set-images.md, "The index of a pool".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from eryphc.canonical import Json, canonical, read_json
from eryphc.diagnostics.words import cleaned
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.image import MOST_ABOUT, MOST_INDEX
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set

VERSION: Final = 1
MOST_SETS: Final = 5_000
MOST_REASON: Final = 500
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")


class PoolIndexError(ValueError):
    """A text is no index, or an index has no room for all that it should hold."""


class Deprecation(NamedTuple):
    """What those who publish a tag say against it: the gene set to `use` instead, and why."""

    use: str | None = None
    reason: str | None = None

    @property
    def data(self) -> dict[str, Json]:
        values = {"use": self.use, "reason": self.reason}
        return {key: value for key, value in values.items() if value}


class IndexedTag(NamedTuple):
    """What a tag is: content with an identity, another name of a tag of its set, or a reference to
    another set. One of them is given."""

    digest: str | None = None
    alias: str | None = None
    ref: str | None = None

    @property
    def data(self) -> dict[str, Json]:
        values = {"digest": self.digest, "alias": self.alias, "ref": self.ref}
        return {key: value for key, value in values.items() if value}


class IndexedSet(NamedTuple):
    """A gene set. `genes` is what the newest tag offers, as data by the name of each gene."""

    tags: FrozenMap[IndexedTag]
    about: str | None = None
    genes: FrozenMap[Json] = FrozenMap()
    deprecated: FrozenMap[Deprecation] = FrozenMap()

    @property
    def data(self) -> dict[str, Json]:
        data: dict[str, Json] = {"tags": {tag: each.data for tag, each in self.tags.items()}}
        if self.about:
            data["about"] = self.about
        if self.genes:
            data["genes"] = dict(self.genes)
        if self.deprecated:
            data["deprecated"] = {tag: each.data for tag, each in self.deprecated.items()}
        return data


PoolIndex = FrozenMap[IndexedSet]
"""Gene sets by `ORG/SET`."""
EMPTY: Final[PoolIndex] = FrozenMap()


def write_index(index: Mapping[str, IndexedSet]) -> bytes:
    """The text of an index: canonical JSON and a line feed. Raises PoolIndexError."""
    if len(index) > MOST_SETS:
        raise PoolIndexError(f"it has room for {MOST_SETS} gene sets")
    data: dict[str, Json] = {
        "version": VERSION,
        "sets": {name: each.data for name, each in index.items()},
    }
    text = canonical(data) + b"\n"
    if len(text) > MOST_INDEX:
        raise PoolIndexError(f"it has room for {MOST_INDEX} bytes")
    return text


def read_index(text: bytes) -> PoolIndex:
    """The index of a text; what is no gene set or no tag is left out. Raises PoolIndexError."""
    try:
        root = read_json(text)
    except ValueError:
        raise PoolIndexError("it is no JSON that can be read") from None
    sets = root.get("sets") if isinstance(root, dict) else None
    if not isinstance(sets, dict):
        raise PoolIndexError("it lists no gene sets")
    if root.get("version") != VERSION:
        raise PoolIndexError("it was written by a newer eryphc")
    if len(sets) > MOST_SETS:
        raise PoolIndexError(f"it lists more than {MOST_SETS} gene sets")
    return FrozenMap(
        {
            name: _set(name, entry)
            for name, entry in sorted(sets.items())
            if isinstance(entry, dict) and is_set(name)
        }
    )


def is_set(name: str) -> bool:
    """Whether a text is `ORG/SET` in lower case."""
    return name.count("/") == 1 and is_tag(name, "1.0")


def is_tag(name: str, tag: object) -> bool:
    """Whether a text is a tag that the set can have."""
    if not isinstance(tag, str) or len(tag) > MOST_ABOUT or len(name) > MOST_ABOUT:
        return False
    parsed = parse_gene_set(f"{name}/{tag}")
    return isinstance(parsed, GeneSetId) and str(parsed) == f"{name}/{tag}"


def _set(name: str, entry: Mapping[str, Any]) -> IndexedSet:
    genes = entry.get("genes")
    return IndexedSet(
        tags=FrozenMap(dict(_tags(name, entry.get("tags")))),
        about=_line(entry.get("about"), MOST_ABOUT),
        genes=FrozenMap(genes if isinstance(genes, dict) else {}),
        deprecated=read_deprecations(name, entry.get("deprecated")),
    )


def _tags(name: str, tags: object) -> Iterator[tuple[str, IndexedTag]]:
    for tag, entry in sorted(tags.items()) if isinstance(tags, dict) else ():
        if not is_tag(name, tag) or not isinstance(entry, dict):
            continue
        digest, alias, ref = (entry.get(key) for key in ("digest", "alias", "ref"))
        if isinstance(digest, str) and _DIGEST.match(digest):
            yield tag, IndexedTag(digest=digest)
        elif is_tag(name, alias):
            yield tag, IndexedTag(alias=alias)
        elif is_reference(ref):
            yield tag, IndexedTag(ref=ref)


def read_deprecations(name: str, found: object) -> FrozenMap[Deprecation]:
    """What data says against the tags of a set; what is malformed is left out."""
    read = {
        tag: read_deprecation(entry)
        for tag, entry in sorted(found.items() if isinstance(found, dict) else ())
        if is_tag(name, tag)
    }
    return FrozenMap({tag: each for tag, each in read.items() if each is not None})


def read_deprecation(entry: object) -> Deprecation | None:
    """`use` and `reason`, of which one is enough. None for anything else."""
    if not isinstance(entry, dict):
        return None
    use = entry.get("use")
    found = Deprecation(use if is_reference(use) else None, _line(entry.get("reason"), MOST_REASON))
    return found if found.data else None


def is_reference(text: object) -> bool:
    """Whether a text is a gene set in full: `org/set/tag`, in lower case."""
    if not isinstance(text, str) or text.count("/") != 2:
        return False
    name, _, tag = text.rpartition("/")
    return is_tag(name, tag)


def _line(value: object, most: int) -> str | None:
    return (cleaned(value, most) or None) if isinstance(value, str) else None
