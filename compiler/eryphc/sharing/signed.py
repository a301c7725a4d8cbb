"""`gene sign`: a signature for a gene set that a registry has.

Source: docs/signing.md, "Sign what you publish".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eryphc.answers import Result
from eryphc.canonical import digest_of
from eryphc.diagnostics import command, pools
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.resigning import Sign, Signed, sign_there
from eryphc.genepool.registry_names import NameFaultError
from eryphc.genepool.signatures import signed_manifest
from eryphc.identifiers import GeneSetId
from eryphc.request import must_be
from eryphc.signing import SigningError
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

if TYPE_CHECKING:
    from eryphc.project.remotes import RegistrySettings
    from eryphc.session import Session


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


def signing_with(key: str | os.PathLike[str]) -> Sign:
    """What signs manifests with a key: the private one, or the public half of one in an agent."""
    path = Path(key)

    def sign(manifest: bytes, config: bytes, where: str) -> bytes:
        return signed_manifest(manifest, config, path, where)

    return sign


def sign_set(session: Session, name: str, key: str | os.PathLike[str]) -> SignedSet:
    """Sign a gene set, `ORG/SET[/TAG]`, in the registry of the first pool that owns it.

    Raises `EryphcError`.
    """
    must_be("the name", name, str)
    geneset = parse_gene_set(name.removeprefix("gene:"))
    if isinstance(geneset, NameFault):
        raise EryphcError.of(Failure.USAGE, command.gene_unknown(name, geneset.message))
    settings = _settings(session, geneset)
    network = session.opener.network()
    if network.offline:
        raise EryphcError.of(Failure.INPUT, wording.offline(f"the pool `{settings.label}`"))
    copy = network.copies(settings._replace(mirrors=()))[0]
    try:
        signed = sign_there(copy, settings.rules, geneset, signing_with(key))
    except NotThereError:
        fault = pools.gene_set_not_found(geneset, None, (), (), (settings.label,))
        raise EryphcError.of(Failure.INPUT, fault) from None
    except SigningError as fault:
        failure = Failure.OUTSIDE if fault.outside else Failure.INPUT
        raise EryphcError.of(failure, fault.diagnostic) from None
    except (RegistryError, ImageError, NameFaultError) as fault:
        raise _failed(fault.diagnostic) from None
    return SignedSet(signed, copy.names.reference(signed.name))


def _settings(session: Session, geneset: GeneSetId) -> RegistrySettings:
    """The registry of the first pool in one that owns a gene set. Raises EryphcError."""
    for pool in session.pools().owners(geneset):
        settings = session.opener.registry_of(pool)
        if settings is not None:
            return settings
    reason = f"no pool in a registry is for `{geneset.organization}`"
    raise EryphcError.of(Failure.INPUT, command.gene_unknown(str(geneset), reason))


def _failed(diagnostic: Diagnostic) -> EryphcError:
    found = show((diagnostic,))
    return EryphcError(failure_of(found) or Failure.INPUT, found)
