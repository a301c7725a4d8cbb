"""Progress of slow steps on stderr: one line that changes at a terminal, else one now and then."""

from __future__ import annotations

import sys
import time

from eryphc.cli.console import Console, write
from eryphc.diagnostics.rendering import DiagnosticsFormat

_MIB = 1024 * 1024


class Progress:
    """Says how far a step is. `mode` is `auto`, `plain` or `none`; `doing` says what is done with
    bytes."""

    def __init__(self, console: Console, mode: str, doing: str = "fetching") -> None:
        self._doing = doing
        silent = console.quiet or console.kind is not DiagnosticsFormat.TEXT
        self._terminal = mode == "auto" and sys.stderr.isatty() and not silent
        self._plain = mode == "plain" and not silent
        self._step = ""
        self._next = 0.0
        self._width = 0

    def bytes(self, name: str, done: int, total: int | None) -> None:
        if total:
            text = f"{done // _MIB} of {total // _MIB} MiB"
            self._say(f"{self._doing} {name}", text, 100 * done / total)
        else:
            self._say(f"{self._doing} {name}", f"{done // _MIB} MiB", None)

    def percent(self, step: str, percent: float) -> None:
        self._say(step, "", percent)

    def _say(self, step: str, text: str, percent: float | None) -> None:
        if not (self._terminal or self._plain):
            return
        now = time.monotonic()
        if step == self._step and now < self._next:
            return
        self._step, self._next = step, now + (0.2 if self._terminal else 10.0)
        shown = "" if percent is None else f" {percent:.0f} %"
        line = f"{step}:{shown}{', ' if shown and text else ' ' if text else ''}{text}"
        if self._plain:
            write(sys.stderr, line + "\n")
            return
        write(sys.stderr, "\r" + line.ljust(self._width))
        self._width = len(line)

    def clear(self) -> None:
        """Leave the terminal's line empty for the next message."""
        if self._width:
            write(sys.stderr, "\r" + " " * self._width + "\r")
        self._step, self._width = "", 0
