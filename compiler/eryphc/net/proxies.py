"""The proxy that the environment names for an address, and what its failures mean. Pure.

Companies let nothing out but through a proxy, which may want a login, forbid a host, or open TLS
with a certificate of its own. None of this passes by itself, so each has its own words and help.
Source: RFC 9110 9.3.6 (CONNECT), 15.5.8 (407).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from eryphc.diagnostics.words import cleaned
from eryphc.frozen import NamedTuple
from eryphc.net.addresses import Address, is_loopback
from eryphc.net.faults import Failed, RequestFailedError

# What may pass when a proxy answers it to CONNECT: it did not reach the host, or is busy.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
CERTIFICATES = (
    "`SSL_CERT_FILE=FILE` names further certificates, as PEM: those of the authority, or of the "
    "proxy of a company that opens TLS"
)


class Proxy(NamedTuple):
    """`url` may hold a password and is never shown; `variable` is the one that names it."""

    url: str
    variable: str

    def __repr__(self) -> str:
        return f"Proxy({self.shown})"

    @property
    def shown(self) -> str:
        parts = urlsplit(self.url)
        return cleaned(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", 200)

    @property
    def has_login(self) -> bool:
        return urlsplit(self.url).username is not None

    @property
    def words(self) -> str:
        return f"the proxy `{self.shown}`"

    @property
    def help(self) -> str:
        return (
            f"`{self.variable}` names that proxy; `no_proxy` lists hosts that are asked without one"
        )


def proxy_for(address: Address, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy that `http_proxy` or `https_proxy` names; this machine needs none.

    Raises RequestFailedError where the variable names none that can be asked.
    """
    if is_loopback(address.host):
        return None
    variable, url = _variable(environment, f"{address.scheme}_proxy")
    if not url or _is_exempt(address, _variable(environment, "no_proxy")[1]):
        return None
    url = url if "://" in url else f"http://{url}"
    reason = _fault(url)
    if reason is not None:
        # The value may hold a password.
        raise RequestFailedError(
            Failed.PROXY,
            f"the proxy in `{variable}` {reason}",
            help=f"`{variable}=http://HOST:PORT` is the form; `no_proxy` lists hosts that are "
            "asked without a proxy",
        )
    return Proxy(url, variable)


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name and the value of a variable; the one in lower case counts first, as for curl."""
    for each in (name, name.upper()):
        if environment.get(each):
            return each, environment[each].strip()
    return name, ""


def _fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is no address"
    if parts.scheme.lower() not in ("http", "https"):
        kind = cleaned(parts.scheme, 20)
        return f"is of the kind `{kind}://`, which is not spoken; only http:// and https:// are"
    try:
        port = parts.port
    except ValueError:
        return "has a port that is no number up to 65535"
    if not host or port == 0 or re.search(r"[^!-~]", parts.netloc):
        return "names no host that can be asked"
    return None


def _is_exempt(address: Address, names: str) -> bool:
    """Whether `NO_PROXY` names an address: its host, a domain or network above it, or `*`."""
    for name in names.lower().split(","):
        if _holds(name.strip(), address.host):
            return True
        wanted = name.strip().removeprefix("*").removeprefix(".")
        if name.strip() == "*" or wanted in (address.host, f"{address.host}:{address.port}"):
            return True
        if wanted and address.host.endswith(f".{wanted}"):
            return True
    return False


def _holds(network: str, host: str) -> bool:
    """Whether a host that is an IP address lies in a network such as `10.0.0.0/8`."""
    if "/" not in network:
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


# -- failures ---------------------------------------------------------------------------------


def login_wanted(proxy: Proxy) -> RequestFailedError:
    """The proxy answers 407."""
    if proxy.has_login:
        reason = f"{proxy.words} does not accept the user and the password in `{proxy.variable}`"
    else:
        reason = f"{proxy.words} wants a user and a password"
    return RequestFailedError(
        Failed.PROXY,
        f"{reason} (407)",
        help=f"`{proxy.variable}=http://USER:PASSWORD@HOST:PORT` gives them, with signs such as "
        "`@` percent-encoded; only the scheme Basic is spoken, so NTLM and Kerberos need a local "
        "proxy that speaks them",
    )


def through(
    proxy: Proxy, address: Address, error: Exception, failure: RequestFailedError, *, reached: bool
) -> RequestFailedError:
    """What a failure means where `proxy` stands between. `reached`: it has been connected to."""
    status = next(filter(None, map(_tunnel_status, _causes(error))), None)
    if status == 407:
        return login_wanted(proxy)
    if status in _PASSING:
        reason = f"{proxy.words} does not reach the host ({status})"
        return RequestFailedError(Failed.CONNECTION, reason, help=proxy.help)
    if status is not None:
        return RequestFailedError(
            Failed.PROXY,
            f"{proxy.words} refuses to connect to `{address.authority}` ({status})",
            help=f"whoever runs it can allow that host; {proxy.help}",
        )
    if not reached and failure.failed in (Failed.NOT_TLS, Failed.TLS):
        return RequestFailedError(
            Failed.PROXY,
            f"{proxy.words} does not speak TLS",
            help=f"most proxies are asked over http: `{proxy.variable}=http://HOST:PORT`",
        )
    if not reached:
        named = f"{proxy.words} cannot be used: {failure.reason}"
        kind = Failed.CERTIFICATE if failure.failed is Failed.CERTIFICATE else Failed.CONNECTION
        help_text = failure.help if kind is Failed.CERTIFICATE else proxy.help
        return RequestFailedError(kind, named, help=help_text)
    return RequestFailedError(
        failure.failed, f"{failure.reason} (through {proxy.words})", help=failure.help or proxy.help
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it was made of, as urllib3 nests them."""
    left, seen = [error], 0
    while left and seen < 20:
        one = left.pop()
        seen += 1
        yield one
        more = (*one.args, getattr(one, "original_error", None), one.__cause__)
        left += [each for each in more if isinstance(each, BaseException)]


def _tunnel_status(error: BaseException) -> int | None:
    found = _TUNNEL.search(str(error)) if isinstance(error, OSError) else None
    return int(found[1]) if found is not None else None
