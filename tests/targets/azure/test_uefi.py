"""An image that boots by UEFI alone: what its VHD says of itself, and which machine takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eryphc.ir.volume import DiskImage, Firmware
from eryphc.volumes.disk_images import DiskImages
from eryphc.volumes.identity import whole_mib
from targets.azure import uefi
from targets.azure.schemas import faults

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disk of tests/boot/test_azure_image.py, but for the guest on it."""
    uefi.need_tools()
    folder = tmp_path_factory.mktemp("uefi")
    kernel = folder / "kernel"
    kernel.write_bytes(b"no kernel")
    root = uefi.empty_root(folder / "root.raw")
    return uefi.uefi_disk(folder / "disk.raw", root, kernel, kernel)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text("name: web\ndrives:\n- name: sda\n", "utf-8")
    return path


def test_its_vhd_boots_by_uefi(disk: Path, spec: Path, tmp_path: Path) -> None:
    done = uefi.build(spec, disk, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    image = DiskImages()(tmp_path / "out" / "disks" / "sda.vhd", ())
    assert isinstance(image, DiskImage)
    assert (image.format, image.boots) == ("vhd", frozenset({Firmware.UEFI}))
    assert disk.stat().st_size < (image.virtual_size or 0) == whole_mib(disk.stat().st_size)


def test_its_image_is_one_of_generation_2(disk: Path, spec: Path, tmp_path: Path) -> None:
    done = uefi.build(spec, disk, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "out" / "image.json").read_bytes())
    assert faults(made) == []
    (definition,) = (r for r in made["resources"] if r["type"].endswith("galleries/images"))
    assert definition["properties"]["hyperVGeneration"] == "V2"


def test_a_machine_of_generation_1_does_not_take_it(disk: Path, spec: Path, tmp_path: Path) -> None:
    done = uefi.build(spec, disk, tmp_path / "out", "--azure-generation", "1")
    assert done.returncode == 1
    assert "E1403" in done.stderr
    assert "drive `sda` boots by UEFI, and the machine has generation 1" in done.stderr
    assert not (tmp_path / "out").exists()
