"""The bytes of `meta-data`.

Source: docs/reference/cloud-init.md, "meta-data".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def meta_data(instance_id: str | None, hostname: str) -> bytes:
    """`meta-data` for both guests; without an id only the part that an id is derived from.

    Everything is quoted: YAML 1.1 takes `007`, `1_000` and `2024-01-01` for other things.
    """
    lines = []
    if instance_id is not None:
        lines.append(f"instance-id: {quoted(instance_id)}\n")
    lines.append(f"local-hostname: {quoted(hostname)}\n")
    return "".join(lines).encode()


def content_instance_id(user_data: bytes, network_config: bytes | None, hostname: str) -> str:
    """`i-` and 16 hex digits over all that a guest reads, the id left out.

    Source: docs/reference/guest-configuration.md, "meta-data".
    """
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
