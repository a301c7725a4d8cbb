"""The real PowerShell engine, where it is at hand."""

from __future__ import annotations

import subprocess

import pytest

from stdlib.shipped import SHARED


@pytest.fixture(scope="session")
def pslite() -> str:
    """Path of the engine's executable."""
    unpack = SHARED / "tools" / "pslite" / "unpack.sh"
    if not unpack.is_file():
        pytest.skip("no PowerShell engine here")
    run = subprocess.run([unpack], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip("the PowerShell engine does not run here")
    return run.stdout.strip()
