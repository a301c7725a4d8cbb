"""The runtime drives a host over a real sshd on loopback; PowerShell is the engine of these tests.

What is shown: transport, standard input, markers, exit codes, files with hashes and resume. The
engine is not Windows PowerShell, and the account's shell is not cmd.exe.
"""

import hashlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from powershell.conftest import (
    CATLET,
    EXAMPLE,
    HOME,
    ISO_FILES,
    OPEN_VALUE,
    ROOT,
    ModelHost,
    changes,
    example,
    ours,
    tree,
)

pytestmark = pytest.mark.integration


@dataclass
class Remote:
    host: ModelHost
    port: int
    config: Path
    folder: Path

    def run(
        self, command: str, *arguments: str, code: int = 0, address: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [
                sys.executable,
                *("-m", "eryph_runtime", command, str(self.folder), "--format", "json", "-q"),
                *("--host", address or f"ssh://127.0.0.1:{self.port}"),
                *arguments,
            ],
            input=f"token={OPEN_VALUE}\n",
            capture_output=True,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.host.folder),
                "PYTHONPATH": str(ROOT / "runtime"),
                "ERYPH_SSH": f"ssh -F {shlex.quote(str(self.config))}",
            },
            timeout=240,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def remote(host: ModelHost) -> Iterator[Remote]:
    """An sshd of our own: own keys, own port, nothing of the machine's configuration."""
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if sshd is None or shutil.which("ssh") is None:
        pytest.skip("OpenSSH is not installed")
    if os.geteuid() == 0:
        # Where sshd drops its rights; the package makes it when the service starts.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder = host.folder / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    shutil.copyfile(folder / "user.pub", folder / "authorized")
    port = free_port()
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
        f"SetEnv PATH={host.folder / 'bin'}:/usr/bin:/bin\nPermitRootLogin prohibit-password\n",
        encoding="utf-8",
    )
    public = (folder / "host.pub").read_text(encoding="utf-8").split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n", encoding="utf-8")
    config = folder / "ssh_config"
    config.write_text(
        f"Host *\nIdentityFile {folder}/user\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n"
        f"UserKnownHostsFile {folder}/known\nGlobalKnownHostsFile none\nBatchMode yes\n",
        encoding="utf-8",
    )
    # Remote sessions start with an empty environment, and a host may greet without a line feed.
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in host.environment().items()
    )
    powershell = host.folder / "bin/powershell.exe"
    powershell.write_text(
        f"#!/bin/sh\n{exports}printf 'Welcome to HOST\\033]0;HOST\\007'\n"
        f"echo '#< CLIXML' >&2\nexec {host.executable} \"$@\"\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sshd, "-D", "-e", "-f", str(folder / "sshd_config")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        build = host.folder / "build"
        build.mkdir()
        for name in ISO_FILES:
            shutil.copyfile(EXAMPLE.parent / name, build / name)
        text = json.dumps(example(), sort_keys=True, indent=2) + "\n"
        (build / "deployment.json").write_text(text, encoding="ascii")
        yield Remote(host=host, port=port, config=config, folder=build)
    finally:
        process.terminate()
        process.wait(timeout=10)


def base_disk(folder: Path, size: int) -> tuple[Path, str]:
    """A disk of the model on the client, padded so that it is not sent in one piece."""
    disk = {"format": "VHDX", "size": 2**30, "minimum": 0, "parent": None}
    disk |= {"identifier": "a", "fixed": False, "padding": os.urandom(size // 2).hex()}
    path = folder / "base.vhdx"
    path.write_text("vhdxfile" + json.dumps(disk), encoding="ascii")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_machine_is_made_and_removed_over_ssh(remote: Remote) -> None:
    before = tree(remote.host)
    disk, sha256 = base_disk(remote.host.folder, 300_000)
    assert json.loads(remote.run("plan", "--volume", f"sda={disk}", code=4).stdout)["changes"]
    assert changes(remote.host.calls()) == []
    remote.run("apply", "--volume", f"sda={disk}")
    machine = remote.host.machine()
    assert machine["Name"] == "web"
    assert "/" in machine["Notes"].rpartition("by=")[2].replace("%2F", "/"), "user beyond it"
    stored = remote.host.path(f"C:\\disks\\{sha256}.vhdx")
    assert stored.read_bytes() == disk.read_bytes()
    placed = remote.host.path(machine["Dvds"][1]["Path"])
    assert hashlib.sha256(placed.read_bytes()).hexdigest()[:16] in placed.name
    assert json.loads(remote.run("plan").stdout)["changes"] == []
    remote.run("remove")
    assert remote.host.state()["vms"] == []
    assert ours(remote.host, before) == set()


def test_a_transfer_that_was_cut_goes_on(remote: Remote) -> None:
    disk, sha256 = base_disk(remote.host.folder, 300_000)
    part = remote.host.path(f"C:\\disks\\{sha256}.eryphc-{CATLET}.eryphc-part.vhdx")
    part.write_bytes(disk.read_bytes()[:100_000])
    remote.run("apply", "--volume", f"sda={disk}")
    assert remote.host.path(f"C:\\disks\\{sha256}.vhdx").read_bytes() == disk.read_bytes()
    assert not part.exists()


def test_a_part_that_is_something_else_does_not_get_in(remote: Remote) -> None:
    disk, sha256 = base_disk(remote.host.folder, 300_000)
    part = remote.host.path(f"C:\\disks\\{sha256}.eryphc-{CATLET}.eryphc-part.vhdx")
    part.write_bytes(b"x" * 100_000)
    remote.run("apply", "--volume", f"sda={disk}")
    assert remote.host.path(f"C:\\disks\\{sha256}.vhdx").read_bytes() == disk.read_bytes()


def test_exit_codes_of_a_host_that_does_not_answer(remote: Remote) -> None:
    gone = remote.run("plan", code=3, address=f"ssh://127.0.0.1:{free_port()}")
    assert report(gone)["error"]["kind"] == "host"
    (remote.host.folder / "ssh/known").write_text("", encoding="utf-8")
    unknown = remote.run("plan", code=3)
    assert "Host key verification failed" in report(unknown)["error"]["reasons"][0]


def report(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_a_host_without_the_program(remote: Remote) -> None:
    (remote.host.folder / "bin/powershell.exe").unlink()
    done = remote.run("plan", code=3)
    assert "exit code 127" in report(done)["error"]["reasons"][0]


def test_no_value_is_in_the_remote_command_line(remote: Remote) -> None:
    log = remote.host.folder / "arguments.log"
    wrapper = remote.host.folder / "bin/powershell.exe"
    text = wrapper.read_text(encoding="utf-8").replace("exec ", f'echo "$@" >> {log}\nexec ')
    wrapper.write_text(text, encoding="utf-8")
    disk, _ = base_disk(remote.host.folder, 1000)
    remote.run("apply", "--volume", f"sda={disk}")
    lines = set(log.read_text(encoding="utf-8").splitlines())
    assert len(lines) == 1
    assert HOME not in next(iter(lines))
