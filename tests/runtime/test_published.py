"""Every catlet of the published pool: built for Hyper-V, applied to the model, nothing left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from places import PUBLISHED
from runtime.deployments import Desk
from runtime.hyperv_model import Model, vhdx

# Its parent is not in the pool.
ORPHANS = {"dbosoft/win11-21h2-enterprise/starter-1.0"}
NEEDED = {
    "dbosoft/vsts-agent/win2022-1.0": (
        "clientid",
        "clientsecret",
        "tenantid",
        "agentpassword",
        "devopsurls",
    )
}
CATLETS = sorted(
    {
        "/".join(path.parent.relative_to(PUBLISHED).parts)
        for path in PUBLISHED.glob("*/*/*/catlet.yaml")
    }
    - ORPHANS
)
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One build of a child of each catlet; the folder of the targets, by number."""
    folder = tmp_path_factory.mktemp("published")
    specs = []
    for number, parent in enumerate(CATLETS):
        spec = folder / f"c{number}.yaml"
        values = "".join(f"- name: {name}\n  value: x\n" for name in NEEDED.get(parent, ()))
        text = f"name: c{number}\nparent: {parent}\n"
        spec.write_text(text + (f"variables:\n{values}" if values else ""), encoding="utf-8")
        specs.append(spec.name)
    command = [sys.executable, "-m", "eryphc", "build", *specs, "--target", "hyperv"]
    command += ["--genepool", str(PUBLISHED), "--no-input", "-o", "out"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "out"


@pytest.mark.parametrize("number", range(len(CATLETS)), ids=CATLETS)
def test_apply_leaves_nothing_to_do(built: Path, number: int) -> None:
    folder = built / f"c{number}" / "hyperv"
    host = Model()
    desk = Desk.of(folder)
    before = host.world.snapshot()["machines"]
    options: list[str] = ["--param", "switch-default=LAN"]
    for volume in json.loads((folder / "deployment.json").read_text("ascii"))["volumes"]:
        disk = folder.parent / f"{volume['name']}.vhdx"
        disk.write_bytes(vhdx(2, volume["name"].encode()))
        options += ["--volume", f"{volume['name']}={disk}"]
    applied = desk.run(host, "apply", *options, full=False)
    assert applied.code == 0, applied
    planned: dict[str, Any] = desk.run(host, "plan", full=False).report
    assert planned["changes"] == []
    assert desk.run(host, "remove", full=False).code == 0
    assert host.world.snapshot()["machines"] == before
