"""A case of the language, read from its file. README.md beside this file describes the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.command_line import Done
from conformance.compare import additions, differences

# An internal fault, which no case expects.
_INTERNAL = "E0917"


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Options of `eryphc expand`."""

    stage: str = "substitute"
    show_secrets: bool = True
    arch: str | None = None
    catlet_id: str | None = None
    vm_id: str | None = None
    vars: dict[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        words = ["--stage", self.stage, "--format", "json"]
        words += ["--show-secrets"] if self.show_secrets else []
        for option, value in (
            ("--arch", self.arch),
            ("--catlet-id", self.catlet_id),
            ("--vm-id", self.vm_id),
            *(("--var", f"{name}={value}") for name, value in self.vars.items()),
        ):
            words += [option, value] if value is not None else []
        return words


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The spec compiles, and this is what `expand` prints."""

    result: dict[str, Any]
    exact: bool = False
    stdout_lacks: tuple[str, ...] = ()

    def faults(self, done: Done) -> Iterator[str]:
        if done.code != 0:
            yield f"exit code {done.code}: {done.err}"
            return
        printed = json.loads(done.out)
        yield from differences(self.result, printed)
        if self.exact:
            yield from additions(self.result, printed)
        for text in self.stdout_lacks:
            if text in done.out:
                yield f"the output holds {text!r}"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The spec is refused, with these words and at this place."""

    mentions: tuple[str, ...] = ()
    file: str | None = None
    line: int | None = None

    def faults(self, done: Done) -> Iterator[str]:
        if done.code != 1 or not done.err.strip():
            yield f"exit code {done.code} with the diagnostics {done.err!r}"
        for text in self.mentions:
            if text.casefold() not in done.err.casefold():
                yield f"{text!r} is not mentioned: {done.err}"
        if self.file is None and self.line is None:
            return
        name = self.file if self.file not in (None, "spec") else "spec.yaml"
        wanted = name if self.line is None else f"{name}:{self.line}"
        if not re.search(rf"(?<![\w.-]){re.escape(wanted)}(?![\w-])", done.err):
            yield f"no diagnostic points to {wanted}: {done.err}"


@dataclass(frozen=True, kw_only=True)
class Case:
    title: str
    origin: str
    spec: str
    expect: Accepted | Refused
    note: str = ""
    certainty: str | None = None
    # None: the published pool.
    genepool: dict[str, dict[str, Any]] | None
    args: Arguments

    def faults(self, done: Done, folder: Path) -> list[str]:
        """What is not as expected; the path of the folder counts for no word of a message."""
        err = done.err.replace(f"{folder}/", "").replace(str(folder), "")
        internal = [err] if _INTERNAL in err else []
        return internal + list(self.expect.faults(Done(done.code, done.out, err)))


def write_genepool(root: Path, genepool: dict[str, dict[str, Any]]) -> None:
    for tag, entry in genepool.items():
        manifest = {"geneset": tag} | ({"ref": entry["ref"]} if "ref" in entry else {})
        texts = {"geneset-tag.json": json.dumps(manifest)}
        if "catlet" in entry:
            texts["catlet.yaml"] = entry["catlet"]
        texts |= {f"fodder/{gene}.yaml": text for gene, text in entry.get("fodder", {}).items()}
        texts |= {f"volumes/{gene}.vhdx": "" for gene in entry.get("volumes", ())}
        for name, text in texts.items():
            path = root / tag / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())


class _NoKeyTwice(yaml.SafeLoader):
    """Two keys of one name would hide an expectation."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        read = super().construct_mapping(node, deep=deep)
        if len(read) != len(node.value):
            raise ValueError(f"a key stands twice{node.start_mark}")
        return read


def read_case(path: Path) -> Case:
    """The case of a file; a field that does not exist is refused."""
    data = yaml.load(path.read_text("utf-8"), _NoKeyTwice)  # noqa: S506
    expect: dict[str, Any] = data.pop("expect")
    expected: Accepted | Refused
    if "error" in expect:
        (error,) = expect.values()
        expected = Refused(**{**error, "mentions": tuple(error.get("mentions", ()))})
    else:
        expected = Accepted(**{**expect, "stdout_lacks": tuple(expect.get("stdout_lacks", ()))})
    args = Arguments(**data.pop("args", {}))
    published = data.pop("genepool_ref", None) == "published"
    data.setdefault("genepool", None if published else {})
    return Case(**data, expect=expected, args=args)
