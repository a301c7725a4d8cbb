"""Machines of the library's genes on a kernel of their own, by the boot harness."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from library.checks import Check, checks
from library.genes import CHECKOUT, MACHINES
from places import BOOT, NO_BOOT

pytestmark = pytest.mark.boot

OFFLINE = (
    "nftables auditd systemd-timesyncd fdisk fail2ban python3-systemd docker.io iptables tzdata "
    "postgresql unattended-upgrades apparmor"
)


@pytest.fixture
def images() -> Iterator[Path]:
    """The folder of the guests' disks. One boot at a time: two take four times as long."""
    if not (BOOT / "boot.py").is_file():
        pytest.skip(NO_BOOT)
    for program in ("qemu-system-x86_64", "qemu-img"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install qemu-system-x86 qemu-utils")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eryphc-boot"
    cache.mkdir(parents=True, exist_ok=True)
    with Path(tempfile.gettempdir(), "boot.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


def make(image: Path, **environment: str) -> Path:
    """The image, made where it is missing."""
    if not image.is_file():
        if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
            pytest.skip("the guest's disk is made by root, with mmdebstrap")
        subprocess.run(
            [BOOT / "make_image.sh", image],
            check=True,
            timeout=1500,
            env={**os.environ, **environment},
        )
    return image


def with_a_second_disk(folder: Path) -> dict[str, str]:
    """An environment whose qemu gives the guest an empty disk besides."""
    disk = folder / "data.raw"
    with disk.open("wb") as stream:
        stream.truncate(512 << 20)
    real = shutil.which("qemu-system-x86_64")
    wrapper = folder / "bin" / "qemu-system-x86_64"
    wrapper.parent.mkdir()
    drive = f"if=none,id=data,format=raw,file={disk}"
    wrapper.write_text(
        f'#!/bin/sh\nexec {real} "$@" -drive {drive} -device virtio-blk-pci,drive=data\n'
    )
    wrapper.chmod(0o755)
    return {**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}


def boot(
    image: Path, spec: Path, checked: Iterable[Check], folder: Path, *more: str, var: str = ""
) -> None:
    """Boots a machine; any warning of cloud-init and any check that fails is a fault."""
    subprocess.run(
        [
            *(sys.executable, "-m", "eryphc", "build", spec, "--target", "cloud-init"),
            *("--guest", "linux", "--output", folder / "out"),
            *(("--var", var) if var else ()),
        ],
        check=True,
        timeout=120,
    )
    (iso,) = (folder / "out").glob("*.iso")
    wanted = [part for check in checked for part in ("--exec", bash(check.script()))]
    run = subprocess.run(
        [
            *(sys.executable, BOOT / "boot.py", "--image", image, "--cidata", iso),
            *("--timeout", "1500", *wanted, *more),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
        env=with_a_second_disk(folder),
    )
    assert run.returncode == 0, run.stdout[-6000:]


def bash(script: str) -> str:
    """A command line of sh that runs a script of bash."""
    quoted = script.replace("'", "'\"'\"'")
    return f"LC_ALL=C.UTF-8 bash -c '{quoted}'"


def test_a_small_machine(images: Path, tmp_path: Path) -> None:
    named = os.environ.get("ERYPHC_BOOT_IMAGE")
    image = Path(named) if named else make(images / "bookworm.qcow2")
    served = ("--port-forward", "80", "--expect-http", "It's the library")
    boot(image, MACHINES / "small.yaml", checks("small"), tmp_path, *served)


@pytest.fixture
def library_image(images: Path) -> Path:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    return make(images / "library.qcow2", OFFLINE_PACKAGES=OFFLINE, DISK_SIZE="5G")


def test_a_machine_whose_kernel_matters(library_image: Path, tmp_path: Path) -> None:
    """At its first boot and after a restart."""
    more = ("--port-forward", "80", "--expect-http", "The machine's kernel", "--reboots", "1")
    spec = MACHINES / "kernel.yaml"
    boot(library_image, spec, checks("kernel"), tmp_path, "--memory", "1024", *more)


def test_the_database_of_production(library_image: Path, tmp_path: Path) -> None:
    wanted = [*checks("fleet-db"), *checks("fleet-prod"), *checks("fleet-disk")]
    spec, password = CHECKOUT / "examples" / "fleet" / "db-prod.yaml", "a 'secret' of the test"
    boot(library_image, spec, wanted, tmp_path, var=f"databasePassword={password}")
