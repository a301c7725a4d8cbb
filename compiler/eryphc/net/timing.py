"""Time that a request may take: a clock that tests replace, deadlines, pauses between attempts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from eryphc.frozen import NamedTuple

SLOWEST = 64 * 1024
"""Bytes a second that a large transfer must at least make on the whole."""
ORDINARY = 60.0
"""Seconds for an operation, without what its large bodies get by their size."""
LONGEST_WAIT = 30.0
"""The longest `Retry-After` in seconds that is waited for."""


class Clock(NamedTuple):
    """Seconds that only go forward, seconds since 1970, waiting, and a number from 0 to 1."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class TooSlowError(TimeoutError):
    """The deadline is over."""


class Deadline:
    """When an operation with all its requests has to be done."""

    def __init__(self, clock: Clock, seconds: float = ORDINARY) -> None:
        self._clock = clock
        self._seconds = seconds
        self._begin = clock.monotonic()
        self._for_bytes = 0.0

    def for_bytes(self, size: int) -> None:
        """Allow what a body of `size` bytes may take at the slowest."""
        self._for_bytes = size / SLOWEST

    def left(self) -> float:
        """Seconds until the end; 0 or less when it is over."""
        return self._begin + self._seconds + self._for_bytes - self._clock.monotonic()

    def step(self, most: float) -> float:
        """Seconds that one step may take, at most `most`. Raises TooSlowError at the end."""
        left = self.left()
        if left <= 0:
            raise TooSlowError
        return min(left, most)


class Patience(NamedTuple):
    """Pauses before another attempt, in seconds, and by which part chance moves them."""

    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)
    spread: float = 0.25

    def pause(self, number: int, clock: Clock) -> float | None:
        """The pause after the attempt `number` (from 0); None where it was the last."""
        if number >= len(self.pauses):
            return None
        return self.pauses[number] * (1 + self.spread * (2 * clock.chance() - 1))


def retry_after(text: str | None, clock: Clock) -> float | None:
    """The seconds that a `Retry-After` asks for; None where there is none that can be read.

    Source: RFC 9110 10.2.3.
    """
    words = (text or "").strip()
    if words.isascii() and words.isdigit():
        return float(words[:9])
    try:
        date = parsedate_to_datetime(words)
        return max(0.0, date.timestamp() - clock.now())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
