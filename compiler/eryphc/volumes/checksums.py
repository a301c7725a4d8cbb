"""Digests of disk images: of a file, and in the lists that publishers put beside their images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from eryphc.artifacts.sparse import blocks
from eryphc.digests import Digest, Hashes

__all__ = ("ALGORITHMS", "Digest", "digest_of", "find_digest", "hash_file")

# A digest says by its length which algorithm made it; MD5 and SHA-1 prove nothing any more.
ALGORITHMS: Final = {64: "sha256", 96: "sha384", 128: "sha512"}
_WEAK: Final = {32: "MD5", 40: "SHA-1"}
_HEX: Final = r"[0-9A-Fa-f]{32,128}"
_LINES: Final = (
    # BSD and openssl: `SHA256 (NAME) = HEX`.
    re.compile(rf"[A-Za-z0-9/-]+ ?\((?P<name>.+)\) ?= ?(?P<hex>{_HEX})\Z"),
    # The release files of Debian: ` HEX  SIZE NAME`.
    re.compile(rf"\s+(?P<hex>{_HEX})[ \t]+[0-9]+[ \t]+(?P<name>\S+)\Z"),
    # coreutils: `HEX  NAME`, and `HEX *NAME` for bytes; a backslash where the name is escaped.
    re.compile(rf"\s*\\?(?P<hex>{_HEX})[ \t]+\*?(?P<name>\S.*)\Z"),
)
# PowerShell's Get-FileHash gives the whole path: as a table, or as a list of which these are lines.
_TABLE: Final = re.compile(rf"SHA[0-9]+[ \t]+(?P<hex>{_HEX})[ \t]+(?P<name>\S.*)\Z")
_HASH: Final = re.compile(rf"Hash\s*: (?P<hex>{_HEX})\Z")
_PATH: Final = re.compile(r"Path\s*: (?P<name>\S.*)\Z")
_ALONE: Final = re.compile(rf"\s*(?:sha[0-9]+[:=]\s*)?({_HEX})\Z", re.IGNORECASE)
# certutil writes the name into the line before the digest.
_NAMED_BEFORE: Final = re.compile(r"SHA[0-9]+ hash of (?:file )?(?P<name>\S.*):\Z")


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


_WITHOUT_NAME: Final = (
    "has a digest and no name, so it may be that of another file: if it is the image's, write it "
    "as `sha256` into the description"
)


def _named(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name in a list with its digest."""
    for number, line in enumerate(lines):
        match = next((found for form in _LINES if (found := form.match(line))), None)
        if match is not None:
            yield match["name"], match["hex"]
            continue
        match = _TABLE.match(line)
        if match is not None:
            yield _last(match["name"]), match["hex"]
            continue
        before, digest = _NAMED_BEFORE.match(line), _HASH.match(line)
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if before is not None:
            # Older versions put blanks between the bytes.
            plain = following.replace(" ", "")
            if _ALONE.match(plain):
                yield _last(before["name"]), plain.strip()
        elif digest is not None and (path := _PATH.match(following)) is not None:
            yield _last(path["name"]), digest["hex"]


def _last(path: str) -> str:
    """The name of the file at a path of Windows or of PowerShell elsewhere."""
    return re.split(r"[/\\]", path)[-1]


def find_digest(text: str, file: str) -> Digest | str:
    """The digest of `file` in a publisher's list, or why there is none, as words after its name.

    The forms of coreutils, BSD, openssl, Debian's release files, PowerShell and certutil are read;
    all other lines are skipped (a list may stand in a signed message). The longest digest is taken.
    """
    # Without what stands behind a line, no form has to look for its end.
    lines = [line.rstrip() for line in text.removeprefix("\ufeff").splitlines()]
    named = list(_named(lines))
    wanted = [digest for name, digest in named if name.removeprefix("./") == file]
    found: dict[int, set[str]] = {}
    for digest in wanted:
        found.setdefault(len(digest), set()).add(digest.lower())
    strong = max((length for length in found if length in ALGORITHMS), default=None)
    if strong is None:
        weak = sorted(_WEAK[length] for length in found if length in _WEAK)
        if weak:
            return f"has only {' and '.join(weak)} of `{file}`, which proves nothing"
        alone = not named and any(map(_ALONE.match, lines))
        return _WITHOUT_NAME if alone else f"does not name `{file}`"
    if len(found[strong]) > 1:
        return f"names `{file}` twice, with different digests"
    return Digest(ALGORITHMS[strong], found[strong].pop())
