"""One registry prefix: manifests, blobs and tags come out and go in, verified by their digests.

Nothing here knows what is inside a manifest, but for an index that names one image.
Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from eryphc.canonical import digest_of, read_json
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.registry import Place
from eryphc.frozen import NamedTuple
from eryphc.genepool.oci.answers import Action
from eryphc.genepool.oci.content import Content
from eryphc.genepool.oci.endpoint import Endpoint, Site
from eryphc.genepool.oci.faults import (
    NotThereError,
    RegistryError,
    SeveralManifestsError,
    TagImmutableError,
)
from eryphc.genepool.oci.operation import Operation
from eryphc.genepool.oci.uploads import upload
from eryphc.net.addresses import Address, led_to, shown_url
from eryphc.net.client import PASSING, Client, busy
from eryphc.net.credentials import Keychain
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Bytes, Request, Sink
from eryphc.net.timing import ORDINARY

MANIFEST_LIMIT: Final = 4 * 1024 * 1024
PAGE_LIMIT: Final = 4 * 1024 * 1024
MOST_PAGES: Final = 100
MOST_TAGS: Final = 10_000

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEXES: Final = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
# Without the types of OCI, Quay converts what it has to docker's first schema.
_ACCEPT: Final = ", ".join(
    (OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json", *sorted(_INDEXES))
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class Manifest(NamedTuple):
    """A manifest as it came. `served` is the digest of what the tag names: of an index or of it."""

    data: bytes
    digest: str
    media_type: str
    served: str


class Head(NamedTuple):
    """What a registry says of a manifest without giving it."""

    digest: str | None
    media_type: str
    size: int | None


class Registry:
    """Asks one registry. Names of repositories are those below its prefix. Threads may share it.

    `seconds` is what an operation may take, without what large content gets by its size. `hear`
    hears what the registry wants its users to know. `pushing`: every request asks for the right to
    publish too, as some registries deny all others on a repository that is not there yet. Methods
    raise RegistryError, those that read also NotThereError; ValueError for a name that no registry
    has.
    """

    def __init__(
        self,
        site: Site,
        client: Client,
        keychain: Keychain,
        *,
        seconds: float = ORDINARY,
        hear: Callable[[str], None] | None = None,
        pushing: bool = False,
    ) -> None:
        self.site = site
        self._endpoint = Endpoint(site, client, keychain, hear)
        self._seconds = seconds
        self._pushing = pushing

    def place(self, repository: str) -> Place:
        """How messages call a whole repository of this registry."""
        return self.site.place(repository)

    def close(self) -> None:
        """Close the connections of its client."""
        self._endpoint.close()

    def _begin(self, repository: str, action: Action, tag: str = "") -> Operation:
        writes = self._pushing or action is Action.PUSH
        return self._endpoint.begin(repository, action, self._seconds, writes=writes, tag=tag)

    # -- manifests ----------------------------------------------------------------------------

    def get_manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest.

        An index that names one image is followed once. Raises SeveralManifestsError for another.
        """
        work = self._begin(repository, Action.PULL)
        found = self._manifest(work, reference)
        if found.media_type not in _INDEXES:
            return found
        followed = self._manifest(work, _only_image(work, reference, found))
        if followed.media_type in _INDEXES:
            raise SeveralManifestsError(work.place, f"`{reference}`")
        return followed._replace(served=found.served)

    def head_manifest(self, repository: str, reference: str, *, push: bool = False) -> Head:
        """What the registry says of a manifest. `push`: it is about to be published."""
        work = self._begin(repository, Action.PUSH if push else Action.PULL)
        return self._head(work, reference)

    def put_manifest(
        self, repository: str, tag: str, data: bytes, media_type: str = OCI_MANIFEST
    ) -> str:
        """Publish a manifest under a tag; gives its digest. A tag that has it already stays.

        Raises FormRefusedError, TagImmutableError.
        """
        _checked(_TAG, tag, "tag")
        work = self._begin(repository, Action.PUSH, tag=tag)
        digest = digest_of(data)
        headers = {"Content-Type": media_type}
        tried = False

        def attempt() -> Answer:
            nonlocal tried
            # Whether the last attempt arrived is known only to the registry.
            if tried and self._names(work, tag, digest):
                return Answer(201, {}, b"", work.address)
            tried = True
            answer = self._endpoint.ask(
                work, "PUT", f"manifests/{tag}", headers, Bytes(data), repeat=False
            )
            if answer.status in PASSING:
                raise busy(answer)
            return answer

        answer = self._endpoint.repeated(work, attempt)
        if answer.status in (200, 201, 202):
            return digest
        failure = work.failure(answer, f"tag `{tag}`")
        if isinstance(failure, TagImmutableError) and self._names(work, tag, digest):
            return digest
        raise failure

    # -- blobs --------------------------------------------------------------------------------

    def get_blob(self, repository: str, digest: str, size: int) -> bytes:
        """A small blob of known size."""
        kept = _Kept()
        self.fetch_blob(repository, digest, size, kept)
        return bytes(kept.data)

    def fetch_blob(self, repository: str, digest: str, size: int, sink: Sink) -> None:
        """Write a blob of known size to `sink`.

        What the sink has is right only when this returns. Content that is wrong is fetched once
        more; then RegistryError (E1015).
        """
        _checked(_DIGEST, digest, "digest")
        work = self._begin(repository, Action.PULL)
        work.deadline.for_bytes(size)
        found = self._received(work, digest, size, sink)
        if found is not None:
            found = self._received(work, digest, size, sink)
        if found is not None:
            what = f"the content `{digest}`"
            raise RegistryError(wording.digest_mismatch(work.place, what, digest, found))

    def push_blob(self, repository: str, digest: str, content: Content) -> bool:
        """Publish a blob; whether it had to be sent."""
        _checked(_DIGEST, digest, "digest")
        work = self._begin(repository, Action.PUSH)
        work.deadline.for_bytes(content.size)
        there = self._endpoint.ask(work, "HEAD", f"blobs/{digest}")
        if there.status == 200:
            return False
        if work.is_own(there) and there.status != 404:
            raise work.failure(there, f"content `{digest}`")
        answer = self._endpoint.repeated(
            work, lambda: upload(self._endpoint, work, digest, content)
        )
        if answer.status not in (201, 204):
            raise work.failure(answer, f"content `{digest}`")
        return True

    # -- tags ---------------------------------------------------------------------------------

    def list_tags(self, repository: str) -> tuple[str, ...]:
        """The tags of a repository, sorted; what is no tag by the grammar is left out."""
        work = self._begin(repository, Action.PULL)
        tags: set[str] = set()
        here = work.at("tags/list").with_query(("n", "1000"))
        for _ in range(MOST_PAGES):
            answer = self._endpoint.send(work, Request("GET", here), PAGE_LIMIT)
            if answer.status != 200:
                raise work.failure(answer, "list of tags")
            found = work.read_object(answer).get("tags")
            names = found if isinstance(found, list) else []
            tags |= {each for each in names if isinstance(each, str) and _TAG.fullmatch(each)}
            following = _next_page(work, here, answer)
            if following is None:
                if len(tags) > MOST_TAGS:
                    break
                return tuple(sorted(tags))
            if len(tags) > MOST_TAGS:
                break
            here = following
        reason = f"its list of tags has more than {MOST_TAGS} tags or {MOST_PAGES} pages"
        raise work.not_a_registry(reason)

    # -- parts of the operations --------------------------------------------------------------

    def _manifest(self, work: Operation, reference: str) -> Manifest:
        by_digest = _DIGEST.fullmatch(reference) is not None
        if not by_digest:
            _checked(_TAG, reference, "tag")
        headers = {"Accept": _ACCEPT}
        announced = found = ""
        for _ in range(2):
            answer = self._endpoint.ask(
                work, "GET", f"manifests/{reference}", headers, limit=MANIFEST_LIMIT
            )
            if answer.status != 200:
                raise work.failure(answer, f"manifest `{reference}`")
            work.refuse_page(answer)
            found = digest_of(answer.body)
            announced = (answer.headers.get("Docker-Content-Digest") or "").strip()
            right = found == reference or not by_digest
            if right and _agrees(announced, answer.body):
                return Manifest(answer.body, found, _media_type(work, answer), found)
        what, wanted = f"the manifest `{reference}`", reference if by_digest else announced
        raise RegistryError(wording.digest_mismatch(work.place, what, wanted, found))

    def _head(self, work: Operation, reference: str) -> Head:
        if not _DIGEST.fullmatch(reference):
            _checked(_TAG, reference, "tag")
        answer = self._endpoint.ask(work, "HEAD", f"manifests/{reference}", {"Accept": _ACCEPT})
        if answer.status != 200:
            raise work.failure(answer, f"manifest `{reference}`", missing=True)
        digest = (answer.headers.get("Docker-Content-Digest") or "").strip()
        length = answer.headers.get("Content-Length") or ""
        return Head(
            digest if _DIGEST.fullmatch(digest) else None,
            (answer.headers.get("Content-Type") or "").partition(";")[0].strip(),
            int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None,
        )

    def _names(self, work: Operation, tag: str, digest: str) -> bool:
        """Whether a tag has a manifest now."""
        try:
            return self._head(work, tag).digest == digest
        except NotThereError:
            return False

    def _received(self, work: Operation, digest: str, size: int, sink: Sink) -> str | None:
        """What is wrong with the content that came; None where it is right."""
        hashing = _Hashing(sink)
        hashing.restart()
        try:
            answer = self._endpoint.receive(work, f"blobs/{digest}", hashing, size)
        except RequestFailedError as failure:
            if failure.failed in (Failed.TOO_LARGE, Failed.TOO_SHORT):
                if failure.seen is not None:
                    work.refuse_page(failure.seen)
                return failure.reason
            raise work.fault(failure) from None
        if answer.status != 200:
            raise work.failure(answer, f"content `{digest}`")
        if hashing.digest == digest:
            return None
        work.refuse_page(answer)
        return hashing.digest


class _Kept:
    """A sink that keeps all in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, block: bytes) -> None:
        self.data += block

    def restart(self) -> None:
        self.data.clear()


class _Hashing:
    """A sink that hashes what it hands on."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()

    def write(self, block: bytes) -> None:
        self._hash.update(block)
        self._sink.write(block)

    def restart(self) -> None:
        self._hash = hashlib.sha256()
        self._sink.restart()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _media_type(work: Operation, answer: Answer) -> str:
    named = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
    written = work.read_object(answer).get("mediaType")
    return written if isinstance(written, str) else named


def _only_image(work: Operation, reference: str, index: Manifest) -> str:
    entries = read_json(index.data).get("manifests")
    digests = [
        each.get("digest")
        for each in (entries if isinstance(entries, list) else [])
        if isinstance(each, dict) and not _is_unknown(each.get("platform"))
    ]
    if len(digests) != 1:
        raise SeveralManifestsError(work.place, f"`{reference}`")
    if not isinstance(digests[0], str) or not _DIGEST.fullmatch(digests[0]):
        raise work.not_a_registry(f"the index `{reference}` names no digest")
    return digests[0]


def _next_page(work: Operation, here: Address, answer: Answer) -> Address | None:
    link = _NEXT.search(answer.headers.get("Link") or "")
    if link is None:
        return None
    try:
        to = led_to(here, link[1])
    except ValueError as error:
        raise work.redirect_refused(shown_url(link[1]), str(error)) from None
    if to.origin != here.origin or to.has_user:
        reason = "a list of tags goes on where it begins"
        raise work.redirect_refused(to.shown, reason)
    return to


def _agrees(announced: str, body: bytes) -> bool:
    """Whether the digest that a registry announces is that of the body; of others none is known."""
    algorithm, _, wanted = announced.partition(":")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return not announced
    return hashlib.new(algorithm, body).hexdigest() == wanted


def _is_unknown(platform: Any) -> bool:
    """Whether an entry of an index is no image: builders put statements there so."""
    if not isinstance(platform, dict):
        return False
    return platform.get("os") == "unknown" and platform.get("architecture") == "unknown"


def _checked(grammar: re.Pattern[str], text: str, what: str) -> None:
    if not grammar.fullmatch(text):
        raise ValueError(f"{text!r} is no {what} of a registry")
