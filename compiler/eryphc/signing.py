"""SSH signatures over bytes, made and checked by `ssh-keygen`.

The program gets arguments and bytes, never a shell. A signature is good for one namespace, so that
what was signed as one thing cannot be shown as another.
Source: RFC 4253 6.6; https://man.openbsd.org/ssh-keygen
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from eryphc.diagnostics import command, provenance
from eryphc.diagnostics import sharing as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path

PROGRAM: Final = "ssh-keygen"
LONGEST: Final = 64 * 1024
"""Bytes of a signature that is worth reading; one of an Ed25519 key has 310."""
_SECONDS: Final = 10
_FIRST_LINE: Final = "-----BEGIN SSH SIGNATURE-----"


class SigningError(Exception):
    """Nothing could be signed or checked. `outside`: the program is missing or failed."""

    def __init__(self, diagnostic: Diagnostic, *, outside: bool) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.outside = outside


class Checked(NamedTuple):
    """What came of checking a signature: who made it, or why nobody is believed."""

    principal: str | None
    reason: str = ""


def sign(data: bytes, key: Path, namespace: str) -> str:
    """The armored signature of `data`. Raises SigningError.

    `key` is a private key that only its owner can read, or the public half of one in an agent.
    """
    shown = shown_path(key)
    try:
        status = key.stat()
        private = b"PRIVATE KEY" in key.read_bytes()[:LONGEST] if _plain(status) else False
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise SigningError(provenance.signing_failed(shown, reason), outside=False) from None
    if private and os.name != "nt" and status.st_mode & 0o077:
        raise SigningError(wording.signing_key_too_open(shown), outside=False)
    done = _run(["-Y", "sign", "-n", namespace, "-f", str(key)], data)
    text = done.stdout.decode("ascii", "replace")
    if done.returncode or not text.startswith(_FIRST_LINE):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else "it gave no signature"
        raise SigningError(provenance.signing_failed(shown, reason), outside=False)
    return text


def check(
    data: bytes, signature: bytes, keys: Path, namespace: str, signers: Sequence[str] = ("*",)
) -> Checked:
    """Who signed `data`, by a file of allowed signers; `signers` are globs of who is believed.

    Raises SigningError where nothing can be checked at all.
    """
    try:
        with keys.open("rb"):
            pass
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        fault = command.file_not_found(shown_path(keys), reason, ())
        raise SigningError(fault, outside=False) from None
    with tempfile.TemporaryDirectory(prefix="eryphc-") as folder:
        file = Path(folder, "signature")
        file.write_bytes(signature)
        place = ["-f", str(keys), "-s", str(file)]
        found = _run(["-Y", "find-principals", *place], b"")
        names = found.stdout.decode("utf-8", "replace").splitlines()
        if found.returncode or not names:
            return Checked(None, f"its key is not in `{shown_path(keys)}`")
        allowed = [name for name in names if any(fnmatchcase(name, glob) for glob in signers)]
        if not allowed:
            return Checked(None, f"it was signed by `{names[0]}`")
        for name in allowed:
            done = _run(["-Y", "verify", "-n", namespace, "-I", name, *place], data)
            if done.returncode == 0:
                return Checked(name)
    return Checked(None, "the signature is of other content, or of something else")


def is_signature(data: bytes) -> bool:
    """Whether bytes are an armored SSH signature."""
    return data.startswith(_FIRST_LINE.encode("ascii"))


def _plain(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode)


def _run(arguments: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(PROGRAM)
    if program is None:
        raise SigningError(wording.no_ssh_keygen(), outside=True)
    try:
        # In a session of its own it has no terminal, so that it cannot ask for a passphrase.
        return subprocess.run(  # noqa: S603 - no shell, and the program's own options
            [program, *arguments],
            input=data,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        reason = f"`{PROGRAM}` did not answer within {_SECONDS} seconds"
        raise SigningError(provenance.signing_failed(PROGRAM, reason), outside=True) from None
