"""The cloud-init of this machine, which tests ask what a guest does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SYSTEM_PYTHON = Path("/usr/bin/python3")
_MEASURED = "22.4"


def needs_measured_cloud_init() -> None:
    """Skip a test that compares with what modules of cloud-init 22.4 (Debian 12) were seen to do.

    Later versions do other things with wrong values; those rows are about the oldest guest.
    """
    probe = "from cloudinit import version; print(version.version_string())"
    done = subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    version = done.stdout.strip()
    if not version.startswith(_MEASURED):
        pytest.skip(f"this is about cloud-init {_MEASURED}, and here is {version}")
