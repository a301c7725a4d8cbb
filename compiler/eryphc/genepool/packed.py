"""Packed genes: `gene.json` and parts, from a folder `<64 hex>/` or a service, to their data.

Only what a compile reads: texts of catlets and fodder; of volumes no more than that they are there.
Source: docs/reference/genes-and-pools.md, "The packed layout", "gene.json".
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eryphc.genepool.files import MAX_GENE_BYTES, PoolFiles, decode

_MEMBERS = (
    "version",
    "name",
    "type",
    "format",
    "filename",
    "parts",
    "size",
    "original_size",
    "arch",
)
_INTEGERS = ("size", "original_size")
_AS_THEY_ARE = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%()*,-./:;=?@[]^_{|}~"
)
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\"}
_PART = re.compile(r"sha1:([0-9a-f]{40})\Z", re.IGNORECASE)
_FORMATS = ("plain", "gz", "xz")


class DamagedError(Exception):
    """What is wrong with a packed gene, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneManifest:
    """`gene.json`. `members` are as written, those that are null left out."""

    members: Mapping[str, object]
    format: str
    parts: tuple[str, ...]

    def canonical(self) -> str:
        """The text whose SHA-256 is the gene's hash.

        Source: docs/reference/genes-and-pools.md, "Gene hashes".
        """
        return canonical_json({key: self.members[key] for key in _MEMBERS if key in self.members})

    @property
    def hash(self) -> str:
        """The gene's hash as 64 hex digits."""
        return hashlib.sha256(self.canonical().encode("ascii")).hexdigest()


def canonical_json(value: object) -> str:
    """Compact JSON with the escaping of the original's encoder."""
    if isinstance(value, str):
        return f'"{"".join(_escaped(character) for character in value)}"'
    if isinstance(value, dict):
        inside = ",".join(f"{canonical_json(k)}:{canonical_json(v)}" for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(canonical_json(item) for item in value)}]"
    return json.dumps(value)


def _escaped(character: str) -> str:
    if character in _AS_THEY_ARE:
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04X}\\u{0xDC00 + (code & 0x3FF):04X}"
    return "\\uFFFD" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04X}"


def read_gene_manifest(data: bytes) -> GeneManifest:
    """`gene.json` to its members. Raises DamagedError."""
    text, damaged = decode(data)
    try:
        value = json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError):
        raise DamagedError("`gene.json` is not valid JSON") from None
    if damaged:
        raise DamagedError("`gene.json` is no JSON object")
    return gene_manifest_of(value)


def gene_manifest_of(value: object) -> GeneManifest:
    """The manifest in JSON data. Raises DamagedError."""
    if not isinstance(value, dict):
        raise DamagedError("`gene.json` is no JSON object")
    members = {key: value[key] for key in _MEMBERS if value.get(key) is not None}
    for key, member in members.items():
        if key in _INTEGERS:
            good = isinstance(member, int) and not isinstance(member, bool)
        elif key == "parts":
            good = isinstance(member, list) and all(isinstance(part, str) for part in member)
        else:
            good = isinstance(member, str)
        if not good:
            raise DamagedError(f"`{key}` of `gene.json` is of the wrong kind")
    parts: list[str] = []
    for part in members.get("parts", ()):
        match = _PART.match(part)
        if not match:
            raise DamagedError("`gene.json` names a part by something that is no SHA-1")
        parts.append(match[1].lower())
    packing = members.get("format") or "plain"
    if packing not in _FORMATS:
        raise DamagedError("`gene.json` names an unknown format")
    if not parts:
        raise DamagedError("`gene.json` names no parts")
    return GeneManifest(members=members, format=packing, parts=tuple(parts))


def _refuse_number(text: str) -> object:
    raise ValueError(text)


def packed_manifest(files: PoolFiles, folder: Path, digest: str) -> GeneManifest | None:
    """The checked manifest of the gene in `folder`; None where it is not complete.

    `digest` is 64 hex digits. Raises DamagedError where the manifest is not the one it names.
    """
    path = folder / "gene.json"
    if not files.is_file(path):
        return None
    read = files.read(path)
    if read.value is None:
        raise DamagedError(read.diagnostics[0].message)
    manifest = read_gene_manifest(read.value)
    if manifest.hash != digest:
        raise DamagedError("its manifest does not have the hash that its gene set lists")
    if not all(files.is_file(folder / f"{part}.part") for part in manifest.parts):
        return None
    return manifest


def unpack(files: PoolFiles, folder: Path, manifest: GeneManifest) -> bytes:
    """The data of a catlet or fodder gene. Raises DamagedError."""
    data = bytearray()
    for part in manifest.parts:
        read = files.read(folder / f"{part}.part")
        if read.value is None:
            raise DamagedError(read.diagnostics[0].message)
        if not is_part(read.value, part):
            raise DamagedError(f"the part `{part}` does not have the hash that names it")
        data += read.value
        if len(data) > MAX_GENE_BYTES:
            raise DamagedError("it is larger than 5 MiB")
    return expanded(manifest, bytes(data))


def is_part(data: bytes, name: str) -> bool:
    """Whether bytes are the part with this SHA-1, which guards against accidents alone."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest() == name


def expanded(manifest: GeneManifest, data: bytes) -> bytes:
    """What the parts of a catlet or fodder gene, one after the other, hold. Raises DamagedError."""
    if manifest.format == "plain":
        return data
    try:
        return _inflate(data) if manifest.format == "gz" else _expand_xz(data)
    except DamagedError:
        raise
    except Exception:
        raise DamagedError(f"it cannot be unpacked as {manifest.format}") from None


def _inflate(data: bytes) -> bytes:
    unpacked = b""
    while data:
        stream = zlib.decompressobj(wbits=31)
        unpacked += stream.decompress(data, MAX_GENE_BYTES + 1 - len(unpacked))
        if len(unpacked) > MAX_GENE_BYTES:
            raise DamagedError("it is larger than 5 MiB when unpacked")
        if not stream.eof:
            raise DamagedError("it ends too early")
        data = stream.unused_data
    return unpacked


def _expand_xz(data: bytes) -> bytes:
    import lzma

    stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=256 * 1024 * 1024)
    unpacked = stream.decompress(data, MAX_GENE_BYTES + 1)
    if len(unpacked) > MAX_GENE_BYTES:
        raise DamagedError("it is larger than 5 MiB when unpacked")
    if not stream.eof:
        raise DamagedError("it ends too early")
    return unpacked
