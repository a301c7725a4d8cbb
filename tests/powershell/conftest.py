"""A PowerShell engine and a model of a Hyper-V host for the tests in this folder.

Without the engine and its stand-in cmdlets (tests/README.md) every test here is skipped. A real
`pwsh`, where one is installed, runs the same programs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from places import CMDLETS, NO_POWERSHELL, POWERSHELL

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULES = ("Hyper-V", "CimCmdlets", "HgsClient", "Storage", "NetTCPIP")
# A process runs its program once; a third of its time went into optimising code of .NET.
FAST = {"DOTNET_JITMinOpts": "1"}
DEFAULT_SWITCH = "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444"


@pytest.fixture(scope="session")
def pslite() -> Path:
    """The executable of the engine; unpacked once."""
    if not POWERSHELL.is_dir():
        pytest.skip(NO_POWERSHELL)
    done = subprocess.run(
        [str(POWERSHELL / "unpack.sh")], capture_output=True, text=True, check=True, timeout=120
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def standins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of modules whose cmdlets bind as the documented ones do."""
    if not POWERSHELL.is_dir():
        pytest.skip(NO_POWERSHELL)
    out = tmp_path_factory.mktemp("modules")
    command = [sys.executable, str(POWERSHELL / "hyperv_standins.py"), "--data", str(CMDLETS)]
    command += ["--out", str(out)]
    for module in MODULES:
        command += ["--module", module]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
    return out


@dataclass
class ModelHost:
    """One host of the model: its state file, its drive `C:` and the calls that reached it."""

    executable: Path
    modules: Path
    folder: Path
    compat: str | None = None
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def drive(self) -> Path:
        return self.folder / "drive"

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def calls_file(self) -> Path:
        return self.folder / "calls.jsonl"

    def prepare(self) -> None:
        self.drive.mkdir(parents=True)
        tools = self.folder / "bin"
        tools.mkdir()
        icacls = tools / "icacls.exe"
        icacls.write_text(f'#!/bin/sh\necho "$@" >> "{self.folder}/icacls.log"\n', encoding="utf-8")
        icacls.chmod(0o755)
        # What the runtime starts on this "host".
        powershell = tools / "powershell.exe"
        powershell.write_text(f'#!/bin/sh\nexec {self.executable} "$@"\n', encoding="utf-8")
        powershell.chmod(0o755)
        for name in ("vms", "disks", "store"):
            (self.drive / name).mkdir()
        self.write_state(
            {
                "host": {
                    "processors": 8,
                    "memory": 64 * 2**30,
                    "free": 500 * 2**30,
                    "build": 20348,
                    "machines": "C:\\vms",
                    "disks": "C:\\disks",
                    "templates": ["MicrosoftWindows", "MicrosoftUEFICertificateAuthority"],
                },
                "switches": [
                    {"Name": "Standardswitch", "Id": DEFAULT_SWITCH, "Type": "Internal"},
                    {
                        "Name": "lan",
                        "Id": "11111111-1111-4111-8111-111111111111",
                        "Type": "External",
                    },
                ],
                "vms": [],
            }
        )

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "LANG": "C.UTF-8",
            "PSModulePath": str(self.modules),
            "HYPERV_MODEL": str(HERE / "model.ps1"),
            "HYPERV_STATE": str(self.state_file),
            "HYPERV_DRIVE": str(self.drive),
            "HYPERV_CALLS": str(self.calls_file),
            "PSLITE_WINPATHS": "1",
            "PSLITE_SLEEP": "0.01",
            **FAST,
        }
        if self.compat:
            environment["PSLITE_COMPAT"] = self.compat
        return environment | self.extra | dict(extra or {})

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.executable), "-NoLogo", "-NoProfile", "-NonInteractive", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment(environment),
            cwd=cwd or self.folder,
            timeout=120,
            check=False,
        )

    def state(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.state_file.read_text(encoding="utf-8-sig"))
        return value

    def write_state(self, state: Mapping[str, Any]) -> None:
        self.state_file.write_text(json.dumps(state), encoding="utf-8")

    def machine(self) -> dict[str, Any]:
        (only,) = self.state()["vms"]
        assert isinstance(only, dict)
        return only

    def calls(self) -> list[dict[str, Any]]:
        """The calls so far, and forget them."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        self.calls_file.unlink()
        return [json.loads(line) for line in lines]

    def path(self, windows: str) -> Path:
        """The file behind a path on drive `C:`."""
        assert windows.startswith("C:\\")
        return self.drive.joinpath(*windows[3:].split("\\"))

    def disk(self, windows: str, *, gib: int, parent: str | None = None) -> None:
        """Put a disk of the model (a JSON file) at this path."""
        target = self.path(windows)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            "vhdxfile"
            + json.dumps(
                {
                    "format": "VHDX",
                    "size": gib * 2**30,
                    "minimum": 0,
                    "parent": parent,
                    "identifier": "a",
                    "fixed": False,
                }
            ),
            encoding="utf-8",
        )


# Locks are of the whole machine: no other test run on it may use the same id.
CATLET = str(uuid.uuid4())
UNFINISHED = f"eryphc-{CATLET}"
HOME = f"C:\\vms\\{UNFINISHED}"
EXAMPLE = ROOT / "tests/runtime/example-deployment.json"
ISO_FILES = ("example-seed.iso", "example-sealed.iso")
OPEN_VALUE = "0123456789abcdefghijklm="


def example() -> dict[str, Any]:
    """The example deployment, with a switch and folders that the model host has."""
    document: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    document["catlet"]["id"] = CATLET
    document["network_adapters"][1]["switch"]["value"] = "lan"
    document["drives"][1]["folder"]["value"] = "C:\\disks"
    return document


def hostile(document: dict[str, Any], text: str) -> dict[str, Any]:
    """The document with this text wherever a free text may stand."""
    document["machine"]["name"] = text
    document["network_adapters"][0]["name"] = text
    document["catlet"]["name"] = text
    document["parameters"][0]["description"] = text
    return document


# What one text of 100 characters can hold stands in one: each run of the engine takes seconds.
HOSTILE = {
    "quoting": "it's \u2018\u2019\u201a\u201b \u201cweb\u201d \" $(throw 'x') `n $env:PATH ${x}"
    "\n'@\nexit 9\n@'",
    "signs": "[web]*? ; Remove-Item C:\\ -Recurse; & { } \u202egnp.\u200b\u0000\u007f",
    "switch": "-WhatIf",
    "date": "2024-01-01T00:00:00Z",
}


def is_parent(path: str) -> bool:
    """Parents stay when a machine goes: others may stand on them."""
    return re.fullmatch(r"disks/[0-9a-f]{64}\.vhdx", path) is not None


def tree(host: "ModelHost") -> set[str]:
    return {str(path.relative_to(host.drive)) for path in host.drive.rglob("*")}


def ours(host: "ModelHost", before: set[str]) -> set[str]:
    """What came to the drive since, parents left out."""
    return {path for path in tree(host) - before if not is_parent(path)}


CHANGING = (
    *("Add-", "Set-", "New-", "Remove-", "Rename-", "Enable-", "Disable-", "Connect-"),
    *("Disconnect-", "Resize-", "Convert-", "Start-", "Stop-", "Resume-", "Invoke-"),
)


def changes(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the calls that change something."""
    return [call["cmdlet"] for call in calls if call["cmdlet"].startswith(CHANGING)]


ENGINES = ["7", "5.1"] + (["pwsh"] if shutil.which("pwsh") else [])
# Most tests run in one engine, as far as it can be 5.1; those that matter most in all.
every_engine = pytest.mark.parametrize(
    "host", ENGINES, indirect=True, ids=lambda engine: f"engine-{engine}"
)


@pytest.fixture
def host(request: pytest.FixtureRequest, pslite: Path, standins: Path, tmp_path: Path) -> ModelHost:
    """A fresh host with the engine that the test asks for."""
    engine = getattr(request, "param", "5.1")
    model = ModelHost(
        executable=Path(shutil.which("pwsh") or "pwsh") if engine == "pwsh" else pslite,
        modules=standins,
        folder=tmp_path / "host",
        compat="5.1" if engine == "5.1" else None,
    )
    model.prepare()
    return model
