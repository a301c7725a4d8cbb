"""`gene push`: tags of authors and of image layouts into a registry.

All is looked at before anything is sent. Then tag after tag is published, so that a push that stops
leaves each tag as it was or complete; repeating it is safe.
Source: docs/sharing.md, "What push does".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eryphc.answers import Result
from eryphc.authoring.indexing import deprecations_of, with_published
from eryphc.authoring.packing import Packed, packed_all
from eryphc.authoring.pushing import (
    Publication,
    broken,
    compared_with,
    images_in,
    planned,
    with_aliases,
)
from eryphc.authoring.sources import AuthoredTag, tags_in
from eryphc.canonical import digest_of
from eryphc.changes.log import NOTHING, ChangeLog, Side, change_log, set_changes
from eryphc.diagnostics import publishing as wording
from eryphc.diagnostics.model import Diagnostic, Level, has_errors
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import TagContents
from eryphc.genepool.layout import OciLayout, is_layout
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.publishing import (
    There,
    identity_of,
    put_alias,
    send,
    size_of,
    what_is_there,
)
from eryphc.genepool.oci.resigning import Sign, put_signed
from eryphc.genepool.pinned import PinnedTag
from eryphc.genepool.pool_index import Deprecation, IndexedSet
from eryphc.identifiers import GeneSetId
from eryphc.sharing.authors import findings_of, with_targets
from eryphc.sharing.deprecating import stated_all
from eryphc.sharing.indexing import entered
from eryphc.sharing.registries import Target, target_of
from eryphc.source import shown_path
from eryphc.syntax.identifiers import parse_gene_set

if TYPE_CHECKING:
    from eryphc.session import Session


class PushedSet(NamedTuple):
    """A tag in the registry. `reference` is `host/repository:tag`, `manifest` the digest of the
    manifest there, `digest` the identity.

    `status` is `pushed` or `unchanged`, with `dry_run` `planned` or `unchanged`. `size` are the
    bytes that were sent, or at most would be.
    """

    geneset: str
    tag: str
    reference: str
    manifest: str
    digest: str
    status: str
    aliases: tuple[str, ...]
    size: int

    @property
    def data(self) -> dict[str, Any]:
        """The tag as `gene push --format json` prints it."""
        data = {**self._asdict(), "aliases": list(self.aliases)}
        data["bytes"] = data.pop("size")
        return data


class Pushed(Result):
    """What a push did. After an error `sets` are the tags that were complete before it.

    `log` is what differs from the tags that users have now.
    """

    def __init__(
        self, sets: Sequence[PushedSet], log: ChangeLog, found: Sequence[ShownDiagnostic]
    ) -> None:
        super().__init__(dict.fromkeys(found))
        self.sets = tuple(sets)
        self.log = log


def push(
    session: Session,
    paths: Sequence[str | os.PathLike[str]],
    *,
    to: str | None = None,
    dry_run: bool = False,
    breaking: bool = False,
    replace: bool = False,
    index: bool = True,
    sign: Sign | None = None,
    sign_statements: Sign | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Pushed:
    """Publish tags, each given as its folder, that of its set, or an image layout.

    `to` is the name of a pool or an address `oci://HOST/PREFIX`; without it the pool that owns the
    sets. `breaking` takes interfaces that break, `replace` fixed tags with other content. With
    `index` the list of the pool's gene sets is kept. With `dry_run` nothing is sent. `sign` signs
    tags, `sign_statements` what source trees say against tags (`signing_with` makes both).
    `progress` hears of a tag with disks how many of their bytes of how many the registry has.
    Raises `EryphcError` where nothing can be done at all.
    """
    tags, images, found = _opened(paths)
    target = target_of(session, to, {each.id for each in images})
    foreign = [fault for each in images if (fault := target.not_for(each.id)) is not None]
    rules = target.settings.rules
    plan = planned(images, target.settings.names, rules)
    found += show((*foreign, *plan.diagnostics))
    found += findings_of(session, tags, [target.owner], rules)
    found += _unresolved(session, images, target)
    work = _Work(target, sign, breaking=breaking, replace=replace, progress=progress)
    if plan.value is None or _failed(found):
        return Pushed((), work.log(), [*found, *show(session.overheard())])
    steps: list[_Step] = []
    try:
        for each in plan.value:
            steps.append(work.looked_at(each))
            found += show(steps[-1].found)
        done = [] if _failed(found) else _carried_out(work, steps, found, dry_run=dry_run)
    except RegistryError as fault:
        found += show((fault.diagnostic,))
        done = []
    if done and index and not dry_run:
        packed = [step.plan.packed for step in steps[: len(done)]]
        found += show(_entered(target, packed, tags, sign_statements))
    return Pushed(done, work.log(), [*found, *show(session.overheard())])


def _failed(found: Sequence[ShownDiagnostic]) -> bool:
    return any(each.level is Level.ERROR for each in found)


def _carried_out(
    work: _Work, steps: Sequence[_Step], found: list[ShownDiagnostic], *, dry_run: bool
) -> list[PushedSet]:
    """Publish tag after tag; after a fault those before it stay."""
    done: list[PushedSet] = []
    for step in steps:
        if dry_run:
            done.append(work.described(step))
            continue
        try:
            pushed, notes = work.published(step)
        except RegistryError as fault:
            found += show((fault.diagnostic,))
            break
        found += show(notes)
        done.append(pushed)
    return done


def _entered(
    target: Target, made: Sequence[Packed], tags: Sequence[AuthoredTag], sign: Sign | None
) -> Sequence[Diagnostic]:
    """Let the index say what was published, and say what source trees say against tags."""
    said = _said({each.id.without_tag for each in made}, tags)
    identities: dict[GeneSetId, str] = {}

    def enter(name: str, entry: IndexedSet | None) -> IndexedSet | None:
        for each in made:
            if each.id.without_tag == name:
                entry = with_published(entry, each)
        if entry is None:
            return None
        deprecated = dict(entry.deprecated)
        for geneset, words in said.items():
            tag = entry.tags.get(geneset.tag)
            if geneset.without_tag == name and tag is not None and tag.digest is not None:
                deprecated[geneset.tag] = words
                identities[geneset] = tag.digest
        return entry._replace(deprecated=FrozenMap(deprecated))

    fault = entered(target, {each.id.without_tag for each in made}, enter)
    found = () if fault is None else (fault,)
    return (*found, *stated_all(target, said, identities, sign))


def _said(names: Collection[str], tags: Sequence[AuthoredTag]) -> dict[GeneSetId, Deprecation]:
    """What the source trees of these sets say against tags of theirs."""
    found: dict[GeneSetId, Deprecation] = {}
    for tag in tags:
        if tag.id.without_tag in names:
            said = deprecations_of(tag.id.without_tag, tag.facts)
            found |= {tag.id._replace(tag=other): words for other, words in said.items()}
    return found


# -- what is published ------------------------------------------------------------------------


def _opened(
    paths: Sequence[str | os.PathLike[str]],
) -> tuple[list[AuthoredTag], list[Packed], list[ShownDiagnostic]]:
    """The tags of all paths, their images, and what is said of them. Raises EryphcError."""
    tags: list[AuthoredTag] = []
    found: list[Diagnostic] = []
    images: list[Packed] = []
    for path in map(Path, paths):
        if is_layout(path):
            read = images_in(OciLayout(path, shown_path(path)))
            found += read.diagnostics
            tags += (tag for tag, _ in read.value or ())
            images += (image for _, image in read.value or ())
            continue
        opened = tags_in(path)
        found += opened.diagnostics
        if opened.value is not None:
            whole = with_aliases(with_targets(opened.value))
            made = packed_all(whole)
            found += made.diagnostics
            tags += whole
            images += made.value or ()
    if has_errors(found) or not images:
        shown = show(found)
        raise EryphcError(failure_of(shown) or Failure.INPUT, shown)
    once = {each.id: each for each in images}
    return list({tag.id: tag for tag in tags}.values()), list(once.values()), list(show(found))


def _unresolved(
    session: Session, images: Sequence[Packed], target: Target
) -> list[ShownDiagnostic]:
    """Warnings for what tags stand for and no pool has. Compiling finds it for genes."""
    from eryphc.diagnostics.pools import gene_set_not_found

    ours = {name for each in images for name in (each.id, *each.aliases)}
    found: list[ShownDiagnostic] = []
    for each in images:
        ref = None if each.contents.ref is None else parse_gene_set(each.contents.ref)
        if not isinstance(ref, GeneSetId) or ref in ours:
            continue
        chain = session.with_pools([target.owner]).pools()
        session.opener.acquire((ref,), chain)
        tag = chain.find(ref)
        if tag is None:
            fault = gene_set_not_found(ref, None, chain.neighbours(ref), chain.labels())
            found += (each._replace(level=Level.WARNING) for each in show((fault,)))
    return found


# -- in the registry --------------------------------------------------------------------------


class _Step(NamedTuple):
    """A tag, what is there under its name, and what that says."""

    plan: Publication
    there: There | None
    found: tuple[Diagnostic, ...] = ()

    @property
    def is_same(self) -> bool:
        return self.there is not None and self.there.identity == self.plan.packed.image.identity


class _Work:
    """One push to one registry."""

    def __init__(
        self,
        target: Target,
        sign: Sign | None,
        *,
        breaking: bool,
        replace: bool,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self._target = target
        self._registry = target.registry
        self._names = target.settings.names
        self._sign = sign
        self._breaking = breaking
        self._replace = replace
        self._progress = progress
        self._compared: list[tuple[TagContents | None, TagContents]] = []

    def log(self) -> ChangeLog:
        """What differs from the tags that the new ones were compared with."""
        changes = []
        for before, after in self._compared:
            old = NOTHING if before is None else Side(before)
            changes.append(set_changes(after.id.without_tag, old, Side(after)))
        return change_log(changes)

    # -- before anything is sent ------------------------------------------------------------

    def looked_at(self, plan: Publication) -> _Step:
        """What the registry has under the name, and what is wrong with publishing there.

        Raises RegistryError.
        """
        there = what_is_there(self._registry, plan.name)
        step = _Step(plan, there)
        if step.is_same:
            return step
        moves = self._target.settings.rules.moves(plan.id.tag)
        if there is not None and not moves and not self._replace:
            reference = self._names.reference(plan.name)
            identity = plan.packed.image.identity
            return step._replace(found=(wording.tag_taken(reference, identity, there.words),))
        return step._replace(found=tuple(self._interface(step)))

    def _interface(self, step: _Step) -> Sequence[Diagnostic]:
        """Compares with what is replaced, or the newest tag that users of this version have."""
        plan = step.plan
        ours = plan.packed.contents
        if ours.ref is not None:
            return ()
        if step.there is not None and step.there.identity is not None:
            wanted: str | None = plan.id.tag
        else:
            wanted = compared_with(plan.id, self._tags_of(plan), self._target.settings.rules)
        if wanted is None:
            self._compared.append((None, ours))
            return ()
        with self._target.pool.opened():
            found = self._target.pool.find(plan.id._replace(tag=wanted))
        if found is None:
            return ()
        # Unlike what a build reads of a tag, an image has its documents too.
        contents = found.value.contents() if isinstance(found.value, PinnedTag) else None
        if contents is None or contents.value is None:
            # What is replaced, or broken with consent, need not be a gene set.
            if self._replace or self._breaking:
                return ()
            return found.diagnostics if contents is None else contents.diagnostics
        self._compared.append((contents.value, ours))
        fault = broken(contents.value, ours)
        return () if fault is None or self._breaking else (fault,)

    def _tags_of(self, plan: Publication) -> list[str]:
        """The tags of the same set that the registry has."""
        try:
            listed = self._registry.list_tags(plan.name.repository)
        except NotThereError:
            return []
        named = (self._names.geneset(plan.name._replace(tag=tag)) for tag in listed)
        return [each.tag for each in named if each and each.without_tag == plan.id.without_tag]

    def described(self, step: _Step) -> PushedSet:
        """What publishing a tag would do."""
        made = step.plan.packed
        if step.is_same and step.there is not None and self._sign is None:
            return self._pushed(step, step.there.manifest, "unchanged", 0)
        return self._pushed(step, made.manifest, "planned", size_of(made.image, made.manifest))

    # -- publishing -------------------------------------------------------------------------

    def published(self, step: _Step) -> tuple[PushedSet, tuple[Diagnostic, ...]]:
        """Publish a tag and its aliases. Raises RegistryError."""
        image = step.plan.packed.image
        status, size, notes = "pushed", 0, tuple[Diagnostic, ...]()
        if step.is_same and step.there is not None:
            manifest = self._signed(step.there.manifest, image.config)
            if manifest == step.there.manifest:
                status = "unchanged"
            else:
                put_signed(Copy(self._names, self._registry), step.plan.name, manifest)
                size = len(manifest)
        else:
            sent = send(
                self._registry,
                step.plan.name,
                image,
                self._signed(step.plan.packed.manifest, image.config),
                step.plan.packed.blobs,
                None if self._progress is None else partial(self._progress, str(step.plan.id)),
            )
            manifest, size, notes = sent.manifest, sent.size, sent.notes
        for _, name in step.plan.aliases:
            size += put_alias(self._registry, name, manifest)
        for geneset in (step.plan.id, *(alias for alias, _ in step.plan.aliases)):
            self._target.pool.notices.forget(geneset, image.identity)
        return self._pushed(step, manifest, status, size), notes

    def _signed(self, manifest: bytes, config: bytes) -> bytes:
        return manifest if self._sign is None else self._sign(manifest, config)

    def _pushed(self, step: _Step, manifest: bytes, status: str, size: int) -> PushedSet:
        plan = step.plan
        return PushedSet(
            geneset=plan.id.without_tag,
            tag=plan.id.tag,
            reference=self._names.reference(plan.name),
            manifest=digest_of(manifest),
            digest=identity_of(manifest),
            status=status,
            aliases=tuple(alias.tag for alias, _ in plan.aliases),
            size=size,
        )
