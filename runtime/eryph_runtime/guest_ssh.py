"""Asking cloud-init in the guest whether it is done, over SSH.

Source: docs/reference/hyperv.md, "Key-value pairs".

For guests that publish no key-value pairs. Keys, known hosts and jump hosts are those of the
user's own `ssh`. `ssh` never prompts, and no check is switched off.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable

from eryph_runtime.accounts import user_fault
from eryph_runtime.faults import UsageError

_DONE = re.compile(r"^status: done\b", re.MULTILINE)
_SECONDS = 30
# More addresses than that are no help, and each one takes its time.
_MOST = 3


def check_user(user: str) -> None:
    """Raises UsageError for what is no account: it becomes an argument of `ssh`."""
    if fault := user_fault(user):
        raise UsageError(f"--guest-user {user!r}: {fault}")


def cloud_init_is_done(user: str, addresses: Iterable[str]) -> bool:
    """Whether `cloud-init status` says so at one of the addresses (already checked texts).

    All that a false answer can do is to end a wait.
    """
    for address in list(addresses)[:_MOST]:
        command = [*shlex.split(os.environ.get("ERYPH_SSH", "ssh")), "-T"]
        command += ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-l", user]
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell; the remote command is constant
                [*command, "--", address, "cloud-init status"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if _DONE.search(done.stdout.decode("ascii", "replace")):
            return True
    return False
