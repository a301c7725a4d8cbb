"""Both programs on model hosts, run many times in two PowerShell processes that stay warm.

A start of the engine costs more than a run, so one process runs `deploy.ps1` again and again, and
another serves `eryph-runtime`. Both see their host through one symbolic link, `now`; a case is
chosen by pointing it elsewhere. The programs run as they are, but for a call at each change of a
file (`instrumented`): it copies the whole host as it is at that moment, which is what a kill then
would leave, or fails as a full disk does. The model's cmdlets do the same before and after each
call that changes something. So one run gives the hosts of all kills.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eryph_runtime import session as session_module
from eryph_runtime.command_line import run as run_runtime
from eryph_runtime.session import Session, powershell_arguments
from eryphc.targets.hyperv.deploy_script import deploy_script
from powershell.conftest import (
    EXAMPLE,
    HERE,
    ISO_FILES,
    OPEN_VALUE,
    ModelHost,
    is_parent,
)

PROGRAMS = ("deploy.ps1", "eryph-runtime")
CHANGES = re.compile(
    r"\$null = New-Item [^};]*?-Force"
    r"|Remove-Item -LiteralPath \$Path -Force -Confirm:\$false"
    r"|\$(?:stream|to) = \[System\.IO\.File\]::(?:Create|Open)\((?:[^()]|\([^()]*\))*\)"
    r"|\[System\.IO\.(?:File|Directory)\]::(?:Move|Replace|SetAttributes)\((?:[^()]|\([^()]*\))*\)"
    r"|\$(?:stream|to)\.Write\([^()]*\)"
)

# No file system here has the attributes of NTFS: a folder with such a file in it has one.
ATTRIBUTES = "function Get-FileAttribute {\n    param([string] $Path)\n"
COMPRESSED = (
    '    if (Test-Path -LiteralPath "$Path\\is.compressed")'
    " { return , @('Directory', 'Compressed') }\n"
)


def instrumented(program: str) -> str:
    """The program with a point before and after each change of a file."""
    text, count = CHANGES.subn(r"Test-Point file; \g<0>; Test-Point", program)
    assert count >= 12
    assert text.count(ATTRIBUTES) == 1
    text = text.replace(ATTRIBUTES, ATTRIBUTES + COMPRESSED)
    left = re.sub(r"Test-Point file; .*?; Test-Point", "", text)
    more = r"(?:File|Directory)\]::(?:Move|Replace|Write|Delete|Copy|Set|Create)"
    assert not re.search(rf"{more}|New-Item -|Remove-Item -|Set-Content|Out-File", left)
    return text


POINTS = r"""
$global:Point = @{ run = ''; count = 0; calls = 0; done = $false }
function global:Test-Point {
    param([string] $Before)
    $run, $folder, $fail = [System.IO.File]::ReadAllText($env:SWEEP_CONTROL).Split("`n")
    if ($run -cne $global:Point.run) {
        $global:Point = @{ run = $run; count = 0; calls = 0; done = $false }
    }
    if ($folder) {
        $global:Point.count++
        $null = & /bin/cp -a "$env:SWEEP_NOW/." ("$folder/{0:d4}" -f $global:Point.count)
    }
    if (-not $Before) { return }
    $global:Point.calls++
    if ($fail -and -not $global:Point.done -and $global:Point.calls -eq [int] $fail) {
        $global:Point.done = $true
        [System.IO.File]::WriteAllText("$env:SWEEP_CONTROL.failed", $Before)
        if ($Before -cne 'file') { return $true }
        $text = 'There is not enough space on the disk.'
        throw (New-Object -TypeName System.IO.IOException -ArgumentList $text)
    }
}
"""

DRIVER = (
    POINTS
    + r"""
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $asked = ConvertFrom-Json -InputObject $line
    $options = @{}
    foreach ($one in $asked.options.PSObject.Properties) { $options[$one.Name] = $one.Value }
    $global:LASTEXITCODE = 0
    & $asked.program @options
    [Console]::Out.WriteLine("==done $LASTEXITCODE==")
    [Console]::Out.Flush()
}
"""
)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str

    @property
    def reasons(self) -> list[str]:
        """What was refused, of either program."""
        if self.out.startswith("{"):
            return list(json.loads(self.out).get("error", {}).get("reasons", ()))
        lines = self.out.splitlines()
        if "refused, nothing was changed:" not in lines:
            return []
        return [each[2:] for each in lines[lines.index("refused, nothing was changed:") + 1 :]]

    @property
    def needs(self) -> list[str]:
        """What is missing for `apply`, of either program's plan."""
        if self.out.startswith("{"):
            return list(json.loads(self.out).get("needs", ()))
        start = "needed for apply: "
        return [e.removeprefix(start) for e in self.out.splitlines() if e.startswith(start)]

    @property
    def notes(self) -> list[str]:
        if self.out.startswith("{"):
            return list(json.loads(self.out).get("notes", ()))
        return [each[6:] for each in self.out.splitlines() if each.startswith("note: ")]


class Workbench:
    """The two processes, the link `now`, and the cases below `folder`."""

    def __init__(self, executable: Path, modules: Path, folder: Path) -> None:
        self.folder = folder
        self.now = folder / "now"
        self.control = folder / "control"
        self.model = ModelHost(executable=executable, modules=modules, folder=folder / "first")
        self.model.compat = "5.1"
        self.model.prepare()
        self.environment = self.model.environment() | {
            "HYPERV_STATE": str(self.now / "state.json"),
            "HYPERV_DRIVE": str(self.now / "drive"),
            "SWEEP_CONTROL": str(self.control),
            "SWEEP_NOW": str(self.now),
            "PSLITE_SLEEP": "0",
            # What .NET puts there is none of a case's.
            "TMPDIR": str(folder),
            "DOTNET_EnableDiagnostics": "0",
        }
        del self.environment["HYPERV_CALLS"]
        self.build = folder / "build"
        self.build.mkdir()
        for name in ISO_FILES:
            shutil.copyfile(EXAMPLE.parent / name, self.build / name)
        self.control.write_text("\n\n", encoding="utf-8")
        self.use(self.model.folder)
        driver = folder / "driver.ps1"
        driver.write_text(DRIVER, encoding="ascii")
        self._deploy = subprocess.Popen(
            [str(executable), "-NoProfile", "-NonInteractive", "-File", str(driver)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env=self.environment,
            cwd=folder,
        )
        self._session = Session("local", [str(executable), *powershell_arguments()], remote=False)
        # What is given for the open slot; None: nothing.
        self.value: str | None = OPEN_VALUE
        self._number = 0
        self._locked = False

    def close(self) -> None:
        for stream in (self._deploy.stdin, self._deploy.stdout):
            if stream is not None:
                stream.close()
        self._deploy.wait(timeout=30)
        self._session.close()

    def use(self, case: Path) -> None:
        """From now on the host is the one in this folder."""
        fresh = self.folder / "now.new"
        fresh.symlink_to(case)
        fresh.replace(self.now)

    def write(self, document: dict[str, Any]) -> None:
        text = json.dumps(document, indent=2, sort_keys=True) + "\n"
        (self.build / "deployment.json").write_text(text, encoding="ascii")
        script = instrumented(deploy_script(text))
        (self.build / "deploy.ps1").write_text(script, encoding="ascii", newline="\n")

    def copy(self, case: Path, name: str) -> Path:
        target = self.folder / name
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(case, target, symlinks=True)
        return target

    def run(
        self,
        program: str,
        operation: str,
        *,
        points: Path | None = None,
        fail: int | None = None,
        volume: bool = True,
        parameters: Mapping[str, str] | None = None,
    ) -> Ran:
        """`operation`: apply, plan, restart, seal, remove, status.

        `points` gets a copy of the host at each point; `fail`: the change of this number fails.
        """
        self._number += 1
        if points is not None:
            points.mkdir()
        self.control.with_name("control.failed").unlink(missing_ok=True)
        self.control.write_text(f"{self._number}\n{points or ''}\n{fail or ''}", encoding="utf-8")
        if program == "deploy.ps1":
            return self._run_deploy(operation, parameters or {}, volume=volume)
        return self._run_runtime(operation, parameters or {}, volume=volume)

    @property
    def failed(self) -> str:
        """What the change was that failed on purpose; empty where the run had fewer."""
        file = self.control.with_name("control.failed")
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _run_deploy(self, operation: str, parameters: Mapping[str, str], *, volume: bool) -> Ran:
        switches = {
            "apply": (),
            "plan": ("WhatIf",),
            "restart": ("Restart",),
            "seal": ("Seal",),
            "remove": ("Remove",),
        }[operation]
        options: dict[str, Any] = dict.fromkeys(switches, True)
        if operation in ("apply", "plan", "restart"):
            if self.value is not None:
                values = self.build / "values"
                values.write_text(f"token={self.value}\n", encoding="ascii")
                options["ValueFile"] = str(values)
            if volume:
                options["Volume"] = "sda=C:\\store\\base.vhdx"
        if parameters:
            options["Parameter"] = ";".join(f"{k}={v}" for k, v in parameters.items())
        if self._locked:
            # A session holds the machine's lock until it ends.
            self._session.close()
            self._locked = False
        asked = {"program": str(self.build / "deploy.ps1"), "options": options}
        assert self._deploy.stdin is not None
        assert self._deploy.stdout is not None
        self._deploy.stdin.write(json.dumps(asked) + "\n")
        self._deploy.stdin.flush()
        lines: list[str] = []
        for line in self._deploy.stdout:
            if line.startswith("==done "):
                return Ran(int(line.split()[1].rstrip("=")), "".join(lines))
            lines.append(line)
        raise AssertionError("".join(lines))

    def _run_runtime(self, operation: str, parameters: Mapping[str, str], *, volume: bool) -> Ran:
        command = "apply" if operation == "restart" else operation
        arguments = [command, str(self.build), "--format", "json", "-q"]
        arguments += ["--restart"] if operation == "restart" else []
        if command in ("apply", "plan"):
            if self.value is not None:
                arguments += ["--value-file", f"token={self.build / 'token'}"]
                (self.build / "token").write_text(self.value + "\n", encoding="ascii")
            if volume:
                arguments += ["--volume", "sda=host:C:\\store\\base.vhdx"]
        for name, value in parameters.items():
            arguments += ["--param", f"{name}={value}"]
        out, err = io.StringIO(), io.StringIO()
        self._locked = self._locked or command not in ("plan", "status")
        with self._as_host():
            code = run_runtime(
                arguments,
                connect=lambda _address, _program: _Open(self._session),
                stdin=io.StringIO(),
                stdout=out,
                stderr=err,
            )
        return Ran(code, out.getvalue() or err.getvalue())

    @contextmanager
    def _as_host(self) -> Iterator[None]:
        """What a session starts is the instrumented program, on the model."""
        real = session_module.host_program
        text = POINTS + instrumented(real().decode("ascii"))
        before = dict(os.environ)
        session_module.host_program = lambda: text.encode("ascii")
        os.environ.update(self.environment)
        try:
            yield
        finally:
            session_module.host_program = real
            os.environ.clear()
            os.environ.update(before)


class _Open:
    """A session that stays open for the next command."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.address, self.remote = session.address, session.remote

    def request(self, *arguments: Any, **options: Any) -> Any:
        return self._session.request(*arguments, **options)

    def close(self) -> None:
        pass


def state_of(case: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((case / "state.json").read_text(encoding="utf-8-sig"))
    return value


def write_state(case: Path, state: Mapping[str, Any]) -> None:
    (case / "state.json").write_text(json.dumps(state), encoding="utf-8")


def stamps(case: Path) -> dict[str, tuple[int, str]]:
    """When each file was last written, and what it holds."""
    drive = case / "drive"
    return {
        str(path.relative_to(drive)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(drive.rglob("*"))
        if path.is_file()
    }


_RANDOM = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<=\.)[0-9a-f]{16}(?=\.(?:iso|eryphc))",
    re.IGNORECASE,
)


def plain(case: Path, catlet: str) -> dict[str, Any]:
    """The host without what differs between two runs: new ids, and names that follow from them."""

    def same(text: str) -> str:
        return _RANDOM.sub(lambda m: m[0] if m[0].lower() == catlet else "*", text)

    machines = []
    for row in state_of(case)["vms"]:
        kept = {k: v for k, v in row.items() if k not in ("Dvds", "Protector")}
        kept["Dvds"] = [(d["Number"], d["Location"], d["Path"]) for d in row["Dvds"]]
        machines.append(json.loads(same(json.dumps(kept))))
    drive = case / "drive"
    return {
        "machines": machines,
        "files": sorted(
            same(name)
            for path in drive.rglob("*")
            if not is_parent(name := str(path.relative_to(drive)))
        ),
    }


def record_of(case: Path, catlet: str) -> Any:
    """What the record of our machine says, without what follows from random ids; None: none."""
    for file in sorted(case.glob(f"drive/**/eryphc-{catlet}/eryphc.json")):
        text = re.sub("[0-9a-f]{64}", "*", file.read_text(encoding="utf-8", errors="replace"))
        return _RANDOM.sub(lambda m: m[0] if m[0].lower() == catlet else "*", text)
    return None


def new_catlet() -> str:
    return str(uuid.uuid4())


__all__ = ["HERE", "PROGRAMS", "Ran", "Workbench"]
