"""From what a build is asked for to the key of its output.

Source: docs/reference/output-cache.md, "What is asked for".
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eryphc.artifacts.epoch import EPOCH_VARIABLE
from eryphc.canonical import Json, canonical, digest_of
from eryphc.frozen import NamedTuple
from eryphc.lockfile import LOCK_FILE
from eryphc.project.places import CATLET_FILE, PROJECT_FILE, find_project_file
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from eryphc.targets import Target
from eryphc.targets.definition import definition_of

if TYPE_CHECKING:
    from eryphc.lockfile.model import Lock

_DOMAIN: Final = b"eryphc-request/1\0"
_LIBRARIES: Final = ("jinja2", "jsonschema", "lark", "pyyaml")
_INSTALLED: Final = re.compile(r"([A-Za-z0-9_.-]+?)-([^-]+)(?:-py[0-9.]+)?\.(?:dist|egg)-info\Z")
# The manifest of a tag that may lie beside a specification. The module that reads it imports YAML,
# which takes longer than to find an output.
_TAG: Final = "geneset-tag.json"
_LARGEST: Final = 16 * 1024 * 1024


class Tool(NamedTuple):
    """What compiles: the digest of the tool's own files, and the libraries that it uses."""

    code: str
    python: str
    libraries: Mapping[str, str]


class Surroundings(NamedTuple):
    """What shapes builds beside the request: the tool, pools that were named for all
    specifications, the environment, and whether only the lock counts."""

    tool: Tool
    genepools: Sequence[str]
    environment: Mapping[str, str]
    locked: bool


class Asked(NamedTuple):
    """A specification that shall be built, and all that is known before anything is compiled.

    `root` is the folder of its project, else its own: notes are relative to it. `data` is the part
    of the request that all targets share. `shareable`: it is the same on another machine.
    """

    root: str
    data: Mapping[str, Json]
    lock: Lock | None
    shareable: bool


def asked_of(name: str, request: BuildRequest, around: Surroundings) -> Asked | None:
    """What is asked for; None for what is in no file, and where a file cannot be read."""
    path = spec_path(name)
    if path is None:
        return None
    folder = path.parent.resolve()
    project = find_project_file(folder)
    root = folder if project is None else project.parent
    place = Path(os.path.relpath(folder / path.name, root)).as_posix()
    here = Path(os.path.relpath(Path.cwd(), root))
    outside = os.pardir in here.parts or here.is_absolute()
    try:
        lock_path = root / LOCK_FILE if project is not None else path.parent / LOCK_FILE
        lock = _lock(lock_path) if os.path.lexists(lock_path) else None
        data: dict[str, Json] = {
            "code": around.tool.code,
            "python": around.tool.python,
            "libraries": dict(around.tool.libraries),
            "spec": [name, place, _digest(path), _digest_if_there(path.parent / _TAG)],
            "from": str(Path.cwd()) if outside else here.as_posix(),
            "project": None if project is None else [PROJECT_FILE, _digest(project)],
            "lock": None if lock is None else _pins(lock, place),
            "locked": around.locked,
            "pools": list(around.genepools),
            "epoch": around.environment.get(EPOCH_VARIABLE) or None,
            "request": _request(request),
        }
    except (OSError, _UnreadableError):
        return None
    return Asked(str(root), data, lock, shareable=not outside and not Path(name).is_absolute())


def key_of(asked: Asked, target: Target, request: BuildRequest) -> str:
    """The key of the output of one target, as 64 hex digits."""
    options = request.options_of(definition_of(target).options)
    data: dict[str, Json] = {**asked.data, "target": [target.value, plain(options)]}
    return digest_of(_DOMAIN + canonical(_escaped(data))).removeprefix("sha256:")


class _UnreadableError(Exception):
    """What a build will complain about."""


def spec_path(name: str) -> Path | None:
    """The file of a specification as `read_spec` finds it."""
    if name in ("", "-"):
        return None
    try:
        path = Path(name)
        path = path / CATLET_FILE if path.is_dir() else path
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _UnreadableError
    return digest_of(data)


def _digest_if_there(path: Path) -> str | None:
    return _digest(path) if path.is_file() else None


# -- the request --------------------------------------------------------------------------------


def _request(request: BuildRequest) -> dict[str, Json]:
    """All of a request but the options of targets.

    Values that several specifications share are left out: those of another one may be secret. The
    record has those of the variables that this one declares.
    """
    left_out = {"targets", "values"} if request.other_values else {"targets"}
    return {
        field.name: plain(getattr(request, field.name))
        for field in fields(request)
        if field.name not in left_out
    }


def plain(value: object) -> Json:
    """An option as data. Raises TypeError for a kind of value that is none of an option."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, SourceText):
        return [value.name, digest_of(value.text.encode("utf-8", "surrogatepass"))]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        named = getattr(value, "_fields", None)
        entries = [plain(each) for each in value]
        return entries if named is None else dict(zip(named, entries, strict=True))
    if isinstance(value, frozenset):
        return sorted(str(plain(each)) for each in value)
    raise TypeError(f"no option has a value of the kind {type(value).__name__}")


def _escaped(data: Json) -> Json:
    """The data with escapes for what is no Unicode text, such as bytes in names of files."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, Mapping):
        return {str(_escaped(key)): _escaped(value) for key, value in data.items()}
    if isinstance(data, Sequence):
        return [_escaped(each) for each in data]
    return data


# -- the lock -----------------------------------------------------------------------------------


def _lock(path: Path) -> Lock:
    from eryphc.lockfile.reading import MOST_BYTES, read_lock

    if not path.is_file():
        raise _UnreadableError
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _UnreadableError from None
    source = SourceText(LOCK_FILE, text, sha256=hashlib.sha256(data).hexdigest())
    read = read_lock(source) if len(data) <= MOST_BYTES else None
    if read is None or read.value is None:
        raise _UnreadableError
    return read.value


def _pins(lock: Lock, place: str) -> dict[str, Json]:
    """What the lock pins for a specification, so that outputs of two locks lie side by side.

    Which entries a build looked up stands in its notes.
    """
    from eryphc.lockfile.model import entry_digest, walk

    reached = walk(lock.sets, {place: lock.specs.get(place, ())}).reached
    return {name: entry_digest(lock.sets[name]) for name in sorted(reached)}


# -- the tool -----------------------------------------------------------------------------------


def tool_here(code: str) -> Tool:
    """The tool with this digest of its own files, in this process."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Tool(code, version, _libraries())


def _libraries() -> dict[str, str]:
    """The versions of the libraries by the names of the folders that installers leave.

    The library that knows how to look for them takes longer to import than a small build to run.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = sorted(os.listdir(folder or os.curdir))  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            match = _INSTALLED.match(name)
            library = match[1].lower() if match else ""
            if match and library in _LIBRARIES and library not in found:
                found[library] = match[2]
                if library == "pyyaml":
                    found["libyaml"] = _libyaml(Path(folder, name, "RECORD"))
    return dict(sorted(found.items()))


def _libyaml(record: Path) -> str:
    """libyaml, which a wheel holds inside one of its files; else the version that is loaded."""
    try:
        lines = record.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    own = sorted(line for line in lines if line.startswith("yaml/_yaml.") and ",sha256=" in line)
    if own:
        return digest_of("\n".join(own).encode())
    try:
        from yaml import _yaml
    except ImportError:
        return "none"
    return str(_yaml.get_version_string())
