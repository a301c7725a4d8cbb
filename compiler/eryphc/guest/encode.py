"""From the guest document to bytes: plain text, multipart MIME, and where slots lie in them.

The mail package of the standard library is not used: importing it takes 3 times as long as an empty
Python process, and a new Python could change its output.
Source: docs/reference/cloud-init.md, "Multipart user-data", "Encoding of parts";
docs/reference/reproducible-builds.md, "Text formats".
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final

from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.emit import Emitted, emit, write
from eryphc.guest.document import (
    AdapterNetwork,
    ConfigTree,
    GuestDocument,
    NetworkConfig,
    UserDataPart,
)
from eryphc.guest.pieces import CLOUD_CONFIG, JINJA, marker_line

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


MULTIPART: Final = "multipart/mixed"
PLAIN: Final = "text/plain"

# 57 bytes are 76 characters of base64.
_BYTES_A_LINE: Final = 57
# Of a file name that is not ASCII, each at most three characters.
_OCTETS_A_LINE: Final = 256
_LONGEST_MAIL_LINE: Final = 998
# As much as cloud-init searches for the header that makes it parse user-data as mail.
_SEARCHED_BYTES: Final = 4096


class Encoding(StrEnum):
    """How a stretch of a file holds its text."""

    PLAIN = "plain"
    BASE64 = "base64"


class Form(StrEnum):
    """How the parts of user-data become bytes. Guests read the same from each.

    `seed` has every part of multipart user-data in base64, `compact` as it is where mail lets it,
    `gzip` is the latter compressed.
    """

    SEED = "seed"
    COMPACT = "compact"
    GZIP = "gzip"


_TRANSFER: Final = {Encoding.PLAIN: "7bit", Encoding.BASE64: "base64"}


class SlotPlace(NamedTuple):
    """One place of a slot in a file.

    The text that holds the slot is `length` bytes of the file from `offset`, in its `encoding`;
    the slot stands at byte `at` of what they decode to.
    """

    slot: str
    offset: int
    length: int
    encoding: Encoding
    at: int


class PartText(NamedTuple):
    """The text of one part. `emitted` tells where the nodes of a tree stand in it."""

    part: UserDataPart
    text: str
    emitted: Emitted | None = None

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"PartText({self.part.name!r}, {len(self.text)} characters)"


class Encoded(NamedTuple):
    """A file as bytes, the texts that it holds, and the places of slots in it."""

    data: bytes
    media_type: str
    texts: tuple[PartText, ...] = ()
    slots: tuple[SlotPlace, ...] = ()

    def __repr__(self) -> str:
        return f"Encoded({self.media_type!r}, {len(self.data)} bytes)"


class Seed(NamedTuple):
    """The files of a NoCloud volume, and the document they were made of."""

    document: GuestDocument
    user_data: Encoded
    meta_data: bytes
    network_config: bytes | None

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files by name. Source: docs/reference/cloud-init.md, "The seed volume"."""
        files = {"meta-data": self.meta_data, "user-data": self.user_data.data}
        if self.network_config is not None:
            files["network-config"] = self.network_config
        return files

    def __repr__(self) -> str:
        return f"Seed({self.document!r})"


def nocloud(document: GuestDocument) -> Seed:
    """What a guest finds on a NoCloud volume.

    Slots can only stand in the text of fodder: nothing else is substituted, and they are chosen
    so that they stand nowhere by chance.
    """
    network = None if document.network is None else network_config(document.network)
    seed = Seed(
        document=document,
        user_data=user_data(document.parts, document.slots),
        meta_data=meta_data(document.instance_id, document.hostname),
        network_config=network,
    )
    _refuse(document.slots, (seed.meta_data, network or b""))
    return seed


def user_data(
    parts: tuple[UserDataPart, ...], slots: tuple[str, ...] = (), form: Form = Form.SEED
) -> Encoded:
    """What a guest finds as `user-data`: nothing, plain text, or MIME.

    Plain text only where the one and only part is a cloud-config, also one that is a Jinja
    template: both guests then read raw UTF-8.
    """
    if form is Form.GZIP:
        from eryphc.guest.deflate import gzip

        compact = user_data(parts, slots, Form.COMPACT)
        return compact._replace(data=gzip(compact.data), media_type="application/gzip", slots=())
    texts = tuple(part_text(part, slots) for part in parts)
    if not texts:
        return Encoded(b"", PLAIN)
    if len(texts) == 1:
        data = _plain(texts[0])
        if data is not None:
            kind = texts[0].part.media_type
            media_type = CLOUD_CONFIG if kind == CLOUD_CONFIG else PLAIN
            return Encoded(data, media_type, texts, tuple(_plain_slots(data, slots)))
    return _multipart(texts, slots, form)


def part_text(part: UserDataPart, slots: tuple[str, ...] = ()) -> PartText:
    """The text of a part as the guest reads it."""
    body = part.body
    if isinstance(body, ConfigTree):
        emitted = write(body.root, slots=slots)
        return PartText(part, emitted.text, emitted)
    return PartText(part, body.text)


def network_config(network: NetworkConfig) -> bytes:
    """The bytes of `network-config`."""
    if isinstance(network, AdapterNetwork):
        text = _version_1(network) if network.version == 1 else _version_2(network)
    else:
        text = emit(network.root) if network.added else _as_written(network.source.text)
    return text.encode()


def _as_written(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def _version_2(network: AdapterNetwork) -> str:
    """What every renderer understands; Linux can give each name of an adapter."""
    lines = ["version: 2", "ethernets:" if network.adapters else "ethernets: {}"]
    for adapter in network.adapters:
        lines += [
            f"  {quoted(adapter.name)}:",
            "    match:",
            f"      macaddress: {quoted(adapter.mac_address.lower())}",
            f"    set-name: {quoted(adapter.name)}",
            "    dhcp4: true",
        ]
    return "\n".join(lines) + "\n"


def _version_1(network: AdapterNetwork) -> str:
    lines = ["version: 1", "config:" if network.adapters else "config: []"]
    for adapter in network.adapters:
        lines += [
            "  - type: physical",
            f"    name: {quoted(adapter.name)}",
            f"    mac_address: {quoted(adapter.mac_address.lower())}",
            "    subnets:",
            "      - type: dhcp",
        ]
    return "\n".join(lines) + "\n"


def _plain(made: PartText) -> bytes | None:
    """The text alone, None where a guest would not know it by its first lines."""
    if made.part.media_type not in (CLOUD_CONFIG, JINJA) or made.part.headers:
        return None
    if marker_line(made.text) is not None:
        return None
    data = made.text.encode()
    if b"mime-version:" in data[:_SEARCHED_BYTES].lower():
        return None
    # cloudbase-init takes text for mail by this, anywhere before the first empty line.
    if b"Content-Type: multipart" in data.split(b"\n\n", 1)[0]:
        return None
    return data


def _plain_slots(data: bytes, slots: Iterable[str]) -> Iterator[SlotPlace]:
    for slot in slots:
        for at in _places(data, slot):
            yield SlotPlace(slot, at, len(slot), Encoding.PLAIN, 0)


def _places(data: bytes, slot: str) -> Iterator[int]:
    wanted = slot.encode("ascii")
    at = data.find(wanted)
    while at != -1:
        yield at
        at = data.find(wanted, at + len(wanted))


def _multipart(texts: tuple[PartText, ...], slots: tuple[str, ...], form: Form) -> Encoded:
    decoded = [made.text.encode() for made in texts]
    encodings = [
        Encoding.PLAIN if form is Form.COMPACT and _is_mail_text(data) else Encoding.BASE64
        for data in decoded
    ]
    headers = [_headers(*each) for each in zip(texts, encodings, strict=True)]
    bodies = [_body(*each) for each in zip(decoded, encodings, strict=True)]
    _refuse(slots, headers)
    boundary = _boundary([header + body for header, body in zip(headers, bodies, strict=True)])
    chunks = [
        b"MIME-Version: 1.0\n",
        b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n',
        b"\n",
    ]
    offset = sum(map(len, chunks))
    found: list[SlotPlace] = []
    for data, header, body, encoding in zip(decoded, headers, bodies, encodings, strict=True):
        opening = b"--" + boundary + b"\n" + header
        offset += len(opening)
        found += (
            SlotPlace(slot, offset, len(body), encoding, at)
            for slot in slots
            for at in _places(data, slot)
        )
        # The line feed before a boundary belongs to the boundary. Base64 can spare it.
        end = b"\n" if encoding is Encoding.PLAIN else b""
        chunks += (opening, body, end)
        offset += len(body) + len(end)
    chunks.append(b"--" + boundary + b"--\n")
    return Encoded(b"".join(chunks), MULTIPART, texts, tuple(found))


def _is_mail_text(data: bytes) -> bool:
    """Whether mail carries it as it is: ASCII without NUL and CR, no line above 998 characters.

    Source: RFC 2045, section 2.7; docs/reference/cloud-init.md, "Encoding of parts".
    """
    return (
        data.isascii()
        and not any(byte in data for byte in (b"\0", b"\r"))
        and all(len(line) <= _LONGEST_MAIL_LINE for line in data.split(b"\n"))
    )


def _body(data: bytes, encoding: Encoding) -> bytes:
    return data if encoding is Encoding.PLAIN else _base64(data)


def _refuse(slots: Iterable[str], contents: Iterable[bytes]) -> None:
    for content in contents:
        if any(slot.encode("ascii") in content for slot in slots):
            raise RuntimeError("a slot stands outside of the text of fodder")


def _headers(made: PartText, encoding: Encoding) -> bytes:
    part = made.part
    headers = [
        f'Content-Type: {part.media_type}; charset="utf-8"',
        "MIME-Version: 1.0",
        f"Content-Transfer-Encoding: {_TRANSFER[encoding]}",
        f"Content-Disposition: attachment; {_filename(part.name)}",
        *(f"{name}: {value}" for name, value in part.headers),
    ]
    return "\n".join(headers).encode("ascii") + b"\n\n"


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
