"""The tour of the README is what really happens: every command is run, every output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def transcript(text: str, folder: Path) -> str:
    """The same commands with the output they give in `folder`."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
    }
    for name in ("ERYPHC_GENEPOOL", "SOURCE_DATE_EPOCH", "FORCE_COLOR"):
        environment.pop(name, None)
    lines = []
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        lines.append(line)
        done = subprocess.run(
            ["sh", "-c", line[2:]],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        lines += done.stdout.decode("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="the tour is typed in a POSIX shell")
def test_the_tour_shows_what_happens(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    text = README.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 5
    seen = text
    for block in blocks:
        seen = seen.replace(block, transcript(block, tmp_path), 1)
    if os.environ.get("ERYPHC_UPDATE_README"):
        README.write_text(seen, encoding="utf-8", newline="\n")
    assert seen == text


def test_the_first_two_shell_blocks_are_one_command_each() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert [len(block.splitlines()) for block in blocks[:2]] == [1, 1]
