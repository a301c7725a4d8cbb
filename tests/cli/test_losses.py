"""What `check` prints of losses, and what `report.json` says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from syrupy.assertion import SnapshotAssertion

from cli.command_line import CommandLine
from eryphc import LossLevel, Target, schema_text
from golden import Golden

CANARY = "CaNaRy4711"
NETWORK = "version: 2\nethernets: {eth0: {dhcp4: true}}\n"

FULL = """\
name: web
hostname: shop
location: abc
cpu: 2
drives:
- {name: sda, size: 20}
- {name: cd, type: dvd, size: 4}
network_adapters:
- {name: eth0, mac_address_spoofing: true}
networks:
- name: lan
  subnet_v4: {name: office}
capabilities: [tpm, sound]
variables:
- {name: token, value: CaNaRy4711, secret: true}
fodder:
- name: private
  secret: true
  content: |
    write_files: [{path: /etc/token, content: 'CaNaRy4711 {{ token }}'}]
"""
ALL = ("check", "web.yaml", "--target", "all", "--no-input", "--guest", "linux")


def test_text_after_the_diagnostics(eryphc: CommandLine, snapshot: SnapshotAssertion) -> None:
    eryphc.write("web.yaml", FULL)
    done = eryphc(*ALL, "--losses", "text", "--sealed", "--instance-id", "web-1")
    assert done.code == 0
    assert CANARY not in done.out + done.err
    assert done.out == snapshot(extension_class=Golden)


def test_json_alone_on_standard_output(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", FULL)
    done = eryphc(*ALL, "--losses", "json", "--diagnostics", "json")
    data = json.loads(done.out)
    Draft202012Validator(json.loads(schema_text("losses"))).validate(data)
    assert CANARY not in done.out + done.err
    assert {each["target"] for each in data["losses"]} == set(Target)
    assert {each["level"] for each in data["losses"]} == set(LossLevel)
    assert {each["code"] for each in json.loads(done.err)} >= {"W1502", "W0706", "W0707"}


def test_a_table_does_not_stand_between_diagnostics_that_programs_read(
    eryphc: CommandLine,
) -> None:
    eryphc.write("web.yaml", "name: web\ncpu: 2\n")
    done = eryphc("check", "web.yaml", "--losses", "text", "--diagnostics", "sarif")
    assert json.loads(done.err)["runs"]
    assert done.out.splitlines()[0].split() == ["TARGET", "LEVEL", "WHAT", "WHERE", "WHY"]


def test_nothing_lost_is_said(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\n")
    done = eryphc("check", "web.yaml", "--losses", "text", "--guest", "linux")
    assert (done.code, done.out) == (0, "")
    assert "nothing is lost with cloud-init" in done.err
    done = eryphc("check", "web.yaml", "--losses", "json")
    assert json.loads(done.out) == {"schema": "eryphc/losses/v1", "losses": []}


def test_several_specs_have_one_table(eryphc: CommandLine) -> None:
    for name in ("a", "b"):
        eryphc.write(f"{name}.yaml", f"name: {name}\ncpu: 2\n")
    done = eryphc("check", "a.yaml", "b.yaml", "--target=user-data", "--sealed", "--losses", "json")
    found = [(each["path"], each["file"]) for each in json.loads(done.out)["losses"]]
    assert found == [("cpu.count", "a.yaml"), ("--sealed", None), ("cpu.count", "b.yaml")]


def test_strict_counts_the_warnings_alone(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\nhostname: shop\ncpu: 2\n")
    eryphc.write("net.yaml", NETWORK)
    command = ("check", "web.yaml", "--target", "user-data", "--guest", "linux", "--strict")
    assert eryphc(*command, "--losses", "text").code == 0
    file = ("--network-config", "net.yaml")
    assert eryphc(*command, *file).code == 1
    allowed = eryphc(*command, *file, "--allow", "target-loss", "--losses", "text")
    assert allowed.code == 0
    assert "--network-config" in allowed.out
    assert "W1502" not in allowed.out


def test_a_comment_silences_one(eryphc: CommandLine) -> None:
    eryphc.write(
        "web.yaml", "name: web\n# eryphc: allow target-loss -- EC2 names it\nhostname: a\n"
    )
    done = eryphc("check", "web.yaml", "--target", "user-data", "--guest", "linux")
    assert (done.code, done.out) == (0, "")


def test_a_lone_image_says_nothing_of_what_it_cannot_hold(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", FULL)
    done = eryphc("build", "web.yaml", "--target", "cloud-init", "--guest", "linux")
    assert (done.code, "W1502" in done.err) == (0, False)


def test_all_is_for_check_alone(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\n")
    assert eryphc("check", "web.yaml", "--target", "hyperv,all", "--platform", "ec2").code == 0
    refused = eryphc("build", "web.yaml", "--target", "all")
    assert refused.code == 2
    assert "name the targets: --target cloud-init --target hyperv" in refused.err
    assert list(eryphc.folder.glob("build*")) == []


# --- report.json -----------------------------------------------------------------------------


def report(eryphc: CommandLine, *arguments: str) -> dict[str, Any]:
    done = eryphc("build", *arguments, "--target", "user-data", "-o", "out", "--no-input")
    assert done.code == 0, done.err
    data: dict[str, Any] = json.loads(Path("out/report.json").read_text("utf-8"))
    return data


def test_the_report_lists_them(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", FULL)
    found = report(eryphc, "web.yaml", "--sealed")["losses"]
    assert found[0] == {
        "path": "hostname",
        "level": "note",
        "message": "the platform gives the machine its name; `hostname` in a cloud-config would "
        "win over that",
        "file": "web.yaml",
        "line": 2,
    }
    assert found[-1]["path"] == "--sealed"
    assert (found[-1]["file"], found[-1]["line"]) == (None, None)
    assert CANARY not in json.dumps(found)


@pytest.mark.parametrize("project", [True, False])
def test_the_report_is_the_same_from_every_folder(
    eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch, *, project: bool
) -> None:
    parent = "name: base\ncpu: 2\n"
    for root in ("one", "two/deep"):
        eryphc.write(f"{root}/specs/web.yaml", "name: web\nparent: acme/base/1.0\nhostname: a\n")
        genes = f"{root}/specs/genes/acme/base/1.0"
        eryphc.write(f"{genes}/catlet.yaml", parent)
        eryphc.write(f"{genes}/geneset-tag.json", '{"version": "1.0", "geneset": "acme/base/1.0"}')
        if project:
            eryphc.write(f"{root}/eryphc.yaml", "{}\n")
    reports = []
    for folder, spec in (
        (".", "one/specs/web.yaml"),
        ("one/specs", "web.yaml"),
        (".", str(eryphc.folder / "two/deep/specs")),
    ):
        monkeypatch.chdir(eryphc.folder / folder)
        if spec.endswith("specs"):
            eryphc.write("two/deep/specs/catlet.yaml", "")
            Path(spec, "web.yaml").replace(Path(spec, "catlet.yaml"))
        reports.append([(e["path"], e["file"], e["line"]) for e in report(eryphc, spec)["losses"]])
    place = "specs/web.yaml" if project else "web.yaml"
    assert reports[0] == [
        ("hostname", place, 3),
        ("cpu.count", "gene:acme/base/1.0:catlet", 2),
    ]
    assert reports[1] == reports[0]
    assert reports[2][1:] == reports[0][1:]
    assert reports[2][0][1] == place.replace("web", "catlet")
