"""The runtime over a real `sshd` on loopback: the way in, standard input, files, exit codes.

Behind it stands the PowerShell engine of the tests with the model of a host; the shell that
takes the remote command is the user's own and not `cmd.exe`.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from powershell.conftest import EXAMPLE, HOME, ISO_FILES, ROOT, TOKEN, ModelHost, example

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="no sshd here"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Remote:
    """A client's folder, its keys, and an `sshd` that leads to the model host."""

    def __init__(self, host: ModelHost, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.port = free_port()
        self.build = folder / "build"
        self.build.mkdir(parents=True)
        for name in ISO_FILES:
            shutil.copyfile(EXAMPLE.parent / name, self.build / name)
        (self.build / "deployment.json").write_text(json.dumps(example()), encoding="ascii")
        for name in ("host_key", "user_key", "other_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True, timeout=60)
        self.trust("host_key")
        names = {"PATH", "HOME", "LANG"}
        values = " ".join(
            f'{name}="{value}"'
            for name, value in host.environment().items()
            if name.startswith(("PS", "HYPERV")) or name in names
        )
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {folder}/user_key.pub\nStrictModes no\nUsePAM no\n"
            f"PidFile none\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv {values}\n"
        )
        (folder / "ssh_config").write_text(
            f"Host *\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n  BatchMode yes\n  LogLevel ERROR\n"
        )

    def trust(self, key: str) -> None:
        public = " ".join((self.folder / f"{key}.pub").read_text().split()[:2])
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}\n")

    def start(self) -> subprocess.Popen[bytes]:
        assert SSHD is not None
        Path("/run/sshd").mkdir(exist_ok=True) if os.getuid() == 0 else None
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        with (self.folder / "sshd.log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process
            time.sleep(0.1)
        pytest.fail((self.folder / "sshd.log").read_text())

    def process(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        address = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "runtime"),
            "ERYPH_SSH": f"ssh -F {self.folder / 'ssh_config'}",
        }
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "eryph_runtime",
                command,
                str(self.build),
                "--host",
                address,
                "--format",
                "json",
                "-q",
                *arguments,
            ],
            input=f"token={TOKEN}\n",
            capture_output=True,
            text=True,
            env=environment,
            timeout=300,
            check=False,
        )

    def run(self, command: str, *arguments: str, code: int = 0) -> Any:
        done = self.process(command, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def remote(host: ModelHost, tmp_path: Path) -> Iterator[Remote]:
    it = Remote(host, tmp_path / "client")
    process = it.start()
    yield it
    process.terminate()
    process.wait(timeout=30)


def test_a_machine_comes_and_goes_over_ssh(remote: Remote) -> None:
    volume = remote.folder / "base.vhdx"
    remote.host.disk("C:\\store\\base.vhdx", gib=10)
    shutil.move(remote.host.path("C:\\store\\base.vhdx"), volume)
    # Larger than one piece, so that it goes over in several.
    with volume.open("ab") as stream:
        stream.write(b" " * (9 * 1024 * 1024))
    assert remote.run("plan", code=4)["machine"] is None
    applied = remote.run("apply", "--volume", f"sda={volume}")
    owner = applied["machine"]["owner"]
    assert owner.endswith(f"/{getpass.getuser()}")
    assert remote.run("plan")["changes"] == []
    seeds = list(remote.host.path(HOME + "\\seed").iterdir())
    assert len(seeds) == 1
    assert applied["machine"]["id"].encode() in seeds[0].read_bytes()
    assert remote.run("start")["machine"]["state"] == "Running"
    assert remote.run("remove")["changed"] is True
    assert not remote.host.path(HOME).exists()


def test_a_host_that_cannot_be_trusted_is_a_failing_host(remote: Remote) -> None:
    remote.trust("other_key")
    report = remote.run("plan", code=3)
    assert report["error"]["kind"] == "host"
    assert "Host key verification failed" in report["error"]["reasons"][0]


def test_a_host_without_powershell_is_a_failing_host(remote: Remote) -> None:
    (remote.host.folder / "bin" / "powershell.exe").unlink()
    report = remote.run("status", code=3)
    assert "exit code 127" in report["error"]["reasons"][0]
