"""Verifying the disk images of the cache: by their names, and by the records of conversions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from eryphc.store.folder import Folder, open_folder
from eryphc.store.seals import Seals
from eryphc.volumes.conversions import Bench, vhd_of
from eryphc.volumes.disk_images import DiskImages
from eryphc.volumes.upkeep import verify_images
from volumes.images import MIB, needs_qemu_img, raw_disk

pytestmark = [needs_qemu_img, pytest.mark.integration]
SEALS = Seals(b"key", shared=True)


@pytest.fixture
def vhd(tmp_path: Path) -> Path:
    bench = Bench(tmp_path / "cache", lambda: SEALS, DiskImages(), lambda *_: None, lambda: None)
    return vhd_of(raw_disk(tmp_path / "disk.raw"), None, None, bench)


@pytest.fixture
def folder(tmp_path: Path, vhd: Path) -> Folder:
    return open_folder(tmp_path / "cache")


def verified(folder: Folder, own: Seals = SEALS) -> tuple[int, int]:
    found = verify_images(folder, own, lambda: None)
    return found.checked, len(found.damaged)


def test_a_sound_one_stays(folder: Folder, vhd: Path) -> None:
    assert verified(folder) == (1, 0)
    assert vhd.exists()


def flipped(vhd: Path) -> None:
    with vhd.open("r+b") as file:
        file.seek(MIB)
        file.write(b"x")


def without_record(vhd: Path) -> None:
    vhd.with_suffix(".record").unlink()


def a_pipe(vhd: Path) -> None:
    vhd.unlink()
    os.mkfifo(vhd)


@pytest.mark.parametrize("damage", [flipped, without_record, a_pipe])
def test_a_damaged_one_goes(folder: Folder, vhd: Path, damage: Callable[[Path], None]) -> None:
    damage(vhd)
    assert verified(folder) == (1, 1)
    assert list(vhd.parent.iterdir()) == []


def test_one_of_another_key_goes(folder: Folder, vhd: Path) -> None:
    assert verified(folder, Seals(b"other", shared=True)) == (1, 1)
    assert not vhd.exists()
