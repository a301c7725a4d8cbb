"""Signals that end a run act like Ctrl-C, so that nothing half written stays."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_ASKING = ("SIGTERM", "SIGHUP")


@contextmanager
def ended_cleanly() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM and SIGHUP too, unless somebody else handles them."""
    before: list[int] = []
    try:
        for name in _ASKING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _interrupt)
                before.append(number)
    except ValueError:
        # Only the main thread may handle signals; a program ends its other threads in its own way.
        pass
    try:
        yield
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
