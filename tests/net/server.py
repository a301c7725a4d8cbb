"""An HTTP server on loopback whose answers are functions, and which notes all that it is asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeAlias


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Route: TypeAlias = "Callable[[Handler], None]"


@dataclass
class Server:
    """`routes` by path without query; a route may be a list that is used up from the front."""

    address: str = ""
    routes: dict[str, Route | list[Route]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    otherwise: Route | None = None
    connections: int = 0
    tunnel: tuple[str, int] | None = None
    refused: int = 405
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]


class Handler(BaseHTTPRequestHandler):
    """One connection. `body` is what was sent."""

    protocol_version = "HTTP/1.1"
    place: Server
    body: bytes

    def setup(self) -> None:
        super().setup()
        self.place.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.place.asked.append(Asked(self.command, self.path, headers, self.body))
        route = self.place.routes.get(self.path.partition("?")[0], self.place.otherwise)
        if isinstance(route, list):
            route = route.pop(0) if len(route) > 1 else route[0]
        if route is None:
            self.answer(404)
        else:
            route(self)

    def do_CONNECT(self) -> None:
        """A tunnel to `place.tunnel`, whatever the client wants to reach."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.place.asked.append(Asked(self.command, self.path, headers, b""))
        self.close_connection = True
        if self.place.tunnel is None:
            self.answer(self.place.refused)
            return
        with socket.create_connection(self.place.tunnel) as there:
            self.head(200)
            for one, other in ((self.connection, there), (there, self.connection)):
                threading.Thread(target=_relay, args=(one, other), daemon=True).start()
            self.place.ended.wait()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """Send an answer; `_` in names of headers stands for `-`."""
        self.head(status, len(body), **headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response_only(status)
        if length is not None and "Content_Length" not in headers:
            headers["Content_Length"] = str(length)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def _relay(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def says(status: int = 200, body: bytes = b"", **headers: str) -> Route:
    """A route that gives one answer."""
    return lambda handler: handler.answer(status, body, **headers)


def cuts(body: bytes, after: int, **headers: str) -> Route:
    """A route that announces `body` and ends after some bytes of it."""

    def route(handler: Handler) -> None:
        handler.close_connection = True
        handler.head(200, len(body), **headers)
        handler.wfile.write(body[:after])

    return route


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests are about."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that runs for the block, with TLS if a context is given."""
    place = Server()
    kind = type("_Handler", (Handler,), {"place": place})
    server = _Quiet(("127.0.0.1", 0), kind)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if context is None else "https"
    place.address = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield place
    finally:
        place.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
