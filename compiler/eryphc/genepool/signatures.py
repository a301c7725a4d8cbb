"""Signatures of images of ours: they ride in the annotations of a manifest, over its config.

The config is the identity of an image. So a signature holds for every copy that keeps the
annotations, and signing changes no identity.
Source: docs/reference/gene-set-images.md, "Signatures".
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any, Final

from eryphc.canonical import canonical, digest_of, read_json
from eryphc.diagnostics import sharing
from eryphc.genepool.image import (
    CONFIG_MEDIA,
    LAYER_MEDIA,
    MANIFEST_MEDIA,
    SIGNATURE,
    ImageType,
)
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_manifest
from eryphc.signing import check_intact, public_key, sign

MOST: Final = 16
"""The signatures of one image that are looked at; each takes runs of a program."""
_DOCKER: Final = "application/vnd.docker"
_AS_OCI: Final = {
    f"{_DOCKER}.distribution.manifest.v2+json": MANIFEST_MEDIA,
    f"{_DOCKER}.container.image.v1+json": CONFIG_MEDIA,
    f"{_DOCKER}.image.rootfs.diff.tar": LAYER_MEDIA,
    f"{_DOCKER}.image.rootfs.diff.tar.gzip": f"{LAYER_MEDIA}+gzip",
    f"{_DOCKER}.image.rootfs.diff.tar.zstd": f"{LAYER_MEDIA}+zstd",
}


def namespace(type_: ImageType) -> str:
    """What signatures of a type of image are for. One of another type counts for nothing."""
    match type_:
        case ImageType.GENE_SET:
            return "eryphc-geneset"
        case ImageType.INDEX:
            return "eryphc-index"
        case ImageType.DEPRECATION:
            return "eryphc-statement"


def signatures_of(manifest: bytes, where: str) -> tuple[bytes, ...]:
    """The armored signatures of a manifest, by their numbers, at most `MOST`. Raises ImageError."""
    texts = _read(manifest, where).signatures[:MOST]
    return tuple(map(_bytes, texts))


def signed_manifest(
    manifest: bytes,
    config: bytes,
    key: Path,
    where: str,
    type_: ImageType = ImageType.GENE_SET,
) -> bytes:
    """`manifest` with a signature of its config by `key`; as it is where that key has signed it.

    `where` names the copy in messages. Raises SigningError, and ImageError for a manifest that
    can have no more signatures.
    """
    if _read(manifest, where).config.digest != digest_of(config):
        raise ValueError("the config is not that of the manifest")
    made = sign(config, key, namespace(type_)).encode("ascii")
    own = public_key(made)
    for present in signatures_of(manifest, where):
        # Not every kind of key gives the same signature twice.
        if public_key(present) == own and check_intact(config, present, namespace(type_)):
            return manifest
    return with_signature(manifest, made, where)


def with_signature(manifest: bytes, signature: bytes, where: str) -> bytes:
    """`manifest` with one more signature, which takes the place of one by the same key.

    Docker's form of manifests has no annotations, so it becomes one of OCI. Raises ImageError.
    """
    read = _read(manifest, where)
    taken = {name for name in read.annotations if name.startswith(SIGNATURE)}
    name = next(name for at in count(1) if (name := f"{SIGNATURE}{at}") not in taken)
    key = public_key(signature)
    for each in taken:
        if key is not None and public_key(_bytes(read.annotations[each])) == key:
            name = each
    if len(taken | {name}) > MOST:
        problem = f"have more than {MOST} signatures"
        raise ImageError(sharing.malformed_artifact(where, "annotations", problem))
    root = _as_oci(read_json(manifest))
    root["annotations"] = {**read.annotations, name: signature.decode("ascii")}
    try:
        return canonical(root)
    except ValueError:
        problem = "holds what is no text"
        raise ImageError(sharing.malformed_artifact(where, "the manifest", problem)) from None


def _bytes(signature: str) -> bytes:
    return signature.encode("utf-8", "replace")


def is_signed_well(manifest: bytes, config: bytes | None) -> bool:
    """Whether a stored manifest has no signatures, or one that somebody made of its `config`.

    Without the config nothing can be said against it, nor where readers refuse it anyway. Raises
    SigningError.
    """
    try:
        signatures = signatures_of(manifest, "")
    except ImageError:
        return True
    if not signatures or config is None:
        return True
    return any(
        check_intact(config, each, namespace(type_)) is not None
        for each in signatures
        for type_ in ImageType
    )


def _as_oci(root: dict[str, Any]) -> dict[str, Any]:
    for part in (root, root["config"], *root["layers"]):
        if part.get("mediaType") in _AS_OCI:
            part["mediaType"] = _AS_OCI[part["mediaType"]]
    return {"mediaType": MANIFEST_MEDIA, **root}


def _read(manifest: bytes, where: str) -> ImageManifest:
    read = read_manifest(manifest, where)
    if not isinstance(read, ImageManifest):
        raise ImageError(sharing.not_a_gene_set(where, "an index of images"))
    return read
