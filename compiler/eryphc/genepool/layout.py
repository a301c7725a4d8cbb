"""A folder in the OCI image layout as a source of gene sets, and the files of such a folder.

Of the folder only `oci-layout`, `index.json` and `blobs/sha256/<hex>` are ever opened. Each blob
has the digest that names it, or it is refused.
Source: docs/reference/gene-set-images.md, "Image layouts";
https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from eryphc.canonical import Json, canonical, digest_of
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Outcome
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import TagContents
from eryphc.genepool.disk_layers import DiskSource, DiskSourceError, layers_of
from eryphc.genepool.files import PoolFiles
from eryphc.genepool.image import (
    MANIFEST_MEDIA,
    MOST_CONFIG,
    MOST_READ_MANIFEST,
    Descriptor,
    Image,
    PushedVolume,
)
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import (
    ACCEPTED,
    ImageError,
    ImageManifest,
    index_entries,
    read_config,
    read_manifest,
    read_texts,
)
from eryphc.genepool.layer_blobs import MOST_LAYER_BLOB
from eryphc.genepool.pinned import PinnedPool
from eryphc.genepool.registry_names import TagRules
from eryphc.genepool.text_layer import BLOCK, Entry, header, padded
from eryphc.genepool.trust import Admit, admit_all
from eryphc.identifiers import GeneSetId
from eryphc.reads import Reads
from eryphc.syntax.identifiers import parse_gene_set

LAYOUT_FILE: Final = "oci-layout"
INDEX_FILE: Final = "index.json"
REFERENCE: Final = "org.opencontainers.image.ref.name"
_INDEX_MEDIA: Final = ACCEPTED[1]
_LAYOUT: Final = canonical({"imageLayoutVersion": "1.0.0"})
_MOST_INDEX: Final = MOST_READ_MANIFEST
_PIECE: Final = 1024 * 1024
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})\Z")
_REFERENCE: Final = re.compile(r"([a-z0-9.-]{3,40}/[a-z0-9.-]{3,40}):([a-z0-9.-]{3,20})\Z")


# --- reading -------------------------------------------------------------------------------------


def is_layout(folder: Path) -> bool:
    """Whether a folder says that it is an image layout."""
    return (folder / LAYOUT_FILE).is_file()


class OciLayout:
    """The gene sets of one folder: manifests by gene set, blobs by digest.

    `label` is how messages call it. The index is read once. What is read is noted in `reads`.
    """

    def __init__(self, root: Path, label: str, reads: Reads | None = None) -> None:
        self.label = label
        self.reads = reads
        self._files = PoolFiles(root, label, reads)
        self._entries: dict[GeneSetId, Descriptor] | None = None

    def where(self, geneset: GeneSetId) -> str:
        """How messages call a gene set in this folder."""
        return f"{self.label}:{geneset}"

    def genesets(self) -> tuple[GeneSetId, ...]:
        """All that the index names, sorted. Raises ImageError."""
        return tuple(sorted(self._index()))

    def manifest(self, geneset: GeneSetId) -> bytes | None:
        """The manifest of a gene set, None where the index does not name it. Raises ImageError."""
        entry = self._index().get(geneset)
        if entry is None:
            return None
        return self.blob(entry, self.where(geneset), MOST_READ_MANIFEST)

    def blob(self, described: Descriptor, where: str, most: int) -> bytes:
        """A blob of at most `most` bytes with the digest and size that `described` has.

        Raises ImageError where it is not there, or another; the message names `where`.
        """
        match = _DIGEST.match(described.digest)
        path = f"blobs/sha256/{match[1] if match else ''}"
        data = self._read(path, min(described.size, most), where) if match else None
        if data is None:
            raise ImageError(sharing.malformed_artifact(where, path, "is not there"))
        if len(data) != described.size or digest_of(data) != described.digest:
            problem = "does not have the size and digest that its name and manifest say"
            raise ImageError(sharing.malformed_artifact(where, path, problem))
        return data

    def path(self, described: Descriptor) -> Path:
        """Where a blob lies. Its digest was checked to be one."""
        return self._files.root / _blob_path(described.digest)

    def stream(self, described: Descriptor, where: str) -> Iterator[bytes]:
        """A large blob in pieces; what came is right only when they end. Raises ImageError."""
        match = _DIGEST.match(described.digest)
        path = f"blobs/sha256/{match[1] if match else ''}"
        found = self._files.root / path
        fault = self._files.leaves(found)
        if match is None or fault is not None or not found.is_file():
            raise ImageError(sharing.malformed_artifact(where, path, "is not there"))
        hashed, size = hashlib.sha256(), 0
        with found.open("rb") as file:
            while (block := file.read(_PIECE)) and size <= described.size:
                hashed.update(block)
                size += len(block)
                yield block
        if size != described.size or f"sha256:{hashed.hexdigest()}" != described.digest:
            problem = "does not have the size and digest that its name and manifest say"
            raise ImageError(sharing.malformed_artifact(where, path, problem))

    def _index(self) -> dict[GeneSetId, Descriptor]:
        if self._entries is None:
            data = self._read(INDEX_FILE, _MOST_INDEX, self.label)
            if data is None:
                raise ImageError(sharing.malformed_artifact(self.label, INDEX_FILE, "is not there"))
            self._entries = dict(_named(index_entries(data, self.label), self.label))
        return self._entries

    def _read(self, path: str, most: int, where: str) -> bytes | None:
        found = self._files.root / path
        try:
            size = found.stat().st_size if self._files.is_file(found) else None
        except OSError:
            size = None
        if size is None:
            return None
        if size > most:
            problem = f"has {size} bytes, more than the {most} that it may have"
            raise ImageError(sharing.malformed_artifact(where, path, problem))
        read = self._files.read(found, size)
        if read.value is None:
            raise ImageError(read.diagnostics[0])
        return read.value


def _named(
    entries: Iterable[tuple[Descriptor, Mapping[str, str]]], label: str
) -> Iterator[tuple[GeneSetId, Descriptor]]:
    """The entries that name a gene set as `org/set:tag`; other images may lie beside them."""
    seen: dict[GeneSetId, str] = {}
    for described, said in entries:
        match = _REFERENCE.match(said.get(REFERENCE, ""))
        geneset = parse_gene_set(f"{match[1]}/{match[2]}") if match else None
        if not isinstance(geneset, GeneSetId):
            continue
        if seen.setdefault(geneset, described.digest) != described.digest:
            problem = f"names two images `{geneset.without_tag}:{geneset.tag}`"
            raise ImageError(sharing.malformed_artifact(label, INDEX_FILE, problem))
        yield geneset, described


class Found(NamedTuple):
    """A gene set as a layout has it: `data` is its manifest as found."""

    data: bytes
    manifest: ImageManifest
    config: GeneSetConfig
    contents: TagContents


def read_set(layout: OciLayout, geneset: GeneSetId, rules: TagRules) -> Found | None:
    """All of a gene set, checked; None where the layout does not have it. Raises ImageError."""
    data = layout.manifest(geneset)
    if data is None:
        return None
    where = layout.where(geneset)
    manifest = read_manifest(data, where)
    if isinstance(manifest, Descriptor):
        data = layout.blob(manifest, where, MOST_READ_MANIFEST)
        manifest = read_manifest(data, where)
        if isinstance(manifest, Descriptor):
            raise ImageError(sharing.not_a_gene_set(where, "an index of indexes"))
    config = read_config(
        layout.blob(manifest.config, where, MOST_CONFIG),
        manifest,
        where,
        asked=geneset,
        moves=rules.moves(geneset.tag),
    )
    layer = manifest.layers[0]
    contents = read_texts(layout.blob(layer, where, MOST_LAYER_BLOB), layer, config, where)
    return Found(data, manifest, config, contents)


class LayoutPool(PinnedPool):
    """The gene sets of a layout. A set is read whole when it is asked for."""

    def __init__(self, layout: OciLayout, shelf: _Shelf) -> None:
        super().__init__(
            layout.label,
            shelf.find,
            shelf.texts.get,
            shelf.known,
            shelf.manifests.get,
            reads=layout.reads,
        )
        self._layout = layout
        self._shelf = shelf

    def disk_source(self, config: GeneSetConfig, disk: PushedVolume) -> DiskSource | None:
        data = self._shelf.manifests.get(config.identity)
        return None if data is None else LayoutDisk(self._layout, config, disk, data)


class LayoutDisk:
    """A disk of a gene set in a layout, which `manifest` describes."""

    def __init__(
        self, layout: OciLayout, config: GeneSetConfig, disk: PushedVolume, manifest: bytes
    ) -> None:
        self._layout = layout
        self._config = config
        self._disk = disk
        self._manifest = manifest

    def layers(self) -> tuple[Descriptor, ...]:
        """Raises DiskSourceError."""
        try:
            manifest = read_manifest(self._manifest, self._where)
        except ImageError as fault:
            raise DiskSourceError(fault.diagnostic) from None
        found = manifest.layers if isinstance(manifest, ImageManifest) else ()
        return layers_of(self._config, self._disk, found)

    def fetch(self, layer: Descriptor, into: Path) -> None:
        """Write a layer to a file, verified by its digest. Raises DiskSourceError, OSError."""
        try:
            with into.open("wb") as file:
                for block in self._layout.stream(layer, self._where):
                    file.write(block)
        except ImageError as fault:
            raise DiskSourceError(fault.diagnostic) from None

    @property
    def _where(self) -> str:
        return self._layout.where(self._config.id)


def layout_pool(layout: OciLayout, rules: TagRules, admit: Admit = admit_all) -> PinnedPool:
    """The gene sets of a layout as a gene pool. A set is read whole when it is asked for, and
    `admit` decides whether it is used."""
    shelf = _Shelf(layout, rules, admit)
    return LayoutPool(layout, shelf)


class _Shelf:
    """What has been read of a layout: configs by gene set, texts by digest, manifests by
    identity."""

    def __init__(self, layout: OciLayout, rules: TagRules, admit: Admit) -> None:
        self._admit = admit
        self.texts: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self._layout = layout
        self._rules = rules
        self._aliased: dict[GeneSetId, GeneSetConfig] = {}

    def known(self) -> Sequence[GeneSetId]:
        try:
            return self._layout.genesets()
        except ImageError:
            return ()

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetConfig] | None:
        try:
            found = read_set(self._layout, geneset, self._rules)
            if found is not None:
                self._admit(found.config, found.data, self._layout.where(geneset))
        except ImageError as fault:
            return Outcome(None, (fault.diagnostic,))
        if found is None:
            # An alias brings the tag that it stands for, though the index may not name it.
            aliased = self._aliased.get(geneset)
            return None if aliased is None else Outcome(aliased)
        self.texts.update((file.digest, file.text) for file in found.contents.files)
        self.manifests[found.config.identity] = found.data
        self._aliased[found.config.id] = found.config
        return Outcome(found.config)


# --- writing -------------------------------------------------------------------------------------


class LayoutEntry(NamedTuple):
    """An image in a layout, and the gene sets that it is there for: the tag and its aliases.

    `blobs` are files with the layers of its disks, by digest.
    """

    names: tuple[GeneSetId, ...]
    image: Image
    manifest: bytes
    blobs: Mapping[str, Path] = FrozenMap()


def layout_files(entries: Iterable[LayoutEntry]) -> dict[str, bytes]:
    """The files of a layout with these images, by their paths, sorted; without those of disks."""
    blobs: dict[str, bytes] = {}
    manifests: list[tuple[str, dict[str, Json]]] = []
    for entry in entries:
        for blob in (entry.image.config, entry.image.layer, entry.manifest):
            blobs[digest_of(blob)] = blob
        for name in entry.names:
            reference = f"{name.without_tag}:{name.tag}"
            described: dict[str, Json] = {
                "mediaType": MANIFEST_MEDIA,
                "digest": digest_of(entry.manifest),
                "size": len(entry.manifest),
                "annotations": {REFERENCE: reference},
            }
            manifests.append((reference, described))
    index: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": _INDEX_MEDIA,
        "manifests": [described for _, described in sorted(manifests, key=lambda one: one[0])],
    }
    files = {LAYOUT_FILE: _LAYOUT, INDEX_FILE: canonical(index)}
    files |= {_blob_path(digest): blob for digest, blob in blobs.items()}
    return dict(sorted(files.items()))


def layout_disks(entries: Iterable[LayoutEntry]) -> dict[str, Path]:
    """The further files of a layout, with the layers of disks, by their paths: what to copy."""
    return {_blob_path(digest): blob for entry in entries for digest, blob in entry.blobs.items()}


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def archive_of(files: Mapping[str, bytes | Path]) -> Iterator[bytes]:
    """The same files as a tar archive, piece by piece: the same bytes each time."""
    for path, data in sorted(files.items()):
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        yield header(Entry(path, size))
        if isinstance(data, Path):
            with data.open("rb") as file:
                while block := file.read(_PIECE):
                    yield block
        else:
            yield data
        yield bytes(padded(size) - size)
    yield bytes(2 * BLOCK)
