"""The runtime needs nothing but Python: as one file, isolated, without site packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from eryph_runtime.session import host_program
from runtime.deployments import HERE

ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("zipapp") / "eryph-runtime.pyz"
    command = [sys.executable, "-m", "zipapp", str(ROOT / "runtime"), "-o", str(target)]
    subprocess.run([*command, "-m", "eryph_runtime.__main__:main"], check=True, timeout=60)
    return target


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/nowhere"},
    )


def test_it_runs_alone(program: Path) -> None:
    assert run(program, "--version").stdout.startswith("eryph-runtime ")
    done = run(program, "plan", str(HERE / "example-deployment.json"))
    assert done.returncode == 3
    assert "this machine has no PowerShell" in done.stderr
    assert run(program, "plan", "nowhere").returncode == 1
    assert run(program, "plan").returncode == 2


def test_it_carries_its_program(program: Path) -> None:
    command = "import sys; sys.path.insert(0, sys.argv[1]); from eryph_runtime import session as s"
    command += "; sys.stdout.buffer.write(s.host_program())"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", command, str(program)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == host_program()


def test_it_imports_only_the_standard_library_and_itself() -> None:
    allowed = sys.stdlib_module_names | {"eryph_runtime"}
    found = set()
    for path in sorted((ROOT / "runtime/eryph_runtime").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found |= {(path.name, name) for name in names if name.split(".")[0] not in allowed}
    # The one extra, imported where a winrm:// address is opened.
    assert found == {("winrm.py", "pypsrp.client"), ("winrm.py", "pypsrp.powershell")}
