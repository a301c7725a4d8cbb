"""How what `eryphc expand` printed is held against what a case expects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CHECKS = ("absent_or_false", "content_contains", "content_lacks")
# How a value came to be, not what it is: cases say nothing of these keys.
_SILENT = ("config_type", "mutation")


def differences(expected: Any, actual: Any, where: str = "result") -> Iterator[str]:
    """A sentence for each place where `actual` is not what is expected.

    A mapping is compared by the keys that are expected of it, a list as a whole and in its order,
    a scalar by type and value. `None` expects that nothing is there.
    """
    if expected is None:
        if actual not in (None, "", [], {}):
            yield f"{where} is {actual!r}, not absent"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key in _CHECKS:
                yield from _checked(key, value, actual, where)
            else:
                yield from differences(value, actual.get(key), f"{where}.{key}")
    elif isinstance(expected, list) and (isinstance(actual, list) or not expected):
        found = actual or []
        if len(found) != len(expected):
            yield f"{where} has {len(found)} entries, not {len(expected)}"
        for number, (want, have) in enumerate(zip(expected, found, strict=False)):
            yield from differences(want, have, f"{where}[{number}]")
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{where} is {actual!r}, not {expected!r}"


def additions(expected: Any, actual: Any, where: str = "result") -> Iterator[str]:
    """A sentence for each key that has a value although nothing is expected of it."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in actual.items():
            if key in expected:
                yield from additions(expected[key], value, f"{where}.{key}")
            elif key not in _SILENT and value is not False and value not in (None, "", [], {}):
                yield f"{where}.{key} is {value!r}, not absent"
    elif isinstance(expected, list) and isinstance(actual, list):
        for number, (want, have) in enumerate(zip(expected, actual, strict=False)):
            yield from additions(want, have, f"{where}[{number}]")


def _checked(key: str, texts: list[str], actual: dict[str, Any], where: str) -> Iterator[str]:
    if key == "absent_or_false":
        for name in texts:
            if actual.get(name):
                yield f"{where}.{name} is {actual[name]!r}, not absent or false"
        return
    content = actual.get("content")
    if not isinstance(content, str):
        yield f"{where}.content is {content!r}, not a text"
        return
    for text in texts:
        if (text in content) is (key == "content_lacks"):
            yield f"{where}.content {'holds' if text in content else 'lacks'} {text!r}: {content!r}"
