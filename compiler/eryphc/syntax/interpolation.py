"""The `{{ }}` of a text. Source: catlet-language.md 11.4; cli.md for the quoted braces."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from eryphc.syntax.names import WHITE_SPACE, is_variable_name

# `\s` of Python also takes U+001C to U+001F; the language does not.
_BLANK = f"[{re.escape(WHITE_SPACE)}]"
_NO_BLANK = f"[^{re.escape(WHITE_SPACE)}]"
_PLACEHOLDER = re.compile(rf"\{{\{{{_BLANK}*({_NO_BLANK}*?){_BLANK}*\}}\}}")
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


def scan(text: str) -> list[Reference]:
    """All placeholders of `text` in order; they do not overlap."""
    if "{{" not in text:
        return []
    return [
        Reference(match.start(), match.end(), match[1], _kind(match[1]))
        for match in _PLACEHOLDER.finditer(text)
    ]


def _kind(run: str) -> ReferenceKind:
    if is_variable_name(run):
        return ReferenceKind.VARIABLE
    return ReferenceKind.ESCAPE if run in _QUOTED else ReferenceKind.INVALID
