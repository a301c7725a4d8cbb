"""`gene deprecate`: say of a published tag that it should not be used any more.

It is said in the index of the pool and in a statement beside the tag. Nothing is deleted.
Source: docs/reference/gene-set-images.md, "Deprecation".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eryphc.answers import Result
from eryphc.diagnostics import command, pools
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.diagnostics.words import cleaned
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.frozen import FrozenMap
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.faults import RegistryError
from eryphc.genepool.oci.resigning import Sign
from eryphc.genepool.oci.statements import put_deprecation, statement_tag
from eryphc.genepool.pool_index import MOST_REASON, Deprecation, IndexedSet
from eryphc.identifiers import GeneSetId
from eryphc.sharing.indexing import entered
from eryphc.sharing.registries import Target, target_of
from eryphc.syntax.identifiers import parse_gene_set

if TYPE_CHECKING:
    from eryphc.session import Session


class Deprecated(Result):
    """A tag that was deprecated: its identity, and the `reference` of the statement on it.

    `changed`: the registry did not say the same before.
    """

    def __init__(
        self,
        geneset: GeneSetId,
        digest: str,
        reference: str,
        found: list[ShownDiagnostic],
        *,
        changed: bool,
    ) -> None:
        super().__init__(found)
        self.geneset = str(geneset)
        self.digest = digest
        self.reference = reference
        self.changed = changed


def deprecate(
    session: Session,
    geneset: str,
    *,
    reason: str,
    use: str | None = None,
    to: str | None = None,
    index: bool = True,
    sign: Sign | None = None,
) -> Deprecated:
    """Deprecate a tag, given as `ORG/SET/TAG`: why, and what to use instead.

    `to` and `sign` as in `push`. Raises `EryphcError`.
    """
    subject = _named(geneset)
    instead = None if use is None else _named(use)
    said = Deprecation(None if instead is None else str(instead), cleaned(reason, MOST_REASON))
    if not said.reason:
        raise EryphcError.of(Failure.USAGE, command.bad_option_value("--reason", "it is empty"))
    if instead == subject:
        reason_of_use = "it is the tag that is deprecated"
        raise EryphcError.of(Failure.USAGE, command.bad_option_value("--use", reason_of_use))
    target = target_of(session, to, {subject})
    fault = target.not_for(subject)
    if fault is not None:
        raise EryphcError.of(Failure.INPUT, fault)
    found: list[ShownDiagnostic] = []
    config = _published(target, subject)
    if instead is not None:
        found += _unresolved(session, target, instead)
    try:
        changed = stated(target, subject, config.identity, said, sign)
    except RegistryError as fault_of_registry:
        raise EryphcError.of(Failure.OUTSIDE, fault_of_registry.diagnostic) from None

    def enter(name: str, entry: IndexedSet | None) -> IndexedSet | None:  # noqa: ARG001
        if entry is None:
            return None
        return entry._replace(deprecated=FrozenMap({**entry.deprecated, subject.tag: said}))

    kept = entered(target, {subject.without_tag}, enter) if index else None
    found += show(each for each in (*session.overheard(), kept) if each is not None)
    names = target.settings.names
    place = names.name(subject)._replace(tag=statement_tag(config.identity))
    return Deprecated(subject, config.identity, names.reference(place), found, changed=changed)


def stated(
    target: Target,
    geneset: GeneSetId,
    identity: str,
    said: Deprecation,
    sign: Sign | None = None,
) -> bool:
    """Put the statement beside a tag; whether it was not there. Raises RegistryError."""
    names = target.settings.names
    copy = Copy(names, target.registry)
    changed = put_deprecation(copy, names.name(geneset), geneset, identity, said, sign)
    target.pool.notices.forget(geneset, identity)
    return changed


def stated_all(
    target: Target,
    said: Mapping[GeneSetId, Deprecation],
    identities: Mapping[GeneSetId, str],
    sign: Sign | None = None,
) -> tuple[Diagnostic, ...]:
    """Put the statements of source trees beside tags; what kept one from being said."""
    for geneset, each in said.items():
        identity = identities.get(geneset)
        try:
            if identity is not None:
                stated(target, geneset, identity, each, sign)
        except RegistryError as fault:
            return (fault.diagnostic,)
    return ()


def _published(target: Target, geneset: GeneSetId) -> GeneSetConfig:
    """What the registry has under a tag, which must not be an alias. Raises EryphcError."""
    with target.pool.opened():
        tag = target.pool.find(geneset)
        fetched = target.pool.fetched(geneset)
        near = target.pool.neighbours(geneset) if tag is None else pools.NO_NEIGHBOURS
    if tag is None:
        labels = target.pool.labels()
        fault = pools.gene_set_not_found(geneset, None, near, labels)
        raise EryphcError.of(Failure.INPUT, fault)
    if tag.value is None or fetched is None:
        shown = show(tag.diagnostics)
        raise EryphcError(failure_of(shown) or Failure.OUTSIDE, shown)
    content = fetched.config.id
    if content != geneset:
        reason = f"it is another name of `{content}`; deprecate that"
        raise EryphcError.of(Failure.INPUT, command.gene_unknown(str(geneset), reason))
    return fetched.config


def _unresolved(session: Session, target: Target, geneset: GeneSetId) -> list[ShownDiagnostic]:
    """A warning where nobody has what is to be used instead."""
    chain = session.with_pools([target.owner]).pools()
    session.opener.acquire((geneset,), chain)
    if chain.find(geneset) is not None:
        return []
    fault = pools.gene_set_not_found(geneset, None, chain.neighbours(geneset), chain.labels())
    return [each._replace(level=Level.WARNING) for each in show((fault,))]


def _named(text: str) -> GeneSetId:
    parsed = parse_gene_set(text.removeprefix("gene:"))
    if not isinstance(parsed, GeneSetId) or text.count("/") != 2:
        reason = "a tag is given as ORGANIZATION/SET/TAG"
        if not isinstance(parsed, GeneSetId):
            reason = parsed.message
        raise EryphcError.of(Failure.USAGE, command.gene_unknown(text, reason))
    return parsed
