"""Tags as versions: what their numbers say, and which tags are to stay as they are.

Numbers with dots between them are one run: `1.0`, `1.0.2`. Two tags are comparable if they agree
outside their runs (`std-1.0` and `std-1.1`). A number of eight digits is a date and no major.
Source: docs/reference/genes-and-pools.md, "Tags as versions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_RUN = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_FIXED = re.compile(r"[0-9]\.[0-9]|[0-9]{8}")
_DATE_DIGITS = 8


def is_fixed(tag: str, *, moving: Sequence[str] = (), fixed: Sequence[str] = ()) -> bool:
    """Whether a tag is to keep its content for ever: it names a version or a date.

    `moving` and `fixed` are globs of a pool that decide otherwise; `fixed` wins.
    """
    if any(fnmatchcase(tag, glob) for glob in fixed):
        return True
    if any(fnmatchcase(tag, glob) for glob in moving):
        return False
    return _FIXED.search(tag) is not None


def comparable(one: str, other: str) -> bool:
    """Whether the numbers of two tags can be compared: there are some, and the rest is the same."""
    shape = _shape(one)
    return len(shape) > 1 and shape == _shape(other)


def newer(one: str, other: str) -> bool:
    """Whether `one` comes after `other` by its numbers. False where they are not comparable."""
    return comparable(one, other) and _numbers(one) > _numbers(other)


def older(one: str, other: str) -> bool:
    """Whether `one` comes before `other` by its numbers. False where they are not comparable."""
    return newer(other, one)


def major(tag: str) -> int | None:
    """The first number of a tag. None: it has none, or that is a date."""
    runs = _RUN.findall(tag)
    first = runs[0].split(".")[0] if runs else ""
    return int(first) if first and len(first) != _DATE_DIGITS else None


def newest_like(tag: str, others: Iterable[str]) -> str | None:
    """The newest of the other tags that is comparable with `tag` and has the same first number."""
    same = [
        other
        for other in others
        if other != tag and comparable(other, tag) and major(other) == major(tag)
    ]
    return max(same, key=_numbers, default=None)


def _shape(tag: str) -> list[str]:
    """What stands before, between and behind the runs."""
    return _RUN.split(tag)


def _numbers(tag: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, run.split("."))) for run in _RUN.findall(tag))
