"""A signature for a gene set that a registry has already.

Its tag gets the same manifest with one more annotation, and so does each moving tag that is another
name of it. The content stays, and so does the identity.
Source: docs/signing.md, "Sign what you publish".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from eryphc.canonical import digest_of
from eryphc.diagnostics import registry as wording
from eryphc.frozen import NamedTuple
from eryphc.genepool.image import MOST_CONFIG
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_config
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.faults import (
    NotThereError,
    RegistryError,
    TagImmutableError,
)
from eryphc.genepool.registry_names import RegistryName, TagRules
from eryphc.identifiers import GeneSetId

Sign: TypeAlias = "Callable[[bytes, bytes], bytes]"
"""A manifest, and the config that it describes, to the manifest with a signature; the same bytes
where it has that signature."""


class Signed(NamedTuple):
    """What was signed: `config` of a gene set, and the `manifest` that the `tags` have now.

    `name` is the first of them in the registry; `sent` are those that had another manifest.
    """

    config: GeneSetConfig
    manifest: bytes
    name: RegistryName
    tags: tuple[GeneSetId, ...]
    sent: tuple[GeneSetId, ...]


def sign_there(copy: Copy, rules: TagRules, geneset: GeneSetId, sign: Sign) -> Signed:
    """Sign a gene set in a registry.

    Raises NotThereError where there is none, RegistryError, ImageError for what is no gene set,
    NameFaultError, and what `sign` raises.
    """
    found = _found(copy, geneset)
    config = _config(copy, found, geneset, moves=rules.moves(geneset.tag))
    manifest = sign(found.data, config.data)
    tags: list[GeneSetId] = []
    sent: list[GeneSetId] = []
    for each in dict.fromkeys((config.id, geneset, *_moving(copy, rules, found.name, config.id))):
        try:
            there = _found(copy, each)
        except (NotThereError, ImageError):
            continue
        if there.manifest.config.digest != config.identity:
            continue
        tags.append(each)
        if there.data != manifest:
            put_signed(copy, there.name, manifest)
            sent.append(each)
    if not tags:
        raise _overtaken(copy, found.name)
    return Signed(config, manifest, copy.names.name(tags[0]), tuple(tags), tuple(sent))


class _Found(NamedTuple):
    name: RegistryName
    data: bytes
    manifest: ImageManifest


def _found(copy: Copy, geneset: GeneSetId) -> _Found:
    name = copy.names.name(geneset)
    manifest, came = copy.manifest(name)
    return _Found(name, came.data, manifest)


def _config(copy: Copy, found: _Found, asked: GeneSetId, *, moves: bool) -> GeneSetConfig:
    where = copy.names.reference(found.name)
    data = copy.blob(found.name, found.manifest.config, MOST_CONFIG)
    return read_config(data, found.manifest, where, asked=asked, moves=moves)


def _moving(
    copy: Copy, rules: TagRules, name: RegistryName, geneset: GeneSetId
) -> Iterator[GeneSetId]:
    """The moving tags of the same set that the registry has."""
    for tag in copy.registry.list_tags(name.repository):
        found = copy.names.geneset(name._replace(tag=tag))
        if found is None or found.without_tag != geneset.without_tag:
            continue
        if rules.moves(found.tag):
            yield found


def put_signed(copy: Copy, name: RegistryName, manifest: bytes) -> None:
    """Replace the manifest of a tag by one with the same content. Raises RegistryError.

    Elsewhere the same content is as good; here it is not, for it lacks the signature.
    """
    try:
        copy.registry.put_manifest(name.repository, name.tag, manifest)
    except TagImmutableError as fault:
        help_text = "sign when you push: `eryphc gene push PATH --sign KEY`"
        raise RegistryError(fault.diagnostic._replace(help=help_text)) from None
    there = copy.registry.get_manifest(name.repository, name.tag)
    if there.digest != digest_of(manifest):
        raise _overtaken(copy, name)


def _overtaken(copy: Copy, name: RegistryName) -> RegistryError:
    return RegistryError(wording.overtaken(copy.registry.place(name.repository), name.tag))
