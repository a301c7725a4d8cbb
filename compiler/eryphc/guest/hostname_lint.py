"""What guests make of a host name, as warnings.

Source: RFC 1123 2.1; docs/reference/windows-guests.md, "Host names".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.said import named
from eryphc.frozen import NamedTuple
from eryphc.guest.model import GuestAgent, GuestKind, GuestRequest, Reader
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span

_LABEL_LENGTH: Final = 63
_NETBIOS_LENGTH: Final = 15
_RFC_LENGTH: Final = 253


class HostName(NamedTuple):
    """A host name, for which guest, and where it was written if anybody wrote it."""

    text: str
    guest: GuestKind
    span: Span | None
    reader: Reader

    @property
    def computer(self) -> str:
        """What Windows takes of the name."""
        return self.text.split(".")[0]


def check_hostname(request: GuestRequest) -> list[Diagnostic]:
    return judge(
        RULES, HostName(request.hostname, request.guest, request.hostname_span, request.reader)
    )


def _addresses(host: HostName) -> Iterator[Diagnostic]:
    if host.guest is GuestKind.LINUX and _is_address(host.text):
        renamed = "ip-" + host.text.replace(".", "-")
        yield wording.hostname_is_address(named(host.text), named(renamed), host.span)


def _malformed(host: HostName) -> Iterator[Diagnostic]:
    fault = _fault(host)
    if fault is not None:
        yield wording.hostname_malformed(named(host.text), named(fault), host.span)


def _fault(host: HostName) -> str | None:
    """The part that breaks the RFC. A Linux guest renames an address by itself."""
    if _is_address(host.text):
        return host.computer if host.guest is GuestKind.WINDOWS else None
    for label in host.text.split("."):
        if not _is_label(label):
            return label
    return host.text if len(host.text) > _RFC_LENGTH else None


def _too_long(host: HostName) -> Iterator[Diagnostic]:
    if _is_windows_name(host) and len(host.computer) > _NETBIOS_LENGTH:
        cut = host.computer[:_NETBIOS_LENGTH]
        if cut.endswith("-"):
            if host.reader.only(GuestAgent.EGS):
                found = wording.hostname_too_long(named(host.text), named(cut), host.span)
                yield found._replace(level=Level.ERROR)
                return
            cut = cut[:-1] + "0"
        yield wording.hostname_too_long(named(host.text), named(cut), host.span)


def _of_digits(host: HostName) -> Iterator[Diagnostic]:
    is_short = len(host.computer) <= _NETBIOS_LENGTH
    if _is_windows_name(host) and is_short and host.computer.isdigit():
        found = wording.hostname_of_digits(named(host.text), host.span)
        # eryph's guest services stop there, before any user is made.
        is_egs = host.reader.only(GuestAgent.EGS)
        yield found._replace(level=Level.ERROR) if is_egs else found


def _is_windows_name(host: HostName) -> bool:
    return host.guest is GuestKind.WINDOWS and _fault(host) is None


def _is_label(text: str) -> bool:
    return (
        0 < len(text) <= _LABEL_LENGTH
        and text.isascii()
        and text.replace("-", "x").isalnum()
        and text[0] != "-"
        and text[-1] != "-"
    )


def _is_address(text: str) -> bool:
    numbers = text.split(".")
    return len(numbers) == 4 and all(
        number.isascii() and number.isdigit() and int(number) <= 255 for number in numbers
    )


RULES: Final[tuple[Rule[HostName], ...]] = (
    Rule(wording.HOSTNAME_IS_ADDRESS, _addresses),
    Rule(wording.HOSTNAME_MALFORMED, _malformed),
    Rule(wording.HOSTNAME_TOO_LONG, _too_long),
    Rule(wording.HOSTNAME_OF_DIGITS, _of_digits),
)
