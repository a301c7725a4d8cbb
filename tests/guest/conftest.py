"""The guests' own readers of user-data, run as processes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

READERS = Path(__file__).parent / "readers"
SYSTEM_PYTHON = Path("/usr/bin/python3")
CLOUDBASE_INIT = "cloudbase-init==1.1.9"

Reader = Callable[..., dict[str, Any]]


def _json_of(*command: str | Path) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def read_as_linux(tmp_path: Path) -> Reader:
    """cloud-init's own reading of a user-data (Debian's package, `apt install cloud-init`)."""
    probe = subprocess.run([SYSTEM_PYTHON, "-c", "import cloudinit"], check=False)
    if probe.returncode != 0:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")

    def read(user_data: bytes) -> dict[str, Any]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        source = folder / "user-data"
        source.write_bytes(user_data)
        reader = READERS / "read_with_cloud_init.py"
        return _json_of(SYSTEM_PYTHON, reader, source, folder / "guest")

    return read


@pytest.fixture(scope="session")
def cloudbase_init_python() -> Path:
    """The interpreter of an environment with cloudbase-init, kept between runs."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(tempfile.gettempdir()) / f"eryphc-tests-{CLOUDBASE_INIT}-{version}-{os.getuid()}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    with folder.with_suffix(".lock").open("a") as lock:
        # Several processes may run tests: one makes the environment, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _install_cloudbase_init(folder, python)
            done.touch()
    return python


def _install_cloudbase_init(folder: Path, python: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", CLOUDBASE_INIT],
        capture_output=True,
        check=False,
    )
    if installed.returncode != 0:
        reason = installed.stderr.decode("utf-8", "replace")[-1000:]
        pytest.skip(f"cloudbase-init cannot be installed (offline?): {reason}")


@pytest.fixture
def read_as_windows(cloudbase_init_python: Path, tmp_path: Path) -> Reader:
    """cloudbase-init's own reading of a user-data, Windows calls recorded."""

    def read(user_data: bytes, exit_codes: dict[str, int] | None = None) -> dict[str, Any]:
        source = tmp_path / "user-data"
        source.write_bytes(user_data)
        reader = READERS / "read_with_cloudbase_init.py"
        return _json_of(cloudbase_init_python, reader, source, json.dumps(exit_codes or {}))

    return read
