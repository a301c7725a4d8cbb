"""Marker and record of a machine: that it is ours, its owner, and what was made for it.

Source: docs/reference/deployment.md, "The marker", "The record".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from eryph_runtime.decode import MalformedError, decode, parse, plain
from eryph_runtime.hostpaths import folded

SCHEMA = "eryphc/record/v1"


def marker(catlet: str) -> str:
    """How the note line of every machine of this catlet begins."""
    return f"eryphc:v1 catlet={catlet} "


def unfinished_name(catlet: str) -> str:
    return f"eryphc-{catlet}"


def note_lines(notes: str) -> list[str]:
    """The lines as the host's program sees them: only a line feed ends one."""
    return notes.split("\n") if notes else []


def owner_in(notes: str, catlet: str) -> str | None:
    """The owner that the notes name for this catlet; None where they hold no marker of it."""
    for line in note_lines(notes):
        if line.startswith(marker(catlet)):
            for word in line[len(marker(catlet)) :].split():
                if word.startswith("by="):
                    return unquote(word[3:])
            return ""
    return None


def mark(notes: str, catlet: str, owner: str) -> str:
    """The notes with our line in them; every other line stays as it is."""
    line = f"{marker(catlet)}by={quote(owner, safe='')}"
    lines = note_lines(notes)
    for index, each in enumerate(lines):
        if each.startswith(marker(catlet)):
            lines[index] = line
            return "\n".join(lines)
    return "\n".join((line, *lines))


def same_owner(first: str, second: str) -> bool:
    """Same account, and same user beyond it where both name one."""
    account, _, user = first.partition("/")
    other_account, _, other_user = second.partition("/")
    same_user = not user or not other_user or user == other_user
    return account.casefold() == other_account.casefold() and same_user


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    kind: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSeed:
    """SHA-256 of an ISO as built, and of the file on the host that was made of it."""

    built: str
    placed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is ours, written before it is made and until it is gone.

    `created` is all that we made or are about to make. `deleting` are the files that a removal is
    about to delete: where it was cut off, the next run deletes them first. `restart`: we stopped
    the machine for a change, and it shall run again.
    """

    schema: str = SCHEMA
    catlet: str
    by: str
    created: tuple[Created, ...] = ()
    deleting: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    seed: PlacedSeed | None = None
    sealed: PlacedSeed | None = None
    restart: bool = False

    def made(self, path: str) -> bool:
        """Whether we made, or were about to make, what lies at `path`."""
        return any(folded(each.path) == folded(path) for each in self.created)

    def with_created(self, things: Iterable[Created]) -> Record:
        """With these too, each path once, in the order of their characters."""
        every = {folded(each.path): each for each in (*things, *self.created)}
        # UTF-16, as PowerShell compares, lest the two programs differ beyond the basic plane.
        ordered = sorted(every.values(), key=lambda each: each.path.encode("utf-16-be"))
        return replace(self, created=tuple(ordered))

    def text(self) -> str:
        """The one spelling of both programs."""
        return json.dumps(plain(self), sort_keys=True) + "\n"


def read_record(text: str | None, catlet: str) -> Record | None:
    """The record in `text`; None where there is none, or none of this catlet.

    A broken one counts as none: what is ours is then read from the machine.
    """
    if text is None:
        return None
    try:
        data = parse(text)
        if isinstance(data, dict):
            # Records of earlier versions lack these.
            data = {"deleting": [], "restart": False} | data
        record = decode(Record, data)
    except MalformedError:
        return None
    return record if record.schema == SCHEMA and record.catlet == catlet else None
