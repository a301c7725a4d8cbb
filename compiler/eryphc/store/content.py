"""What the store keeps: content by its digest, manifests by identity, notes of trust, roots.

Every digest that comes in is `sha256:` and 64 lower-case hex digits. What is read was verified;
what is damaged is removed, told of, and then it is as if it had never been there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from eryphc.canonical import digest_of
from eryphc.frozen import NamedTuple
from eryphc.store.folder import Folder, Parts

MOST_BLOB: Final = 256 * 1024 * 1024
"""The most bytes of content that is read into memory."""
MOST_NOTE: Final = 64 * 1024
_MOST_POINTER: Final = 128
_MOST_ROOT: Final = 64 * 1024
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


class ContentDiffersError(Exception):
    """What came is not the content that was asked for; `found` is its digest."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(f"{found} instead of {wanted}")
        self.wanted = wanted
        self.found = found


class Root(NamedTuple):
    """A lock file whose content stays in the store, and the folder of its project."""

    name: str
    lock: Path
    project: Path


class Store:
    """Content, manifests, notes and roots in an opened cache folder. All raise StoreError."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Store({str(self.folder.root)!r})"

    # --- content by its digest ---------------------------------------------------------------

    def blob(self, digest: str, limit: int = MOST_BLOB) -> bytes | None:
        """The content of this digest, None where it is not here or was damaged."""
        parts = blob_parts(digest)
        data = self.folder.read(*parts, limit=limit)
        if data is None or digest_of(data) == digest:
            return data
        self.folder.damaged(*parts)
        return None

    def add_blob(self, data: bytes) -> str:
        """Keep content; gives its digest."""
        digest = digest_of(data)
        if self.blob(digest) is None:
            self.folder.write(data, *blob_parts(digest))
        else:
            self.folder.touch(*blob_parts(digest))
        return digest

    # --- manifests by identity ---------------------------------------------------------------

    def manifest(self, identity: str) -> bytes | None:
        """The manifest as it was found of the gene set with this identity."""
        parts = _fanned("manifests", identity)
        data = self.folder.read(*parts, limit=_MOST_POINTER)
        if data is None:
            return None
        pointer = data.decode("ascii", "replace").rstrip("\n")
        if _DIGEST.fullmatch(pointer) is not None:
            manifest = self.blob(pointer)
            if manifest is not None and config_of(manifest) == identity:
                return manifest
        self.folder.damaged(*parts)
        return None

    def put_manifest(
        self, identity: str, manifest: bytes, is_signed: Callable[[bytes], bool]
    ) -> bool:
        """Keep a manifest, whose config is `identity`; False where a better one is here.

        One that is not signed never takes the place of one that is.
        """
        if config_of(manifest) != identity:
            raise ContentDiffersError(identity, str(config_of(manifest)))
        with self.folder.locked("manifests"):
            if not is_signed(manifest):
                here = self.manifest(identity)
                if here is not None and is_signed(here):
                    return False
            digest = self.add_blob(manifest)
            self.folder.write(f"{digest}\n".encode(), *_fanned("manifests", identity))
        return True

    # --- notes of trust ----------------------------------------------------------------------

    def note(self, identity: str, policy: str) -> bytes | None:
        """The sealed note that this identity was checked by this policy. Its seal was not."""
        return self.folder.read(*_note_parts(identity, policy), limit=MOST_NOTE)

    def put_note(self, identity: str, policy: str, note: bytes) -> None:
        self.folder.write(note, *_note_parts(identity, policy))

    # --- roots -------------------------------------------------------------------------------

    def add_root(self, lock: Path, project: Path) -> None:
        """Keep what the lock file `lock` names for as long as it is there."""
        lock, project = lock.absolute(), project.absolute()
        name = hashlib.sha256(bytes(lock)).hexdigest()[:32]
        # Not canonical JSON: paths may hold bytes that are no text.
        text = json.dumps({"lock": str(lock), "project": str(project)}, sort_keys=True)
        data = f"{text}\n".encode("ascii")
        if self.folder.read("roots", name, limit=_MOST_ROOT) != data:
            self.folder.write(data, "roots", name)

    def roots(self) -> Iterator[Root]:
        """The lock files that are known, by name; also those that are no more."""
        for entry in self.folder.files("roots"):
            data = self.folder.read(*entry.parts, limit=_MOST_ROOT)
            root = None if data is None else _root(entry.parts[-1], data)
            if root is not None:
                yield root
            elif data is not None:
                self.folder.damaged(*entry.parts)


def blob_parts(digest: str) -> Parts:
    """Where content lies below the cache folder."""
    return ("blobs", *_fanned("sha256", digest))


def config_of(manifest: bytes) -> str | None:
    """The digest of the config that a manifest names, which is the identity of its image."""
    try:
        data: Any = json.loads(manifest)
        found = data["config"]["digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _note_parts(identity: str, policy: str) -> Parts:
    both = f"{_hex(identity)}{_hex(policy)}".encode()
    return _fanned("trust", digest_of(both))


def _fanned(folder: str, digest: str) -> Parts:
    """The place of a digest: the first two of its digits are a folder."""
    digits = _hex(digest)
    return (folder, digits[:2], digits[2:])


def _hex(digest: str) -> str:
    """The hex digits of a digest. Raises ValueError for anything else, so that no path escapes."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError("not a digest")
    return found[1]


def _root(name: str, data: bytes) -> Root | None:
    try:
        found: Any = json.loads(data)
        lock, project = found["lock"], found["project"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(lock, str) or not isinstance(project, str) or "\0" in lock + project:
        return None
    return Root(name, Path(lock), Path(project))
