"""A distribution in a folder, started with a seed by systemd-nspawn: real systemd, real cloud-init,
real packages, and seconds instead of the minutes of an emulated processor.

A machine has a network of its own without a way out. Its packages come from a local archive, made
once for each distribution and kept in the user's cache folder (ERYPHC_LIBRARY_CACHE names another),
named by what it is made of. Making it takes root, mmdebstrap and about five minutes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

NEEDED = ("mmdebstrap", "systemd-nspawn", "nsenter", "dpkg-deb")
BASE = (
    "apt,systemd-sysv,udev,dbus,kmod,cloud-init,e2fsprogs,sudo,ca-certificates,curl,iproute2,"
    "openssh-server,openssh-client,netcat-openbsd,gpgv,procps,locales,tzdata"
)
UBUNTU = "deb [trusted=yes] http://archive.ubuntu.com/ubuntu"
# Nothing of these roots outlives a test; so Ubuntu's archive may go without its key here.
ARCHIVES = {
    "bookworm": (
        "deb http://deb.debian.org/debian bookworm main",
        "deb http://deb.debian.org/debian-security bookworm-security main",
    ),
    "noble": (f"{UBUNTU} noble main universe", f"{UBUNTU} noble-updates main universe"),
    "jammy": (f"{UBUNTU} jammy main universe", f"{UBUNTU} jammy-updates main universe"),
}
PACKAGES = (
    "nginx docker.io apparmor postgresql mariadb-server redis-server nodejs python3-venv podman "
    "prometheus-node-exporter systemd-journal-remote nftables fail2ban python3-systemd "
    "unattended-upgrades auditd systemd-timesyncd keyboard-configuration console-setup "
    "qemu-guest-agent open-vm-tools"
)
MORE = {
    "bookworm": "caddy hyperv-daemons crun waagent",
    "noble": "caddy linux-cloud-tools-virtual crun walinuxagent",
    "jammy": "linux-cloud-tools-virtual walinuxagent",
}
# What a cloud image of the distribution comes with, and a minimal root does not.
SETTINGS = "datasource_list: [NoCloud, None]\napt: {preserve_sources_list: true}\nlocale: C.UTF-8\n"


def missing() -> str | None:
    """Why no machine can be had here; None if one can."""
    if os.geteuid() != 0:
        return "machines are started by root"
    absent = [program for program in NEEDED if shutil.which(program) is None]
    return f"no {absent[0]} here" if absent else None


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def layered(lower: Path, work: Path) -> Iterator[Path]:
    """The folder `lower` with its changes kept in `work`."""
    for name in ("upper", "work", "root"):
        (work / name).mkdir(parents=True)
    options = f"lowerdir={lower},upperdir={work}/upper,workdir={work}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, work / "root")
    try:
        yield work / "root"
    finally:
        run("umount", "-l", work / "root")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution's root and archive, made where they are missing."""

    suite: str
    root: Path
    archive: Path

    @staticmethod
    def ready(suite: str) -> Distribution:
        archives, packages = ARCHIVES[suite], f"{PACKAGES} {MORE.get(suite, '')}".split()
        recipe = "\n".join((suite, BASE, *archives, *packages)).encode()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache = Path(os.environ.get("ERYPHC_LIBRARY_CACHE") or cache / "eryphc-library")
        folder = cache / f"{suite}-{hashlib.sha256(recipe).hexdigest()[:12]}"
        made = Distribution(suite=suite, root=folder / "root", archive=folder / "archive")
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                made._make(archives, packages)
                (folder / "complete").touch()
        return made

    def _make(self, archives: tuple[str, ...], packages: list[str]) -> None:
        run(
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={BASE}"),
            *("--aptopt=Apt::Install-Recommends false", "--dpkgopt=force-unsafe-io"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            self.suite,
            self.root,
            *archives,
        )
        self.archive.mkdir()
        with layered(self.root, self.archive / "layer") as root:
            (root / "etc/resolv.conf").unlink(missing_ok=True)
            shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
            apt = ("chroot", root, "apt-get", "-qq", "-y", "-o", "APT::Install-Recommends=true")
            run(*apt, "update")
            run(*apt, "--download-only", "install", *packages)
            for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
                shutil.move(package, self.archive)
        shutil.rmtree(self.archive / "layer")
        with (self.archive / "Packages").open("wb") as index:
            for package in sorted(self.archive.glob("*.deb")):
                about = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, check=True)
                data = package.read_bytes()
                index.write(about.stdout)
                index.write(
                    f"Filename: ./{package.name}\nSize: {len(data)}\n"
                    f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n".encode()
                )


@dataclass(slots=True, kw_only=True)
class Machine:
    """A machine that is running. `root` is its file system as the host sees it."""

    root: Path
    command: tuple[str, ...]
    console: Path
    process: subprocess.Popen[bytes] = field(init=False)
    leader: str = ""

    def ask(self, script: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a bash script in it, as root."""
        return subprocess.run(
            [
                *("nsenter", "-t", self.leader, "-a", "--root", "--wdns=/"),
                *(
                    "env",
                    "-i",
                    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME=/root",
                    "LC_ALL=C.UTF-8",
                ),
                *("bash", "-c", script),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def wait(self, timeout: float) -> str:
        """Until cloud-init has ended; what it says of itself."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError("the machine went down")
            # Asked each time: the first child is not yet the machine's own first process.
            self.leader = self._first()
            if self.leader and self._ended():
                return self.ask("cloud-init status --long").stdout
            time.sleep(1)
        raise AssertionError("cloud-init did not end in time")

    def start(self) -> None:
        with self.console.open("ab") as console:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT
            )
        self.leader = ""

    def stop(self) -> None:
        """Down in good order, or else by force."""
        if self.leader:
            self.ask("systemctl --no-block poweroff")
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Shuts it down and starts it again, from the same disk."""
        self.stop()
        self.start()

    def change_instance(self, name: str) -> None:
        """From its next start on it is another instance, for which all is done once more."""
        place = self.root / "var/lib/cloud/seed/nocloud/meta-data"
        text = re.sub(r"(?m)^instance-id:.*$", f"instance-id: {name}", place.read_text())
        assert name in text
        place.write_text(text)

    def _first(self) -> str:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return next(iter(children.read_text().split()), "")

    def _ended(self) -> bool:
        # Asked from inside: the host does not see the machine's /run.
        return self.ask("test -e /run/cloud-init/result.json").returncode == 0

    def log(self) -> str:
        return (self.root / "var/log/cloud-init-output.log").read_text("utf-8", "replace")

    def warnings(self) -> list[str]:
        text = (self.root / "var/log/cloud-init.log").read_text("utf-8", "replace")
        lines = [line for line in text.splitlines() if "WARNING" in line or "ERROR" in line]
        # A program that a cloud image has and a minimal root has not.
        return [line for line in lines if "lsb_release" not in line]


@contextmanager
def machine(distribution: Distribution, seed: dict[str, bytes]) -> Iterator[Machine]:
    """A machine of that distribution on its first boot with the seed (`meta-data`, `user-data`)."""
    with (
        tempfile.TemporaryDirectory(prefix="eryphc-machine-") as work,
        layered(distribution.root, Path(work) / "disk") as root,
    ):
        place = root / "var/lib/cloud/seed/nocloud"
        place.mkdir(parents=True)
        for path, data in seed.items():
            (place / path).write_bytes(data)
        (root / "etc/cloud/cloud.cfg.d/91-test.cfg").write_text(SETTINGS)
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (root / "etc/resolv.conf").unlink(missing_ok=True)
        (root / "etc/resolv.conf").touch()
        shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
        (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/archive ./\n")
        (root / "etc/machine-id").write_text("")
        running = Machine(
            root=root,
            console=Path(work) / "console",
            command=(
                *("systemd-nspawn", "--quiet", "--boot", f"--directory={root}"),
                *(
                    f"--machine=eryphc-{os.getpid()}",
                    "--register=no",
                    "--keep-unit",
                    "--timezone=off",
                ),
                *("--resolv-conf=off", "--capability=all", "--private-network"),
                f"--bind-ro={distribution.archive}:/srv/archive",
            ),
        )
        running.start()
        try:
            yield running
        finally:
            running.stop()
