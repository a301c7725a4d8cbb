"""Records of outputs: what a build wrote and said, and what it read for that, as data.

Source: docs/reference/output-cache.md, "Records".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from eryphc.answers import Built, Report
from eryphc.artifacts.file import ArtifactFile, WrittenFile
from eryphc.artifacts.manifest import (
    MANIFEST_SCHEMA,
    Manifest,
    ManifestAdapter,
    ManifestGene,
    manifest_bytes,
)
from eryphc.canonical import Json, NotCanonicalError, canonical, digest_of, read_canonical
from eryphc.diagnostics.model import Level
from eryphc.diagnostics.shown import ShownDiagnostic, ShownLabel, ShownPlace, Snippet
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.lockfile import LOCK_FILE
from eryphc.provenance.facts import BuildFacts, DiskFacts, Resource, SetFacts
from eryphc.reads import DiskNote, Note, Noted
from eryphc.targets import Target

MODE: Final = "0644"
"""The mode of every file of an output that is kept: secret ones have another, and are not."""
_HEX: Final = re.compile(r"[0-9a-f]{64}\Z")


class OutputFile(NamedTuple):
    """A file of an output: its path in the folder, its SHA-256 in hex, its size in bytes."""

    path: str
    sha256: str
    size: int


class OutputRecord(NamedTuple):
    """An output. Paths in `reads` are relative to the root, those outside of it absolute.

    `manifest` is the SHA-256 of `manifest.json`. `facts` are those of the statement, without the
    lock as a file. `declared`, `sources` and `details` are as a `Built` has them.
    """

    catlet: str
    reads: Noted
    manifest: str
    files: tuple[OutputFile, ...]
    diagnostics: tuple[ShownDiagnostic, ...]
    facts: BuildFacts
    declared: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"OutputRecord({self.catlet!r}, {len(self.files)} files)"

    @property
    def shareable(self) -> bool:
        """Whether nothing outside the root was read."""
        return not any(map(_is_absolute, (*self.reads.paths, *self.reads.disks)))


def record_of(
    built: Built, written: Sequence[WrittenFile], root: str
) -> tuple[OutputRecord, bytes] | None:
    """The record of a build that was written, and its `manifest.json`.

    None for one that is not to be kept: it holds or tells a secret, it holds large files that
    write themselves, or what it read is not known.
    """
    if built.manifest is None or built.noted is None or built.facts is None or not built.ok:
        return None
    if any(
        file.secret or file.tells or not isinstance(file.content, bytes)
        for file in built.files.values()
    ):
        return None
    if any(_in_lock(each) for each in built.diagnostics):
        # Another change of the lock would move the places that they show.
        return None
    manifest = manifest_bytes(built.manifest, written)
    record = OutputRecord(
        catlet=built.name,
        reads=_relative(built.noted, root),
        manifest=_hex(manifest),
        files=tuple(OutputFile(file.path, file.sha256, file.size) for file in written),
        diagnostics=built.diagnostics,
        facts=without_lock(built.facts),
        declared=tuple(sorted(built.declared)),
        # Where the tool is installed says nothing to another machine.
        sources=tuple(
            each for each in built.sources if not _is_absolute(each.partition(" from ")[2])
        ),
        details=built.details,
    )
    return record, manifest


def restored(
    record: OutputRecord, target: Target, manifest: bytes, contents: Mapping[str, bytes]
) -> Built | None:
    """The build that a record tells of. `contents` has the bytes of each file by its path.

    None where `manifest.json` does not list exactly these files, or lists a secret one.
    """
    read = _manifest_of(manifest)
    if read is None:
        return None
    described, written = read
    if manifest_bytes(described, written) != manifest or described.target != target.value:
        return None
    listed = tuple(OutputFile(file.path, file.sha256, file.size) for file in written)
    if listed != record.files or any(file.secret for file in written):
        return None
    files = {
        file.path: ArtifactFile(content=contents[file.path], media_type=file.media_type)
        for file in written
    }
    report = Report(
        diagnostics=record.diagnostics,
        failure=None,
        name=record.catlet,
        declared=frozenset(record.declared),
        sources=record.sources,
        genes=(),
        details=record.details,
    )
    return Built(report, target, (files, described), record.facts)


def without_lock(facts: BuildFacts) -> BuildFacts:
    """Other entries of a lock may change, and the output stays."""
    return facts._replace(sources=tuple(each for each in facts.sources if each.name != LOCK_FILE))


def with_lock(facts: BuildFacts, digest: str | None) -> BuildFacts:
    """The facts with the lock as it is now; `digest` is `sha256:<hex>` of its bytes."""
    if digest is None:
        return facts
    lock = Resource(LOCK_FILE, f"file:{LOCK_FILE}", digest)
    return facts._replace(sources=tuple(sorted((*facts.sources, lock))))


def _in_lock(found: ShownDiagnostic) -> bool:
    places = (found.place, *(label.place for label in found.related))
    return any(place and place.file.rpartition("/")[2] == LOCK_FILE for place in places)


def _hex(data: bytes) -> str:
    return digest_of(data).removeprefix("sha256:")


# -- paths --------------------------------------------------------------------------------------


def _is_absolute(path: str) -> bool:
    return os.path.isabs(path)  # noqa: PTH117 - a text, which need not be a path


def _relative(noted: Noted, root: str) -> Noted:
    return noted._replace(
        paths={_from(path, root): note for path, note in noted.paths.items()},
        disks={_from(path, root): note for path, note in noted.disks.items()},
    )


def _from(path: str, root: str) -> str:
    """A path from the root with `/`, or as it is where it lies outside."""
    whole = Path(path)
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path


# -- as bytes -----------------------------------------------------------------------------------


def encoded(record: OutputRecord) -> bytes | None:
    """Canonical JSON; None for one with text that has no such form."""
    data: dict[str, Json] = {
        "catlet": record.catlet,
        "declared": record.declared,
        "details": record.details,
        "diagnostics": [_diagnostic_data(each) for each in record.diagnostics],
        "facts": _facts_data(record.facts),
        "files": [[file.path, file.sha256, file.size, MODE] for file in record.files],
        "manifest": record.manifest,
        "reads": {
            "disks": {
                path: [note.sha256, note.state, note.settled]
                for path, note in record.reads.disks.items()
            },
            "lock": dict(record.reads.lock),
            "paths": dict(record.reads.paths),
            "values": dict(record.reads.values),
        },
        "sources": record.sources,
    }
    try:
        return canonical(data)
    except ValueError:
        return None


def decoded(body: bytes) -> OutputRecord | None:
    """The record of a body whose seal was right; None for one of another form."""
    try:
        data = read_canonical(body)
        reads = data["reads"]
        record = OutputRecord(
            catlet=_text(data["catlet"]),
            reads=Noted(
                paths=_notes(reads["paths"]),
                lock=_notes(reads["lock"]),
                values=_notes(reads["values"]),
                disks={path: _disk(note) for path, note in reads["disks"].items()},
            ),
            manifest=_digits(data["manifest"]),
            files=tuple(map(_file, data["files"])),
            diagnostics=tuple(map(_diagnostic, data["diagnostics"])),
            facts=_facts(data["facts"]),
            declared=_texts(data["declared"]),
            sources=_texts(data["sources"]),
            details=_texts(data["details"]),
        )
    except (NotCanonicalError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None
    return record


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value))


def _optional(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _digits(value: Any) -> str:
    if _HEX.match(_text(value)) is None:
        raise ValueError
    return str(value)


def _notes(value: Any) -> dict[str, Note]:
    return {_text(name): _optional(note) for name, note in value.items()}


def _disk(value: Any) -> DiskNote:
    sha256, (size, changed, inode), settled = value
    state = (_number(size), _number(changed), _number(inode))
    return DiskNote(_optional(sha256), state, settled is True)


def _file(value: Any) -> OutputFile:
    path, sha256, size, mode = value
    if mode != MODE:
        raise ValueError
    return OutputFile(_text(path), _digits(sha256), _number(size))


# -- diagnostics --------------------------------------------------------------------------------


def _diagnostic_data(found: ShownDiagnostic) -> Json:
    return [
        found.code,
        found.name,
        found.level.value,
        found.message,
        found.place,
        found.label,
        [[label.message, label.place] for label in found.related],
        found.notes,
        found.help,
        found.snippet,
    ]


def _diagnostic(value: Any) -> ShownDiagnostic:
    code, name, level, message, place, label, related, notes, help_text, snippet = value
    return ShownDiagnostic(
        code=_text(code),
        name=_text(name),
        level=Level(level),
        message=_text(message),
        place=None if place is None else _place(place),
        label=_optional(label),
        related=tuple(ShownLabel(_text(said), _place(at)) for said, at in related),
        notes=_texts(notes),
        help=_optional(help_text),
        snippet=None if snippet is None else _snippet(snippet),
    )


def _place(value: Any) -> ShownPlace:
    file, *numbers = value
    line, column, end_line, end_column = map(_number, numbers)
    return ShownPlace(_text(file), line, column, end_line, end_column)


def _snippet(value: Any) -> Snippet:
    text, start, end = value
    return Snippet(_text(text), _number(start), _number(end))


# -- facts --------------------------------------------------------------------------------------


def _facts_data(facts: BuildFacts) -> Json:
    return {
        **facts._asdict(),
        "options": dict(facts.options),
        "variables": dict(facts.variables),
        "sources": [
            [each.name, each.uri, each.digest, dict(each.annotations)] for each in facts.sources
        ],
        "sets": [each._asdict() for each in facts.sets],
        "disks": [each._asdict() for each in facts.disks],
    }


def _facts(value: Any) -> BuildFacts:
    return BuildFacts(
        spec=_text(value["spec"]),
        options=FrozenMap(value["options"]),
        variables=FrozenMap({_text(k): _text(v) for k, v in value["variables"].items()}),
        secrets=_texts(value["secrets"]),
        epoch=_number(value["epoch"]),
        sources=tuple(
            Resource(_text(name), _text(uri), _optional(digest), FrozenMap(annotations))
            for name, uri, digest, annotations in value["sources"]
        ),
        sets=tuple(
            SetFacts(
                id=_text(each["id"]),
                requires=_texts(each["requires"]),
                uri=_optional(each["uri"]),
                digest=_optional(each["digest"]),
                manifest=_optional(each["manifest"]),
                licenses=_optional(each["licenses"]),
            )
            for each in value["sets"]
        ),
        requires=_texts(value["requires"]),
        disks=tuple(
            DiskFacts(_text(each["name"]), _optional(each["digest"]), _optional(each["os_name"]))
            for each in value["disks"]
        ),
        packages=_texts(value["packages"]),
    )


# -- the manifest -------------------------------------------------------------------------------


def _manifest_of(data: bytes) -> tuple[Manifest, tuple[WrittenFile, ...]] | None:
    """A manifest that this version of the tool wrote."""
    import json

    try:
        found = json.loads(data)
        if found["schema"] != MANIFEST_SCHEMA:
            return None
        manifest = Manifest(
            catlet=_text(found["catlet"]),
            catlet_id=_text(found["catlet_id"]),
            target=_text(found["target"]),
            arch=_text(found["arch"]),
            guest=_text(found["guest"]),
            guest_agent=_text(found["guest_agent"]),
            guest_agent_from=_text(found["guest_agent_from"]),
            tool=_text(found["tool"]),
            network_adapters=tuple(
                ManifestAdapter(_text(each["name"]), _text(each["mac_address"]))
                for each in found["network_adapters"]
            ),
            genes=tuple(
                ManifestGene(
                    id=_text(each["id"]),
                    type=_text(each["type"]),
                    arch=_text(each["arch"]),
                    sha256=_optional(each["sha256"]),
                    form=_optional(each.get("form")),
                )
                for each in found["genes"]
            ),
        )
        written = tuple(
            WrittenFile(
                path=_text(each["path"]),
                sha256=_text(each["sha256"]),
                size=_number(each["size"]),
                media_type=_text(each["media_type"]),
                secret=each["secret"] is not False,
            )
            for each in found["artifacts"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return manifest, written
