"""The `{{ }}` of a text. Source: docs/reference/language.md, "Placeholders"."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from eryphc.frozen import NamedTuple
from eryphc.syntax.names import WHITE_SPACE, is_variable_name

# `\s` of Python also takes U+001C to U+001F; the language does not.
_BLANKS = re.compile(f"[{re.escape(WHITE_SPACE)}]*")
_RUN = re.compile(f"[^{re.escape(WHITE_SPACE)}]*")
_REMEMBERED_LENGTH = 16 * 1024
_QUOTED = ("'{{'", '"{{"')


class ReferenceKind(Enum):
    VARIABLE = "variable"
    ESCAPE = "escape"
    INVALID = "invalid"


class Reference(NamedTuple):
    """One placeholder: `start` to `end` with its braces; `name` is the run between them."""

    start: int
    end: int
    name: str
    kind: ReferenceKind


def scan(text: str) -> tuple[Reference, ...]:
    """All placeholders of `text` in order; they do not overlap.

    The texts of genes come again with each catlet that uses them, so they are remembered.
    """
    if "{{" not in text:
        return ()
    return _scan(text) if len(text) > _REMEMBERED_LENGTH else _remembered(text)


@lru_cache(maxsize=256)
def _remembered(text: str) -> tuple[Reference, ...]:
    return _scan(text)


def _scan(text: str) -> tuple[Reference, ...]:
    """A placeholder is two braces, blanks, the shortest run without blanks, blanks, two braces. One
    pattern could say that, but would look at the same characters again and again for texts such
    as `{{{{{{ a`; here the ends of a run and its blanks are found once.
    """
    found: list[Reference] = []
    run_start = run_end = blanks_end = close = -1
    start = text.find("{{")
    while start != -1:
        blanks = _BLANKS.match(text, start + 2)
        inner = blanks.end() if blanks else start + 2
        if not run_start <= inner < run_end:
            run = _RUN.match(text, inner)
            run_start, run_end = inner, run.end() if run else inner
            after = _BLANKS.match(text, run_end)
            blanks_end = after.end() if after else run_end
        if close < inner:
            close = text.find("}}", inner)
            if close == -1:
                break
        if close < run_end:
            name, end = text[inner:close], close + 2
        elif text.startswith("}}", blanks_end):
            name, end = text[inner:run_end], blanks_end + 2
        else:
            start = text.find("{{", start + 1)
            continue
        found.append(Reference(start, end, name, _kind(name)))
        start = text.find("{{", end)
    return tuple(found)


def _kind(run: str) -> ReferenceKind:
    if is_variable_name(run):
        return ReferenceKind.VARIABLE
    return ReferenceKind.ESCAPE if run in _QUOTED else ReferenceKind.INVALID
