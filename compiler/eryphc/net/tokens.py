"""What a registry wants of who asks: challenges, and the tokens or logins that answer them.

Sources: RFC 9110 11; RFC 6750; https://distribution.github.io/distribution/spec/auth/token/;
https://distribution.github.io/distribution/spec/auth/oauth/.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlencode

from eryphc.canonical import read_json
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.net.addresses import (
    Address,
    is_literal,
    is_loopback,
    read_address,
    shown_url,
)
from eryphc.net.client import Client
from eryphc.net.credentials import Keychain, Login, Looked
from eryphc.net.messages import Answer, Bytes, Request
from eryphc.net.timing import Deadline

TOKEN_LIMIT = 64 * 1024
_DEFAULT_LIFE = 60.0
_MARGIN = 10.0
"""Seconds before its end after which a token is not used any more."""
_LONGEST_HEADER = 8 * 1024
_PART = re.compile(
    r"""[\s,]*(?:
        (?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*
            (?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[!#$%&'*+.^_`|~0-9A-Za-z:/?-]+))(?=\s*(?:,|$))
        |(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=\s|,|$)
        |(?P<token68>[A-Za-z0-9._~+/-]+=*)(?=\s*(?:,|$))
    )""",
    re.VERBOSE,
)
_TOKEN = re.compile(r"[!-~]+")


class Challenge(NamedTuple):
    """What a server wants. `scheme` and the names of `parameters` are in lower case."""

    scheme: str
    parameters: FrozenMap[str]


class Wanted(NamedTuple):
    """What a request is about: a repository, and `pull` or `pull,push`."""

    repository: str
    actions: str

    @property
    def scope(self) -> str:
        return f"repository:{self.repository}:{self.actions}"


class RealmError(Exception):
    """The server that gives out tokens is none that may be asked."""

    def __init__(self, to: str, reason: str) -> None:
        super().__init__(reason)
        self.to = to
        self.reason = reason


class NoTokenError(Exception):
    """The server that gives out tokens gave none; `answer` is what it said instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the server of tokens answers {answer.status}")
        self.answer = answer


class NoTokenInAnswerError(Exception):
    """The server that gives out tokens answered, but not with a token."""


def challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges of all `WWW-Authenticate` headers, in order. Source: RFC 9110 11.6.1."""
    return tuple(found for header in headers for found in _challenges(header[:_LONGEST_HEADER]))


def _challenges(header: str) -> Iterator[Challenge]:
    scheme: str | None = None
    parameters: dict[str, str] = {}
    at = 0
    while match := _PART.match(header, at):
        at = match.end()
        if match["scheme"]:
            if scheme is not None:
                yield Challenge(scheme, FrozenMap(parameters))
            scheme, parameters = match["scheme"].lower(), {}
        elif match["name"]:
            quoted = match["quoted"]
            value = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(match["name"].lower(), value)
    if scheme is not None:
        yield Challenge(scheme, FrozenMap(parameters))


def realm_refusal(
    realm: Address, registry: Address, token_hosts: Collection[str], *, insecure: bool
) -> str | None:
    """Why the server at `realm` is not asked for tokens of a registry; None where it is.

    It is asked if its host is the registry's, the domain above that, a host below this domain,
    or one of `token_hosts`.
    """
    if realm.has_user:
        return "it holds a user or a password"
    if realm.scheme == "http" and not (insecure or is_loopback(realm.host)):
        return "a login would travel over plain http"
    host, own = realm.host.rstrip("."), registry.host.rstrip(".")
    if host == own or host in {each.lower().rstrip(".") for each in token_hosts}:
        return None
    above = "" if is_literal(own) else _domain_above(own)
    if above and not is_literal(host) and (host == above or host.endswith(f".{above}")):
        return None
    return f"it gives out tokens for `{registry.host}`, and belongs to somebody else"


def _domain_above(host: str) -> str:
    """The domain above a host; none where that may be shared by strangers, as `com` and `co.uk`."""
    labels = host.split(".")[1:]
    if len(labels) < 2:
        return ""
    if len(labels) == 2 and len(labels[0]) <= 3 and len(labels[1]) == 2:
        return ""
    return ".".join(labels)


class _Kept(NamedTuple):
    """A value for `Authorization`, and until when it may be used."""

    value: str
    until: float
    source: str | None

    def __repr__(self) -> str:
        return f"_Kept({self.source})"


class Gate:
    """Answers the challenges of one registry; keeps tokens in memory. Threads may share it.

    Raises, beside its own exceptions, RequestFailedError.
    """

    def __init__(
        self,
        client: Client,
        registry: Address,
        host: str,
        keychain: Keychain,
        *,
        token_hosts: Collection[str] = (),
        insecure: bool = False,
    ) -> None:
        """`host` is the name under which logins are kept, `registry` what is connected to."""
        self._client = client
        self._registry = registry
        self._host = host
        self._keychain = keychain
        self._token_hosts = tuple(token_hosts)
        self._insecure = insecure
        self._kept: dict[Wanted, _Kept] = {}
        self._lock = threading.Lock()

    def known(self, wanted: Wanted) -> str | None:
        """The `Authorization` that is known to be right for what is wanted."""
        with self._lock:
            kept = self._kept.get(wanted)
        if kept is None or self._client.clock.monotonic() >= kept.until:
            return None
        return kept.value

    def looked(self, wanted: Wanted) -> Looked:
        """Where logins for a repository were looked for, and the one that was found."""
        if not self._may_send(self._registry):
            return Looked(None, ())
        return self._keychain.find(self._host, wanted.repository)

    def answer(self, answer: Answer, wanted: Wanted, deadline: Deadline) -> str | None:
        """The `Authorization` for a request that was answered with 401; None where there is none.

        Raises RealmError, NoTokenError, NoTokenInAnswerError.
        """
        with self._lock:
            self._kept.pop(wanted, None)
        by_scheme = {each.scheme: each for each in reversed(challenges(answer.challenges))}
        bearer, basic = by_scheme.get("bearer"), by_scheme.get("basic")
        if bearer is not None and bearer.parameters.get("realm"):
            kept = self._token(bearer, wanted, deadline)
        elif basic is not None:
            kept = self._basic(wanted)
        else:
            kept = None
        if kept is None:
            return None
        with self._lock:
            self._kept[wanted] = kept
        return kept.value

    def _may_send(self, to: Address) -> bool:
        """Whether a login may go there: never over plain http to another machine."""
        return to.scheme == "https" or self._insecure or is_loopback(to.host)

    def _basic(self, wanted: Wanted) -> _Kept | None:
        login = self.looked(wanted).login
        if login is None or not login.password:
            return None
        return _Kept(_basic_of(login), float("inf"), login.source)

    def _token(self, challenge: Challenge, wanted: Wanted, deadline: Deadline) -> _Kept | None:
        realm = self._realm(challenge.parameters["realm"])
        login = self.looked(wanted).login
        if login is not None and login.bearer:
            return _Kept(f"Bearer {login.bearer}", float("inf"), login.source)
        service = challenge.parameters.get("service", "")
        begin = self._client.clock.monotonic()
        if login is not None and login.refresh:
            request = _refreshing(realm, service, wanted, login)
        else:
            request = _asking(realm, service, wanted, login)
        answer = self._client.ask(request, deadline, TOKEN_LIMIT)
        if answer.status != 200:
            raise NoTokenError(answer)
        token, life = _token_of(answer.body)
        source = login.source if login is not None else None
        return _Kept(f"Bearer {token}", begin + life - _MARGIN, source)

    def _realm(self, text: str) -> Address:
        try:
            realm = read_address(text)
        except ValueError as error:
            raise RealmError(shown_url(text), str(error)) from None
        refused = realm_refusal(realm, self._registry, self._token_hosts, insecure=self._insecure)
        if refused is not None:
            raise RealmError(realm.shown, refused)
        return realm


def _asking(realm: Address, service: str, wanted: Wanted, login: Login | None) -> Request:
    pairs = [("service", service)] if service else []
    # One parameter: some servers grant only the first.
    address = realm.with_query(*pairs, ("scope", wanted.scope))
    authorization = _basic_of(login) if login is not None else None
    return Request("GET", address, authorization=authorization)


def _refreshing(realm: Address, service: str, wanted: Wanted, login: Login) -> Request:
    form = urlencode(
        {
            "grant_type": "refresh_token",
            "service": service,
            "client_id": "eryphc",
            "scope": wanted.scope,
            "refresh_token": login.refresh,
        }
    )
    headers = FrozenMap({"Content-Type": "application/x-www-form-urlencoded"})
    return Request("POST", realm, headers, body=Bytes(form.encode()))


def _token_of(body: bytes) -> tuple[str, float]:
    """The token of an answer, and its seconds. Raises NoTokenInAnswerError."""
    try:
        found = read_json(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoTokenInAnswerError
    token = found.get("token") or found.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoTokenInAnswerError
    life = found.get("expires_in")
    if isinstance(life, int | float) and not isinstance(life, bool) and 0 < life < 1e9:
        return token, float(life)
    return token, _DEFAULT_LIFE


def _basic_of(login: Login) -> str:
    account = f"{login.user}:{login.password}".encode()
    return f"Basic {base64.b64encode(account).decode()}"
