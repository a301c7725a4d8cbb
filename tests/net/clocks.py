"""A clock that tests move: waiting takes no time, and is noted."""

from __future__ import annotations

from eryphc.net.timing import Clock


class TestClock:
    """`waits` are the pauses that were asked for. Each look may take `tick` seconds."""

    __test__ = False

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.tick = 0.0
        self.date = 1_800_000_000.0
        self.waits: list[float] = []
        self.clock = Clock(self._monotonic, lambda: self.date, self._sleep, lambda: 0.5)

    def _monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds
