"""What a run imports: a user waits for each module, so a new one has to be asked for here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LIBRARIES = {
    # click asks for the width of the terminal by shutil, and translates by locale.
    "--help": "import click, click._textwrap, gc, locale, shutil",
    "build": "import bisect, click, dataclasses, gc, hashlib, json, locale, pathlib\n"
    "import signal, struct, yaml\n"
    "'x'.encode('utf-16-be')",
}
"""What each pays for; what these import in turn is allowed, and modules of our own."""
NOT_OURS = {
    # The parts of the tool that the command has no use for.
    "--help": (
        "eryphc.artifacts",
        "eryphc.targets",
        "eryphc.pipeline",
        "eryphc.project",
        "eryphc.session",
        "eryphc.genepool",
        "eryphc.guest",
        "eryphc.ir",
        "eryphc.passes",
        "eryphc.syntax",
    ),
    "build": (
        "eryphc.targets.hyperv.plan",
        "eryphc.targets.hyperv.settings",
        "eryphc.diagnostics.hyperv",
        "eryphc.diagnostics.printing",
        "eryphc.artifacts.copies",
        "eryphc.artifacts.sparse",
        "eryphc.changes",
        "eryphc.provenance",
        "eryphc.sharing",
        "eryphc.signing",
        "eryphc.volumes",
        "eryphc.net",
        "eryphc.genepool.oci",
        "eryphc.genepool.local",
        "eryphc.genepool.trust",
        "eryphc.genepool.packed",
        "eryphc.guest.archive",
        "eryphc.guest.cloudconfig.bootmerge",
        "eryphc.guest.linemap",
        "eryphc.guest.network_file",
        "eryphc.guest.network_lint",
        "eryphc.guest.templates",
        "eryphc.guest.windows",
        "eryphc.project.file",
        "eryphc.syntax.grammars",
    ),
}

WATCH = """
import json, sys
seen = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        seen.append(name)
sys.meta_path.insert(0, Watch())
try:
{body}
except SystemExit as ended:
    assert not ended.code, ended.code
# A module that was looked for and is not there costs nothing to speak of.
print(json.dumps([name for name in dict.fromkeys(seen) if name in sys.modules]), file=sys.stderr)
"""


def imported(body: str, *arguments: str) -> list[str]:
    """The modules that a fresh process imports to run `body`, in order."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", WATCH.format(body=lines), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    names = json.loads(done.stderr.splitlines()[-1])
    assert isinstance(names, list)
    return names


def arguments(command: str, folder: Path) -> tuple[str, ...]:
    if command == "--help":
        return ("--help",)
    spec = ROOT / "examples/web-config.yaml"
    return ("build", str(spec), "--target", "cloud-init", "--output", str(folder / "out"))


@pytest.mark.parametrize("command", ["--help", "build"])
def test_nothing_is_imported_that_is_not_on_the_list(command: str, tmp_path: Path) -> None:
    run = "from eryphc.__main__ import main\nmain()"
    allowed = imported(LIBRARIES[command])
    names = imported(run, *arguments(command, tmp_path))
    assert [name for name in names if name not in allowed and name.split(".")[0] != "eryphc"] == []


@pytest.mark.parametrize("command", ["--help", "build"])
def test_no_part_is_imported_that_the_command_has_no_use_for(command: str, tmp_path: Path) -> None:
    run = "from eryphc.__main__ import main\nmain()"
    names = imported(run, *arguments(command, tmp_path))
    assert [name for name in names if name.startswith(NOT_OURS[command])] == []
    assert "eryphc.cli.app" in names


@pytest.mark.parametrize(
    "library",
    ["lark", "jinja2", "jsonschema", "pycdlib", "email", "difflib", "urllib3", "truststore"],
)
def test_the_list_would_find_a_library(library: str) -> None:
    """The libraries that a hot path must not load are none that the allowed ones load."""
    assert all(library not in imported(each) for each in LIBRARIES.values())
    assert library in imported(f"import {library}")
