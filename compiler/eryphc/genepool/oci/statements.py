"""Statements on gene sets in a registry: that one should not be used any more.

A statement lies in the repository of its gene set, under a tag that follows from the identity, so
that one request finds it and collectors of untagged images keep it.
Source: docs/reference/gene-set-images.md, "Deprecation".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eryphc.canonical import Json, canonical, read_json
from eryphc.genepool.image import Image, ImageType, document_image, manifest_of
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.documents import found_document
from eryphc.genepool.oci.publishing import send
from eryphc.genepool.oci.resigning import put_signed
from eryphc.genepool.pool_index import Deprecation, read_deprecation
from eryphc.genepool.registry_names import RegistryName
from eryphc.identifiers import GeneSetId

if TYPE_CHECKING:
    from eryphc.genepool.oci.copies import Copy


Believe = Callable[[bytes, bytes, str], bool]
"""Whether a statement is signed as asked, by the config and the manifest of its image and the name
of the copy."""


class UnbelievedError(Exception):
    """There is a statement, and it is not signed as a project asks."""


def believe_all(_config: bytes, _manifest: bytes, _where: str) -> bool:
    return True


def statement_tag(identity: str) -> str:
    """The tag of the statement on a gene set with this identity."""
    return f"st-{identity.removeprefix('sha256:')[:32]}"


def deprecation_image(geneset: GeneSetId, identity: str, said: Deprecation) -> Image:
    """The image of a statement that deprecates a gene set."""
    subject: dict[str, Json] = {
        "geneset": geneset.without_tag,
        "tag": geneset.tag,
        "identity": identity,
    }
    more: dict[str, Json] = {"type": ImageType.DEPRECATION.value, "subject": subject}
    return document_image(ImageType.DEPRECATION, canonical(said.data), more, str(geneset))


def found_deprecation(
    copy: Copy, name: RegistryName, identity: str, believe: Believe = believe_all
) -> Deprecation | None:
    """What the registry says against a gene set of this identity, whose name there is given.

    A statement on something else is none. Raises RegistryError, ImageError, UnbelievedError.
    """
    place = name._replace(tag=statement_tag(identity))
    found = found_document(copy, place, ImageType.DEPRECATION)
    if found is None:
        return None
    subject = found.document.about.get("subject")
    about = found.document.about.get("type") == ImageType.DEPRECATION.value
    if not about or not isinstance(subject, dict) or subject.get("identity") != identity:
        return None
    if not believe(found.config, found.manifest, copy.names.reference(place)):
        raise UnbelievedError
    try:
        return read_deprecation(read_json(found.document.text))
    except ValueError:
        return None


def put_deprecation(
    copy: Copy,
    name: RegistryName,
    geneset: GeneSetId,
    identity: str,
    said: Deprecation,
    sign: Callable[[bytes, bytes], bytes] | None = None,
) -> bool:
    """Say in the registry that a gene set is deprecated; whether something had to be sent.

    A later statement takes the place of an earlier one. `sign` gives a manifest with a signature
    over the config, which comes second. Raises RegistryError.
    """
    place = name._replace(tag=statement_tag(identity))
    image = deprecation_image(geneset, identity, said)
    try:
        there = found_document(copy, place, ImageType.DEPRECATION)
    except ImageError:
        there = None
    if there is not None and there.document.identity == image.identity:
        manifest = there.manifest if sign is None else sign(there.manifest, image.config)
        if manifest == there.manifest:
            return False
        put_signed(copy, place, manifest)
        return True
    manifest = manifest_of(image)
    send(copy.registry, place, image, manifest if sign is None else sign(manifest, image.config))
    return True
