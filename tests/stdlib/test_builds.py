"""Every base, every gene with its defaults, and the examples build without a complaint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stdlib.shipped import EXAMPLES, standard, standard_genes

# What a spec has to say about a gene that ends with 1003 before its last fodder entry.
EXPECTED_NOTES = {"N0552", "N0554", "N0557"}
# What is found in genes that were shipped, as it stands; the list may only become shorter.
EXPECTED_FINDINGS = [("W0599", "write-ssh-key")]


def specs(folder: Path) -> list[Path]:
    """One spec for each tag of a base, and one for each fodder gene."""
    written = []

    def write(name: str, lines: list[str]) -> None:
        path = folder / f"{name}.yaml"
        path.write_text("\n".join([f"name: {name}", "hostname: guest", *lines, ""]), "utf-8")
        written.append(path)

    for catlet in sorted(standard().glob("dbosoft/*/latest")):
        base = catlet.parent
        if not (base / "starter").is_dir():
            continue
        for tag in ("latest", "starter"):
            write(f"{base.name}-{tag}", [f"parent: dbosoft/{base.name}/{tag}"])
    for gene, definition in sorted(standard_genes().items()):
        linux = "linux" in gene
        lines = [f"parent: dbosoft/{'debian-12' if linux else 'winsrv2025-standard'}"]
        lines += ["fodder:", f"- source: gene:dbosoft/{gene}"]
        needed = [v.name for v in definition.variables or () if v.required and not v.value]
        if needed:
            lines += ["  variables:"]
            lines += [f"  - {{ name: {name}, value: given }}" for name in needed]
        write(gene.replace(":", "-"), lines)
    return written


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, object]]]:
    """All of them by one command, with what it had to say."""
    folder = tmp_path_factory.mktemp("builds")
    examples = sorted(EXAMPLES.glob("*.yaml"))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "eryphc", "build"),
            *specs(folder),
            *examples,
            *("--target", "cloud-init", "--output", folder / "out"),
            *("--diagnostics", "json", "--no-input"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = json.loads(run.stderr or "[]")
    assert run.returncode == 0, said
    return folder / "out", said


def manifest(out: Path, catlet: str) -> dict[str, object]:
    read = json.loads((out / catlet / "cloud-init" / "manifest.json").read_text("utf-8"))
    assert isinstance(read, dict)
    return read


def test_the_tool_has_no_complaint(built: tuple[Path, list[dict[str, object]]]) -> None:
    _, said = built
    found = [entry for entry in said if entry["code"] not in EXPECTED_NOTES]
    assert [
        (entry["code"], str(entry["message"]).split("`")[1]) for entry in found
    ] == EXPECTED_FINDINGS


def test_everything_is_there(built: tuple[Path, list[dict[str, object]]]) -> None:
    out, _ = built
    found = {path.parents[1].name for path in out.glob("*/cloud-init/*.iso")}
    assert {"shared-webserver", "nginx-dev", "nginx-prod", "debian-12-starter"} <= found
    assert len(found) == 3 + 2 * 8 + len(standard_genes())


def test_the_guest_kind_comes_from_the_base(
    built: tuple[Path, list[dict[str, object]]],
) -> None:
    out, _ = built
    for path in sorted(out.iterdir()):
        windows = path.name.startswith("win") or "-win-" in path.name
        if windows or path.name.startswith(("ubuntu", "debian", "alma", "nginx", "shared")):
            assert manifest(out, path.name)["guest"] == ("windows" if windows else "linux")


def test_development_and_production_share_the_same_genes(
    built: tuple[Path, list[dict[str, object]]],
) -> None:
    out, _ = built
    genes = []
    for catlet in ("nginx-dev", "nginx-prod"):
        listed = manifest(out, catlet)["genes"]
        assert isinstance(listed, list)
        genes.append({gene["id"]: gene["sha256"] for gene in listed if gene["sha256"]})
    development, production = genes
    shared = development.keys() & production.keys()
    assert {
        "gene:myorg/nginx-config/1.0:nginx-config",
        "gene:myorg/app-stack/1.0:app-stack",
    } <= shared
    assert {name: development[name] for name in shared} == {
        name: production[name] for name in shared
    }


def test_seeds_with_secrets_are_for_the_owner_alone(
    built: tuple[Path, list[dict[str, object]]],
) -> None:
    out, _ = built
    iso = out / "nginx-dev" / "cloud-init" / "nginx-dev.iso"
    assert iso.stat().st_mode & 0o777 == 0o600
