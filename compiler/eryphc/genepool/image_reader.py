"""Bytes of others to a gene set: manifest, config and text layer, checked in this order.

Nothing here fetches. A caller gets the blobs that one step names and hands them to the next. What
is refused is refused before it costs much, and no text of a gene is read as YAML.
Source: docs/reference/gene-set-images.md, "Reading an image".
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from eryphc.canonical import NotCanonicalError, digest_of, read_canonical, read_json
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool import image
from eryphc.genepool.contents import (
    MANIFEST_TYPE,
    ContentFile,
    TagContents,
    manifest_file,
    path_of,
)
from eryphc.genepool.files import canonical_text
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import Descriptor, Details, ImageType, PushedVolume
from eryphc.genepool.model import ListedGene
from eryphc.genepool.text_layer import Entry, LayerError, layer_size, read_layer
from eryphc.identifiers import ANY, HYPERVISORS, PROCESSORS, Architecture, GeneSetId, GeneType
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import GENE, name_faults

ACCEPTED: Final = (
    image.MANIFEST_MEDIA,
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""The media types of manifests that are read, for the header `Accept`."""
_INDEXES: Final = (ACCEPTED[1], ACCEPTED[3])
_CONFIGS: Final = (image.CONFIG_MEDIA, "application/vnd.docker.container.image.v1+json")
_LAYERS: Final = frozenset(
    f"{media}{compression}"
    for media, compressions in (
        (image.LAYER_MEDIA, ("", "+gzip", "+zstd")),
        ("application/vnd.docker.image.rootfs.diff.tar", ("", ".gzip", ".zstd")),
    )
    for compression in compressions
)
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
MOST_LAYER_BLOB: Final = image.MOST_LAYER + 64 * 1024
"""The bytes of a text layer as it is sent: compression can also make it a little larger."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_UNKNOWN_ARCHITECTURE: Final = re.compile(r"[a-z0-9-]{1,20}/[a-z0-9-]{1,20}\Z")
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9.+/_-]{1,100}\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DOCUMENTS: Final = {"readme": "readme.md", "changelog": "changelog.md"}
_CARD: Final = "card"
_DISK_FORMATS: Final = ("qcow2", "raw", "vhd", "vhdx")
_MOST_FILES: Final = 4 * image.MOST_GENES
_MOST_LICENSES: Final = 500
_MOST_ADDRESS: Final = 2048
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500
_LONGEST_ID: Final = 102
_MOST_STREAMS: Final = 1000
_DEPTH_OF_ZSTD: Final = 23
"""The window of 8 MiB that every reader of zstd has to support. Source: RFC 8878 3.1.1.1.2."""


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


class ListedFile(NamedTuple):
    """One text as a config lists it: a `ContentFile` without its text."""

    path: str
    type: str
    digest: str
    size: int
    name: str | None = None
    architecture: Architecture | None = None
    form: str | None = None


class GeneSetConfig(NamedTuple):
    """What the config of a gene set says. `data` is the config itself, `identity` its digest.

    `files` are sorted by path, `diff_ids` are the digests of the layers as they are uncompressed,
    that of the texts first. Of a tag in the original's packed form (`form` is `eryph`), `data` is
    its manifest, there are no layers, and `disks` are listed by the hash of their packing alone.
    """

    data: bytes
    identity: str
    id: GeneSetId
    ref: str | None
    metadata: tuple[tuple[str, str], ...]
    files: tuple[ListedFile, ...]
    details: Details
    diff_ids: tuple[str, ...] = ()
    form: str | None = None
    disks: tuple[ListedGene, ...] = ()


class _MalformedError(Exception):
    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member} {problem}")
        self.member = member
        self.problem = problem


# --- the manifest --------------------------------------------------------------------------------


def read_manifest(data: bytes, where: str) -> ImageManifest | Descriptor:
    """A manifest, or the only manifest that an image index lists, which is to be asked for.

    `where` names the copy in messages. Raises ImageError: E1016 for what is something else, E1019.
    """
    try:
        root = _json(data, image.MOST_READ_MANIFEST, "manifest")
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
                for at, layer in enumerate(_list(root, "layers", "manifest"))
            ),
            annotations=_texts(root.get("annotations", {}), "annotations"),
        )
    except _MalformedError as fault:
        raise _malformed(where, fault) from None


def index_entries(data: bytes, where: str) -> tuple[tuple[Descriptor, FrozenMap[str]], ...]:
    """What an image index lists, each with its annotations. Raises ImageError: E1016, E1019."""
    try:
        root = _json(data, image.MOST_READ_MANIFEST, "index.json")
        if root.get("schemaVersion") != 2 or "manifests" not in root:
            raise ImageError(sharing.not_a_gene_set(where, "no index of images", "a pool"))
        return tuple(
            (
                _descriptor(entry, f"manifests[{at}]"),
                _texts(entry.get("annotations", {}), f"manifests[{at}].annotations"),
            )
            for at, entry in enumerate(_list(root, "manifests"))
        )
    except _MalformedError as fault:
        raise _malformed(where, fault) from None


def _only_manifest(root: Mapping[str, Any], where: str) -> Descriptor:
    """The entry of an index besides those that stand for no platform, such as attestations."""
    found: list[Descriptor] = []
    for at, entry in enumerate(_list(root, "manifests", "manifest")):
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
    entry = _object(value, member)
    digest, size = _digest(entry, member), _size(entry, "size", member, None)
    data = entry.get("data")
    return Descriptor(
        media_type=_text(entry, "mediaType", member),
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
            raise _MalformedError("layers", "are not those that the config lists")
    except _MalformedError as fault:
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
    except _MalformedError as fault:
        raise _malformed(where, fault) from None


def _config_of(data: bytes, described: Descriptor, where: str) -> GeneSetConfig:
    root = _checked_config(data, described, image.GENE_SET, where)
    own = _object(root[image.GENE_SET], image.GENE_SET)
    return _gene_set(own, _diff_ids(root), data, _source(root))


def _checked_config(
    data: bytes, described: Descriptor, member: str, where: str
) -> Mapping[str, Any]:
    """The config as data: it is the one described, it has our `member`, in a version we know."""
    if described.media_type not in _CONFIGS:
        found = f"an artifact with a config of type `{_word(described.media_type)}`"
        raise ImageError(sharing.not_a_gene_set(where, found))
    if len(data) != described.size or digest_of(data) != described.digest:
        raise _MalformedError("config", "does not have the size and digest of the manifest")
    root = _json(data, image.MOST_CONFIG, "config")
    if member not in root:
        raise ImageError(sharing.not_a_gene_set(where, _said_of(root), _KINDS[member]))
    own = _object(root[member], member)
    _known_version(own, "version", image.VERSION, member, where)
    if member == image.GENE_SET:
        _known_version(own, "language", image.LANGUAGE, member, where)
    try:
        read_canonical(data)
    except NotCanonicalError as error:
        raise _MalformedError("config", f"is refused: {error}") from None
    return root


def _known_version(own: Mapping[str, Any], key: str, known: int, member: str, where: str) -> None:
    version = _size(own, key, member, None)
    if version > known:
        what = "its form" if key == "version" else "its language"
        raise ImageError(sharing.format_too_new(where, what, version, known))
    if version < 1:
        raise _MalformedError(f"{member}.{key}", "is no version")


_KINDS: Final = {
    image.GENE_SET: "a gene set",
    image.document_member(ImageType.INDEX): "an index of gene sets",
    image.document_member(ImageType.DEPRECATION): "a statement on a gene set",
}


def _said_of(root: Mapping[str, Any]) -> str:
    """What an image is by its own words."""
    known = (words for member, words in _KINDS.items() if member in root)
    return next(known, "an image of something else")


def _diff_ids(root: Mapping[str, Any]) -> tuple[str, ...]:
    rootfs = _object(root.get("rootfs"), "rootfs")
    found = _list(rootfs, "diff_ids", "rootfs")
    for at, digest in enumerate(found):
        if not isinstance(digest, str) or not _DIGEST.match(digest):
            raise _MalformedError(f"rootfs.diff_ids[{at}]", "is no sha256 digest")
    return tuple(found)


def _source(root: Mapping[str, Any]) -> str | None:
    """The address of the sources, which stands in a label alone."""
    settings = root.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    source = labels.get(image.SOURCE) if isinstance(labels, dict) else None
    good = isinstance(source, str) and 0 < len(source) <= _MOST_ADDRESS
    return source if good and not _CONTROL.search(str(source)) else None


def _gene_set(
    own: Mapping[str, Any], diff_ids: tuple[str, ...], data: bytes, source: str | None
) -> GeneSetConfig:
    geneset = _set_id(f"{_text(own, 'geneset')}/{_text(own, 'tag')}", "geneset")
    ref = _set_id(_text(own, "ref"), "ref") if "ref" in own else None
    requires = _requires(own)
    parent = _set_id(_text(own, "parent"), "parent") if "parent" in own else None
    if parent is not None and parent not in requires:
        raise _MalformedError("parent", "is not among `requires`")
    volumes = tuple(_volumes(own))
    files = _files(own)
    if ref is not None and (len(files) > 1 or volumes):
        raise _MalformedError("ref", "stands beside genes")
    if len(diff_ids) != 1 + sum(volume.parts for volume in volumes):
        raise _MalformedError("rootfs.diff_ids", "are not one for the texts and one for each part")
    return GeneSetConfig(
        data=data,
        identity=digest_of(data),
        id=geneset,
        ref=str(ref) if ref is not None else None,
        metadata=_metadata(own),
        files=files,
        details=Details(
            about=_line(own, "about", image.MOST_ABOUT),
            licenses=_line(own, "licenses", _MOST_LICENSES),
            source=source,
            parent=parent,
            requires=requires,
            volumes=volumes,
        ),
        diff_ids=diff_ids,
    )


def _requires(own: Mapping[str, Any]) -> tuple[GeneSetId, ...]:
    if "requires" not in own:
        return ()
    found: list[str] = []
    for at, value in enumerate(_list(own, "requires")):
        if not isinstance(value, str):
            raise _MalformedError(f"requires[{at}]", "is no text")
        found.append(value)
    if found != sorted(set(found)):
        raise _MalformedError("requires", "is not sorted, or names one twice")
    return tuple(_set_id(text, f"requires[{at}]") for at, text in enumerate(found))


def metadata_fault(metadata: Sequence[tuple[str, str]]) -> str | None:
    """Why a tag cannot have this metadata, in words that follow its name; None where it can.

    Source: docs/reference/genes-and-pools.md, "Metadata".
    """
    if len(metadata) > _MOST_KEYS:
        return f"has more than {_MOST_KEYS} keys"
    for key, value in metadata:
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            return f"has keys of 1 to {_LONGEST_KEY} and values of at most {_LONGEST_VALUE} "
            "characters"
        if _CONTROL.search(key) or _CONTROL.search(value):
            return "holds control characters"
    return None


def _metadata(own: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = tuple(_texts(own.get("metadata", {}), "metadata").items())
    fault = metadata_fault(found)
    if fault is not None:
        raise _MalformedError("metadata", fault)
    return found


def _files(own: Mapping[str, Any]) -> tuple[ListedFile, ...]:
    listed = _list(own, "files")
    if len(listed) > _MOST_FILES:
        raise _MalformedError("files", f"are more than {_MOST_FILES}")
    files = tuple(_file(entry, f"files[{at}]") for at, entry in enumerate(listed))
    paths = [file.path for file in files]
    if paths != sorted(set(paths)):
        raise _MalformedError("files", "are not sorted, or have one path twice")
    kinds = [file.type for file in files]
    if MANIFEST_TYPE not in kinds:
        raise _MalformedError("files", f"have no `{MANIFEST}`")
    for kind, most in (
        (GeneType.CATLET, 1),
        (GeneType.FODDER, image.MOST_GENES),
        (GeneType.VOLUME, image.MOST_GENES),
    ):
        if kinds.count(kind) > most:
            raise _MalformedError("files", f"are more than {most} of type `{kind}`")
    if layer_size(file.size for file in files) > image.MOST_LAYER:
        raise _MalformedError("files", f"are larger than {image.MOST_LAYER} bytes together")
    return files


def _file(value: object, member: str) -> ListedFile:
    entry = _object(value, member)
    kind, path = _text(entry, "type", member), _text(entry, "path", member)
    gene = kind in (*GeneType, _CARD)
    name = _gene_name(entry, kind, member) if gene else None
    architecture = _architecture(entry, member) if gene else None
    form = _form(entry, kind, member)
    if path != _expected_path(kind, name, architecture, form, member):
        raise _MalformedError(f"{member}.path", "does not follow from type, name and arch")
    return ListedFile(
        path=path,
        type=kind,
        digest=_digest(entry, member),
        size=_size(entry, "size", member, image.MOST_GENE),
        name=name,
        architecture=architecture,
        form=form,
    )


def _expected_path(
    kind: str,
    name: str | None,
    architecture: Architecture | None,
    form: str | None,
    member: str,
) -> str:
    if kind == MANIFEST_TYPE:
        return MANIFEST
    if kind in _DOCUMENTS:
        return _DOCUMENTS[kind]
    if name is None or architecture is None:
        raise _MalformedError(f"{member}.type", "is none that this version knows")
    if kind == _CARD:
        return f"cards/{name}.yaml"
    return path_of(GeneType(kind), name, architecture, form)


def _gene_name(entry: Mapping[str, Any], kind: str, member: str) -> str:
    name = _text(entry, "name", member)
    if name != name.lower() or name_faults(GENE, name):
        raise _MalformedError(f"{member}.name", "is no name of a gene")
    if kind != _CARD and (name == GeneType.CATLET) != (kind == GeneType.CATLET):
        raise _MalformedError(f"{member}.name", "is `catlet` for the catlet gene alone")
    return name


def _architecture(entry: Mapping[str, Any], member: str) -> Architecture:
    """`any`, or two words. A hypervisor of later versions is well-formed and fits no machine."""
    text = _text(entry, "arch", member)
    hypervisor, _, processor = text.partition("/")
    found = Architecture(hypervisor, processor) if processor else ANY
    known = hypervisor not in HYPERVISORS or processor in PROCESSORS
    if str(found) != text or (processor and not (_UNKNOWN_ARCHITECTURE.match(text) and known)):
        raise _MalformedError(f"{member}.arch", "is no architecture")
    if entry.get("type") == GeneType.CATLET and found != ANY:
        raise _MalformedError(f"{member}.arch", "is `any` for a catlet gene")
    return found


def _form(entry: Mapping[str, Any], kind: str, member: str) -> str | None:
    if "form" not in entry:
        return None
    if entry["form"] != "json" or kind not in (GeneType.CATLET, GeneType.FODDER):
        raise _MalformedError(f"{member}.form", "is `json`, and stands with catlets and fodder")
    return "json"


def _volumes(own: Mapping[str, Any]) -> Iterator[PushedVolume]:
    if "volumes" not in own:
        return
    listed = _list(own, "volumes")
    if len(listed) > image.MOST_GENES:
        raise _MalformedError("volumes", f"are more than {image.MOST_GENES}")
    before = ""
    for at, value in enumerate(listed):
        member = f"volumes[{at}]"
        entry = _object(value, member)
        name, architecture = (
            _gene_name(entry, GeneType.VOLUME, member),
            _architecture(entry, member),
        )
        disk, path = _text(entry, "format", member), _text(entry, "path", member)
        if disk not in _DISK_FORMATS:
            raise _MalformedError(f"{member}.format", "is no format of a disk")
        described = path_of(GeneType.VOLUME, name, architecture)
        if path != f"{described.removesuffix('.yaml')}.{disk}" or path <= before:
            raise _MalformedError(f"{member}.path", "does not follow from name, arch and format")
        before = path
        size = _size(entry, "size", member, image.MOST_VOLUME)
        if _size(entry, "part", member, None) != image.part_size(size):
            raise _MalformedError(f"{member}.part", "does not follow from the size")
        yield PushedVolume(
            name, architecture, disk, path, _digest(entry, member), size, image.part_size(size)
        )


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
        own = _object(root[member], member)
        most = image.MOST_INDEX if type_ is ImageType.INDEX else image.MOST_STATEMENT
        path, size = _text(own, "path", member), _size(own, "size", member, most)
        if path != image.DOCUMENT_PATHS[type_]:
            raise _MalformedError(f"{member}.path", "is another one")
        diff_ids = _diff_ids(root)
        if len(diff_ids) != 1 or len(manifest.layers) != 1:
            raise _MalformedError("layers", "are not one")
        entries = (Entry(path, size),)
        (text,) = _unpacked(blob, manifest.layers[0], entries, diff_ids[0], where)
        if digest_of(text) != _digest(own, member):
            raise _MalformedError(path, "does not have the digest of the config")
    except _MalformedError as fault:
        raise _malformed(where, fault) from None
    return Document(digest_of(data), text, FrozenMap(own))


# --- the texts -----------------------------------------------------------------------------------


def read_texts(blob: bytes, layer: Descriptor, config: GeneSetConfig, where: str) -> TagContents:
    """The contents of a tag from its text layer, as it was sent. Raises ImageError: E1019."""
    try:
        entries = [Entry(file.path, file.size) for file in config.files]
        texts = _unpacked(blob, layer, entries, config.diff_ids[0], where)
    except _MalformedError as fault:
        raise _malformed(where, fault) from None
    return contents_with(config, texts, where)


def _unpacked(
    blob: bytes, layer: Descriptor, entries: Sequence[Entry], diff_id: str, where: str
) -> tuple[bytes, ...]:
    """The texts of a layer as it was sent, which uncompressed has the digest `diff_id`."""
    if layer.media_type not in _LAYERS:
        raise _MalformedError("layers[0]", "is no tar archive")
    if len(blob) != layer.size or digest_of(blob) != layer.digest:
        raise _MalformedError("layers[0]", "does not have the size and digest of the manifest")
    size = layer_size(entry.size for entry in entries)
    # The bytes decide: skopeo calls any layer gzip that the registry has already. No path of ours
    # begins like one of these.
    if blob.startswith(_GZIP):
        plain = _gunzipped(blob, size)
    elif blob.startswith(_ZSTD):
        plain = _unzstd(blob, size, where)
    else:
        plain = blob
    if len(plain) != size or digest_of(plain) != diff_id:
        raise _MalformedError("layers[0]", "is not the layer that the config lists")
    try:
        return read_layer(plain, entries)
    except LayerError as error:
        raise _MalformedError("layers[0]", f"is not in our form: {error}") from None


def contents_with(config: GeneSetConfig, texts: Iterable[bytes], where: str) -> TagContents:
    """The contents of a tag from the texts of its files, in their order.

    Raises ImageError for a text that is not the one that the config lists.
    """
    try:
        files = tuple(_content(file, text) for file, text in zip(config.files, texts, strict=True))
        expected = manifest_file(config.id, config.ref, config.metadata).text
        if any(file.text != expected for file in files if file.type == MANIFEST_TYPE):
            raise _MalformedError(MANIFEST, "says something else than the config")
    except _MalformedError as fault:
        raise _malformed(where, fault) from None
    return TagContents(config.id, config.ref, config.metadata, files)


def _content(listed: ListedFile, text: bytes) -> ContentFile:
    if len(text) != listed.size or digest_of(text) != listed.digest:
        raise _MalformedError(listed.path, "does not have the size and digest of the config")
    try:
        same = canonical_text(text.decode("utf-8")) == text
    except UnicodeDecodeError:
        raise _MalformedError(listed.path, "is no UTF-8") from None
    if not same or text.startswith(b"\xef\xbb\xbf"):
        raise _MalformedError(listed.path, "has other line ends than one line feed each")
    return ContentFile(
        listed.path, listed.type, text, listed.name, listed.architecture, listed.form
    )


def _gunzipped(blob: bytes, size: int) -> bytes:
    """At most one byte more than `size`, so that a bomb costs no memory."""
    plain, rest = bytearray(), blob
    for _ in range(_MOST_STREAMS):
        stream = zlib.decompressobj(wbits=31)
        try:
            plain += stream.decompress(rest, size + 1 - len(plain))
        except zlib.error:
            break
        rest = stream.unused_data
        if len(plain) > size or (stream.eof and not rest):
            return bytes(plain)
        if not stream.eof:
            break
    raise _MalformedError("layers[0]", "cannot be unpacked as gzip")


def _unzstd(blob: bytes, size: int, where: str) -> bytes:
    try:
        zstd: Any = import_module("compression.zstd")
    except ImportError:
        raise ImageError(sharing.zstd_unreadable(where)) from None
    limits = {zstd.DecompressionParameter.window_log_max: _DEPTH_OF_ZSTD}
    stream = zstd.ZstdDecompressor(options=limits)
    try:
        plain = bytes(stream.decompress(blob, size + 1))
    except zstd.ZstdError:
        raise _MalformedError("layers[0]", "cannot be unpacked as zstd") from None
    return plain


# --- JSON ----------------------------------------------------------------------------------------


def _malformed(where: str, fault: _MalformedError) -> ImageError:
    found = sharing.malformed_artifact(where, fault.member, fault.problem)
    return ImageError(found, f"`{fault.member}` {fault.problem}")


def _word(value: object) -> str:
    """A media type that may be shown."""
    return value if isinstance(value, str) and _MEDIA_TYPE.match(value) else "?"


def _json(data: bytes, most: int, member: str) -> dict[str, Any]:
    if len(data) > most:
        raise _MalformedError(member, f"is larger than {most} bytes")
    try:
        found = read_json(data)
    except ValueError:
        raise _MalformedError(member, "is no JSON that can be read") from None
    return _object(found, member)


def _object(value: object, member: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _MalformedError(member, "is no object")
    return value


def _list(data: Mapping[str, Any], key: str, member: str = "") -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise _MalformedError(_joined(member, key), "is no list")
    return value


def _text(data: Mapping[str, Any], key: str, member: str = "") -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise _MalformedError(_joined(member, key), "is no text")
    return value


def _line(data: Mapping[str, Any], key: str, most: int) -> str | None:
    """A line of text for people, None where there is none."""
    if key not in data:
        return None
    text = _text(data, key)
    if not 0 < len(text) <= most or _CONTROL.search(text):
        raise _MalformedError(key, f"is no line of 1 to {most} characters")
    return text


def _texts(value: object, member: str) -> FrozenMap[str]:
    found = _object(value, member)
    if not all(isinstance(text, str) for text in found.values()):
        raise _MalformedError(member, "holds what is no text")
    return FrozenMap(found)


def _size(data: Mapping[str, Any], key: str, member: str, most: int | None) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _MalformedError(_joined(member, key), "is no size")
    if most is not None and value > most:
        raise _MalformedError(_joined(member, key), f"is larger than {most}")
    return value


def _digest(data: Mapping[str, Any], member: str) -> str:
    text = _text(data, "digest", member)
    if not _DIGEST.match(text):
        raise _MalformedError(f"{member}.digest", "is no sha256 digest")
    return text


def _set_id(text: str, member: str) -> GeneSetId:
    """A gene set in full: organization, set and tag, in lower case."""
    found = parse_gene_set(text) if len(text) <= _LONGEST_ID else None
    if not isinstance(found, GeneSetId) or str(found) != text:
        raise _MalformedError(member, "is no gene set with a tag in lower case")
    return found


def _joined(member: str, key: str) -> str:
    return f"{member}.{key}" if member else key
