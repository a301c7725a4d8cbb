"""A gene pool over images that were checked: configs at hand, and texts by digest.

It reads no folder and sends no request. What it lacks was not fetched, and is said to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.pools import Neighbours
from eryphc.genepool.contents import TagContents, manifest_file, path_of
from eryphc.genepool.disk_layers import DiskSource
from eryphc.genepool.files import gene_source
from eryphc.genepool.image import PushedVolume
from eryphc.genepool.image_config import GeneSetConfig, ListedFile
from eryphc.genepool.image_reader import ImageError, contents_with
from eryphc.genepool.manifest import read_manifest
from eryphc.genepool.model import GeneSetTag, GeneText, ListedGene, Manifest, Variant, Volume
from eryphc.genepool.volumes import read_descriptor
from eryphc.identifiers import (
    HYPERVISORS,
    PROCESSORS,
    Architecture,
    GeneId,
    GeneSetId,
    GeneType,
)
from eryphc.reads import Reads
from eryphc.source import SourceText

FindConfig: TypeAlias = "Callable[[GeneSetId], Outcome[GeneSetConfig] | None]"
"""The config that stands for a gene set; that of another tag of the set for an alias. None: the
pool does not have it. No value: why what it has cannot be used."""
ReadBlob: TypeAlias = "Callable[[str], bytes | None]"
"""The bytes with a digest (`sha256:…`), None where they are not at hand."""
FindManifest: TypeAlias = "Callable[[str], bytes | None]"
"""The manifest that an identity was found with, None where that is not known."""


def _unknown(identity: str) -> bytes | None:  # noqa: ARG001
    return None


class PinnedPool:
    """Gene sets whose configs `find_config` gives and whose texts `read_blob` gives.

    `known` lists the gene sets, for messages and for people. Each tag is made once. `reads` is what
    was read of the disk for any of them, where somebody notes that.
    """

    def __init__(
        self,
        label: str,
        find_config: FindConfig,
        read_blob: ReadBlob,
        known: Callable[[], Iterable[GeneSetId]],
        find_manifest: FindManifest = _unknown,
        *,
        reads: Reads | None = None,
    ) -> None:
        self.label = label
        self.reads = reads
        self._find_manifest = find_manifest
        self._find_config = find_config
        self._read_blob = read_blob
        self._known = known
        self._tags: dict[GeneSetId, Outcome[GeneSetTag]] = {}

    def labels(self) -> tuple[str, ...]:
        return (self.label,)

    def genesets(self) -> tuple[GeneSetId, ...]:
        """All gene sets that are known here, sorted."""
        return tuple(sorted(self._known()))

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        known = self._tags.get(geneset)
        if known is None:
            config = self._find_config(geneset)
            if config is None:
                return None
            known = self._tags[geneset] = self._tag(geneset, config)
        return known

    def _tag(self, geneset: GeneSetId, config: Outcome[GeneSetConfig]) -> Outcome[GeneSetTag]:
        if config.value is None:
            return Outcome(None, config.diagnostics)
        tag = PinnedTag(geneset, config.value, self.label, self._read_blob, self._find_manifest)
        return Outcome(tag, config.diagnostics)

    def disk_source(self, config: GeneSetConfig, disk: PushedVolume) -> DiskSource | None:  # noqa: ARG002
        """Where a disk that lies in an image can be had, None where this pool has only texts."""
        return None

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        known = [each for each in self.genesets() if each.organization == geneset.organization]
        return Neighbours(
            tuple(each.tag for each in known if each.geneset == geneset.geneset),
            tuple(sorted({each.geneset for each in known})),
        )


class PinnedTag:
    """One tag as its config lists it. An alias refers to the tag that the config is of."""

    def __init__(
        self,
        geneset: GeneSetId,
        config: GeneSetConfig,
        label: str,
        read_blob: ReadBlob,
        find_manifest: FindManifest = _unknown,
    ) -> None:
        self.id = geneset
        self.config = config
        self._find_manifest = find_manifest
        self._read_blob = read_blob
        self.label = label
        self._place = f"{label}:{geneset}"
        self._alias = geneset != config.id
        self._texts: dict[str, Outcome[GeneText]] = {}
        self.manifest = self._manifest()

    @property
    def found(self) -> bytes | None:
        """The manifest that it was found with, where that is known."""
        return self._find_manifest(self.config.identity)

    @property
    def about(self) -> str:
        """The short description of the set, empty for none."""
        return self.config.details.about or ""

    def _manifest(self) -> Manifest:
        ref = str(self.config.id) if self._alias else self.config.ref
        metadata = self.config.metadata
        file = manifest_file(self.id, ref, metadata)
        source = _source(f"{self._place}/{file.path}", file.text)
        read = read_manifest(source, self.id).value
        assert read is not None  # noqa: S101 - it was written here
        return read

    def variants(self, kind: GeneType, name: str) -> Outcome[tuple[Variant, ...]]:
        found: dict[Architecture, Variant] = {}
        faults: list[Diagnostic] = []
        for disk in self.config.details.volumes if kind is GeneType.VOLUME else ():
            if disk.name == name and _is_known(disk.architecture):
                digest = disk.digest.removeprefix("sha256:")
                volume = Volume(format=disk.format, sha256=digest, size=disk.size)
                found[disk.architecture] = Variant(
                    kind, name, disk.architecture, digest=digest, volume=volume
                )
        for packed in self._packed_disks(kind):
            if packed.name == name:
                found[packed.architecture] = Variant(
                    kind,
                    name,
                    packed.architecture,
                    digest=packed.digest,
                    volume=Volume(format="vhdx"),
                )
        for file in self._files(kind):
            if file.name == name and file.architecture is not None:
                variant = Variant(kind, name, file.architecture)
                if kind is GeneType.VOLUME:
                    described = self._described(variant)
                    faults += described.diagnostics
                    volume = described.value or Volume()
                    variant = variant._replace(digest=volume.sha256, volume=volume)
                found[file.architecture] = variant
        variants = tuple(found[each] for each in sorted(found))
        return Outcome(None if has_errors(faults) else variants, tuple(faults))

    def names(self, kind: GeneType) -> tuple[str, ...]:
        disks = self.config.details.volumes if kind is GeneType.VOLUME else ()
        found = {disk.name for disk in disks if _is_known(disk.architecture)}
        found |= {disk.name for disk in self._packed_disks(kind)}
        found |= {file.name for file in self._files(kind) if file.name is not None}
        return tuple(sorted(found))

    def read(self, variant: Variant) -> Outcome[GeneText]:
        for file in self._files(variant.type):
            if (file.name, file.architecture) == (variant.name, variant.architecture):
                known = self._texts.get(file.path)
                if known is None:
                    known = self._texts[file.path] = self._read(file)
                return known
        return Outcome(None)

    def contents(self) -> Outcome[TagContents]:
        """All texts of the config's own tag, those too that no machine of today can use."""
        texts: list[bytes] = []
        for file in self.config.files:
            data = self._read_blob(file.digest)
            if data is None:
                return Outcome(None, (self._missing(file),))
            texts.append(data)
        try:
            return Outcome(contents_with(self.config, texts, self._place))
        except ImageError as fault:
            return Outcome(None, (fault.diagnostic,))

    def _missing(self, file: ListedFile) -> Diagnostic:
        gene = GeneId(self.id, file.name or file.path)
        return pools.gene_incomplete(gene, f"the text of `{file.path}` is not at hand", None)

    def _files(self, kind: GeneType) -> tuple[ListedFile, ...]:
        """The texts of a type, those left out that no machine of today can use."""
        if self._alias:
            return ()
        return tuple(
            file
            for file in self.config.files
            if file.type == kind and file.architecture and _is_known(file.architecture)
        )

    def _packed_disks(self, kind: GeneType) -> tuple[ListedGene, ...]:
        return self.config.disks if kind is GeneType.VOLUME and not self._alias else ()

    def _read(self, file: ListedFile) -> Outcome[GeneText]:
        data = self._read_blob(file.digest)
        if data is None:
            return Outcome(None, (self._missing(file),))
        text = data.decode("utf-8")
        name = f"{self._place}/{file.path}"
        # Nobody needs places in the JSON that a packer made, and it is read as it stands.
        source = SourceText(name, text) if file.form == "json" else gene_source(name, text)
        source.foreign = True
        sha256 = file.digest.removeprefix("sha256:")
        return Outcome(GeneText(source=source, raw=text, sha256=sha256, form=file.form))

    def _described(self, variant: Variant) -> Outcome[Volume]:
        read = self.read(variant)
        if read.value is None:
            return Outcome(None, read.diagnostics)
        described = path_of(GeneType.VOLUME, variant.name, variant.architecture)
        return read_descriptor(_source(f"{self._place}/{described}", read.value.raw.encode()))


def _source(name: str, text: bytes) -> SourceText:
    """A text that holds no secret, and lies in no file of that name."""
    source = SourceText(name, text.decode("utf-8"), regions=())
    source.foreign = True
    return source


def _is_known(architecture: Architecture) -> bool:
    """Whether the tool knows it; what was made for later ones is passed over."""
    return architecture.hypervisor in HYPERVISORS and architecture.processor in PROCESSORS
