"""The scripts for PowerShell do what those for a shell do, run by an engine for PowerShell."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from eryphc.targets.azure.scripts import ScriptFacts, ps_quote, scripts
from places import NO_POWERSHELL
from targets.azure.running import (
    ACCEPTED,
    ACCOUNT,
    CATLET,
    DATA,
    DEPLOYING,
    DIGEST,
    IMAGE,
    KEY,
    LINUX,
    MISSING,
    OTHER,
    PASSWORD,
    REFUSED,
    REMOVING,
    SCENARIOS,
    SDA,
    SECRET,
    SNAPSHOT,
    UPLOADING,
    WINDOWS,
    WITH_DATA,
    WITH_SECRETS,
    Answer,
    Done,
    Folder,
    Rule,
    Scenario,
    command_lines,
    deploying,
    played,
    powershell,
    says,
)

pytestmark = pytest.mark.integration

Make = Callable[[ScriptFacts], Folder]

ENGINES = {"7": {}, "5.1": {"PSLITE_COMPAT": "5.1"}}
GOOD = ("-g", "web", "-u", "olaf", "-k", "id.pub", "-i", IMAGE, "--yes")
HOSTILE = "a'; New-Item x; $(New-Item x) `n \u2018\u2019\u201a\u201b @vm@ # %PATH% -rf *"


@pytest.fixture(scope="session")
def engine() -> str:
    found = powershell()
    if found is None:
        pytest.skip(NO_POWERSHELL)
    return found


@pytest.fixture
def make(tmp_path: Path, engine: str) -> Make:
    return lambda facts: Folder(tmp_path, facts, engine)


def commands(folder: Folder) -> list[str]:
    """The calls without what differs between the shells: how answers are asked for, settings."""
    kept = []
    for call in folder.calls():
        line = re.sub(r" --query .*", "", folder.shown(call.line))
        kept.append(re.sub(r"(@\{work\}/parameters\.json) .*", r"\1", line))
    return kept


def parameters(folder: Folder, command: str) -> dict[str, object]:
    call = next(each for each in folder.calls() if each.line.startswith(command))
    ((mode, text),) = (
        each for path, each in call.files.items() if path.endswith("/parameters.json")
    )
    assert mode == "600 in 700"
    return {name: each["value"] for name, each in json.loads(text)["parameters"].items()}


# ---- the text of the scripts ----


def test_a_constant_is_the_text_itself(engine: str, tmp_path: Path) -> None:
    random = Random(7)  # noqa: S311 - any texts will do
    letters = "'\u2018\u2019\u201a\u201b\"`$@(){}\n\r\t%;#&|<> a\u00e9\u202e\U0001f600"
    texts = [HOSTILE, "", "'", "\r\n'@\n"]
    texts += ["".join(random.choices(letters, k=random.randint(1, 12))) for _ in range(300)]
    rows = "\n".join(f"    , @({ps_quote(text)}, 'x')" for text in texts)
    script = (
        f"\ufeff$rows = @(\n{rows}\n)\n"
        "foreach ($row in $rows) { [Console]::Out.WriteLine("
        "[Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($row[0]))) }\n"
    )
    (tmp_path / "it.ps1").write_bytes(script.encode())
    done = subprocess.run(
        [engine, "-NoProfile", "-File", str(tmp_path / "it.ps1")],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = [base64.b64decode(line).decode("utf-16-le") for line in done.stdout.splitlines()]
    # The engine reads a file as it is: no line end is changed.
    assert shown == texts


@pytest.mark.parametrize("facts", [WITH_DATA, WINDOWS], ids=["Linux", "Windows"])
def test_both_versions_can_read_the_scripts(
    facts: ScriptFacts, engine: str, tmp_path: Path
) -> None:
    for name, content in scripts(facts._replace(conversions=(HOSTILE, HOSTILE))).items():
        if name.endswith(".ps1"):
            assert content.startswith(b"\xef\xbb\xbf# ")
            (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [engine, "-Parse", "-Check51", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert len(said["files"]) == 3
    assert [each["errors"] + each["check51"] for each in said["files"]] == [[], [], []]


def test_hostile_names_stay_arguments(make: Make) -> None:
    folder = make(LINUX._replace(vm=HOSTILE, deployment=HOSTILE, custom_data=HOSTILE))
    folder.answer([("az vm show", [says(CATLET, "sha256:old")]), *DEPLOYING])
    done = folder.run("deploy", *deploying())
    assert done.code == 1
    show = folder.calls()[2].arguments
    assert show[show.index("--name") + 1] == HOSTILE
    assert [path.name for path in folder.key.parent.iterdir()] == ["id.pub"]


# ---- the same as in a shell ----


@pytest.mark.parametrize("version", ENGINES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_calls_as_in_a_shell(name: str, version: str, engine: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    scenario = scenario._replace(environment={**scenario.environment, **ENGINES[version]})
    there, shell_done = played(scenario, tmp_path / "sh")
    here, done = played(scenario, tmp_path / "ps", engine)
    assert done.code == shell_done.code, done.err
    assert commands(here) == commands(there)
    assert done.out == shell_done.out
    accepted = {tuple(line) for line in json.loads(ACCEPTED.read_text("utf-8"))["accepted"]}
    made = command_lines(here, done)
    assert [line for line in made if line[0] == "az" and tuple(line) not in accepted] == []
    assert here.left() == []
    assert {call.input for call in here.calls()} == {""}
    told = shell_done.err
    for old, new in (("sh upload.sh", ".\\upload.ps1"), (".sh", ".ps1"), ("--data", "-Data")):
        told = told.replace(old, new)
    assert done.err == told


@pytest.mark.parametrize("script", ["deploy", "upload", "remove"])
def test_help(make: Make, script: str) -> None:
    folder = make(LINUX)
    done = folder.run(script, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: .\\{script}.ps1 -g ")
    assert folder.calls() == []


@pytest.mark.parametrize(
    ("facts", "script", "arguments", "message"),
    [
        (LINUX, "deploy", (), "-g needs the name of a resource group"),
        (LINUX, "deploy", ("-g", "@x"), "'@x' is not the name"),
        (LINUX, "deploy", ("-g", "a&b"), "'a&b' is not the name"),
        (LINUX, "deploy", ("-g", "g" * 91), "is not the name"),
        (LINUX, "deploy", GOOD[:2], "-u needs"),
        (LINUX, "deploy", (*GOOD[:2], "-u", "Olaf"), "lower-case"),
        (LINUX, "deploy", (*GOOD[:2], "-u", "root"), "refuses the administrator"),
        (LINUX, "deploy", (*GOOD[:2], "-u", "a b"), "cannot be the administrator"),
        (LINUX, "deploy", (*GOOD[:2], "-u", "o" * 65), "at most 64"),
        (LINUX, "deploy", GOOD[:4], "-k needs the file"),
        (LINUX, "deploy", (*GOOD[:6], "-i", "web"), "is not the id of a gallery"),
        (LINUX, "deploy", (*GOOD, "-s", "disks1"), "-s has no use here"),
        (LINUX, "deploy", (*GOOD, "-p", "x"), "-p takes NAME=VALUE"),
        (LINUX, "deploy", (*GOOD, "-p", "nope=1"), "main.json has no parameter 'nope'"),
        (LINUX, "deploy", (*GOOD, "-p", "adminPassword=x"), "AZURE_ADMIN_PASSWORD"),
        (LINUX, "deploy", (*GOOD, "-p", "customData=x"), "eryphc build"),
        (LINUX, "deploy", (*GOOD, "-p", 'adminSources=["\\u002a"]'), "without backslashes"),
        (LINUX, "deploy", (*GOOD, "-p", "publicIp=perhaps"), "has to be JSON"),
        (LINUX, "deploy", (*GOOD, "-p", 'publicIp=true, "x": 1'), "has to be JSON"),
        (WINDOWS, "deploy", ("-g", "w", "-u", "o" * 21), "at most 20"),
        (WINDOWS, "deploy", ("-g", "w", "-u", "Olaf", "-k", "id.pub"), "-k is for Linux"),
        (WINDOWS, "deploy", ("-g", "w", "-u", "Olaf", "-i", IMAGE), "-i has no use here"),
        (WITH_DATA, "deploy", GOOD, "-s needs the storage account"),
        (LINUX, "upload", ("-g", "i"), "-s needs"),
        (LINUX, "upload", ("-g", "i", "-s", "Disks"), "lower-case letters"),
        (LINUX, "upload", ("-g", "i", "-s", "ddd", "-l", "a;b"), "westeurope"),
        (LINUX, "remove", ("-g", "x/y"), "is not the name"),
    ],
)
def test_wrong_usage(
    make: Make, facts: ScriptFacts, script: str, arguments: tuple[str, ...], message: str
) -> None:
    folder = make(facts)
    done = folder.run(script, *arguments)
    assert done.code == 2, done.err
    assert message in done.err
    assert folder.calls() == []


@pytest.mark.parametrize("script", ["deploy", "upload", "remove"])
def test_without_a_terminal_nothing_is_asked(make: Make, script: str) -> None:
    folder = make(LINUX)
    arguments = {"deploy": GOOD[:8], "upload": ("-g", "i", "-s", "disks1")}
    done = folder.run(script, *arguments.get(script, ("-g", "web")), stdin="y\n")
    assert (done.code, folder.calls()) == (1, [])
    assert "-Yes" in done.err


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1)])
def test_asking_before_deploying(make: Make, typed: str, code: int) -> None:
    folder = make(LINUX)
    folder.answer(DEPLOYING)
    asked = "Deploy web to the resource group web? [y/N]"
    done = folder.talk("deploy", *GOOD[:8], typed=[(asked, typed)])
    assert done.code == code, done.err
    made = any(line.startswith("az deployment group create") for line in commands(folder))
    assert made == (code == 0)
    assert folder.left() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "is a private key"),
        (f"{KEY}\n{KEY}\n", "is not one line of an OpenSSH public key"),
        ("ssh-rsa hello\n", "is not one line of an OpenSSH public key"),
        (KEY + "\x1b[2J", "is not one line of an OpenSSH public key"),
    ],
)
def test_a_key_that_is_none(make: Make, content: str, message: str) -> None:
    folder = make(LINUX)
    folder.key.write_text(content, "utf-8")
    done = folder.run("deploy", *GOOD)
    assert (done.code, folder.calls()) == (1, [])
    assert message in done.err


@pytest.mark.parametrize(
    "value", ["['*']", '["10.0.0.0/8", "0.0.0.0/0"]', "@sources.json", '["any"]']
)
def test_nobody_is_let_in_unasked(make: Make, value: str) -> None:
    folder = make(LINUX)
    (folder.key.parent / "sources.json").write_text('["1.2.3.4/32",\n "*"]', "utf-8")
    done = folder.run("deploy", *GOOD, "-p", f"adminSources={value}")
    assert (done.code, folder.calls()) == (1, [])
    assert "Or say -Anyone" in done.err


@pytest.mark.parametrize("version", ENGINES)
def test_parameters_of_every_type(make: Make, version: str) -> None:
    """What the user sets goes through the file too, since Windows breaks quotes in arguments."""
    folder = make(WITH_DATA)
    template = json.loads((folder.path / "main.json").read_text("utf-8"))
    template["parameters"]["subnetIds"] = {"type": "object"}
    folder.write("main.json", json.dumps(template))
    key = KEY + ' "quo\\ted" it\'s @home %s ü'
    folder.key.write_text(key + "\r\n", "utf-8")
    (folder.key.parent / "subnets.json").write_text('{"default": "/subscriptions/x"}\n', "utf-8")
    folder.answer(DEPLOYING)
    settings = ('adminSources=["203.0.113.7/32"]', "PublicIP=true", "subnetIds=@subnets.json")
    words = [word for each in (*settings, "vmSize=@x y") for word in ("-p", each)]
    done = folder.run(
        "deploy", *deploying("-s", "disks1", *words[:-2]), environment=ENGINES[version]
    )
    assert done.code == 0, done.err
    assert parameters(folder, "az deployment group what-if") == {
        "adminUsername": "olaf",
        "adminPublicKey": key,
        "imageId": IMAGE,
        "storageAccountId": ACCOUNT,
        "blobPrefix": "https://disks1.blob.core.windows.net/eryphc-disks/",
        "adminSources": ["203.0.113.7/32"],
        "publicIp": True,
        "subnetIds": {"default": "/subscriptions/x"},
    }


@pytest.mark.parametrize(
    ("facts", "answer", "code", "message", "deployed"),
    [
        (LINUX, MISSING, 0, "There is no machine web yet", True),
        (LINUX, says(CATLET, DIGEST), 0, "", True),
        (LINUX, says(CATLET, "sha256:00"), 1, "This machine exists", False),
        (LINUX, says(CATLET, ""), 1, "This machine exists", False),
        (WITH_SECRETS, says(CATLET, ""), 0, "This machine exists", True),
        (LINUX._replace(custom_data=None), says(CATLET, ""), 0, "", True),
        (LINUX, says(OTHER, DIGEST), 1, "does not belong to this catlet", False),
        (LINUX, says("", ""), 1, "does not belong to this catlet", False),
        (LINUX, REFUSED, 1, "does not say whether", False),
    ],
)
def test_custom_data_of_a_machine_that_exists(
    make: Make,
    facts: ScriptFacts,
    answer: Answer,
    code: int,
    message: str,
    deployed: bool,  # noqa: FBT001
) -> None:
    folder = make(facts)
    folder.answer([("az vm show --resource-group", [answer]), *DEPLOYING])
    done = folder.run("deploy", *deploying())
    assert done.code == code, done.err
    assert message in done.err
    made = any(line.startswith("az deployment group create") for line in commands(folder))
    assert made == deployed
    assert ("This machine exists" in done.err) == (message == "This machine exists")
    assert ("ERROR" in done.err) == (answer is REFUSED)


def test_only_showing(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *GOOD[:8], "--what-if")
    assert (done.code, done.out) == (0, "Resource changes: 4 to create.\n")
    assert commands(folder)[-1].startswith("az deployment group what-if")


# ---- secrets ----


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Sh0rt!", "8 to 123"),
        ("Aa1" + "x" * 121, "8 to 123"),
        ("Pässword1", "ASCII"),
        ("onlylowercase1", "three of"),
        (None, "Set AZURE_ADMIN_PASSWORD"),
    ],
)
def test_a_password_that_azure_refuses(make: Make, password: str | None, message: str) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    environment: Mapping[str, str] = {"AZURE_ADMIN_PASSWORD": password} if password else {}
    done = folder.run("deploy", "-g", "win", "-u", "Olaf", "--yes", environment=environment)
    assert done.code == 1
    assert message in done.err
    assert not password or password not in done.err
    assert not any("what-if" in line for line in commands(folder))


@pytest.mark.parametrize("version", ENGINES)
@pytest.mark.parametrize("password", [PASSWORD, "<&'>A1 \u0060$x", "@/etc/passwd A1"])
def test_a_password_goes_through_a_private_file(make: Make, password: str, version: str) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    environment = {"AZURE_ADMIN_PASSWORD": password, **ENGINES[version]}
    done = folder.run("deploy", "-g", "win", "-u", "Olaf", "--yes", environment=environment)
    assert done.code == 0, done.err
    assert parameters(folder, "az deployment group create")["adminPassword"] == password
    for call in folder.calls():
        assert password not in call.line
        assert call.environment == {}
    assert password not in done.out + done.err
    assert folder.left() == []


def test_secret_fodder_is_in_no_argument(make: Make) -> None:
    folder = make(WITH_SECRETS)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *deploying())
    assert done.code == 0
    assert SECRET not in "".join(call.line for call in folder.calls()) + done.out + done.err


# ---- upload and remove ----

UP = ("-g", "images", "-s", "disks1", "--yes")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (bytes(2048), "does not end as a fixed VHD does"),
        (bytes(1024) + b"conectix" + bytes(504), "has 1536 bytes and should have 2048"),
        (b"", "has 0 bytes"),
    ],
)
def test_disks_are_looked_at_first(make: Make, content: bytes | None, message: str) -> None:
    folder = make(WITH_DATA)
    if content is None:
        (folder.path / SDA.file).unlink()
    else:
        (folder.path / SDA.file).write_bytes(content)
    done = folder.run("upload", *UP)
    assert (done.code, folder.calls()) == (1, [])
    assert message in done.err


def state(*rules: Rule) -> list[Rule]:
    return [*rules, *UPLOADING]


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            Scenario(
                LINUX, "upload", UP, state(("az sig image-version", [says("Succeeded", IMAGE)]))
            ),
            id="the image is there",
        ),
        pytest.param(
            Scenario(
                WITH_DATA, "upload", UP, state(("az sig image-version", [says("Succeeded", IMAGE)]))
            ),
            id="the image is there, the data disk is not",
        ),
        pytest.param(
            Scenario(LINUX, "upload", UP, state(("az sig image-version", [says("Failed", IMAGE)]))),
            id="the image failed",
        ),
        pytest.param(
            Scenario(
                LINUX, "upload", UP, state(("az storage blob show", [says("2048", "complete")]))
            ),
            id="the blob is whole",
        ),
        pytest.param(
            Scenario(LINUX, "upload", UP, state(("az storage blob show", [says("2048", "")]))),
            id="the blob has no mark",
        ),
        pytest.param(
            Scenario(LINUX, "upload", UP, state(("az storage blob show", [REFUSED]))),
            id="blobs are not allowed",
        ),
        pytest.param(
            Scenario(LINUX, "upload", UP, state(("azcopy copy", [REFUSED])), azcopy=True),
            id="azcopy fails",
        ),
        pytest.param(
            Scenario(WITH_DATA._replace(image=None, blobs=(DATA,)), "upload", UP, UPLOADING),
            id="data disks alone",
        ),
        pytest.param(
            Scenario(
                LINUX._replace(blobs=(SDA._replace(data=True),)),
                "upload",
                (*UP, "--drop-blob"),
                state(("az storage blob show", [says("2048", "complete")])),
            ),
            id="a blob for two uses stays",
        ),
        pytest.param(
            Scenario(
                LINUX,
                "upload",
                UP,
                state(("az group exists", [says("false")]), ("az storage account list", [{}])),
            ),
            id="nobody said where",
        ),
        pytest.param(
            Scenario(LINUX, "upload", (*UP, "-l", "North Europe"), UPLOADING), id="elsewhere"
        ),
        pytest.param(
            Scenario(
                LINUX,
                "remove",
                ("-g", "web", "--yes"),
                [("az resource list", [says(SNAPSHOT)]), *REMOVING],
            ),
            id="nothing to remove",
        ),
        pytest.param(
            Scenario(
                LINUX, "remove", ("-g", "web", "--yes"), [("az resource list", [says()]), *REMOVING]
            ),
            id="nothing at all",
        ),
        pytest.param(
            Scenario(LINUX, "remove", ("-g", "web", "--what-if"), REMOVING), id="only the list"
        ),
        pytest.param(
            Scenario(
                LINUX,
                "remove",
                ("-g", "web", "--data", "--yes"),
                [("az resource delete", [{}, REFUSED]), *REMOVING],
            ),
            id="a removal fails",
        ),
    ],
)
def test_the_same_answers_as_in_a_shell(scenario: Scenario, engine: str, tmp_path: Path) -> None:
    there, shell_done = played(scenario, tmp_path / "sh")
    here, done = played(scenario, tmp_path / "ps", engine)
    assert (done.code, done.out) == (shell_done.code, shell_done.out), done.err
    assert commands(here) == commands(there)
    assert same_text(done) == same_text(shell_done)
    assert here.left() == []


def same_text(done: Done) -> list[str]:
    """What was said, without the names of the scripts and of their options."""
    text = re.sub(r"(?:sh |\.\\)?(\w+)\.(?:sh|ps1)", r"\1", done.err).replace("--data", "-Data")
    return text.splitlines()
