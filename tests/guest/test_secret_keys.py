"""What a guest keeps secret counts as secret, though nobody declared it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from eryphc.cli.app import run
from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.secret_keys import with_undeclared
from eryphc.ir.catlet import Fodder
from guest.feeding import fodder
from saying import said

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----"


def marked(*entries: Fodder) -> tuple[list[bool], list[Diagnostic]]:
    after, found = with_undeclared(entries, TextReader())
    return [bool(each.secret) for each in after], [said(each) for each in found]


SECRET = {
    "password": "password: hunter2",
    "chpasswd.list": "chpasswd: {list: 'root:secret'}",
    "chpasswd.list as a list": "chpasswd: {list: ['root:secret']}",
    "chpasswd.list in a block": "chpasswd:\n  list: |\n    a:RANDOM\n    b:secret",
    "chpasswd.users": "chpasswd: {users: [{name: a, password: secret}]}",
    "passwd": "users: [default, {name: a, passwd: $6$abc$def}]",
    "hashed_passwd": "users: [{name: a, hashed_passwd: $6$abc$def}]",
    "plain_text_passwd": "users: [{name: a, plain_text_passwd: secret}]",
    "users as a map": "users: {a: {plain_text_passwd: secret}}",
    "user": "user: {name: a, plain_text_passwd: secret}",
    "a number": "users: [{name: a, plain_text_passwd: 1234}]",
    "ssh_keys": f"ssh_keys:\n  ed25519_private: {json.dumps(KEY)}",
    "a key in a file": f"write_files: [{{path: /x, content: {json.dumps(KEY)}}}]",
    "a token": "ubuntu_pro: {token: C1234}",
}


@pytest.mark.parametrize("text", SECRET.values(), ids=SECRET)
def test_a_secret(text: str) -> None:
    secret, found = marked(fodder(f"#cloud-config\n{text}\n"))
    assert secret == [True]
    assert [each.code.number for each in found] == ["N0576"]


PUBLIC = {
    "nothing": "hostname: a",
    "a locked user": "users: [{name: a, passwd: '!', lock_passwd: true}]",
    "a star": "users: [{name: a, hashed_passwd: '*'}]",
    "no password": "users: [{name: a, passwd: }]",
    "a random password": "chpasswd: {users: [{name: a, type: RANDOM}], list: ['b:R']}",
    "public keys": "ssh_keys: {ed25519_public: ssh-ed25519 AAAA}",
    "keys of users": "ssh_authorized_keys: [ssh-ed25519 AAAA]",
    "a word in a text": "final_message: your password is in the vault",
    "logins over ssh": "ssh_pwauth: true",
}


@pytest.mark.parametrize("text", PUBLIC.values(), ids=PUBLIC)
def test_no_secret(text: str) -> None:
    assert marked(fodder(f"#cloud-config\n{text}\n")) == ([False], [])


def test_what_is_declared_needs_no_note() -> None:
    text = f"#cloud-config\n{SECRET['password']}\n"
    assert marked(fodder(text, secret=True)) == ([True], [])


def test_other_forms_are_looked_at() -> None:
    template = "## template: jinja\n#cloud-config\npassword: {{ v1.x }}abc\n"
    archive = "#cloud-config-archive\n- type: text/cloud-config\n  content: 'password: a'\n"
    script = f"#!/bin/sh\ncat > /k <<'E'\n{KEY}\nE\n"
    plain = "#!/bin/sh\necho password\n"
    secret, _ = marked(
        fodder(template),
        fodder(archive, "cloud-config-archive"),
        fodder(script, "shellscript"),
        fodder(plain, "shellscript"),
    )
    assert secret == [True, True, True, False]


def test_files_are_for_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "#cloud-config\nchpasswd: {list: 'root:correct-horse'}\nhostnam: x\n"
    spec = {"name": "web", "fodder": [{"name": "login", "content": text}]}
    Path("web.json").write_text(json.dumps(spec), encoding="utf-8")
    assert run(["build", "web.json", "--target", "cloud-init", "-o", "out"]) == 0
    shown = "".join(capsys.readouterr())
    assert "N0576" in shown
    assert "correct-horse" not in shown
    (folder,) = (path.parent for path in Path("out").rglob("manifest.json"))
    files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    secret = {each["path"] for each in files if each["secret"]}
    assert {"web.iso", "nocloud/user-data"} <= secret
    for path in secret:
        assert stat.S_IMODE((folder / path).stat().st_mode) == 0o600
