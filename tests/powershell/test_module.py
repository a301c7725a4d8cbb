"""The PowerShell module runs over the real `eryphc` and `eryph-runtime`, on the model host."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import PUBLISHED
from powershell.conftest import ROOT, ModelHost, changes, every_engine

pytestmark = pytest.mark.integration
MODULE = ROOT / "runtime/powershell/Eryphc"
COMMANDS = Path(sys.executable).parent


class Shell:
    """A user's PowerShell session in a folder with `web-config.yaml`."""

    def __init__(self, host: ModelHost) -> None:
        self.host = host
        self.folder = host.folder / "work"
        self.folder.mkdir()
        shutil.copyfile(ROOT / "examples/web-config.yaml", self.folder / "web-config.yaml")
        for name in ("eryphc", "eryph-runtime"):
            if not (COMMANDS / name).exists():
                pytest.skip(f"the command {name} is not installed")
        host.extra = {
            "PATH": f"{COMMANDS}:{host.folder / 'bin'}:/usr/bin:/bin",
            "XDG_DATA_HOME": str(host.folder / "data"),
            "ERYPHC_GENEPOOL": str(PUBLISHED),
        }

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run the lines in a session that has the module and says where the parent disk is."""
        script = self.folder / "session.ps1"
        script.write_text(
            f"Import-Module '{MODULE}'\n"
            "$PSDefaultParameterValues['New-Catlet:Volume'] = "
            "@{ sda = 'host:C:\\store\\base.vhdx' }\n" + text,
            encoding="utf-8-sig",
        )
        return self.host.run("-File", str(script), cwd=self.folder)

    def output(self, text: str) -> list[str]:
        done = self.run(text)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr.strip() == "", done.stderr
        return [line for line in done.stdout.splitlines() if line.strip()]


@pytest.fixture
def shell(host: ModelHost) -> Shell:
    host.disk("C:\\store\\base.vhdx", gib=2)
    return Shell(host)


@every_engine
def test_the_lines_that_users_of_eryph_type(shell: Shell) -> None:
    done = shell.run("Get-Content web-config.yaml | New-Catlet | Start-Catlet\n")
    assert done.stderr.strip() == ""
    assert "shared-webserver" in done.stdout
    machine = shell.host.machine()
    assert (machine["Name"], machine["State"]) == ("shared-webserver", "Running")
    line = '(Get-Catlet | Where-Object Name -eq "shared-webserver" | Get-CatletIp).IpAddress\n'
    assert shell.output(line) == ["192.0.2.10"]


def test_the_life_of_a_catlet(shell: Shell) -> None:
    lines = shell.output(
        "Get-Content web-config.yaml | New-Catlet -WhatIf\n"
        "'count ' + @(Get-Catlet).Count\n"
        "$c = Get-Item web-config.yaml | New-Catlet\n"
        "'state ' + $c.State + ' ' + $c.Seal\n"
        "'converged ' + ($c | Test-Catlet).Converged\n"
        "$null = $c | Start-Catlet\n"
        "'stopped ' + (Stop-Catlet shared-* -Confirm:$false).State\n"
        "$null = $c | Start-Catlet\n"
        "'ended ' + (Stop-Catlet shared-* -EndWorker -Confirm:$false).State\n"
        "Get-Catlet | Remove-Catlet -WhatIf\n"
        "'count ' + @(Get-Catlet).Count\n"
        "Get-Catlet | Remove-Catlet -Confirm:$false\n"
        "'count ' + @(Get-Catlet).Count\n"
    )
    told = [line for line in lines if not line.startswith("What if")]
    assert not [line for line in lines if "FileSystem::" in line], "a path as its user writes it"
    assert told == [
        "count 0",
        "state Off pending",
        "converged True",
        "stopped Off",
        "ended Off",
        "count 1",
        "count 0",
    ]
    assert len(lines) - len(told) == 2


def test_drift_is_told_and_repaired(shell: Shell) -> None:
    shell.output("$null = New-Catlet -Path web-config.yaml\n")
    state = shell.host.state()
    state["vms"][0]["Count"] = 7
    shell.host.write_state(state)
    shell.host.calls()
    text = '$t = Get-Catlet | Test-Catlet; "$($t.Converged) $($t.Changes.What) $($t.Changes.Is)"\n'
    assert shell.output(text) == ["False processors 7"]
    assert changes(shell.host.calls()) == []
    shell.output("$null = Get-Catlet | New-Catlet\n")
    assert shell.host.machine()["Count"] != 7


def test_errors_are_records_and_the_pipeline_goes_on(shell: Shell) -> None:
    (shell.folder / "bad.yaml").write_text("name: x\ncpuu: 3\n", encoding="utf-8")
    done = shell.run(
        "$built = Get-Content bad.yaml, web-config.yaml | Build-Catlet -ErrorVariable e "
        "-ErrorAction SilentlyContinue\n"
        "$built.Name + ' ' + $e[0].FullyQualifiedErrorId + ' ' + $e[0].CategoryInfo.Category\n"
        "Start-Catlet nothing -ErrorVariable e -ErrorAction SilentlyContinue\n"
        "$e[0].FullyQualifiedErrorId\n"
        "try { Get-Content bad.yaml | New-Catlet -ErrorAction Stop } catch { 'caught' }\n"
    )
    assert done.stdout.split("\n")[:3] == [
        "shared-webserver E0113,Build-Catlet InvalidData",
        "EryphcNoCatlet,Start-Catlet",
        "caught",
    ]


HOSTILE_VALUE = 'it\'s \u2019 "$(throw 1)" `n ; & | %PATH% \\\\ \\'


def test_values_are_only_values(shell: Shell) -> None:
    text = (
        "name: vars\nvariables:\n- name: motd\n  required: true\n- name: key\n  secret: true\n"
        "fodder:\n- name: motd\n  type: cloud-config\n  content:\n    write_files:\n"
        "    - path: /etc/motd\n      content: |\n        {{ motd }}\n        {{ key }}\n"
    )
    (shell.folder / "vars.yaml").write_text(text, encoding="utf-8")
    (shell.folder / "value.txt").write_text(HOSTILE_VALUE, encoding="utf-8")
    out = shell.folder / "out dir's [1]"
    shell.output(
        "$value = [IO.File]::ReadAllText((Join-Path $PWD 'value.txt'))\n"
        "$key = ConvertTo-SecureString 'k3y' -AsPlainText -Force\n"
        "$null = Build-Catlet -Path vars.yaml -Variables @{ motd = $value; key = $key } "
        '-OutputPath "out dir\'s [1]" -WarningAction SilentlyContinue\n'
    )
    assert json.loads((out / "deployment.json").read_text(encoding="ascii"))
    # The whole text is in the seed as the guest's YAML has it; look for its harmless end.
    assert b"k3y" in (out / "vars.iso").read_bytes()
    assert b"%PATH%" in (out / "vars.iso").read_bytes()
    assert b"k3y" not in (out / "vars.sealed.iso").read_bytes()


def test_the_arguments_of_5_1_are_read_back_as_they_were(shell: Shell) -> None:
    """5.1 has no list of arguments: each is quoted as the C runtime of Windows reads it."""
    texts = ["a b", "", 'say "x"', "end\\", 'a\\"b', "a\\\\ b\\", "$(x)", "plain", "'q'"]
    (shell.folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    lines = shell.output(
        "$m = Get-Module Eryphc\n"
        "foreach ($t in (ConvertFrom-Json ([IO.File]::ReadAllText((Join-Path $PWD "
        "'texts.json'))))) { & $m { param($x) ConvertTo-Argument $x } $t }\n"
    )
    assert lines == [
        '"a b"',
        '""',
        '"say \\"x\\""',
        "end\\",
        '"a\\\\\\"b"',
        '"a\\\\ b\\\\"',
        "$(x)",
        "plain",
        "'q'",
    ]


def test_every_cmdlet_has_help(shell: Shell) -> None:
    lines = shell.output(
        "$all = (Get-Module Eryphc).ExportedFunctions.Values\n"
        "foreach ($f in $all) {\n"
        "  $h = $f.ScriptBlock.Ast.GetHelpContent()\n"
        "  $own = @($f.ScriptBlock.Ast.Body.ParamBlock.Parameters | "
        "ForEach-Object { $_.Name.VariablePath.UserPath.ToUpperInvariant() })\n"
        "  $missing = @($own | Where-Object { -not $h.Parameters.ContainsKey($_) })\n"
        "  \"$($f.Name) $([bool] $h.Synopsis) $($h.Examples.Count -gt 0) $($missing -join ',')\"\n"
        "}\n"
    )
    assert sorted(line.strip() for line in lines) == [
        f"{name} True True"
        for name in (
            "Build-Catlet",
            "Get-Catlet",
            "Get-CatletIp",
            "New-Catlet",
            "Remove-Catlet",
            "Start-Catlet",
            "Stop-Catlet",
            "Test-Catlet",
        )
    ]
