"""One registry prefix: manifests, blobs and tags come out and go in, verified by their digests.

Nothing here knows what is inside a manifest, but for an index that names one image.
Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from eryphc.canonical import digest_of, read_json
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.registry import Place, Remark
from eryphc.diagnostics.words import cleaned
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.oci.answers import (
    Action,
    Meaning,
    is_base_of_registry,
    is_html,
    is_of_registry,
    read_answer,
    title_of,
)
from eryphc.genepool.oci.faults import (
    FormRefusedError,
    NotThereError,
    RegistryError,
    SeveralManifestsError,
    TagImmutableError,
)
from eryphc.net.addresses import (
    Address,
    is_loopback,
    led_to,
    read_address,
    redirect_refusal,
    shown_url,
)
from eryphc.net.client import ERROR_BODY, PASSING, Client, Trace, busy
from eryphc.net.credentials import HUB, Keychain
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import PIECE, Answer, Body, Bytes, Request, Sink
from eryphc.net.timing import LONGEST_WAIT, ORDINARY, Clock, Deadline
from eryphc.net.tokens import (
    Gate,
    NoTokenError,
    NoTokenInAnswerError,
    RealmError,
    Wanted,
)

MANIFEST_LIMIT: Final = 4 * 1024 * 1024
PAGE_LIMIT: Final = 4 * 1024 * 1024
MOST_PAGES: Final = 100
MOST_TAGS: Final = 10_000
WHOLE: Final = 64 * 1024 * 1024
"""The largest blob that is sent in one request."""
CHUNK: Final = 16 * 1024 * 1024
MOST_NOTICES: Final = 5

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
_OFFLINE: Final = "with a lock and a full store, `--offline` needs no registry"
_HUB_SERVER: Final = "registry-1.docker.io"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_WARNING = re.compile(r'\s*299\s+\S+\s+"((?:[^"\\]|\\.)*)"')


class Site(NamedTuple):
    """A registry prefix as a pool names it: `host[:port][/path]`.

    `ca` is a file of certificates in PEM form. `insecure` takes any certificate and plain http;
    this machine is asked over plain http without it. `token_hosts` may be asked for tokens too.
    """

    pool: str
    prefix: str
    ca: Path | None = None
    insecure: bool = False
    token_hosts: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return self.prefix.partition("/")[0]


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


class Content(Protocol):
    """What is published: `size` bytes, of which any stretch can be read again."""

    @property
    def size(self) -> int: ...
    def stretch(self, start: int, size: int) -> Iterator[bytes]: ...


class Memory(NamedTuple):
    """Content that lies in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def stretch(self, start: int, size: int) -> Iterator[bytes]:
        yield from Bytes(self.data[start : start + size]).blocks()

    def __repr__(self) -> str:
        return f"Memory({len(self.data)})"


class FileContent(NamedTuple):
    """Content that lies in a file."""

    path: Path
    size: int

    def stretch(self, start: int, size: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(start)
            while size and (block := file.read(min(size, PIECE))):
                size -= len(block)
                yield block


def client_for(
    site: Site,
    environment: Mapping[str, str],
    *,
    trace: Trace | None = None,
    clock: Clock | None = None,
) -> Client:
    """A client that trusts what the site does."""
    from eryphc.net.transport import Trust

    return Client(environment, Trust(site.ca, site.insecure), trace=trace, clock=clock)


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
        if not _HOST.fullmatch(site.host):
            raise ValueError(f"{site.host!r} is no host")
        read_address(f"https://{site.host}")
        self.site = site
        self._client = client
        self._keychain = keychain
        self._seconds = seconds
        self._hear = hear
        self._pushing = pushing
        self._heard: set[str] = set()
        self._gate: Gate | None = None
        self._root: Address | None = None
        self._is_registry: bool | None = None
        self._lock = threading.Lock()

    def place(self, repository: str) -> Place:
        """How messages call a whole repository of this registry."""
        return Place(self.site.pool, self.site.host, repository)

    def close(self) -> None:
        """Close the connections of its client."""
        self._client.close()

    # -- manifests ----------------------------------------------------------------------------

    def get_manifest(
        self, repository: str, reference: str, *, known: str | None = None
    ) -> Manifest | None:
        """The manifest of a tag or digest; None if the tag still names the digest `known`.

        An index that names one image is followed once. Raises SeveralManifestsError for another.
        """
        work = self._begin(repository, Action.PULL)
        found = self._manifest(work, reference, known)
        if found is None or found.media_type not in _INDEXES:
            return found
        only = self._only_image(work, reference, found)
        followed = self._manifest(work, only, None)
        assert followed is not None  # noqa: S101 - nothing is known, so it is not "as before"
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
            answer = self._ask(work, "PUT", f"manifests/{tag}", headers, Bytes(data), repeat=False)
            if answer.status in PASSING:
                raise busy(answer)
            return answer

        answer = self._repeated(work, attempt)
        if answer.status in (200, 201, 202):
            return digest
        failure = self._failure(work, answer, f"tag `{tag}`")
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
        there = self._ask(work, "HEAD", f"blobs/{digest}")
        own = there.address.origin == work.address.origin
        if there.status == 200:
            return False
        if own and there.status != 404:
            raise self._failure(work, there, f"content `{digest}`")
        answer = self._repeated(work, lambda: self._uploaded(work, digest, content))
        if answer.status not in (201, 204):
            raise self._failure(work, answer, f"content `{digest}`")
        return True

    # -- tags ---------------------------------------------------------------------------------

    def list_tags(self, repository: str) -> tuple[str, ...]:
        """The tags of a repository, sorted; what is no tag by the grammar is left out."""
        work = self._begin(repository, Action.PULL)
        tags: set[str] = set()
        here = work.at("tags/list").with_query(("n", "1000"))
        for _ in range(MOST_PAGES):
            answer = self._sent(work, Request("GET", here), PAGE_LIMIT)
            if answer.status != 200:
                raise self._failure(work, answer, "list of tags")
            found = self._json(work, answer).get("tags")
            names = found if isinstance(found, list) else []
            tags |= {each for each in names if isinstance(each, str) and _TAG.fullmatch(each)}
            following = self._next_page(work, here, answer)
            if following is None:
                if len(tags) > MOST_TAGS:
                    break
                return tuple(sorted(tags))
            if len(tags) > MOST_TAGS:
                break
            here = following
        reason = f"its list of tags has more than {MOST_TAGS} tags or {MOST_PAGES} pages"
        raise RegistryError(wording.not_a_registry(work.place, reason))

    # -- parts of the operations --------------------------------------------------------------

    def _manifest(self, work: _Work, reference: str, known: str | None) -> Manifest | None:
        by_digest = _DIGEST.fullmatch(reference) is not None
        if not by_digest:
            _checked(_TAG, reference, "tag")
        headers = {"Accept": _ACCEPT}
        if known is not None:
            headers["If-None-Match"] = f'"{known}"'
        announced = found = ""
        for _ in range(2):
            answer = self._ask(work, "GET", f"manifests/{reference}", headers, limit=MANIFEST_LIMIT)
            if answer.status == 304 and known is not None:
                return None
            if answer.status != 200:
                raise self._failure(work, answer, f"manifest `{reference}`")
            self._no_page(work, answer)
            found = digest_of(answer.body)
            announced = (answer.headers.get("Docker-Content-Digest") or "").strip()
            right = found == reference or not by_digest
            if right and _agrees(announced, answer.body):
                return Manifest(answer.body, found, self._media_type(work, answer), found)
        what, wanted = f"the manifest `{reference}`", reference if by_digest else announced
        raise RegistryError(wording.digest_mismatch(work.place, what, wanted, found))

    def _media_type(self, work: _Work, answer: Answer) -> str:
        named = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
        written = self._json(work, answer).get("mediaType")
        return written if isinstance(written, str) else named

    def _only_image(self, work: _Work, reference: str, index: Manifest) -> str:
        entries = read_json(index.data).get("manifests")
        digests = [
            each.get("digest")
            for each in (entries if isinstance(entries, list) else [])
            if isinstance(each, dict) and not _is_unknown(each.get("platform"))
        ]
        if len(digests) != 1:
            raise SeveralManifestsError(work.place, f"`{reference}`")
        if not isinstance(digests[0], str) or not _DIGEST.fullmatch(digests[0]):
            reason = f"the index `{reference}` names no digest"
            raise RegistryError(wording.not_a_registry(work.place, reason))
        return digests[0]

    def _head(self, work: _Work, reference: str) -> Head:
        if not _DIGEST.fullmatch(reference):
            _checked(_TAG, reference, "tag")
        answer = self._ask(work, "HEAD", f"manifests/{reference}", {"Accept": _ACCEPT})
        if answer.status != 200:
            raise self._failure(work, answer, f"manifest `{reference}`", missing=True)
        digest = (answer.headers.get("Docker-Content-Digest") or "").strip()
        length = answer.headers.get("Content-Length") or ""
        return Head(
            digest if _DIGEST.fullmatch(digest) else None,
            (answer.headers.get("Content-Type") or "").partition(";")[0].strip(),
            int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None,
        )

    def _names(self, work: _Work, tag: str, digest: str) -> bool:
        """Whether a tag has a manifest now."""
        try:
            return self._head(work, tag).digest == digest
        except NotThereError:
            return False

    def _received(self, work: _Work, digest: str, size: int, sink: Sink) -> str | None:
        """What is wrong with the content that came; None where it is right."""
        hashing = _Hashing(sink)
        hashing.restart()
        request = Request("GET", work.at(f"blobs/{digest}"))
        try:
            answer = self._authorized(
                work,
                lambda known: self._client.receive(
                    request._replace(authorization=known), hashing, size, work.deadline
                ),
            )
        except RequestFailedError as failure:
            if failure.failed in (Failed.TOO_LARGE, Failed.TOO_SHORT):
                if failure.seen is not None:
                    self._no_page(work, failure.seen)
                return failure.reason
            raise self._fault(work, failure) from None
        if answer.status != 200:
            raise self._failure(work, answer, f"content `{digest}`")
        if hashing.digest == digest:
            return None
        self._no_page(work, answer)
        return hashing.digest

    def _uploaded(self, work: _Work, digest: str, content: Content) -> Answer:
        """One attempt to send a blob; raises RequestFailedError where it begins anew."""
        answer = self._ask(work, "POST", "blobs/uploads/", repeat=False)
        if answer.status not in (201, 202):
            return _lost(answer, statuses=())
        here = self._upload_place(work, answer)
        if content.size <= WHOLE:
            return self._put(work, here, digest, _Stretch(content, 0, content.size))
        least = answer.headers.get("OCI-Chunk-Min-Length") or ""
        piece = max(CHUNK, int(least) if re.fullmatch(r"[0-9]{1,10}", least) else 0)
        for start in range(0, content.size, piece):
            size = min(piece, content.size - start)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{start}-{start + size - 1}",
            }
            body = _Stretch(content, start, size)
            answer = self._to(work, Request("PATCH", here, FrozenMap(headers), body=body))
            if answer.status not in (201, 202, 204):
                return _lost(answer)
            here = self._upload_place(work, answer, here)
        return self._put(work, here, digest, None)

    def _put(self, work: _Work, here: Address, digest: str, body: Body | None) -> Answer:
        headers = FrozenMap({"Content-Type": "application/octet-stream"})
        to = here.with_query(("digest", digest))
        answer = self._to(work, Request("PUT", to, headers, body=body))
        return answer if answer.status in (201, 204) else _lost(answer)

    def _upload_place(self, work: _Work, answer: Answer, here: Address | None = None) -> Address:
        location = answer.headers.get("Location")
        if not location:
            if here is not None:
                return here
            raise RegistryError(
                wording.not_a_registry(work.place, "it does not say where content is sent")
            )
        try:
            to = led_to(here or answer.address, location)
        except ValueError as error:
            raise RegistryError(
                wording.redirect_refused(work.place, shown_url(location), str(error))
            ) from None
        refused = redirect_refusal(work.address, work.address, to)
        if refused is not None:
            raise RegistryError(wording.redirect_refused(work.place, to.shown, refused))
        return to

    def _next_page(self, work: _Work, here: Address, answer: Answer) -> Address | None:
        link = _NEXT.search(answer.headers.get("Link") or "")
        if link is None:
            return None
        try:
            to = led_to(here, link[1])
        except ValueError as error:
            raise RegistryError(
                wording.redirect_refused(work.place, shown_url(link[1]), str(error))
            ) from None
        if to.origin != here.origin or to.has_user:
            reason = "a list of tags goes on where it begins"
            raise RegistryError(wording.redirect_refused(work.place, to.shown, reason))
        return to

    def _json(self, work: _Work, answer: Answer) -> Mapping[str, Any]:
        """The object of an answer that is to be JSON."""
        self._no_page(work, answer)
        try:
            found = read_json(answer.body)
        except ValueError as error:
            raise RegistryError(wording.not_a_registry(work.place, str(error))) from None
        if not isinstance(found, dict):
            raise RegistryError(wording.not_a_registry(work.place, "its answer is no JSON object"))
        return found

    def _no_page(self, work: _Work, answer: Answer) -> None:
        if is_html(answer):
            title = cleaned(title_of(answer.body), 80)
            reason = f"a page answers, titled `{title}`" if title else "a page in HTML answers"
            raise RegistryError(wording.not_a_registry(work.place, reason))

    # -- asking -------------------------------------------------------------------------------

    def _begin(self, repository: str, action: Action, tag: str = "") -> _Work:
        path = self.site.prefix.partition("/")[2].strip("/")
        name = "/".join(part for part in (path, repository) if part)
        if len(name) > 255:
            raise ValueError(f"{name!r} is too long for a repository")
        _checked(_REPOSITORY, name, "repository")
        place = self.place(name)
        deadline = Deadline(self._client.clock, self._seconds)
        address, gate = self._reached(place, deadline)
        actions = "pull,push" if self._pushing or action is Action.PUSH else "pull"
        return _Work(place, action, address, gate, Wanted(name, actions), deadline, tag)

    def _reached(self, place: Place, deadline: Deadline) -> tuple[Address, Gate]:
        """The address of the registry, and what answers its challenges."""
        with self._lock:
            if self._root is None or self._gate is None:
                host = self.site.host.lower()
                is_hub = host in (HUB, f"index.{HUB}", _HUB_SERVER)
                root = self._found(place, _HUB_SERVER if is_hub else host, deadline)
                self._gate = Gate(
                    self._client,
                    root,
                    HUB if is_hub else host,
                    self._keychain,
                    token_hosts=self.site.token_hosts,
                    insecure=self.site.insecure,
                )
                self._root = root
            return self._root, self._gate

    def _found(self, place: Place, host: str, deadline: Deadline) -> Address:
        plain, secure = (read_address(f"{scheme}://{host}") for scheme in ("http", "https"))
        if not self.site.insecure:
            return plain if is_loopback(plain.host) else secure
        # A registry that need not be secure may speak either.
        try:
            with self._client.open(Request("GET", secure._replace(path="/v2/")), deadline):
                return secure
        except RequestFailedError as failure:
            if failure.failed in (Failed.NOT_TLS, Failed.REFUSED, Failed.TLS, Failed.CONNECTION):
                return plain
            raise RegistryError(self._diagnostic(place, failure)) from None

    def _ask(
        self,
        work: _Work,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        limit: int = ERROR_BODY,
        repeat: bool = True,
    ) -> Answer:
        request = Request(method, work.at(path), FrozenMap(headers or {}), body=body)
        return self._sent(work, request, limit, repeat=repeat)

    def _sent(
        self, work: _Work, request: Request, limit: int = ERROR_BODY, *, repeat: bool = True
    ) -> Answer:
        def send(authorization: str | None) -> Answer:
            asked = request._replace(authorization=authorization)
            return self._client.ask(asked, work.deadline, limit, repeat=repeat)

        try:
            return self._authorized(work, send)
        except RequestFailedError as failure:
            # Whoever repeats by other rules looks at the failure himself.
            if not repeat and failure.passing:
                raise
            raise self._fault(work, failure) from None

    def _to(self, work: _Work, request: Request) -> Answer:
        """Send a part of an upload, elsewhere without a login."""
        if request.address.origin == work.address.origin:
            return self._sent(work, request, repeat=False)
        return self._client.ask(request, work.deadline, ERROR_BODY, repeat=False)

    def _authorized(self, work: _Work, send: Callable[[str | None], Answer]) -> Answer:
        """Send, and once more with what the challenge of a 401 asks for."""
        answer = send(work.gate.known(work.wanted))
        if answer.status == 401 and answer.address.origin == work.address.origin:
            try:
                authorization = work.gate.answer(answer, work.wanted, work.deadline)
            except RealmError as refused:
                help_text = "name its host in `token_hosts` of the pool, if you trust it"
                diagnostic = wording.redirect_refused(
                    work.place, refused.to, refused.reason, help_text
                )
                raise RegistryError(diagnostic) from None
            except NoTokenError as refused:
                raise self._no_token(work, refused.answer) from None
            except NoTokenInAnswerError:
                reason = "its server of tokens gives no token"
                raise RegistryError(wording.not_a_registry(work.place, reason)) from None
            if authorization is not None:
                answer = send(authorization)
        self._notice(answer)
        return answer

    def _repeated(self, work: _Work, attempt: Callable[[], Answer]) -> Answer:
        """The answer of the last attempt."""
        try:
            return self._client.patiently(attempt, work.deadline)
        except RequestFailedError as failure:
            if failure.answer is not None:
                return failure.answer
            raise self._fault(work, failure) from None

    def _notice(self, answer: Answer) -> None:
        if self._hear is None:
            return
        for text in _WARNING.findall(answer.headers.get("Warning") or ""):
            shown = cleaned(re.sub(r"\\(.)", r"\1", text))
            if shown and shown not in self._heard and len(self._heard) < MOST_NOTICES:
                self._heard.add(shown)
                self._hear(shown)

    # -- what failed --------------------------------------------------------------------------

    def _failure(
        self, work: _Work, answer: Answer, what: str, *, missing: bool = False
    ) -> RegistryError | NotThereError:
        """The exception for an answer that is no success.

        `missing`: a push looks whether something is there, so that its absence is no fault.
        """
        action = Action.PULL if missing and answer.status == 404 else work.action
        read = read_answer(answer, action, self.site.host, work.place.repository)
        place, remark = work.place, read.remark
        if answer.address.origin != work.address.origin:
            # Where content lies elsewhere, a login has nothing to do with the answer.
            reason = (
                f"`{answer.address.authority}`, where it keeps content, answers {answer.status}"
            )
            return RegistryError(wording.unreachable(place, reason, remark=remark))
        match read.meaning:
            case Meaning.NOT_THERE:
                if not missing and not self._answers_as_registry(work, answer):
                    reason = f"it answers {answer.status}, and there is no registry at its `/v2/`"
                    return RegistryError(wording.not_a_registry(place, reason, remark))
                if action is Action.PULL:
                    return NotThereError(place, what, remark, anonymous=self._login(work) is None)
                if not remark.code:
                    return RegistryError(wording.repository_missing(place, remark))
                reason = f"it answers {answer.status} to what is published"
                return RegistryError(wording.not_a_registry(place, reason, remark))
            case Meaning.LOGIN:
                return RegistryError(self._no_login(work, answer, remark, read.help))
            case Meaning.REPOSITORY_MISSING:
                return RegistryError(wording.repository_missing(place, remark))
            case Meaning.FORM:
                return FormRefusedError(wording.form_refused(place, remark))
            case Meaning.TAG_IMMUTABLE:
                return TagImmutableError(wording.tag_immutable(place, work.tag, remark))
            case Meaning.POLICY:
                return RegistryError(wording.registry_policy(place, remark))
            case Meaning.TOO_LARGE:
                return RegistryError(wording.too_large(place, remark))
            case Meaning.RATE:
                anonymous = self._login(work) is None
                pause = answer.retry_after
                said = wording.rate_limited(place, pause, remark, anonymous=anonymous)
                return RegistryError(said, pause)
            case Meaning.FAULT:
                if _is_long(answer, work.deadline):
                    anonymous = self._login(work) is None
                    pause = answer.retry_after
                    said = wording.rate_limited(place, pause, remark, anonymous=anonymous)
                    return RegistryError(said, pause)
                reason = f"it answers {answer.status}"
                return RegistryError(wording.unreachable(place, reason, remark=remark))
            case Meaning.OTHER:
                if 300 <= answer.status < 400:
                    to = answer.headers.get("Location") or "nowhere"
                    reason = "only what reads follows"
                    return RegistryError(
                        wording.redirect_refused(place, to.partition("?")[0], reason)
                    )
                reason = f"it answers {answer.status}"
                return RegistryError(wording.not_a_registry(place, reason, remark))

    def _answers_as_registry(self, work: _Work, answer: Answer) -> bool:
        """Whether who answers "not there" is a registry.

        Some registries say it in plain text as any web server does. Then `/v2/` is asked, once.
        """
        if self._is_registry or is_of_registry(answer):
            return True
        if self._is_registry is None:
            request = Request("GET", work.address._replace(path="/v2/"))
            try:
                base = self._client.ask(request, work.deadline, ERROR_BODY)
            except RequestFailedError as failure:
                if failure.failed is Failed.TOO_SLOW:
                    raise self._fault(work, failure) from None
                # What registries say there is short. A broken connection decides nothing.
                return failure.failed not in (Failed.TOO_LARGE, Failed.ENCODED)
            self._is_registry = is_base_of_registry(base)
        return self._is_registry

    def _no_token(self, work: _Work, answer: Answer) -> RegistryError:
        """The exception for a server of tokens that gives none."""
        read = read_answer(answer, work.action, self.site.host, work.place.repository)
        if read.meaning is not Meaning.RATE and answer.status in (400, 401, 403, 404, 410):
            return RegistryError(self._no_login(work, answer, read.remark, read.help))
        failure = self._failure(work, answer, "token")
        assert isinstance(failure, RegistryError)  # noqa: S101 - 404 and 410 are "not there"
        return failure

    def _no_login(
        self, work: _Work, answer: Answer, remark: Remark, help_text: str | None
    ) -> Diagnostic:
        looked = work.gate.looked(work.wanted)
        if looked.login is None:
            verb = "push" if work.action is Action.PUSH else "pull"
            return wording.not_signed_in(work.place, verb, looked.sources, remark, looked.help)
        challenge = answer.headers.get("WWW-Authenticate") or ""
        if answer.status == 401 and not challenge.lower().startswith("bearer"):
            return wording.login_refused(work.place, looked.login.source, remark)
        verb = "push to" if work.action is Action.PUSH else "pull from"
        return wording.no_access(work.place, verb, looked.login.source, remark, help_text)

    def _login(self, work: _Work) -> object | None:
        return work.gate.looked(work.wanted).login

    def _fault(self, work: _Work, failure: RequestFailedError) -> RegistryError:
        found = self._diagnostic(work.place, failure)
        if work.action is Action.PUSH and found.help == _OFFLINE:
            found = found._replace(help="a push that stopped can be repeated")
        return RegistryError(found)

    def _diagnostic(self, place: Place, failure: RequestFailedError) -> Diagnostic:
        match failure.failed:
            case Failed.TOO_SLOW:
                return wording.too_slow(place)
            case Failed.REDIRECT | Failed.LOOP:
                return wording.redirect_refused(place, failure.to or "nowhere", failure.reason)
            case Failed.TOO_LARGE | Failed.ENCODED:
                return wording.not_a_registry(place, failure.reason)
            case Failed.CERTIFICATE:
                help_text = "name the file of its authority as `ca` of the pool"
                return wording.unreachable(place, failure.reason, help_text)
            case Failed.NOT_TLS:
                help_text = "`insecure: true` of the pool allows plain http"
                return wording.unreachable(place, failure.reason, help_text)
            case _:
                return wording.unreachable(place, failure.reason, _OFFLINE)


class _Work(NamedTuple):
    """One operation: where, what it wants, and until when."""

    place: Place
    action: Action
    address: Address
    gate: Gate
    wanted: Wanted
    deadline: Deadline
    tag: str

    def at(self, path: str) -> Address:
        return self.address._replace(path=f"/v2/{self.wanted.repository}/{path}")


class _Stretch(NamedTuple):
    """A part of content as the body of a request."""

    content: Content
    start: int
    size: int

    def blocks(self) -> Iterator[bytes]:
        for block in self.content.stretch(self.start, self.size):
            for at in range(0, len(block), PIECE):
                yield block[at : at + PIECE]


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


def _lost(answer: Answer, statuses: tuple[int, ...] = (404, 416)) -> Answer:
    """The answer to a part of an upload. Raises RequestFailedError where it begins anew."""
    if answer.status in PASSING or answer.status in statuses:
        raise busy(answer)
    return answer


def _is_long(answer: Answer, deadline: Deadline) -> bool:
    """Whether a registry asks for a pause that nobody waits for."""
    wait = answer.retry_after
    return wait is not None and (wait > LONGEST_WAIT or wait >= deadline.left())


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
