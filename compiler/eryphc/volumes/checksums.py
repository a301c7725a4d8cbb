"""Digests of disk images: of a file, and in the lists that publishers put beside their images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from eryphc.artifacts.sparse import blocks
from eryphc.digests import Digest, Hashes

__all__ = ("ALGORITHMS", "Digest", "digest_of", "find_digest", "hash_file")

# A digest says by its length which algorithm made it; MD5 and SHA-1 prove nothing any more.
ALGORITHMS: Final = {64: "sha256", 96: "sha384", 128: "sha512"}
_WEAK: Final = {32: "MD5", 40: "SHA-1"}
_GNU: Final = re.compile(r"\\?([0-9A-Fa-f]{32,128})[ \t]+\*?(\S.*?)\s*\Z")
_BSD: Final = re.compile(r"[A-Za-z0-9/-]+ ?\((.+)\) ?= ?([0-9A-Fa-f]{32,128})\s*\Z")


def digest_of(text: str) -> Digest | None:
    """The digest that a user wrote; None where it is none."""
    plain = text.strip().lower()
    algorithm = ALGORITHMS.get(len(plain))
    if algorithm is None or not re.fullmatch(r"[0-9a-f]+", plain):
        return None
    return Digest(algorithm, plain)


def hash_file(
    path: Path, algorithm: str = "sha256", heard: Callable[[int], None] | None = None
) -> Hashes:
    """The hashes of a file; `heard` hears how many of its bytes are done."""
    hashes, done = Hashes(algorithm), 0
    with path.open("rb", buffering=0) as file:
        for block in blocks(file, file.seek(0, os.SEEK_END)):
            hashes.update(block)
            done += len(block)
            if heard is not None:
                heard(done)
    return hashes


def find_digest(text: str, file: str) -> Digest | str:
    """The digest of `file` in a publisher's list, or why there is none, as words after its name.

    Both styles are read, `HEX  NAME` of coreutils and `SHA256 (NAME) = HEX` of BSD; all other
    lines are skipped (a list may stand in a signed message). The longest digest is taken.
    """
    found: dict[int, set[str]] = {}
    for line in text.splitlines():
        bsd = _BSD.match(line)
        gnu = None if bsd else _GNU.match(line)
        name, digest = (bsd[1], bsd[2]) if bsd else (gnu[2], gnu[1]) if gnu else ("", "")
        if name.removeprefix("./") == file:
            found.setdefault(len(digest), set()).add(digest.lower())
    strong = max((length for length in found if length in ALGORITHMS), default=None)
    if strong is None:
        weak = sorted(_WEAK[length] for length in found if length in _WEAK)
        if weak:
            return f"has only {' and '.join(weak)} of `{file}`, which proves nothing"
        return f"does not name `{file}`"
    if len(found[strong]) > 1:
        return f"names `{file}` twice, with different digests"
    return Digest(ALGORITHMS[strong], found[strong].pop())
