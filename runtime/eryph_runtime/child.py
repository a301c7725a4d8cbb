"""A child process whose three streams are served by threads, so that no wait is without end."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from typing import Final

from eryph_runtime.faults import HostFailure

_PIECE: Final = 64 * 1024
# So much output waits for us at most; then the child waits.
_MOST_PIECES: Final = 64
_STDERR_KEPT: Final = 64 * 1024
_PATIENCE: Final = 10.0


class Child:
    """A running program. `receive` also tells of input that went out: both are signs of life."""

    def __init__(self, command: list[str]) -> None:
        """Start the program. Raises HostFailure where it cannot be started."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, no shell, no value in it
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise HostFailure(f"`{command[0]}` cannot be started: {error.strerror}") from None
        self._output: queue.Queue[bytes | None] = queue.Queue(_MOST_PIECES)
        self._input: queue.Queue[bytes | None] = queue.Queue()
        self._stderr = bytearray()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=each, daemon=True)
            for each in (self._write, self._read, self._read_stderr)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, data: bytes) -> None:
        """Write it as soon as the program takes it."""
        self._input.put(data)

    def receive(self, seconds: float) -> bytes | None:
        """A piece of output; b"" when input went out; None when the program has ended.

        Raises TimeoutError after so many seconds without any of these.
        """
        try:
            return self._output.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise TimeoutError from None

    def exit_code(self) -> int | None:
        """How it ended; None where it does not end although its output did."""
        try:
            code = self._process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        self._threads[-1].join(timeout=2)
        return code

    def stderr(self) -> str:
        """The end of its standard error, as far as it has come."""
        return bytes(self._stderr).decode("utf-8", "replace")

    def close(self, *, at_once: bool = False) -> None:
        """End the program: by the end of its input, by force where that is no use."""
        self._closing.set()
        self._input.put(None)
        try:
            self._process.wait(timeout=0 if at_once else _PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr, self._process.stdin):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _offer(self, piece: bytes | None) -> None:
        """Hand it to `receive`, unless nobody asks any more."""
        while not self._closing.is_set():
            with contextlib.suppress(queue.Full):
                self._output.put(piece, timeout=0.1)
                return

    def _write(self) -> None:
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 - asked for as a pipe
        with contextlib.suppress(OSError, ValueError):
            while (data := self._input.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[stream.write(rest[:_PIECE]) :]
                    self._offer(b"")
            stream.close()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - asked for as a pipe
        with contextlib.suppress(OSError, ValueError):
            while data := stream.read(_PIECE):
                self._offer(data)
        self._offer(None)

    def _read_stderr(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101 - asked for as a pipe
        with contextlib.suppress(OSError, ValueError):
            while data := stream.read(_PIECE):
                self._stderr += data
                del self._stderr[:-_STDERR_KEPT]
