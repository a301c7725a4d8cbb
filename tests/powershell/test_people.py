"""What hosts and people do to both programs: wrong arguments, numbers of errors, seeds, doubles.

Both say the same, from one file.
"""

import hashlib
import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from eryph_runtime import session as session_module
from eryph_runtime.child import Child
from eryph_runtime.said import hint, note
from eryph_runtime.session import Session, host_program, powershell_arguments
from eryphc.targets.hyperv.deploy_script import deploy_script
from powershell.conftest import CATLET, HOME, ISO_FILES, ModelHost, changes, example, tree
from powershell.test_deploy_script import Script
from powershell.test_host_program import BASE, Runtime

pytestmark = pytest.mark.integration

UNHELD = str(uuid.uuid4())
SAID = Path(session_module.__file__).parent / "powershell" / "said.json"


@pytest.fixture
def script(host: ModelHost, tmp_path: Path) -> Script:
    host.disk("C:\\store\\base.vhdx", gib=10)
    return Script(host, example(), tmp_path)


@pytest.fixture
def runtime(script: Script) -> Runtime:
    """On the same host and in the same folder as the script."""
    return Runtime(script.host)


def test_the_script_holds_the_file_that_the_runtime_reads() -> None:
    text = SAID.read_text(encoding="ascii")
    assert text in deploy_script("{}\n")
    assert "'@" not in text
    said = json.loads(text)
    for number in said["hints"]:
        assert hint(int(number, 16), "") == said["hints"][number]
        assert number == f"0x{number[2:].upper()}"


# ---- arguments ----


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(
            ["-Parameter", "folder=C:\\A;B", "-Volume", "sda"],
            ["-Parameter: 'B' is not NAME=VALUE", "@{ NAME = 'VALUE' }", "-Volume: 'sda' is not"],
            id="pieces without a value",
        ),
        pytest.param(
            ["-Parameter", "folder=;switch-default= ;"],
            ["-Parameter: 'folder' has no value", "'switch-default' has no value"],
            id="empty values",
        ),
        pytest.param(
            ["-Parameter", "folder=C:\\A;folder=C:\\B", "-Volume", "'sda=C:\\b.vhdx'"],
            ["'folder' is given twice", "there are quotes around 'sda=C:\\b.vhdx'"],
            id="twice, and single quotes of cmd.exe",
        ),
        pytest.param(["-ValueFile", "nowhere"], ["there is no file nowhere"], id="no such file"),
    ],
)
def test_arguments_are_never_cut(script: Script, arguments: list[str], told: list[str]) -> None:
    before = tree(script.host)
    text = script.run("-WhatIf", *arguments, code=2)
    for part in told:
        assert part in text
    assert "create:" not in text
    assert tree(script.host) == before


def test_a_table_takes_any_value(script: Script) -> None:
    """As a shell of PowerShell hands it over; a list of texts does the same."""
    program = script.folder / "deploy.ps1"
    for given in ("@{ folder = 'C:\\vms\\a;b' }", "'folder=C:\\vms\\a;b', 'volume-folder=C:\\x'"):
        command = (
            f"& '{program}' -WhatIf -Parameter {given} -Volume @{{ sda = 'C:\\store\\base.vhdx'"
        )
        command += f" }} -ValueFile '{script.values}'; exit $LASTEXITCODE"
        done = script.host.run("-Command", command)
        assert done.returncode == 4, done.stdout + done.stderr
        assert f"create: machine web in C:\\vms\\a;b\\eryphc-{CATLET}" in done.stdout
    done = script.host.run(
        "-Command", f"& '{program}' -Parameter @{{ folder = $env:NOT_SET }}; exit $LASTEXITCODE"
    )
    assert (done.returncode, "'folder' has no value" in done.stdout) == (2, True)


def test_a_line_without_a_name_is_no_value_and_is_not_shown(script: Script) -> None:
    script.values.write_text("token=\ns3cret\n", encoding="utf-8")
    text = script.run("-ValueFile", str(script.values), "-WhatIf", code=2)
    assert "line 2 is not NAME=VALUE" in text
    assert "s3cret" not in text


# ---- hints ----


def test_both_programs_hint_by_the_number(script: Script, runtime: Runtime) -> None:
    german = "Die virtuelle Festplatte wurde nicht angef\u00fcgt. (0xC03A001A)."
    failing = {"HYPERV_FAIL": "Add-VMHardDiskDrive", "HYPERV_FAIL_TEXT": german}
    text = script.create(code=3, **failing)
    wanted = hint(0xC03A001A, "")
    assert f"hint: {wanted}" in text
    error = runtime.run("apply", *BASE, code=3, **failing)["error"]
    assert error["hint"] == wanted
    assert "hint:" not in script.create(code=3, HYPERV_FAIL="Add-VMHardDiskDrive")


def test_a_folder_that_windows_compresses_is_refused_first(script: Script) -> None:
    head = "function Get-FileAttribute {\n    param([string] $Path)\n"
    program = script.folder / "deploy.ps1"
    text = program.read_text(encoding="ascii")
    assert head in text
    fake = "    if ($Path -ceq 'C:\\vms') { return , @('Directory', 'Compressed') }\n"
    program.write_text(text.replace(head, head + fake), encoding="ascii")
    before = tree(script.host)
    told = script.create(code=1)
    assert "The folder C:\\vms is Compressed" in told
    assert told.count("is Compressed") == 1
    assert tree(script.host) == before


# ---- seeds ----


def rebuild(script: Script, runtime: Runtime, **more: Any) -> dict[str, Any]:
    """Another ISO of the same places, as after a change of the fodder."""
    iso = (script.folder / ISO_FILES[0]).read_bytes()
    other = iso[:-1] + bytes([iso[-1] ^ 1])
    (script.folder / ISO_FILES[0]).write_bytes(other)
    document = example()
    document["seed"] |= {"sha256": hashlib.sha256(other).hexdigest(), **more}
    script.write(document)
    runtime.write(document)
    return document


def test_what_a_changed_seed_does_is_said_first_and_alike(script: Script, runtime: Runtime) -> None:
    script.create()
    assert "seed ISO" not in script.run("-WhatIf")
    document = rebuild(script, runtime, instance_id=CATLET)
    wanted = note("seed-linux", file=document["seed"]["file"])
    text = script.create("-WhatIf", code=4)
    assert f"note: {wanted}" in text
    assert runtime.run("plan", *BASE, code=4)["notes"] == [wanted]
    text = script.create()
    assert text.index(wanted) < text.index("done: seed ISO")
    assert "seed ISO" not in script.run("-WhatIf")
    assert runtime.run("plan")["notes"] == []
    document = rebuild(script, runtime, instance_id="i-0123456789abcdef")
    wanted = note("seed-new-instance", file=document["seed"]["file"], id="i-0123456789abcdef")
    assert wanted in script.create("-WhatIf", code=4)
    assert runtime.run("plan", *BASE, code=4)["notes"] == [wanted]


# ---- doubles ----


def test_neighbors_with_our_addresses_are_told_alike(script: Script, runtime: Runtime) -> None:
    state = script.host.state()
    state["neighbors"] = [
        {"LinkLayerAddress": "D2-AB-0A-0B-0C-0D", "IPAddress": "192.0.2.7", "State": "Reachable"},
        {"LinkLayerAddress": "D2-AB-0A-0B-0C-0E", "IPAddress": "192.0.2.8", "State": "Incomplete"},
        {"LinkLayerAddress": "00-15-5D-00-00-01", "IPAddress": "192.0.2.9", "State": "Reachable"},
    ]
    script.host.write_state(state)
    wanted = note("neighbor", adapter="eth0", address="192.0.2.7", mac="D2AB0A0B0C0D")
    told = [note("twins", adapters="eth1"), wanted]
    text = script.create("-WhatIf", code=4)
    assert [each for each in text.splitlines() if "MAC address" in each] == [
        f"note: {each}" for each in told
    ]
    planned = runtime.run("plan", *BASE, code=4)["notes"]
    assert [each for each in planned if "MAC address" in each] == told


# ---- paths ----


@pytest.mark.parametrize("doubles", ["", "1"])
def test_the_root_of_a_drive_as_a_folder(script: Script, runtime: Runtime, doubles: str) -> None:
    """With a host that tells the machine's path with two separators, and with one that does not."""
    script.host.extra["HYPERV_DOUBLES"] = doubles
    before = tree(script.host)
    script.create("-Parameter", "folder=C:\\")
    path = "C:\\\\eryphc-" if doubles else "C:\\eryphc-"
    assert script.host.machine()["Path"] == path + CATLET
    assert "nothing to do" in script.run("-WhatIf")
    assert runtime.run("plan")["changes"] == []
    script.run("-Remove")
    shutil.rmtree(script.host.drive / "disks")
    (script.host.drive / "disks").mkdir()
    assert tree(script.host) == before
    runtime.run("apply", *BASE, "--param", "folder=C:\\")
    assert "nothing to do" in script.run("-WhatIf")
    runtime.run("remove")


def test_the_hosts_own_folder_may_be_a_root(script: Script, runtime: Runtime) -> None:
    state = script.host.state()
    state["host"]["machines"] = "C:\\"
    script.host.write_state(state)
    wanted = f"C:\\eryphc-{CATLET}"
    assert f"create: machine web in {wanted}" in script.create("-WhatIf", code=4)
    planned = runtime.run("plan", *BASE, code=4)["changes"]
    assert planned[0]["wanted"] == wanted


# ---- the host's program ----


def test_a_program_at_work_shows_that_it_lives(
    host: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one call takes seconds, the timer writes; the answers are whole all the same."""
    for name, value in host.environment().items():
        monkeypatch.setenv(name, value)
    command = [str(host.executable), *powershell_arguments()]
    other = Session("local", command, remote=False)
    assert other.request("lock", {"catlet": CATLET, "seconds": 1}) == {"locked": True}
    text = b", 10000, 10000\n"
    assert text in host_program()
    program = host_program().replace(text, b", 20, 20\n")
    monkeypatch.setattr(session_module, "host_program", lambda: program)
    waiting = Session("local", command, remote=False)
    pieces: list[bytes] = []
    receive = Child.receive

    def kept(child: Child, seconds: float) -> bytes | None:
        piece = receive(child, seconds)
        pieces.append(piece or b"")
        return piece

    monkeypatch.setattr(Child, "receive", kept)
    assert waiting.request("lock", {"catlet": CATLET, "seconds": 2}) == {"locked": False}
    before = b"".join(pieces).partition(b"==eryph-begin")[0]
    assert before.count(b"==eryph-alive ") > 5
    for _ in range(20):
        assert waiting.request("lock", {"catlet": UNHELD, "seconds": 1}) == {"locked": True}
    for each in (other, waiting):
        each.close()


def test_nothing_of_a_plan_is_changed_by_what_is_said(script: Script, runtime: Runtime) -> None:
    script.create()
    script.host.calls()
    rebuild(script, runtime)
    script.create("-WhatIf", code=4)
    runtime.run("plan", *BASE, code=4)
    assert changes(script.host.calls()) == []
    assert HOME in script.host.machine()["Path"]
