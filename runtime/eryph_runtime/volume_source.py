"""The sources of volumes: files that the operator names or a pool holds, with their hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eryph_runtime.deployment import Deployment, HostSource, PoolSource
from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Events
from eryph_runtime.hostpaths import is_absolute, path_fault
from eryph_runtime.request import Request
from eryph_runtime.state import State
from eryph_runtime.vhdx import virtual_size

HOST_PREFIX = "host:"
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """The VHDX file that a volume comes from: on the client, or on the host.

    `sha256` is None until the host has told it. `virtual_size` is that of the disk in a file on
    the client, in bytes, None where its tables do not tell.
    """

    path: str
    on_host: bool
    sha256: str | None
    size: int | None
    virtual_size: int | None = None


def find_volume_sources(
    deployment: Deployment,
    request: Request,
    state: State,
    needed: dict[str, str],
    events: Events | None,
) -> dict[str, SourceFile]:
    """The sources of the needed volumes (volume to drive), each hashed.

    Raises RefusalError for a file that is absent, no VHDX, or not the volume asked for.
    """
    sources = {}
    for name, drive in needed.items():
        volume = deployment.volume(name)
        location = request.volumes.get(drive, request.volumes.get(name))
        if location is not None:
            source = _source_at(location, state, drive, events)
        elif found := _in_pools(request, volume.sources):
            source = _client_file(found, drive, events)
        elif paths := [each.path for each in volume.sources if isinstance(each, HostSource)]:
            source = _source_at(HOST_PREFIX + paths[0], state, drive, events)
        else:
            continue
        if None not in (source.sha256, volume.sha256) and source.sha256 != volume.sha256:
            raise RefusalError(
                f"`{source.path}` is not the volume of drive `{drive}`: its SHA-256 is "
                f"{source.sha256}, wanted is {volume.sha256}"
            )
        sources[name] = source
    return sources


def _source_at(location: str, state: State, drive: str, events: Events | None) -> SourceFile:
    """`host:PATH`, or a Windows path that is no file here, is a file on the host."""
    on_host = location.startswith(HOST_PREFIX) or (
        is_absolute(location) and not Path(location).is_file()
    )
    if not on_host:
        return _client_file(Path(location), drive, events)
    path = location.removeprefix(HOST_PREFIX).replace("/", "\\")
    if fault := path_fault(path):
        raise RefusalError(f"--volume {drive}: {path!r}: {fault}")
    file = state.file(path)
    if file is None:
        return SourceFile(path=path, on_host=True, sha256=None, size=None)
    return SourceFile(path=path, on_host=True, sha256=file.sha256, size=file.size)


def _client_file(path: Path, drive: str, events: Events | None) -> SourceFile:
    try:
        sha256, size = _hash(path, events)
        with path.open("rb") as file:
            disk = virtual_size(file)
    except OSError as error:
        raise RefusalError(
            f"the volume of drive `{drive}` cannot be read: {path}: {error.strerror}"
        ) from None
    return SourceFile(path=str(path), on_host=False, sha256=sha256, size=size, virtual_size=disk)


_HASHES: dict[tuple[str, int, int], str] = {}


def _hash(path: Path, events: Events | None) -> tuple[str, int]:
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    if key not in _HASHES:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            done = 0
            while chunk := stream.read(_CHUNK):
                if done == 0 and not chunk.startswith(b"vhdxfile"):
                    raise RefusalError(
                        f"{path} is no VHDX file; `eryphc volume convert` makes one of it"
                    )
                digest.update(chunk)
                done += len(chunk)
                if events is not None:
                    percent = done * 100 // max(status.st_size, 1)
                    events({"action": "hash", "percent": percent, "message": f"hashing {path}"})
        _HASHES[key] = digest.hexdigest()
    return _HASHES[key], status.st_size


def _in_pools(request: Request, sources: tuple[object, ...]) -> Path | None:
    for source in sources:
        if not isinstance(source, PoolSource):
            continue
        relative = PurePosixPath(source.path)
        if relative.is_absolute() or ".." in relative.parts or "\\" in source.path:
            raise RefusalError(f"the pool path {source.path!r} leaves its pool")
        for pool in request.pools:
            file = pool.joinpath(*relative.parts)
            if file.is_file():
                return file
    return None
