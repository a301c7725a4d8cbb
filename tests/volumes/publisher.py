"""A publisher of disk images: a real HTTP server on loopback, with the faults that servers have."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Published:
    """One file. `cut` ends the connection after so many bytes, once for each entry."""

    content: bytes = b""
    etag: str | None = '"1"'
    status: int = 200
    location: str | None = None
    cut: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    length: int | None = None
    ranges: bool = True
    chunked: bool = False


@dataclass
class Publisher:
    address: str = ""
    files: dict[str, Published] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def put(self, name: str, content: bytes = b"", **faults: Any) -> str:
        self.files[f"/{name}"] = Published(content, **faults)
        return f"{self.address}/{name}"

    def ranges(self, name: str) -> list[str | None]:
        return [asked for path, asked in self.asked if path == f"/{name}"]


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            publisher.asked.append((self.path, self.headers.get("Range")))
            _answer(self, publisher.files.get(self.path))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    publisher.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, file: Published | None) -> None:
    handler.close_connection = True
    if file is None or file.failures or file.location:
        handler.send_response(
            404 if file is None else file.failures.pop(0) if file.failures else file.status
        )
        if file is not None and file.location:
            handler.send_header("Location", file.location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    content, start = file.content, 0
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if asked and file.ranges and handler.headers.get("If-Range") in (None, file.etag):
        start = int(asked[1])
        if start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        handler.send_response(file.status)
    rest = content[start:]
    if file.etag:
        handler.send_header("ETag", file.etag)
    if not file.chunked:
        handler.send_header(
            "Content-Length", str(len(rest) if file.length is None else file.length)
        )
    handler.end_headers()
    handler.wfile.write(rest[: file.cut.pop(0)] if file.cut else rest)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
