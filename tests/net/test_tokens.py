"""Challenges, who may be asked for tokens, and what is sent there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.net.addresses import read_address
from eryphc.net.client import Client
from eryphc.net.credentials import Keychain
from eryphc.net.messages import Answer, Request
from eryphc.net.timing import Deadline
from eryphc.net.tokens import (
    Gate,
    NoTokenError,
    NoTokenInAnswerError,
    RealmError,
    Wanted,
    challenges,
    realm_refusal,
)
from net.clocks import TestClock
from net.server import Handler, Server, says

PULL = Wanted("acme/motd", "pull")
PUSH = Wanted("acme/motd", "pull,push")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (['Basic realm="x"'], [("basic", {"realm": "x"})]),
        (
            ['Bearer realm="https://a/t",service="s, t",scope="a:b:pull,push"'],
            [("bearer", {"realm": "https://a/t", "service": "s, t", "scope": "a:b:pull,push"})],
        ),
        (
            ['Basic realm="x", Bearer realm="y", service=z', 'Negotiate, Digest qop="auth"'],
            [
                ("basic", {"realm": "x"}),
                ("bearer", {"realm": "y", "service": "z"}),
                ("negotiate", {}),
                ("digest", {"qop": "auth"}),
            ],
        ),
        (['BEARER Realm = "a\\"b"'], [("bearer", {"realm": 'a"b'})]),
        (["Bearer realm=https://a/t,x=s"], [("bearer", {"realm": "https://a/t", "x": "s"})]),
        (["Basic YWJj==, Bearer realm=x"], [("basic", {}), ("bearer", {"realm": "x"})]),
        (['Bearer realm="never ends'], [("bearer", {})]),
        ([""], []),
        ([", ,"], []),
    ],
)  # fmt: skip
def test_challenges(headers: list[str], found: list[tuple[str, dict[str, str]]]) -> None:
    assert [(each.scheme, dict(each.parameters)) for each in challenges(headers)] == found


@given(st.text(max_size=200))
def test_any_header_can_be_read(header: str) -> None:
    challenges([header])


@pytest.mark.parametrize(
    ("realm", "registry", "asked"),
    [
        ("https://registry.example.com/token", "https://registry.example.com", True),
        ("https://registry.example.com:8443/t", "https://registry.example.com:5000", True),
        ("https://example.com/t", "https://registry.example.com", True),
        ("https://auth.example.com/t", "https://registry.example.com", True),
        ("https://a.b.example.com/t", "https://registry.example.com", True),
        ("https://auth.docker.io/token", "https://registry-1.docker.io", True),
        ("https://gitlab.com/jwt/auth", "https://registry.gitlab.com", True),
        ("https://ghcr.io/token", "https://ghcr.io", True),
        ("https://evil.io/token", "https://ghcr.io", False),
        ("https://example.com.evil.org/t", "https://registry.example.com", False),
        ("https://evilexample.com/t", "https://registry.example.com", False),
        ("https://other.co.uk/t", "https://registry.co.uk", False),
        ("https://co.uk/t", "https://registry.co.uk", False),
        ("https://auth.corp.co.uk/t", "https://registry.corp.co.uk", True),
        ("https://login.corp.example/t", "https://registry.example.com", True),
        ("http://registry.example.com/t", "https://registry.example.com", False),
        ("http://login.corp.example/t", "http://127.0.0.1:5000", False),
        ("http://127.0.0.1:6000/t", "http://127.0.0.1:5000", True),
        ("https://10.0.0.2/t", "https://10.0.0.1", False),
        ("https://x.0.0.1/t", "https://10.0.0.1", False),
        ("https://169.254.169.254/t", "https://registry.example.com", False),
        ("https://u:p@registry.example.com/t", "https://registry.example.com", False),
    ],
)
def test_who_may_be_asked(realm: str, registry: str, *, asked: bool) -> None:
    hosts = ("login.corp.example",)
    refused = realm_refusal(read_address(realm), read_address(registry), hosts, insecure=False)
    assert (refused is None) == asked


def test_plain_http_where_that_is_wanted() -> None:
    realm, registry = read_address("http://reg.lan/t"), read_address("http://reg.lan")
    assert realm_refusal(realm, registry, (), insecure=True) is None
    assert realm_refusal(realm, registry, (), insecure=False) is not None


# -- asking -----------------------------------------------------------------------------------


class Asking:
    """A registry and a server of tokens on the same host, and a login for it."""

    def __init__(self, clock: TestClock, registry: Server, tokens: Server) -> None:
        self.clock = clock
        self.registry = registry
        self.tokens = tokens
        self.client = Client({}, clock=clock.clock)
        self.environment: dict[str, str] = {}
        self.host = registry.address.removeprefix("http://")
        self.given = {"token": "t1"}
        tokens.routes["/token"] = lambda handler: handler.answer(
            200, json.dumps(self.given).encode()
        )
        self._gate: Gate | None = None

    @property
    def gate(self) -> Gate:
        if self._gate is None:
            keychain = Keychain(self.environment, (self.host,), hear=print)
            self._gate = Gate(self.client, read_address(self.registry.address), self.host, keychain)
        return self._gate

    def login(self, **entry: str) -> None:
        self.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {self.host: entry}})

    def challenged(self, *headers: str, wanted: Wanted = PULL) -> str | None:
        answer = Answer(401, {}, b"", read_address(self.registry.address), headers)
        return self.gate.answer(answer, wanted, Deadline(self.clock.clock))

    def bearer(self, realm: str = "", service: str = "reg") -> str:
        return f'Bearer realm="{realm or self.tokens.address + "/token"}",service="{service}"'

    def queries(self) -> list[dict[str, list[str]]]:
        return [parse_qs(urlsplit(each.path).query) for each in self.tokens.asked]


@pytest.fixture
def asking(clock: TestClock, server: Server, other: Server) -> Iterator[Asking]:
    found = Asking(clock, server, other)
    yield found
    found.client.close()


def test_without_a_login_a_token_is_asked_for(asking: Asking) -> None:
    assert asking.challenged(asking.bearer(service="a&b=c")) == "Bearer t1"
    assert asking.queries() == [{"service": ["a&b=c"], "scope": ["repository:acme/motd:pull"]}]
    assert "authorization" not in asking.tokens.asked[0].headers


def test_a_login_goes_to_the_server_of_tokens(asking: Asking) -> None:
    asking.login(username="me", password="pässword")  # noqa: S106 - a test's
    assert asking.challenged(asking.bearer(), wanted=PUSH) == "Bearer t1"
    assert asking.tokens.asked[0].headers["authorization"] == "Basic bWU6cMOkc3N3b3Jk"
    assert asking.queries()[0]["scope"] == ["repository:acme/motd:pull,push"]


def test_a_refresh_token_is_posted(asking: Asking) -> None:
    asking.login(identitytoken="r1 &")
    asking.given = {"access_token": "t2"}
    assert asking.challenged(asking.bearer()) == "Bearer t2"
    sent = asking.tokens.asked[0]
    assert (sent.method, sent.path) == ("POST", "/token")
    assert parse_qs(sent.body.decode()) == {
        "grant_type": ["refresh_token"],
        "service": ["reg"],
        "client_id": ["eryphc"],
        "scope": ["repository:acme/motd:pull"],
        "refresh_token": ["r1 &"],
    }


def test_a_bearer_token_is_taken_as_it_is(asking: Asking) -> None:
    asking.login(registrytoken="given")
    assert asking.challenged(asking.bearer()) == "Bearer given"
    assert asking.tokens.asked == []


def test_basic(asking: Asking) -> None:
    assert asking.challenged('Basic realm="x"') is None
    asking._gate = None
    asking.login(username="me", password="x")  # noqa: S106 - a test's
    assert asking.challenged('Basic realm="x"') == "Basic bWU6eA=="
    assert asking.gate.known(PULL) == "Basic bWU6eA=="
    assert asking.gate.known(PUSH) is None


def test_of_several_challenges_bearer_is_taken(asking: Asking) -> None:
    asking.login(username="me", password="x")  # noqa: S106 - a test's
    assert asking.challenged('Basic realm="x"', asking.bearer()) == "Bearer t1"
    asking._gate = None
    assert asking.challenged("Negotiate", 'Basic realm="x"') == "Basic bWU6eA=="
    assert asking.challenged("Negotiate") is None
    assert asking.challenged() is None


@pytest.mark.parametrize(
    ("life", "seconds"),
    [({}, 50), ({"expires_in": 300}, 290), ({"expires_in": -1}, 50), ({"expires_in": "x"}, 50),
     ({"expires_in": True}, 50)],
)  # fmt: skip
def test_a_token_is_used_until_shortly_before_its_end(
    asking: Asking, life: dict[str, Any], seconds: float
) -> None:
    asking.given = {"token": "t1", **life}
    asking.challenged(asking.bearer())
    asking.clock.seconds += seconds - 1
    assert asking.gate.known(PULL) == "Bearer t1"
    asking.clock.seconds += 2
    assert asking.gate.known(PULL) is None


def test_one_that_was_refused_is_forgotten(asking: Asking) -> None:
    asking.challenged(asking.bearer())
    assert asking.challenged("Negotiate") is None
    assert asking.gate.known(PULL) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"token": 1}', b'{"token": "two words"}',
     b'{"token": "a\\r\\nX: y"}', b'{"token": ""}'],
)  # fmt: skip
def test_no_token(asking: Asking, body: bytes) -> None:
    asking.tokens.routes["/token"] = says(200, body)
    with pytest.raises(NoTokenInAnswerError):
        asking.challenged(asking.bearer())


def test_the_server_of_tokens_refuses(asking: Asking) -> None:
    asking.tokens.routes["/token"] = says(401, b"no")
    with pytest.raises(NoTokenError) as caught:
        asking.challenged(asking.bearer())
    assert caught.value.answer.status == 401


@pytest.mark.parametrize("realm", ["https://evil.example/token", "file:///etc", "token"])
def test_a_foreign_server_of_tokens_is_sent_nothing(asking: Asking, realm: str) -> None:
    asking.login(username="me", password="x")  # noqa: S106 - a test's
    with pytest.raises(RealmError):
        asking.challenged(asking.bearer(realm))
    assert asking.tokens.asked == []


def test_a_redirect_takes_no_login_along(asking: Asking) -> None:
    def elsewhere(handler: Handler) -> None:
        handler.answer(302, Location=f"{asking.registry.address}/token")

    asking.login(username="me", password="x")  # noqa: S106 - a test's
    asking.tokens.routes["/token"] = elsewhere
    asking.registry.routes["/token"] = says(200, b'{"token": "t"}')
    asking.challenged(asking.bearer())
    assert "authorization" in asking.tokens.asked[0].headers
    assert "authorization" not in asking.registry.asked[0].headers


def test_no_login_over_plain_http_to_another_machine(asking: Asking) -> None:
    environment = {"ERYPHC_REGISTRY_USER": "me", "ERYPHC_REGISTRY_PASSWORD": "x"}
    keychain = Keychain(environment, ("reg.lan",), hear=print)
    registry = read_address("http://reg.lan")
    gate = Gate(asking.client, registry, "reg.lan", keychain)
    answer = Answer(401, {}, b"", registry, ('Basic realm="x"',))
    assert gate.answer(answer, PULL, Deadline(asking.clock.clock)) is None
    open_gate = Gate(asking.client, registry, "reg.lan", keychain, insecure=True)
    assert open_gate.answer(answer, PULL, Deadline(asking.clock.clock)) == "Basic bWU6eA=="


def test_nothing_of_a_token_is_shown(asking: Asking) -> None:
    asking.challenged(asking.bearer())
    assert "t1" not in repr(asking.gate)
    assert "t1" not in repr(Request("GET", read_address("http://x/"), authorization="Bearer t1"))
