"""Work as a number of lines that Python ran: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(function: Callable[[], object], *, at_most: int | None = None) -> int:
    """How many lines `function` runs. With `at_most` it is stopped there, and the test fails."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if at_most is not None and count > at_most:
                raise AssertionError(f"more than {at_most:,} lines")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def grows_evenly(function: Callable[[int], object], size: int) -> bool:
    """Whether twice the size takes about twice the work, and not four times as much."""
    function(1)  # What is done once, at the first call, does not count.
    return lines_run(lambda: function(2 * size)) < 2.5 * lines_run(lambda: function(size))
