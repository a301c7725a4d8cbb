"""Builds as they lie on disk: what their manifests say, read as the words of a stranger.

No link is followed, and no path of a manifest leaves its folder.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from eryphc.artifacts.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, ManifestGene
from eryphc.artifacts.names import fault_of
from eryphc.artifacts.owned import contents_of
from eryphc.artifacts.sparse import sha256_of
from eryphc.canonical import digest_of
from eryphc.diagnostics import command
from eryphc.diagnostics import provenance as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path

_MOST_BYTES: Final = 16 * 1024 * 1024
_DEEPEST: Final = 16
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_GENE = re.compile(r"gene:[a-z0-9.-]+/[a-z0-9.-]+/[a-z0-9.-]+:[a-z0-9.-]+\Z")


class BuildError(Exception):
    """A build cannot be read; the diagnostic says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class ListedFile(NamedTuple):
    """A file of a build, as its manifest lists it."""

    path: str
    sha256: str
    size: int
    secret: bool


class ReadBuild(NamedTuple):
    """A build as its manifest describes it. `digest` is `sha256:…` of the manifest's bytes."""

    folder: Path
    digest: str
    catlet: str
    target: str
    tool: str
    genes: tuple[ManifestGene, ...]
    files: tuple[ListedFile, ...]

    @property
    def shown(self) -> str:
        return shown_path(self.folder)

    def place(self, name: str) -> str:
        """What messages call a file of the folder."""
        return f"{self.shown}/{name}"


class Builds(NamedTuple):
    """The builds that could be read, by path, and why others could not."""

    read: tuple[ReadBuild, ...]
    found: tuple[Diagnostic, ...] = ()


def builds_in(folder: Path) -> Builds:
    """The build in a folder, or all below it, by path.

    A manifest that is none of a build is told of and not passed over. Raises BuildError where
    there is no manifest at all, and OSError.
    """
    read: list[ReadBuild] = []
    found: list[Diagnostic] = []
    for manifest in _below(folder, 0):
        try:
            read.append(read_build(manifest))
        except BuildError as fault:
            found.append(fault.diagnostic)
        except OSError as error:
            found.append(unreadable(manifest, error))
    if not read and not found:
        reason = f"it is no build, and there is none below it: no `{MANIFEST_NAME}`"
        raise BuildError(wording.no_build(shown_path(folder), reason))
    return Builds(tuple(read), tuple(found))


def unreadable(path: Path, error: OSError) -> Diagnostic:
    """Why a file of a build cannot be looked at."""
    return command.file_unreadable(shown_path(path), os_reason(error, str(error)))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """The manifests in a folder and below it, by path."""
    if os.path.lexists(folder / MANIFEST_NAME):
        yield folder / MANIFEST_NAME
        return
    if depth == _DEEPEST:
        raise BuildError(wording.no_build(shown_path(folder), "its folders nest too deep"))
    with os.scandir(folder) as entries:
        inner = sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))
    for name in inner:
        yield from _below(folder / name, depth + 1)


def build_of(artifact: Path) -> tuple[ReadBuild, str]:
    """The build that an artifact belongs to, and its path there. Raises BuildError and OSError."""
    for folder in artifact.absolute().parents[:_DEEPEST]:
        if os.path.lexists(folder / MANIFEST_NAME):
            build = read_build(folder / MANIFEST_NAME)
            return build, artifact.absolute().relative_to(folder).as_posix()
    reason = f"no `{MANIFEST_NAME}` lies beside it"
    help_text = "name it with `--manifest`"
    raise BuildError(wording.no_build(shown_path(artifact), reason, help_text))


def listed_as(build: ReadBuild, artifact: Path) -> str:
    """The path in a build of an artifact that lies anywhere: by its place, else by its name.

    Raises BuildError where the manifest lists none or several of this name.
    """
    names = [file.path for file in build.files if file.path.rpartition("/")[2] == artifact.name]
    folder = build.folder.absolute()
    if artifact.absolute().is_relative_to(folder):
        names = [artifact.absolute().relative_to(folder).as_posix()]
    if len(names) != 1:
        reason = f"`{build.place(MANIFEST_NAME)}` lists "
        reason += "several files of its name" if names else "no file of its name"
        raise BuildError(wording.no_build(shown_path(artifact), reason))
    return names[0]


def read_build(manifest: Path) -> ReadBuild:
    """The build that a manifest describes. Raises BuildError and OSError."""
    shown = shown_path(manifest)
    data = read_file(manifest, _MOST_BYTES)
    try:
        root = json.loads(data)
        if not isinstance(root, dict) or root.get("schema") != MANIFEST_SCHEMA:
            raise _WrongError("it is no manifest of a build that this version knows")
        return ReadBuild(
            folder=manifest.parent,
            digest=digest_of(data),
            catlet=_text(root, "catlet"),
            target=_text(root, "target"),
            tool=_text(root, "tool"),
            genes=tuple(_gene(each) for each in _list(root, "genes")),
            files=_files(root),
        )
    except _WrongError as wrong:
        raise BuildError(wording.no_build(shown, str(wrong))) from None
    except (ValueError, RecursionError):
        raise BuildError(wording.no_build(shown, "it is no JSON")) from None


class _WrongError(Exception):
    """What is wrong with a manifest, in words."""


def _files(root: dict[str, Any]) -> tuple[ListedFile, ...]:
    found: dict[str, ListedFile] = {}
    for entry in _list(root, "artifacts"):
        path, secret, size = _text(entry, "path"), entry.get("secret"), entry.get("size")
        fault = fault_of(path)
        if fault is not None:
            raise _WrongError(f"an artifact cannot be called {path!r}: {fault}")
        if not isinstance(size, int) or isinstance(size, bool) or not isinstance(secret, bool):
            raise _WrongError(f"it does not say the size of {path!r}, or whether it is secret")
        if path in found:
            raise _WrongError(f"it lists {path!r} twice")
        found[path] = ListedFile(path, _sha256(entry), size, secret)
    return tuple(sorted(found.values()))


def _gene(entry: dict[str, Any]) -> ManifestGene:
    id_ = _text(entry, "id")
    if not _GENE.match(id_):
        raise _WrongError(f"{id_[:80]!r} is no gene with its tag")
    return ManifestGene(
        id=id_,
        type=_text(entry, "type"),
        arch=_text(entry, "arch"),
        sha256=None if entry.get("sha256") is None else _sha256(entry),
        form=None if entry.get("form") is None else _text(entry, "form"),
    )


def _list(root: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = root.get(key)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _WrongError(f"its `{key}` is no list of objects")
    return value


def _text(root: dict[str, Any], key: str) -> str:
    value = root.get(key)
    if not isinstance(value, str):
        raise _WrongError(f"its `{key}` is no text")
    return value


def _sha256(entry: dict[str, Any]) -> str:
    value = entry.get("sha256")
    if not isinstance(value, str) or not _SHA256.match(value):
        raise _WrongError("a `sha256` is not 64 hex digits")
    return value


# -- files --------------------------------------------------------------------------------------


def file_faults(build: ReadBuild, only: Path | None = None, name: str = "") -> list[Diagnostic]:
    """Files that differ from the manifest, are missing, or are more than it lists.

    With `only`, that file alone is looked at, which the manifest lists as `name`. Raises OSError.
    """
    listed = {file.path: file for file in build.files}
    if only is not None:
        file = listed.get(name)
        if file is None:
            return [wording.artifact_unlisted(shown_path(only))]
        return _faults(only, shown_path(only), file)
    contents = contents_of(build.folder)
    found = [wording.artifact_unlisted(build.place(stranger)) for stranger in contents.strangers]
    there = set(contents.files)
    for path, file in listed.items():
        if path in there:
            found += _faults(build.folder / path, build.place(path), file)
        else:
            found.append(wording.artifact_differs(build.place(path), "is missing"))
    return found


def _faults(path: Path, shown: str, file: ListedFile) -> list[Diagnostic]:
    try:
        with open_file(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != file.size:
                reason = f"has {size} bytes, and the manifest says {file.size}"
                return [wording.artifact_differs(shown, reason)]
            digest, _ = sha256_of(stream)
    except OSError as error:
        return [unreadable(path, error)]
    if digest != file.sha256:
        reason = f"has the digest {digest}, and the manifest says {file.sha256}"
        return [wording.artifact_differs(shown, reason)]
    return []


def open_file(path: Path) -> Any:
    """A plain file, opened for reading, through no link at its end. Raises OSError."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    stream = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise OSError(f"`{shown_path(path)}` is no plain file")
    return stream


def read_file(path: Path, limit: int) -> bytes:
    """A plain file of at most `limit` bytes. Raises BuildError and OSError."""
    with open_file(path) as stream:
        data = b""
        while len(data) <= limit and (chunk := stream.read(limit + 1 - len(data))):
            data += chunk
    if len(data) > limit:
        raise BuildError(wording.no_build(shown_path(path), f"it has more than {limit} bytes"))
    return data
