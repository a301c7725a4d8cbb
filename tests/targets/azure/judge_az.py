"""Lets azure-cli judge the commands of the scripts, and writes those that it accepts as goldens.

    python tests/targets/azure/judge_az.py [FOLDER]

azure-cli cannot be installed beside our own tools, so it gets a virtual environment in FOLDER (by
default a new one) from PyPI. Each command of the scenarios goes to its own parser, without a login:
it ends with 2 for an argument that it does not know, and then nothing is written. azcopy is asked
too where it is on the search path. The tests compare with what was written, so run this after any
change of a command.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from itertools import product
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "compiler"), str(TESTS.parent / "runtime")]

from targets.azure.running import (  # noqa: E402 - found by the lines above
    ACCEPTED,
    SCENARIOS,
    Folder,
    command_lines,
    played,
    powershell,
)

VERSION = "2.91.0"
# What azure-cli says of a command whose arguments it took, when nobody is logged in.
NO_LOGIN = re.compile(r"Please run.*az login|The subscription of '\w+' doesn't exist")
# A judge who refuses nothing proves nothing.
WRONG = ("az", "group", "exists", "--name", "web", "--no-such-option")


def main() -> int:
    with tempfile.TemporaryDirectory() as made:
        home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made) / "azure-cli"
        az = install(home)
        accepted: dict[tuple[str, ...], None] = {}
        refused = 0
        shells = ("sh", powershell())
        for number, (shell, name) in enumerate(product(shells, SCENARIOS)):
            if shell is None:
                print("not judged, since there is no engine for PowerShell: its scripts")
                return 1
            folder, done = played(SCENARIOS[name], Path(made) / str(number), shell)
            assert number or judged(az, home, folder, list(WRONG), [])
            files = {
                path: text for call in folder.calls() for path, (_, text) in call.files.items()
            }
            for path, text in files.items():
                Path(path).parent.mkdir(exist_ok=True)
                Path(path).write_text(text, "utf-8")
            for line in command_lines(folder, done):
                if line[0] != "az" or tuple(line) in accepted:
                    continue
                verdict = judged(az, home, folder, line, list(files))
                if verdict:
                    print(f"refused, in '{name}': {line}\n{verdict}")
                    refused += 1
                else:
                    accepted[tuple(line)] = None
                    print("accepted:", *line, flush=True)
    if refused:
        return 1
    text = json.dumps({"azure-cli": VERSION, "accepted": sorted(accepted)}, indent=1)
    ACCEPTED.write_text(text + "\n", "utf-8")
    print(f"{len(accepted)} commands accepted by azure-cli {VERSION}")
    return 0


def install(home: Path) -> Path:
    """The program `az` in this folder, installed there unless it is."""
    az = home / "venv" / "bin" / "az"
    if not az.exists():
        venv.create(home / "venv", with_pip=True)
        command = [
            str(home / "venv/bin/python"),
            "-m",
            "pip",
            "install",
            "-q",
            f"azure-cli=={VERSION}",
        ]
        subprocess.run(command, check=True)
    return az


def judged(az: Path, home: Path, folder: Folder, line: list[str], files: list[str]) -> str:
    """What azure-cli has against this command; nothing when it only wants a login."""
    parameters = next((path for path in files if path.endswith("/parameters.json")), "")
    words = [
        word.replace("{folder}", str(folder.path)).replace(
            "{work}", str(Path(parameters).parent if parameters else folder.temporary)
        )
        for word in line[1:]
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AZURE_CONFIG_DIR": str(home / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_NO_COLOR": "true",
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        [az, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    if done.returncode == 2 or not NO_LOGIN.search(done.stderr):
        return f"exit code {done.returncode}: {done.stderr}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
