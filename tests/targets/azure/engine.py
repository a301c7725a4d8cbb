"""Microsoft's template engine: a template without a diagnostic, and the resources that it makes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from places import BICEP, NO_BICEP

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@cache
def bicep() -> str:
    """The compiler with the engine, unpacked once. Skips where it is not at hand."""
    if not BICEP.is_dir():
        pytest.skip(NO_BICEP)
    done = subprocess.run(
        [str(BICEP / "unpack.sh")], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def diagnostics(folder: Path, template: bytes) -> list[str]:
    """What the compiler and its linter say of a template."""
    (folder / "judged.json").write_bytes(template)
    found = []
    for command in (("decompile", "judged.json", "--force"), ("lint", "judged.bicep")):
        done = subprocess.run(
            [bicep(), *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        lines = (done.stdout + done.stderr).splitlines()
        # Three lines that decompiling always prints.
        found += [
            line for line in lines if " : " in line or (done.returncode and "WARN" not in line)
        ]
    return found


def evaluated(
    folder: Path, template: bytes, values: Mapping[str, object]
) -> dict[str, dict[str, Any]]:
    """The resources as they would be sent, by type and name; `values` are of parameters."""
    (folder / "main.json").write_bytes(template)
    known = json.loads(template)["parameters"]
    lines = ["using 'main.json'"]
    lines += [
        f"param {name} = {_literal(value)}" for name, value in values.items() if name in known
    ]
    (folder / "main.bicepparam").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [
            bicep(), "snapshot", "main.bicepparam", "--mode", "overwrite",
            "--subscription-id", SUBSCRIPTION, "--resource-group", "rg", "--location", "westeurope",
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    snapshot = json.loads((folder / "main.snapshot.json").read_text("utf-8"))
    assert snapshot.get("diagnostics") in (None, []), snapshot["diagnostics"]
    return {f"{each['type']} {each['name']}": each for each in snapshot["predictedResources"]}


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
        return f"'{escaped}'"
    if isinstance(value, Mapping):
        pairs = (
            f"{name if name.isidentifier() else _literal(name)}: {_literal(each)}"
            for name, each in value.items()
        )
        return "{" + "\n".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + "\n".join(map(_literal, value)) + "]"
    return str(value)
