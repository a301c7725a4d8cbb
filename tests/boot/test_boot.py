"""The examples boot: their ISOs in a real guest, which must find no fault with them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from places import BOOT, CHECKOUT, NO_BOOT

pytestmark = pytest.mark.boot

NEEDED = ("qemu-system-x86_64", "qemu-img")


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The guest's disk, made where it is missing. One boot at a time: two take four times as long.

    ERYPHC_BOOT_IMAGE names one that exists; the default lies in the user's cache folder.
    """
    if not (BOOT / "boot.py").is_file():
        pytest.skip(NO_BOOT)
    for program in NEEDED:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install qemu-system-x86 qemu-utils")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    image = Path(os.environ.get("ERYPHC_BOOT_IMAGE") or cache / "eryphc-boot" / "bookworm.qcow2")
    with Path(tempfile.gettempdir(), "boot.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.is_file():
            if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
                pytest.skip("the guest's disk is made by root, with mmdebstrap")
            image.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([BOOT / "make_image.sh", image], check=True, timeout=1200)
        yield image


def build(spec: str, into: Path) -> Path:
    """The ISO of an example, built as a user builds it."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "eryphc", "build", CHECKOUT / "examples" / spec),
            *("--target", "cloud-init", "--output", into / "out"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    (iso,) = (into / "out").glob("*.iso")
    return iso


def boot(image: Path, iso: Path, expected: Sequence[str]) -> None:
    """Boots the ISO; any warning of cloud-init, and whatever is not as expected, is a fault."""
    report = iso.parents[1] / "report.json"
    run = subprocess.run(
        [
            *(sys.executable, BOOT / "boot.py", "--image", image, "--cidata", iso),
            *("--json", report, "--timeout", "900"),
            *expected,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    (first,) = json.loads(report.read_text(encoding="utf-8"))["boots"]
    assert first["faults"] == []
    assert [note for note in first["notes"] if "schema" in note] == []


@pytest.mark.skipif(
    os.environ.get("ERYPHC_BOOT") != "all",
    reason="a machine of the library boots with such an ISO; ERYPHC_BOOT=all boots this one too",
)
def test_the_page_of_web_config_is_served(image: Path, tmp_path: Path) -> None:
    boot(
        image,
        build("web-config.yaml", tmp_path),
        [
            *("--port-forward", "80", "--expect-http", "Shared Config Works!"),
            *("--expect-user", "admin", "--exec", "systemctl is-active nginx"),
        ],
    )


SHARED_SITE = [
    *("--port-forward", "80", "--expect-http", "It works!"),
    *("--exec", "curl -sf http://127.0.0.1/healthz"),
    *("--exec", "curl -sf http://127.0.0.1/api/greeting"),
]


@pytest.mark.skipif(
    os.environ.get("ERYPHC_BOOT") != "all",
    reason="the production server boots with the same genes; ERYPHC_BOOT=all boots this one too",
)
def test_the_development_server_comes_up(image: Path, tmp_path: Path) -> None:
    boot(image, build("dev-server.yaml", tmp_path), [*SHARED_SITE, "--expect-user", "admin"])


PRODUCTION = [
    *SHARED_SITE,
    *("--exec", "curl -sf http://127.0.0.1/status"),
    *("--exec", "systemctl is-active myorg-status.timer"),
    *("--exec", "sysctl -n kernel.kptr_restrict | grep -qx 2"),
    *("--exec", "sshd -T | grep -qx 'passwordauthentication no'"),
    *("--exec", "sshd -T | grep -qx 'permitrootlogin no'"),
]


@pytest.mark.skipif(
    os.environ.get("ERYPHC_BOOT") != "all",
    reason="it boots with a seed for Hyper-V; ERYPHC_BOOT=all boots its own image too",
)
def test_the_production_server_comes_up_hardened_and_measured(image: Path, tmp_path: Path) -> None:
    boot(image, build("prod-server.yaml", tmp_path), PRODUCTION)
