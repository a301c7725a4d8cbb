"""What the target azure writes boots: OVMF starts the VHD, and custom data is the guest's seed.

This is as near to Azure as a machine without Azure gets: UEFI, the disk that is uploaded, and the
bytes that Azure hands to the guest. The seed comes by NoCloud, and the disk is no disk of Hyper-V.
Without KVM it takes three to five minutes, once the guest's disk is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from boot.test_boot import boot
from boot.test_boot import image as image
from targets.azure import uefi

pytestmark = [
    pytest.mark.boot,
    pytest.mark.skipif(
        os.environ.get("ERYPHC_BOOT") != "all",
        reason="CI has twenty minutes; ERYPHC_BOOT=all boots the VHD too",
    ),
]

OVMF = Path("/usr/share/OVMF")
CODE, VARIABLES = OVMF / "OVMF_CODE_4M.fd", OVMF / "OVMF_VARS_4M.fd"
SPEC = """\
name: from-a-vhd
drives:
- name: sda
fodder:
- name: page
  content: |
    write_files:
    - path: /etc/of-custom-data
      permissions: '0640'
      content: |
        Grüße: {{ place }}
    runcmd:
    - [sh, -c, 'tr a-z A-Z < /etc/of-custom-data > /var/lib/of-runcmd']
- name: in-a-script
  type: shellscript
  content: |
    #!/bin/sh
    uname -n > /var/lib/of-a-script
variables:
- name: place
  value: a disk of Azure
"""


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """Skips where something is missing, before the guest's disk is made, which takes minutes."""
    uefi.need_tools()
    if shutil.which("genisoimage") is None:
        pytest.skip("genisoimage is not installed: apt-get install genisoimage")
    if not CODE.is_file():
        pytest.skip(f"{CODE.name} is not installed: apt-get install ovmf")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def by_firmware(folder: Path, vhd: Path) -> Path:
    """A folder with a program named as qemu is, which starts the guest from the VHD."""
    real = shutil.which("qemu-system-x86_64")
    assert real is not None
    variables = folder / "variables.fd"
    shutil.copyfile(VARIABLES, variables)
    variables.chmod(0o600)
    wrapper = folder / "bin" / "qemu-system-x86_64"
    wrapper.parent.mkdir()
    words = [sys.executable, Path(__file__).with_name("by_firmware.py"), real, CODE, variables, vhd]
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n', "utf-8")
    wrapper.chmod(0o755)
    return wrapper.parent


def seed(folder: Path, data: bytes) -> Path:
    """A NoCloud ISO whose user-data are these bytes."""
    (folder / "seed").mkdir()
    (folder / "seed" / "user-data").write_bytes(data)
    names = "instance-id: of-the-vhd\nlocal-hostname: from-a-vhd\n"
    (folder / "seed" / "meta-data").write_text(names, "utf-8")
    iso = folder / "iso" / "seed.iso"
    iso.parent.mkdir()
    subprocess.run(
        [
            *("genisoimage", "-quiet", "-volid", "cidata", "-joliet", "-rock"),
            *("-output", iso, folder / "seed"),
        ],
        check=True,
        timeout=60,
        capture_output=True,
    )
    return iso


def test_the_vhd_boots_by_uefi_and_custom_data_sets_the_guest_up(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = uefi.root_of(image, tmp_path / "root.raw")
    kernel, initrd = Path(f"{image}.vmlinuz"), Path(f"{image}.initrd")
    disk = uefi.uefi_disk(tmp_path / "disk.raw", root, kernel, initrd)
    grown = root.stat().st_size + uefi.SPARE
    root.unlink()

    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    done = uefi.build(spec, disk, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    disk.unlink()
    shutil.rmtree(tmp_path / "cache")
    vhd = tmp_path / "out" / "disks" / "sda.vhd"
    written = digest(vhd)
    size = vhd.stat().st_size - 512
    assert size % uefi.MIB == 0
    parameters = json.loads((tmp_path / "out" / "main.parameters.json").read_bytes())["parameters"]
    data = b64decode(parameters["customData"]["value"], validate=True)

    monkeypatch.setenv("PATH", str(by_firmware(tmp_path, vhd)), prepend=os.pathsep)
    boot(
        image,
        seed(tmp_path, data),
        [
            *("--expect-text", "/etc/of-custom-data=Grüße: a disk of Azure\n"),
            *("--expect-text", "/var/lib/of-runcmd=A DISK OF AZURE\n"),
            *("--expect-text", "/var/lib/of-a-script=from-a-vhd\n"),
            *("--exec", "test -d /sys/firmware/efi"),
            *("--exec", f"grep -qw {uefi.MARK} /proc/cmdline"),
            *("--exec", "findmnt -no SOURCE / | grep -qx /dev/vda2"),
            # The guest sees the whole VHD but for its footer, and its root grew to the end.
            *("--exec", f"test $(cat /sys/block/vda/size) = {size // 512}"),
            *("--exec", f"test $(cat /sys/class/block/vda2/size) -gt {grown // 512}"),
        ],
    )
    assert digest(vhd) == written
    vhd.unlink()
