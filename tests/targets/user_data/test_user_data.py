"""The target from a specification to its folder."""

from __future__ import annotations

import json
import stat
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from eryphc import BuildRequest, Session, Source, Target, target_options
from eryphc.cli.app import run
from golden import Golden

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
PRIVATE = """
name: web
fodder:
- name: token
  secret: true
  content: |
    write_files: [{path: /etc/token, content: canary-4711, permissions: '0600'}]
"""
LARGE = """
name: web
fodder:
- name: noise
  type: shellscript
  content: |
    #!/bin/sh
    : %s
- name: small
  content: |
    packages: [nginx]
"""


def request(platform: str = "generic", **more: Any) -> BuildRequest:
    options = target_options(Target.USER_DATA, {"--platform": [platform]})
    return BuildRequest(targets=(options,), **more)


def build(text: str, platform: str = "generic") -> Any:
    session = Session(EXAMPLES, environment={})
    return session.build(Source("web.yaml", text), Target.USER_DATA, request(platform))


def content(built: Any, name: str) -> bytes:
    data = built.files[name].content
    assert isinstance(data, bytes)
    return data


def noise(size: int) -> str:
    # Characters in an order that no compressor shortens by much.
    state, found = 7, []
    for _ in range(size):
        state = (state * 1103515245 + 12345) % 2**31
        found.append(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[state >> 25]
        )
    text = "".join(found)
    # Lines that mail carries as they are.
    return "\n    : ".join(text[start : start + 900] for start in range(0, size, 900))


@pytest.mark.parametrize("platform", ["generic", "openstack"])
def test_the_folder(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.chdir(EXAMPLES)
    command = ["build", "prod-server.yaml", "--target", "user-data", "--platform", platform]
    out = tmp_path / "out"
    code = run([*command, "--no-input", "--output", str(out)])
    assert code == 0
    shown = []
    for path in sorted(out.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        shown.append(f"=== {path.name} {mode:04o}\n{path.read_text()}")
    assert "\n".join(shown) == snapshot(extension_class=Golden)


def test_the_bytes_are_those_of_the_iso() -> None:
    session = Session(EXAMPLES)
    spec = EXAMPLES / "web-config.yaml"
    iso = session.build(spec, Target.CLOUD_INIT, request())
    built = session.build(spec, Target.USER_DATA, request("ec2"))
    assert content(built, "user-data") == content(iso, "nocloud/user-data")
    assert "user-data.b64" not in built.files


def test_base64_is_one_line() -> None:
    built = build(LARGE % noise(5000), "openstack")
    text = content(built, "user-data.b64")
    assert b"\n" not in text
    assert b64decode(text, validate=True) == content(built, "user-data")


def test_secrets_stay_in_files_of_the_owner(tmp_path: Path) -> None:
    built = build(PRIVATE, "openstack")
    written = built.write(tmp_path / "out")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert set(modes.values()) == {0o600}
    assert {file.path for file in written if file.secret} == {"user-data", "user-data.b64"}
    assert b"canary" not in content(built, "report.json")


def test_secrets_that_every_process_can_read_are_told() -> None:
    assert [d.code for d in build(PRIVATE, "ec2").diagnostics if d.code == "W1503"] == ["W1503"]
    (found,) = (d for d in build(PRIVATE, "gce").diagnostics if d.code == "W1503")
    assert (found.line, "Compute Engine" in found.message, "`token`" in found.message) == (
        4,
        True,
        True,
    )
    for platform in ("generic", "azure", "linode"):
        assert "W1503" not in [d.code for d in build(PRIVATE, platform).diagnostics]


def test_too_much_is_an_error_at_the_fodder() -> None:
    built = build(LARGE % noise(70_000), "ec2")
    assert not built.ok
    assert built.files == {}
    (found,) = (d for d in built.diagnostics if d.code == "E1501")
    assert (found.line, found.column) == (3, 1)
    assert "EC2 has 16,384" in found.message
    assert "`noise` 70,2" in found.notes[1]


def test_the_error_may_be_lowered() -> None:
    session = Session(EXAMPLES)
    spec = Source("web.yaml", LARGE % noise(70_000))
    asked = request("ec2", levels={"user-data-budget": "warn"})
    built = session.build(spec, Target.USER_DATA, asked)
    assert built.ok
    assert json.loads(content(built, "report.json"))["form"] == "gzip"


def test_where_the_limit_is_a_setting_it_is_a_warning() -> None:
    built = build(LARGE % noise(70_000), "cloudstack")
    assert built.ok
    assert [d.level.value for d in built.diagnostics if d.code == "E1501"] == ["warning"]


def test_the_report_counts() -> None:
    built = build(LARGE % noise(20_000), "ec2")
    report = json.loads(content(built, "report.json"))
    assert report["form"] == "gzip"
    assert report["bytes"] == len(content(built, "user-data")) == report["forms"]["gzip"]
    assert (
        sum(entry["bytes"] for entry in report["fodder"]) + report["other"]
        == (report["forms"]["seed"])
    )
    assert [entry["name"] for entry in report["fodder"]] == ["noise", "small"]


def test_without_a_platform_the_report_says_who_would_take_it() -> None:
    report = json.loads(content(build(LARGE % noise(20_000)), "report.json"))
    assert (report["limit"], report["form"]) == (None, "seed")
    assert report["fits"]["ec2"] == "gzip"
    assert report["fits"]["azure"] == "seed"
    assert report["fits"]["hetzner"] == "seed"


def test_an_empty_catlet_has_empty_user_data() -> None:
    built = build("name: web\n", "openstack")
    assert content(built, "user-data") == content(built, "user-data.b64") == b""


def test_an_unknown_platform_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "web.yaml", "--target", "user-data", "--platform", "ec3"]) == 2
    said = capsys.readouterr()
    assert "`ec3` is not one of `generic`, `ec2`" in said.out + said.err


def test_two_platforms_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--platform", "ec2", "--platform", "gce"]
    assert run(["check", "web.yaml", "--target", "user-data", *words]) != 0
    said = capsys.readouterr()
    assert "`ec2` and `gce` are two platforms" in said.out + said.err


def test_platform_without_the_target_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "web.yaml", "--platform", "ec2"]) == 2
    said = capsys.readouterr()
    assert "has no effect without `--target user-data`" in said.out + said.err


def test_check_tells_the_sizes_to_those_who_ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "web.yaml"
    spec.write_text(LARGE % "x")
    assert run(["check", str(spec), "--target", "user-data", "-v"]) == 0
    said = capsys.readouterr().err
    assert "bytes in the form seed (seed " in said
    assert "14 noise\n" in said
