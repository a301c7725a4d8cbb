"""What the guests' own code makes of our network-config."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from eryphc.guest.model import Adapter, GuestKind
from guest.conftest import READERS, SYSTEM_PYTHON, Reader
from guest.feeding import seed

pytestmark = pytest.mark.integration

ADAPTERS = (
    Adapter(name="eth0", mac_address="D2:AB:00:00:00:01", given=True),
    Adapter(name="lan-1", mac_address="52:54:00:12:34:56", given=True),
)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("renderer", "distribution"),
    [
        ("eni", "debian"),
        ("netplan", "ubuntu"),
        ("networkd", "debian"),
        ("sysconfig", "rhel"),
        ("network-manager", "fedora"),
    ],
)
def test_every_renderer_of_cloud_init(
    read_as_linux: Reader, tmp_path: Path, version: int, renderer: str, distribution: str
) -> None:
    data = seed(adapters=ADAPTERS, network_version=version).network_config
    assert data is not None
    source = tmp_path / "network-config"
    source.write_bytes(data)
    command: list[str | Path] = [SYSTEM_PYTHON, READERS / "convert_network_with_cloud_init.py"]
    command += ["--network-data", source, "--kind", "yaml", "--output-kind", renderer]
    command += ["--directory", tmp_path / "out", "--distro", distribution]
    for adapter in ADAPTERS:
        command += ["--mac", f"{adapter.name},{adapter.mac_address.lower()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = [path for path in sorted((tmp_path / "out").rglob("*")) if path.is_file()]
    written = "".join(path.read_text() for path in files)
    for adapter in ADAPTERS:
        assert adapter.name in written + "".join(path.name for path in files)
        assert adapter.mac_address.lower() in written.lower()


@pytest.mark.parametrize("version", [1, 2])
def test_cloudbase_init(cloudbase_init_python: Path, tmp_path: Path, version: int) -> None:
    made = seed(guest=GuestKind.WINDOWS, adapters=ADAPTERS, network_version=version)
    assert made.network_config is not None
    source = tmp_path / "network-config"
    source.write_bytes(made.network_config)
    reader = READERS / "read_network_with_cloudbase_init.py"
    done = subprocess.run([cloudbase_init_python, reader, source], capture_output=True, check=True)
    assert json.loads(done.stdout) == [
        [adapter.name, adapter.mac_address.lower()] for adapter in ADAPTERS
    ]
