"""Finds the answers of the host's program in whatever its shell prints. Pure.

A profile of the shell may print before, between and after them: without a line feed, in UTF-16,
with escape codes, as CLIXML. So an answer is looked for in the bytes and not in the lines.
Source: docs/reference/deployment.md, "Requests and answers".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from eryph_runtime.faults import HostFailure

LARGEST_ANSWER = 64 * 1024 * 1024
LARGEST_EVENT = 64 * 1024
MOST_NOISE = 16 * 1024 * 1024
"""Bytes that are no answer, for one request; a shell that prints more is not waited for."""
_TAIL = 2000
# What steers a terminal: sequences with a final letter, and titles up to their end.
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)?|[ -Z\\^_`-~])"
)
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Progress of the request."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    data: dict[str, Any] = field(repr=False)


Found: TypeAlias = Event | Answer


class Answers:
    """What is found of one request, by its nonce, while output comes in."""

    def __init__(self, nonce: str) -> None:
        name = re.escape(nonce.encode("ascii"))
        self._mark = re.compile(rb"==eryph-(begin|event) " + name + rb"==")
        self._end = b"==eryph-end " + nonce.encode("ascii") + b"=="
        self._longest = len(self._end) + 2
        self._held = bytearray()
        self._seen = 0
        self._kind: bytes | None = None
        self._noise = 0
        self._tail = b""

    @property
    def noise(self) -> str:
        """The end of what was printed and is no answer."""
        text = (self._tail + bytes(self._held) if self._kind is None else self._tail)[-_TAIL:]
        return _ESCAPES.sub(b"", text).decode("utf-8", "replace")

    def feed(self, data: bytes) -> list[Found]:
        """What this piece of output completes. Raises HostFailure for what has no bounds."""
        # In UTF-16 each character of ours has a zero beside it.
        self._held += data.replace(b"\0", b"")
        found: list[Found] = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> Found | None:
        if self._kind is None:
            match = self._mark.search(self._held)
            if match is None:
                # A mark may have come in part.
                self._drop(len(self._held) - self._longest)
                return None
            # Read before the buffer changes below the match.
            start, end, self._kind, self._seen = match.start(), match.end(), match[1], 0
            self._drop(start)
            del self._held[: end - start]
        ending, largest = (
            (self._end, LARGEST_ANSWER) if self._kind == b"begin" else (b"\n", LARGEST_EVENT)
        )
        at = self._held.find(ending, max(0, self._seen - len(ending)))
        self._seen = len(self._held)
        if at > largest or (at < 0 and self._seen > largest):
            raise HostFailure(f"the host's program gave an answer of more than {largest} bytes")
        if at < 0:
            return None
        text = _CONTROLS.sub(b"", _ESCAPES.sub(b"", bytes(self._held[:at])))
        del self._held[: at + len(ending)]
        answers, self._kind = self._kind == b"begin", None
        return Answer(data=read_object(text)) if answers else Event(data=_progress(text))

    def _drop(self, count: int) -> None:
        """Forget so many bytes that are no answer."""
        if count <= 0:
            return
        self._noise += count
        self._tail = (self._tail + bytes(self._held[max(0, count - _TAIL) : count]))[-_TAIL:]
        del self._held[:count]
        if self._noise > MOST_NOISE:
            raise HostFailure(
                f"the shell of the host printed more than {MOST_NOISE} bytes that are no answer"
            )


def read_object(text: bytes) -> dict[str, Any]:
    """The JSON object of an answer. Raises HostFailure."""
    try:
        value = json.loads(text.decode("ascii", "replace"))
    except (ValueError, RecursionError):
        raise HostFailure("the host's program gave an answer that is no JSON") from None
    if not isinstance(value, dict):
        raise HostFailure("the host's program gave an answer of another shape")
    return value


def _progress(text: bytes) -> dict[str, Any]:
    """What may be shown of an event; one that is damaged tells nothing and harms nothing."""
    try:
        value = read_object(text)
    except HostFailure:
        return {}
    percent = value.get("percent")
    told: dict[str, Any] = {
        key: value[key][:300] for key in ("action", "message") if isinstance(value.get(key), str)
    }
    if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
        told["percent"] = percent
    return told
