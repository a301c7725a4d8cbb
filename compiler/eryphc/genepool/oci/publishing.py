"""Images of ours into a registry, so that a tag is as it was or complete, whatever happens.

Content goes first and the manifest last, under its tag: some registries keep manifests that no tag
names only for a while.
Source: docs/sharing.md, "What push does".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eryphc.canonical import digest_of
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.image import Descriptor, Image, without_copies
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_manifest
from eryphc.genepool.oci.client import Registry
from eryphc.genepool.oci.content import FileContent, Memory
from eryphc.genepool.oci.faults import (
    FormRefusedError,
    NotThereError,
    RegistryError,
    SeveralManifestsError,
    TagImmutableError,
)
from eryphc.genepool.registry_names import RegistryName


class There(NamedTuple):
    """What a tag of a registry names: a manifest with its digest, and the identity of its image.

    `identity` is None for what is no image of one config; `words` then say what it is.
    """

    manifest: bytes
    digest: str
    identity: str | None
    words: str


class Sent(NamedTuple):
    """What came of publishing an image: the manifest that its tag has now, the bytes that went over
    the network, and notes."""

    manifest: bytes
    size: int
    notes: tuple[Diagnostic, ...] = ()


Progress = Callable[[int, int], None]


def what_is_there(registry: Registry, name: RegistryName) -> There | None:
    """What a tag names now, None where there is none. Raises RegistryError."""
    try:
        registry.head_manifest(name.repository, name.tag, push=True)
    except NotThereError:
        return None
    return _read(registry, name)


def _read(registry: Registry, name: RegistryName) -> There | None:
    try:
        answer = registry.get_manifest(name.repository, name.tag)
    except NotThereError:
        return None
    except SeveralManifestsError:
        return There(b"", "", None, "a multi-platform image")
    try:
        manifest = read_manifest(answer.data, name.tag)
    except ImageError as fault:
        return There(answer.data, answer.digest, None, fault.problem)
    if not isinstance(manifest, ImageManifest):
        return There(answer.data, answer.digest, None, "an index of images")
    return There(answer.data, answer.digest, manifest.config.digest, manifest.config.digest)


def size_of(image: Image, manifest: bytes) -> int:
    """The most bytes that publishing an image sends."""
    disks = sum(part.layer.size for part in image.parts)
    return len(image.config) + len(image.layer) + len(manifest) + disks


def send(
    registry: Registry,
    name: RegistryName,
    image: Image,
    manifest: bytes,
    blobs: Mapping[str, Path] = FrozenMap(),
    progress: Progress | None = None,
) -> Sent:
    """Publish an image under a tag, and read it back. Raises RegistryError.

    `blobs` are files with the layers of its disks, by digest. `progress` hears of them how many
    bytes of how many the registry has. Where it refuses a manifest with copies of the content, it
    is sent without them.
    """
    size = done = 0
    disks = sum(part.layer.size for part in image.parts)
    for part in image.parts:
        if progress is not None:
            progress(done, disks)
        done += part.layer.size
        content = FileContent(blobs[part.layer.digest], part.layer.size)
        if registry.push_blob(name.repository, part.layer.digest, content):
            size += part.layer.size
    for blob in (image.config, image.layer):
        if registry.push_blob(name.repository, digest_of(blob), Memory(blob)):
            size += len(blob)
    sent, notes = _put(registry, name, manifest)
    there = _read(registry, name)
    if there is None or there.identity != image.identity:
        place = registry.place(name.repository)
        raise RegistryError(wording.overtaken(place, name.tag))
    return Sent(there.manifest, size + len(sent), notes)


def _put(
    registry: Registry, name: RegistryName, manifest: bytes
) -> tuple[bytes, tuple[Diagnostic, ...]]:
    try:
        put(registry, name, manifest)
    except FormRefusedError:
        plain = without_copies(manifest)
        if plain == manifest:
            raise
        put(registry, name, plain)
        place = registry.place(name.repository)
        return plain, (wording.without_embedded_copies(place),)
    return manifest, ()


def put(registry: Registry, name: RegistryName, manifest: bytes) -> None:
    """Publish a manifest whose content is there. A tag that has its identity already stays.

    Raises RegistryError.
    """
    try:
        registry.put_manifest(name.repository, name.tag, manifest)
    except TagImmutableError:
        there = what_is_there(registry, name)
        if there is None or there.identity != identity_of(manifest):
            raise


def put_alias(registry: Registry, name: RegistryName, manifest: bytes) -> int:
    """Let another tag name a manifest of the same repository; gives the bytes that were sent.

    Raises RegistryError.
    """
    try:
        if registry.head_manifest(name.repository, name.tag, push=True).digest == digest_of(
            manifest
        ):
            return 0
    except NotThereError:
        pass
    put(registry, name, manifest)
    return len(manifest)


def identity_of(manifest: bytes) -> str:
    """The identity of the image of a manifest that was read before."""
    read = read_manifest(manifest, "")
    return read.digest if isinstance(read, Descriptor) else read.config.digest
