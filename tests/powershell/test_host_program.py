"""The host program really runs in a PowerShell engine, driven by the runtime and by hand."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from eryph_runtime import session as session_module
from eryph_runtime.faults import HostFailure
from eryph_runtime.session import BOOTSTRAP, Session, host_program, powershell_arguments
from eryphc.targets.hyperv.deploy_script import deploy_script
from powershell.conftest import (
    CATLET,
    EXAMPLE,
    HOME,
    HOSTILE,
    ISO_FILES,
    OPEN_VALUE,
    ROOT,
    UNFINISHED,
    ModelHost,
    changes,
    every_engine,
    example,
    hostile,
    ours,
    tree,
)

pytestmark = pytest.mark.integration
BASE = ("--volume", "sda=host:C:\\store\\base.vhdx")


class Runtime:
    """`eryph-runtime` as a command, on the model host."""

    def __init__(self, host: ModelHost) -> None:
        self.host = host
        self.folder = host.folder / "build"
        self.folder.mkdir(exist_ok=True)
        for name in ISO_FILES:
            shutil.copyfile(EXAMPLE.parent / name, self.folder / name)
        self.write(example())

    def write(self, document: dict[str, Any]) -> None:
        text = json.dumps(document, sort_keys=True, indent=2) + "\n"
        (self.folder / "deployment.json").write_text(text, encoding="ascii")

    def process(
        self, command: str, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        more = {"PYTHONPATH": str(ROOT / "runtime")} | environment
        return subprocess.run(
            [
                sys.executable,
                *("-m", "eryph_runtime", command, str(self.folder), "--format", "json", "-q"),
                *arguments,
            ],
            input=f"token={OPEN_VALUE}\n",
            capture_output=True,
            text=True,
            env=self.host.environment(more),
            timeout=120,
            check=False,
        )

    def run(self, command: str, *arguments: str, code: int = 0, **environment: str) -> Any:
        done = self.process(command, *arguments, **environment)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def runtime(host: ModelHost) -> Runtime:
    host.disk("C:\\store\\base.vhdx", gib=10)
    return Runtime(host)


@every_engine
def test_apply_then_nothing_is_left_then_remove(runtime: Runtime) -> None:
    before = tree(runtime.host)
    assert runtime.run("plan", *BASE, code=4)["changes"]
    assert changes(runtime.host.calls()) == []
    runtime.run("apply", *BASE)
    machine = runtime.host.machine()
    assert (machine["Name"], machine["Count"], machine["Tpm"]) == ("web", 2, True)
    assert [each["Name"] for each in machine["Adapters"]] == ["eth0", "eth1"]
    assert machine["Boot"][0] == "0:0"
    done = changes(runtime.host.calls())
    assert done.index("Set-VMFirmware") < done.index("Enable-VMTPM")
    assert runtime.run("plan")["changes"] == []
    runtime.run("apply")
    assert changes(runtime.host.calls()) == []
    assert runtime.run("remove")["changed"] is True
    assert runtime.host.state()["vms"] == []
    assert ours(runtime.host, before) == set()
    assert runtime.run("remove")["changed"] is False


def test_the_script_and_the_runtime_agree(runtime: Runtime) -> None:
    script = runtime.folder / "deploy.ps1"
    text = json.dumps(example(), indent=2, sort_keys=True)
    script.write_text(deploy_script(text), encoding="ascii")
    runtime.run("apply", *BASE)
    done = runtime.host.run("-File", str(script), "-WhatIf")
    assert (done.returncode, done.stdout.strip()) == (0, "nothing to do")
    done = runtime.host.run("-File", str(script), "-Remove")
    assert done.returncode == 0, done.stdout + done.stderr
    (runtime.folder / "values").write_text(f"token={OPEN_VALUE}\n", encoding="ascii")
    options = ["-Volume", "sda=C:\\store\\base.vhdx", "-ValueFile", str(runtime.folder / "values")]
    done = runtime.host.run("-File", str(script), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert runtime.run("plan")["changes"] == []


def test_live_changes_and_those_that_need_power_off(runtime: Runtime) -> None:
    runtime.run("apply", *BASE)
    runtime.run("start")
    document = example()
    document["machine"]["name"] = "renamed"
    document["machine"]["processor"]["count"] = 4
    document["network_adapters"][0]["dhcp_guard"] = True
    runtime.write(document)
    assert runtime.run("plan", code=4)["needs_off"] is True
    left = runtime.run("apply", code=4)["left"]
    assert [each["what"] for each in left] == ["processors"]
    machine = runtime.host.machine()
    assert (machine["Name"], machine["Count"]) == ("renamed", 2)
    assert machine["Adapters"][0]["DhcpGuard"] == "On"
    runtime.run("apply", "--restart")
    machine = runtime.host.machine()
    assert (machine["Count"], machine["State"]) == (4, "Running")
    assert runtime.run("plan")["changes"] == []


def test_a_killed_process_goes_on(runtime: Runtime) -> None:
    """A real kill, once; the sweep (test_kills.py) has the hosts of all."""
    done = runtime.process("apply", *BASE, HYPERV_KILL_AT="16")
    assert done.returncode == 3, done.stdout + done.stderr
    runtime.run("apply", *BASE)
    assert runtime.run("plan")["changes"] == []
    machine = runtime.host.machine()
    assert [each["Name"] for each in machine["Adapters"]] == ["eth0", "eth1"]


def test_a_failure_is_undone_and_told_as_data(runtime: Runtime) -> None:
    before = tree(runtime.host)
    error = runtime.run("apply", *BASE, code=3, HYPERV_FAIL="Enable-VMTPM")["error"]
    assert error["category"] == "DeviceError"
    assert error["id"].startswith("OnPurpose")
    assert runtime.host.state()["vms"] == []
    assert ours(runtime.host, before) == set()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_arrive_as_they_are(runtime: Runtime, text: str) -> None:
    runtime.write(hostile(example(), text))
    runtime.run("apply", *BASE)
    machine = runtime.host.machine()
    assert machine["Name"] == text
    assert machine["Adapters"][0]["Name"] == text
    assert runtime.run("plan")["changes"] == []


def test_start_ip_seal_and_stop(runtime: Runtime) -> None:
    runtime.run("apply", *BASE)
    state = runtime.host.state()
    state["vms"][0]["KvpOnStart"] = [{"Name": "eryph.provisioning.state", "Data": "provisioned"}]
    runtime.host.write_state(state)
    assert runtime.run("status")["seal"] == "pending"
    assert runtime.run("apply", "--start")["seal"] == "sealed"
    told = [(each["address"], each["source"]) for each in runtime.run("ip")["addresses"]]
    assert told[0] == ("192.0.2.10", "adapter")
    assert {source for _, source in told[1:]} == {"deployment"}
    assert "example-sealed" in runtime.host.machine()["Dvds"][1]["Path"]
    runtime.run("stop")
    assert runtime.host.machine()["State"] == "Off"
    assert runtime.run("plan")["changes"] == []


def test_a_hung_machine_is_ended_by_its_process(runtime: Runtime) -> None:
    """The worker is a real process; one of another machine is not touched."""
    runtime.run("apply", *BASE)
    runtime.run("start")
    worker = subprocess.Popen(["sleep", "600"])
    Thread(target=worker.wait, daemon=True).start()
    try:
        state = runtime.host.state()
        own = state["vms"][0]["Id"]
        state["vms"][0] |= {"Worker": worker.pid, "WorkerOf": str(uuid.uuid4())}
        runtime.host.write_state(state)
        error = runtime.run("stop", "--end-worker", "--wait", "1", code=3)["error"]
        assert error["id"].startswith("EryphcWorker")
        assert worker.poll() is None
        state["vms"][0]["WorkerOf"] = own
        runtime.host.write_state(state)
        runtime.run("stop", "--end-worker", "--wait", "1")
        assert worker.poll() == -signal.SIGKILL
        assert runtime.run("status")["machine"]["state"] == "Off"
    finally:
        worker.kill()


# ---- the protocol by hand ----


@pytest.fixture
def session(host: ModelHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name, value in host.environment().items():
        monkeypatch.setenv(name, value)
    opened = Session("local", [str(host.executable), *powershell_arguments()], remote=False)
    yield opened
    opened.close()


def run(session: Session, action: str, **arguments: Any) -> dict[str, Any]:
    value = session.request(
        "run", {"actions": [{"id": "a", "action": action, "arguments": arguments}]}
    )
    (result,) = value["results"]
    assert isinstance(result, dict)
    return result


def test_a_file_comes_in_pieces_and_goes_on_after_a_cut(host: ModelHost, session: Session) -> None:
    data = os.urandom(200_000)
    digest = hashlib.sha256(data).hexdigest()
    path = "C:\\vms\\x.iso"

    def send(offset: int, end: int) -> Any:
        arguments = {"path": path, "size": len(data), "offset": offset}
        return session.request("receive", arguments, payload=data[offset:end])

    assert send(0, 70_001) == {"size": 70_001, "sha256": None}
    with pytest.raises(HostFailure):
        send(1, 5)
    assert send(70_001, 200_000) == {"size": 200_000, "sha256": digest}
    wrong = run(session, "place-part", path=path, size=200_000, sha256="0" * 64, read_only=False)
    assert (wrong["ok"], wrong["error"]["id"]) == (False, "EryphcHash")
    good = run(session, "place-part", path=path, size=200_000, sha256=digest, read_only=True)
    assert (good["ok"], good["created"]) == (True, True)
    assert host.path(path).read_bytes() == data
    again = run(session, "place-part", path=path, size=200_000, sha256=digest, read_only=False)
    assert again["error"]["category"] == "ResourceExists"


def test_paths_that_are_refused(session: Session) -> None:
    paths = ["vms\\x", "C:x", "C:\\[a]\\x", "C:\\a*", "C:\\a:b", "C:\\a\\..\\b", "\\x", "C:\\`a"]
    paths += [
        "C:\\a.\\b",
        "C:\\a \\b",
        "C:\\a\\..",
        "C:\\con",
        "C:\\x\\Lpt\u00b9.d\\y",
        "C:\\nul.tar.gz",
    ]
    results = {path: run(session, "make-folder", path=path, protect=False) for path in paths}
    told = {path: (each["ok"], each["error"]["id"]) for path, each in results.items()}
    assert told == dict.fromkeys(paths, (False, "EryphcPath"))


def test_what_it_does_not_know_is_an_error_as_data(session: Session) -> None:
    assert run(session, "format-disk", path="C:\\x")["error"]["id"] == "EryphcAction"
    with pytest.raises(HostFailure):
        session.request("reboot", {})
    assert run(session, "delete-file", path="C:\\absent")["ok"], "the session goes on"


def test_only_one_holds_the_lock(host: ModelHost, session: Session) -> None:
    other = Session("local", [str(host.executable), *powershell_arguments()], remote=False)
    try:
        wanted = {"catlet": CATLET, "seconds": 1}
        assert session.request("lock", wanted) == {"locked": True}
        assert other.request("lock", wanted) == {"locked": False}
        session.close()
        assert other.request("lock", wanted | {"seconds": 20}) == {"locked": True}
    finally:
        other.close()


def test_what_a_guest_says_is_only_data(host: ModelHost, session: Session) -> None:
    made = run(
        session, "new-machine", name=UNFINISHED, folder="C:\\vms", memory=2**30, notes="eryphc"
    )
    machine = made["value"]["machine"]
    state = host.state()
    state["vms"][0]["KvpOnStart"] = [
        {"Name": "a'$(throw)", "Data": "<x>&amp;]]>\u2019"},
        {"Name": "long", "Data": "x" * 5000},
        *({"Name": f"n{number}", "Data": ""} for number in range(1100)),
    ]
    host.write_state(state)
    assert run(session, "start-machine", machine=machine, seconds=10)["ok"]
    names = ["localhost", "nobody.invalid"]
    seen = session.request("observe", {"machine": machine, "macs": [], "names": names})
    known, unknown = seen["names"]
    assert "127.0.0.1" in known["addresses"]
    assert unknown == {"name": "nobody.invalid", "addresses": []}
    guest = seen["kvp"]["guest"]
    assert guest["a'$(throw)"] == "<x>&amp;]]>\u2019"
    assert len(guest["long"]) == 4096
    assert len(guest) == 1000
    gone = session.request(
        "observe", {"machine": "99999999-9999-4999-8999-999999999999", "macs": [], "names": []}
    )
    assert gone["state"] is None


def test_every_state_is_told_in_full(host: ModelHost, session: Session) -> None:
    run(session, "new-machine", name=UNFINISHED, folder="C:\\vms", memory=2**30, notes="x")
    host.disk("C:\\store\\base.vhdx", gib=10)
    asked = {
        "catlet": CATLET,
        "marker": f"eryphc:v1 catlet={CATLET} ",
        "unfinished_name": UNFINISHED,
        "files": [
            {"path": "{machine-folder}\\x", "sha256": True, "text": True, "names": None},
            {"path": "C:\\vms", "sha256": False, "text": False, "names": "eryphc-"},
        ],
        "disks": ["C:\\store\\base.vhdx", "C:\\absent.vhdx"],
        "free": ["{disk-folder}\\x"],
        "chains": True,
    }
    state = session.request("read", asked)
    assert state["host"]["module"] == "2.0.0.0"
    assert state["host"]["missing"] == []
    (mine,) = state["ours"]
    assert mine["machine"]["path"] == HOME
    assert mine["record"] is None
    assert mine["machine"]["firmware"]["secure_boot"] is True
    assert mine["machine"]["tpm"] == {"enabled": False, "key_protector": 4}
    assert [each["path"] for each in state["disks"]] == ["C:\\store\\base.vhdx"]
    absent, folder = state["files"]
    assert (absent["path"], absent["kind"]) == ("C:\\vms\\x", "absent")
    assert folder["names"] == [UNFINISHED]
    assert state["unread"] == []
    assert state["free"][0]["kind"] == "fixed"


def test_an_account_without_rights_is_told_and_asks_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a host the cmdlets would fail, with a localised text, or show nothing."""
    head = b"function Test-Administrator {\n    param($Identity)\n"
    assert head in host_program()
    program = host_program().replace(head, head + b"    return $false\n")
    monkeypatch.setattr(session_module, "host_program", lambda: program)
    monkeypatch.setenv("HYPERV_FAIL", "Get-VMHost")
    asked = {"catlet": CATLET, "marker": "x", "unfinished_name": UNFINISHED, "chains": False}
    state = session.request("read", asked | {"files": [], "disks": ["C:\\x.vhdx"], "free": []})
    assert (state["host"]["administrator"], state["host"]["module"]) == (False, "2.0.0.0")
    assert (state["machines"], state["switches"], state["disks"]) == ([], [], [])


def test_a_constrained_language_ends_the_bootstrap_at_once(host: ModelHost) -> None:
    command = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; " + BOOTSTRAP
    assert host.run("-Command", command).returncode == 9
