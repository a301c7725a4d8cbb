"""Gene sets of eryph's gene pool API, checked and put into the store.

Source: docs/reference/genes-and-pools.md, "The gene pool API of eryph".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Outcome, has_errors
from eryphc.diagnostics.pools import NO_NEIGHBOURS, Neighbours
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool import image
from eryphc.genepool.contents import TagContents
from eryphc.genepool.files import MAX_GENE_BYTES
from eryphc.genepool.image import PushedVolume
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.model import ListedGene
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.packed import DamagedError, GeneManifest, gene_manifest_of, is_part
from eryphc.genepool.packed_set import (
    Requires,
    checked_manifest,
    config_of_set,
    contents_of_set,
    gene_text,
    packed_set,
    stored_set,
)
from eryphc.genepool.remote import Fetched
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry
from eryphc.store.faults import StoreError
from eryphc.syntax.identifiers import parse_gene_set

if TYPE_CHECKING:
    from eryphc.genepool.eryph_api.client import Api
    from eryphc.genepool.trust import Admit
    from eryphc.store.content import Store

ATTEMPTS: Final = 5
"""How often a part, or links to parts, are fetched until they are right."""
PAUSE: Final = 2.0
"""Seconds before the third and later attempts."""
SOON: Final = 300.0
"""Links that expire within these seconds are not used."""
_MOST_PARTS: Final = 100
_FAULTS: Final = (RegistryError, ImageError, StoreError)


class PackedSets:
    """The gene sets of an API. `store` opens the store, `connect` the API; neither is called before
    it is needed. `requires` reads catlet genes, `admit` is the policy of the project; `offline`:
    nobody is asked."""

    def __init__(
        self,
        label: str,
        store: Callable[[], Store],
        connect: Callable[[], Api],
        requires: Requires,
        admit: Admit,
        *,
        offline: bool,
    ) -> None:
        self._label = label
        self._store = store
        self._connect = connect
        self._requires = requires
        self._admit = admit
        self._offline = offline

    def text(self, digest: str) -> bytes | None:
        try:
            return self._store().blob(digest)
        except StoreError:
            return None

    def manifest(self, identity: str) -> bytes | None:  # noqa: ARG002
        return None

    def disk(self, config: GeneSetConfig, disk: PushedVolume) -> None:  # noqa: ARG002
        return None

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        if self._offline:
            return NO_NEIGHBOURS
        try:
            found = self._connect().tags(geneset)
        except (RegistryError, NotThereError):
            return NO_NEIGHBOURS
        named = (parse_gene_set(f"{geneset.without_tag}/{tag}") for tag in found)
        return Neighbours(tuple(sorted(each.tag for each in named if isinstance(each, GeneSetId))))

    def by_tag(self, geneset: GeneSetId) -> Outcome[Fetched] | None:
        if self._offline:
            what = f"the gene set `{geneset}` of the pool `{self._label}`"
            return Outcome(None, (wording.offline(what, wording.LOCK_FIRST),))
        try:
            return self._fetched(geneset)
        except NotThereError:
            return None
        except _FAULTS as fault:
            return Outcome(None, (fault.diagnostic,))

    def by_lock(self, geneset: GeneSetId, entry: Entry, *, fetch: bool) -> Outcome[Fetched] | None:
        try:
            at_hand = self._at_hand(geneset, entry)
            if at_hand is not None:
                return Outcome(at_hand)
            if not fetch or self._offline:
                return None
            found = self._fetched(geneset, entry)
        except NotThereError:
            return None
        except _FAULTS as fault:
            return Outcome(None, (fault.diagnostic,))
        return found

    # -- content of known identity ----------------------------------------------------------

    def _at_hand(self, geneset: GeneSetId, entry: Entry) -> Fetched | None:
        """What the store has whole."""
        if entry.digest is None or entry.files is None:
            return None
        store = self._store()
        data = store.blob(entry.digest, image.MOST_CONFIG)
        if data is None:
            return None
        packed = stored_set(data, geneset, self._where(geneset))
        texts: dict[str, bytes] = {}
        for path, digest in entry.files.items():
            text = store.blob(digest, MAX_GENE_BYTES + 1)
            if text is None:
                return None
            texts[path] = text
        if not texts.keys() >= set(packed.paths):
            return None
        named = (parse_gene_set(name) for name in entry.requires)
        requires = tuple(each for each in named if isinstance(each, GeneSetId))
        contents = contents_of_set(packed, texts)
        if not _is_pinned(contents, entry):
            return None
        config = config_of_set(packed, contents, requires)
        return Fetched(config, None, self._admitted(config))

    # -- one gene set -----------------------------------------------------------------------

    def _fetched(self, geneset: GeneSetId, wanted: Entry | None = None) -> Outcome[Fetched] | None:
        """What the tag means now; None where that is not what a lock pins."""
        api, where = self._connect(), self._where(geneset)
        answer = api.tag(geneset)
        packed = packed_set(answer.get("manifest"), geneset, where)
        if wanted is not None and packed.identity != wanted.digest:
            return None
        offered = _offered(answer.get("genes"))
        texts: dict[str, bytes] = {}
        size = 0
        for gene, path in zip(packed.genes, packed.paths, strict=True):
            try:
                texts[path] = _Fetching(api, geneset, gene).text(offered.get(gene.digest))
            except DamagedError as damage:
                problem = f"the gene `{gene.name}` is damaged: {damage}"
                raise ImageError(sharing.malformed_set(where, problem)) from None
            size += len(texts[path])
            if size > image.MOST_LAYER:
                problem = f"its genes have more than {image.MOST_LAYER} bytes"
                raise ImageError(sharing.malformed_set(where, problem))
        contents = contents_of_set(packed, texts)
        requires = self._requires(contents)
        if requires.value is None or has_errors(requires.diagnostics):
            return Outcome(None, requires.diagnostics)
        if wanted is not None and not _is_pinned(contents, wanted):
            return None
        config = config_of_set(packed, contents, requires.value)
        signed = self._admitted(config)
        store = self._store()
        for file in contents.files:
            store.add_blob(file.text)
        store.add_blob(packed.data)
        return Outcome(Fetched(config, None, signed))

    def _admitted(self, config: GeneSetConfig) -> str | None:
        """A gene set of this form has no manifest of an image, and so no signatures."""
        return self._admit(config, None, self._where(config.id))

    def _where(self, geneset: GeneSetId) -> str:
        return f"{self._label}:{geneset}"


def _is_pinned(contents: TagContents, entry: Entry) -> bool:
    return entry.files == {file.path: file.digest for file in contents.files}


class _Offer(NamedTuple):
    """What an answer gives of a gene. `links` are those of its parts by their SHA-1, and
    `expires` is the end of their time in seconds since 1970."""

    manifest: GeneManifest | None
    content: str | None
    links: Mapping[str, str] = FrozenMap()
    expires: float | None = None


class _Fetching:
    """Fetches one catlet or fodder gene. Raises RegistryError, NotThereError, DamagedError."""

    def __init__(self, api: Api, geneset: GeneSetId, gene: ListedGene) -> None:
        self._api = api
        self._geneset = geneset
        self._gene = gene
        self._asked = 0

    def text(self, offer: _Offer | None) -> bytes:
        """The JSON of the gene; `offer` is what came with its tag."""
        if offer is None or offer.manifest is None:
            offer = self._again()
        manifest = offer.manifest
        if manifest is None:
            raise DamagedError("it comes without a manifest")
        checked_manifest(self._gene, manifest)
        size = manifest.members.get("size", MAX_GENE_BYTES)
        if not isinstance(size, int) or not 0 <= size <= MAX_GENE_BYTES:
            raise DamagedError("it is larger than 5 MiB")
        if len(manifest.parts) > _MOST_PARTS:
            raise DamagedError(f"it has more than {_MOST_PARTS} parts")
        inline = _inline(offer, manifest)
        if inline is not None:
            return gene_text(self._gene, manifest, [inline])
        parts: list[bytes] = []
        for name in manifest.parts:
            part, offer = self._part(offer, name, size)
            parts.append(part)
        return gene_text(self._gene, manifest, parts)

    def _part(self, offer: _Offer, name: str, most: int) -> tuple[bytes, _Offer]:
        """A part, and the offer that had its link."""
        clock = self._api.clock
        for attempt in range(ATTEMPTS):
            if attempt > 1:
                clock.sleep(PAUSE)
            while not _is_usable(offer, name, clock.now()):
                offer = self._again()
            part = self._api.part(self._geneset, offer.links[name], most)
            if part and is_part(part, name):
                return part, offer
        place = self._api.place(self._geneset)
        what = f"a part of the gene `{self._gene.name}`"
        raise RegistryError(
            wording.digest_mismatch(place, what, f"sha1:{name}", "bytes with another hash")
        )

    def _again(self) -> _Offer:
        """Ask for the gene by itself, for new links."""
        self._asked += 1
        if self._asked > ATTEMPTS:
            what = f"it gives no link to the gene `{self._gene.name}` that can be used"
            raise self._api.not_answering(self._geneset, what)
        digits = self._gene.digest.removeprefix("sha256:")
        try:
            return _offer(self._api.gene(self._geneset, digits))
        except NotThereError:
            # It stands in the manifest of its tag, so that this is no other pool's to have.
            what = f"it lists the gene `{self._gene.name}` and does not have it"
            raise self._api.not_answering(self._geneset, what) from None


def _offered(genes: object) -> dict[str, _Offer]:
    """What came with a tag of each of its genes, by hash."""
    listed: Sequence[object] = genes if isinstance(genes, list) else ()
    found: dict[str, _Offer] = {}
    for each in listed[: 3 * image.MOST_GENES]:
        name = each.get("gene") if isinstance(each, dict) else None
        if isinstance(each, dict) and isinstance(name, str):
            digits = name.lower().removeprefix("sha256:")
            with suppress(DamagedError):
                found[f"sha256:{digits}"] = _offer(each)
    return found


def _offer(value: Mapping[str, Any]) -> _Offer:
    manifest = value.get("manifest")
    content = value.get("content")
    listed = value.get("download_uris")
    links: dict[str, str] = {}
    for each in listed[:_MOST_PARTS] if isinstance(listed, list) else ():
        part, link = (
            (each.get("part"), each.get("download_uri")) if isinstance(each, dict) else (None, None)
        )
        if isinstance(part, str) and isinstance(link, str):
            # Links for downloads name parts with the algorithm, others without.
            links[part.lower().removeprefix("sha1:")] = link
    return _Offer(
        None if manifest is None else gene_manifest_of(manifest),
        content if isinstance(content, str) else None,
        FrozenMap(links),
        _seconds(value.get("download_expires")),
    )


def _inline(offer: _Offer, manifest: GeneManifest) -> bytes | None:
    """The text that came along, where its hash can be checked; else its part is fetched."""
    if offer.content is None or manifest.format != "plain" or len(manifest.parts) != 1:
        return None
    try:
        data = offer.content.encode()
    except UnicodeEncodeError:
        return None
    return data if is_part(data, manifest.parts[0]) else None


def _is_usable(offer: _Offer, part: str, now: float) -> bool:
    return part in offer.links and (offer.expires is None or offer.expires - now > SOON)


def _seconds(text: object) -> float | None:
    """A time of ISO 8601 in seconds since 1970; without a zone it is UTC."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    known = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return known.timestamp()
