"""What can go wrong with a request, before anybody has said what the request was for."""

from __future__ import annotations

from enum import Enum

from eryphc.diagnostics.model import Diagnostic
from eryphc.net.messages import Answer


class Failed(Enum):
    """Why there is no answer that could be used."""

    REFUSED = "refused"
    """Nobody listens there."""
    NO_NAME = "no name"
    """The name of the host leads nowhere."""
    CONNECTION = "connection"
    """The connection broke, or the proxy cannot be reached or does not reach the host."""
    PROXY = "proxy"
    """The proxy refuses, or what names it names none that can be asked. That does not pass."""
    CERTIFICATE = "certificate"
    TLS = "tls"
    NOT_TLS = "not tls"
    """The server speaks plain http where TLS is due."""
    SILENT = "silent"
    """The server says nothing for longer than one read may take."""
    TOO_SLOW = "too slow"
    """The deadline of the whole operation is over."""
    TRUNCATED = "truncated"
    TOO_SHORT = "too short"
    """The body ends, as the server meant it, before the size that it should have."""
    ENCODED = "encoded"
    """The body is compressed, though that was not asked for."""
    TOO_LARGE = "too large"
    REDIRECT = "redirect"
    """It leads to where nobody goes."""
    LOOP = "loop"
    """It leads on and on."""
    ADDRESS = "address"
    """The address cannot be asked."""
    BUSY = "busy"
    """The server answers that another attempt may succeed; `answer` has what it says."""


_PASSING = frozenset(
    {
        Failed.REFUSED,
        Failed.NO_NAME,
        Failed.CONNECTION,
        Failed.SILENT,
        Failed.TRUNCATED,
        Failed.TOO_SHORT,
        Failed.BUSY,
    }
)


class RequestFailedError(Exception):
    """A request that failed. `reason` is words of ours and continues "cannot be fetched:".

    `help` is the next step where one is known here. `by` is the shown address that redirects, `to`
    the one that it leads to. `seen` is a body of the wrong size, as far as it was looked at.
    """

    def __init__(
        self,
        failed: Failed,
        reason: str,
        *,
        by: str | None = None,
        to: str | None = None,
        answer: Answer | None = None,
        seen: Answer | None = None,
        help: str | None = None,  # noqa: A002 - as diagnostics call it
    ) -> None:
        super().__init__(reason)
        self.failed = failed
        self.reason = reason
        self.by = by
        self.to = to
        self.answer = answer
        self.seen = seen
        self.help = help

    @property
    def passing(self) -> bool:
        """Whether another attempt may succeed."""
        return self.failed in _PASSING


class NetError(Exception):
    """Work with the network ends here. `outside`: the network or a server failed."""

    def __init__(self, diagnostic: Diagnostic, *, outside: bool = True) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.outside = outside
