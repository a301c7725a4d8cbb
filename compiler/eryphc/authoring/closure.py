"""Gene sets with all that they name, as images: what is exported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from eryphc.authoring.packing import Packed, packed
from eryphc.authoring.sources import described_tag
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.disk_layers import DiskSourceError, PushedDisk
from eryphc.genepool.image import (
    Image,
    ImageType,
    VolumePart,
    manifest_of,
    signature_annotations,
    source_annotation,
)
from eryphc.genepool.image_reader import ImageManifest, read_manifest
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.genepool.pinned import PinnedTag
from eryphc.genepool.text_layer import write_layer
from eryphc.identifiers import GeneSetId
from eryphc.passes.naming import requires_of
from eryphc.passes.resolve import resolve
from eryphc.syntax.identifiers import parse_gene_set


class WithDisks(NamedTuple):
    """That disks go along: the folder `scratch` for their layers, and `pushed` for those of a tag
    that lie in its image."""

    scratch: Path
    pushed: Callable[[GeneSetTag], Iterable[PushedDisk]]


def closure_of(
    names: Sequence[GeneSetId], pools: GenePool, disks: WithDisks | None = None
) -> Outcome[tuple[Packed, ...]]:
    """The images of gene sets and of all that these name, in every architecture, sorted.

    Errors: gene sets that no pool has, references that lead nowhere, tags that cannot be packed,
    disks that cannot be had. Raises OSError.
    """
    walk = _Walk(pools, disks)
    for name in names:
        walk.follow(name)
    if has_errors(walk.found):
        return Outcome(None, tuple(walk.found))
    return Outcome(walk.packed(), tuple(walk.found))


def images_of(names: Sequence[GeneSetId], pools: GenePool) -> tuple[Packed, ...]:
    """The images of exactly these gene sets, sorted. What cannot be had or packed is left out."""
    walk = _Walk(pools, None)
    for name in names:
        walk.take(name)
    return walk.packed()


class _Walk:
    """What has been met so far."""

    def __init__(self, pools: GenePool, disks: WithDisks | None) -> None:
        self.pools = pools
        self._disks = disks
        self.made: dict[GeneSetId, Packed] = {}
        self.aliases: dict[GeneSetId, set[GeneSetId]] = {}
        self.found: list[Diagnostic] = []
        self._seen: set[GeneSetId] = set()

    def packed(self) -> tuple[Packed, ...]:
        """The images, sorted, each with its other names."""
        return tuple(
            self.made[each]._replace(aliases=tuple(sorted(self.aliases.get(each, ()))))
            for each in sorted(self.made)
        )

    def take(self, name: GeneSetId) -> None:
        """One gene set, without what it names."""
        tag = self.pools.find(name)
        if tag is not None and tag.value is not None:
            self._taken(tag.value)

    def follow(self, name: GeneSetId) -> None:
        waiting = [name]
        while waiting:
            geneset = waiting.pop()
            if geneset in self._seen:
                continue
            self._seen.add(geneset)
            # Also finds references that lead nowhere, or in a circle.
            resolved = resolve(geneset, self.pools, None)
            self.found += resolved.diagnostics
            tag = self.pools.find(geneset)
            if resolved.value is not None and tag is not None and tag.value is not None:
                waiting += self._taken(tag.value)

    def _taken(self, tag: GeneSetTag) -> Sequence[GeneSetId]:
        """Take a tag in; gives the gene sets that it leads to."""
        ref = None if tag.manifest.ref is None else parse_gene_set(tag.manifest.ref)
        if isinstance(ref, GeneSetId) and ref.without_tag == tag.id.without_tag:
            self.aliases.setdefault(self._end(ref), set()).add(tag.id)
            return (ref,)
        image = image_of_tag(tag, self._disks)
        self.found += image.diagnostics
        if image.value is None:
            return ()
        self.made[tag.id] = image.value
        if isinstance(ref, GeneSetId):
            return (ref,)
        return requires_of(image.value.contents).value or ()

    def _end(self, alias: GeneSetId) -> GeneSetId:
        """The tag of the same set that an alias stands for in the end; there is no circle."""
        tag = self.pools.find(alias)
        ref = None if tag is None or tag.value is None else tag.value.manifest.ref
        target = None if ref is None else parse_gene_set(ref)
        if isinstance(target, GeneSetId) and target.without_tag == alias.without_tag:
            return self._end(target)
        return alias


def image_of_tag(tag: GeneSetTag, disks: WithDisks | None = None) -> Outcome[Packed]:
    """The image of a tag: as it was found, or made of its texts and disk files."""
    if isinstance(tag, PinnedTag) and tag.config.form is None:
        return _found_image(tag, disks)
    described = described_tag(tag)
    if described.value is None:
        return Outcome(None, described.diagnostics)
    made = packed(described.value, None if disks is None else disks.scratch)
    return Outcome(made.value, (*described.diagnostics, *made.diagnostics))


def _found_image(tag: PinnedTag, disks: WithDisks | None) -> Outcome[Packed]:
    """Config and texts as they were found, so that the identity stays; the manifest is ours.

    Signatures are over the config, so they are carried over. Without `disks` the manifest names
    layers that are not there.
    """
    contents = tag.contents()
    if contents.value is None:
        return Outcome(None, contents.diagnostics)
    annotations = source_annotation(tag.config.details.source)
    parts: tuple[VolumePart, ...] = ()
    if tag.found is not None:
        manifest = read_manifest(tag.found, str(tag.id))
        if isinstance(manifest, ImageManifest):
            annotations |= signature_annotations(manifest.signatures)
            diff_ids = tag.config.diff_ids[1:]
            parts = tuple(map(VolumePart, diff_ids, manifest.layers[1:]))
    blobs: dict[str, Path] = {}
    if disks is not None:
        try:
            parts = tuple(_fetched(disks, tag, blobs))
        except DiskSourceError as fault:
            return Outcome(None, (fault.diagnostic,))
    layer = write_layer((file.path, file.text) for file in contents.value.files)
    image = Image(ImageType.GENE_SET, tag.config.data, layer, str(tag.id), parts)
    made = Packed(
        contents.value,
        image,
        manifest_of(image, annotations),
        disks=tag.config.details.volumes if blobs else (),
        blobs=FrozenMap(blobs),
    )
    return Outcome(made)


def _fetched(disks: WithDisks, tag: PinnedTag, blobs: dict[str, Path]) -> Iterator[VolumePart]:
    """The layers of the disks of a tag, brought into the folder."""
    for pushed in disks.pushed(tag):
        for diff_id, layer in zip(pushed.diff_ids, pushed.source.layers(), strict=True):
            into = disks.scratch / layer.digest.removeprefix("sha256:")
            pushed.source.fetch(layer, into)
            blobs[layer.digest] = into
            yield VolumePart(diff_id, layer._replace(data=None))
