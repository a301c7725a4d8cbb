"""Images around one document in a registry: the index of a pool, statements on gene sets.

Source: docs/reference/gene-set-images.md, "Pointers, aliases and the index".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import sharing
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.image import (
    MOST_CONFIG,
    ImageType,
    document_image,
    manifest_of,
)
from eryphc.genepool.image_reader import (
    Document,
    ImageError,
    read_config,
    read_document,
)
from eryphc.genepool.layer_blobs import MOST_LAYER_BLOB
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.publishing import send
from eryphc.genepool.pool_index import (
    EMPTY,
    IndexedSet,
    IndexedTag,
    PoolIndex,
    PoolIndexError,
    read_index,
    write_index,
)
from eryphc.genepool.registry_names import NameFaultError, RegistryName, TagRules
from eryphc.identifiers import GeneSetId

if TYPE_CHECKING:
    from eryphc.genepool.image_config import GeneSetConfig
    from eryphc.genepool.oci.copies import Copy

ROUNDS: Final = 3
"""How often an index is written while others write it too."""


class FoundDocument(NamedTuple):
    """A document as it was found; `config` and `manifest` are the bytes of its image."""

    document: Document
    config: bytes
    manifest: bytes


def found_document(copy: Copy, name: RegistryName, type_: ImageType) -> FoundDocument | None:
    """The document under a name, None where there is none. Raises RegistryError, ImageError."""
    where = copy.names.reference(name)
    try:
        manifest, came = copy.manifest(name)
    except NotThereError:
        return None
    config = copy.blob(name, manifest.config, MOST_CONFIG)
    if len(manifest.layers) != 1:
        raise ImageError(sharing.malformed_artifact(where, "layers", "are not one"))
    layer = copy.blob(name, manifest.layers[0], MOST_LAYER_BLOB)
    return FoundDocument(read_document(config, layer, manifest, type_, where), config, came.data)


# --- the index of a pool -------------------------------------------------------------------------


class IndexOvertakenError(Exception):
    """Others wrote the index each time before ours was read back."""


def update_pool_index(
    copy: Copy,
    change: Callable[[PoolIndex], PoolIndex],
    sign: Callable[[bytes, bytes], bytes] | None = None,
) -> PoolIndex:
    """Write what `change` makes of the index, and read it back; gives it.

    While others write it too, all is done anew, at most three times. Raises RegistryError,
    ImageError, PoolIndexError, IndexOvertakenError.
    """
    name = copy.names.index_name
    if name is None:
        raise PoolIndexError("the pool has no name for one")
    for _ in range(ROUNDS):
        found = found_document(copy, name, ImageType.INDEX)
        before = None if found is None else found.document.text
        changed = change(EMPTY if before is None else read_index(before))
        text = write_index(changed)
        if text == before:
            return changed
        image = document_image(ImageType.INDEX, text)
        manifest = manifest_of(image)
        if sign is not None:
            manifest = sign(manifest, image.config)
        try:
            send(copy.registry, name, image, manifest)
        except RegistryError as fault:
            if fault.diagnostic.code.number != "E1010":
                raise
            continue
        return changed
    raise IndexOvertakenError


def listed_set(
    copy: Copy, name: str, rules: TagRules, known: IndexedSet | None
) -> IndexedSet | None:
    """A gene set by the tags that the registry has of it, None where it has none.

    What is `known` of fixed tags stays; other tags are looked into. What is no gene set is left
    out. Raises RegistryError.
    """
    tags: dict[str, IndexedTag] = {}
    about = None if known is None else known.about
    for geneset, place in _names_of(copy, name):
        entry = None if known is None else known.tags.get(geneset.tag)
        if entry is None or entry.digest is None or rules.moves(geneset.tag):
            config = _config(copy, place, geneset, rules)
            if config is None:
                continue
            entry = entry_of(geneset, config.id, config.ref, config.identity)
            about = about or config.details.about
        tags[geneset.tag] = entry
    if not tags:
        return None
    ordered = FrozenMap(sorted(tags.items()))
    if known is None:
        return IndexedSet(ordered, about)
    deprecated = {tag: each for tag, each in known.deprecated.items() if tag in tags}
    return known._replace(tags=ordered, about=about, deprecated=FrozenMap(deprecated))


def entry_of(geneset: GeneSetId, content: GeneSetId, ref: str | None, identity: str) -> IndexedTag:
    """What the index says of a tag whose image is that of the tag `content`."""
    if content != geneset:
        return IndexedTag(alias=content.tag)
    return IndexedTag(digest=identity) if ref is None else IndexedTag(ref=ref)


def _names_of(copy: Copy, name: str) -> list[tuple[GeneSetId, RegistryName]]:
    organization, _, geneset = name.partition("/")
    try:
        place = copy.names.name(GeneSetId(organization, geneset, "latest"))
        tags = copy.registry.list_tags(place.repository)
    except (NotThereError, NameFaultError):
        return []
    named = ((copy.names.geneset(place._replace(tag=tag)), tag) for tag in tags)
    return sorted(
        (each, place._replace(tag=tag)) for each, tag in named if each and each.without_tag == name
    )


def _config(
    copy: Copy, place: RegistryName, geneset: GeneSetId, rules: TagRules
) -> GeneSetConfig | None:
    """What a tag is, None where it is no gene set."""
    try:
        manifest, _ = copy.manifest(place)
        data = copy.blob(place, manifest.config, MOST_CONFIG)
        moves = rules.moves(geneset.tag)
        where = copy.names.reference(place)
        return read_config(data, manifest, where, asked=geneset, moves=moves)
    except (NotThereError, ImageError):
        return None
