"""Seals: which records and notes in a cache this user, or this user's CI, has written.

A cache folder can be copied, and somebody else can have written it. The key does not lie in it, so
a record that another wrote has no seal that fits. A seal is HMAC-SHA256. Its text begins with what
is sealed, so that a record never counts as a note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from eryphc.diagnostics.command import bad_option_value
from eryphc.diagnostics.store import key_foreign
from eryphc.errors import Failure
from eryphc.source import shown_path
from eryphc.store.faults import StoreError, unreadable
from eryphc.store.locks import PLAIN
from eryphc.store.places import configuration_folder, make_private

TRUST_NOTE: Final = "eryphc-trust/1"
OUTPUT_RECORD: Final = "eryphc-output/1"
KEY_VARIABLE: Final = "ERYPHC_CACHE_KEY"
_KEY_FILE: Final = "cache-key"
_LEAST: Final = 32
_MOST: Final = 4096
_SEAL: Final = re.compile(rb"([a-z]+-[a-z]+/1) ([0-9a-f]{64})\n")


class Seals:
    """Seals with one key. `shared`: the key was given, so other machines may have it too."""

    def __init__(self, key: bytes, *, shared: bool) -> None:
        self._key = key
        self.shared = shared

    def __repr__(self) -> str:
        return f"Seals(shared={self.shared})"

    def sealed(self, kind: str, body: bytes, about: str = "") -> bytes:
        """`body` under a first line with the kind and its seal.

        `kind` is such as "eryphc-trust/1"; `about` is what the body speaks of and does not say: a
        key of 64 hex digits, or nothing.
        """
        return f"{kind} {self._seal(kind, body, about)}\n".encode() + body

    def opened(self, kind: str, data: bytes, about: str = "") -> bytes | None:
        """The body of what `sealed` gave; None if any byte of it is another."""
        found = _SEAL.match(data)
        if found is None or found[1] != kind.encode():
            return None
        body = data[found.end() :]
        right = hmac.compare_digest(found[2], self._seal(kind, body, about).encode())
        return body if right else None

    def _seal(self, kind: str, body: bytes, about: str) -> str:
        text = f"{kind}\0{about}".encode() + body
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def seals(environment: Mapping[str, str]) -> Seals:
    """Those of the key in `ERYPHC_CACHE_KEY`, else of the user's own key, made where there is none.

    Where no file can be written it is a key of this run alone, so that no later run takes what it
    seals. Raises StoreError for a key that is not private, and for a text that is no key.
    """
    given = given_seals(environment)
    if given is not None:
        return given
    folder = configuration_folder(environment)
    path = folder / _KEY_FILE
    key = _read_key(path)
    if key is None:
        with suppress(OSError):
            _make_key(folder, path)
        key = _read_key(path)
    return Seals(key or secrets.token_bytes(_LEAST), shared=False)


def given_seals(environment: Mapping[str, str]) -> Seals | None:
    """Those of the key in `ERYPHC_CACHE_KEY`; None without one. Raises StoreError."""
    text = environment.get(KEY_VARIABLE, "").strip()
    if not text:
        return None
    key = _key_of(text)
    if key is None:
        # The text is not repeated: it is most of a key.
        reason = f"it is not at least {_LEAST} bytes as base64 or as hex digits"
        help_text = "make one with `openssl rand -hex 32`"
        raise StoreError(bad_option_value(KEY_VARIABLE, reason, help_text), Failure.INPUT)
    return Seals(key, shared=True)


def _key_of(text: str) -> bytes | None:
    """The bytes that a text means. Hex digits are also base64, and mean hex."""
    if len(text) > _MOST:
        return None
    try:
        if re.fullmatch(r"[0-9A-Fa-f]+", text) is not None:
            key = bytes.fromhex(text)
        else:
            plain = text.replace("-", "+").replace("_", "/").rstrip("=")
            key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) >= _LEAST else None


def _read_key(path: Path) -> bytes | None:
    """The user's key, None where there is none. Raises StoreError for one that is not private."""
    try:
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    reason = _not_private(os.fstat(descriptor))
    if reason is not None:
        os.close(descriptor)
        raise StoreError(key_foreign(shown_path(path), reason))
    with os.fdopen(descriptor, "rb") as file:
        key = _key_of(file.read(_MOST).decode("ascii", "replace").strip())
    if key is None:
        raise StoreError(key_foreign(shown_path(path), "holds no key"))
    return key


def _not_private(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "is no plain file"
    if sys.platform == "win32":
        return None
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    return "can be read by other users" if status.st_mode & 0o077 else None


def _make_key(folder: Path, path: Path) -> None:
    """Make a key, unless another run has just made one. Raises OSError."""
    part = folder / f".{_KEY_FILE}.{secrets.token_hex(8)}"
    make_private(folder)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(_LEAST)}\n")
            file.flush()
            os.fsync(descriptor)
        try:
            # A link replaces nothing, so two runs agree on the first key.
            os.link(part, path)
        except FileExistsError:
            return
        except OSError:
            # Some file systems have no links.
            os.replace(part, path)  # noqa: PTH105
    finally:
        with suppress(OSError):
            part.unlink()
