"""Signals that end a run act like Ctrl-C, so that nothing half written stays."""

from __future__ import annotations

# What `signal` wraps in enumerations; those cost more to make than the handlers to set.
import _signal  # type: ignore[import-not-found]
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
            number = getattr(_signal, name, None)
            if number is not None and _signal.getsignal(number) == _signal.SIG_DFL:
                _signal.signal(number, _interrupt)
                before.append(number)
    except ValueError:
        # Only the main thread may handle signals; a program ends its other threads in its own way.
        pass
    try:
        yield
    finally:
        for number in before:
            _signal.signal(number, _signal.SIG_DFL)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
