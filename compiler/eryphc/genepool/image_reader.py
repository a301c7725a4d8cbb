"""Bytes of others to a gene set: manifest, config and text layer, checked in this order.

Nothing here fetches. A caller gets the blobs that one step names and hands them to the next. What
is refused is refused before it costs much, and no text of a gene is read as YAML.
Source: docs/reference/gene-set-images.md, "Reading an image".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from eryphc.canonical import NotCanonicalError, digest_of, read_canonical
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool import image
from eryphc.genepool.contents import MANIFEST_TYPE, ContentFile, TagContents, manifest_file
from eryphc.genepool.files import canonical_text
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import Descriptor, ImageType
from eryphc.genepool.image_config import GeneSetConfig, ListedFile, diff_ids_of, read_gene_set
from eryphc.genepool.image_members import (
    MalformedError,
    as_object,
    as_texts,
    digest_in,
    json_object,
    list_in,
    size_in,
    text_in,
)
from eryphc.genepool.layer_blobs import NoZstdError, unpack
from eryphc.genepool.text_layer import Entry, LayerError
from eryphc.identifiers import GeneSetId

ACCEPTED: Final = (
    image.MANIFEST_MEDIA,
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""The media types of manifests that are read, for the header `Accept`."""
_INDEXES: Final = (ACCEPTED[1], ACCEPTED[3])
_CONFIGS: Final = (image.CONFIG_MEDIA, "application/vnd.docker.container.image.v1+json")

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9.+/_-]{1,100}\Z")


class ImageError(Exception):
    """What was read is no gene set that can be used; `diagnostic` says why.

    `problem` says it without the place: "`files` are more than 400".
    """

    def __init__(self, diagnostic: Diagnostic, problem: str | None = None) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.problem = problem or diagnostic.message


class ImageManifest(NamedTuple):
    """A manifest as found in one place. Its `annotations` are the word of whoever wrote them."""

    digest: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: FrozenMap[str]

    @property
    def signatures(self) -> tuple[str, ...]:
        """The armored signatures, by their numbers."""
        numbered = [
            (int(key.removeprefix(image.SIGNATURE)), text)
            for key, text in self.annotations.items()
            if re.fullmatch(re.escape(image.SIGNATURE) + "[0-9]{1,4}", key)
        ]
        return tuple(text for _, text in sorted(numbered))


# --- the manifest --------------------------------------------------------------------------------


def read_manifest(data: bytes, where: str) -> ImageManifest | Descriptor:
    """A manifest, or the only manifest that an image index lists, which is to be asked for.

    `where` names the copy in messages. Raises ImageError: E1016 for what is something else, E1019.
    """
    try:
        root = json_object(data, image.MOST_READ_MANIFEST, "manifest")
        media_type = root.get("mediaType")
        if media_type in _INDEXES or (media_type is None and "manifests" in root):
            return _only_manifest(root, where)
        if media_type is not None and media_type not in ACCEPTED:
            raise ImageError(sharing.not_a_gene_set(where, f"a `{_word(media_type)}`"))
        if root.get("schemaVersion") != 2:
            raise ImageError(sharing.not_a_gene_set(where, "no manifest of an OCI image"))
        if not isinstance(root.get("config"), dict):
            raise ImageError(sharing.not_a_gene_set(where, "a manifest without a config"))
        return ImageManifest(
            digest=digest_of(data),
            config=_descriptor(root["config"], "config"),
            layers=tuple(
                _descriptor(layer, f"layers[{at}]")
                for at, layer in enumerate(list_in(root, "layers", "manifest"))
            ),
            annotations=as_texts(root.get("annotations", {}), "annotations"),
        )
    except MalformedError as fault:
        raise _malformed(where, fault) from None


def index_entries(data: bytes, where: str) -> tuple[tuple[Descriptor, FrozenMap[str]], ...]:
    """What an image index lists, each with its annotations. Raises ImageError: E1016, E1019."""
    try:
        root = json_object(data, image.MOST_READ_MANIFEST, "index.json")
        if root.get("schemaVersion") != 2 or "manifests" not in root:
            raise ImageError(sharing.not_a_gene_set(where, "no index of images", "a pool"))
        return tuple(
            (
                _descriptor(entry, f"manifests[{at}]"),
                as_texts(entry.get("annotations", {}), f"manifests[{at}].annotations"),
            )
            for at, entry in enumerate(list_in(root, "manifests"))
        )
    except MalformedError as fault:
        raise _malformed(where, fault) from None


def _only_manifest(root: Mapping[str, Any], where: str) -> Descriptor:
    """The entry of an index besides those that stand for no platform, such as attestations."""
    found: list[Descriptor] = []
    for at, entry in enumerate(list_in(root, "manifests", "manifest")):
        member = f"manifests[{at}]"
        described = _descriptor(entry, member)
        platform = entry.get("platform")
        known = platform if isinstance(platform, dict) else {}
        if (known.get("os"), known.get("architecture")) != ("unknown", "unknown"):
            found.append(described)
    if len(found) != 1 or found[0].media_type in _INDEXES:
        raise ImageError(sharing.not_a_gene_set(where, "a multi-platform image"))
    return found[0]


def _descriptor(value: object, member: str) -> Descriptor:
    entry = as_object(value, member)
    digest, size = digest_in(entry, member), size_in(entry, "size", member, None)
    data = entry.get("data")
    return Descriptor(
        media_type=text_in(entry, "mediaType", member),
        digest=digest,
        size=size,
        data=_embedded(data, digest, size) if isinstance(data, str) else None,
    )


def _embedded(data: str, digest: str, size: int) -> bytes | None:
    """A copy inside the manifest. One that is not the blob counts as none: the blob is fetched."""
    try:
        copy = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return copy if len(copy) == size and digest_of(copy) == digest else None


# --- the config ----------------------------------------------------------------------------------


def read_config(
    data: bytes,
    manifest: ImageManifest,
    where: str,
    *,
    asked: GeneSetId | None = None,
    moves: bool = False,
) -> GeneSetConfig:
    """The config of a gene set, which `manifest` describes.

    `asked` is the gene set that the copy was found under. If its tag `moves`, the copy may be
    another tag of the set. Raises ImageError: E1016 to E1019.
    """
    try:
        found = _config_of(data, manifest.config, where)
        if len(manifest.layers) != len(found.diff_ids):
            raise MalformedError("layers", "are not those that the config lists")
    except MalformedError as fault:
        raise _malformed(where, fault) from None
    if asked is not None:
        of_set = asked.without_tag == found.id.without_tag
        if not of_set or (asked.tag != found.id.tag and not moves):
            raise ImageError(sharing.wrong_gene_set(where, asked, found.id))
    return found


def stored_config(data: bytes, where: str) -> GeneSetConfig:
    """The config of a gene set that was checked before with its manifest. Raises ImageError."""
    try:
        return _config_of(data, Descriptor(image.CONFIG_MEDIA, digest_of(data), len(data)), where)
    except MalformedError as fault:
        raise _malformed(where, fault) from None


def _config_of(data: bytes, described: Descriptor, where: str) -> GeneSetConfig:
    return read_gene_set(_checked_config(data, described, image.GENE_SET, where), data)


def _checked_config(
    data: bytes, described: Descriptor, member: str, where: str
) -> Mapping[str, Any]:
    """The config as data: it is the one described, it has our `member`, in a version we know."""
    if described.media_type not in _CONFIGS:
        found = f"an artifact with a config of type `{_word(described.media_type)}`"
        raise ImageError(sharing.not_a_gene_set(where, found))
    if len(data) != described.size or digest_of(data) != described.digest:
        raise MalformedError("config", "does not have the size and digest of the manifest")
    root = json_object(data, image.MOST_CONFIG, "config")
    if member not in root:
        raise ImageError(sharing.not_a_gene_set(where, _said_of(root), _KINDS[member]))
    own = as_object(root[member], member)
    _known_version(own, "version", image.VERSION, member, where)
    if member == image.GENE_SET:
        _known_version(own, "language", image.LANGUAGE, member, where)
    try:
        read_canonical(data)
    except NotCanonicalError as error:
        raise MalformedError("config", f"is refused: {error}") from None
    return root


def _known_version(own: Mapping[str, Any], key: str, known: int, member: str, where: str) -> None:
    version = size_in(own, key, member, None)
    if version > known:
        what = "its form" if key == "version" else "its language"
        raise ImageError(sharing.format_too_new(where, what, version, known))
    if version < 1:
        raise MalformedError(f"{member}.{key}", "is no version")


_KINDS: Final = {
    image.GENE_SET: "a gene set",
    image.document_member(ImageType.INDEX): "an index of gene sets",
    image.document_member(ImageType.DEPRECATION): "a statement on a gene set",
}


def _said_of(root: Mapping[str, Any]) -> str:
    """What an image is by its own words."""
    known = (words for member, words in _KINDS.items() if member in root)
    return next(known, "an image of something else")


# --- documents about gene sets --------------------------------------------------------------------


class Document(NamedTuple):
    """The document of an index or a statement. `about` is what its config says of it."""

    identity: str
    text: bytes
    about: FrozenMap[Any]


def read_document(
    data: bytes, blob: bytes, manifest: ImageManifest, type_: ImageType, where: str
) -> Document:
    """The document of an image that `document_image` makes, from its config and its layer.

    Raises ImageError: E1016, E1018, E1019.
    """
    try:
        root = _checked_config(data, manifest.config, image.document_member(type_), where)
        member = image.document_member(type_)
        own = as_object(root[member], member)
        most = image.MOST_INDEX if type_ is ImageType.INDEX else image.MOST_STATEMENT
        path, size = text_in(own, "path", member), size_in(own, "size", member, most)
        if path != image.DOCUMENT_PATHS[type_]:
            raise MalformedError(f"{member}.path", "is another one")
        diff_ids = diff_ids_of(root)
        if len(diff_ids) != 1 or len(manifest.layers) != 1:
            raise MalformedError("layers", "are not one")
        entries = (Entry(path, size),)
        (text,) = _unpacked(blob, manifest.layers[0], entries, diff_ids[0], where)
        if digest_of(text) != digest_in(own, member):
            raise MalformedError(path, "does not have the digest of the config")
    except MalformedError as fault:
        raise _malformed(where, fault) from None
    return Document(digest_of(data), text, FrozenMap(own))


# --- the texts -----------------------------------------------------------------------------------


def read_texts(blob: bytes, layer: Descriptor, config: GeneSetConfig, where: str) -> TagContents:
    """The contents of a tag from its text layer, as it was sent. Raises ImageError: E1019."""
    try:
        entries = [Entry(file.path, file.size) for file in config.files]
        texts = _unpacked(blob, layer, entries, config.diff_ids[0], where)
    except MalformedError as fault:
        raise _malformed(where, fault) from None
    return contents_with(config, texts, where)


def _unpacked(
    blob: bytes, layer: Descriptor, entries: Sequence[Entry], diff_id: str, where: str
) -> tuple[bytes, ...]:
    try:
        return unpack(blob, layer, entries, diff_id)
    except LayerError as error:
        raise MalformedError("layers[0]", str(error)) from None
    except NoZstdError:
        raise ImageError(sharing.zstd_unreadable(where)) from None


def contents_with(config: GeneSetConfig, texts: Iterable[bytes], where: str) -> TagContents:
    """The contents of a tag from the texts of its files, in their order.

    Raises ImageError for a text that is not the one that the config lists.
    """
    try:
        files = tuple(_content(file, text) for file, text in zip(config.files, texts, strict=True))
        expected = manifest_file(config.id, config.ref, config.metadata).text
        if any(file.text != expected for file in files if file.type == MANIFEST_TYPE):
            raise MalformedError(MANIFEST, "says something else than the config")
    except MalformedError as fault:
        raise _malformed(where, fault) from None
    return TagContents(config.id, config.ref, config.metadata, files)


def _content(listed: ListedFile, text: bytes) -> ContentFile:
    if len(text) != listed.size or digest_of(text) != listed.digest:
        raise MalformedError(listed.path, "does not have the size and digest of the config")
    try:
        same = canonical_text(text.decode("utf-8")) == text
    except UnicodeDecodeError:
        raise MalformedError(listed.path, "is no UTF-8") from None
    if not same or text.startswith(b"\xef\xbb\xbf"):
        raise MalformedError(listed.path, "has other line ends than one line feed each")
    return ContentFile(
        listed.path, listed.type, text, listed.name, listed.architecture, listed.form
    )


# --- what is said of it ---------------------------------------------------------------------------


def _malformed(where: str, fault: MalformedError) -> ImageError:
    found = sharing.malformed_artifact(where, fault.member, fault.problem)
    return ImageError(found, f"`{fault.member}` {fault.problem}")


def _word(value: object) -> str:
    """A media type that may be shown."""
    return value if isinstance(value, str) and _MEDIA_TYPE.match(value) else "?"
