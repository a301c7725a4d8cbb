"""The bytes of `meta-data`, and what guests make of a host name.

Source: cloud-init.md 1.2 and 6.4, RFC 1123 2.1.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.model import GuestKind, GuestRequest

_LABEL_LENGTH: Final = 63
_NETBIOS_LENGTH: Final = 15
_RFC_LENGTH: Final = 253
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def meta_data(instance_id: str | None, hostname: str) -> bytes:
    """`meta-data` for both guests; without an id only what an id is derived from.

    Everything is quoted: YAML 1.1 takes `007`, `1_000` and `2024-01-01` for other things.
    """
    lines = []
    if instance_id is not None:
        lines.append(f"instance-id: {quoted(instance_id)}\n")
    lines.append(f"local-hostname: {quoted(hostname)}\n")
    return "".join(lines).encode()


def content_instance_id(user_data: bytes, network_config: bytes | None, hostname: str) -> str:
    """`i-` and 16 hex digits over all that a guest reads, the id left out (cli.md)."""
    digest = sha256(user_data)
    digest.update(network_config or b"")
    digest.update(meta_data(None, hostname))
    return f"i-{digest.hexdigest()[:16]}"


def quoted(text: str) -> str:
    """A double-quoted scalar that reads the same in YAML 1.1, YAML 1.2 and JSON."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    known = _ESCAPES.get(character)
    if known is not None:
        return known
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def check_hostname(request: GuestRequest) -> tuple[Diagnostic, ...]:
    """What the guest will not take as its host name, as warnings (catlet-language.md W20)."""
    hostname, span = request.hostname, request.hostname_span
    if _is_address(hostname):
        if request.guest is GuestKind.LINUX:
            renamed = "ip-" + hostname.replace(".", "-")
            return (wording.hostname_is_address(hostname, renamed, span),)
        return (wording.hostname_malformed(hostname, hostname.split(".")[0], span),)
    labels = hostname.split(".")
    for label in labels:
        if not _is_label(label):
            return (wording.hostname_malformed(hostname, label, span),)
    if len(hostname) > _RFC_LENGTH:
        return (wording.hostname_malformed(hostname, hostname, span),)
    if request.guest is GuestKind.WINDOWS:
        return _check_windows(hostname, labels[0], request)
    return ()


def _check_windows(hostname: str, computer: str, request: GuestRequest) -> tuple[Diagnostic, ...]:
    span = request.hostname_span
    if len(computer) > _NETBIOS_LENGTH:
        cut = computer[:_NETBIOS_LENGTH]
        if cut.endswith("-"):
            cut = cut[:-1] + "0"
        return (wording.hostname_too_long(hostname, cut, span),)
    if computer.isdigit():
        return (wording.hostname_of_digits(hostname, span),)
    return ()


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
