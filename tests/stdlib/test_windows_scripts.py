"""The Windows genes decide rightly: their scripts run in a real PowerShell, Windows' own commands
played by functions that write down what they are asked to do."""

# Windows' commands have long names, and the passwords are invented.
# ruff: noqa: E501, S105, S106

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from stdlib.shipped import standard_genes, text_of, used

pytestmark = pytest.mark.integration

# What cloudbase-init is told by 1003, as far as an exit code of Linux holds it.
AGAIN = 1003 % 256

PLAY = r"""
function Note([string] $What) { Add-Content -LiteralPath $env:PLAY_LOG -Value $What -Encoding UTF8 }
function Reveal($Secret) {
    (New-Object System.Management.Automation.PSCredential 'x', $Secret).GetNetworkCredential().Password
}
New-PSDrive -Name HKLM -PSProvider FileSystem -Root $env:PLAY_REGISTRY | Out-Null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    code: int
    notes: list[str]
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A machine that keeps its registry and its files from one run of a script to the next."""

    pslite: str
    folder: Path

    def play(self, gene: str, fodder: str, functions: str, **values: str) -> Played:
        (wanted,) = [item for item in standard_genes()[gene].fodder or () if item.name == fodder]
        text = text_of(wanted, {name: values.get(name, "") for name in used(wanted)})
        registry, log, temp = (self.folder / name for name in ("registry", "log", "temp"))
        registry.mkdir(exist_ok=True)
        temp.mkdir(exist_ok=True)
        log.write_text("", "utf-8")
        program = self.folder / "script.ps1"
        program.write_text("\ufeff" + PLAY + functions + "\n" + text + "\n", "utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "PLAY_LOG": str(log),
            "PLAY_REGISTRY": str(registry),
            "PSLITE_SLEEP": "0",
            "DOTNET_JITMinOpts": "1",
            "PSLITE_COMPAT": "5.1",
            "TEMP": str(temp),
            "ProgramFiles": str(self.folder / "program-files"),
            "ProgramData": str(self.folder / "program-data"),
            "SystemDrive": str(self.folder),
        }
        run = subprocess.run(
            [self.pslite, "-NoProfile", "-NonInteractive", "-File", program],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=60,
        )
        notes = log.read_text("utf-8-sig").splitlines()
        return Played(code=run.returncode, notes=notes, out=run.stdout, err=run.stderr)


@pytest.fixture
def stage(pslite: str, tmp_path: Path) -> Stage:
    return Stage(pslite=pslite, folder=tmp_path)


class TestWinStarter:
    functions = r"""
    $there = $env:PLAY_REGISTRY + '/user'
    function Get-LocalUser {
        if (Test-Path -LiteralPath $there) { [pscustomobject]@{ Name = 'Admin'; SID = 'S-1-5-21-9' } }
    }
    function New-LocalUser($Name, $Password, [switch] $PasswordNeverExpires) {
        New-Item -Path $there | Out-Null; Note "new $Name $(Reveal $Password)"
    }
    function Set-LocalUser($Name, $Password, $PasswordNeverExpires) { Note "set $Name $(Reveal $Password)" }
    function Enable-LocalUser($Name) { Note "enable $Name" }
    function Add-LocalGroupMember($SID, $Member) {
        Note "add $Member to $SID"
        if ($env:PLAY_MEMBER) { Write-Error -Message 'x' -ErrorId MemberExists }
    }
    """

    def test_the_administrator_is_made_and_made_again(self, stage: Stage) -> None:
        password = "a longer password than 20 'characters\u2019 $(x)"
        values = {"adminusername": "Admin", "adminpassword": password}
        gene, fodder = "starter-food:win-starter", "admin-windows"
        first = stage.play(gene, fodder, self.functions, **values)
        group = "add S-1-5-21-9 to S-1-5-32-544"
        assert (first.code, first.err) == (0, "")
        assert first.notes == [f"new Admin {password}", group]
        again = self.functions + "$env:PLAY_MEMBER = 'yes'"
        second = stage.play(gene, fodder, again, **values)
        assert (second.code, second.err) == (0, "")
        assert second.notes == [f"set Admin {password}", "enable Admin", group]
        assert password not in first.out + second.out


class TestJoinDomain:
    functions = r"""
    function Get-CimInstance($ClassName) {
        [pscustomobject]@{ PartOfDomain = [bool] $env:PLAY_DOMAIN; Domain = "$env:PLAY_DOMAIN" }
    }
    $script:tries = 0
    function Add-Computer($DomainName, $Credential, [switch] $Force) {
        $script:tries++
        if ($script:tries -le FAILURES) { throw 'no domain controller answers' }
        Note "join $DomainName as $($Credential.UserName) with $(Reveal $Credential.Password)"
    }
    """

    def play(self, stage: Stage, account: str, failures: int, domain: str = "") -> Played:
        functions = self.functions.replace("FAILURES", str(failures))
        if domain:
            functions += f"$env:PLAY_DOMAIN = '{domain}'"
        return stage.play(
            "winconfig:join-domain",
            "join-domain",
            functions,
            domain_name="corp.example",
            domain_admin=account,
            domain_admin_password="'@ p\"w#",
        )

    @pytest.mark.parametrize(
        ("account", "full"),
        [
            ("adm", "corp.example\\adm"),
            ("CORP\\adm", "CORP\\adm"),
            ("adm@corp.example", "adm@corp.example"),
        ],
    )
    def test_a_machine_joins_and_restarts(self, account: str, full: str, stage: Stage) -> None:
        played = self.play(stage, account, failures=3)
        assert (played.code, played.err) == (AGAIN, "")
        assert played.notes == [f"join corp.example as {full} with '@ p\"w#"]

    def test_a_member_stays_one(self, stage: Stage) -> None:
        played = self.play(stage, "adm", failures=0, domain="Corp.Example")
        assert (played.code, played.notes) == (0, [])

    def test_a_domain_that_never_answers_is_a_failure(self, stage: Stage) -> None:
        played = self.play(stage, "adm", failures=99)
        assert (played.code, played.notes) == (1, [])
        assert "no domain controller answers" in played.err
        assert 'p"w#' not in played.out + played.err


class TestHyperV:
    server = r"""
    function Install-WindowsFeature($Name, [switch] $IncludeManagementTools) {
        Note "install $Name"
        [pscustomobject]@{ Success = $true; RestartNeeded = 'RESTART' }
    }
    """
    client = r"""
    function Get-WindowsOptionalFeature([switch] $Online, $FeatureName) {
        [pscustomobject]@{ State = 'STATE' }
    }
    function Enable-WindowsOptionalFeature([switch] $Online, $FeatureName, [switch] $All, [switch] $NoRestart) {
        Note "enable $FeatureName"
    }
    """

    def test_a_server_restarts_once(self, stage: Stage) -> None:
        gene, fodder = "hyperv:install", "install-hyperv"
        wants = self.server.replace("RESTART", "Yes")
        first = stage.play(gene, fodder, wants)
        assert (first.code, first.notes) == (AGAIN, ["install Hyper-V"])
        done = stage.play(gene, fodder, self.server.replace("RESTART", "No"))
        assert (done.code, done.err) == (0, "")
        assert stage.play(gene, fodder, wants).code == AGAIN
        endless = stage.play(gene, fodder, wants)
        assert endless.code == 1
        assert "still wants a restart" in endless.err

    @pytest.mark.parametrize(
        ("state", "code", "notes"),
        [("Disabled", AGAIN, ["enable Microsoft-Hyper-V-All"]), ("Enabled", 0, [])],
    )
    def test_a_client_restarts_when_it_must(
        self, state: str, code: int, notes: list[str], stage: Stage
    ) -> None:
        functions = self.client.replace("STATE", state)
        played = stage.play("hyperv:install", "install-hyperv", functions)
        assert (played.code, played.notes) == (code, notes)


class TestRearm:
    functions = r"""
    function Get-CimInstance($ClassName, $Filter) {
        if ($ClassName -eq 'SoftwareLicensingService') {
            return [pscustomobject]@{ RemainingWindowsReArmCount = COUNT }
        }
        [pscustomobject]@{ Description = 'KIND channel'; LicenseStatus = STATUS; GracePeriodRemaining = MINUTES }
    }
    function Invoke-CimMethod($InputObject, $MethodName) { Note $MethodName }
    """

    def play(self, stage: Stage, kind: str, status: int, minutes: int, count: int = 5) -> Played:
        functions = self.functions
        for name, value in {
            "KIND": kind,
            "STATUS": str(status),
            "MINUTES": str(minutes),
            "COUNT": str(count),
        }.items():
            functions = functions.replace(name, value)
        return stage.play("winconfig:rearm-eval", "rearm-evaluation-license", functions)

    @pytest.mark.parametrize(
        ("kind", "status", "minutes", "count", "code"),
        [
            pytest.param("TIMEBASED_EVAL", 5, 0, 5, AGAIN, id="over"),
            pytest.param("TIMEBASED_EVAL", 1, 1440, 5, AGAIN, id="over tomorrow"),
            pytest.param("TIMEBASED_EVAL", 1, 100_000, 5, 0, id="fresh"),
            pytest.param("TIMEBASED_EVAL", 5, 0, 0, 1, id="extended too often"),
            pytest.param("VOLUME_KMSCLIENT", 5, 0, 5, 0, id="no evaluation"),
        ],
    )
    def test_only_an_evaluation_that_ends_is_extended(
        self, kind: str, status: int, minutes: int, count: int, code: int, stage: Stage
    ) -> None:
        played = self.play(stage, kind, status, minutes, count)
        assert (played.code, played.err) == (code, "")
        assert played.notes == (["ReArmWindows"] if code == AGAIN else [])

    def test_it_is_tried_once(self, stage: Stage) -> None:
        assert self.play(stage, "TIMEBASED_EVAL", 5, 0).code == AGAIN
        second = self.play(stage, "TIMEBASED_EVAL", 5, 0)
        assert (second.code, second.notes) == (0, [])


class TestFirstController:
    functions = r"""
    function Get-CimInstance($ClassName) { [pscustomobject]@{ DomainRole = ROLE } }
    function Get-LocalUser($Name, $ErrorAction) {
        if ($Name) { if ($Name -eq 'Admin') { return [pscustomobject]@{ Name = 'Admin' } } else { return } }
        [pscustomobject]@{
            Name = 'Administrator'; PasswordLastSet = $null; PasswordRequired = $true
            SID = [pscustomobject]@{ Value = 'S-1-5-21-1-2-3-500' }
        }
    }
    function Set-LocalUser($SID, $Password) { Note "password of $($SID.Value): $((Reveal $Password).Length)" }
    function net.exe { Note "net $args" }
    function Install-WindowsFeature($Name, [switch] $IncludeManagementTools) {
        Note "install $Name"; [pscustomobject]@{ Success = $true }
    }
    function Install-ADDSForest($DomainName, $SafeModeAdministratorPassword, $ForestMode, $DomainMode,
        $InstallDns, $NoRebootOnCompletion, $Force) {
        Note "forest $DomainName $(Reveal $SafeModeAdministratorPassword) $ForestMode $DomainMode"
        [pscustomobject]@{ Status = 'Success' }
    }
    """

    def play(self, stage: Stage, role: int, admin: str = "Admin") -> Played:
        return stage.play(
            "windomain:first-dc",
            "first-node",
            self.functions.replace("ROLE", str(role)),
            domain_name="corp.example",
            domain_admin=admin,
            safe_mode_password="'@ safe",
            forest_mode="WinThreshold",
            domain_mode="WinThreshold",
        )

    def test_a_forest_is_made_and_then_left_alone(self, stage: Stage) -> None:
        first = self.play(stage, role=2)
        assert (first.code, first.err) == (AGAIN, "")
        assert first.notes == [
            "password of S-1-5-21-1-2-3-500: 36",
            "net user Administrator /passwordreq:yes",
            "install AD-Domain-Services",
            "forest corp.example '@ safe WinThreshold WinThreshold",
        ]
        second = self.play(stage, role=5)
        assert (second.code, second.notes) == (0, [])
        assert (stage.folder / "DCInstallStatus.txt").read_text("ascii").strip() == "installed"

    def test_a_missing_administrator_is_a_failure(self, stage: Stage) -> None:
        played = self.play(stage, role=2, admin="Nobody")
        assert (played.code, played.notes) == (1, [])
        assert "no local user 'Nobody'" in played.err
        assert (stage.folder / "DCInstallStatus.txt").read_text("ascii").strip() == "failed"


class TestPowerShell:
    functions = r"""
    function Invoke-RestMethod { [pscustomobject]@{ tag_name = 'v7.5.3' } }
    function Invoke-WebRequest($Uri, $OutFile, [switch] $UseBasicParsing) {
        Note "fetch $($Uri -replace '^.*/', '')"
        if ($Uri -like '*/hashes.sha256') {
            # The digest of the text "installer", beside one of another file.
            $digest = 'DIGEST'
            [IO.File]::WriteAllText($OutFile, ('0' * 64) + " *other.msi`r`n$digest *PowerShell-7.5.3-win-x64.msi`r`n")
        }
        else { [IO.File]::WriteAllText($OutFile, 'installer') }
    }
    function Get-AuthenticodeSignature($FilePath) {
        [pscustomobject]@{
            Status = 'SIGNED'
            SignerCertificate = [pscustomobject]@{ Subject = 'CN=Microsoft Corporation, O=Microsoft Corporation, C=US' }
        }
    }
    function Start-Process($FilePath, $ArgumentList, [switch] $Wait, [switch] $PassThru) {
        Note "start $FilePath $($ArgumentList[2..4])"
        [pscustomobject]@{ ExitCode = 3010 }
    }
    function Restart-Service($Name) { Note "restart $Name" }
    """

    def play(self, stage: Stage, *, signed: str = "Valid", digest: str = "", **more: str) -> Played:
        real = hashlib.sha256(b"installer").hexdigest().upper()
        functions = self.functions.replace("SIGNED", signed).replace("DIGEST", digest or real)
        values = {"pwshversion": "latest", "enablessh": "false", **more}
        return stage.play("powershell:win-install", "install-pwsh", functions, **values)

    @pytest.mark.parametrize("version", ["latest", "7.5.3", "v7.5.3"])
    def test_a_release_is_installed(self, version: str, stage: Stage) -> None:
        played = self.play(stage, pwshversion=version)
        assert (played.code, played.err) == (0, "")
        assert played.notes == [
            "fetch hashes.sha256",
            "fetch PowerShell-7.5.3-win-x64.msi",
            "start msiexec.exe /quiet /norestart ADD_PATH=1",
        ]
        assert list((stage.folder / "temp").iterdir()) == []

    @pytest.mark.parametrize(
        ("signed", "digest", "message"),
        [
            ("HashMismatch", "", "does not carry Microsoft's signature"),
            ("Valid", "1" * 64, "is not what its release lists"),
        ],
    )
    def test_what_is_not_the_release_is_refused(
        self, signed: str, digest: str, message: str, stage: Stage
    ) -> None:
        played = self.play(stage, signed=signed, digest=digest)
        assert played.code == 1
        assert message in played.err.replace("\n", " ")
        assert not [note for note in played.notes if note.startswith("start")]

    def test_the_subsystem_stands_before_the_first_match(self, stage: Stage) -> None:
        settings = stage.folder / "program-data" / "ssh" / "sshd_config"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            "Port 22\nMatch Group administrators\n  AuthorizedKeysFile x\n", "ascii"
        )
        for _ in range(2):
            played = self.play(stage, enablessh="true")
            assert (played.code, played.err) == (0, "")
        assert settings.read_text("ascii").splitlines() == [
            "Port 22",
            "Subsystem powershell c:/progra~1/powershell/7/pwsh.exe -sshs -nologo",
            "Match Group administrators",
            "  AuthorizedKeysFile x",
        ]


class TestGuestServices:
    index: ClassVar = {
        "latestVersion": "2.0-rc",
        "stableVersion": "1.0",
        "versions": {
            "1.0": {
                "files": [
                    {"filename": "egs_l", "os": "linux", "arch": "amd64", "url": "http://x/l"},
                    {"filename": "egs_w", "os": "windows", "arch": "amd64", "url": "http://x/w"},
                ]
            },
            "2.0-rc": {"files": []},
        },
    }
    functions = r"""
    function Get-Service { if ($env:PLAY_THERE) { 'it' } }
    function Invoke-RestMethod { ConvertFrom-Json @'
INDEX
'@ }
    function Invoke-WebRequest($Uri, $OutFile, [switch] $UseBasicParsing) { Note "fetch $Uri" }
    function Expand-Archive($Path, $DestinationPath, [switch] $Force) { Note 'unpack' }
    function New-Service($Name, $BinaryPathName, $DisplayName, $StartupType) { Note "service $Name $StartupType" }
    function sc.exe { Note "sc $args"; $global:LASTEXITCODE = 0 }
    function Start-Service($Name) { Note "start $Name" }
    """

    def play(self, stage: Stage, more: str = "", **values: str) -> Played:
        functions = self.functions.replace("INDEX", json.dumps(self.index)) + more
        return stage.play("guest-services:win-install", "install-egs", functions, **values)

    @pytest.mark.parametrize(
        ("values", "url"),
        [
            ({"version": "latest"}, "http://x/w"),
            ({"version": "1.0"}, "http://x/w"),
            ({"version": "9", "downloadurl": "http://own/a b"}, "http://own/a b"),
        ],
        ids=["latest", "a version", "an address of one's own"],
    )
    def test_the_service_is_installed(self, values: dict[str, str], url: str, stage: Stage) -> None:
        played = self.play(stage, **values)
        assert (played.code, played.err) == (0, "")
        assert played.notes == [
            f"fetch {url}",
            "unpack",
            "service eryph-guest-services Automatic",
            "sc failure eryph-guest-services reset= 60 actions= restart/10000",
            "start eryph-guest-services",
        ]

    @pytest.mark.parametrize("version", ["9", "prerelease"])
    def test_what_the_index_lacks_is_refused(self, version: str, stage: Stage) -> None:
        played = self.play(stage, version=version)
        assert (played.code, played.notes) == (1, [])

    def test_a_second_run_changes_nothing(self, stage: Stage) -> None:
        played = self.play(stage, "$env:PLAY_THERE = 'yes'", version="latest")
        assert (played.code, played.notes) == (0, [])


class TestChocolatey:
    functions = r"""
    function Get-ItemProperty { [pscustomobject]@{ Release = RELEASE } }
    function Invoke-RestMethod {
        [pscustomobject]@{ tag_name = '2.5.0'; assets = @(
            [pscustomobject]@{ name = 'chocolatey.nupkg'; browser_download_url = 'http://x/n' },
            [pscustomobject]@{ name = 'chocolatey-2.5.0.0.msi'; browser_download_url = 'http://x/m' }) }
    }
    function Invoke-WebRequest($Uri, $OutFile, [switch] $UseBasicParsing) { Note "fetch $Uri" }
    function Get-AuthenticodeSignature($FilePath) {
        $who = 'SIGNER'
        if ($FilePath -like '*ndp48*') { $who = 'Microsoft Corporation' }
        [pscustomobject]@{ Status = 'Valid'; SignerCertificate = [pscustomobject]@{ Subject = "CN=x, O=`"$who`", C=US" } }
    }
    function Start-Process($FilePath, $ArgumentList, [switch] $Wait, [switch] $PassThru) {
        Note "start $($FilePath -replace '^.*/', '')"; [pscustomobject]@{ ExitCode = 3010 }
    }
    """

    def play(
        self,
        stage: Stage,
        release: int,
        signer: str = "Chocolatey Software, Inc",
        marker: str = "m",
    ) -> Played:
        functions = self.functions.replace("RELEASE", str(release)).replace("SIGNER", signer)
        path = str(stage.folder / marker) if marker else ""
        return stage.play(
            "chocolatey:install", "install-chocolatey", functions, rebootmarkerpath=path
        )

    def test_it_is_installed(self, stage: Stage) -> None:
        played = self.play(stage, 528449)
        assert (played.code, played.err) == (0, "")
        assert played.notes == ["fetch http://x/m", "start msiexec.exe"]

    def test_a_foreign_signature_is_refused(self, stage: Stage) -> None:
        played = self.play(stage, 528449, signer="Somebody")
        assert (played.code, played.notes) == (1, ["fetch http://x/m"])

    def test_the_framework_comes_first_and_restarts_once(self, stage: Stage) -> None:
        first = self.play(stage, 394802)
        assert (first.code, first.err) == (AGAIN, "")
        assert [note for note in first.notes if note.startswith("start")] == ["start ndp48.exe"]
        assert (stage.folder / "m").exists()
        assert self.play(stage, 394802).code == 1
        last = self.play(stage, 528040)
        assert (last.code, last.notes) == (0, ["fetch http://x/m", "start msiexec.exe"])
        assert not (stage.folder / "m").exists()


class TestEryphZero:
    functions = r"""
    function Invoke-WebRequest($Uri, $OutFile, [switch] $UseBasicParsing) {
        $program = 'param([switch] $Unstable, $EMail, $InvitationCode) Note "install $EMail|$InvitationCode"'
        [IO.File]::WriteAllText($OutFile, $program)
    }
    """

    def test_the_installer_runs_once_with_its_values(self, stage: Stage) -> None:
        values = {"email": "o'neil@example", "invitationcode": "'@ $(x) `"}
        gene, fodder = "hyperv:eryph-zero-latest", "install-eryph-zero"
        first = stage.play(gene, fodder, self.functions, **values)
        assert (first.code, first.err) == (AGAIN, "")
        assert first.notes == ["install o'neil@example|'@ $(x) `"]
        second = stage.play(gene, fodder, self.functions, **values)
        assert (second.code, second.notes) == (1, [])


class TestDscCertificate:
    functions = r"""
    function Get-ChildItem($Path) {
        [pscustomobject]@{ Subject = 'SUBJECT'; HasPrivateKey = $true; NotAfter = [datetime]'2999-01-01' }
    }
    function New-SelfSignedCertificate($Type, $Subject, $HashAlgorithm, $KeyLength, $NotAfter, $CertStoreLocation) {
        Note "$Type $Subject"
    }
    """

    @pytest.mark.parametrize(
        ("there", "notes"),
        [
            ("CN=other", ["DocumentEncryptionCertLegacyCsp CN=a, O=b"]),
            ("CN=a, O=b", []),
        ],
    )
    def test_a_certificate_is_made_where_there_is_none(
        self, there: str, notes: list[str], stage: Stage
    ) -> None:
        functions = self.functions.replace("SUBJECT", there)
        played = stage.play("windsc:setup", "dsc-cert", functions, dsc_cert_dn="CN=a,O=b")
        assert (played.code, played.err, played.notes) == (0, "", notes)


class TestSsh:
    functions = r"""
    function Get-Service { if ($env:PLAY_THERE) { 'it' } }
    function Get-WindowsCapability([switch] $Online, $Name) { [pscustomobject]@{ Name = 'OpenSSH.Server~~~~0.0.1.0' } }
    function Add-WindowsCapability([switch] $Online, $Name) { Note "add $Name" }
    function Set-Service($Name, $StartupType) { Note "set $Name $StartupType" }
    function Start-Service($Name) { Note "start $Name" }
    function Get-NetFirewallRule { if ($env:PLAY_THERE) { 'it' } }
    function Enable-NetFirewallRule($Name) { Note 'enable rule' }
    function New-NetFirewallRule { Note 'new rule' }
    """

    def test_the_server_is_added_once(self, stage: Stage) -> None:
        gene, fodder = "winconfig:enable-ssh", "ssh-server"
        first = stage.play(gene, fodder, self.functions)
        assert (first.code, first.err) == (0, "")
        start = ["set sshd Automatic", "start sshd"]
        assert first.notes == ["add OpenSSH.Server~~~~0.0.1.0", *start, "new rule"]
        second = stage.play(gene, fodder, self.functions + "$env:PLAY_THERE = 'yes'")
        assert second.notes == [*start, "enable rule"]
