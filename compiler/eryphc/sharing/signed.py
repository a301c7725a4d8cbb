"""Signatures of gene sets in registries: `gene sign`, and what `gene push` signs with.

Source: docs/signing.md, "Sign what you publish".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eryphc.answers import Result
from eryphc.canonical import digest_of
from eryphc.diagnostics import command, pools
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.genepool.image import ImageType
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.resigning import Signed, sign_there
from eryphc.genepool.registry_names import NameFaultError
from eryphc.genepool.signatures import namespace, signed_manifest
from eryphc.request import must_be
from eryphc.sharing.registries import target_of
from eryphc.signing import SigningError, sign
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.session import Session


class Signing:
    """Signs with a private key, or with the one in an agent whose public half `key` is.

    The key is tried at once, so that nothing is published that cannot be signed. All raise
    `EryphcError`.
    """

    def __init__(self, key: str | os.PathLike[str]) -> None:
        self._key = Path(key)
        try:
            sign(b"", self._key, namespace(ImageType.GENE_SET))
        except SigningError as fault:
            raise _unsigned(fault) from None

    def __repr__(self) -> str:
        return "Signing()"

    def gene_set(self, manifest: bytes, config: bytes) -> bytes:
        """The manifest of a gene set with a signature; as it is where it has that one."""
        return self._signed(manifest, config, ImageType.GENE_SET)

    def statement(self, manifest: bytes, config: bytes) -> bytes:
        """The same of a statement on a gene set."""
        return self._signed(manifest, config, ImageType.DEPRECATION)

    def _signed(self, manifest: bytes, config: bytes, type_: ImageType) -> bytes:
        try:
            return signed_manifest(manifest, config, self._key, "the image", type_)
        except SigningError as fault:
            raise _unsigned(fault) from None
        except ImageError as fault:
            raise _failed(fault.diagnostic) from None


class SignedSet(Result):
    """A gene set that is signed now.

    `reference` is `host/repository:tag`, `manifest` the digest of the manifest there, `digest` the
    identity. `aliases` are other tags that have the manifest. `status` is `signed`, or
    `unchanged` where the key had signed all of them before.
    """

    def __init__(self, signed: Signed, reference: str) -> None:
        super().__init__(())
        first, *others = signed.tags
        self.geneset = first.without_tag
        self.tag = first.tag
        self.reference = reference
        self.manifest = digest_of(signed.manifest)
        self.digest = signed.config.identity
        self.status = "signed" if signed.sent else "unchanged"
        self.aliases = tuple(each.tag for each in others)

    @property
    def data(self) -> dict[str, Any]:
        """The gene set as `gene sign --format json` prints it."""
        return {
            "geneset": self.geneset,
            "tag": self.tag,
            "reference": self.reference,
            "manifest": self.manifest,
            "digest": self.digest,
            "status": self.status,
            "aliases": list(self.aliases),
        }


def sign_set(
    session: Session, name: str, key: str | os.PathLike[str], *, to: str | None = None
) -> SignedSet:
    """Sign a gene set, `ORG/SET[/TAG]`, in a registry.

    `to` is the name of a pool or an address `oci://HOST/PREFIX`; without it the pool that owns the
    set. Raises `EryphcError`.
    """
    must_be("the name", name, str)
    geneset = parse_gene_set(name.removeprefix("gene:"))
    if isinstance(geneset, NameFault):
        raise EryphcError.of(Failure.USAGE, command.gene_unknown(name, geneset.message))
    target = target_of(session, to, {geneset})
    copy = Copy(target.settings.names, target.registry)
    signing = Signing(key)
    try:
        signed = sign_there(copy, target.settings.rules, geneset, signing.gene_set)
    except NotThereError:
        label = target.settings.label
        fault = pools.gene_set_not_found(geneset, None, pools.NO_NEIGHBOURS, (label,))
        raise EryphcError.of(Failure.INPUT, fault) from None
    except (RegistryError, ImageError, NameFaultError) as fault:
        raise _failed(fault.diagnostic) from None
    return SignedSet(signed, copy.names.reference(signed.name))


def _unsigned(fault: SigningError) -> EryphcError:
    failure = Failure.OUTSIDE if fault.outside else Failure.INPUT
    return EryphcError.of(failure, fault.diagnostic)


def _failed(diagnostic: Diagnostic) -> EryphcError:
    found = show((diagnostic,))
    return EryphcError(failure_of(found) or Failure.INPUT, found)
