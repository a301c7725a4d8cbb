"""Keys of people for tests, made by the real `ssh-keygen`."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import pytest


class Signer(NamedTuple):
    """A private key, and who has it."""

    name: str
    key: Path

    @property
    def public(self) -> str:
        """The type and the text of the public key."""
        return " ".join(self.key.with_suffix(".pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        said = run("ssh-keygen", "-l", "-f", str(self.key))
        return said.split()[1]

    def line(self, options: str = "", name: str | None = None) -> str:
        """A line of a file of allowed signers."""
        return " ".join(filter(None, (name or self.name, options, self.public))) + "\n"


def run(program: str, *arguments: str, stdin: bytes = b"") -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program}")
    return subprocess.run(
        [found, *arguments], input=stdin, capture_output=True, check=True
    ).stdout.decode()


def made(folder: Path, name: str, kind: str = "ed25519") -> Signer:
    """A new key without a passphrase."""
    key = folder / f"{name.partition('@')[0]}-{kind}"
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a test", "-f", str(key))
    return Signer(name, key)


def signer(name: str, kind: str = "ed25519") -> Signer:
    """The key of a person, the same for all tests of a process."""
    return _signer(name, kind)


@cache
def _signer(name: str, kind: str) -> Signer:
    return made(_folder(), name, kind)


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="eryphc-keys-"))
