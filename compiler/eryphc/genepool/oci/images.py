"""Gene sets of one pool of a registry, checked and put into the store.

Source: docs/reference/gene-set-images.md, "Reading an image".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from eryphc.canonical import digest_of
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.pools import NO_NEIGHBOURS, Neighbours
from eryphc.genepool.disk_layers import DiskSource
from eryphc.genepool.image import MOST_CONFIG, PushedVolume
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import (
    ImageError,
    ImageManifest,
    contents_with,
    read_config,
    read_manifest,
    read_texts,
    stored_config,
)
from eryphc.genepool.layer_blobs import MOST_LAYER_BLOB
from eryphc.genepool.oci.copies import ContentMissingError, Copy
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.lately import Lately
from eryphc.genepool.registry_names import (
    NameFaultError,
    RegistryName,
    RegistryNames,
    TagRules,
    shown_tags,
)
from eryphc.genepool.remote import Fetched
from eryphc.genepool.trust import Admit, NotTrustedError
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry
from eryphc.store.faults import StoreError
from eryphc.store.metadata import Key, tag_key

if TYPE_CHECKING:
    from eryphc.store.content import Store

_MOST_TEXT: Final = 16 * 1024 * 1024
_FAULTS: Final = (RegistryError, ImageError, NameFaultError, StoreError)


class Images:
    """The gene sets of a pool. `store` opens the store, `connect` the pool's registry and then its
    mirrors; neither is called before it is needed. `lately` is what registries said in the last
    minutes. `offline`: no registry is asked."""

    def __init__(
        self,
        label: str,
        names: RegistryNames,
        rules: TagRules,
        store: Callable[[], Store],
        connect: Callable[[], Sequence[Copy]],
        lately: Lately,
        admit: Admit,
        *,
        offline: bool,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self._label = label
        self._names = names
        self._rules = rules
        self._store = store
        self._connect = connect
        self._lately = lately
        self._trace = trace
        self._failed_mirrors: set[str] = set()
        self._admit = admit
        self._offline = offline

    def text(self, digest: str) -> bytes | None:
        try:
            return self._store().blob(digest)
        except StoreError:
            return None

    def manifest(self, identity: str) -> bytes | None:
        try:
            return self._store().manifest(identity)
        except StoreError:
            return None

    def disk(self, config: GeneSetConfig, disk: PushedVolume) -> DiskSource:
        """Where a disk of a gene set can be had."""
        from eryphc.genepool.oci.disks import RegistryDisk

        found = self.manifest(config.identity)
        manifest = None if found is None else digest_of(found)
        return RegistryDisk(self._connect, config, disk, manifest, offline=self._offline)

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        if self._offline:
            return NO_NEIGHBOURS
        try:
            copy = self._connect()[0]
            listed = copy.registry.list_tags(copy.names.name(geneset).repository)
            name = copy.names.name(geneset)
        except NotThereError as missing:
            return Neighbours(hosts=(missing.place.host,) if missing.anonymous else ())
        except (RegistryError, NameFaultError):
            return NO_NEIGHBOURS
        found = (copy.names.geneset(name._replace(tag=tag)) for tag in shown_tags(listed))
        return Neighbours(tuple(sorted(each.tag for each in found if each is not None)))

    def by_tag(self, geneset: GeneSetId) -> Outcome[Fetched] | None:
        if self._offline:
            what = f"the gene set `{geneset}` of the pool `{self._label}`"
            return Outcome(None, (wording.offline(what, wording.LOCK_FIRST),))
        try:
            name = self._names.name(geneset)
            moves = self._rules.moves(geneset.tag)
            key = tag_key(self._names.host, name.repository, name.tag, moving=moves)
            try:
                at_hand = self._remembered(key, geneset)
            except NotTrustedError:
                # It may have been signed since it was stored.
                at_hand = None
            if at_hand is not None:
                return Outcome(at_hand)
            fetched = self._fetched(self._connect()[0], name, name.tag, geneset)
            self._lately.remember(key, fetched.manifest or "", fetched.config.identity)
            return Outcome(fetched)
        except NotThereError:
            return None
        except _FAULTS as fault:
            return Outcome(None, (self._said(fault),))

    def by_lock(self, geneset: GeneSetId, entry: Entry, *, fetch: bool) -> Outcome[Fetched] | None:
        may_fetch = fetch and not self._offline
        try:
            found = self._at_hand(geneset, entry)
        except NotTrustedError as refused:
            # It may have been signed since it was stored.
            again = self._elsewhere(geneset, entry) if may_fetch else None
            if again is not None and again.value is not None:
                return again
            return Outcome(None, (refused.diagnostic,))
        except _FAULTS as fault:
            return Outcome(None, (self._said(fault),))
        if found is not None:
            return Outcome(found)
        return self._elsewhere(geneset, entry) if may_fetch else None

    def _elsewhere(self, geneset: GeneSetId, entry: Entry) -> Outcome[Fetched] | None:
        """What a lock pins, from the mirrors and then the pool's own registry."""
        try:
            pool, *mirrors = self._connect()
            for mirror in mirrors:
                if mirror.names.host in self._failed_mirrors:
                    continue
                found = self._of_mirror(mirror, geneset, entry)
                if found is not None:
                    return Outcome(found)
            found = self._with_identity(pool, geneset, entry)
        except _FAULTS as fault:
            return Outcome(None, (self._said(fault),))
        return None if found is None else Outcome(found)

    # -- content of known identity ----------------------------------------------------------

    def _at_hand(self, geneset: GeneSetId, entry: Entry) -> Fetched | None:
        """What the store has whole."""
        where = f"{self._label}:{geneset}"
        data = None if entry.digest is None else self._store().blob(entry.digest, MOST_CONFIG)
        if data is None:
            return None
        config = stored_config(data, where)
        if config.id != geneset:
            raise ImageError(sharing.wrong_gene_set(where, geneset, config.id))
        return self._stored(config, entry.manifest)

    def _remembered(self, key: Key, geneset: GeneSetId) -> Fetched | None:
        """What the registry said of a tag lately, if the store has it whole."""
        manifest, identity = self._lately.recall(key) or (None, None)
        data = None if identity is None else self._store().blob(identity, MOST_CONFIG)
        if data is None:
            return None
        config = stored_config(data, f"{self._label}:{geneset}")
        if config.id.without_tag != geneset.without_tag:
            return None
        if config.id != geneset and not self._rules.moves(geneset.tag):
            return None
        return self._stored(config, manifest)

    def _stored(self, config: GeneSetConfig, served: str | None) -> Fetched | None:
        """A gene set of whose content the store has all. `served` is its manifest's digest."""
        store = self._store()
        manifest = store.manifest(config.identity)
        if manifest is None:
            return None
        for file in config.files:
            if store.blob(file.digest, _MOST_TEXT) is None:
                return None
        signed = self._admit(config, manifest, f"{self._label}:{config.id}")
        return Fetched(config, served, signed)

    def _of_mirror(self, mirror: Copy, geneset: GeneSetId, entry: Entry) -> Fetched | None:
        """A mirror that fails is as good as one that does not have it, and is asked no more."""
        try:
            return self._with_identity(mirror, geneset, entry)
        except NotTrustedError:
            return None
        except (RegistryError, ImageError, NameFaultError) as fault:
            self._failed_mirrors.add(mirror.names.host)
            if self._trace is not None:
                said = fault.diagnostic.message
                self._trace(f"the mirror {mirror.names.host} is left out: {said}")
            return None

    def _with_identity(self, copy: Copy, geneset: GeneSetId, entry: Entry) -> Fetched | None:
        """By the digest of the manifest and then by tag, whichever has the pinned content.

        A manifest that is not signed as asked may have been signed again under the tag.
        """
        name = copy.names.name(geneset)
        refused: NotTrustedError | None = None
        for reference in (entry.manifest, name.tag):
            if reference is None:
                continue
            try:
                return self._fetched(copy, name, reference, geneset, wanted=entry.digest)
            except (NotThereError, ContentMissingError, _OtherIdentityError):
                continue
            except NotTrustedError as fault:
                refused = fault
        if refused is not None:
            raise refused
        return None

    def _said(self, fault: RegistryError | ImageError | NameFaultError | StoreError) -> Diagnostic:
        if isinstance(fault, ImageError) and not isinstance(fault, NotTrustedError):
            # Images are called by their references alone.
            return sharing.of_pool(fault.diagnostic, self._label)
        return fault.diagnostic

    # -- one image --------------------------------------------------------------------------

    def _fetched(
        self,
        copy: Copy,
        name: RegistryName,
        reference: str,
        geneset: GeneSetId,
        *,
        wanted: str | None = None,
    ) -> Fetched:
        where = copy.names.reference(name)
        self._lately.heed(self._label, copy.names.host, name.repository)
        try:
            manifest, answer = copy.manifest(name, reference)
        except RegistryError as fault:
            self._lately.hear(copy.names.host, fault)
            raise
        if wanted is not None and manifest.config.digest != wanted:
            raise _OtherIdentityError
        data = copy.blob(name, manifest.config, MOST_CONFIG)
        moves = wanted is None and self._rules.moves(geneset.tag)
        config = read_config(data, manifest, where, asked=geneset, moves=moves)
        texts = self._texts(copy, name, manifest, config, where)
        signed = self._admit(config, answer.data, where)
        store = self._store()
        for text in texts:
            store.add_blob(text)
        store.add_blob(data)
        store.put_manifest(config.identity, answer.data, _is_signed)
        return Fetched(config, answer.digest, signed)

    def _texts(
        self,
        copy: Copy,
        name: RegistryName,
        manifest: ImageManifest,
        config: GeneSetConfig,
        where: str,
    ) -> Sequence[bytes]:
        """The texts of an image, from the store where it has all of them."""
        store = self._store()
        known = [store.blob(file.digest, _MOST_TEXT) for file in config.files]
        if None not in known:
            contents_with(config, [each for each in known if each is not None], where)
            return ()
        layer = manifest.layers[0]
        blob = copy.blob(name, layer, MOST_LAYER_BLOB)
        return [file.text for file in read_texts(blob, layer, config, where).files]


class _OtherIdentityError(Exception):
    """The copy has other content than the lock pins."""


def _is_signed(manifest: bytes) -> bool:
    try:
        read = read_manifest(manifest, "")
    except ImageError:
        return False
    return isinstance(read, ImageManifest) and bool(read.signatures)
