"""What docs/signing.md says is so: its commands run against a real registry, its settings count."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eryphc.project.file import read_project
from eryphc.source import SourceText
from eryphc.targets.definition import project_sections
from sharing.publishing import MOTD
from sharing.test_trust import CI, Team, team

__all__ = ["team"]

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs/signing.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_policy_can_be_read(team: Team) -> None:
    ((_, text),) = [block for block in BLOCKS if block[0] == "yaml"]
    found = read_project(SourceText("eryphc.yaml", text), Path(), project_sections())
    assert found.value is not None, found.diagnostics
    ((_, keys),) = [block for block in BLOCKS if block[0] == "text"]
    team.asks("trust:\n" + text.partition("trust:\n")[2], keys)
    team.publishes()
    assert team.refused() == (1, ["E1022"])


@pytest.mark.skipif(
    not (shutil.which("ssh-keygen") and shutil.which("skopeo")), reason="no ssh-keygen or skopeo"
)
def test_the_commands_run_as_they_stand_there(team: Team) -> None:
    """But for the name of the registry, and that it is asked over plain http."""
    manifest = {"version": "1.1", "geneset": "acme/motd/1.0"}
    team.eryphc.write("motd/1.0/geneset-tag.json", json.dumps(manifest))
    team.eryphc.write("motd/1.0/fodder/motd.yaml", MOTD.format("UTC"))
    generate, push, sign, check = (text for language, text in BLOCKS if language == "sh")
    assert sh(team, generate) == ""
    public = (team.eryphc.folder / "signing-key.pub").read_text()
    team.eryphc.write("allowed_signers", f"{CI} {public}")
    assert sh(team, push.replace("push", "push --replace")) == sh(team, sign)
    assert sh(team, sign) == f"{team.publish.host}/genes/acme/motd:1.0\n"
    identity = json.loads(sh(team, "eryphc gene pack motd/1.0 --format json"))[0]["digest"]
    check = check.replace("registry.example.com", team.publish.host)
    said = sh(team, check.replace("skopeo inspect", "skopeo inspect --tls-verify=false"))
    good, digest = said.splitlines()
    assert good.startswith(f'Good "eryphc-geneset" signature for {CI} with ED25519 key SHA256:')
    assert f"sha256:{digest.split()[0]}" == identity


def sh(team: Team, script: str) -> str:
    """What a script prints, with this interpreter's `eryphc` and `python3`."""
    python = f'"{sys.executable}"'
    own = f'set -e\neryphc() {{ {python} -m eryphc "$@"; }}\npython3() {{ {python} "$@"; }}\n'
    done = subprocess.run(
        ["sh", "-c", own + script],
        cwd=team.eryphc.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
