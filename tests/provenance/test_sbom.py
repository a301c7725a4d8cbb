"""The list of parts: accepted by the strict validator, and the same each time."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from eryphc.artifacts.manifest import Manifest, ManifestGene
from eryphc.canonical import canonical, digest_of
from eryphc.provenance.facts import BuildFacts, DiskFacts, SetFacts
from eryphc.provenance.sbom import is_ours, sbom_bytes
from provenance.referees import read_sbom

A, B = "a" * 64, "b" * 64
MOTD, BASE = "gene:acme/motd/1.0:motd", "gene:acme/base/1.0:sda"
MANIFEST = Manifest(
    catlet="web",
    catlet_id="d2034611-3c44-5aa1-811b-e5f58b5a4416",
    target="hyperv",
    arch="hyperv/amd64",
    guest="linux",
    guest_agent="cloud-init",
    guest_agent_from="assumed",
    tool="eryphc 0",
    genes=(
        ManifestGene(MOTD, "fodder", "any", A),
        ManifestGene(BASE, "volume", "hyperv/amd64", B),
        ManifestGene("gene:acme/base/1.0:catlet", "catlet", "any", A),
    ),
)
FACTS = BuildFacts(
    spec="web.yaml",
    sets=(
        SetFacts(
            "acme/motd/1.0",
            uri="oci://hub.example:5000/genes/acme/motd:1.0",
            digest=f"sha256:{A}",
            manifest=f"sha256:{B}",
            licenses="MIT OR Apache-2.0",
        ),
        SetFacts("acme/base/1.0", requires=("acme/motd/1.0", "acme/none/1.0")),
    ),
    requires=("acme/base/1.0",),
    disks=(DiskFacts(BASE, f"sha256:{B}", "Ubuntu 22.04"), DiskFacts("x.vhdx", f"sha512:{A}{B}")),
    packages=("curl", "nginx=1.24"),
)


def parts(facts: BuildFacts = FACTS) -> dict[str, Any]:
    return read_sbom(sbom_bytes(facts, MANIFEST))


def component(reference: str, facts: BuildFacts = FACTS) -> Any:
    (found,) = (each for each in parts(facts)["components"] if each["bom-ref"] == reference)
    return found


def test_the_machine() -> None:
    machine = parts()["metadata"]["component"]
    assert machine == {
        "type": "operating-system",
        "bom-ref": "catlet",
        "name": "web",
        "properties": [
            {"name": "eryphc:arch", "value": "hyperv/amd64"},
            {"name": "eryphc:guest", "value": "linux"},
            {"name": "eryphc:package", "value": "curl"},
            {"name": "eryphc:package", "value": "nginx=1.24"},
            {"name": "eryphc:spec", "value": "web.yaml"},
            {"name": "eryphc:target", "value": "hyperv"},
        ],
    }


def test_a_gene_set_of_a_registry_with_its_genes() -> None:
    assert component("acme/motd/1.0") == {
        "type": "data",
        "bom-ref": "acme/motd/1.0",
        "name": "acme/motd",
        "version": "1.0",
        "hashes": [{"alg": "SHA-256", "content": A}],
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": f"pkg:oci/motd@sha256%3A{B}"
        "?repository_url=hub.example%3A5000/genes/acme/motd&tag=1.0",
        "components": [
            {
                "type": "file",
                "bom-ref": f"fodder::{MOTD}[any]",
                "name": MOTD,
                "hashes": [{"alg": "SHA-256", "content": A}],
                "properties": [
                    {"name": "eryphc:arch", "value": "any"},
                    {"name": "eryphc:type", "value": "fodder"},
                ],
            }
        ],
    }


def test_the_digest_of_a_volume_is_that_of_its_disk() -> None:
    inner = {each["bom-ref"]: each for each in component("acme/base/1.0")["components"]}
    assert "hashes" not in inner[f"volume::{BASE}[hyperv/amd64]"]
    assert component(f"disk:{BASE}") == {
        "type": "operating-system",
        "bom-ref": f"disk:{BASE}",
        "name": "Ubuntu 22.04",
        "hashes": [{"alg": "SHA-256", "content": B}],
        "properties": [{"name": "eryphc:disk", "value": BASE}],
    }
    assert component("disk:x.vhdx")["hashes"] == [{"alg": "SHA-512", "content": A + B}]


def test_what_needs_what() -> None:
    assert parts()["dependencies"] == [
        {"ref": "acme/base/1.0", "dependsOn": ["acme/motd/1.0"]},
        {"ref": "acme/motd/1.0", "dependsOn": []},
        {"ref": "catlet", "dependsOn": ["acme/base/1.0", f"disk:{BASE}", "disk:x.vhdx"]},
        {"ref": f"disk:{BASE}"},
        {"ref": "disk:x.vhdx"},
    ]


def test_there_is_no_time_and_the_number_follows_from_the_content() -> None:
    found = parts()
    number = found.pop("serialNumber")
    assert "timestamp" not in found["metadata"]
    name = f"sbom:{digest_of(canonical(found))}"
    namespace = uuid.UUID("d2034611-3c44-4aa1-811b-e5f58b5a4416")
    assert number == f"urn:uuid:{uuid.uuid5(namespace, name)}"
    assert sbom_bytes(FACTS, MANIFEST) == sbom_bytes(FACTS, MANIFEST)


def test_the_order_of_the_facts_does_not_matter() -> None:
    other = FACTS._replace(sets=FACTS.sets[::-1], disks=FACTS.disks[::-1])
    assert sbom_bytes(other, MANIFEST) == sbom_bytes(FACTS, MANIFEST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", {"expression": "MIT"}),
        (
            "(MIT OR GPL-2.0+) AND BSD-3-Clause",
            {"expression": "(MIT OR GPL-2.0+) AND BSD-3-Clause"},
        ),
        ("GPL-2.0 WITH GCC-exception", {"expression": "GPL-2.0 WITH GCC-exception"}),
        ("see the file LICENSE", {"license": {"name": "see the file LICENSE"}}),
        ("MIT or so", {"license": {"name": "MIT or so"}}),
        ("A" * 150 + "!", {"license": {"name": "A" * 150 + "!"}}),
    ],
)
def test_a_licence_is_an_expression_or_a_name(text: str, expected: dict[str, Any]) -> None:
    facts = FACTS._replace(sets=(SetFacts("acme/motd/1.0", licenses=text),))
    assert component("acme/motd/1.0", facts)["licenses"] == [expected]


def test_nothing_but_the_machine() -> None:
    bare = read_sbom(sbom_bytes(BuildFacts(spec="web.yaml"), MANIFEST._replace(genes=())))
    assert bare["components"] == []
    assert bare["dependencies"] == [{"ref": "catlet", "dependsOn": []}]


def test_our_own_lists_are_known_again() -> None:
    text = sbom_bytes(FACTS, MANIFEST)
    assert is_ours(text)
    other = json.loads(text)
    other["metadata"]["tools"]["components"].append({"name": "x", "type": "application"})
    assert not is_ours(json.dumps(other).encode())
    for mine in (b"", b"[]", b"{}", b'"x"', b"[" * 100_000):
        assert not is_ours(mine)
