"""Every PowerShell text that ships: the whole grammar, and each call against the cmdlet table."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eryph_runtime.session import host_program
from eryphc.targets.hyperv.deploy_script import deploy_script
from places import CMDLETS
from powershell.conftest import MODULES, ROOT, example

pytestmark = pytest.mark.integration

MODULE = ROOT / "runtime/powershell/Eryphc"
# Whole programs: of pieces in files nobody knows what runs.
TEXTS = {
    "host.ps1": host_program().decode("ascii"),
    "deploy.ps1": deploy_script(json.dumps(example(), indent=2, sort_keys=True)),
    "Eryphc.psm1": (MODULE / "Eryphc.psm1").read_text(encoding="ascii"),
    "Eryphc.psd1": (MODULE / "Eryphc.psd1").read_text(encoding="ascii"),
}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def parse(pslite: Path, standins: Path, text: str) -> dict[str, Any]:
    """What the engine says about the text: errors, calls and how they bind, what 5.1 lacks."""
    options = ["-Parse", "-Ast", "-Check51"]
    for module in MODULES:
        options += ["-Import", module]
    done = subprocess.run(
        [str(pslite), *options, "-"],
        input=text,
        capture_output=True,
        text=True,
        env=ENVIRONMENT | {"PSModulePath": str(standins)},
        timeout=120,
        check=False,
    )
    (file,) = json.loads(done.stdout)["files"]
    assert isinstance(file, dict)
    return file


@pytest.mark.parametrize("name", TEXTS)
def test_grammar_and_calls(pslite: Path, standins: Path, name: str) -> None:
    check(parse(pslite, standins, TEXTS[name]))


def check(file: dict[str, Any]) -> None:
    assert file["errors"] == []
    assert file["check51"] == []
    known = {name.casefold(): cmdlet for name, cmdlet in cmdlets().items()}
    for command in file["commands"]:
        place = f"{command['name']} in line {command.get('line')}"
        # A splatted table is bound when it runs; the other tests run every such line.
        errors = [
            each
            for each in command.get("bindingErrors", ())
            if not each.get("element", "").startswith("@")
        ]
        assert errors == [], place
        assert command["kind"] != "unknown", place
        name = command["name"] or ""
        bare = name.rpartition("\\")[2]
        module = known.get(bare.casefold(), {}).get("module", "")
        if module in MODULES:
            assert name == f"{module}\\{bare}", f"{place}: names its module"
            assert bare in cmdlets(), f"{place}: spelled in full"
            if not command.get("splat"):
                assert command.get("possibleSets"), place
            for parameter, bound in command.get("bound", {}).items():
                values = known[bare.casefold()]["parameters"].get(parameter, {}).get("values")
                constant = bound.get("constant")
                if values and isinstance(constant, str):
                    assert constant in values, f"{place}: -{parameter} {constant}"


def cmdlets() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(CMDLETS.read_text(encoding="utf-8"))["cmdlets"]
    return table


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Hyper-V\\Set-VM -VM $a -Nots x", "binding"),
        ("Hyper-V\\Set-VMProcessor -VM $a -VMName b -Count 1", "sets"),
        ("$a ?? 1", "check51"),
        ("if (", "errors"),
        ("Hyper-V\\Stop-VM -VM $a -Force $true", "a switch with a value"),
        ("Hyper-V\\Add-VMHardDiskDrive -VM $a -ControllerType NVME -Path x", "value"),
        ("Get-VM", "module"),
    ],
)
def test_the_check_itself_finds_faults(pslite: Path, standins: Path, line: str, fault: str) -> None:
    with pytest.raises(AssertionError):
        check(parse(pslite, standins, line))


@pytest.mark.parametrize("name", list(TEXTS)[:3])
def test_style_that_keeps_it_checkable(name: str) -> None:
    text = TEXTS[name]
    for word in ("Invoke-Expression", "AddScript", "| iex", "-replace", "ScriptBlock]::Create"):
        assert word not in text, word
    assert "Set-StrictMode -Version Latest" in text
    assert "$ErrorActionPreference = 'Stop'" in text
