"""The fleet of the examples: development and production share their services, and differ in what
they should. Its effective catlets and manifests are kept in `golden/fleet`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from library.genes import CHECKOUT

FLEET = CHECKOUT / "examples" / "fleet"
SERVICES = {
    "web": {"gene:eryphc/nginx/1.0:nginx"},
    "app": {"gene:eryphc/node/1.0:node", "gene:fleet/shop/1.0:shop"},
    "db": {"gene:eryphc/postgres/1.0:postgres"},
}
HARDENING = {
    f"gene:eryphc/{name}/1.0:{name}"
    for name in (
        "ssh-hardening",
        "firewall",
        "fail2ban",
        "sysctl-hardening",
        "unattended-upgrades",
        "journald-limits",
    )
}
SPECS = [f"{role}-{stage}" for role in SERVICES for stage in ("dev", "prod")]


def is_golden(name: str, text: str) -> bool:
    """Whether the kept file says the same. ERYPHC_GOLDEN=write keeps what is made now instead."""
    path = CHECKOUT / "golden" / "fleet" / name
    if os.environ.get("ERYPHC_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return path.read_bytes() == text.encode()


def eryphc(*arguments: str | Path, spec: str) -> str:
    values = ("--var", "databasePassword=env:FLEET_PASSWORD") if spec.startswith("db") else ()
    run = subprocess.run(
        [sys.executable, "-m", "eryphc", *arguments, FLEET / f"{spec}.yaml", *values],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FLEET_PASSWORD": "a 'secret' of the test"},
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    out = tmp_path_factory.mktemp("fleet")
    for spec in SPECS:
        eryphc("build", "--target", "cloud-init", "--output", out / spec, spec=spec)
    return {spec: json.loads((out / spec / "manifest.json").read_text("utf-8")) for spec in SPECS}


def digests(manifest: dict[str, Any]) -> dict[str, str]:
    return {gene["id"]: gene["sha256"] for gene in manifest["genes"] if gene["type"] == "fodder"}


@pytest.mark.parametrize("role", SERVICES)
def test_the_services_are_the_same_genes(role: str, manifests: dict[str, dict[str, Any]]) -> None:
    development, production = (digests(manifests[f"{role}-{stage}"]) for stage in ("dev", "prod"))
    shared = development.keys() & production.keys()
    assert SERVICES[role] < shared
    assert {name: development[name] for name in shared} == {
        name: production[name] for name in shared
    }


@pytest.mark.parametrize("role", SERVICES)
def test_production_alone_is_hardened(role: str, manifests: dict[str, dict[str, Any]]) -> None:
    development, production = (digests(manifests[f"{role}-{stage}"]) for stage in ("dev", "prod"))
    more = HARDENING | ({"gene:eryphc/data-disk/1.0:data-disk"} if role == "db" else set())
    assert production.keys() - development.keys() == more
    assert development.keys() - production.keys() == set()
    assert manifests[f"{role}-dev"]["artifacts"] != manifests[f"{role}-prod"]["artifacts"]


@pytest.mark.parametrize("spec", SPECS)
def test_the_effective_catlet_is_the_golden_one(spec: str) -> None:
    printed = eryphc("expand", "--no-input", spec=spec)
    assert "a 'secret' of the test" not in printed
    assert is_golden(f"{spec}.catlet.yaml", printed)


@pytest.mark.parametrize("spec", SPECS)
def test_the_manifest_is_the_golden_one(spec: str, manifests: dict[str, dict[str, Any]]) -> None:
    # All but the tool's version, which changes with each release.
    kept = {key: value for key, value in manifests[spec].items() if key != "tool"}
    assert is_golden(f"{spec}.manifest.json", json.dumps(kept, indent=2) + "\n")


@pytest.mark.integration
@pytest.mark.parametrize("spec", ["app-dev", "app-prod"])
def test_cloud_init_finds_nothing_in_its_cloud_config(spec: str, tmp_path: Path) -> None:
    """The only cloud-config there is: the genes of the library are scripts (see test_shape)."""
    if shutil.which("cloud-init") is None:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    eryphc("build", "--target", "cloud-init", "--output", tmp_path / "out", spec=spec)
    message = message_from_bytes((tmp_path / "out" / "nocloud" / "user-data").read_bytes())
    (config,) = [
        part.get_payload(decode=True)
        for part in message.walk()
        if part.get_content_type() == "text/cloud-config"
    ]
    assert isinstance(config, bytes)
    (tmp_path / "config").write_bytes(config)
    run = subprocess.run(
        ["cloud-init", "schema", "--config-file", tmp_path / "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, "Valid" in run.stdout) == (0, True), run.stdout + run.stderr
