"""No module imports one that imports it, however far around: not even inside a function."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "eryphc": ROOT / "compiler" / "eryphc",
    "eryph_runtime": ROOT / "runtime" / "eryph_runtime",
}


def module_name(path: Path, package: str) -> str:
    parts = path.relative_to(PACKAGES[package].parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, known: set[str]) -> set[str]:
    """The modules of `known` that a file imports, wherever in it; what is only for types too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            # A name of a package may be one of its modules.
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module}
    return found & known


def graph(package: str) -> dict[str, set[str]]:
    files = {module_name(path, package): path for path in PACKAGES[package].rglob("*.py")}
    return {name: imports(path, set(files)) - {name} for name, path in files.items()}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle(package: str) -> None:
    modules = graph(package)
    assert sum(map(len, modules.values())) > 50
    TopologicalSorter(modules).prepare()


def test_a_circle_would_be_seen() -> None:
    modules = graph("eryphc")
    modules["eryphc.source"].add("eryphc.session")
    with pytest.raises(CycleError):
        TopologicalSorter(modules).prepare()
