"""The Windows genes decide rightly: their scripts run in a real PowerShell, Windows' own commands
played by functions that write down what they are asked to do."""

# Windows' commands have long names, and the passwords are invented.
# ruff: noqa: E501

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eryphc.guest.model import GuestKind
from guest.conftest import Reader
from library.genes import GIVEN, compiled, filled, gene, spec_of, texts, windows_sets

pytestmark = pytest.mark.integration

ODD = "'@ \u2018it's\u2019 \"odd\": {a} # $HOME $(exit 9) `n %PATH% ü 你"
PLAY = r"""
function Note([string] $What) { Add-Content -LiteralPath $env:PLAY_LOG -Value $What -Encoding UTF8 }
function Reveal($Secret) {
    (New-Object System.Management.Automation.PSCredential 'x', $Secret).GetNetworkCredential().Password
}
function Set-Service($Name, $StartupType) { Note "service $Name $StartupType" }
function Start-Service($Name) { Note "start $Name" }
function Restart-Service($Name) { Note "restart $Name" }
function Get-NetFirewallRule($Name, $ErrorAction) { if ($env:PLAY_AGAIN) { [pscustomobject]@{ Name = $Name } } }
function New-NetFirewallRule($Name, $DisplayName, $Direction, $Protocol, $LocalPort, $Action) {
    Note "rule $Name $Direction $Protocol $LocalPort $Action"
}
function Set-NetFirewallRule($Name, $Enabled, $RemoteAddress, $LocalPort) {
    Note "allow $Name $Enabled from $($RemoteAddress -join '+') port $LocalPort"
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    code: int
    notes: list[str]
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    pslite: str
    folder: Path

    def play(self, name: str, functions: str, *, again: bool = False, **values: str) -> Played:
        log = self.folder / "log"
        log.write_text("", "utf-8")
        program = self.folder / "script.ps1"
        text = filled(name, {**GIVEN.get(name, {}), **values})
        program.write_text("\ufeff" + PLAY + functions + "\n" + text + "\n", "utf-8")
        run = subprocess.run(
            [self.pslite, "-NoProfile", "-NonInteractive", "-File", program],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "PLAY_LOG": str(log),
                "PLAY_AGAIN": "yes" if again else "",
                "PSLITE_COMPAT": "5.1",
                "DOTNET_JITMinOpts": "1",
                "COMPUTERNAME": "HOST",
                "ProgramData": str(self.folder),
                "SystemDrive": str(self.folder),
            },
            timeout=60,
        )
        notes = log.read_text("utf-8-sig").splitlines()
        return Played(code=run.returncode, notes=notes, out=run.stdout, err=run.stderr)


@pytest.fixture
def stage(pslite: str, tmp_path: Path) -> Stage:
    return Stage(pslite=pslite, folder=tmp_path)


def test_openssh_server(stage: Stage) -> None:
    functions = r"""
    function Get-Service($Name, $ErrorAction) { if ($env:PLAY_AGAIN) { [pscustomobject]@{ Name = $Name } } }
    function Get-WindowsCapability([switch] $Online, $Name) { [pscustomobject]@{ Name = 'OpenSSH.Server~~~~0.0.1.0' } }
    function Add-WindowsCapability([switch] $Online, $Name) { Note "add $Name" }
    function icacls.exe { Note "icacls $args"; $global:LASTEXITCODE = 0 }
    """
    folder = stage.folder / "ssh"
    folder.mkdir()
    settings = folder / "sshd_config"
    settings.write_text(
        "Port 22\n#PasswordAuthentication yes\nMatch Group administrators\n", "utf-8"
    )
    keys = 'ssh-ed25519 AAAA ü\'s "key"\nssh-ed25519 BBBB two'
    values: dict[str, Any] = {"administratorKeys": keys, "from": "10.0.0.0/8, LocalSubnet"}
    first = stage.play("openssh-server", functions, **values)
    path = folder / "administrators_authorized_keys"
    assert (first.code, first.err) == (0, "")
    assert first.notes == [
        "add OpenSSH.Server~~~~0.0.1.0",
        "service sshd Automatic",
        "start sshd",
        f"icacls {path} /inheritance:r /grant *S-1-5-18:F *S-1-5-32-544:F",
        "restart sshd",
        "rule OpenSSH-Server-In-TCP Inbound TCP 22 Allow",
        "allow OpenSSH-Server-In-TCP True from 10.0.0.0/8+LocalSubnet port ",
    ]
    assert path.read_bytes() == keys.encode() + b"\r\n"
    once = settings.read_text("utf-8").split()
    assert once[:4] == ["PasswordAuthentication", "no", "Port", "22"]
    second = stage.play("openssh-server", functions, again=True, **values)
    assert (second.code, second.err) == (0, "")
    assert [note for note in second.notes if note.startswith(("add", "rule"))] == []
    assert settings.read_text("utf-8").split() == once


def test_iis(stage: Stage) -> None:
    functions = r"""
    function Install-WindowsFeature($Name) { Note "install $Name" }
    function Import-Module($Name) { }
    function Get-WebBinding($Name, $Protocol) { [pscustomobject]@{ bindingInformation = '*:80:' } }
    function New-WebBinding($Name, $Protocol, $Port, $IPAddress) { Note "bind $Name $Port" }
    function Remove-WebBinding { process { Note "unbind $($_.bindingInformation)" } }
    """
    page = stage.folder / "inetpub" / "wwwroot" / "index.html"
    page.parent.mkdir(parents=True)
    # The engine's host has other separators than Windows.
    (stage.folder / "inetpub\\wwwroot").mkdir()
    played = stage.play("iis", functions, page=ODD, port="8080")
    assert (played.code, played.err) == (0, "")
    assert played.notes == [
        "install Web-Server",
        "bind Default Web Site 8080",
        "unbind *:80:",
        "start W3SVC",
        "rule eryphc-iis Inbound TCP 8080 Allow",
        "allow eryphc-iis True from  port 8080",
    ]
    (written,) = stage.folder.rglob("*index.html")
    assert written.read_text("utf-8").rstrip("\r\n") == ODD
    assert stage.play("iis", functions, port="80").notes[1] == "start W3SVC"


class TestWinRM:
    functions = r"""
    function Get-ChildItem($Path) {
        if ($Path -like 'Cert:*') { if ($env:PLAY_AGAIN) { [pscustomobject]@{ FriendlyName = 'WinRM (eryphc)'; Thumbprint = 'OWN' } } }
        else { [pscustomobject]@{ Name = 'Listener_1' } }
    }
    function New-SelfSignedCertificate($DnsName, $CertStoreLocation, $FriendlyName, $NotAfter) {
        Note "certificate $DnsName"; [pscustomobject]@{ Thumbprint = 'NEW' }
    }
    function Remove-Item($LiteralPath, [switch] $Recurse, [switch] $Force) { Note "remove $LiteralPath" }
    function New-WSManInstance($ResourceURI, $SelectorSet, $ValueSet) {
        Note "listen $($SelectorSet.Transport) $($SelectorSet.Address) $($ValueSet.CertificateThumbprint)"
    }
    function Set-Item($Path, $Value) { Note "set $Path $Value" }
    """

    def test_a_certificate_of_its_own(self, stage: Stage) -> None:
        first = stage.play("winrm-https", self.functions)
        assert (first.code, first.err) == (0, "")
        assert first.notes == [
            "certificate HOST",
            "service WinRM Automatic",
            "start WinRM",
            "remove WSMan:\\localhost\\Listener\\Listener_1",
            "listen HTTPS * NEW",
            "set WSMan:\\localhost\\Service\\Auth\\Basic False",
            "set WSMan:\\localhost\\Service\\AllowUnencrypted False",
            "rule eryphc-winrm-https Inbound TCP 5986 Allow",
            "allow eryphc-winrm-https True from LocalSubnet port ",
        ]
        second = stage.play("winrm-https", self.functions, again=True)
        assert "listen HTTPS * OWN" in second.notes
        assert "certificate HOST" not in second.notes

    def test_a_given_certificate(self, stage: Stage) -> None:
        given = "ab " * 20
        played = stage.play("winrm-https", self.functions, certificateThumbprint=given)
        assert "listen HTTPS * " + "AB" * 20 in played.notes
        refused = stage.play("winrm-https", self.functions, certificateThumbprint=ODD)
        assert (refused.code, refused.notes) == (1, [])


class TestWindowsUpdate:
    functions = r"""
    function Test-Path($LiteralPath) { $false }
    function New-Item($Path, [switch] $Force) { Note "key $Path" }
    function New-ItemProperty($LiteralPath, $Name, $Value, $PropertyType, [switch] $Force) { Note "$Name $Value $PropertyType" }
    """

    @pytest.mark.parametrize(
        ("mode", "off", "option"),
        [("off", 1, 1), ("notify", 0, 2), ("download", 0, 3), ("install", 0, 4)],
    )
    def test_the_policy(self, mode: str, off: int, option: int, stage: Stage) -> None:
        played = stage.play("windows-update", self.functions, mode=mode, day="1", hour="4")
        assert (played.code, played.err) == (0, "")
        assert played.notes == [
            "key HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU",
            f"AUOptions {option} DWord",
            "NoAutoRebootWithLoggedOnUsers 1 DWord",
            f"NoAutoUpdate {off} DWord",
            "ScheduledInstallDay 1 DWord",
            "ScheduledInstallTime 4 DWord",
        ]

    @pytest.mark.parametrize("values", [{"mode": ODD}, {"day": "8"}, {"hour": "24"}], ids=str)
    def test_what_is_none_is_refused(self, values: dict[str, Any], stage: Stage) -> None:
        played = stage.play("windows-update", self.functions, **values)
        assert (played.code, played.notes) == (1, [])


def test_win_timezone(stage: Stage) -> None:
    functions = r"""
    function Set-TimeZone($Id) { Note "zone $Id" }
    function Set-ItemProperty($LiteralPath, $Name, $Value) { Note "$Name $Value" }
    """
    played = stage.play(
        "win-timezone",
        functions,
        timezone="W. Europe Standard Time",
        servers="a.example, 192.0.2.1",
    )
    assert (played.code, played.err) == (0, "")
    assert played.notes == [
        "zone W. Europe Standard Time",
        "NtpServer a.example,0x8 192.0.2.1,0x8",
        "Type NTP",
        "service W32Time Automatic",
        "restart W32Time",
    ]
    assert stage.play("win-timezone", functions).notes[:2] == [
        "zone UTC",
        "service W32Time Automatic",
    ]


def test_win_users(stage: Stage) -> None:
    functions = r"""
    $script:users = @()
    if ($env:PLAY_AGAIN) { $script:users = @([pscustomobject]@{ Name = 'anna'; SID = 'S-anna' }) }
    function Get-LocalUser { $script:users }
    function New-LocalUser($Name, $Password) {
        $script:users += [pscustomobject]@{ Name = $Name; SID = "S-$Name" }
        Note "new $Name $(Reveal $Password)"
    }
    function Set-LocalUser($Name, $Password) { Note "set $Name $(Reveal $Password)" }
    function Enable-LocalUser($Name) { Note "enable $Name" }
    function Add-LocalGroupMember($SID, $Member) {
        Note "add $Member to $SID"
        if ($env:PLAY_AGAIN) { Write-Error -Message 'x' -ErrorId MemberExists }
    }
    """
    users = f"anna:{ODD}: x \n\nbert:y\n"
    first = stage.play("win-users", functions, users=users, administrators="true")
    assert (first.code, first.err) == (0, "")
    assert first.notes == [
        f"new anna {ODD}: x ",
        "add S-anna to S-1-5-32-544",
        "new bert y",
        "add S-bert to S-1-5-32-544",
    ]
    again = stage.play("win-users", functions, again=True, users=users)
    assert (again.code, again.err) == (0, "")
    assert again.notes[:3] == [f"set anna {ODD}: x ", "enable anna", "add S-anna to S-1-5-32-545"]
    refused = stage.play("win-users", functions, users="a line with s3cret")
    assert (refused.code, refused.notes) == (1, [])
    assert "s3cret" not in refused.out + refused.err


class TestWinDataDisk:
    functions = r"""
    function Get-Volume { if ($env:PLAY_AGAIN) { [pscustomobject]@{ FileSystemLabel = 'Data'; DriveLetter = 'F' } } }
    function Get-Partition { process { Note "partition of $($_.FileSystemLabel)"; $_ } }
    function Set-Partition { param($NewDriveLetter) process { Note "letter $NewDriveLetter" } }
    function Get-Disk {
        [pscustomobject]@{ Number = 0; PartitionStyle = 'GPT'; IsOffline = $false; IsReadOnly = $false }
        1..COUNT | ForEach-Object { [pscustomobject]@{ Number = $_; PartitionStyle = 'RAW'; IsOffline = $true; IsReadOnly = $true } }
    }
    function Set-Disk($Number, $IsOffline, $IsReadOnly) { Note "disk $Number" }
    function Initialize-Disk($Number, $PartitionStyle) { Note "initialize $Number $PartitionStyle" }
    function New-Partition($DiskNumber, [switch] $UseMaximumSize, $DriveLetter) { Note "part $DiskNumber $DriveLetter" }
    function Format-Volume($DriveLetter, $FileSystem, $NewFileSystemLabel, [switch] $Confirm) {
        Note "format $DriveLetter $FileSystem $NewFileSystemLabel"
    }
    """

    def test_the_empty_disk(self, stage: Stage) -> None:
        played = stage.play("win-data-disk", self.functions.replace("COUNT", "1"))
        assert (played.code, played.err) == (0, "")
        assert played.notes == [
            "disk 1",
            "disk 1",
            "initialize 1 GPT",
            "part 1 E",
            "format E NTFS Data",
        ]

    def test_a_disk_that_holds_something_is_not_touched(self, stage: Stage) -> None:
        several = stage.play("win-data-disk", self.functions.replace("COUNT", "2"))
        assert (several.code, several.notes) == (1, [])
        played = stage.play("win-data-disk", self.functions.replace("COUNT", "1"), again=True)
        assert (played.code, played.notes) == (0, ["partition of Data", "letter E"])


def test_every_script_is_sound(pslite: str, tmp_path: Path) -> None:
    """No fault of syntax, of a parameter, or of what Windows PowerShell 5.1 lacks."""
    paths = []
    for name in windows_sets():
        paths.append(tmp_path / f"{name}.ps1")
        text = filled(name, {**dict.fromkeys(texts(name), ODD)})
        paths[-1].write_text("\ufeff" + text, "utf-8")
    run = subprocess.run(
        [pslite, "-Parse", "-Ast", "-Check51", *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[:3000]


def test_cloudbase_init_runs_them_in_order(read_as_windows: Reader) -> None:
    for names in (windows_sets(), windows_sets()[::-1]):
        built = compiled(spec_of(names), GuestKind.WINDOWS)
        assert built.diagnostics == ()
        (user_data,) = [
            file.content for path, file in built.files.items() if path.endswith("/user-data")
        ]
        assert isinstance(user_data, bytes)
        events = read_as_windows(user_data)["events"]
        assert [event[:3] for event in events] == [
            ["run", "powershell", (gene(name).fodder or ())[0].filename] for name in names
        ]
