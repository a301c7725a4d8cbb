"""The shell scripts for Azure really run, with stand-ins for `az` and `azcopy`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.guest.model import GuestKind
from eryphc.targets.azure.scripts import Blob, ScriptFacts, scripts, sh_quote
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
    MACHINE,
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
    Folder,
    Rule,
    command_lines,
    deploying,
    played,
    powershell,
    says,
)

pytestmark = pytest.mark.integration

Make = Callable[[ScriptFacts], Folder]

NOT_UPLOADED = LINUX._replace(image=None, blobs=())
HOSTILE = "a'; touch x; $(touch x) `touch x` \\' \"$HOME\" @vm@ \u2019\n# %s -rf *"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda facts: Folder(tmp_path, facts)


def names(folder: Folder) -> list[str]:
    """The commands of the calls, without their options."""
    return [" ".join(call.line.split(" --")[0].split()[:4]) for call in folder.calls()]


def parameters(folder: Folder, command: str) -> dict[str, str]:
    """What the script itself put into a file of parameters for the first call of this command."""
    call = next(each for each in folder.calls() if each.line.startswith(command))
    ((mode, text),) = (
        each for path, each in call.files.items() if path.endswith("/parameters.json")
    )
    assert mode == "600 in 700"
    return {name: each["value"] for name, each in json.loads(text)["parameters"].items()}


# ---- the text of the scripts ----


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_constant_is_the_text_itself(text: str) -> None:
    printed = subprocess.run(
        ["sh", "-c", f"printf %s {sh_quote(text)}"], capture_output=True, check=True
    )
    assert printed.stdout == text.encode()


@pytest.mark.parametrize("script", ["deploy", "upload", "remove"])
@pytest.mark.parametrize(
    "facts",
    [WITH_DATA, WINDOWS, NOT_UPLOADED._replace(conversions=("eryphc it's",))],
    ids=["Linux", "Windows", "no image at hand"],
)
def test_shellcheck_finds_nothing(facts: ScriptFacts, script: str, tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck")
    made = scripts(facts)
    if f"{script}.sh" not in made:
        assert facts is WINDOWS
        return
    (tmp_path / "it.sh").write_bytes(made[f"{script}.sh"])
    done = subprocess.run(
        ["shellcheck", "-s", "sh", str(tmp_path / "it.sh")], capture_output=True, text=True
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_only_constants_differ() -> None:
    """Everything below the constants is the same text for every machine."""

    def programs(facts: ScriptFacts) -> list[bytes]:
        return [text.split(b"# ==== end of the constants")[1] for text in scripts(facts).values()]

    other = WITH_SECRETS._replace(vm="other", guest=GuestKind.WINDOWS, catlet_id=OTHER)
    assert programs(LINUX) == programs(other)


def test_uploading_has_no_script_where_there_is_nothing_to_upload() -> None:
    assert {name for name in scripts(WINDOWS) if name.endswith(".sh")} == {"deploy.sh", "remove.sh"}


def test_hostile_names_stay_arguments(make: Make) -> None:
    folder = make(LINUX._replace(vm=HOSTILE, deployment=HOSTILE, custom_data=HOSTILE))
    folder.answer([("az vm show", [says(CATLET, "sha256:old")]), *DEPLOYING])
    done = folder.run("deploy", *deploying())
    assert done.code == 1
    show = folder.calls()[2].arguments
    assert show[show.index("--name") + 1] == HOSTILE
    assert not [path for path in folder.key.parent.iterdir() if path.name == "x"]


# ---- commands that azure-cli takes ----


@pytest.mark.parametrize("shell", ["sh", "bash --posix"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_azure_cli_takes_every_command(name: str, shell: str, tmp_path: Path) -> None:
    """`judge_az.py` asked azure-cli itself; it writes the file anew after a change of a command."""
    accepted = {tuple(line) for line in json.loads(ACCEPTED.read_text("utf-8"))["accepted"]}
    folder, done = played(SCENARIOS[name], tmp_path, shell)
    made = command_lines(folder, done)
    assert [line for line in made if line[0] == "az" and tuple(line) not in accepted] == []
    assert done.code == int(
        name in {"the group is missing", "a deployment fails", "a role is missing"}
    )
    assert folder.left() == []
    assert {call.input for call in folder.calls()} == {""}


def test_every_accepted_command_is_in_use(tmp_path: Path) -> None:
    engine = powershell()
    if engine is None:
        pytest.skip(NO_POWERSHELL)
    made: set[tuple[str, ...]] = set()
    for number, scenario in enumerate(SCENARIOS.values()):
        for shell in ("sh", engine):
            folder, done = played(scenario, tmp_path / f"{number} {len(shell)}", shell)
            made.update(tuple(line) for line in command_lines(folder, done))
    accepted = {tuple(line) for line in json.loads(ACCEPTED.read_text("utf-8"))["accepted"]}
    assert accepted - made == set()


# ---- options ----


@pytest.mark.parametrize("script", ["deploy", "upload", "remove"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(make: Make, script: str, option: str) -> None:
    folder = make(LINUX)
    done = folder.run(script, option)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: sh {script}.sh -g ")
    assert max(len(line) for line in done.out.splitlines()) < 100
    assert folder.calls() == []


GOOD = ("-g", "web", "-u", "olaf", "-k", "id.pub", "-i", IMAGE, "--yes")


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        pytest.param("deploy", (), "-g needs the name of a resource group", id="no group"),
        pytest.param("deploy", ("-g",), "-g needs a value", id="no value"),
        pytest.param("deploy", ("-z",), "no option -z", id="unknown letter"),
        pytest.param("deploy", ("--force",), "no option --force", id="unknown word"),
        pytest.param("deploy", ("-g", "web", "now"), "'now' belongs to no option", id="stray word"),
        pytest.param("deploy", ("-g", "--yes"), "'--yes' is not the name", id="group as an option"),
        pytest.param("deploy", ("-g", "@x"), "'@x' is not the name", id="group as a file"),
        pytest.param("deploy", ("-g", "a/b"), "'a/b' is not the name", id="group as a path"),
        pytest.param("deploy", ("-g", "a\nb"), "control character", id="group with a line"),
        pytest.param("deploy", ("-g", "g" * 91), "at most 90", id="group too long"),
        pytest.param("deploy", GOOD[:2], "-u needs", id="no administrator"),
        pytest.param("deploy", (*GOOD, "-u", "Admin1"), "lower-case", id="capitals on Linux"),
        pytest.param("deploy", (*GOOD, "-u", "root"), "refuses the administrator", id="root"),
        pytest.param("deploy", (*GOOD, "-u", "support_388945a0"), "refuses", id="refused name"),
        pytest.param("deploy", (*GOOD, "-u", "a b"), "cannot be the administrator", id="space"),
        pytest.param("deploy", (*GOOD, "-u", "-x"), "cannot be the administrator", id="dash"),
        pytest.param("deploy", (*GOOD, "-u", "olaf."), "cannot be the administrator", id="period"),
        pytest.param("deploy", (*GOOD, "-u", "o" * 65), "at most 64", id="name too long"),
        pytest.param("deploy", GOOD[:4], "-k needs the file", id="no key"),
        pytest.param(
            "deploy", (*GOOD, "-i", "web"), "is not the id of a gallery", id="image by name"
        ),
        pytest.param("deploy", (*GOOD, "-s", "disks1"), "-s has no use here", id="no data disks"),
        pytest.param(
            "deploy", (*GOOD, "-p", "x"), "-p takes NAME=VALUE", id="no value of a setting"
        ),
        pytest.param(
            "deploy", (*GOOD, "-p", "@x=1"), "not the name of a parameter", id="file name"
        ),
        pytest.param("deploy", (*GOOD, "-p", "a=1\n2"), "-p a=@FILE", id="setting with a line"),
        pytest.param(
            "deploy",
            (*GOOD, "-p", "AdminPassword=x"),
            "AZURE_ADMIN_PASSWORD",
            id="password in clear",
        ),
        pytest.param("deploy", (*GOOD, "-p", "customData=x"), "eryphc build", id="custom data"),
        pytest.param("upload", ("-g", "i"), "-s needs", id="no account"),
        pytest.param("upload", ("-g", "i", "-s", "Disks"), "lower-case letters", id="account"),
        pytest.param("upload", ("-g", "i", "-s", "d"), "3 to 24", id="account too short"),
        pytest.param("upload", ("-g", "i", "-s", "ddd", "-l", "a;b"), "westeurope", id="location"),
        pytest.param(
            "upload", ("-g", "i", "-s", "ddd", "--data"), "no option --data", id="other's"
        ),
        pytest.param("remove", ("-g", "x", "-u", "y"), "no option -u", id="remove has no -u"),
    ],
)
def test_wrong_usage(make: Make, script: str, arguments: tuple[str, ...], message: str) -> None:
    folder = make(LINUX)
    done = folder.run(script, *arguments)
    assert done.code == 2, done.err
    assert message in done.err
    assert f"Run 'sh {script}.sh --help'" in done.err
    assert folder.calls() == []


@pytest.mark.parametrize(
    ("facts", "arguments", "message"),
    [
        (WINDOWS, ("-g", "w", "-u", "o" * 21), "at most 20"),
        (WINDOWS, ("-g", "w", "-u", "Olaf", "-k", "id.pub"), "-k is for Linux"),
        (WINDOWS, ("-g", "w", "-u", "Olaf", "-i", IMAGE), "-i has no use here"),
        (WINDOWS, ("-g", "w", "-u", "ASPNET"), "refuses the administrator"),
        (WITH_DATA, GOOD, "-s needs the storage account"),
    ],
)
def test_wrong_usage_of_other_machines(
    make: Make, facts: ScriptFacts, arguments: tuple[str, ...], message: str
) -> None:
    folder = make(facts)
    done = folder.run("deploy", *arguments)
    assert (done.code, folder.calls()) == (2, [])
    assert message in done.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "is a private key"),
        (f"{KEY}\n{KEY}\n", "is not one line of an OpenSSH public key"),
        ("", "is not one line of an OpenSSH public key"),
        ("ssh-rsa hello\n", "is not one line of an OpenSSH public key"),
        ("from=* " + KEY, "is not one line of an OpenSSH public key"),
        (KEY + "\x1b[2J", "is not one line of an OpenSSH public key"),
    ],
)
def test_a_key_that_is_none(make: Make, content: str, message: str) -> None:
    folder = make(LINUX)
    folder.key.write_text(content, "utf-8")
    done = folder.run("deploy", *GOOD)
    assert (done.code, folder.calls()) == (1, [])
    assert message in done.err


def test_a_missing_key_tells_how_to_make_one(make: Make) -> None:
    done = make(LINUX).run("deploy", *GOOD, "-k", "nowhere.pub")
    assert done.code == 1
    assert "ssh-keygen -t ed25519" in done.err


def test_an_image_is_needed(make: Make) -> None:
    done = make(LINUX).run("deploy", *GOOD[:6], "--yes")
    assert done.code == 1
    assert "sh upload.sh -g IMAGES-GROUP -s STORAGE-ACCOUNT" in done.err


def test_an_image_that_was_not_at_hand(make: Make) -> None:
    line = "eryphc volume convert sda.qcow2 --to vhd"
    folder = make(NOT_UPLOADED._replace(conversions=(line,)))
    done = folder.run("deploy", *GOOD[:6], "--yes")
    assert done.code == 1
    assert line in done.err
    done = folder.run("upload", "-g", "i", "-s", "disks1", "--yes")
    assert done.code == 1
    assert line in done.err
    assert folder.calls() == []


@pytest.mark.parametrize("arguments", [GOOD[:6], (*GOOD[:6], "-p", f"imageId={IMAGE}")])
def test_an_image_that_is_known(make: Make, arguments: tuple[str, ...]) -> None:
    folder = make(NOT_UPLOADED._replace(image_known=len(arguments) == 6))
    folder.answer(DEPLOYING)
    assert folder.run("deploy", *arguments, "--yes").code == 0
    assert "imageId" not in parameters(folder, "az deployment group create")


def test_a_folder_that_is_not_whole(make: Make) -> None:
    folder = make(WITH_SECRETS)
    (folder.path / "secrets.parameters.json").unlink()
    done = folder.run("deploy", *GOOD)
    assert (done.code, folder.calls()) == (1, [])
    assert "secrets.parameters.json cannot be read" in done.err


@pytest.mark.parametrize(
    "value",
    [
        "['*']",
        '["10.0.0.0/8", "0.0.0.0/0"]',
        "Internet",
        '("::/0")',
        '["*"]',
        "@sources.json",
        "any",
    ],
)
def test_nobody_is_let_in_unasked(make: Make, value: str) -> None:
    folder = make(LINUX)
    (folder.key.parent / "sources.json").write_text('["1.2.3.4/32",\n "*"]', "utf-8")
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *GOOD, "-p", f"AdminSources={value}")
    assert (done.code, folder.calls()) == (1, [])
    assert "Or say --anyone" in done.err
    assert folder.run("deploy", *GOOD, "--anyone", "-p", f"AdminSources={value}").code == 0


def test_addresses_that_hide_what_they_say(make: Make) -> None:
    done = make(LINUX).run("deploy", *GOOD, "-p", 'adminSources=["\\u002a"]')
    assert done.code == 2
    assert "without backslashes" in done.err


def test_a_template_that_lets_everybody_in(make: Make) -> None:
    folder = make(LINUX._replace(open_to_anyone=True))
    folder.answer(DEPLOYING)
    assert folder.run("deploy", *GOOD).code == 1
    assert folder.calls() == []
    assert folder.run("deploy", *GOOD, "-p", 'adminSources=["10.0.0.0/8"]').code == 0
    assert folder.run("deploy", *GOOD, "--anyone").code == 0


# ---- deploy ----


def test_parameters_in_their_order(make: Make) -> None:
    """Later ones win: those of the build, secret ones, the script's own, the user's."""
    folder = make(WITH_SECRETS._replace(blobs=(SDA, DATA)))
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *deploying("-s", "disks1", "-p", "zone=1", "-p", "vmSize=a b"))
    assert done.code == 0
    for call in folder.calls():
        if call.line.startswith("az deployment group"):
            words = [folder.shown(word) for word in call.arguments]
            assert words[words.index("--parameters") + 1 :] == [
                "@{folder}/main.parameters.json",
                "@{folder}/secrets.parameters.json",
                "@{work}/parameters.json",
                "zone=1",
                "vmSize=a b",
            ]
    assert parameters(folder, "az deployment group what-if") == {
        "adminUsername": "olaf",
        "adminPublicKey": KEY,
        "imageId": IMAGE,
        "storageAccountId": ACCOUNT,
        "blobPrefix": "https://disks1.blob.core.windows.net/eryphc-disks/",
    }


def test_a_comment_of_a_key_may_hold_anything(make: Make) -> None:
    folder = make(LINUX)
    key = KEY + ' "quo\\ted" it\'s @home %s ü'
    folder.key.write_text(key + "\r\n", "utf-8")
    folder.answer(DEPLOYING)
    assert folder.run("deploy", *deploying()).code == 0
    assert parameters(folder, "az deployment group create")["adminPublicKey"] == key


SHOW = "az vm show --resource-group"


@pytest.mark.parametrize(
    ("facts", "answer", "code", "message", "deployed"),
    [
        pytest.param(LINUX, MISSING, 0, "There is no machine web yet", True, id="no machine yet"),
        pytest.param(LINUX, says(CATLET, DIGEST), 0, "", True, id="the same custom data"),
        pytest.param(
            LINUX,
            says(CATLET, "sha256:00"),
            1,
            "This machine exists",
            False,
            id="other custom data",
        ),
        pytest.param(
            LINUX, says(CATLET, ""), 1, "This machine exists", False, id="it was secret before"
        ),
        pytest.param(
            WITH_SECRETS, says(CATLET, ""), 0, "This machine exists", True, id="it is secret"
        ),
        pytest.param(
            WITH_SECRETS,
            says(CATLET, DIGEST),
            0,
            "This machine exists",
            True,
            id="it is secret now",
        ),
        pytest.param(WITH_SECRETS, MISSING, 0, "no machine web yet", True, id="secret and new"),
        pytest.param(
            LINUX._replace(custom_data=None), says(CATLET, ""), 0, "", True, id="none at all"
        ),
        pytest.param(
            LINUX, says(OTHER, DIGEST), 1, "does not belong to this catlet", False, id="another's"
        ),
        pytest.param(
            LINUX, says("", ""), 1, "does not belong to this catlet", False, id="made by hand"
        ),
        pytest.param(LINUX, REFUSED, 1, "does not say whether", False, id="not allowed to look"),
    ],
)
def test_custom_data_of_a_machine_that_exists(
    make: Make,
    facts: ScriptFacts,
    answer: dict[str, object],
    code: int,
    message: str,
    deployed: bool,  # noqa: FBT001
) -> None:
    folder = make(facts)
    folder.answer([(SHOW, [answer]), *DEPLOYING])
    done = folder.run("deploy", *deploying())
    assert done.code == code, done.err
    assert message in done.err
    assert ("az deployment group create" in names(folder)) == deployed
    assert ("This machine exists" in done.err) == (message == "This machine exists")
    if message == "This machine exists":
        assert "'sh remove.sh -g 'my group'', then 'sh deploy.sh' again" in done.err
    # An error of azure-cli is shown only where it is one for us.
    assert ("ERROR" in done.err) == (answer is REFUSED)


def test_only_showing(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *GOOD[:8], "--what-if")
    assert done.code == 0
    assert done.out == "Resource changes: 4 to create.\n"
    assert names(folder)[-1] == "az deployment group what-if"


@pytest.mark.parametrize("script", ["deploy", "upload", "remove"])
def test_without_a_terminal_nothing_is_asked(make: Make, script: str) -> None:
    folder = make(LINUX)
    arguments = {"deploy": GOOD[:8], "upload": ("-g", "i", "-s", "disks1")}
    done = folder.run(script, *arguments.get(script, ("-g", "web")), stdin="y\n")
    assert (done.code, folder.calls()) == (1, [])
    assert "--yes" in done.err


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("\n", 1)])
def test_asking_before_deploying(make: Make, typed: str, code: int) -> None:
    folder = make(LINUX)
    folder.answer(DEPLOYING)
    asked = "Deploy web to the resource group web? [y/N]"
    done = folder.talk("deploy", *GOOD[:8], typed=[(asked, typed)])
    assert done.code == code, done.err
    assert done.err.index("4 to create") < done.err.index(asked)
    assert ("az deployment group create" in names(folder)) == (code == 0)
    assert {call.input for call in folder.calls()} == {""}
    assert folder.left() == []


def test_a_failing_preview_changes_nothing(make: Make) -> None:
    folder = make(LINUX)
    folder.answer([("az deployment group what-if", [REFUSED]), *DEPLOYING])
    done = folder.run("deploy", *GOOD)
    assert done.code == 1
    assert "nothing was changed" in done.err
    assert "AuthorizationFailed" in done.err
    assert "az deployment group create" not in names(folder)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([("az account show", [REFUSED])], "Run 'az login'"),
        ([("az group exists", [REFUSED])], "does not say whether the resource group"),
        ([("az group exists", [says("false")])], "There is no resource group"),
    ],
)
@pytest.mark.parametrize("script", ["deploy", "remove"])
def test_an_azure_that_is_not_there(
    make: Make, script: str, rules: list[Rule], message: str
) -> None:
    folder = make(LINUX)
    folder.answer([*rules, *DEPLOYING])
    arguments = GOOD if script == "deploy" else ("-g", "web", "--yes")
    done = folder.run(script, *arguments)
    assert done.code == 1
    assert message in done.err


def test_without_azure_cli(make: Make) -> None:
    folder = make(LINUX)
    (folder.bin / "az").unlink()
    done = folder.run("deploy", *GOOD)
    assert done.code == 1
    assert "azure-cli" in done.err


def test_data_disks_that_were_not_uploaded(make: Make) -> None:
    folder = make(WITH_DATA)
    folder.answer([("az storage account list", [{}]), *DEPLOYING])
    done = folder.run("deploy", *GOOD, "-s", "disks1")
    assert done.code == 1
    assert "Run 'sh upload.sh -g IMAGES-GROUP -s disks1' first" in done.err


def test_a_machine_without_a_public_address(make: Make) -> None:
    folder = make(LINUX)
    folder.answer([("az vm show --show-details", [says("", "10.0.0.4")]), *DEPLOYING])
    done = folder.run("deploy", *GOOD)
    assert done.code == 0
    assert "  ssh olaf@10.0.0.4\n" in done.err
    assert "-p publicIp=true" in done.err


def test_a_link_to_the_script(make: Make) -> None:
    """Files are those beside the script's own path, wherever it is run from."""
    folder = make(LINUX)
    folder.answer(DEPLOYING)
    done = subprocess.run(
        ["sh", "./deploy.sh", *GOOD[:4], "-k", str(folder.key), *GOOD[6:]],
        cwd=folder.path,
        env=folder.environment({"CDPATH": "/:."}),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--template-file {folder}/main.json" in folder.lines()[3]


# ---- passwords ----

WIN = ("-g", "win", "-u", "Olaf", "--yes")


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Sh0rt!", "8 to 123"),
        ("Aa1" + "x" * 121, "8 to 123"),
        ("Pässword1", "ASCII"),
        ("Tab\tulat0r", "ASCII"),
        ("onlylowercase1", "three of"),
        ("ONLYUPPERCASE!", "three of"),
    ],
)
def test_a_password_that_azure_refuses(make: Make, password: str, message: str) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *WIN, environment={"AZURE_ADMIN_PASSWORD": password})
    assert done.code == 1
    assert message in done.err
    assert password not in done.err
    assert "az deployment group what-if" not in names(folder)


@pytest.mark.parametrize("password", [PASSWORD, "Aa1" + "x" * 120, "-n \\t%s1A", "@/etc/passwd A1"])
def test_a_password_goes_through_a_private_file(make: Make, password: str) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *WIN, environment={"AZURE_ADMIN_PASSWORD": password})
    assert done.code == 0, done.err
    assert parameters(folder, "az deployment group create")["adminPassword"] == password
    for call in folder.calls():
        assert password not in call.line
        assert call.environment == {}
    assert password not in done.out + done.err
    assert folder.left() == []


def test_a_password_is_asked_without_echo(make: Make) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    typed = [("Password of Olaf: ", f"{PASSWORD}\n"), ("Once more: ", f"{PASSWORD}\n")]
    done = folder.talk("deploy", *WIN, typed=typed)
    assert done.code == 0, done.err
    assert parameters(folder, "az deployment group create")["adminPassword"] == PASSWORD
    assert "secret" not in done.err
    assert folder.left() == []


def test_passwords_that_differ(make: Make) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    typed = [("Password of Olaf: ", f"{PASSWORD}\n"), ("Once more: ", "other\n")]
    done = folder.talk("deploy", *WIN, typed=typed)
    assert done.code == 1
    assert "differ" in done.err
    assert names(folder) == ["az account show", "az group exists"]


def test_a_password_without_a_terminal(make: Make) -> None:
    folder = make(WINDOWS)
    done = folder.run("deploy", *WIN)
    assert (done.code, folder.calls()) == (1, [])
    assert "Set AZURE_ADMIN_PASSWORD" in done.err


def test_secret_fodder_is_in_no_argument(make: Make) -> None:
    folder = make(WITH_SECRETS)
    folder.answer(DEPLOYING)
    done = folder.run("deploy", *deploying())
    assert done.code == 0
    assert SECRET not in "".join(call.line for call in folder.calls()) + done.out + done.err
    for call in folder.calls():
        for path, (mode, text) in call.files.items():
            assert SECRET not in text or (path.endswith("secrets.parameters.json"), mode[:4]) == (
                True,
                "600 ",
            )
    what_if = next(line for line in folder.lines() if "what-if" in line)
    assert "--result-format ResourceIdOnly" in what_if


# ---- a run that is interrupted ----


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE]
)
@pytest.mark.parametrize("shell", ["sh", "bash --posix"])
def test_an_ended_run_leaves_nothing(tmp_path: Path, shell: str, number: int) -> None:
    folder = Folder(tmp_path, WINDOWS, shell)
    folder.answer([("az deployment group what-if", [{"wait": 30}]), *DEPLOYING])
    run = subprocess.Popen(
        folder.command("deploy", WIN),
        env=folder.environment({"AZURE_ADMIN_PASSWORD": PASSWORD}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    ends = time.monotonic() + 30
    while "az deployment group what-if" not in names(folder) and time.monotonic() < ends:
        time.sleep(0.02)
    assert [path for path in folder.left() if path.endswith("parameters.json")]
    os.killpg(run.pid, number)
    run.communicate(timeout=30)
    assert run.returncode == 128 + number
    assert folder.left() == []


def test_an_interrupt_while_a_password_is_asked(make: Make) -> None:
    folder = make(WINDOWS)
    folder.answer(DEPLOYING)
    done = folder.talk("deploy", *WIN, typed=[("Password of Olaf: ", "\x03")])
    assert done.code in {130, -signal.SIGINT}
    assert folder.left() == []


# ---- upload ----

UP = ("-g", "images", "-s", "disks1", "--yes")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (bytes(2048), "does not end as a fixed VHD does"),
        (b"conectix" + bytes(2040), "does not end as a fixed VHD does"),
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
    assert "eryphc build" in done.err


def test_the_image_id_is_the_only_output(make: Make) -> None:
    folder = make(LINUX)
    folder.install("azcopy")
    folder.answer(UPLOADING)
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (0, f"{IMAGE}\n")
    (copy,) = (call for call in folder.calls() if call.name == "azcopy")
    assert copy.environment == {"AZCOPY_AUTO_LOGIN_TYPE": "AZCLI"}
    assert parameters(folder, "az deployment group create") == {
        "location": "westeurope",
        "storageAccountId": ACCOUNT,
        "blobPrefix": "https://disks1.blob.core.windows.net/eryphc-disks/",
    }
    assert folder.left() == []


WHOLE = says("2048", "complete")


@pytest.mark.parametrize(
    ("blob", "uploaded"),
    [
        pytest.param(WHOLE, False, id="whole"),
        pytest.param(says("2048", ""), True, id="without the mark of a whole upload"),
        pytest.param(says("1024", "complete"), True, id="of another length"),
        pytest.param(MISSING, True, id="missing"),
    ],
)
def test_a_blob_that_is_whole_is_not_uploaded_again(
    make: Make,
    blob: dict[str, object],
    uploaded: bool,  # noqa: FBT001
) -> None:
    folder = make(LINUX)
    folder.answer([("az storage blob show", [blob]), *UPLOADING])
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (0, f"{IMAGE}\n")
    assert ("az storage blob upload" in names(folder)) == uploaded
    assert "az deployment group create" in names(folder)


def test_an_image_that_is_there_needs_nothing(make: Make) -> None:
    folder = make(LINUX)
    folder.answer([("az sig image-version show", [says("Succeeded", IMAGE)]), *UPLOADING])
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (0, f"{IMAGE}\n")
    assert names(folder)[2:] == ["az storage account list", "az sig image-version show"]


def test_data_disks_go_up_beside_an_image_that_is_there(make: Make) -> None:
    folder = make(WITH_DATA)
    folder.answer([("az sig image-version show", [says("Succeeded", IMAGE)]), *UPLOADING])
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (0, f"{IMAGE}\n")
    (upload,) = (line for line in folder.lines() if line.startswith("az storage blob upload"))
    assert "--file {folder}/disks/data.vhd" in upload


@pytest.mark.parametrize("state", ["Failed", "Creating"])
def test_an_image_that_is_not_done(make: Make, state: str) -> None:
    folder = make(LINUX)
    folder.answer([("az sig image-version show", [says(state, IMAGE)]), *UPLOADING])
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (1, "")
    assert "az deployment group create" in names(folder)
    assert "Run this again in some minutes" in done.err


def test_only_data_disks(make: Make) -> None:
    folder = make(WITH_DATA._replace(image=None, blobs=(DATA,)))
    folder.answer(UPLOADING)
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (0, "")
    assert "az sig image-version show" not in names(folder)


@pytest.mark.parametrize(
    ("blobs", "deleted"),
    [
        ((SDA, DATA), ["11aa.vhd"]),
        ((SDA._replace(data=True),), []),
    ],
)
def test_blobs_of_data_disks_stay(make: Make, blobs: tuple[Blob, ...], deleted: list[str]) -> None:
    folder = make(LINUX._replace(blobs=blobs))
    folder.answer([("az storage blob show", [WHOLE]), *UPLOADING])
    assert folder.run("upload", *UP, "--drop-blob").code == 0
    gone = [call.arguments for call in folder.calls() if "blob delete" in call.line]
    assert [words[words.index("--name") + 1] for words in gone] == deleted


def test_a_blob_stays_while_its_image_is_not_done(make: Make) -> None:
    folder = make(LINUX)
    folder.answer([("az deployment group create", [REFUSED]), *UPLOADING])
    done = folder.run("upload", *UP, "--drop-blob")
    assert (done.code, done.out) == (1, "")
    assert "The blob stays" in done.err
    assert "az storage blob delete" not in names(folder)


def test_where_to_make_what_is_missing(make: Make) -> None:
    folder = make(LINUX)
    rules: list[Rule] = [("az group exists", [says("false")]), ("az storage account list", [{}])]
    folder.answer([*rules, *UPLOADING])
    done = folder.run("upload", *UP)
    assert done.code == 1
    assert "-l LOCATION" in done.err


def test_an_account_elsewhere(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(UPLOADING)
    done = folder.run("upload", *UP, "-l", "North Europe")
    assert done.code == 1
    assert "is in westeurope, not in northeurope" in done.err


@pytest.mark.parametrize("program", ["azcopy copy", "az storage blob upload"])
def test_an_upload_that_fails_is_not_marked_as_whole(make: Make, program: str) -> None:
    folder = make(LINUX)
    if program.startswith("azcopy"):
        folder.install("azcopy")
    folder.answer([(program, [REFUSED]), *UPLOADING])
    done = folder.run("upload", *UP)
    assert (done.code, done.out) == (1, "")
    assert "Run this again" in done.err
    assert "az storage blob metadata" not in names(folder)


def test_asking_before_uploading(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(UPLOADING)
    asked = "Upload 0 MiB to the storage account disks1 and make the image debian-12-v2 1.2.3"
    done = folder.talk("upload", *UP[:4], typed=[(asked, "n\n")])
    assert done.code == 1
    assert "az storage container create" not in names(folder)
    assert folder.left() == []


# ---- remove ----


def deleted(folder: Folder) -> list[str]:
    return [
        call.arguments[3].rpartition("/")[2]
        for call in folder.calls()
        if call.line.startswith("az resource delete")
    ]


@pytest.mark.parametrize(
    ("more", "gone"),
    [
        ((), ["web", "web-vnet", "web-nat", "web-ip", "web-nsg"]),
        (("--data",), ["web", "web-vnet", "web-nat", "web-ip", "web-nsg", "web-data"]),
    ],
)
def test_removing_in_order(make: Make, more: tuple[str, ...], gone: list[str]) -> None:
    folder = make(LINUX)
    folder.answer(REMOVING)
    done = folder.run("remove", "-g", "web", "--yes", *more)
    assert done.code == 0, done.err
    assert deleted(folder) == gone
    stays = done.err.partition("These stay:")[2]
    assert "snapshots/web-before" in stays
    assert ("web-data (a data disk; --data deletes it)" in stays) == (not more)


def test_a_disk_of_the_system_that_is_left_goes_too(make: Make) -> None:
    folder = make(LINUX)
    disk = "Microsoft.Compute/disks\t/subscriptions/s/resourceGroups/WEB/providers/x/disks/WEB-OS"
    folder.answer([("az resource list", [says(disk)]), *REMOVING])
    assert folder.run("remove", "-g", "web", "--yes").code == 0
    assert deleted(folder) == ["WEB-OS"]


@pytest.mark.parametrize("found", [(), (SNAPSHOT,)])
def test_nothing_to_remove(make: Make, found: tuple[str, ...]) -> None:
    folder = make(LINUX)
    folder.answer([("az resource list", [says(*found)]), *REMOVING])
    done = folder.run("remove", "-g", "web", "--yes")
    assert done.code == 0
    assert "Nothing in the resource group web" in done.err
    assert deleted(folder) == []


def test_only_showing_what_would_go(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(REMOVING)
    done = folder.run("remove", "-g", "web", "--what-if")
    assert done.code == 0
    assert "virtualMachines/web\n" in done.err
    assert deleted(folder) == []


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 1)])
def test_asking_before_removing(make: Make, typed: str, code: int) -> None:
    folder = make(LINUX)
    folder.answer(REMOVING)
    done = folder.talk("remove", "-g", "web", typed=[("Delete this? [y/N]", typed)])
    assert done.code == code
    assert done.err.index("virtualMachines/web") < done.err.index("Delete this?")
    assert bool(deleted(folder)) == (code == 0)


def test_a_removal_that_fails_stops(make: Make) -> None:
    folder = make(LINUX)
    folder.answer([("az resource delete", [REFUSED]), *REMOVING])
    done = folder.run("remove", "-g", "web", "--yes")
    assert done.code == 1
    assert "run this again" in done.err
    assert deleted(folder) == [MACHINE.rpartition("/")[2]]


def test_data_disks_stay_when_a_stack_goes(make: Make) -> None:
    folder = make(LINUX)
    folder.answer(REMOVING)
    done = folder.run("remove", "-g", "web", "--stack", "--yes")
    assert done.code == 0
    assert folder.lines()[-1].split(" --")[-3] == "action-on-unmanage detachAll"
    assert "web-data" not in deleted(folder)
