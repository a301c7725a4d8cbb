"""Members of JSON documents of others: each is of the form that it should have, or named.

A `member` is called by its path: `files[3].digest`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from eryphc.canonical import read_json
from eryphc.frozen import FrozenMap
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_LONGEST_ID: Final = 102


class MalformedError(Exception):
    """A member is not of the form that it should have; `problem` continues its path."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member} {problem}")
        self.member = member
        self.problem = problem


def json_object(data: bytes, most: int, member: str) -> dict[str, Any]:
    """A document of at most `most` bytes."""
    if len(data) > most:
        raise MalformedError(member, f"is larger than {most} bytes")
    try:
        found = read_json(data)
    except ValueError:
        raise MalformedError(member, "is no JSON that can be read") from None
    return as_object(found, member)


def as_object(value: object, member: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(member, "is no object")
    return value


def list_in(data: Mapping[str, Any], key: str, member: str = "") -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise MalformedError(_joined(member, key), "is no list")
    return value


def text_in(data: Mapping[str, Any], key: str, member: str = "") -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise MalformedError(_joined(member, key), "is no text")
    return value


def line_in(data: Mapping[str, Any], key: str, most: int) -> str | None:
    """A line of text for people, None where there is none."""
    if key not in data:
        return None
    text = text_in(data, key)
    if not 0 < len(text) <= most or CONTROL.search(text):
        raise MalformedError(key, f"is no line of 1 to {most} characters")
    return text


def as_texts(value: object, member: str) -> FrozenMap[str]:
    found = as_object(value, member)
    if not all(isinstance(text, str) for text in found.values()):
        raise MalformedError(member, "holds what is no text")
    return FrozenMap(found)


def size_in(data: Mapping[str, Any], key: str, member: str, most: int | None) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedError(_joined(member, key), "is no size")
    if most is not None and value > most:
        raise MalformedError(_joined(member, key), f"is larger than {most}")
    return value


def digest_in(data: Mapping[str, Any], member: str) -> str:
    text = text_in(data, "digest", member)
    return as_digest(text, f"{member}.digest")


def as_digest(value: object, member: str) -> str:
    if not isinstance(value, str) or not _DIGEST.match(value):
        raise MalformedError(member, "is no sha256 digest")
    return value


def set_id(text: str, member: str) -> GeneSetId:
    """A gene set in full: organization, set and tag, in lower case."""
    found = parse_gene_set(text) if len(text) <= _LONGEST_ID else None
    if not isinstance(found, GeneSetId) or str(found) != text:
        raise MalformedError(member, "is no gene set with a tag in lower case")
    return found


def _joined(member: str, key: str) -> str:
    return f"{member}.{key}" if member else key
