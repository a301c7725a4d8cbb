"""The tours of the README and of the guides are what really happens: every file is written, every
command is run, every output compared. `ERYPHC_UPDATE_README=1` writes the outputs down.

Each tour starts in an empty folder. `ERYPHC_BIN` names the folder of the `eryphc` that is run;
tests/wheel.sh sets it to that of an installed wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TOURS = (
    "README.md",
    "docs/tutorial.md",
    "docs/automation.md",
    "docs/catlets.md",
    "docs/own-genes.md",
)
# A file to be written, by its path after the language, or commands and what they print.
BLOCK = re.compile(
    r"^```(?:console|(?:yaml|json) (?P<path>\S+))\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


def transcript(text: str, folder: Path) -> str:
    """The same commands with the output they give in `folder`."""
    programs = os.environ.get("ERYPHC_BIN") or str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
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
@pytest.mark.parametrize("page", TOURS)
def test_a_tour_shows_what_happens(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    seen, end, commands = "", 0, 0
    for block in BLOCK.finditer(text):
        body = block["body"]
        if block["path"]:
            file = tmp_path / block["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8", newline="\n")
        else:
            body = transcript(body, tmp_path)
            commands += 1
        seen += text[end : block.start("body")] + body
        end = block.end("body")
    seen += text[end:]
    if os.environ.get("ERYPHC_UPDATE_README"):
        (ROOT / page).write_text(seen, encoding="utf-8", newline="\n")
    assert commands
    assert seen == text


def test_the_first_two_shell_blocks_are_one_command_each() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert [len(block.splitlines()) for block in blocks[:2]] == [1, 1]
