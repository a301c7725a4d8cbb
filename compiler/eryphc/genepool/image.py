"""A tag of a gene set to a small OCI image: text layer, config and manifest, as bytes.

The sha256 of the config is the identity of the tag. The config follows from the contents alone, so
that it survives other compressions, conversions and signatures. `image_reader` is the way back.
Source: docs/reference/gene-set-images.md, "The config", "The manifest";
https://github.com/opencontainers/image-spec
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from eryphc.canonical import Json, canonical, digest_of, read_canonical
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import ContentFile, TagContents
from eryphc.genepool.text_layer import write_layer
from eryphc.identifiers import Architecture, GeneSetId

PREFIX: Final = "dev.eryphc"
"""What members and annotations of our own begin with. It is part of identities."""
GENE_SET: Final = f"{PREFIX}.geneset"
TYPE: Final = f"{PREFIX}.type"
SIGNATURE: Final = f"{PREFIX}.signature."
_TITLES: Final = "org.opencontainers.image"
SOURCE: Final = f"{_TITLES}.source"
REVISION: Final = f"{_TITLES}.revision"

VERSION: Final = 1
"""The version of the member `dev.eryphc.geneset`."""
LANGUAGE: Final = 1
"""The version of the language of catlets."""

MANIFEST_MEDIA: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG_MEDIA: Final = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA: Final = "application/vnd.oci.image.layer.v1.tar"

_MIB: Final = 1024 * 1024
MOST_GENE: Final = 2 * _MIB
MOST_LAYER: Final = 16 * _MIB
MOST_CONFIG: Final = _MIB
MOST_WRITTEN_MANIFEST: Final = 256 * 1024
MOST_READ_MANIFEST: Final = 4 * _MIB
MOST_INDEX: Final = 4 * _MIB
MOST_STATEMENT: Final = _MIB
MOST_VOLUME: Final = 512 * 1024 * _MIB
MOST_GENES: Final = 100
"""Fodder genes, and as many volumes, one for each architecture."""
MOST_ABOUT: Final = 200
_EMBEDDED: Final = 48 * 1024
_SMALLEST_PART: Final = 256 * _MIB
_MOST_PARTS: Final = 100


class ImageType(StrEnum):
    """What an image of ours holds."""

    GENE_SET = "geneset"
    INDEX = "index"
    DEPRECATION = "deprecation"


class Descriptor(NamedTuple):
    """What a manifest says of a blob: `digest` is `sha256:…`, `size` in bytes.

    `data` is a copy of the blob inside the manifest that has this digest and size.
    """

    media_type: str
    digest: str
    size: int
    data: bytes | None = None


class PushedVolume(NamedTuple):
    """A disk that lies in the image: its file's path, digest and size, cut into parts of `part`
    bytes, the last one smaller.
    """

    name: str
    architecture: Architecture
    format: str
    path: str
    digest: str
    size: int
    part: int

    @property
    def parts(self) -> int:
        return max(1, -(-self.size // self.part))


class Details(NamedTuple):
    """What the config of a gene set says besides its texts.

    `licenses` is an SPDX expression, `source` the address of its sources. `requires` are all gene
    sets that the catlet gene names, `parent` is one of them.
    """

    about: str | None = None
    licenses: str | None = None
    source: str | None = None
    parent: GeneSetId | None = None
    requires: tuple[GeneSetId, ...] = ()
    volumes: tuple[PushedVolume, ...] = ()


class VolumePart(NamedTuple):
    """A layer with a part of a disk. `diff_id` is the digest of it uncompressed."""

    diff_id: str
    layer: Descriptor


class Image(NamedTuple):
    """An image of ours: its config, and its layer with texts.

    `name` is `org/set/tag`, where it is about one. The layers of `parts` lie elsewhere.
    """

    type: ImageType
    config: bytes
    layer: bytes
    name: str | None = None
    parts: tuple[VolumePart, ...] = ()

    @property
    def identity(self) -> str:
        return digest_of(self.config)

    @property
    def embeddable(self) -> bool:
        """Whether it is so small that its manifest carries copies of config and layer."""
        return len(self.config) + len(self.layer) <= _EMBEDDED


def part_size(size: int) -> int:
    """The bytes of one part of a disk of `size` bytes: a disk has at most 100 parts."""
    return _SMALLEST_PART * max(1, -(-size // (_MOST_PARTS * _SMALLEST_PART)))


def image_of(contents: TagContents, details: Details, parts: tuple[VolumePart, ...] = ()) -> Image:
    """The image of a tag. `parts` are those of the volumes, in their order."""
    layer = write_layer((file.path, file.text) for file in contents.files)
    config = _config(
        labels=_labels(contents.id, details),
        own={GENE_SET: _gene_set(contents, details)},
        diff_ids=(digest_of(layer), *(part.diff_id for part in parts)),
    )
    return Image(ImageType.GENE_SET, config, layer, str(contents.id), parts)


DOCUMENT_PATHS: Final = {
    ImageType.INDEX: "index.json",
    ImageType.DEPRECATION: "statement.json",
}
"""The one file of an image around a document."""


def document_member(type_: ImageType) -> str:
    """The member of the config of an image around a document."""
    return f"{PREFIX}.{'index' if type_ is ImageType.INDEX else 'statement'}"


def document_image(
    type_: ImageType,
    text: bytes,
    more: Mapping[str, Json] = FrozenMap(),
    name: str | None = None,
) -> Image:
    """An image around one document of ours. `more` in its config says what it is about."""
    path = DOCUMENT_PATHS[type_]
    layer = write_layer([(path, text)])
    about: dict[str, Json] = {
        "version": VERSION,
        "path": path,
        "digest": digest_of(text),
        "size": len(text),
        **more,
    }
    config = _config(labels=None, own={document_member(type_): about}, diff_ids=(digest_of(layer),))
    return Image(type_, config, layer, name)


def manifest_of(
    image: Image, annotations: Mapping[str, str] = FrozenMap(), *, embed: bool = True
) -> bytes:
    """The manifest of an image. `annotations` are added to ours: its source, its signatures.

    With `embed`, small images are carried whole inside it, so that a pull is one request.
    """
    embed = embed and image.embeddable
    ours = {TYPE: image.type.value} | ({GENE_SET: image.name} if image.name else {})
    layers = [_described(LAYER_MEDIA, image.layer, embed=embed)]
    layers += [_descriptor(part.layer) for part in image.parts]
    data: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA,
        "config": _described(CONFIG_MEDIA, image.config, embed=embed),
        "layers": layers,
        "annotations": {**annotations, **ours},
    }
    return canonical(data)


def without_copies(manifest: bytes) -> bytes:
    """A manifest of ours without the copies that it carries, for registries that refuse these."""
    data = read_canonical(manifest)
    for described in (data["config"], *data["layers"]):
        described.pop("data", None)
    return canonical(data)


def source_annotation(source: str | None) -> dict[str, str]:
    """Where the sources of a gene set lie, as an annotation; none where that is not known."""
    return {SOURCE: source} if source else {}


def signature_annotations(signatures: Iterable[str]) -> dict[str, str]:
    """Armored signatures as annotations, numbered from 1."""
    return {f"{SIGNATURE}{number}": text for number, text in enumerate(signatures, 1)}


def _config(
    labels: Mapping[str, str] | None, own: Mapping[str, Json], diff_ids: Iterable[str]
) -> bytes:
    """The config as bytes: what every tool expects of one, and the members of our `own`."""
    data: dict[str, Json] = {
        "architecture": "amd64",
        "os": "linux",
        "created": "1980-01-01T00:00:00Z",
        "config": {} if labels is None else {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        **own,
    }
    return canonical(data)


def _labels(geneset: GeneSetId, details: Details) -> dict[str, str]:
    values = {
        "title": geneset.without_tag,
        "version": geneset.tag,
        "description": details.about,
        "licenses": details.licenses,
        "source": details.source,
    }
    return {f"{_TITLES}.{key}": value for key, value in values.items() if value}


def _gene_set(contents: TagContents, details: Details) -> dict[str, Json]:
    data: dict[str, Json] = {
        "version": VERSION,
        "language": LANGUAGE,
        "geneset": contents.id.without_tag,
        "tag": contents.id.tag,
        "files": [_file(file) for file in contents.files],
    }
    optional: dict[str, Json] = {
        "about": details.about,
        "licenses": details.licenses,
        "metadata": dict(contents.metadata),
        "ref": contents.ref,
        "parent": str(details.parent) if details.parent else None,
        "requires": sorted(str(geneset) for geneset in details.requires),
        "volumes": [_volume(volume) for volume in details.volumes],
    }
    return data | {key: value for key, value in optional.items() if value}


def _file(file: ContentFile) -> dict[str, Json]:
    data: dict[str, Json] = {
        "path": file.path,
        "type": file.type,
        "digest": file.digest,
        "size": len(file.text),
    }
    if file.name is not None and file.architecture is not None:
        data |= {"name": file.name, "arch": str(file.architecture)}
    return data if file.form is None else data | {"form": file.form}


def _volume(volume: PushedVolume) -> dict[str, Json]:
    return {
        "name": volume.name,
        "arch": str(volume.architecture),
        "format": volume.format,
        "path": volume.path,
        "digest": volume.digest,
        "size": volume.size,
        "part": volume.part,
    }


def _described(media_type: str, blob: bytes, *, embed: bool) -> dict[str, Json]:
    return _descriptor(Descriptor(media_type, digest_of(blob), len(blob), blob if embed else None))


def _descriptor(described: Descriptor) -> dict[str, Json]:
    data: dict[str, Json] = {
        "mediaType": described.media_type,
        "digest": described.digest,
        "size": described.size,
    }
    if described.data is not None:
        data["data"] = base64.b64encode(described.data).decode("ascii")
    return data
