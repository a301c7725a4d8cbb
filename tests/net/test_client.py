"""The client against a real server: redirects, retries, deadlines, sizes, hostile answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from eryphc.frozen import FrozenMap
from eryphc.net.addresses import read_address
from eryphc.net.client import Client
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Bytes, Request
from eryphc.net.proxies import proxy_for
from eryphc.net.timing import Deadline
from eryphc.net.transport import Limits, Trust
from net.clocks import TestClock
from net.server import Handler, Server, cuts, says

LIMIT = 1000


class Asking:
    """A client with a clock of its own, and what it told of its exchanges."""

    def __init__(self, clock: TestClock, **options: Any) -> None:
        self.clock = clock
        self.lines: list[str] = []
        environment = options.pop("environment", {})
        trust = options.pop("trust", None)
        self.client = Client(
            environment, trust, clock=clock.clock, trace=self.lines.append, **options
        )

    def __call__(
        self,
        url: str,
        *,
        method: str = "GET",
        authorization: str | None = None,
        limit: int = LIMIT,
        seconds: float = 60.0,
        body: bytes | None = None,
    ) -> Answer:
        request = Request(
            method,
            read_address(url),
            authorization=authorization,
            body=None if body is None else Bytes(body),
        )
        return self.client.ask(request, Deadline(self.clock.clock, seconds), limit)

    def failure(self, url: str, **options: Any) -> RequestFailedError:
        with pytest.raises(RequestFailedError) as caught:
            self(url, **options)
        return caught.value


@pytest.fixture
def asking(clock: TestClock) -> Iterator[Asking]:
    found = Asking(clock)
    yield found
    found.client.close()


def test_an_answer_and_what_was_sent(server: Server, asking: Asking) -> None:
    server.routes["/x"] = says(200, b"hello", Content_Type="text/plain")
    answer = asking(f"{server.address}/x?q=1")
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["content-type"] == "text/plain"
    sent = server.asked[0].headers
    assert sent["accept-encoding"] == "identity"
    assert sent["user-agent"].startswith("eryphc/")
    assert sorted(sent) == ["accept-encoding", "host", "user-agent"]


def test_a_line_for_each_exchange_without_query_and_headers(server: Server, asking: Asking) -> None:
    server.routes["/a"] = says(302, Location="/b?signature=s3cret")
    server.routes["/b"] = says(200)
    asking(f"{server.address}/a?key=s3cret", authorization="Basic s3cret")
    host = server.address.removeprefix("http://")
    assert asking.lines == [f"GET {host} /a 302 0 ms", f"GET {host} /b 200 0 ms"]


def test_connections_are_kept(server: Server, asking: Asking) -> None:
    server.routes["/x"] = says(200, b"x" * 500)
    server.routes["/no"] = says(404, b"not there")
    for _ in range(5):
        asking(f"{server.address}/x")
        asking(f"{server.address}/no")
        asking(f"{server.address}/x", method="HEAD")
    assert server.connections == 1


def test_a_kept_connection_that_the_server_has_closed(server: Server, asking: Asking) -> None:
    """The server closes without having said so, and looks at nothing that still comes."""

    def closes(handler: Handler) -> None:
        handler.answer(200, b"x")
        handler.close_connection = True

    server.routes["/x"] = closes
    for _ in range(5):
        assert asking(f"{server.address}/x").body == b"x"
    assert asking.clock.waits == []


def test_a_connection_that_is_closed_each_time(server: Server, asking: Asking) -> None:
    def closes(handler: Handler) -> None:
        handler.close_connection = True

    server.routes["/x"] = says(200)
    asking(f"{server.address}/x")
    server.routes["/x"] = closes
    assert asking.failure(f"{server.address}/x").failed is Failed.CONNECTION
    # Once more than there are attempts, because the first used the kept connection.
    assert len(server.asked) == 1 + 5


def test_at_most_four_connections(server: Server, asking: Asking) -> None:
    together = threading.Semaphore(0)
    most: list[int] = []
    lock = threading.Lock()
    now = 0

    def route(handler: Handler) -> None:
        nonlocal now
        with lock:
            now += 1
            most.append(now)
            if now == 4:
                together.release(100)
        together.acquire(timeout=5)
        with lock:
            now -= 1
        handler.answer(200)

    server.routes["/x"] = route
    threads = [threading.Thread(target=asking, args=(f"{server.address}/x",)) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert max(most) == 4
    assert server.connections <= 4
    assert len(server.asked) == 12


def test_a_body_is_sent_whole(server: Server, asking: Asking) -> None:
    server.routes["/x"] = says(201)
    data = bytes(range(256)) * 2000
    assert asking(f"{server.address}/x", method="PUT", body=data).status == 201
    assert server.asked[0].body == data


def test_nothing_of_a_request_is_shown() -> None:
    request = Request(
        "GET",
        read_address("https://user:s3cret@host/x?key=s3cret"),
        FrozenMap({"X": "s3cret"}),
        "Basic s3cret",
        Bytes(b"s3cret"),
    )
    assert "s3cret" not in repr(request)


# -- redirects --------------------------------------------------------------------------------


class TestRedirects:
    def test_on_the_same_origin_authorization_stays(self, server: Server, asking: Asking) -> None:
        server.routes["/a"] = says(307, Location="b")
        server.routes["/b"] = says(200, b"b")
        assert asking(f"{server.address}/a", authorization="Bearer t").body == b"b"
        assert [each.headers.get("authorization") for each in server.asked] == ["Bearer t"] * 2

    def test_another_origin_gets_none_and_neither_does_the_way_back(
        self, server: Server, other: Server, asking: Asking
    ) -> None:
        server.routes["/a"] = says(302, Location=f"{other.address}/b", Set_Cookie="session=1")
        other.routes["/b"] = says(302, Location=f"{server.address}/c")
        server.routes["/c"] = says(200, b"c")
        assert asking(f"{server.address}/a", authorization="Basic x").body == b"c"
        assert "authorization" not in other.asked[0].headers
        assert "authorization" not in server.asked[1].headers
        assert all("cookie" not in each.headers for each in server.asked + other.asked)

    def test_not_for_ever(self, server: Server, asking: Asking) -> None:
        server.routes["/a"] = says(302, Location="/a")
        failure = asking.failure(f"{server.address}/a")
        assert failure.failed is Failed.LOOP
        assert len(server.asked) == 6

    @pytest.mark.parametrize(
        "location",
        [
            "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "http://user:pw@127.0.0.1/",
            "http://a\\@b/",
            "https://",
            "http://[::1/",
            "http://host:99999/",
        ],
    )
    def test_not_to_what_is_no_address(self, server: Server, asking: Asking, location: str) -> None:
        server.routes["/a"] = says(302, Location=location)
        failure = asking.failure(f"{server.address}/a")
        assert failure.failed is Failed.REDIRECT
        assert "pw" not in f"{failure.reason} {failure.to}"
        assert len(server.asked) == 1

    def test_not_from_https_to_http(
        self, secure: Server, other: Server, certificate: Path, clock: TestClock
    ) -> None:
        asking = Asking(clock, trust=Trust(ca=certificate))
        secure.routes["/a"] = says(302, Location=f"{other.address}/b")
        failure = asking.failure(f"{secure.address}/a")
        assert (failure.failed, failure.to) == (Failed.REDIRECT, f"{other.address}/b")
        assert other.asked == []
        asking.client.close()

    @pytest.mark.parametrize("host", ["169.254.169.254", "127.0.0.1", "[::1]", "localhost", "0"])
    def test_not_into_this_machine_from_elsewhere(
        self, server: Server, clock: TestClock, host: str
    ) -> None:
        """The proxy answers for a server that is not this machine."""
        asking = Asking(clock, environment={"HTTP_PROXY": server.address})
        server.otherwise = says(302, Location=f"http://{host}:{server.port}/latest")
        failure = asking.failure("http://somewhere.invalid/a")
        assert failure.failed is Failed.REDIRECT
        assert failure.by == "http://somewhere.invalid/a"
        assert server.paths() == ["http://somewhere.invalid/a"]
        asking.client.close()

    def test_only_reading_follows(self, server: Server, asking: Asking) -> None:
        server.routes["/a"] = says(307, Location="/b")
        assert asking(f"{server.address}/a", method="POST").status == 307
        assert len(server.asked) == 1


# -- retries ----------------------------------------------------------------------------------


class TestRetries:
    def test_what_may_pass_is_waited_out(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = [says(503), says(429), says(500), says(200, b"x")]
        assert asking(f"{server.address}/x").body == b"x"
        assert asking.clock.waits == [0.5, 1.0, 2.0]

    def test_after_the_last_attempt_the_answer_is_given(
        self, server: Server, asking: Asking
    ) -> None:
        server.routes["/x"] = says(503, b"down")
        answer = asking(f"{server.address}/x")
        assert (answer.status, answer.body) == (503, b"down")
        assert len(server.asked) == 4

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 416, 501])
    def test_what_stays_is_asked_once(self, server: Server, asking: Asking, status: int) -> None:
        server.routes["/x"] = says(status)
        assert asking(f"{server.address}/x").status == status
        assert len(server.asked) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_the_server_says_how_long(self, server: Server, asking: Asking, status: int) -> None:
        date = formatdate(asking.clock.date + 7, usegmt=True)
        server.routes["/x"] = [
            says(status, Retry_After="12"),
            says(status, Retry_After=date),
            says(200, b"x"),
        ]
        assert asking(f"{server.address}/x").body == b"x"
        assert asking.clock.waits == [12.0, 7.0]

    @pytest.mark.parametrize("words", ["31", "99999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
    def test_nobody_waits_long(self, server: Server, asking: Asking, words: str) -> None:
        server.routes["/x"] = says(429, Retry_After=words)
        answer = asking(f"{server.address}/x")
        assert answer.status == 429
        assert answer.retry_after is not None
        assert answer.retry_after > 30
        assert asking.clock.waits == []

    def test_nor_beyond_the_deadline(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = says(429, Retry_After="20")
        assert asking(f"{server.address}/x", seconds=10).status == 429
        assert asking.clock.waits == []

    @pytest.mark.parametrize("words", ["soon", "-1", "1.5", "٣", ""])
    def test_what_cannot_be_read_is_ignored(
        self, server: Server, asking: Asking, words: str
    ) -> None:
        route = says(503, Retry_After=words.encode().decode("latin-1"))
        server.routes["/x"] = [route, says(200)]
        assert asking(f"{server.address}/x").status == 200
        assert asking.clock.waits == [0.5]

    def test_nobody_listens(self, asking: Asking) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            failure = asking.failure(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        assert failure.failed is Failed.REFUSED
        assert asking.clock.waits == [0.5, 1.0, 2.0]
        assert len(asking.lines) == 4

    def test_a_body_is_sent_anew(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = [says(503), says(201)]
        assert asking(f"{server.address}/x", method="PUT", body=b"data").status == 201
        assert [each.body for each in server.asked] == [b"data"] * 2

    def test_a_name_that_leads_nowhere(self, asking: Asking) -> None:
        assert asking.failure("http://nowhere.invalid/").failed is Failed.NO_NAME


# -- time and size ----------------------------------------------------------------------------


@contextmanager
def raw(*sent: bytes, drip: float | None = None) -> Iterator[str]:
    """A server of bytes: sends them to each connection, then one byte each `drip` seconds."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            with connected:
                try:
                    for each in sent:
                        connected.sendall(each)
                    while drip is not None and not ended.wait(drip):
                        connected.sendall(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


class TestTime:
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(HEAD, id="its body"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: ", id="a header"),
            pytest.param(b"", id="the status line"),
            pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", id="a chunk"),
        ],
    )
    def test_a_server_that_drips(self, sent: bytes) -> None:
        """Real time: each byte comes well before one read may end."""
        client = Client({})
        begin = time.monotonic()
        with raw(sent, drip=0.02) as url, pytest.raises(RequestFailedError) as caught:
            client.ask(Request("GET", read_address(url)), Deadline(client.clock, 0.3), 1_000_000)
        assert caught.value.failed is Failed.TOO_SLOW
        assert time.monotonic() - begin < 3
        client.close()

    def test_a_server_that_hangs(self, clock: TestClock) -> None:
        asking = Asking(clock, limits=Limits(connect=1, read=0.05))
        with raw(HEAD, drip=60) as url:
            failure = asking.failure(url, limit=1_000_000)
        assert failure.failed is Failed.SILENT
        assert failure.reason == "the server is silent for 0.05 seconds"
        assert len(clock.waits) == 3
        asking.client.close()

    def test_the_deadline_counts_all_attempts(self, server: Server, asking: Asking) -> None:
        def route(handler: Handler) -> None:
            asking.clock.seconds += 15
            handler.answer(503)

        server.routes["/x"] = route
        # The end comes before or after the last answer has been read.
        with suppress(RequestFailedError):
            assert asking(f"{server.address}/x", seconds=40).status == 503
        assert len(server.asked) == 3

    def test_no_request_begins_after_the_end(self, server: Server, asking: Asking) -> None:
        assert asking.failure(f"{server.address}/x", seconds=0).failed is Failed.TOO_SLOW
        assert server.asked == []

    def test_continue_for_ever(self) -> None:
        client = Client({})
        many = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000
        with raw(many, drip=60) as url, pytest.raises(RequestFailedError) as caught:
            client.ask(Request("GET", read_address(url)), Deadline(client.clock, 0.3), 10)
        assert caught.value.failed is Failed.TOO_SLOW
        client.close()


class TestSize:
    def test_up_to_the_limit_and_no_more(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = says(200, b"x" * LIMIT)
        server.routes["/y"] = says(200, b"x" * (LIMIT + 1))
        assert len(asking(f"{server.address}/x").body) == LIMIT
        assert asking.failure(f"{server.address}/y").failed is Failed.TOO_LARGE

    def test_without_a_length(self, asking: Asking) -> None:
        """The server would send for ever."""
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        with raw(head, *[chunk] * 100) as url:
            assert asking.failure(url).failed is Failed.TOO_LARGE

    def test_words_about_a_fault_are_cut(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = says(404, b"x" * 1_000_000)
        assert len(asking(f"{server.address}/x", limit=10_000_000).body) == 64 * 1024

    def test_a_body_that_is_cut_is_asked_again(self, server: Server, asking: Asking) -> None:
        server.routes["/x"] = [cuts(b"hello", 2), cuts(b"hello", 0), says(200, b"hello")]
        assert asking(f"{server.address}/x").body == b"hello"
        server.routes["/y"] = cuts(b"hello", 4)
        failure = asking.failure(f"{server.address}/y")
        assert failure.failed is Failed.TRUNCATED
        assert failure.reason == "the connection ended after 4 of 5 bytes"

    def test_a_chunked_body_that_is_cut(self, asking: Asking) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"
        with raw(head) as url:
            assert asking.failure(url).failed in (Failed.TRUNCATED, Failed.CONNECTION)

    @pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip"])
    def test_what_is_encoded_is_refused(self, server: Server, asking: Asking, coding: str) -> None:
        server.routes["/x"] = says(200, b"x", Content_Encoding=coding)
        assert asking.failure(f"{server.address}/x").failed is Failed.ENCODED

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
            b"\x15\x03\x01\x00\x02\x02\x16",
            b"",
        ],
        ids=["two lengths", "many headers", "a long header", "TLS", "nothing"],
    )
    def test_no_answer_of_http(self, asking: Asking, head: bytes) -> None:
        with raw(head) as url:
            assert asking.failure(url).failed is Failed.CONNECTION


# -- TLS and proxies --------------------------------------------------------------------------


class TestTls:
    def test_a_certificate_that_nobody_vouches_for(self, secure: Server, asking: Asking) -> None:
        failure = asking.failure(f"{secure.address}/x")
        assert failure.failed is Failed.CERTIFICATE
        assert "certificate is not accepted" in failure.reason
        assert len(asking.lines) == 1

    @pytest.mark.parametrize("way", ["ca", "SSL_CERT_FILE", "insecure"])
    def test_one_that_is_trusted(
        self, secure: Server, certificate: Path, clock: TestClock, way: str
    ) -> None:
        secure.routes["/x"] = says(200, b"x")
        trust = Trust(certificate if way == "ca" else None, way == "insecure")
        environment = {"SSL_CERT_FILE": str(certificate)} if way == "SSL_CERT_FILE" else {}
        asking = Asking(clock, trust=trust, environment=environment)
        assert asking(f"{secure.address}/x").body == b"x"
        asking.client.close()

    def test_a_file_without_certificates(self, tmp_path: Path, clock: TestClock) -> None:
        (tmp_path / "ca.pem").write_text("nothing")
        asking = Asking(clock, trust=Trust(tmp_path / "ca.pem"))
        failure = asking.failure("https://127.0.0.1:9/")
        assert failure.failed is Failed.CERTIFICATE
        assert "`ca.pem` holds no certificates" in failure.reason
        asking = Asking(clock, environment={"SSL_CERT_FILE": str(tmp_path / "none.pem")})
        failure = asking.failure("https://127.0.0.1:9/")
        assert "`none.pem` (named by `SSL_CERT_FILE`) holds no" in failure.reason

    def test_plain_http_where_tls_is_due(self, server: Server, asking: Asking) -> None:
        url = server.address.replace("http:", "https:")
        assert asking.failure(f"{url}/x").failed is Failed.NOT_TLS

    def test_a_handshake_that_never_ends(self) -> None:
        client = Client({}, limits=Limits(connect=0.1, read=0.1))
        with raw(b"\x16\x03\x03\x40\x00", drip=0.02) as url:
            address = read_address(url.replace("http:", "https:"))
            with pytest.raises(RequestFailedError) as caught:
                client.ask(Request("GET", address), Deadline(client.clock, 0.5), 10)
        assert caught.value.failed in (Failed.SILENT, Failed.TOO_SLOW)
        client.close()


class TestProxies:
    def test_http_goes_through_it(self, server: Server, clock: TestClock) -> None:
        proxy = server.address.replace("http://", "http://me:p%40ss@")
        server.otherwise = says(200, b"proxied")
        asking = Asking(clock, environment={"HTTP_PROXY": proxy})
        assert asking("http://somewhere.invalid/x").body == b"proxied"
        assert server.asked[0].path == "http://somewhere.invalid/x"
        assert server.asked[0].headers["proxy-authorization"] == "Basic bWU6cEBzcw=="
        asking.client.close()

    def test_https_goes_through_a_tunnel(
        self, server: Server, secure: Server, certificate: Path, clock: TestClock
    ) -> None:
        """The proxy sees its own login and no other, and the server does not see that."""
        server.tunnel = ("127.0.0.1", secure.port)
        proxy = server.address.replace("http://", "http://me:pw@")
        secure.routes["/x"] = says(200, b"x")
        asking = Asking(clock, environment={"HTTPS_PROXY": proxy}, trust=Trust(certificate))
        url = "https://somewhere.invalid/x"
        assert asking(url, authorization="Basic s3cret").body == b"x"
        assert asking(url).body == b"x"
        (connect,) = server.asked
        assert (connect.method, connect.path) == ("CONNECT", "somewhere.invalid:443")
        assert connect.headers["proxy-authorization"] == "Basic bWU6cHc="
        assert "authorization" not in connect.headers
        assert secure.asked[0].headers["authorization"] == "Basic s3cret"
        assert "proxy-authorization" not in secure.asked[0].headers
        asking.client.close()

    def test_a_tunnel_that_is_refused(self, server: Server, clock: TestClock) -> None:
        asking = Asking(clock, environment={"https_proxy": server.address})
        failure = asking.failure("https://somewhere.invalid/x")
        assert failure.failed is Failed.PROXY
        assert failure.reason == (
            f"the proxy `{server.address}` refuses to connect to `somewhere.invalid` (405)"
        )
        assert "`no_proxy`" in str(failure.help)
        assert len(server.asked) == 1
        asking.client.close()

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("account", ["", "me:s3cret@"])
    def test_one_that_wants_a_login(
        self, server: Server, clock: TestClock, scheme: str, account: str
    ) -> None:
        server.otherwise = says(407, b"log in", Proxy_Authenticate="NTLM")
        server.refused = 407
        proxy = server.address.replace("http://", f"http://{account}")
        asking = Asking(clock, environment={f"{scheme}_proxy": proxy})
        failure = asking.failure(f"{scheme}://somewhere.invalid/x")
        assert failure.failed is Failed.PROXY
        assert not failure.passing
        told = "does not accept the user and the password" if account else "wants a user"
        assert told in failure.reason
        assert server.address in failure.reason or account
        assert f"`{scheme}_proxy=http://USER:PASSWORD@HOST:PORT`" in str(failure.help)
        assert "s3cret" not in failure.reason + str(failure.help)
        assert len(server.asked) == 1, "another attempt would end the same"
        asking.client.close()

    def test_one_that_does_not_reach_the_host(self, server: Server, clock: TestClock) -> None:
        server.refused = 503
        asking = Asking(clock, environment={"HTTPS_PROXY": server.address})
        failure = asking.failure("https://somewhere.invalid/x")
        assert failure.passing
        assert f"the proxy `{server.address}` does not reach the host (503)" in failure.reason
        assert len(server.asked) == 4
        asking.client.close()

    def test_nobody_there(self, clock: TestClock) -> None:
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            port = place.getsockname()[1]
            proxy = f"http://me:s3cret@127.0.0.1:{port}"
            asking = Asking(clock, environment={"https_proxy": proxy})
            failure = asking.failure("https://somewhere.invalid/x")
        assert failure.passing
        assert failure.reason == (
            f"the proxy `http://127.0.0.1:{port}` cannot be used: connection refused"
        )
        assert "`https_proxy` names that proxy" in str(failure.help)
        asking.client.close()

    def test_a_server_that_is_silent_behind_it(self, server: Server, clock: TestClock) -> None:
        silent = threading.Event()

        def waits(_: Handler) -> None:
            silent.wait(10)

        server.otherwise = waits
        limits = Limits(connect=1, read=0.2)
        asking = Asking(clock, environment={"http_proxy": server.address}, limits=limits)
        failure = asking.failure("http://somewhere.invalid/x")
        silent.set()
        assert failure.failed is Failed.SILENT
        assert f"(through the proxy `{server.address}`)" in failure.reason
        asking.client.close()

    def test_a_certificate_that_the_proxy_made(
        self, server: Server, secure: Server, clock: TestClock
    ) -> None:
        server.tunnel = ("127.0.0.1", secure.port)
        asking = Asking(clock, environment={"https_proxy": server.address})
        failure = asking.failure("https://somewhere.invalid/x")
        assert (failure.failed, failure.passing) == (Failed.CERTIFICATE, False)
        assert "its certificate is not accepted" in failure.reason
        assert f"(through the proxy `{server.address}`)" in failure.reason
        assert "SSL_CERT_FILE" in str(failure.help)
        assert len(server.asked) == 1
        asking.client.close()

    def test_tls_to_one_that_speaks_none(self, server: Server, clock: TestClock) -> None:
        proxy = server.address.replace("http:", "https:")
        asking = Asking(clock, environment={"https_proxy": proxy})
        failure = asking.failure("https://somewhere.invalid/x")
        assert failure.failed is Failed.PROXY
        assert "does not speak TLS" in failure.reason
        assert "`https_proxy=http://HOST:PORT`" in str(failure.help)
        asking.client.close()

    @pytest.mark.parametrize(
        "names", ["somewhere.invalid", ".invalid", "other, *.invalid", "*", "somewhere.invalid:80"]
    )
    def test_not_where_it_is_exempt(self, server: Server, clock: TestClock, names: str) -> None:
        asking = Asking(clock, environment={"HTTP_PROXY": server.address, "NO_PROXY": names})
        assert asking.failure("http://somewhere.invalid/x").failed is Failed.NO_NAME
        assert server.asked == []

    @pytest.mark.parametrize(
        ("host", "names", "exempt"),
        [
            ("192.0.2.7", "192.0.2.0/24", True),
            ("192.0.2.7", "10.0.0.0/8, 192.0.2.7/24", True),
            ("192.0.2.7", "192.0.2.8", False),
            ("192.0.2.7", "192.0.3.0/24", False),
            ("[2001:db8::7]", "2001:db8::/32", True),
            ("[2001:db8::7]", "192.0.2.0/24,x/y", False),
            ("registry.corp.invalid", "10.0.0.0/8", False),
        ],
    )
    def test_networks_that_are_exempt(self, host: str, names: str, *, exempt: bool) -> None:
        environment = {"https_proxy": "http://proxy.invalid:3128", "no_proxy": names}
        assert (proxy_for(read_address(f"https://{host}/"), environment) is None) is exempt

    def test_never_for_this_machine(self, server: Server, other: Server, clock: TestClock) -> None:
        asking = Asking(clock, environment={"HTTP_PROXY": server.address})
        other.routes["/x"] = says(200, b"direct")
        assert asking(f"{other.address}/x").body == b"direct"
        asking.client.close()

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("socks5://me:s3cret@host", "is of the kind `socks5://`, which is not spoken"),
            ("socks5h://host:1080", "is of the kind `socks5h://`"),
            ("http://host:s3cret", "has a port that is no number"),
            ("http://host:70000", "has a port that is no number"),
            ("host:0", "names no host that can be asked"),
            ("http://", "names no host that can be asked"),
            ("http://me:s3 cret@host", "names no host that can be asked"),
            ("http://[::1", "is no address"),
        ],
    )
    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
    def test_one_that_cannot_be_asked(
        self, clock: TestClock, value: str, reason: str, variable: str
    ) -> None:
        asking = Asking(clock, environment={variable: value})
        failure = asking.failure("http://somewhere.invalid/x")
        assert failure.failed is Failed.PROXY
        assert failure.reason.startswith(f"the proxy in `{variable}` {reason}")
        assert f"`{variable}=http://HOST:PORT`" in str(failure.help)
        assert "s3" not in failure.reason + str(failure.help)
        assert asking.lines[1:] == []


# -- large bodies -----------------------------------------------------------------------------

DATA = bytes(range(256)) * 1000


class Kept:
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, block: bytes) -> None:
        self.data += block

    def restart(self) -> None:
        self.data.clear()


def ranged(data: bytes, cut: int | None = None, tag: str = '"1"') -> Any:
    """A route that knows ranges, and ends after `cut` bytes."""

    def route(handler: Handler) -> None:
        asked = handler.headers.get("Range")
        start = 0
        if asked is not None and handler.headers.get("If-Range") == tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        handler.close_connection = True
        extra = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.head(206 if start else 200, len(data) - start, ETag=tag, **extra)
        handler.wfile.write(data[start : None if cut is None else start + cut])

    return route


class TestReceiving:
    def received(self, asking: Asking, url: str, size: int = len(DATA)) -> bytes:
        kept = Kept()
        request = Request("GET", read_address(url))
        answer = asking.client.receive(request, kept, size, Deadline(asking.clock.clock))
        assert answer.status == 200
        return bytes(kept.data)

    def test_whole(self, server: Server, asking: Asking) -> None:
        server.routes["/b"] = says(200, DATA)
        assert self.received(asking, f"{server.address}/b") == DATA

    def test_it_goes_on_where_it_stopped(self, server: Server, asking: Asking) -> None:
        server.routes["/b"] = [ranged(DATA, 100_000), ranged(DATA, 50_000), ranged(DATA)]
        assert self.received(asking, f"{server.address}/b") == DATA
        ranges = [each.headers.get("range") for each in server.asked]
        assert ranges == [None, "bytes=100000-", "bytes=150000-"]
        assert server.asked[1].headers["if-range"] == '"1"'

    @pytest.mark.parametrize("second", [says(200, DATA), says(416), ranged(DATA, tag='"2"')])
    def test_what_does_not_go_on_begins_again(
        self, server: Server, asking: Asking, second: Any
    ) -> None:
        server.routes["/b"] = [ranged(DATA[::-1], 100_000), second, says(200, DATA)]
        assert self.received(asking, f"{server.address}/b") == DATA

    @pytest.mark.parametrize("tag", ['W/"1"', "1", '"'])
    def test_only_a_strong_tag_says_that_it_is_the_same(
        self, server: Server, asking: Asking, tag: str
    ) -> None:
        server.routes["/b"] = [ranged(DATA, 1000, tag=tag), ranged(DATA, tag=tag)]
        assert self.received(asking, f"{server.address}/b") == DATA
        assert "range" not in server.asked[1].headers

    def test_another_part_than_asked(self, server: Server, asking: Asking) -> None:
        wrong = says(206, DATA[7:], Content_Range=f"bytes 7-{len(DATA) - 1}/{len(DATA)}")
        server.routes["/b"] = [ranged(DATA, 1000), wrong, says(200, DATA)]
        assert self.received(asking, f"{server.address}/b") == DATA

    def test_too_much(self, server: Server, asking: Asking) -> None:
        server.routes["/b"] = says(200, DATA)
        with pytest.raises(RequestFailedError) as caught:
            self.received(asking, f"{server.address}/b", len(DATA) - 1)
        assert caught.value.failed is Failed.TOO_LARGE

    def test_too_little(self, server: Server, asking: Asking) -> None:
        server.routes["/b"] = says(200, DATA)
        with pytest.raises(RequestFailedError) as caught:
            self.received(asking, f"{server.address}/b", len(DATA) + 1)
        assert caught.value.failed is Failed.TOO_SHORT
        assert [each.headers.get("range") for each in server.asked] == [None] * 4

    def test_an_answer_that_is_none(self, server: Server, asking: Asking) -> None:
        server.routes["/b"] = says(404, b"no")
        kept = Kept()
        request = Request("GET", read_address(f"{server.address}/b"))
        answer = asking.client.receive(request, kept, 9, Deadline(asking.clock.clock))
        assert (answer.status, answer.body, bytes(kept.data)) == (404, b"no", b"")
