"""Signatures by the real `ssh-keygen`: who is believed, and what is no signature of these bytes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from eryphc import signing
from eryphc.signing import Checked, SigningError, check, check_intact, public_key, read_keys, sign
from signers import made, signer

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")

DATA = b"what is signed"
SPACE = "eryphc-geneset"
CI = "ci@acme.example"
EVE = "eve@other.example"


def armored(data: bytes = DATA, space: str = SPACE, who: str = CI) -> bytes:
    return sign(data, signer(who).key, space).encode()


def checked(
    signature: bytes, keys: str, data: bytes = DATA, signers: tuple[str, ...] = ("*",)
) -> Checked:
    return check(data, signature, keys.encode(), SPACE, signers, called="allowed_signers")


def test_a_signer_that_is_known() -> None:
    ci = signer(CI)
    assert checked(armored(), ci.line()) == Checked(CI, key=ci.fingerprint)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_kinds_of_keys(kind: str) -> None:
    ci = signer(CI, kind)
    signature = sign(DATA, ci.key, SPACE).encode()
    assert checked(signature, ci.line()) == Checked(CI, key=ci.fingerprint)


@pytest.mark.parametrize(
    ("signature", "intact"),
    [
        pytest.param(lambda: armored(b"what is not"), False, id="other content"),
        pytest.param(lambda: armored(space="eryphc-index"), False, id="another use"),
        pytest.param(lambda: armored(space="git"), False, id="another program"),
        pytest.param(lambda: b"", False, id="nothing"),
        pytest.param(lambda: b"-----BEGIN SSH SIGNATURE-----\n" * 9, False, id="no signature"),
        pytest.param(lambda: armored() + b"\n" * signing.LONGEST, False, id="a long one"),
        pytest.param(lambda: armored(who=EVE), True, id="somebody else"),
    ],
)  # fmt: skip
def test_a_signature_of_something_else(signature: Callable[[], bytes], intact: object) -> None:
    found = checked(signature(), signer(CI).line())
    assert (found.principal, found.intact) == (None, intact)
    assert found.reason


def test_every_byte_of_a_signature_counts() -> None:
    whole = armored()
    own = public_key(whole)
    lines = whole.split(b"\n")
    body = len(lines[0]) + 1
    step = 1 if os.environ.get("ERYPHC_COMPLETE") else 7
    for at in range(body, len(whole) - len(lines[-2]) - 2, step):
        if whole[at : at + 1] == b"\n":
            continue
        other = bytearray(whole)
        other[at] ^= 1
        found = checked(bytes(other), signer(CI).line())
        assert found.principal is None, at
        assert not found.intact or public_key(bytes(other)) != own


@pytest.mark.parametrize(
    ("options", "name", "says"),
    [
        ('valid-before="20200101"', None, "not for today"),
        ('valid-after="20990101"', None, "not for today"),
        ('namespaces="git"', None, f"does not let `{CI}` sign this"),
        ("", EVE, f"by `{EVE}`"),
    ],
)
def test_a_key_that_does_not_count(options: str, name: str | None, says: str) -> None:
    found = checked(armored(), signer(CI).line(options, name), signers=("*@acme.example",))
    assert found.principal is None
    assert says in found.reason
    assert (found.intact, found.key) == (True, signer(CI).fingerprint)


@pytest.mark.parametrize(
    ("name", "signers", "principal"),
    [
        pytest.param(f"{EVE},{CI}", ("*@acme.example",), CI, id="one of several names"),
        pytest.param('"ci bot"', ("ci bot",), "ci bot", id="a name with a blank"),
        pytest.param("*@acme.example", ("*@acme.example",), "*@acme.example", id="a pattern"),
        pytest.param(CI, ("CI@acme.example",), None, id="another case"),
        pytest.param(CI, ("*@acme.examples", "ci"), None, id="nearly the name"),
        pytest.param(CI, (), None, id="nobody"),
    ],
)
def test_who_is_believed(name: str, signers: tuple[str, ...], principal: str | None) -> None:
    assert checked(armored(), signer(CI).line(name=name), signers=signers).principal == principal


@pytest.mark.parametrize("keys", ["", "# nobody\n", "no keys at all\n", "\0\n", "x" * 100_000])
def test_files_of_keys_that_hold_none(keys: str) -> None:
    assert checked(armored(), keys).principal is None


def test_whether_somebody_signed() -> None:
    assert check_intact(DATA, armored(), SPACE) == signer(CI).fingerprint
    assert check_intact(DATA, armored(who=EVE), SPACE) == signer(EVE).fingerprint
    assert check_intact(DATA, armored(b"other"), SPACE) is None
    assert check_intact(DATA, b"x" * (signing.LONGEST + 1), SPACE) is None


def test_the_key_that_a_signature_names() -> None:
    assert public_key(armored()) == public_key(armored(b"other", "git")) != None  # noqa: E711
    assert public_key(armored()) != public_key(armored(who=EVE))
    for text in (b"", b"-----", b"-----A-----====-----", b"-----A-----U1NI-----", b"\xff" * 9):
        assert public_key(text) is None


def test_a_private_key_that_others_can_read(tmp_path: Path) -> None:
    key = made(tmp_path, CI).key
    for mode in (0o640, 0o604, 0o620, 0o601):
        key.chmod(mode)
        with pytest.raises(SigningError, match="that others can read") as refused:
            sign(DATA, key, SPACE)
        assert refused.value.diagnostic.code.number == "E1032"
    key.chmod(0o600)
    assert sign(DATA, key, SPACE)


def test_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    signature = armored()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SigningError) as refused:
        checked(signature, "")
    assert (refused.value.diagnostic.code.number, refused.value.outside) == ("E1024", True)


def test_reading_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(signer(CI).line())
    assert read_keys(path) == signer(CI).line().encode()
    path.write_bytes(b"#" * (signing.MOST_KEYS + 1))
    os.mkfifo(tmp_path / "pipe")
    for wrong in (path, tmp_path, tmp_path / "none", tmp_path / "pipe", path / "x"):
        with pytest.raises(SigningError):
            read_keys(wrong)
