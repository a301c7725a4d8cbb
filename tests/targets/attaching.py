"""A copy of the package with one more target, and its command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = '    HYPERV = "hyperv"\n'


def package_with(folder: Path, files: Mapping[str, str]) -> Path:
    """A copy of the package with the target `toy-box`, made of these modules."""
    shutil.copytree(
        ROOT / "compiler" / "eryphc",
        folder / "eryphc",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    listing = folder / "eryphc" / "targets" / "__init__.py"
    text = listing.read_text("utf-8")
    assert text.count(LINE) == 1
    listing.write_text(text.replace(LINE, f'{LINE}    TOY_BOX = "toy-box"\n'), encoding="utf-8")
    toy = folder / "eryphc" / "targets" / "toy_box"
    toy.mkdir()
    for name, content in files.items():
        (toy / name).write_text(content, encoding="utf-8")
    return folder


def command_of(package: Path, *arguments: str) -> list[str]:
    """The command line of that package, as a process is started."""
    paths = [str(package), *(str(ROOT / each) for each in ("runtime", "stdlib-genes"))]
    code = f"import sys; sys.path[:0] = {paths!r}; from eryphc.__main__ import main; main()"
    return [sys.executable, "-c", code, *arguments]


def run(
    package: Path, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_of(package, *arguments),
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
