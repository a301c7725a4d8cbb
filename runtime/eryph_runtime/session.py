"""The host protocol over a child process: requests as base64 blocks, answers between markers.

The host's program tells every ten seconds that it lives, also while a single call takes hours. So
silence has a short limit of its own, whatever the request may take.
Source: docs/reference/deployment.md, "Requests and answers".
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from importlib.resources import files
from typing import Any, Final

from eryph_runtime.answers import Answer, Answers
from eryph_runtime.child import Child
from eryph_runtime.clixml import words
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
_TOLD_EVERY: Final = 30.0
SILENCE: Final = 60.0
"""Seconds without any output, and without input that goes out, after which a host is given up."""


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

    `silence` is the longest time in seconds in which nothing at all may come.
    """

    def __init__(
        self, address: str, command: list[str], *, remote: bool, silence: float = SILENCE
    ) -> None:
        self.address = address
        self.remote = remote
        self._command = command
        self._silence = silence
        self._child: Child | None = None
        self._has_answered = False

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
        child = self._started()
        try:
            child.send(data)
            answer = self._answer(child, operation, nonce, seconds, events)
        except BaseException:
            # A dialogue that broke off cannot continue.
            self.close()
            raise
        return value_of(operation, answer)

    def close(self) -> None:
        """End the program: end of input first, then by force; its mutex goes with it."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _started(self) -> Child:
        if self._child is None:
            self._child = Child(self._command)
            self._has_answered = False
            self._child.send(block(host_program()))
        return self._child

    def _answer(
        self, child: Child, operation: str, nonce: str, seconds: float, events: Events | None
    ) -> dict[str, Any]:
        answers = Answers(nonce)
        begin = told = time.monotonic()
        end = begin + seconds
        heard = False
        while True:
            left = end - time.monotonic()
            wait = min(self._silence, left)
            try:
                piece = child.receive(wait)
            except TimeoutError:
                if left > self._silence or not heard:
                    raise self._silent(child, wait) from None
                raise HostFailure(
                    f"{self.address} did not finish `{operation}` within {seconds:.0f} s"
                    + _said(child, answers)
                ) from None
            if piece is None:
                raise self._broken(child, answers)
            heard = heard or bool(piece)
            now = time.monotonic()
            if piece and events is not None and now - told >= _TOLD_EVERY:
                told = now
                events({"message": f"the host is still at work ({now - begin:.0f} s)"})
            for one in answers.feed(piece):
                self._has_answered = True
                if isinstance(one, Answer):
                    return one.data
                told = time.monotonic()
                end = told + seconds
                if events is not None:
                    events(one.data)

    def _silent(self, child: Child, seconds: float) -> HostFailure:
        """The failure of a host that says nothing; it is not waited for any more."""
        child.close(at_once=True)
        if self._has_answered:
            why = "the connection or PowerShell on the host hangs"
        elif self.remote:
            why = (
                "ssh may wait for a password or a confirmation, or the host's shell, or a profile "
                "of it, for input"
            )
        else:
            why = "PowerShell hangs"
        said = words(child.stderr())
        return HostFailure(
            f"{self.address} said nothing for {seconds:.0f} s: {why}"
            + (f": {said}" if said else "")
        )

    def _broken(self, child: Child, answers: Answers) -> Exception:
        code = child.exit_code()
        if code == _LANGUAGE_MODE:
            return RefusalError(
                "PowerShell on the host is in a constrained language mode, where the program "
                "cannot run; the host's application control decides that"
            )
        ended = f" (exit code {code})" if code is not None else ""
        text = f"the connection to {self.address} ended{ended}"
        return HostFailure(text + _said(child, answers))


def _said(child: Child, answers: Answers) -> str:
    """What the child said last, for the end of a sentence: on standard error, else before it."""
    said = words(child.stderr()) or words(answers.noise)
    return f": {said}" if said else ""


def value_of(operation: str, answer: dict[str, Any]) -> Any:
    """The value of an answer; raises HostFailure for an error in it."""
    if answer.get("protocol") != PROTOCOL:
        raise HostFailure("the host's program speaks another protocol")
    if answer.get("ok") is not True:
        raise failure(operation, answer.get("error"))
    return answer.get("value")
