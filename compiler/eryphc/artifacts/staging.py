"""Writes the files of one target into a fresh folder, reads them back, and adds the manifest."""

# The hot loop of a fleet: a path object for each call would cost as much as the call.
# ruff: noqa: PTH101, PTH102, PTH123

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping

from eryphc.artifacts.errors import OutputFailed, OutputRefused
from eryphc.artifacts.file import ArtifactFile, WrittenFile
from eryphc.artifacts.iso_reader import difference
from eryphc.artifacts.manifest import MANIFEST_NAME, Manifest, manifest_bytes
from eryphc.artifacts.names import fault_of
from eryphc.diagnostics.output import artifact_name_refused, image_differs
from eryphc.frozen import NamedTuple

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644
_SECRET_MODE = 0o600
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_AT_ONCE = 1024 * 1024


class Filled(NamedTuple):
    """A folder that was written: its files sorted by path, and the manifest, which lists them."""

    files: tuple[WrittenFile, ...]
    manifest: WrittenFile


def fill(folder: str, files: Mapping[str, ArtifactFile], manifest: Manifest) -> Filled:
    """Write `files` and `manifest.json` into the empty `folder`; modes do not obey the umask.

    Raises `OSError`, `OutputRefused` for a path that no artifact may have, `OutputFailed` where
    reading back finds a difference.
    """
    ordered = sorted(files)
    refuse_names(ordered)
    written: list[WrittenFile] = []
    made = {""}
    for name in ordered:
        parent = name.rpartition("/")[0]
        if parent not in made:
            _make_folders(folder, parent, made)
        written.append(_write(f"{folder}/{name}", name, files[name]))
    text = manifest_bytes(manifest, written)
    # It holds the digest of each file, by which a short secret in one can be guessed.
    secret = any(file.secret for file in files.values())
    write_bytes(f"{folder}/{MANIFEST_NAME}", text, _SECRET_MODE if secret else _FILE_MODE)
    listed = WrittenFile(
        path=MANIFEST_NAME,
        sha256=hashlib.sha256(text).hexdigest(),
        size=len(text),
        media_type="application/json",
        tells=secret,
    )
    return Filled(tuple(written), listed)


def refuse_names(names: list[str]) -> None:
    """Raise `OutputRefused` for paths that leave the folder, or that cannot stand together."""
    seen: set[str] = set()
    for name in names:
        fault = fault_of(name)
        folded = name.casefold()
        if fault is None and folded in seen:
            fault = "another differs from it only in case"
        if fault is not None:
            raise OutputRefused(artifact_name_refused(name, fault))
        seen.add(folded)


def _make_folders(folder: str, path: str, made: set[str]) -> None:
    upper = path.rpartition("/")[0]
    if upper not in made:
        _make_folders(folder, upper, made)
    os.mkdir(f"{folder}/{path}")
    os.chmod(f"{folder}/{path}", _FOLDER_MODE)
    made.add(path)


def _write(at: str, name: str, file: ArtifactFile) -> WrittenFile:
    mode = _SECRET_MODE if file.secret or file.tells else _FILE_MODE
    if isinstance(file.content, bytes):
        content = file.content
        image = file.holds is not None
        write_bytes(at, content, mode)
        if image:
            found = read_bytes(at)
            if found != content:
                raise OutputFailed(image_differs(name, "other bytes"))
            fault = difference(found, file.holds or {})
            if fault is not None:
                raise OutputFailed(image_differs(name, fault))
        digest, size = hashlib.sha256(content).hexdigest(), len(content)
    else:
        with os.fdopen(_create(at), "wb") as stream:
            file.content.write_to(stream)
            _set_mode(stream.fileno(), mode)
        from eryphc.artifacts.sparse import sha256_of

        with open(at, "rb", buffering=0) as stream:
            digest, size = sha256_of(stream)
    return WrittenFile(
        path=name,
        sha256=digest,
        size=size,
        media_type=file.media_type,
        secret=file.secret,
        tells=file.tells,
    )


def _create(at: str) -> int:
    # Readable by its owner only from its first instant; others may read it once it is whole.
    return os.open(at, _CREATE, _SECRET_MODE)


def write_bytes(at: str, content: bytes, mode: int) -> None:
    """Write a new file. Raises `OSError`, also where there is one."""
    descriptor = _create(at)
    try:
        rest: bytes | memoryview = content
        while rest:
            done = os.write(descriptor, rest)
            rest = b"" if done == len(rest) else memoryview(rest)[done:]
        _set_mode(descriptor, mode)
    finally:
        os.close(descriptor)


def read_bytes(at: str) -> bytes:
    """A file whole. Raises `OSError`."""
    descriptor = os.open(at, _OPEN)
    try:
        chunks: list[bytes] = []
        while chunk := os.read(descriptor, _AT_ONCE):
            chunks.append(chunk)
    finally:
        os.close(descriptor)
    return b"".join(chunks)


def _set_mode(descriptor: int, mode: int) -> None:
    if os.name != "nt":
        # File systems without modes (FAT, some mounts) refuse, and there is nothing to protect.
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, mode)
