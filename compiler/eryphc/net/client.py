"""The HTTP client: redirects, retries, deadlines and sizes by our own rules.

An `Authorization` or an API key belongs to the origin that it was made for, and no redirect takes
it further.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from eryphc.diagnostics.words import cleaned
from eryphc.frozen import FrozenMap
from eryphc.net.addresses import Address, led_to, redirect_refusal, shown_url
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Headers, Request, Sink
from eryphc.net.timing import (
    LONGEST_WAIT,
    Clock,
    Deadline,
    Patience,
    retry_after,
)
from eryphc.version import __version__

if TYPE_CHECKING:
    from eryphc.net.transport import Limits, Stream, Trust

MOST_REDIRECTS = 5
ERROR_BODY = 64 * 1024
"""The most bytes of an answer that says what is wrong."""
PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which another attempt may succeed."""
_SECRETS = ("Authorization", "X-Api-Key")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

T = TypeVar("T")
Trace = Callable[[str], None]
"""Hears a line about each exchange: method, host, path, status, milliseconds."""
Refusal = Callable[[Address, Address, Address], "str | None"]
"""Why a redirect is not followed: given what was asked first, what redirects, and to where."""


class Client:
    """Asks servers under one rule of trust. Several threads may use it.

    `environment` names proxies and further certificates. `trace` hears of each exchange.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        trust: Trust | None = None,
        *,
        trace: Trace | None = None,
        clock: Clock | None = None,
        patience: Patience | None = None,
        limits: Limits | None = None,
        passing: frozenset[int] = PASSING,
    ) -> None:
        from eryphc.net.transport import Transport

        self._transport = Transport(environment, trust, limits)
        self._trace = trace
        self._patience = patience or Patience()
        self._passing = passing
        self.clock = clock or Clock()

    def close(self) -> None:
        self._transport.close()

    # -- whole answers ------------------------------------------------------------------------

    def ask(
        self, request: Request, deadline: Deadline, limit: int, *, repeat: bool = True
    ) -> Answer:
        """The answer with its whole body, of at most `limit` bytes.

        An answer that says to try again is given back when the attempts are over. `repeat`: the
        request may be sent again after a failure. Raises RequestFailedError.
        """

        def attempt() -> Answer:
            with self.open(request, deadline) as stream:
                answer = answer_of(stream, self.clock, limit)
            if answer.status in self._passing:
                raise busy(answer)
            return answer

        try:
            return self.patiently(attempt, deadline) if repeat else attempt()
        except RequestFailedError as failure:
            if failure.answer is None:
                raise
            return failure.answer

    def patiently(self, attempt: Callable[[], T], deadline: Deadline) -> T:
        """Try again after failures that may pass. Raises the last RequestFailedError."""
        number = 0
        while True:
            try:
                return attempt()
            except RequestFailedError as failure:
                pause = self._patience.pause(number, self.clock)
                if not failure.passing or pause is None:
                    raise
                asked = failure.answer.retry_after if failure.answer is not None else None
                wait = pause if asked is None else asked
                if wait > LONGEST_WAIT or wait >= deadline.left():
                    raise
                self.clock.sleep(wait)
                number += 1

    # -- large bodies -------------------------------------------------------------------------

    def receive(self, request: Request, sink: Sink, size: int, deadline: Deadline) -> Answer:
        """Write a body of `size` bytes to `sink`, in several attempts where it breaks off.

        A later attempt asks for the rest, if the server names the body by a strong tag. An answer
        other than 200 is given back, and then nothing was written. Raises RequestFailedError.
        Source: RFC 9110 13.1.5, 14.2.
        """
        arrived = _Arrived(sink)

        def attempt() -> Answer:
            asked = request._replace(headers=FrozenMap({**request.headers, **arrived.rest()}))
            with self.open(asked, deadline) as stream:
                if stream.status == 416 and arrived.done:
                    arrived.restart()
                    raise RequestFailedError(Failed.TRUNCATED, "the server has less than arrived")
                if stream.status not in (200, 206):
                    answer = answer_of(stream, self.clock, ERROR_BODY)
                    if answer.status in self._passing:
                        raise busy(answer)
                    return answer
                arrived.begin(stream)
                first = b""
                for block in blocks_of(stream):
                    first = first or block
                    if arrived.done + len(block) > size:
                        raise RequestFailedError(
                            Failed.TOO_LARGE,
                            f"it has more than the {size} bytes it should have",
                            seen=Answer(stream.status, stream.headers, first, stream.address),
                        )
                    arrived.take(block)
                if arrived.done < size:
                    done = arrived.done
                    arrived.restart()
                    raise RequestFailedError(
                        Failed.TOO_SHORT,
                        f"it has only {done} of the {size} bytes it should have",
                        seen=Answer(stream.status, stream.headers, first, stream.address),
                    )
                return Answer(200, stream.headers, b"", stream.address)

        try:
            return self.patiently(attempt, deadline)
        except RequestFailedError as failure:
            if failure.answer is None:
                raise
            return failure.answer

    # -- one attempt --------------------------------------------------------------------------

    def open(
        self, request: Request, deadline: Deadline, refusal: Refusal = redirect_refusal
    ) -> Stream:
        """The answer to one attempt, behind its redirects. Raises RequestFailedError."""
        here = request.address
        headers = {
            "User-Agent": f"eryphc/{__version__}",
            "Accept-Encoding": "identity",
            **request.headers,
        }
        if request.authorization is not None:
            headers["Authorization"] = request.authorization
        if request.key is not None:
            headers["X-Api-Key"] = request.key
        for _ in range(MOST_REDIRECTS + 1):
            stream = self._exchange(request, here, headers, deadline)
            location = stream.headers.get("Location")
            follows = request.method in ("GET", "HEAD") and stream.status in _REDIRECTS
            if not follows or location is None:
                return self._checked(stream)
            with stream, suppress(RequestFailedError):
                # Read what little there is, so that the connection can be used again.
                stream.read()
            to = _followed(request.address, here, location, refusal)
            if to.origin != here.origin:
                for secret in _SECRETS:
                    headers.pop(secret, None)
            here = to
        raise RequestFailedError(
            Failed.LOOP, f"it redirects more than {MOST_REDIRECTS} times", to=here.shown
        )

    def _exchange(
        self, request: Request, here: Address, headers: Mapping[str, str], deadline: Deadline
    ) -> Stream:
        begin = self.clock.monotonic()
        told = "failed"
        try:
            stream = self._transport.open(request.method, here, headers, deadline, request.body)
            told = str(stream.status)
            return stream
        finally:
            if self._trace is not None:
                took = round((self.clock.monotonic() - begin) * 1000)
                path = cleaned(here.path or "/")
                self._trace(f"{request.method} {here.authority} {path} {told} {took} ms")

    def _checked(self, stream: Stream) -> Stream:
        encoding = stream.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity") and stream.status < 400:
            stream.close()
            raise RequestFailedError(
                Failed.ENCODED, "the server compressed it, though it was asked not to"
            )
        return stream


def answer_of(stream: Stream, clock: Clock, limit: int) -> Answer:
    """The answer of a stream with its body, read to the end.

    Of an answer that says what is wrong, only the beginning is kept. Raises RequestFailedError.
    """
    wrong = stream.status >= 400
    most = min(limit, ERROR_BODY) if wrong else limit
    data = bytearray()
    for block in blocks_of(stream):
        data += block
        if len(data) > most:
            if not wrong:
                raise RequestFailedError(Failed.TOO_LARGE, f"it has more than {limit} bytes")
            del data[most:]
            break
    headers = stream.headers
    return Answer(
        stream.status,
        headers,
        bytes(data),
        stream.address,
        tuple(headers.getlist("WWW-Authenticate")),
        retry_after(headers.get("Retry-After"), clock),
    )


def blocks_of(stream: Stream) -> Iterator[bytes]:
    """The body in pieces, as many bytes as the server announced. Raises RequestFailedError."""
    announced, done = length_of(stream), 0
    while block := stream.read():
        done += len(block)
        yield block
    if announced is not None and done < announced and stream.has_body:
        raise RequestFailedError(
            Failed.TRUNCATED, f"the connection ended after {done} of {announced} bytes"
        )


def length_of(stream: Stream) -> int | None:
    """The length of the body, where the server says it."""
    if "Transfer-Encoding" in stream.headers:
        return None
    length = stream.headers.get("Content-Length", "")
    return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None


def busy(answer: Answer) -> RequestFailedError:
    """The failure that an answer of the passing kind is."""
    return RequestFailedError(Failed.BUSY, f"the server answers {answer.status}", answer=answer)


def strong_tag(headers: Headers) -> str | None:
    """The tag that says that a body is the same byte for byte. Source: RFC 9110 8.8.3."""
    tag = headers.get("ETag") or ""
    return tag if re.fullmatch(r'"[!#-~]{0,200}"', tag) else None


def _followed(start: Address, here: Address, location: str, refusal: Refusal) -> Address:
    try:
        to = led_to(here, location)
    except ValueError as error:
        shown = cleaned(shown_url(location))
        raise RequestFailedError(Failed.REDIRECT, str(error), by=here.shown, to=shown) from None
    refused = refusal(start, here, to)
    if refused is not None:
        raise RequestFailedError(Failed.REDIRECT, refused, by=here.shown, to=to.shown)
    return to


class _Arrived:
    """What has arrived of a body, and how to ask for the rest."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._tag: str | None = None
        self.done = 0

    def rest(self) -> dict[str, str]:
        if not self.done or self._tag is None:
            return {}
        return {"Range": f"bytes={self.done}-", "If-Range": self._tag}

    def begin(self, stream: Stream) -> None:
        if stream.status == 206:
            found = re.match(r"bytes (\d{1,18})-", stream.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != self.done:
                self.restart()
                raise RequestFailedError(
                    Failed.TRUNCATED, "the server gave another part than the one asked for"
                )
            return
        if self.done:
            self.restart()
        self._tag = strong_tag(stream.headers)

    def take(self, block: bytes) -> None:
        self._sink.write(block)
        self.done += len(block)

    def restart(self) -> None:
        self._sink.restart()
        self.done, self._tag = 0, None
