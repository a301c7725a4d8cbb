"""Addresses: what stands in one, which are of one origin, and which lead to this machine.

Source: RFC 3986 3; RFC 6454 4.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from eryphc.frozen import NamedTuple

_PORTS = {"http": 80, "https": 443}
# Two parsers read each address, ours and urllib3's: no character on which they could differ.
_ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9.])?|[0-9a-f:.]*:[0-9a-f:.]*")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


class Address(NamedTuple):
    """An http or https address. `host` is in lower case and without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""
    has_user: bool = False

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as they stand in an address; the usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without a user, which is never sent."""
        return urlunsplit((self.scheme, self.authority, self.path or "/", self.query, ""))

    @property
    def shown(self) -> str:
        """The address for a message: without a query, which may hold a signature."""
        return urlunsplit((self.scheme, self.authority, self.path, "", ""))

    def with_query(self, *pairs: tuple[str, str]) -> Address:
        """The address with more pairs behind the query that it has."""
        added = "&".join(f"{name}={quote(value, safe=':/,')}" for name, value in pairs)
        return self._replace(query=f"{self.query}&{added}" if self.query else added)


def read_address(text: str) -> Address:
    """The address in a text. Raises ValueError where it is no http or https address."""
    if not _ADDRESS.fullmatch(text) or "\\" in text:
        raise ValueError("it is no http or https address")
    parts = urlsplit(text)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if not _HOST.fullmatch(host):
        raise ValueError("it names no host")
    port = parts.port if parts.port is not None else _PORTS[scheme]
    has_user = "@" in parts.netloc
    return Address(scheme, host, port, parts.path, parts.query, has_user)


def led_to(here: Address, location: str) -> Address:
    """Where a `Location` or a link leads, which may be relative. Raises ValueError."""
    try:
        # http.client reads headers as Latin-1; characters beyond ASCII get their escapes.
        location = quote(location.encode("latin-1"), safe=_VISIBLE)
    except UnicodeEncodeError:
        raise ValueError("it is no http or https address") from None
    return read_address(urljoin(here.url, location))


def shown_url(url: str) -> str:
    """An address for a message: without password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


# -- this machine -----------------------------------------------------------------------------

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: a literal address of it, or `localhost`."""
    found = _literal(host)
    if found is not None:
        return found.is_loopback
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def is_inside(host: str) -> bool:
    """Whether a host is a literal loopback, link-local or unspecified address.

    Services that give out credentials of a cloud's machine lie there.
    """
    found = _literal(host)
    if found is None:
        return is_loopback(host)
    return found.is_loopback or found.is_link_local or found.is_unspecified


def is_literal(host: str) -> bool:
    """Whether a host is an address of its own, and no name."""
    return _literal(host) is not None


def _literal(host: str) -> _Ip | None:
    host = host.rstrip(".")
    try:
        found: _Ip = ipaddress.ip_address(host)
    except ValueError:
        # Resolvers also take `127.1`, `0x7f000001` and `2130706433`.
        try:
            found = ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeEncodeError):
            return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped


# -- redirects --------------------------------------------------------------------------------


def redirect_refusal(start: Address, here: Address, to: Address) -> str | None:
    """Why a redirect from `here` to `to` is not followed; None where it is.

    `start` is the address that was asked first.
    """
    if to.has_user:
        return "it holds a user or a password"
    if here.scheme == "https" and to.scheme == "http":
        return "it leads from https to plain http"
    return inside_refusal(start, to)


def inside_refusal(start: Address, to: Address) -> str | None:
    """Why nobody is led to `to` from elsewhere: it is this machine, or its own link."""
    if is_inside(to.host) and not is_loopback(start.host):
        return "it leads into this machine or its own link"
    return None
