"""Parts to the bytes of `user-data`: plain cloud-config, or multipart MIME written by hand.

Source: cloud-init.md 2.1 and 8, reproducible-builds.md 3. The mail package of the standard
library is not used: it costs 3 times an empty Python process and its output is not ours to fix.
"""

from __future__ import annotations

from binascii import b2a_base64
from hashlib import sha256
from typing import Final

from eryphc.guest.model import Part

# 57 bytes are 76 characters of base64.
_BYTES_A_LINE: Final = 57
# Of a file name that is not ASCII, each at most three characters.
_OCTETS_A_LINE: Final = 256
# As much as cloud-init searches for the header that makes it parse user-data as mail.
_SEARCHED_BYTES: Final = 4096
_PLAIN_TYPES: Final = ("text/cloud-config", "text/jinja2")
_CLOUD_CONFIG_MARKER: Final = "#cloud-config"
_JINJA_MARKER: Final = "## template: jinja"


def user_data(parts: tuple[Part, ...]) -> bytes:
    """What a guest finds as `user-data`: nothing, plain text, or MIME.

    Plain text only where the one and only part is a cloud-config, also one that is a Jinja
    template: both guests then read raw UTF-8.
    """
    if not parts:
        return b""
    if len(parts) == 1:
        plain = _plain(parts[0])
        if plain is not None:
            return plain
    return _multipart(parts)


def _plain(part: Part) -> bytes | None:
    if part.media_type not in _PLAIN_TYPES or part.headers:
        return None
    first, _, rest = part.text.partition("\n")
    if first.rstrip().lower() == _JINJA_MARKER:
        first = rest.partition("\n")[0]
    # Without its type the part is known by its first line only.
    if not first.startswith(_CLOUD_CONFIG_MARKER) or first[len(_CLOUD_CONFIG_MARKER) :].strip():
        return None
    data = part.text.encode()
    if b"mime-version:" in data[:_SEARCHED_BYTES].lower():
        return None
    # cloudbase-init takes text for mail by this, anywhere before the first empty line.
    if b"Content-Type: multipart" in data.split(b"\n\n", 1)[0]:
        return None
    return data


def _multipart(parts: tuple[Part, ...]) -> bytes:
    bodies = [_part(part) for part in parts]
    boundary = _boundary(bodies)
    lines = [
        b"MIME-Version: 1.0\n",
        b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n',
        b"\n",
    ]
    for body in bodies:
        lines += [b"--", boundary, b"\n", body]
    lines += [b"--", boundary, b"--\n"]
    return b"".join(lines)


def _part(part: Part) -> bytes:
    headers = [
        f'Content-Type: {part.media_type}; charset="utf-8"',
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment; {_filename(part.name)}",
        *(f"{name}: {value}" for name, value in part.headers),
    ]
    return "\n".join(headers).encode("ascii") + b"\n\n" + _base64(part.text.encode())


def _base64(data: bytes) -> bytes:
    return b"".join(
        b2a_base64(data[start : start + _BYTES_A_LINE])
        for start in range(0, len(data), _BYTES_A_LINE)
    )


def _filename(name: str) -> str:
    """The file name as a parameter: quoted where it is ASCII, else as RFC 2231 has it."""
    if name.isascii() and name.isprintable():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'filename="{escaped}"'
    octets = [_percent(byte) for byte in name.encode()]
    if len(octets) <= _OCTETS_A_LINE:
        return f"filename*=utf-8''{''.join(octets)}"
    # A line of mail has at most 998 characters, so a long name goes on in further ones.
    pieces = (
        "".join(octets[start : start + _OCTETS_A_LINE])
        for start in range(0, len(octets), _OCTETS_A_LINE)
    )
    first, *rest = pieces
    lines = [f"filename*0*=utf-8''{first}"]
    lines += [f"filename*{number}*={piece}" for number, piece in enumerate(rest, 1)]
    return ";\n ".join(lines)


def _percent(byte: int) -> str:
    # Letters and digits may stand as they are (RFC 5987, attr-char); signs need not.
    letter = chr(byte)
    return letter if letter.isascii() and letter.isalnum() else f"%{byte:02X}"


def _boundary(bodies: list[bytes]) -> bytes:
    """Derived from the content, so that the same parts give the same bytes."""
    digest = sha256(b"".join(bodies)).hexdigest()[:24].encode("ascii")
    boundary = b"==eryphc-" + digest + b"=="
    counter = 0
    while any(boundary in body for body in bodies):
        counter += 1
        boundary = b"==eryphc-%s-%d==" % (digest, counter)
    return boundary
