"""A tag of an author to an image, checked by the reader that everybody uses.

Source: docs/reference/gene-set-images.md, "The config", "Reading an image".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from eryphc.authoring.disks import NO_DISKS, PackedDisks, disk_files, packed_disks
from eryphc.authoring.sources import AuthoredTag
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import TagContents, contents_of
from eryphc.genepool.image import (
    Details,
    Image,
    PushedVolume,
    image_of,
    manifest_of,
    source_annotation,
)
from eryphc.genepool.image_reader import (
    ImageError,
    ImageManifest,
    read_config,
    read_manifest,
    read_texts,
)
from eryphc.genepool.layout import LayoutEntry
from eryphc.identifiers import GeneSetId
from eryphc.passes.naming import parent_of, requires_of
from eryphc.syntax.identifiers import parse_gene_set


class Packed(NamedTuple):
    """A tag as an image. `aliases` are the tags of its set that refer to it. `disks` are those that
    lie in the image, `blobs` files with their layers by digest."""

    contents: TagContents
    image: Image
    manifest: bytes
    aliases: tuple[GeneSetId, ...] = ()
    disks: tuple[PushedVolume, ...] = ()
    blobs: FrozenMap[Path] = FrozenMap()

    @property
    def id(self) -> GeneSetId:
        return self.contents.id

    @property
    def entry(self) -> LayoutEntry:
        """What stands for it in a layout."""
        return LayoutEntry((self.id, *self.aliases), self.image, self.manifest, self.blobs)


def alias_of(authored: AuthoredTag) -> GeneSetId | None:
    """The tag of its own set that a tag refers to, None where it does not."""
    ref = authored.tag.manifest.ref
    target = parse_gene_set(ref) if ref is not None else None
    if isinstance(target, GeneSetId) and target.without_tag == authored.id.without_tag:
        return target
    return None


def packed(authored: AuthoredTag, scratch: Path | None = None) -> Outcome[Packed]:
    """The image of a tag that is no alias. Layers of disks are written into the folder `scratch`.

    Errors: texts that cannot be read, disk files that cannot be packed or for which there is no
    folder, and whatever a reader of the image would refuse (E1033). Raises OSError.
    """
    if scratch is None:
        faults = tuple(_unpacked(authored))
        made = packed_texts(authored)
        return Outcome(None if faults else made.value, (*made.diagnostics, *faults))
    disks = packed_disks(authored, scratch)
    made = packed_texts(authored, disks.value or NO_DISKS)
    return Outcome(
        None if disks.value is None else made.value, (*made.diagnostics, *disks.diagnostics)
    )


def packed_texts(authored: AuthoredTag, disks: PackedDisks = NO_DISKS) -> Outcome[Packed]:
    """The image of the texts of a tag, and of disks that were packed. Errors: those of `packed`."""
    contents = contents_of(authored.tag)
    found: list[Diagnostic] = [*contents.diagnostics]
    if contents.value is None or has_errors(found):
        return Outcome(None, tuple(found))
    whole = contents.value._replace(
        files=tuple(
            sorted((*contents.value.files, *authored.documents), key=lambda file: file.path)
        )
    )
    requires, parent = requires_of(whole), parent_of(whole)
    found += requires.diagnostics
    if requires.value is None:
        return Outcome(None, tuple(found))
    facts = authored.facts
    details = Details(
        about=facts.text("short_description"),
        licenses=facts.metadata("licenses"),
        source=facts.metadata("source"),
        parent=parent,
        requires=requires.value,
        volumes=disks.volumes,
    )
    image = image_of(whole, details, disks.parts)
    manifest = manifest_of(image, source_annotation(details.source))
    made = Packed(whole, image, manifest, disks=disks.volumes, blobs=disks.blobs)
    fault = _refused(made)
    return Outcome(made, tuple(found)) if fault is None else Outcome(None, (*found, fault))


def packed_all(
    tags: Sequence[AuthoredTag], scratch: Path | None = None
) -> Outcome[tuple[Packed, ...]]:
    """The images of tags, aliases with the tags that they refer to. Errors: those of `packed`, and
    an alias of a tag that is not among them.
    """
    found: list[Diagnostic] = []
    made: dict[GeneSetId, Packed] = {}
    aliases: dict[GeneSetId, GeneSetId] = {}
    for each in tags:
        target = alias_of(each)
        if target is not None:
            aliases[each.id] = target
            continue
        image = packed(each, scratch)
        found += image.diagnostics
        if image.value is not None:
            made[each.id] = image.value
    if has_errors(found):
        return Outcome(None, tuple(found))
    for alias in sorted(aliases):
        final = _final(alias, aliases)
        if final not in made:
            problem = f"it refers to `{aliases[alias]}`, which is not there"
            found.append(sharing.not_publishable(str(alias), problem))
            continue
        known = made[final]
        made[final] = known._replace(aliases=(*known.aliases, alias))
    if has_errors(found):
        return Outcome(None, tuple(found))
    return Outcome(tuple(made[each] for each in sorted(made)), tuple(found))


def _final(alias: GeneSetId, aliases: dict[GeneSetId, GeneSetId]) -> GeneSetId:
    """The tag at the end of aliases; one of them where they lead in a circle."""
    seen: set[GeneSetId] = set()
    while alias in aliases and alias not in seen:
        seen.add(alias)
        alias = aliases[alias]
    return alias


def _unpacked(authored: AuthoredTag) -> Iterable[Diagnostic]:
    """Disks for which there is no place to pack them."""
    for variant in disk_files(authored):
        where = f"the disk `{variant.name}` for `{variant.architecture}`"
        problem = f"{where} has no description; pack it with `gene pack -o`, and push that folder"
        if variant.volume is None or variant.volume.path is None:
            problem = f"{where} lies packed in its pool, which does not give it"
        yield sharing.not_publishable(str(authored.id), problem)


def _refused(made: Packed) -> Diagnostic | None:
    """What a reader of the image would say: names, sizes, metadata and texts are its to judge."""
    name = str(made.id)
    try:
        manifest = read_manifest(made.manifest, name)
        if not isinstance(manifest, ImageManifest):
            raise TypeError("we wrote no index")
        config = read_config(made.image.config, manifest, name, asked=made.id)
        read_texts(made.image.layer, manifest.layers[0], config, name)
    except ImageError as error:
        return sharing.not_publishable(name, error.problem)
    return None
