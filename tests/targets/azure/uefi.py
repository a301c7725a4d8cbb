"""A disk that UEFI boots: a GPT, an EFI system partition with Debian's systemd-boot, and a root.

Any user can make it, as a file. The root file system, the kernel and the initial RAM disk are those
of the boot harness, or whatever a test gives instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1024 * 1024
LOADER = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
# The kernel sees this word when it was started by the entry of this loader.
MARK = "started-by=systemd-boot"
_ESP_AT, _ESP_MIB = MIB, 64
_ROOT_AT = _ESP_AT + _ESP_MIB * MIB
# Azure takes whole MiB, so the VHD is longer, and the backup of the GPT is not at its end.
_ODD_END = MIB // 2
# The guest grows its root into this, for which it must mend the GPT.
SPARE = 256 * MIB
_LABEL = "rootfs"
_FSTAB = f"LABEL={_LABEL} / ext4 errors=remount-ro 0 1\n"
_ENTRY = f"""\
title guest
linux /vmlinuz
initrd /initrd
options root=LABEL={_LABEL} ro console=ttyS0 mitigations=off {MARK}
"""
_TABLE = f"""\
label: gpt
start={_ESP_AT // 512}, size={_ESP_MIB}MiB, type=uefi, name=esp
start={_ROOT_AT // 512}, size={{root}}, type=linux, name=root
"""
_PROGRAMS = {
    "sfdisk": "fdisk",
    "mformat": "mtools",
    "mcopy": "mtools",
    "debugfs": "e2fsprogs",
    "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils",
}
_PATH = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"


def need_tools() -> None:
    """Skips where something is missing that makes such a disk."""
    for program, package in _PROGRAMS.items():
        if shutil.which(program, path=_PATH) is None:
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    if not LOADER.is_file():
        pytest.skip(f"{LOADER.name} is not installed: apt-get install systemd-boot-efi")


def uefi_disk(disk: Path, root: Path, kernel: Path, initrd: Path) -> Path:
    """The raw disk, whose second partition is a copy of the ext4 file system `root`."""
    folder = disk.with_suffix(".parts")
    (folder / "loader" / "entries").mkdir(parents=True)
    (folder / "EFI" / "BOOT").mkdir(parents=True)
    shutil.copyfile(LOADER, folder / "EFI" / "BOOT" / "BOOTX64.EFI")
    shutil.copyfile(kernel, folder / "vmlinuz")
    shutil.copyfile(initrd, folder / "initrd")
    (folder / "loader" / "loader.conf").write_text("timeout 0\ndefault guest.conf\n", "utf-8")
    (folder / "loader" / "entries" / "guest.conf").write_text(_ENTRY, "utf-8")
    size = root.stat().st_size
    with disk.open("xb") as file:
        file.truncate(_ROOT_AT + size + SPARE + _ODD_END)
    _run("sfdisk", "--quiet", disk, given=_TABLE.format(root=size // 512))
    partition = f"{disk}@@{_ESP_AT}"
    sectors = str(_ESP_MIB * MIB // 512)
    _run("mformat", "-i", partition, "-F", "-T", sectors, "-h", "64", "-s", "32", "::")
    files = [folder / name for name in ("EFI", "loader", "vmlinuz", "initrd")]
    _run("mcopy", "-s", "-i", partition, *files, "::")
    place = f"of={disk}", f"seek={_ROOT_AT // MIB}"
    _run("dd", f"if={root}", *place, "bs=1M", "conv=sparse,notrunc", "status=none")
    shutil.rmtree(folder)
    return disk


def root_of(image: Path, root: Path) -> Path:
    """The root file system of the guest that the harness made, as a raw file with a new fstab."""
    _run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, root)
    fstab = root.with_suffix(".fstab")
    fstab.write_text(_FSTAB, "utf-8")
    commands = f"rm /etc/fstab\nwrite {fstab} /etc/fstab\n"
    commands += "".join(f"sif /etc/fstab {key} 0\n" for key in ("uid", "gid"))
    _run("debugfs", "-w", "-f", "-", root, given=commands)
    return root


def empty_root(root: Path) -> Path:
    """A root file system without a guest, for disks that are not booted."""
    with root.open("xb") as file:
        file.truncate(16 * MIB)
    _run("mke2fs", "-q", "-t", "ext4", "-L", _LABEL, root)
    return root


def build(spec: Path, disk: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Builds a catlet whose system drive begins with the disk, as a user does."""
    command: list[str | Path] = [sys.executable, "-m", "eryphc", "build", spec]
    command += ["--target", "azure", "--guest", "linux", "--volume", f"sda={disk}"]
    return subprocess.run(
        [*command, "--output", out, *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "ERYPHC_CACHE_DIR": str(out.with_name("cache"))},
    )


def _run(*words: str | Path, given: str = "") -> None:
    done = subprocess.run(
        list(map(str, words)),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PATH": _PATH, "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"},
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
