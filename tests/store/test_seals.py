"""Seals: one other byte, key, kind or subject, and the record is not ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from eryphc.errors import Failure
from eryphc.store.faults import StoreError
from eryphc.store.seals import Seals, given_seals, seals

KEY = bytes(range(32))
ABOUT = hashlib.sha256(b"request").hexdigest()
BODY = b'{"reads":{}}'
OUTPUT, TRUST = "eryphc-output/1", "eryphc-trust/1"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def key_file(environment: dict[str, str]) -> Path:
    return Path(environment["XDG_CONFIG_HOME"]) / "eryphc" / "cache-key"


class TestSealing:
    def test_the_form(self) -> None:
        seal = hmac.new(KEY, b"eryphc-output/1\0" + ABOUT.encode() + BODY, hashlib.sha256)
        sealed = Seals(KEY, shared=True).sealed(OUTPUT, BODY, ABOUT)
        assert sealed == f"eryphc-output/1 {seal.hexdigest()}\n".encode() + BODY
        assert Seals(KEY, shared=False).opened(OUTPUT, sealed, ABOUT) == BODY

    def test_every_other_bit_is_refused(self) -> None:
        own = Seals(KEY, shared=True)
        sealed = own.sealed(OUTPUT, BODY, ABOUT)
        for at in range(len(sealed)):
            for bit in range(8):
                other = bytearray(sealed)
                other[at] ^= 1 << bit
                assert own.opened(OUTPUT, bytes(other), ABOUT) is None

    @pytest.mark.parametrize("cut", [0, 1, 15, 80, 81, -1])
    def test_a_part_is_refused(self, cut: int) -> None:
        own = Seals(KEY, shared=True)
        assert own.opened(OUTPUT, own.sealed(OUTPUT, BODY, ABOUT)[:cut], ABOUT) is None

    def test_another_key_kind_or_subject(self) -> None:
        own = Seals(KEY, shared=True)
        sealed = own.sealed(OUTPUT, BODY, ABOUT)
        other = hashlib.sha256(b"other").hexdigest()
        assert Seals(KEY[::-1], shared=True).opened(OUTPUT, sealed, ABOUT) is None
        assert own.opened(TRUST, sealed, ABOUT) is None
        assert own.opened(TRUST, sealed.replace(b"output", b"trust", 1), ABOUT) is None
        assert own.opened(OUTPUT, sealed, other) is None
        assert own.opened(OUTPUT, sealed) is None

    def test_the_key_is_not_shown(self) -> None:
        shown = repr(Seals(KEY, shared=True))
        assert shown == "Seals(shared=True)"


class TestGivenKey:
    @pytest.mark.parametrize(
        "text",
        [
            KEY.hex(),
            KEY.hex().upper(),
            f" {KEY.hex()}\n",
            base64.b64encode(KEY).decode(),
            base64.b64encode(KEY).decode().rstrip("="),
            base64.urlsafe_b64encode(KEY).decode(),
        ],
    )
    def test_hex_and_base64_are_the_same_key(self, text: str, environment: dict[str, str]) -> None:
        given = seals({**environment, "ERYPHC_CACHE_KEY": text})
        assert given.shared
        sealed = Seals(KEY, shared=True).sealed(OUTPUT, BODY)
        assert given.opened(OUTPUT, sealed) == BODY
        assert not key_file(environment).exists()

    @pytest.mark.parametrize("text", ["hunter2", KEY.hex()[:-2], KEY.hex() + "a", "ä" * 64,
                                      base64.b64encode(KEY[:31]).decode(), "=" * 64,
                                      "ab" * 4096])  # fmt: skip
    def test_a_text_that_is_no_key(self, text: str) -> None:
        with pytest.raises(StoreError) as caught:
            given_seals({"ERYPHC_CACHE_KEY": text})
        assert caught.value.failure is Failure.INPUT
        assert caught.value.diagnostic.code.number == "E0904"
        assert text not in repr(caught.value) + str(caught.value.diagnostic._asdict())

    @pytest.mark.parametrize("environment", [{}, {"ERYPHC_CACHE_KEY": ""}])
    def test_none_is_given(self, environment: dict[str, str]) -> None:
        """A workflow without the secret sets the variable to nothing."""
        assert given_seals(environment) is None


class TestOwnKey:
    def test_it_is_made_once_and_private(self, environment: dict[str, str]) -> None:
        first, second = seals(environment), seals(environment)
        assert second.opened(OUTPUT, first.sealed(OUTPUT, BODY)) == BODY
        assert not first.shared
        path = key_file(environment)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [each.name for each in path.parent.iterdir()] == ["cache-key"]
        assert len(bytes.fromhex(path.read_text("ascii"))) == 32

    def test_without_a_place_for_it_each_run_has_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "config").write_bytes(b"")
        environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
        one, other = seals(environment), seals(environment)
        assert one.opened(OUTPUT, one.sealed(OUTPUT, BODY)) == BODY
        assert other.opened(OUTPUT, one.sealed(OUTPUT, BODY)) is None

    def test_another_user_has_another(self, tmp_path: Path) -> None:
        one, other = (seals({"XDG_CONFIG_HOME": str(tmp_path / name)}) for name in "ab")
        assert other.opened(OUTPUT, one.sealed(OUTPUT, BODY)) is None

    def test_runs_that_begin_at_once_have_one_key(self, environment: dict[str, str]) -> None:
        code = (
            f"import os, sys; sys.path[:0] = [{str(ROOT / 'compiler')!r}]\n"
            "from eryphc.store.seals import seals\n"
            "sys.stdin.read()\n"
            f"print(seals(os.environ).sealed({OUTPUT!r}, b''))"
        )
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(6)
        ]
        for run in runs:
            assert run.stdin is not None
            run.stdin.close()
            run.stdin = None
        assert len({run.communicate(timeout=60)[0] for run in runs}) == 1

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
    def test_a_key_that_others_can_read(self, environment: dict[str, str], bits: int) -> None:
        seals(environment)
        key_file(environment).chmod(bits)
        self.refused(environment, "can be read by other users")

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives away")
    def test_a_key_of_another_user(self, environment: dict[str, str]) -> None:
        seals(environment)
        os.chown(key_file(environment), 12345, 12345)
        self.refused(environment, "belongs to another user")

    @pytest.mark.parametrize("text", ["", "hunter2hunter2", "?" * 64])
    def test_a_file_without_a_key(self, environment: dict[str, str], text: str) -> None:
        seals(environment)
        key_file(environment).write_text(text, encoding="ascii")
        self.refused(environment, "holds no key")

    def test_a_pipe_or_a_folder(self, environment: dict[str, str]) -> None:
        path = key_file(environment)
        path.parent.mkdir(parents=True)
        os.mkfifo(path)
        self.refused(environment, "is no plain file")
        path.unlink()
        path.mkdir()
        self.refused(environment, "is no plain file")

    def refused(self, environment: dict[str, str], reason: str) -> None:
        with pytest.raises(StoreError) as caught:
            seals(environment)
        diagnostic = caught.value.diagnostic
        assert diagnostic.code.number == "E1201"
        assert reason in diagnostic.message
        assert "hunter2" not in str(diagnostic._asdict())

    def test_a_link_is_not_followed(self, environment: dict[str, str], tmp_path: Path) -> None:
        path = key_file(environment)
        path.parent.mkdir(parents=True)
        (tmp_path / "foreign").write_text(KEY.hex(), encoding="ascii")
        (tmp_path / "foreign").chmod(0o600)
        path.symlink_to(tmp_path / "foreign")
        with pytest.raises(StoreError):
            seals(environment)
