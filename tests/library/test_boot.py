"""Machines of the library's genes on a kernel of their own, by shared/boot."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from library.checks import checks
from library.genes import MACHINES, SHARED

pytestmark = pytest.mark.boot

HARNESS = SHARED / "boot"
OFFLINE = (
    "nftables auditd systemd-timesyncd fdisk fail2ban python3-systemd docker.io iptables tzdata"
)


@pytest.fixture
def images() -> Iterator[Path]:
    """The folder of the guests' disks. One boot at a time: two take four times as long."""
    if not (HARNESS / "boot.py").is_file():
        pytest.skip("no boot harness here")
    for program in ("qemu-system-x86_64", "qemu-img"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
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
            [HARNESS / "make_image.sh", image],
            check=True,
            timeout=1500,
            env={**os.environ, **environment},
        )
    return image


def with_a_second_disk(folder: Path) -> dict[str, str]:
    """An environment whose qemu gives the guest an empty disk besides."""
    disk = folder / "data.raw"
    with disk.open("wb") as stream:
        stream.truncate(64 << 20)
    real = shutil.which("qemu-system-x86_64")
    wrapper = folder / "bin" / "qemu-system-x86_64"
    wrapper.parent.mkdir()
    drive = f"if=none,id=data,format=raw,file={disk}"
    wrapper.write_text(
        f'#!/bin/sh\nexec {real} "$@" -drive {drive} -device virtio-blk-pci,drive=data\n'
    )
    wrapper.chmod(0o755)
    return {**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}


def boot(image: Path, name: str, folder: Path, *more: str) -> None:
    """Boots a machine; any warning of cloud-init and any check that fails is a fault."""
    subprocess.run(
        [
            *(sys.executable, "-m", "eryphc", "build", MACHINES / f"{name}.yaml"),
            *("--target", "cloud-init", "--guest", "linux", "--output", folder / "out"),
        ],
        check=True,
        timeout=120,
    )
    (iso,) = (folder / "out").glob("*.iso")
    wanted = [part for check in checks(name) for part in ("--exec", bash(check.script()))]
    run = subprocess.run(
        [
            *(sys.executable, HARNESS / "boot.py", "--image", image, "--cidata", iso),
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
    boot(image, "small", tmp_path, "--port-forward", "80", "--expect-http", "It's the library")


def test_a_machine_whose_kernel_matters(images: Path, tmp_path: Path) -> None:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    image = make(images / "library.qcow2", OFFLINE_PACKAGES=OFFLINE, DISK_SIZE="5G")
    forwarded = ("--port-forward", "80", "--expect-http", "The machine's kernel")
    boot(image, "kernel", tmp_path, "--memory", "1024", "--reboots", "1", *forwarded)
