"""Addresses of hosts, and how each kind is reached.

Source: docs/reference/hyperv.md, "Reaching a host"; docs/reference/runtime.md, "Hosts".

`local` starts PowerShell here; `ssh://` uses the system's `ssh` with its own configuration
(keys, known hosts, jump hosts); `winrm://` needs the package pypsrp.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from urllib.parse import unquote

from eryph_runtime.accounts import composed, host_fault, user_fault
from eryph_runtime.faults import HostFailure, UsageError
from eryph_runtime.host import Host
from eryph_runtime.session import Session, powershell_arguments

_PROGRAM = re.compile(r"[A-Za-z0-9._-]+")
_SSH_PROGRAM = "powershell.exe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    scheme: str
    host: str
    user: str | None
    port: int | None


def parse_address(text: str) -> Address:
    """`local`, `ssh://...` or `winrm://...`; raises UsageError.

    Host and user become arguments of `ssh`; `accounts` says what they may hold. A user may be
    percent-encoded as in any URI.
    """
    text = composed(text)
    if text == "local":
        return Address(scheme="local", host="local", user=None, port=None)
    scheme, separator, rest = text.partition("://")
    user, at, place = rest.rstrip("/").rpartition("@")
    if ":" in user:
        # What is behind it may be a password, so the address is not shown.
        raise UsageError(
            "--host: the user holds ':', and no password belongs into an address: ssh asks for it, "
            "or takes a key; for winrm:// it stands in ERYPH_WINRM_PASSWORD"
        )
    if not separator or scheme not in ("ssh", "winrm"):
        raise UsageError(f"--host {text!r}: neither `local` nor ssh://HOST nor winrm://HOST")
    user = composed(unquote(user))
    host, port = _place(place)
    if fault := (user_fault(user) if at else None) or host_fault(host):
        raise UsageError(f"--host {text!r}: {fault}, as in ssh://user@host:22")
    if port is not None and not 0 < port < 65536:
        raise UsageError(f"--host {text!r}: no such port")
    return Address(scheme=scheme, host=host, user=user or None, port=port)


def _place(text: str) -> tuple[str, int | None]:
    """Host and port. An IPv6 address with a port stands in brackets, its zone behind `%`."""
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::([0-9]{1,5}))?", text)
    named = re.fullmatch(r"([^:]*):([0-9]{1,5})", text)
    host, port = (
        (bracketed[1], bracketed[2])
        if bracketed is not None
        else (named[1], named[2])
        if named is not None
        else (text, None)
    )
    if ":" in host:
        # A URI writes the sign before a zone as %25.
        host = host.replace("%25", "%", 1)
    return host, None if port is None else int(port)


def open_host(address: str, powershell: str | None = None) -> Host:
    """The host at `address`; nothing is started before the first request.

    `powershell` names PowerShell's program where it is another. Raises UsageError, HostFailure.
    """
    parsed = parse_address(address)
    match parsed.scheme:
        case "local":
            return Session(address, [_local(powershell), *powershell_arguments()], remote=False)
        case "ssh":
            return Session(address, ssh_command(parsed, powershell), remote=True)
        case _:
            from eryph_runtime.winrm import WinRm

            return WinRm(address, parsed.host, parsed.user, parsed.port)


def _local(powershell: str | None) -> str:
    for name in (powershell,) if powershell else ("powershell.exe", "pwsh", "powershell"):
        if found := shutil.which(name):
            return found
    raise HostFailure(
        "this machine has no PowerShell: run here on a Hyper-V host, or say --host ssh://HOST"
    )


def ssh_command(address: Address, powershell: str | None = None) -> list[str]:
    """The command line of `ssh`: the remote command is one constant text.

    Host keys are checked as the user's own configuration says; the check is never switched off.
    """
    program = powershell or _SSH_PROGRAM
    if not _PROGRAM.fullmatch(program):
        raise UsageError("--powershell: the name of a program on the host's PATH")
    command = [*shlex.split(os.environ.get("ERYPH_SSH", "ssh")), "-T"]
    # A host that falls silent ends the run instead of hanging it.
    command += ["-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15"]
    if address.port is not None:
        command += ["-p", str(address.port)]
    if address.user is not None:
        command += ["-l", address.user]
    # `--` keeps a host's name from being read as an option.
    return [*command, "--", address.host, " ".join((program, *powershell_arguments()))]
