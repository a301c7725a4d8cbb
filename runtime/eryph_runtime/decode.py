"""From parsed JSON to frozen dataclasses, strictly: every key there, none unknown, types exact."""

from __future__ import annotations

import json
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class MalformedError(ValueError):
    """The data has another shape; the text names the place as a path of keys."""


def parse(text: str | bytes) -> Any:
    """Read JSON; keys that occur twice, NaN and infinities are refused.

    Raises MalformedError.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except ValueError as error:
        raise MalformedError(f"no valid JSON: {error}") from None


def decode(kind: type[T], data: Any, place: str = "") -> T:
    """Build a `kind` (a dataclass) from `data`; raises MalformedError."""
    value: T = _value(kind, data, place)
    return value


def plain(value: Any) -> Any:
    """The JSON form of what `decode` built."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value.value if isinstance(value, Enum) else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, data: Any, place: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        options = get_args(kind)
        if data is None and type(None) in options:
            return None
        kinds = [each for each in options if each is not type(None)]
        return _value(kinds[0] if len(kinds) == 1 else _tagged(kinds, data, place), data, place)
    if origin is tuple:
        return tuple(
            _value(get_args(kind)[0], each, f"{place}[{index}]")
            for index, each in enumerate(_checked(list, data, place))
        )
    if origin is dict:
        return {
            key: _value(get_args(kind)[1], each, f"{place}.{key}")
            for key, each in _checked(dict, data, place).items()
        }
    if origin is Literal:
        (wanted,) = get_args(kind)
        if type(data) is not type(wanted) or data != wanted:
            raise MalformedError(f"{_at(place)}: must be {wanted!r}")
        return wanted
    if is_dataclass(kind):
        return _record(kind, _checked(dict, data, place), place)
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = {each.value: each for each in kind}
        text = _checked(str, data, place)
        if text not in known:
            raise MalformedError(f"{_at(place)}: {text!r} is none of {', '.join(known)}")
        return known[text]
    return _checked(kind, data, place)


def _tagged(kinds: list[Any], data: Any, place: str) -> Any:
    """Of several dataclasses the one whose `kind` is the data's."""
    tag = _checked(dict, data, place).get("kind")
    for kind in kinds:
        if tag in get_args(_hints(kind)["kind"]):
            return kind
    raise MalformedError(f"{_at(place)}: its kind is not known")


def _record(kind: Any, data: dict[str, Any], place: str) -> Any:
    hints = _hints(kind)
    names = [each.name for each in fields(kind)]
    if missing := [name for name in names if name not in data]:
        raise MalformedError(f"{_at(place)}: `{missing[0]}` is missing")
    if unknown := sorted(set(data) - set(names)):
        raise MalformedError(f"{_at(place)}: `{unknown[0]}` is not known")
    return kind(**{name: _value(hints[name], data[name], f"{place}.{name}") for name in names})


def _checked(kind: Any, data: Any, place: str) -> Any:
    # A Boolean is an int in Python, never in the document.
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        wanted = {
            list: "a list",
            dict: "an object",
            str: "a text",
            int: "a number",
            bool: "Boolean",
        }
        raise MalformedError(f"{_at(place)}: must be {wanted.get(kind, kind)}")
    return data


def _at(place: str) -> str:
    return place.lstrip(".") or "the document"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedError("a key occurs twice in one object")
    return result


def _refuse_constant(name: str) -> Any:
    raise MalformedError(f"{name} is no JSON number")
