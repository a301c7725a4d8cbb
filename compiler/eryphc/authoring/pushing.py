"""What a publication would do, worked out before anything is sent: names, order, what breaks.

Source: docs/sharing.md, "What push does".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eryphc.authoring.packing import Packed, alias_of
from eryphc.authoring.sources import NO_FACTS, AuthoredTag, authored
from eryphc.changes.interface import breaks
from eryphc.diagnostics import publishing as wording
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool import versions
from eryphc.genepool.contents import TagContents
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import (
    Image,
    ImageType,
    VolumePart,
    manifest_of,
    signature_annotations,
    source_annotation,
)
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.layout import Found, OciLayout, read_set
from eryphc.genepool.pinned import PinnedTag
from eryphc.genepool.registry_names import NameFaultError, RegistryName, RegistryNames, TagRules
from eryphc.genepool.text_layer import write_layer
from eryphc.identifiers import GeneSetId


class Publication(NamedTuple):
    """A tag as it is to be published: what the registry calls it, and its aliases."""

    packed: Packed
    name: RegistryName
    aliases: tuple[tuple[GeneSetId, RegistryName], ...] = ()

    @property
    def id(self) -> GeneSetId:
        return self.packed.id


def planned(
    made: Iterable[Packed], names: RegistryNames, rules: TagRules
) -> Outcome[tuple[Publication, ...]]:
    """Where each tag goes, what others need first. Errors: names that the pool cannot express
    (E1026), and other names of a tag that do not move (E1033).
    """
    found: list[Diagnostic] = []
    plans: list[Publication] = []
    for each in made:
        found += _faults(each, rules)
        try:
            aliases = tuple((alias, names.name(alias)) for alias in each.aliases)
            plans.append(Publication(each, names.name(each.id), aliases))
        except NameFaultError as fault:
            found.append(fault.diagnostic)
    return Outcome(None if has_errors(found) else _ordered(plans), tuple(found))


def _faults(made: Packed, rules: TagRules) -> Iterator[Diagnostic]:
    for alias in made.aliases:
        if not rules.moves(alias.tag):
            problem = f"its tag does not move, so it cannot be another name of `{made.id}`"
            yield sharing.not_publishable(str(alias), problem)


def _ordered(plans: Sequence[Publication]) -> tuple[Publication, ...]:
    """Tags that stand for another set come last: what they lead to is there before."""
    return tuple(sorted(plans, key=lambda plan: (plan.packed.contents.ref is not None, plan.id)))


def with_aliases(tags: Sequence[AuthoredTag]) -> tuple[AuthoredTag, ...]:
    """Tags, and those beside them in their source tree that are other names of them."""
    known = {tag.id: tag for tag in tags}
    folders = {tag.folder.absolute().parent for tag in tags if tag.folder.name}
    beside = [
        tag
        for folder in sorted(folders)
        for path in sorted(folder.glob(f"*/{MANIFEST}"))
        if (tag := authored(path.parent).value) is not None
    ]
    # An alias may be another name of an alias.
    for _ in beside:
        known |= {tag.id: tag for tag in beside if alias_of(tag) in known and tag.id not in known}
    return tuple(known.values())


def compared_with(geneset: GeneSetId, tags: Iterable[str], rules: TagRules) -> str | None:
    """The tag whose interface a new tag keeps: the newest fixed one with the same first number."""
    return versions.newest_like(geneset.tag, (tag for tag in tags if not rules.moves(tag)))


def broken(before: TagContents, after: TagContents) -> Diagnostic | None:
    """What users of `before` rely on and `after` does not have (E1027); None where it has all."""
    found = breaks(before, after)
    if not found:
        return None
    sentences = [each.sentence for each in found]
    return wording.interface_broken(after.id, before.id.tag, sentences)


def images_in(layout: OciLayout) -> Outcome[tuple[tuple[AuthoredTag, Packed], ...]]:
    """The gene sets of an image layout with their aliases, sorted; their identities stay.

    Errors: what is no gene set as it should be, and layers of disks that are not there whole.
    """
    found: dict[str, Found] = {}
    names: dict[str, set[GeneSetId]] = {}
    try:
        for geneset in layout.genesets():
            read = read_set(layout, geneset, TagRules())
            assert read is not None  # noqa: S101 - the index names it
            found[read.config.identity] = read
            names.setdefault(read.config.identity, set()).add(geneset)
        made: list[tuple[AuthoredTag, Packed]] = []
        for identity, read in sorted(found.items(), key=lambda item: item[1].config.id):
            aliases = tuple(sorted(names[identity] - {read.config.id}))
            made.append(_of_layout(layout, read, aliases))
    except ImageError as fault:
        return Outcome(None, (fault.diagnostic,))
    return Outcome(tuple(made))


def _of_layout(
    layout: OciLayout, read: Found, aliases: tuple[GeneSetId, ...]
) -> tuple[AuthoredTag, Packed]:
    texts = {file.digest: file.text for file in read.contents.files}
    tag = PinnedTag(
        read.config.id, read.config, layout.label, texts.get, {read.config.identity: read.data}.get
    )
    layer = write_layer((file.path, file.text) for file in read.contents.files)
    layers = read.manifest.layers[1:]
    where = layout.where(read.config.id)
    for each in layers:
        # A registry would refuse it only after all of it was sent.
        for _ in layout.stream(each, where):
            pass
    parts = tuple(map(VolumePart, read.config.diff_ids[1:], layers))
    image = Image(ImageType.GENE_SET, read.config.data, layer, str(read.config.id), parts)
    blobs = FrozenMap({each.digest: layout.path(each) for each in layers})
    annotations = source_annotation(read.config.details.source)
    annotations |= signature_annotations(read.manifest.signatures)
    manifest = manifest_of(image, annotations)
    return (
        AuthoredTag(Path(), tag, NO_FACTS, ()),
        Packed(read.contents, image, manifest, aliases, read.config.details.volumes, blobs),
    )
