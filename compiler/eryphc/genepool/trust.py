"""What a project asks of gene sets before their content is used: who must have signed them.

A gene set that was checked leaves a sealed note, so that the next build runs no program. A note
only saves time: where it cannot be read or written, everything is checked again.
Source: docs/signing.md, "What is checked, and when".
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from eryphc.canonical import NotCanonicalError, canonical, digest_of, read_canonical
from eryphc.diagnostics import sharing as wording
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.frozen import NamedTuple
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.image import ImageType
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.model import GeneSetTag
from eryphc.identifiers import GeneSetId
from eryphc.source import Span
from eryphc.store.faults import StoreError

if TYPE_CHECKING:
    from eryphc.store.content import Store
    from eryphc.store.seals import Seals

ALL: Final = ("*",)


class NotTrustedError(ImageError):
    """An image is what it should be, and the project does not trust it: E1022, E1023."""


class Admit(Protocol):
    """Decides whether content may enter the store or be used: the trust policy of a project.

    `where` names the copy, `manifest` is what it was found with, None for a form without one. Gives
    who signed it and with which key, as a lock has it; None where nobody had to. Raises ImageError.
    """

    def __call__(self, config: GeneSetConfig, manifest: bytes | None, where: str) -> str | None: ...


def admit_all(config: GeneSetConfig, manifest: bytes | None, where: str) -> str | None:  # noqa: ARG001
    """The policy of a project that asks for nothing."""
    return None


class Rule(NamedTuple):
    """What is asked of the gene sets of some organizations, which are globs.

    `keys` is the text of the file of allowed signers, None where nothing is asked; `called` is what
    messages call the file. `signers` are globs of the principals in it who are believed. `place` is
    where the project file asks.
    """

    organizations: tuple[str, ...]
    keys: bytes | None = None
    signers: tuple[str, ...] = ALL
    called: str = "keys"
    place: Span | None = None

    def covers(self, geneset: GeneSetId) -> bool:
        name = geneset.organization
        return any(fnmatchcase(name, glob.lower()) for glob in self.organizations)

    @property
    def digest(self) -> str:
        """What a note says that it was checked by. Another key or signer makes another policy."""
        data = {
            "keys": digest_of(self.keys or b""),
            "orgs": list(self.organizations),
            "require": "none" if self.keys is None else "signature",
            "signers": list(self.signers),
        }
        return digest_of(canonical(data))


class Notes:
    """The notes of a store. What cannot be read is as good as missing."""

    def __init__(self, store: Callable[[], Store], seals: Callable[[], Seals]) -> None:
        self._open_store = store
        self._open_seals = seals

    @cached_property
    def _opened(self) -> tuple[Store, Seals] | None:
        try:
            return self._open_store(), self._open_seals()
        except StoreError:
            return None

    def signer(self, identity: str, policy: str) -> str | None:
        """Who signed a gene set, by a note of this identity and policy whose seal is good."""
        if self._opened is None:
            return None
        from eryphc.store.seals import TRUST_NOTE

        store, seals = self._opened
        try:
            sealed = store.note(identity, policy)
            body = None if sealed is None else seals.opened(TRUST_NOTE, sealed)
            note: Any = None if body is None else read_canonical(body)
        except (StoreError, NotCanonicalError):
            return None
        if not isinstance(note, dict) or set(note) != {"identity", "key", "policy", "principal"}:
            return None
        if (note["identity"], note["policy"]) != (identity, policy):
            return None
        return _signed(note["principal"], note["key"])

    def write(self, identity: str, policy: str, principal: str, key: str) -> None:
        if self._opened is None:
            return
        from eryphc.store.seals import TRUST_NOTE

        store, seals = self._opened
        note = {"identity": identity, "key": key, "policy": policy, "principal": principal}
        try:
            store.put_note(identity, policy, seals.sealed(TRUST_NOTE, canonical(note)))
        except StoreError:
            return


class Policy:
    """The rules of a project, of which the first that covers an organization counts.

    `folder` is that of the project: who can write below it can write the policy too.
    """

    def __init__(self, folder: Path, rules: tuple[Rule, ...], notes: Notes) -> None:
        self.folder = folder
        self.rules = rules
        self._notes = notes

    def rule(self, geneset: GeneSetId) -> Rule | None:
        """The rule that asks for signatures of a gene set, None where nothing is asked."""
        first = next((rule for rule in self.rules if rule.covers(geneset)), None)
        return None if first is None or first.keys is None else first

    def admit(self, config: GeneSetConfig, manifest: bytes | None, where: str) -> str | None:
        """An `Admit`. Raises NotTrustedError, and ImageError where nothing can be checked."""
        rule = self.rule(config.id)
        if rule is None:
            return None
        policy = rule.digest
        known = self._notes.signer(config.identity, policy)
        if known is not None:
            return known
        if manifest is None:
            raise NotTrustedError(wording.signature_impossible(where, rule.place))
        principal, key = _checked(rule, config.data, manifest, ImageType.GENE_SET, config.id, where)
        self._notes.write(config.identity, policy, principal, key)
        return _signed(principal, key)

    def believes(
        self, geneset: GeneSetId, type_: ImageType, config: bytes, manifest: bytes, where: str
    ) -> bool:
        """Whether a document about a gene set, such as its deprecation, is signed as asked.

        `config` and `manifest` are those of the image around it.
        """
        rule = self.rule(geneset)
        try:
            return rule is None or bool(_checked(rule, config, manifest, type_, geneset, where))
        except ImageError:
            return False

    def folder_pool(self, pool: FolderPool) -> FolderPool:
        """A pool in a folder as it may be used: whole if it is committed with the policy."""
        own = pool.root.resolve().is_relative_to(self.folder.resolve())
        return pool if own else RefusedFolder(pool, self)


class RefusedFolder(FolderPool):
    """A folder of others, where nothing can be signed: what a policy asks for is not used."""

    def __init__(self, pool: FolderPool, policy: Policy) -> None:
        super().__init__(pool.root, pool.label, noting=pool.noting)
        self._policy = policy

    def _find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        found = super()._find(geneset)
        rule = self._policy.rule(geneset)
        if found is None or rule is None:
            return found
        return Outcome(None, (wording.folder_unsigned(geneset, self.label, rule.place),))


def is_refusal(diagnostic: Diagnostic) -> bool:
    """Whether a finding says that a project does not trust a gene set."""
    return diagnostic.code in (wording.SIGNATURE_MISSING, wording.SIGNATURE_WRONG)


def _checked(
    rule: Rule,
    config: bytes,
    manifest: bytes,
    type_: ImageType,
    geneset: GeneSetId,
    where: str,
) -> tuple[str, str]:
    """Principal and key of the first signature that counts. Raises ImageError."""
    from eryphc import signing
    from eryphc.genepool.signatures import namespace, signatures_of

    reasons: list[str] = []
    intact = True
    for signature in signatures_of(manifest, where):
        try:
            checked = signing.check(
                config,
                signature,
                rule.keys or b"",
                namespace(type_),
                rule.signers,
                called=rule.called,
            )
        except signing.SigningError as fault:
            raise ImageError(fault.diagnostic) from None
        if checked.principal is not None:
            return checked.principal, checked.key
        intact = intact and checked.intact
        by = f"{checked.key}: " if checked.key else ""
        reasons.append(f"{by}{checked.reason}")
    if not reasons:
        raise NotTrustedError(wording.signature_missing(where, geneset, rule.place))
    if not intact:
        raise NotTrustedError(wording.signature_wrong(where, reasons, rule.place))
    raise NotTrustedError(wording.signature_untrusted(where, reasons, rule.place))


def _signed(principal: object, key: object) -> str | None:
    """Signer and key in one line, as a lock has them."""
    if not isinstance(principal, str) or not isinstance(key, str):
        return None
    return f"{principal} {key}"
