"""A host over WinRM by the package pypsrp (extra `winrm`). Never run against a real host.

There is no standard input to stream to: each request starts the program again with the
request as data, so the host's mutex is held per request and not for a whole command.
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import secrets
from typing import Any

from eryph_runtime.answers import Answer, Answers
from eryph_runtime.clixml import error_words
from eryph_runtime.faults import HostFailure, UsageError
from eryph_runtime.host import Events
from eryph_runtime.session import PROTOCOL, host_program, value_of

# Constant. The program reads [Console]::In; it is given a reader over the parameter.
_RUNNER = (
    "param([string] $Program, [string] $Lines)\n"
    "[Console]::SetIn((New-Object -TypeName System.IO.StringReader -ArgumentList $Lines))\n"
    "$writer = New-Object -TypeName System.IO.StringWriter\n"
    "[Console]::SetOut($writer)\n"
    "& ([ScriptBlock]::Create($Program))\n"
    "$writer.ToString()\n"
)


class WinRm:
    """A host over WinRM; the password comes from ERYPH_WINRM_PASSWORD or a prompt."""

    remote = True

    def __init__(self, address: str, host: str, user: str | None, port: int | None) -> None:
        try:
            from pypsrp.client import Client
        except ImportError:
            raise UsageError(
                "winrm:// needs the package pypsrp: pip install 'eryphc[winrm]'; "
                "ssh:// needs nothing"
            ) from None
        self.address = address
        password = os.environ.get("ERYPH_WINRM_PASSWORD")
        if user is not None and password is None:
            password = getpass.getpass(f"password of {user} on {host}: ")
        self._client = Client(
            host, username=user, password=password, port=port or 5986, ssl=port != 5985
        )

    def request(
        self,
        operation: str,
        arguments: dict[str, Any],
        *,
        payload: bytes | None = None,
        seconds: float = 120,  # noqa: ARG002 - pypsrp has its own time-outs
        events: Events | None = None,  # noqa: ARG002 - there is no stream
    ) -> Any:
        """See `Host.request`."""
        from pypsrp.powershell import PowerShell, RunspacePool

        nonce = secrets.token_hex(16)
        request = {
            "protocol": PROTOCOL,
            "nonce": nonce,
            "operation": operation,
            "arguments": arguments,
        }
        blocks = [json.dumps(request).encode("ascii"), *([payload] if payload is not None else [])]
        lines = "".join(f"{base64.b64encode(each).decode('ascii')}\n.\n" for each in blocks)
        try:
            with RunspacePool(self._client.wsman) as pool:
                shell = PowerShell(pool)
                shell.add_script(_RUNNER)
                shell.add_parameter("Program", host_program().decode("utf-8"))
                shell.add_parameter("Lines", lines)
                output = shell.invoke()
        except Exception as error:
            # pypsrp, requests and the system each raise their own kinds here.
            raise HostFailure(f"{self.address}: {error_words(str(error))}") from error
        text = "\n".join(str(each) for each in output)
        for found in Answers(nonce).feed(text.encode("utf-8", "replace")):
            if isinstance(found, Answer):
                return value_of(operation, found.data)
        told = " ".join(error_words(str(each)) for each in shell.streams.error)[:600]
        raise HostFailure(f"{self.address} gave no answer{f': {told}' if told else ''}")

    def close(self) -> None:
        """End the connection."""
        self._client.close()
