"""The specs a command names: files, folders that are gene sets, and standard input."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.diagnostics import command
from eryphc.diagnostics.levels import NO_CHOICES, Choices, LevelPolicy
from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.words import os_reason
from eryphc.errors import Failure
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.folder import MANIFEST
from eryphc.passes.read import Notation, notation_of
from eryphc.project.places import CATLET_FILE
from eryphc.project.texts import InputMissingError, decoded, read_text
from eryphc.source import SourceText
from eryphc.syntax.nodes import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from eryphc.project.file import Project

STDIN_NAME = "<stdin>"


class Spec(NamedTuple):
    """One spec as read. `folder` is where its `genes/` and its project file are looked for.

    `metadata` is that of the manifest beside it, for the catlet of a gene set.
    """

    source: SourceText
    folder: Path
    notation: Notation
    metadata: Mapping[str, str] = FrozenMap()

    @property
    def os_type(self) -> str | None:
        return self.metadata.get("_os_type")


def lasting_name(spec: Spec, project: Project | None) -> str:
    """What artifacts call a spec: its path from the folder of its project, or from its own.

    That is the same on every machine, unlike the path from the working folder.
    """
    name = spec.source.name.rpartition("/")[2]
    if project is None or name == STDIN_NAME:
        return name
    folder = os.path.relpath(spec.folder.resolve(), project.folder)
    return Path(folder, name).as_posix()


def read_spec(name: str) -> Outcome[Spec]:
    """The spec that `name` means: a file, a folder, or `-`. Raises InputMissingError."""
    if name == "-":
        data = _stdin(MAX_DOCUMENT_BYTES + 1)
        text = decoded(STDIN_NAME, data, MAX_DOCUMENT_BYTES)
        if text.value is None:
            return Outcome(None, text.diagnostics)
        return Outcome(Spec(text.value, Path.cwd(), Notation.YAML))
    if not name:
        raise InputMissingError(command.spec_not_found(name, "it is empty", ()), Failure.INPUT)
    path = Path(name)
    try:
        if path.is_dir():
            path /= CATLET_FILE
            if not path.is_file():
                raise InputMissingError(
                    command.spec_not_found(name, f"the folder holds no `{CATLET_FILE}`", ()),
                    Failure.INPUT,
                )
    except ValueError:
        raise InputMissingError(
            command.spec_not_found(name, "not a path", ()), Failure.INPUT
        ) from None
    except PermissionError as error:
        raise InputMissingError(
            command.file_unreadable(name, os_reason(error, "it cannot be opened")), Failure.OUTSIDE
        ) from None
    except OSError as error:
        raise InputMissingError(
            command.spec_not_found(name, os_reason(error, "it cannot be opened"), ()), Failure.INPUT
        ) from None
    text = read_text(path)
    if text.value is None:
        return Outcome(None, text.diagnostics)
    folder = path.parent
    return Outcome(Spec(text.value, folder, notation_of(path.name), _metadata(folder / MANIFEST)))


def _stdin(count: int) -> bytes:
    if sys.stdin is None:
        reason = "standard input is closed"
        raise InputMissingError(command.spec_not_found("-", reason, ()), Failure.INPUT)
    # A program may have put another stream there, which has text alone.
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    try:
        data: bytes | str = stream.read(count)
    except OSError as error:
        fault = command.file_unreadable(STDIN_NAME, os_reason(error, "it cannot be opened"))
        raise InputMissingError(fault, Failure.OUTSIDE) from None
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _metadata(manifest: Path) -> Mapping[str, str]:
    """The metadata of a gene set tag, none where they cannot be read."""
    try:
        found = manifest.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_DOCUMENT_BYTES:
            return FrozenMap()
        entries = json.loads(manifest.read_bytes())["metadata"].items()
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return FrozenMap()
    return FrozenMap({key: text for key, text in entries if isinstance(text, str)})


def levels_for(
    asked: Choices, project: Project | None, folder: Path, author: str | None = None
) -> LevelPolicy:
    """What findings count as for a spec that lies in `folder` and is called `author`.

    The project's own documents are the spec and those below the folder of the project file or,
    without one, below the folder of the spec.
    """
    root = folder if project is None else project.folder

    def own(name: str) -> bool:
        return name == author or Path(name).resolve().is_relative_to(root.resolve())

    said = NO_CHOICES
    if project is not None:
        from eryphc.project.file import levels_of

        said = levels_of(project)
    return LevelPolicy(asked, said, own)
