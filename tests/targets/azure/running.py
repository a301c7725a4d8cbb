"""Folders with the scripts of a machine, and runs of them with stand-ins for `az` and `azcopy`."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from eryphc.guest.model import GuestKind
from eryphc.targets.azure.scripts import Blob, GalleryImage, ScriptFacts, ps_quote, scripts
from places import POWERSHELL

STAND_IN = Path(__file__).with_name("stand_in.py")
# What azure-cli took; `judge_az.py` writes it.
ACCEPTED = Path(__file__).with_name("accepted.json")
CATLET = "5a0f3c9e-0000-4000-8000-00000000c0de"
OTHER = "5a0f3c9e-0000-4000-8000-000000000bad"
DIGEST = "sha256:" + "ab" * 32
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0yZk me@home"
IMAGES = "/subscriptions/s/resourceGroups/images/providers/Microsoft.Compute/galleries/eryphc"
IMAGE = f"{IMAGES}/images/debian-12-v2/versions/1.2.3"
ACCOUNT = (
    "/subscriptions/s/resourceGroups/images/providers/Microsoft.Storage/storageAccounts/disks1"
)
PASSWORD = 'Sup3r "secret" \\ word'  # noqa: S105
SECRET = "c2VjcmV0IGZvZGRlcg=="  # noqa: S105

Answer = dict[str, Any]
Rule = tuple[str, Sequence[Answer]]

MISSING: Answer = {"code": 3, "err": "ERROR: (ResourceNotFound) It was not found.\n"}
REFUSED: Answer = {"code": 1, "err": "ERROR: (AuthorizationFailed) Not allowed.\n"}


def says(*lines: str) -> Answer:
    """What `--output tsv` prints for a list of texts."""
    return {"out": "".join(f"{line}\n" for line in lines)}


LOGGED_IN: Sequence[Rule] = (
    ("az account show", [says("Pay as you go", "0000-1111")]),
    ("az group exists", [says("true")]),
)
# As Azure answers when all goes well and the machine is not there yet.
DEPLOYING: Sequence[Rule] = (
    *LOGGED_IN,
    ("az vm show --show-details", [says("203.0.113.9", "10.0.0.4")]),
    ("az vm show", [MISSING]),
    ("az deployment group what-if", [{"out": "Resource changes: 4 to create.\n"}]),
    ("az deployment group create", [{}]),
    ("az stack group create", [{}]),
    (
        "az storage account list",
        [says(ACCOUNT, "https://disks1.blob.core.windows.net/", "westeurope")],
    ),
)
UPLOADING: Sequence[Rule] = (
    *LOGGED_IN,
    ("az group show", [says("westeurope")]),
    ("az group create", [{}]),
    (
        "az storage account list",
        [says(ACCOUNT, "https://disks1.blob.core.windows.net/", "westeurope")],
    ),
    ("az storage account create", [{}]),
    ("az storage container create", [{"out": ""}]),
    ("az storage blob show", [MISSING]),
    ("az storage blob upload", [{}]),
    ("az storage blob metadata update", [{}]),
    ("az storage blob delete", [{}]),
    ("az sig image-version show", [MISSING, says("Succeeded", IMAGE)]),
    ("az deployment group create", [{}]),
    ("azcopy copy", [{"out": "Job has started\nFinal Job Status: Completed\n"}]),
)


def resource(kind: str, name: str) -> str:
    """A line of `az resource list`, as its query asks for it."""
    return f"{kind}\t/subscriptions/s/resourceGroups/web/providers/{kind}/{name}"


MACHINE = resource("Microsoft.Compute/virtualMachines", "web")
SYSTEM_DISK = resource("Microsoft.Compute/disks", "web-os")
DATA_DISK = resource("Microsoft.Compute/disks", "web-data")
SNAPSHOT = resource("Microsoft.Compute/snapshots", "web-before")
INTERFACE = resource("Microsoft.Network/networkInterfaces", "web-eth0")
NETWORK = resource("Microsoft.Network/virtualNetworks", "web-vnet")
GROUP_RULES = resource("Microsoft.Network/networkSecurityGroups", "web-nsg")
GATEWAY = resource("Microsoft.Network/natGateways", "web-nat")
ADDRESS = resource("Microsoft.Network/publicIPAddresses", "web-ip")
ALL = (GROUP_RULES, DATA_DISK, ADDRESS, GATEWAY, SYSTEM_DISK, NETWORK, INTERFACE, SNAPSHOT, MACHINE)
LEFT = (GROUP_RULES, DATA_DISK, ADDRESS, GATEWAY, NETWORK, SNAPSHOT)
REMOVING: Sequence[Rule] = (
    *LOGGED_IN,
    ("az resource list", [says(*ALL), says(*LEFT)]),
    ("az resource delete", [{}]),
    ("az stack group delete", [{}]),
)

SDA = Blob("disks/sda.vhd", "11aa.vhd", 2048, image=True, data=False)
DATA = Blob("disks/data.vhd", "22bb.vhd", 1024, image=False, data=True)
LINUX = ScriptFacts(
    vm="web",
    os_disk="web-os",
    catlet_id=CATLET,
    deployment="web",
    guest=GuestKind.LINUX,
    image_parameter=True,
    image=GalleryImage("eryphc", "debian-12-v2", "1.2.3"),
    blobs=(SDA,),
    parameters=True,
    custom_data=DIGEST,
)
WITH_SECRETS = LINUX._replace(secrets=True, custom_data=None)
WITH_DATA = LINUX._replace(blobs=(SDA, DATA))
WINDOWS = LINUX._replace(
    guest=GuestKind.WINDOWS, image_parameter=False, image=None, blobs=(), parameters=False
)

# Parameters that the template declares; the linter of azure-cli reads it when the lines are judged.
_LINUX = ("adminUsername", "adminPublicKey", "imageId", "publicIp", "adminSources", "vmSize")
_TYPES = {"publicIp": "bool", "adminSources": "array"}
_DATA = ("storageAccountId", "blobPrefix")


def vhd(size: int) -> bytes:
    return bytes(size - 512) + b"conectix" + bytes(504)


def template(names: Sequence[str], secure: Sequence[str]) -> str:
    kinds = {name: {"type": _TYPES.get(name, "string")} for name in names} | {
        name: {"type": "securestring"} for name in secure
    }
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return json.dumps(
        {"$schema": schema, "contentVersion": "1.0.0.0", "parameters": kinds, "resources": []}
    )


class Call(NamedTuple):
    name: str
    arguments: list[str]
    environment: dict[str, str]
    files: dict[str, list[str]]
    input: str

    @property
    def line(self) -> str:
        return " ".join([self.name, *self.arguments])


class Done(NamedTuple):
    """How a run ended; `out` is standard output, `err` the other text, all of it on a terminal."""

    code: int
    out: str
    err: str


class Folder:
    """The folder of a machine beside its stand-ins; its path has a space and quotes."""

    def __init__(self, base: Path, facts: ScriptFacts, shell: str = "sh") -> None:
        self.shell = shell
        self.in_powershell = shell.startswith("/")
        self.path = base / "it's a build"
        self.stand_in = base / "stand-in"
        self.temporary = base / "temporary files"
        self.key = base / "my keys" / "id.pub"
        self.bin = base / "bin"
        for folder in (
            self.path / "disks",
            self.stand_in,
            self.temporary,
            self.key.parent,
            self.bin,
        ):
            folder.mkdir(parents=True)
        self.key.write_text(KEY + "\n", "utf-8")
        for name, content in scripts(facts).items():
            (self.path / name).write_bytes(content)
        for blob in facts.blobs:
            (self.path / blob.file).write_bytes(vhd(blob.size))
        windows = facts.guest is GuestKind.WINDOWS
        plain: tuple[str, ...] = _LINUX[:1] + _LINUX[3:] if windows else _LINUX
        if any(blob.data for blob in facts.blobs):
            plain += _DATA
        secure = (["adminPassword"] if windows else []) + (["customData"] if facts.secrets else [])
        self.write("main.json", template(plain, secure))
        if facts.parameters:
            self.write("main.parameters.json", '{"parameters": {"vmSize": {"value": "B2"}}}')
        if facts.secrets:
            text = json.dumps({"parameters": {"customData": {"value": SECRET}}})
            self.write("secrets.parameters.json", text)
            (self.path / "secrets.parameters.json").chmod(0o600)
        if facts.image is not None:
            self.write("image.json", template(("location", *_DATA), ()))
            self.write("image.parameters.json", '{"parameters": {}}')
        self.install("az")

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, "utf-8")

    def install(self, name: str) -> None:
        """Put a stand-in of this name on the search path."""
        command = shlex.join([sys.executable, "-IS", str(STAND_IN), name])
        program = self.bin / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
        program.chmod(0o755)

    def answer(self, rules: Sequence[Rule]) -> None:
        """Answer from now on so; the first rule whose words a call begins with holds."""
        if self.in_powershell:
            rules = _powershell_rules(rules)
        for used in self.stand_in.iterdir():
            if used.is_file():
                used.unlink()
        table = [{"words": words.split(), "answers": answers} for words, answers in rules]
        (self.stand_in / "answers.json").write_text(json.dumps(table), "utf-8")

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.stand_in),
            "TMPDIR": str(self.temporary),
            "STAND_IN": str(self.stand_in),
            "LANG": "C.UTF-8",
            "DOTNET_JITMinOpts": "1",
            **more,
        }

    def command(self, script: str, arguments: Sequence[str]) -> list[str]:
        if self.in_powershell:
            program = ps_quote(str(self.path / f"{script}.ps1"))
            run = f"& {program} {_powershell_words(arguments)}; exit $LASTEXITCODE"
            return [self.shell, "-NoProfile", "-NonInteractive", "-Command", run]
        return [*self.shell.split(), str(self.path / f"{script}.sh"), *arguments]

    def run(
        self,
        script: str,
        *arguments: str,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run without a terminal."""
        done = subprocess.run(
            self.command(script, arguments),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment(environment or {}),
            cwd=self.key.parent,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def talk(self, script: str, *arguments: str, typed: Sequence[tuple[str, str]]) -> Done:
        """Run on a terminal; when a text of `typed` appears, type what stands beside it."""
        terminal, inner = pty.openpty()
        run = subprocess.Popen(
            # The terminal is that of the run, so that an interrupt gets there.
            ["setsid", "--ctty", *self.command(script, arguments)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=self.key.parent,
            env=self.environment({}),
        )
        os.close(inner)
        shown = b""
        waiting = list(typed)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if waiting and waiting[0][0].encode() in shown:
                os.write(terminal, waiting.pop(0)[1].encode())
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # Nobody writes to it any more.
                break
        else:
            run.kill()
        os.close(terminal)
        code = run.wait(timeout=10)
        assert not waiting, shown.decode()
        return Done(code, "", shown.decode().replace("\r\n", "\n"))

    def calls(self) -> list[Call]:
        record = self.stand_in / "calls.jsonl"
        if not record.exists():
            return []
        return [Call(**json.loads(line)) for line in record.read_text("utf-8").splitlines()]

    def lines(self) -> list[str]:
        """Each call as it is shown in tests."""
        return [self.shown(call.line) for call in self.calls()]

    def shown(self, text: str) -> str:
        text = text.replace(str(self.path), "{folder}")
        return re.sub(re.escape(str(self.temporary)) + r"/eryphc[.-]\w+", "{work}", text)

    def left(self) -> list[str]:
        """What stands in the folder for temporary files."""
        return sorted(str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*"))


class Scenario(NamedTuple):
    """A run whose calls are among the accepted ones."""

    facts: ScriptFacts
    script: str
    arguments: tuple[str, ...]
    rules: Sequence[Rule]
    environment: Mapping[str, str] = {}
    azcopy: bool = False


def deploying(*more: str) -> tuple[str, ...]:
    return ("-g", "my group", "-u", "olaf", "-k", "id.pub", "-i", IMAGE, "--yes", *more)


SCENARIOS: Mapping[str, Scenario] = {
    "deploy a Linux machine": Scenario(LINUX, "deploy", deploying(), DEPLOYING),
    "deploy with settings and data disks": Scenario(
        WITH_DATA,
        "deploy",
        deploying("-s", "disks1", "-p", 'adminSources=["203.0.113.7/32"]', "-p", "publicIp=true"),
        DEPLOYING,
    ),
    "deploy with secrets as a stack": Scenario(
        WITH_SECRETS, "deploy", deploying("--stack"), DEPLOYING
    ),
    "deploy a Windows machine": Scenario(
        WINDOWS,
        "deploy",
        ("-g", "win", "-u", "Olaf", "--yes"),
        DEPLOYING,
        {"AZURE_ADMIN_PASSWORD": PASSWORD},
    ),
    "the group is missing": Scenario(
        LINUX, "deploy", deploying(), [("az group exists", [says("false")]), *DEPLOYING]
    ),
    "a deployment fails": Scenario(
        LINUX, "deploy", deploying(), [("az deployment group create", [REFUSED]), *DEPLOYING]
    ),
    "upload with azcopy": Scenario(
        WITH_DATA,
        "upload",
        ("-g", "images", "-s", "disks1", "--drop-blob", "--yes"),
        [("az storage blob show", [MISSING, MISSING, says("2048", "complete")]), *UPLOADING],
        azcopy=True,
    ),
    "upload where nothing is there": Scenario(
        LINUX,
        "upload",
        ("-g", "images", "-s", "disks1", "-l", "West Europe", "--yes"),
        [
            ("az group exists", [says("false")]),
            ("az storage account list", [{}, *UPLOADING[4][1]]),
            ("az sig image-version show", [says("Succeeded", IMAGE)]),
            *UPLOADING,
        ],
    ),
    "upload into a group that is there": Scenario(
        LINUX,
        "upload",
        ("-g", "images", "-s", "disks1", "--yes"),
        [("az storage account list", [{}, *UPLOADING[4][1]]), *UPLOADING],
    ),
    "a role is missing": Scenario(
        LINUX,
        "upload",
        ("-g", "images", "-s", "disks1", "--yes"),
        [("az storage container create", [REFUSED]), *UPLOADING],
    ),
    "remove": Scenario(LINUX, "remove", ("-g", "my group", "--yes"), REMOVING),
    "remove with a stack": Scenario(
        LINUX, "remove", ("-g", "my group", "--stack", "--yes"), REMOVING
    ),
    "remove with a stack and data": Scenario(
        LINUX, "remove", ("-g", "my group", "--stack", "--data", "--yes"), REMOVING
    ),
}


def played(scenario: Scenario, base: Path, shell: str = "sh") -> tuple[Folder, Done]:
    """A run of the scenario in a POSIX shell, or in PowerShell for the path of its engine."""
    folder = Folder(base, scenario.facts, shell)
    if scenario.azcopy:
        folder.install("azcopy")
    folder.answer(scenario.rules)
    done = folder.run(scenario.script, *scenario.arguments, environment=scenario.environment)
    return folder, done


def powershell() -> str | None:
    """The engine for PowerShell, unpacked once; None where the tests have none."""
    if not POWERSHELL.is_dir():
        return None
    command = [str(POWERSHELL / "unpack.sh")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


_SWITCHES = {
    "--yes": "-Yes",
    "--what-if": "-WhatIf",
    "--drop-blob": "-DropBlob",
    "--data": "-Data",
    "--stack": "-Stack",
    "--anyone": "-Anyone",
    "--help": "-Help",
}


def _powershell_words(arguments: Sequence[str]) -> str:
    """The arguments as PowerShell takes them: a switch is one word, `-p` takes a list."""
    words, settings = [], []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in _SWITCHES:
            words.append(_SWITCHES[word])
        elif word == "-p":
            settings.append(ps_quote(rest.pop(0)))
        elif rest and word.startswith("-"):
            words += [word, ps_quote(rest.pop(0))]
        else:
            words.append(word)
    return " ".join([*words, *(["-p", ", ".join(settings)] if settings else [])])


def _powershell_rules(rules: Sequence[Rule]) -> Sequence[Rule]:
    """The same answers in the form that the scripts for PowerShell ask for: JSON for tags."""
    made: list[Rule] = []
    for words, answers in rules:
        if words.startswith("az vm show") and "details" not in words:
            answers = [_as_json(each, _tags) for each in answers]
        elif words == "az resource list":
            answers = [_as_json(each, _resources) for each in answers]
        made.append((words, answers))
    return made


def _as_json(answer: Answer, form: Callable[[list[str]], object]) -> Answer:
    return (
        answer | {"out": json.dumps(form(answer["out"].splitlines()))}
        if "out" in answer
        else answer
    )


def _tags(lines: list[str]) -> object:
    owner, made_with = lines
    tags = {"eryphc-catlet-id": owner, "eryphc-custom-data": made_with}
    return {name: value for name, value in tags.items() if value} or None


def _resources(lines: list[str]) -> object:
    tags = {"eryphc-catlet-id": CATLET}
    ours = [dict(zip(("type", "id"), line.split("\t"), strict=True), tags=tags) for line in lines]
    return [
        {"type": "Microsoft.Compute/disks", "id": "/x/providers/y/disks/z", "tags": None},
        {"type": "Microsoft.Compute/disks", "id": "/x/providers/y/disks/o", "tags": {"a": "b"}},
        *ours,
    ]


def command_lines(folder: Folder, done: Done) -> list[list[str]]:
    """The calls of a run and the commands that it tells to run, with places for paths."""
    made = [[call.name, *call.arguments] for call in folder.calls()]
    made += [shlex.split(line) for line in re.findall(r"^ +(az .*)$", done.err, re.MULTILINE)]
    return [[folder.shown(word) for word in line] for line in made]
