"""SSH signatures over bytes, made and checked by `ssh-keygen`.

The program gets arguments and bytes, never a shell. A signature is good for one namespace, so that
what was signed as one thing cannot be shown as another.
Source: RFC 4253 6.6; https://man.openbsd.org/ssh-keygen
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import command, provenance
from eryphc.diagnostics import sharing as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path

if TYPE_CHECKING:
    import subprocess

PROGRAM: Final = "ssh-keygen"
LONGEST: Final = 64 * 1024
"""Bytes of a signature that is worth reading; one of an Ed25519 key has 310."""
MOST_KEYS: Final = 1024 * 1024
"""Bytes of a file of allowed signers."""
_SECONDS: Final = 10
_MAGIC: Final = b"SSHSIG"
_KEY: Final = re.compile(r" key (SHA256:[A-Za-z0-9+/=]{1,64})\s*\Z")
_FIRST_LINE: Final = "-----BEGIN SSH SIGNATURE-----"


class SigningError(Exception):
    """Nothing could be signed or checked. `outside`: the program is missing or failed.

    `reason` says it without naming the file.
    """

    def __init__(self, diagnostic: Diagnostic, *, outside: bool, reason: str = "") -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.reason = reason
        self.outside = outside


class Checked(NamedTuple):
    """What came of checking a signature: who made it, or why nobody is believed.

    `key` is the fingerprint of its key, `SHA256:…`, where the signature is one of these bytes.
    `intact` tells apart what somebody signed whom nobody knows, and what is no signature of them.
    """

    principal: str | None
    reason: str = ""
    key: str = ""
    intact: bool = True


def sign(data: bytes, key: Path, namespace: str) -> str:
    """The armored signature of `data`. Raises SigningError.

    `key` is a private key that only its owner can read, or the public half of one in an agent.
    """
    shown = shown_path(key)
    try:
        status = key.stat()
        private = b"PRIVATE KEY" in key.read_bytes()[:LONGEST] if _plain(status) else False
    except OSError as error:
        reason = os_reason(error, "it cannot be read")
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


def read_keys(path: Path) -> bytes:
    """A file of allowed signers, in the format of OpenSSH. Raises SigningError."""
    try:
        if not _plain(path.stat()):
            raise _unreadable(path, "it is no plain file")
        with path.open("rb") as file:
            data = file.read(MOST_KEYS + 1)
    except OSError as error:
        reason = os_reason(error, "it cannot be read")
        raise _unreadable(path, reason) from None
    if len(data) > MOST_KEYS:
        raise _unreadable(path, f"it has more than {MOST_KEYS} bytes")
    return data


def _unreadable(path: Path, reason: str) -> SigningError:
    diagnostic = command.file_not_found(shown_path(path), reason, ())
    return SigningError(diagnostic, outside=False, reason=reason)


def check(
    data: bytes,
    signature: bytes,
    keys: bytes,
    namespace: str,
    signers: Sequence[str] = ("*",),
    *,
    called: str,
) -> Checked:
    """Who signed `data`, by the text of a file of allowed signers; `signers` are globs of who is
    believed. `called` is what messages call the file.

    The dates in the file count at this time. Raises SigningError where nothing can be checked.
    """
    if len(signature) > LONGEST:
        return Checked(None, f"it has more than {LONGEST} bytes", intact=False)
    with _files(signature, keys) as (file, allowed):
        place = ["-f", allowed, "-s", file]
        found = _run(["-Y", "find-principals", *place], b"")
        known: tuple[str, ...] = ()
        if found.returncode == 0:
            known = _principals(found.stdout.decode("utf-8", "replace"))
        believed = [name for name in known if any(fnmatchcase(name, glob) for glob in signers)]
        for name in believed:
            done = _run(["-Y", "verify", "-n", namespace, "-I", name, *place], data)
            if done.returncode == 0:
                return Checked(name, key=_fingerprint(done.stdout))
        key = _intact(data, file, namespace)
    if key is None:
        return Checked(None, "it is a signature of other content, or damaged", intact=False)
    if believed:
        return Checked(None, f"`{called}` does not let `{believed[0]}` sign this", key)
    if known:
        return Checked(None, f"it is by `{known[0]}`", key)
    return Checked(None, f"its key is not in `{called}`, or not for today", key)


def check_intact(data: bytes, signature: bytes, namespace: str) -> str | None:
    """The fingerprint of the key that signed `data`, whoever has it; None where none did.

    Raises SigningError where nothing can be checked.
    """
    if len(signature) > LONGEST:
        return None
    with _files(signature, b"") as (file, _):
        return _intact(data, file, namespace)


def public_key(signature: bytes) -> bytes | None:
    """The public key that a signature says it is of, None where it cannot be read.

    Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
    """
    try:
        body = b"".join(signature.split(b"-----")[2].split())
        blob = base64.b64decode(body, validate=True)
    except (IndexError, ValueError):
        return None
    start = len(_MAGIC) + 8
    size = int.from_bytes(blob[start - 4 : start], "big")
    key = blob[start : start + size]
    return key if blob.startswith(_MAGIC) and 0 < size == len(key) else None


def _intact(data: bytes, file: str, namespace: str) -> str | None:
    done = _run(["-Y", "check-novalidate", "-n", namespace, "-s", file], data)
    return None if done.returncode else _fingerprint(done.stdout)


def _principals(text: str) -> tuple[str, ...]:
    """The names of whom a key belongs to. Older versions print those of one line together."""
    names = (name for line in text.splitlines() for name in line.split(","))
    return tuple(name for name in names if name and not name.startswith("!"))


def _fingerprint(said: bytes) -> str:
    found = _KEY.search(said.decode("utf-8", "replace"))
    return "" if found is None else found[1]


@contextmanager
def _files(signature: bytes, keys: bytes) -> Iterator[tuple[str, str]]:
    """The paths of files with these contents, while they are needed. Raises SigningError."""
    import tempfile

    try:
        folder = tempfile.TemporaryDirectory(prefix="eryphc-")
        with folder:
            paths = Path(folder.name, "signature"), Path(folder.name, "keys")
            paths[0].write_bytes(signature)
            paths[1].write_bytes(keys)
            yield str(paths[0]), str(paths[1])
    except OSError as error:
        reason = os_reason(error, "no file can be written")
        raise SigningError(provenance.signing_failed(PROGRAM, reason), outside=True) from None


def is_signature(data: bytes) -> bool:
    """Whether bytes are an armored SSH signature."""
    return data.startswith(_FIRST_LINE.encode("ascii"))


def _plain(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode)


def _run(arguments: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    # Whoever only reads keys, or finds a note of an earlier check, runs no program.
    import shutil
    import subprocess

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
