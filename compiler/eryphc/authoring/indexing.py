"""What a publication says of its gene sets in the index of the pool."""

from __future__ import annotations

from eryphc.authoring.packing import Packed
from eryphc.authoring.sources import SetFacts
from eryphc.canonical import Json
from eryphc.changes.interface import genes_of, interface_of
from eryphc.frozen import FrozenMap
from eryphc.genepool import versions
from eryphc.genepool.contents import TagContents
from eryphc.genepool.image_reader import stored_config
from eryphc.genepool.pool_index import (
    Deprecation,
    IndexedSet,
    IndexedTag,
    read_deprecations,
)

NOTHING = IndexedSet(FrozenMap())


def with_published(known: IndexedSet | None, made: Packed) -> IndexedSet:
    """The entry of a set with a tag of it that was just published, and its aliases."""
    known = known or NOTHING
    config = stored_config(made.image.config, str(made.id))
    own = IndexedTag(digest=config.identity) if config.ref is None else IndexedTag(ref=config.ref)
    tags = {**known.tags, made.id.tag: own}
    tags |= {alias.tag: IndexedTag(alias=made.id.tag) for alias in made.aliases}
    changed = known._replace(tags=FrozenMap(sorted(tags.items())))
    if config.ref is not None or any(versions.newer(tag, made.id.tag) for tag in known.tags):
        return changed
    about = config.details.about or known.about
    return changed._replace(about=about, genes=offered_genes(made.contents))


def offered_genes(contents: TagContents) -> FrozenMap[Json]:
    """What each gene of a tag takes: its type, its guests, its variables."""
    guest = dict(contents.metadata).get("_os_type")
    found: dict[str, Json] = {}
    for key, variants in genes_of(contents).items():
        data: dict[str, Json] = {"type": str(key.type)}
        if guest:
            data["guests"] = [guest]
        interface = interface_of(next(iter(variants.values())))
        if interface is not None and interface.variables:
            data["variables"] = [
                {
                    "name": each.name,
                    "type": str(each.type),
                    "default": each.shown_default,
                    "required": each.required,
                    "secret": each.secret,
                }
                for each in interface.variables
            ]
        found.setdefault(key.name, data)
    return FrozenMap(found)


def deprecations_of(name: str, facts: SetFacts) -> FrozenMap[Deprecation]:
    """What the `geneset.json` of a set says against its tags."""
    return read_deprecations(name, facts.data.get("deprecated"))
