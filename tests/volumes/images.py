"""Disk images made by the real qemu-img."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

MIB = 1024 * 1024
FORMATS = {"qcow2": "qcow2", "raw": "raw", "vhd": "vpc", "vhdx": "vhdx"}

needs_qemu_img = pytest.mark.skipif(
    shutil.which("qemu-img") is None, reason="qemu-img is not installed (qemu-utils)"
)


def qemu_img(*words: str | Path) -> str:
    done = subprocess.run(
        ["qemu-img", *map(str, words)], capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode()


def raw_disk(path: Path, size: int = 8 * MIB, seed: int = 1) -> Path:
    """A disk that LVM fills, so that it is known as one, with a few islands of data."""
    chance = random.Random(seed)  # noqa: S311
    with path.open("wb") as file:
        file.truncate(size)
        for _ in range(12):
            file.seek(chance.randrange(0, size - 8192) // 512 * 512)
            file.write(chance.randbytes(512 * chance.randrange(1, 16)))
        file.seek(0)
        file.write(bytes(512) + b"LABELONE")
    return path


def disk(path: Path, kind: str, *options: str, size: int = 8 * MIB) -> Path:
    raw = raw_disk(path.with_suffix(".plain"), size)
    qemu_img("convert", "-f", "raw", "-O", FORMATS[kind], *options, raw, path)
    raw.unlink()
    return path


def same_content(one: Path, kind: str, other: Path, other_kind: str) -> bool:
    done = subprocess.run(
        ["qemu-img", "compare", "-f", FORMATS[kind], "-F", FORMATS[other_kind], one, other],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode == 0
