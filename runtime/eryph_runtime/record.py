"""Marker and record of a machine: that it is ours, its owner, and what was made for it.

Source: docs/reference/deployment.md, "The marker", "The record".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from eryph_runtime.decode import MalformedError, decode, parse, plain

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
    schema: str = SCHEMA
    catlet: str
    by: str
    created: tuple[Created, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    seed: PlacedSeed | None = None
    sealed: PlacedSeed | None = None

    def made(self, path: str) -> bool:
        """Whether we made, or were about to make, what lies at `path`."""
        return any(each.path.casefold() == path.casefold() for each in self.created)

    def with_created(self, *things: Created) -> Record:
        fresh = tuple(each for each in things if not self.made(each.path))
        return replace(self, created=self.created + fresh)

    def text(self) -> str:
        return json.dumps(plain(self), sort_keys=True) + "\n"


def read_record(text: str | None, catlet: str) -> Record | None:
    """The record in `text`; None where there is none, or none of this catlet.

    A broken one counts as none: the marker alone still says that the machine is ours.
    """
    if text is None:
        return None
    try:
        record = decode(Record, parse(text))
    except MalformedError:
        return None
    return record if record.schema == SCHEMA and record.catlet == catlet else None
