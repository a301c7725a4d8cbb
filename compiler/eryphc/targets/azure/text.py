"""Templates and parameter files as bytes: which strings are texts, and which are expressions.

In a template, a string in brackets is an expression. Here only an `Expression` becomes one: every
other string is escaped, be it a value or the name of a property.
Source: docs/reference/azure.md, "Text in templates".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

LONGEST_EXPRESSION: Final = 24_576

# Names of resources, parameters, variables and types, and API versions.
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


class Expression(str):
    """What the template engine evaluates, without its brackets.

    It is made by `expression`, from text that is written out in the code: a test looks at all
    calls. Formatted, joined or cut it is a plain string again, which is escaped.
    """

    __slots__ = ()


def expression(text: str, *words: str) -> Expression:
    """The expression `text`, each `{}` in it replaced by the next of `words`.

    An `Expression` stands there as it is, any other word as a literal in quotes. Raises ValueError
    for a word that is no name: text of a catlet belongs into values, not into expressions.
    """
    pieces = text.split("{}")
    if len(pieces) != len(words) + 1:
        raise ValueError(f"{len(words)} words for {len(pieces) - 1} places")
    made = pieces[0]
    for word, piece in zip(words, pieces[1:], strict=True):
        made += (word if isinstance(word, Expression) else _quoted(word)) + piece
    if not made or made[0] == "[":
        raise ValueError("an expression is written without its brackets")
    if len(made) + 2 > LONGEST_EXPRESSION:
        raise ValueError("an expression is too long for Azure")
    return Expression(made)


def escaped(text: str) -> str:
    """How a template says `text`, as a value or as the name of a property."""
    return f"[{text}" if text.startswith("[") and text.endswith("]") else text


def template_bytes(template: Mapping[str, object]) -> bytes:
    """A template, with every text escaped.

    Raises ValueError for what a template cannot hold: numbers that are none, lone surrogates, and
    two properties whose names differ in letter case alone.
    """
    return _bytes(_template_value(template))


def parameters_bytes(document: Mapping[str, object]) -> bytes:
    """A parameter file. Its values are never evaluated, so nothing in it is escaped.

    Raises ValueError as `template_bytes` does, and for an expression.
    """
    return _bytes(_parameters_value(document))


def _quoted(word: str) -> str:
    if _WORD.fullmatch(word) is None:
        raise ValueError("text that is no name has no place in an expression")
    return f"'{word}'"


def _template_value(value: object) -> object:
    match value:
        case str():
            return f"[{value}]" if isinstance(value, Expression) else escaped(value)
        case Mapping():
            names = [_template_value(name) for name in value]
            return _object(names, [_template_value(each) for each in value.values()])
        case list() | tuple():
            return [_template_value(each) for each in value]
        case _:
            return value


def _parameters_value(value: object) -> object:
    match value:
        case Expression():
            raise ValueError("a parameter file has no expressions")
        case Mapping():
            names = [_parameters_value(name) for name in value]
            return _object(names, [_parameters_value(each) for each in value.values()])
        case list() | tuple():
            return [_parameters_value(each) for each in value]
        case _:
            return value


def _object(names: list[object], values: list[object]) -> dict[str, object]:
    made: dict[str, object] = {}
    seen: set[str] = set()
    for name, value in zip(names, values, strict=True):
        if not isinstance(name, str):
            raise TypeError("the name of a property is text")
        if name.lower() in seen:
            raise ValueError("two properties of one name")
        seen.add(name.lower())
        made[name] = value
    return made


def _bytes(document: object) -> bytes:
    """ASCII: PowerShell 5.1 and editors guess the encoding of a file without a byte order mark, and
    marks that reorder or hide text are seen as escapes."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    text.encode()  # Raises for lone surrogates, which no UTF-8 can hold.
    return json.dumps(document, indent=2, allow_nan=False).encode("ascii") + b"\n"
