"""One registry as something that is asked: where it is, with which login, and what it warns of."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from eryphc.diagnostics.registry import Place
from eryphc.diagnostics.words import cleaned
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.oci.answers import Action
from eryphc.genepool.oci.base import Base
from eryphc.genepool.oci.faults import RegistryError
from eryphc.genepool.oci.operation import Operation, request_failed
from eryphc.net.addresses import Address, is_loopback, read_address
from eryphc.net.client import ERROR_BODY, Client, Trace
from eryphc.net.credentials import HUB, Keychain
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Body, Request, Sink
from eryphc.net.timing import Clock, Deadline
from eryphc.net.tokens import Gate, NoTokenError, NoTokenInAnswerError, RealmError, Wanted

MOST_NOTICES: Final = 5
# What a registry that only speaks plain http may look like, also behind a proxy that lets no TLS
# through to its port.
_NO_TLS: Final = (
    Failed.NOT_TLS,
    Failed.REFUSED,
    Failed.TLS,
    Failed.CONNECTION,
    Failed.PROXY,
)
_HUB_SERVER: Final = "registry-1.docker.io"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
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

    def place(self, repository: str) -> Place:
        """How messages call a whole repository."""
        return Place(self.pool, self.host, repository)


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


class Endpoint:
    """Asks one registry, with a login where it wants one. Threads may share it.

    `hear` hears what the registry wants its users to know. Methods raise RegistryError; those that
    send a part of something larger raise RequestFailedError for what may pass.
    """

    def __init__(
        self, site: Site, client: Client, keychain: Keychain, hear: Callable[[str], None] | None
    ) -> None:
        if not _HOST.fullmatch(site.host):
            raise ValueError(f"{site.host!r} is no host")
        read_address(f"https://{site.host}")
        self.site = site
        self._client = client
        self._keychain = keychain
        self._hear = hear
        self._heard: set[str] = set()
        self._reached: tuple[Address, Base, Gate] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections of its client."""
        self._client.close()

    def begin(
        self, repository: str, action: Action, seconds: float, *, writes: bool, tag: str = ""
    ) -> Operation:
        """An operation on a repository below the prefix, of so many seconds.

        `writes`: it asks for the right to publish. Raises ValueError for a name that no registry
        has.
        """
        path = self.site.prefix.partition("/")[2].strip("/")
        name = "/".join(part for part in (path, repository) if part)
        if len(name) > 255:
            raise ValueError(f"{name!r} is too long for a repository")
        if not _REPOSITORY.fullmatch(name):
            raise ValueError(f"{name!r} is no repository of a registry")
        place = self.site.place(name)
        deadline = Deadline(self._client.clock, seconds)
        address, base, gate = self._reach(place, deadline)
        wanted = Wanted(name, "pull,push" if writes else "pull")
        return Operation(place, action, address, base, gate, wanted, deadline, tag)

    # -- requests -----------------------------------------------------------------------------

    def ask(
        self,
        work: Operation,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        limit: int = ERROR_BODY,
        repeat: bool = True,
    ) -> Answer:
        """The answer to a request on a path of the repository."""
        request = Request(method, work.at(path), FrozenMap(headers or {}), body=body)
        return self.send(work, request, limit, repeat=repeat)

    def send(
        self, work: Operation, request: Request, limit: int = ERROR_BODY, *, repeat: bool = True
    ) -> Answer:
        """The answer to a request, its body of at most `limit` bytes.

        Without `repeat` a failure that may pass is raised as it is: whoever repeats by other rules
        looks at it himself.
        """

        def sent(authorization: str | None) -> Answer:
            asked = request._replace(authorization=authorization)
            return self._client.ask(asked, work.deadline, limit, repeat=repeat)

        try:
            return self._authorized(work, sent)
        except RequestFailedError as failure:
            if not repeat and failure.passing:
                raise
            raise work.fault(failure) from None

    def send_part(self, work: Operation, request: Request) -> Answer:
        """Send a part of an upload, elsewhere without a login."""
        if request.address.origin == work.address.origin:
            return self.send(work, request, repeat=False)
        return self._client.ask(request, work.deadline, ERROR_BODY, repeat=False)

    def receive(self, work: Operation, path: str, sink: Sink, size: int) -> Answer:
        """Write a body of `size` bytes to `sink`. Raises RequestFailedError."""
        request = Request("GET", work.at(path))

        def received(authorization: str | None) -> Answer:
            asked = request._replace(authorization=authorization)
            return self._client.receive(asked, sink, size, work.deadline)

        return self._authorized(work, received)

    def repeated(self, work: Operation, attempt: Callable[[], Answer]) -> Answer:
        """The answer of the last attempt, of as many as there is time for."""
        try:
            return self._client.patiently(attempt, work.deadline)
        except RequestFailedError as failure:
            if failure.answer is not None:
                return failure.answer
            raise work.fault(failure) from None

    # -- where it is, and its logins ----------------------------------------------------------

    def _reach(self, place: Place, deadline: Deadline) -> tuple[Address, Base, Gate]:
        """The address of the registry, what it says of itself, and what answers its challenges."""
        with self._lock:
            if self._reached is None:
                host = self.site.host.lower()
                is_hub = host in (HUB, f"index.{HUB}", _HUB_SERVER)
                root = self._found(place, _HUB_SERVER if is_hub else host, deadline)
                gate = Gate(
                    self._client,
                    root,
                    HUB if is_hub else host,
                    self._keychain,
                    token_hosts=self.site.token_hosts,
                    insecure=self.site.insecure,
                )
                self._reached = root, Base(self._client, root), gate
            return self._reached

    def _found(self, place: Place, host: str, deadline: Deadline) -> Address:
        plain, secure = (read_address(f"{scheme}://{host}") for scheme in ("http", "https"))
        if not self.site.insecure:
            return plain if is_loopback(plain.host) else secure
        # A registry that need not be secure may speak either.
        try:
            with self._client.open(Request("GET", secure._replace(path="/v2/")), deadline):
                return secure
        except RequestFailedError as failure:
            if failure.failed in _NO_TLS:
                return plain
            raise RegistryError(request_failed(place, failure)) from None

    def _authorized(self, work: Operation, send: Callable[[str | None], Answer]) -> Answer:
        """Send, and once more with what the challenge of a 401 asks for."""
        answer = send(work.gate.known(work.wanted))
        if answer.status == 401 and work.is_own(answer):
            try:
                authorization = work.gate.answer(answer, work.wanted, work.deadline)
            except RealmError as refused:
                help_text = "name its host in `token_hosts` of the pool, if you trust it"
                raise work.redirect_refused(refused.to, refused.reason, help_text) from None
            except NoTokenError as refused:
                raise work.no_token(refused.answer) from None
            except NoTokenInAnswerError:
                raise work.not_a_registry("its server of tokens gives no token") from None
            if authorization is not None:
                answer = send(authorization)
        self._notice(answer)
        return answer

    def _notice(self, answer: Answer) -> None:
        if self._hear is None:
            return
        for text in _WARNING.findall(answer.headers.get("Warning") or ""):
            shown = cleaned(re.sub(r"\\(.)", r"\1", text))
            if shown and shown not in self._heard and len(self._heard) < MOST_NOTICES:
                self._heard.add(shown)
                self._hear(shown)
