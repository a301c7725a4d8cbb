"""Names of accounts and hosts as people have them, and which characters they may hold.

They become single arguments of `ssh`, after `-l` and after `--`, so no shell of ours reads them.
The user's own configuration of `ssh` may hand them to one (`%r`, `%h`), so what steers a shell
stays out, but for `$`, with which the names of managed service accounts end.
Source: docs/reference/runtime.md, "Hosts".
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_ZONE = re.compile(r"[A-Za-z0-9_.-]+")
_IN_USERS = "._@\\+$-"
_IN_HOSTS = "._-"


def user_fault(name: str) -> str | None:
    """Why `name` is no account; None where it can be one.

    `alice`, `CORP\\alice`, `alice@corp.example`, `svc$`, also with letters of other scripts.
    """
    if not name:
        return "the user is missing"
    return _fault("user", name, _IN_USERS)


def host_fault(name: str) -> str | None:
    """Why `name` is neither a host's name nor, in brackets or without, an address of it."""
    if not name:
        return "the host is missing"
    if ":" not in name:
        return _fault("host", name, _IN_HOSTS)
    address, percent, zone = name.partition("%")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return f"{address!r} is no IPv6 address"
    if percent and not _ZONE.fullmatch(zone):
        return f"{zone!r} is no zone of an IPv6 address"
    return None


def composed(text: str) -> str:
    """The text with its accents on its letters, whatever keyboard wrote it."""
    return unicodedata.normalize("NFC", text)


def _fault(what: str, name: str, signs: str) -> str | None:
    for at, each in enumerate(name):
        letter = unicodedata.category(each)[0] in ("L", "N") or each == "_"
        mark = at > 0 and (unicodedata.category(each)[0] == "M" or each in signs)
        if not letter and not mark:
            where = "begins with" if at == 0 else "holds"
            return (
                f"the {what} {where} {each!r}; letters, digits and {' '.join(signs)} are taken, "
                "and the first one is a letter or a digit"
            )
    if what == "host" and name[-1] == "-":
        return "the host ends with '-'"
    return None
