"""One exchange over a connection: the only module that imports urllib3 and truststore.

Nothing is followed, repeated or decoded here. Each read from a socket ends with the silence that
is allowed or with the deadline, whichever comes first, headers included.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import urllib3
from truststore import SSLContext as SystemContext
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004
)

from eryphc.frozen import NamedTuple
from eryphc.net.addresses import Address
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import PIECE, Body
from eryphc.net.proxies import CERTIFICATES, Proxy, login_wanted, proxy_for, through
from eryphc.net.timing import Deadline, TooSlowError

MOST_CONNECTIONS = 4
"""To one origin."""
# What OpenSSL says of an answer that does not begin like TLS.
_PLAIN = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"}
)


class Limits(NamedTuple):
    """Seconds: for a connection, and for one read that brings nothing."""

    connect: float = 10.0
    read: float = 30.0


class Trust(NamedTuple):
    """Whose certificates count: the system's, and those of the file `ca`.

    `insecure`: any certificate counts.
    """

    ca: Path | None = None
    insecure: bool = False


class Stream:
    """An answer whose body has not been read yet. Raises RequestFailedError."""

    def __init__(
        self,
        method: str,
        response: urllib3.BaseHTTPResponse,
        address: Address,
        deadline: Deadline,
        limits: Limits,
    ) -> None:
        self._response = response
        self._deadline = deadline
        self._limits = limits
        self.address = address
        self.status = response.status
        self.headers = response.headers
        self.has_body = method != "HEAD" and self.status not in (204, 304)

    def read(self, most: int = PIECE) -> bytes:
        """Up to `most` bytes, none at the end."""
        try:
            return self._response.read(min(most, PIECE), decode_content=False)
        except (HTTPError, http.client.HTTPException, OSError) as error:
            raise _fault(error, self._deadline, self._limits) from None

    def close(self) -> None:
        """Give the connection back; one whose body was not read to the end is closed."""
        self._response.close()
        self._response.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport:
    """Connections under one rule of trust, kept open. Several threads may use it."""

    def __init__(
        self,
        environment: Mapping[str, str],
        trust: Trust | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._environment = dict(environment)
        self._trust = trust or Trust()
        self._limits = limits or Limits()
        self._managers: dict[tuple[str, str | None], urllib3.PoolManager] = {}
        self._made_context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def open(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        deadline: Deadline,
        body: Body | None = None,
    ) -> Stream:
        """Send a request and read the head of its answer. Raises RequestFailedError."""
        sent = dict(headers)
        if body is not None:
            sent["Content-Length"] = str(body.size)
        elif method in ("POST", "PUT", "PATCH"):
            sent["Content-Length"] = "0"
        proxy = proxy_for(address, self._environment)
        while True:
            exchange = _Exchange(deadline, self._limits)
            asked = _ASKED.set(exchange)
            try:
                response = self._response(method, address, proxy, sent, deadline, body)
                if proxy is not None and response.status == 407:
                    response.close()
                    raise login_wanted(proxy)
                return Stream(method, response, address, deadline, self._limits)
            except (HTTPError, http.client.HTTPException, OSError, UnicodeError) as error:
                fault = _fault(error, deadline, self._limits)
                if proxy is not None and fault.failed is not Failed.TOO_SLOW:
                    reached = not isinstance(error, ProxyError)
                    fault = through(proxy, address, error, fault, reached=reached)
                # The server may have closed a kept connection before it saw the request.
                kept = not exchange.is_new and fault.failed is Failed.CONNECTION
                if not kept or method not in ("GET", "HEAD"):
                    raise fault from None
            finally:
                _ASKED.reset(asked)

    def _response(
        self,
        method: str,
        address: Address,
        proxy: Proxy | None,
        headers: Mapping[str, str],
        deadline: Deadline,
        body: Body | None,
    ) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(
            connect=deadline.step(self._limits.connect), read=deadline.step(self._limits.read)
        )
        return self._manager(address.scheme, proxy).urlopen(
            method,
            address.url,
            body=None if body is None else _Sending(body, deadline, self._limits),
            headers=headers,
            redirect=False,
            retries=False,
            timeout=timeout,
            pool_timeout=deadline.step(float("inf")),
            preload_content=False,
            decode_content=False,
            enforce_content_length=False,
        )

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()
            self._managers.clear()

    # -- connections --------------------------------------------------------------------------

    def _manager(self, scheme: str, proxy: Proxy | None) -> urllib3.PoolManager:
        url = None if proxy is None else proxy.url
        key = scheme, url
        with self._lock:
            if key not in self._managers:
                self._managers[key] = self._made(scheme, url)
            return self._managers[key]

    def _made(self, scheme: str, proxy: str | None) -> urllib3.PoolManager:
        options: dict[str, Any] = {"maxsize": MOST_CONNECTIONS, "block": True}
        # The context is dear, and plain http has no use for one.
        if scheme == "https" or (proxy is not None and proxy.startswith("https:")):
            self._made_context = self._made_context or self._context()
            options["ssl_context"] = self._made_context
            if self._trust.insecure:
                options["assert_hostname"] = False
        manager = self._through(proxy, options) if proxy else urllib3.PoolManager(**options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager

    def _through(self, proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
        parts = urlsplit(proxy)
        headers = None
        if parts.username is not None:
            account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=account)
        host = parts.netloc.rpartition("@")[2]
        return urllib3.ProxyManager(
            f"{parts.scheme}://{host}",
            proxy_headers=headers,
            proxy_ssl_context=options.get("ssl_context"),
            **options,
        )

    def _context(self) -> ssl.SSLContext:
        if self._trust.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            # Who asks for this knows it; a warning for each connection tells nothing new.
            urllib3.disable_warnings(InsecureRequestWarning)
            return context
        system = SystemContext(ssl.PROTOCOL_TLS_CLIENT)
        added = self._environment.get("SSL_CERT_FILE")
        for path in (added, self._trust.ca, _default_file() if added else None):
            if path:
                try:
                    system.load_verify_locations(cafile=path)
                except (OSError, ssl.SSLError):
                    said = " (named by `SSL_CERT_FILE`)" if path == added else ""
                    raise RequestFailedError(
                        Failed.CERTIFICATE,
                        f"`{Path(path).name}`{said} holds no certificates in PEM form",
                        help="PEM is text with BEGIN CERTIFICATE and END CERTIFICATE",
                    ) from None
        return system


def _default_file() -> str | None:
    """The file of certificates that OpenSSL leaves aside when `SSL_CERT_FILE` is set."""
    path = ssl.get_default_verify_paths().openssl_cafile
    return path if os.path.isfile(path) else None  # noqa: PTH113


# -- deadlines below urllib3 ------------------------------------------------------------------


class _Exchange:
    """What the connection has to know of a request. `is_new`: a connection was made for it."""

    def __init__(self, deadline: Deadline, limits: Limits) -> None:
        self.deadline = deadline
        self.limits = limits
        self.is_new = False


_ASKED: ContextVar[_Exchange] = ContextVar("_ASKED")
"""Of the request that this thread makes: urllib3 hands it to neither connection nor answer."""


class _Reader(io.RawIOBase):
    """Reads from a socket, each time for as long as the deadline still allows."""

    def __init__(self, connected: socket.socket, deadline: Deadline, limits: Limits) -> None:
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)
        self._deadline = deadline
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._deadline.step(self._limits.read))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        exchange = _ASKED.get()
        self.fp = io.BufferedReader(_Reader(sock, exchange.deadline, exchange.limits))


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        _ASKED.get().is_new = True
        super().connect()


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        _ASKED.get().is_new = True
        super().connect()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Sending:
    """A body as http.client takes it, which asks for the next block."""

    def __init__(self, body: Body, deadline: Deadline, limits: Limits) -> None:
        self._blocks = body.blocks()
        self._rest = b""
        self._deadline = deadline
        self._limits = limits

    def read(self, most: int) -> bytes:
        self._deadline.step(self._limits.read)
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = block
        block, self._rest = self._rest[:most], self._rest[most:]
        return block


# -- faults -----------------------------------------------------------------------------------


def _fault(error: Exception, deadline: Deadline, limits: Limits) -> RequestFailedError:
    """What an exception of urllib3 or of Python means."""
    if isinstance(error, TooSlowError | EmptyPoolError) or deadline.left() <= 0:
        return RequestFailedError(Failed.TOO_SLOW, "the time for it is over")
    if isinstance(error, ProxyError):
        return _fault(error.original_error, deadline, limits)
    if isinstance(error, NameResolutionError):
        return RequestFailedError(Failed.NO_NAME, "the name of the host leads nowhere")
    if isinstance(error, SSLError):
        error = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"its certificate is not accepted ({error.verify_message})"
        return RequestFailedError(Failed.CERTIFICATE, reason, help=CERTIFICATES)
    if isinstance(error, ssl.SSLError):
        if error.reason in _PLAIN:
            return RequestFailedError(Failed.NOT_TLS, "the server does not speak TLS")
        said = (error.reason or "unknown fault").replace("_", " ").lower()
        return RequestFailedError(Failed.TLS, f"TLS failed ({said})")
    if isinstance(error, NewConnectionError):
        return _broken(error)
    if isinstance(error, ConnectTimeoutError):
        reason = f"there is no connection within {limits.connect:g} seconds"
        return RequestFailedError(Failed.SILENT, reason)
    if isinstance(error, TimeoutError | socket.timeout):
        return RequestFailedError(
            Failed.SILENT, f"the server is silent for {limits.read:g} seconds"
        )
    return _broken(error)


def _broken(error: Exception) -> RequestFailedError:
    """What a connection that failed or broke says."""
    cause: BaseException | None = error
    if isinstance(error, ProtocolError) and isinstance(error.args[-1], Exception):
        cause = error.args[-1]
    elif isinstance(error, NewConnectionError):
        cause = error.__cause__
    if isinstance(cause, ConnectionRefusedError):
        return RequestFailedError(Failed.REFUSED, "connection refused")
    if isinstance(cause, OSError) and cause.strerror:
        return RequestFailedError(Failed.CONNECTION, cause.strerror.lower())
    if isinstance(error, UnicodeError) or isinstance(cause, http.client.InvalidURL):
        return RequestFailedError(Failed.ADDRESS, "it is no address that can be asked")
    name = type(cause or error).__name__
    return RequestFailedError(Failed.CONNECTION, f"the connection broke ({name})")
