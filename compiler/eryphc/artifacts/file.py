"""One file of a target folder, before it is written and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Protocol, TypeAlias

from eryphc.frozen import NamedTuple


class Streamed(Protocol):
    """Content that is too large for memory. It writes itself, with the same bytes each time."""

    def write_to(self, target: BinaryIO) -> None: ...


ArtifactContent: TypeAlias = bytes | Streamed


class ArtifactFile(NamedTuple):
    """A file to be written. A secret one gets mode 0600, any other 0644.

    `holds` is, for an image, the files that reading it back must give. `tells`: the digest of a
    secret file stands in it, by which a short secret can be guessed; it gets mode 0600 too.
    """

    content: ArtifactContent
    media_type: str
    secret: bool = False
    holds: Mapping[str, bytes] | None = None
    tells: bool = False

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"ArtifactFile(media_type={self.media_type!r}, secret={self.secret})"


class WrittenFile(NamedTuple):
    """A file as written: `path` relative to its folder, with `/`; `size` in bytes. `tells` as
    in `ArtifactFile`."""

    path: str
    sha256: str
    size: int
    media_type: str
    secret: bool = False
    tells: bool = False
