"""The host protocol over a child process: requests as base64 blocks, answers between markers.

Source: docs/reference/deployment.md, "Requests and answers".
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import secrets
import subprocess
import threading
from importlib.resources import files
from typing import Any

from eryph_runtime.executor import failure
from eryph_runtime.faults import HostFailure, RefusalError
from eryph_runtime.host import Events

PROTOCOL = "eryph-runtime/host/v1"
# Constant. `$input` is not used, hence standard input stays free for [Console]::In.
# A language mode that forbids the program forbids most of the bootstrap too, so it is asked first.
_LANGUAGE_MODE = 9
BOOTSTRAP = (
    "$ErrorActionPreference='Stop';"
    "if(\"$($ExecutionContext.SessionState.LanguageMode)\" -cne 'FullLanguage')"
    f"{{exit {_LANGUAGE_MODE}}};"
    "$t=New-Object -TypeName System.Text.StringBuilder;"
    "while($true){$l=[Console]::In.ReadLine();if($null -eq $l){exit 3};"
    "if($l -ceq '.'){break};[void]$t.Append($l)};"
    "&([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString("
    "[Convert]::FromBase64String($t.ToString()))))"
)
_LINE = 1000
_LONGEST_ANSWER = 64 * 1024 * 1024
_STDERR_KEPT = 4000


def powershell_arguments() -> list[str]:
    """What follows the name of PowerShell's program; nothing in it depends on any value."""
    encoded = base64.b64encode(BOOTSTRAP.encode("utf-16-le")).decode("ascii")
    return [
        "-NoLogo",
        "-NoProfile",
        "-NonInteractive",
        "-ExecutionPolicy",
        "Bypass",
        "-EncodedCommand",
        encoded,
    ]


def host_program() -> bytes:
    """The constant text of the host program: `host.ps1` with `shared.ps1` in its place."""
    folder = files("eryph_runtime") / "powershell"
    own, shared = ((folder / name).read_bytes() for name in ("host.ps1", "shared.ps1"))
    return own.replace(b"# ==== shared.ps1 stands here ====\n", shared)


def block(data: bytes) -> bytes:
    """One block of standard input."""
    text = base64.b64encode(data)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"".join(line + b"\n" for line in (*lines, b"."))


class Session:
    """A running host program: started with the first request, ended by `close`.

    `explain` turns what the child said on standard error and its exit code into a sentence.
    """

    def __init__(self, address: str, command: list[str], *, remote: bool) -> None:
        self.address = address
        self.remote = remote
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._stderr = bytearray()
        self._threads: list[threading.Thread] = []

    def request(
        self,
        operation: str,
        arguments: dict[str, Any],
        *,
        payload: bytes | None = None,
        seconds: float = 120,
        events: Events | None = None,
    ) -> Any:
        """See `Host.request`."""
        nonce = secrets.token_hex(16)
        request = {
            "protocol": PROTOCOL,
            "nonce": nonce,
            "operation": operation,
            "arguments": arguments,
        }
        data = block(json.dumps(request, ensure_ascii=True).encode("ascii"))
        if payload is not None:
            data += block(payload)
        process = self._start()
        try:
            self._write(process, data)
            answer = self._answer(nonce, seconds, events)
        except BaseException:
            # A dialogue that broke off cannot continue.
            self.close()
            raise
        if answer.get("protocol") != PROTOCOL:
            raise HostFailure("the host's program speaks another protocol")
        if not answer.get("ok"):
            raise failure(operation, answer.get("error") or {})
        return answer.get("value")

    def close(self) -> None:
        """End the program: end of input first, then by force; its mutex goes with it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join(timeout=5)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, no shell, no value in it
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise HostFailure(f"`{self._command[0]}` cannot be started: {error.strerror}") from None
        self._process = process
        self._lines = queue.Queue()
        self._stderr.clear()
        self._threads = [
            threading.Thread(target=self._read_lines, args=(process,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(process,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._write(process, block(host_program()))
        return process

    def _write(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        try:
            assert process.stdin is not None  # noqa: S101 - asked for as a pipe
            process.stdin.write(data)
            process.stdin.flush()
        except OSError:
            raise self._broken() from None

    def _read_lines(self, process: subprocess.Popen[bytes]) -> None:
        lines = self._lines
        if process.stdout is not None:
            while line := process.stdout.readline(_LONGEST_ANSWER):
                lines.put(line)
        lines.put(None)

    def _read_stderr(self, process: subprocess.Popen[bytes]) -> None:
        if process.stderr is not None:
            while data := process.stderr.read1(4096):  # type: ignore[attr-defined]
                self._stderr += data
                # The end has the reason; the rest is only progress.
                del self._stderr[:-_STDERR_KEPT]

    def _answer(self, nonce: str, seconds: float, events: Events | None) -> dict[str, Any]:
        begin, end = f"==eryph-begin {nonce}==", f"==eryph-end {nonce}=="
        event = f"==eryph-event {nonce}== "
        inside: str | None = None
        while True:
            try:
                raw = self._lines.get(timeout=seconds)
            except queue.Empty:
                raise HostFailure(f"{self.address} did not answer for {seconds:.0f} s") from None
            if raw is None:
                raise self._broken()
            line = raw.decode("ascii", "replace").rstrip("\r\n")
            if line == begin:
                inside = ""
            elif line == end and inside is not None:
                return _object(inside)
            elif inside is not None:
                inside += line
            elif line.startswith(event) and events is not None:
                events(_object(line[len(event) :]))

    def _broken(self) -> Exception:
        process = self._process
        code = None
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=10)
        if code == _LANGUAGE_MODE:
            return RefusalError(
                "PowerShell on the host is in a constrained language mode, where the program "
                "cannot run; the host's application control decides that"
            )
        for thread in self._threads:
            thread.join(timeout=2)
        said = bytes(self._stderr).decode("utf-8", "replace").strip()
        tail = said[-600:] if said and not said.startswith("#< CLIXML") else ""
        ended = f" (exit code {code})" if code is not None else ""
        text = f"the connection to {self.address} ended{ended}"
        return HostFailure(f"{text}: {tail}" if tail else text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise HostFailure("the host's program gave an answer that is no JSON") from None
    if not isinstance(value, dict):
        raise HostFailure("the host's program gave an answer of another shape")
    return value
