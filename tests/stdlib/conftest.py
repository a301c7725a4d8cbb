"""The real PowerShell engine, where it is at hand."""

from __future__ import annotations

import subprocess

import pytest

from places import NO_POWERSHELL, POWERSHELL


@pytest.fixture(scope="session")
def pslite() -> str:
    """Path of the engine's executable."""
    unpack = POWERSHELL / "unpack.sh"
    if not unpack.is_file():
        pytest.skip(NO_POWERSHELL)
    run = subprocess.run([unpack], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip("the PowerShell engine does not run here")
    return run.stdout.strip()
