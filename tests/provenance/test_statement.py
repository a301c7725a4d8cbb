"""The statement of a build: its form, what it tells, and what it keeps to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eryphc import __version__
from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.manifest import Manifest, ManifestGene
from eryphc.canonical import read_canonical
from eryphc.frozen import FrozenMap
from eryphc.provenance.facts import BuildFacts, DiskFacts, Resource, SetFacts
from eryphc.provenance.statement import (
    Attested,
    Times,
    is_ours,
    is_uri,
    statement_bytes,
)
from eryphc.provenance.tool import tool_digest
from provenance.referees import read_statement

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
GENE = "gene:acme/motd/1.0:motd"
MANIFEST = Manifest(
    catlet="web",
    catlet_id="d2034611-3c44-5aa1-811b-e5f58b5a4416",
    target="cloud-init",
    arch="hyperv/amd64",
    guest="linux",
    guest_agent="cloud-init",
    guest_agent_from="assumed",
    tool=f"eryphc {__version__}",
    genes=(
        ManifestGene(GENE, "fodder", "any", B, "json"),
        ManifestGene(GENE, "volume", "any", None),
    ),
)
FACTS = BuildFacts(
    spec="specs/web.yaml",
    options=FrozenMap({"sealed": True, "merge": "parts"}),
    variables=FrozenMap({"text": "hello"}),
    secrets=("apiKey",),
    epoch=315532800,
    sources=(Resource("specs/web.yaml", "file:specs/web.yaml", f"sha256:{A}"),),
    sets=(
        SetFacts("acme/motd/1.0", uri="oci://hub.example/acme/motd:1.0", digest=f"sha256:{C}"),
        SetFacts("acme/other/1.0"),
    ),
    disks=(DiskFacts("disk.vhdx", f"sha256:{C}"), DiskFacts(GENE)),
)


def file(path: str, digest: str = A, *, secret: bool = False, tells: bool = False) -> WrittenFile:
    return WrittenFile(path, digest, 1, "text/plain", secret, tells)


ROOT = file("manifest.json", C)


def stated(*files: WrittenFile, facts: BuildFacts = FACTS, manifest: WrittenFile = ROOT) -> Any:
    text = statement_bytes(facts, MANIFEST, files or (file("a.txt"),), manifest)
    assert text is not None
    return read_statement(text)


def definition(**more: Any) -> Any:
    return stated(**more)["predicate"]["buildDefinition"]


def test_the_whole() -> None:
    tool: dict[str, Any] = {"name": "pkg:pypi/eryphc", "uri": f"pkg:pypi/eryphc@{__version__}"}
    digest = tool_digest()
    if digest is not None:
        tool["digest"] = {"sha256": digest.removeprefix("sha256:")}
    assert stated(file("web.iso", B), file("a.txt")) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "a.txt", "digest": {"sha256": A}},
            {"name": "manifest.json", "digest": {"sha256": C}},
            {"name": "web.iso", "digest": {"sha256": B}},
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://eryphc.dev/build/v1",
                "externalParameters": {
                    "spec": "specs/web.yaml",
                    "target": "cloud-init",
                    "options": {"sealed": True, "merge": "parts"},
                    "variables": {"text": "hello"},
                    "secrets": ["apiKey"],
                },
                "internalParameters": {"epoch": 315532800, "language": 1},
                "resolvedDependencies": [
                    {
                        "name": "acme/motd/1.0",
                        "uri": "oci://hub.example/acme/motd:1.0",
                        "digest": {"sha256": C},
                    },
                    {"name": "disk:disk.vhdx", "uri": "disk:disk.vhdx", "digest": {"sha256": C}},
                    {
                        "name": GENE,
                        "uri": GENE,
                        "digest": {"sha256": B},
                        "annotations": {"arch": "any", "type": "fodder", "form": "json"},
                    },
                    {"name": GENE, "uri": GENE, "annotations": {"arch": "any", "type": "volume"}},
                    tool,
                    {
                        "name": "specs/web.yaml",
                        "uri": "file:specs/web.yaml",
                        "digest": {"sha256": A},
                    },
                ],
            },
            "runDetails": {
                "builder": {
                    "id": "https://eryphc.dev/builder/local/v1",
                    "version": {"eryphc": __version__},
                }
            },
        },
    }


def test_it_is_canonical_and_ends_with_a_line_feed() -> None:
    text = statement_bytes(FACTS, MANIFEST, (file("a"),), ROOT)
    assert text is not None
    assert text.endswith(b"}\n")
    read_canonical(text[:-1])
    assert text == statement_bytes(FACTS, MANIFEST, (file("a"),), ROOT)


def test_what_was_not_given_is_not_there() -> None:
    plain = BuildFacts(spec="web.yaml")
    assert definition(facts=plain)["externalParameters"] == {
        "spec": "web.yaml",
        "target": "cloud-init",
    }


@pytest.mark.parametrize(
    ("files", "manifest", "subjects", "hidden"),
    [
        pytest.param(
            (file("a", secret=True), file("b")),
            file("manifest.json", tells=True),
            ["b"],
            ["a"],
            id="a secret file, and the manifest that has its digest",
        ),
        pytest.param(
            (file("a", secret=True), file("b", tells=True), file("c")),
            file("manifest.json", tells=True),
            ["c"],
            ["a", "b"],
            id="a file that tells the digest of a secret one",
        ),
        pytest.param((file("a"),), ROOT, ["a", "manifest.json"], None, id="nothing is secret"),
    ],
)
def test_secret_files_are_named_without_digest(
    files: tuple[WrittenFile, ...],
    manifest: WrittenFile,
    subjects: list[str],
    hidden: list[str] | None,
) -> None:
    found = stated(*files, manifest=manifest)
    assert [each["name"] for each in found["subject"]] == subjects
    parameters = found["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters.get("secret_artifacts") == hidden


def test_there_is_no_statement_without_a_file_to_tell_of() -> None:
    files = (file("a", secret=True), file("b", tells=True))
    assert statement_bytes(FACTS, MANIFEST, files, file("manifest.json", tells=True)) is None


def test_a_builder_and_times() -> None:
    times = Times("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z")
    text = statement_bytes(
        FACTS, MANIFEST, (file("a"),), ROOT, Attested("https://ci.example/1", times)
    )
    assert text is not None
    run = read_statement(text)["predicate"]["runDetails"]
    assert run["builder"]["id"] == "https://ci.example/1"
    assert run["metadata"] == {
        "startedOn": "2026-01-02T03:04:05Z",
        "finishedOn": "2026-01-02T03:04:06Z",
    }


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://ci.example.com/builder/1", True),
        ("urn:uuid:0", True),
        ("ci.example.com/builder", False),
        ("https://ci example", False),
        ("https://ci.example/\x1b[2J", False),
        ("https:", False),
        ("https://ü.example", False),
        ("https://" + "x" * 3000, False),
    ],
)
def test_a_builder_is_a_uri(text: str, *, good: bool) -> None:
    assert is_uri(text) is good


def test_our_own_statements_are_known_again() -> None:
    text = statement_bytes(FACTS, MANIFEST, (file("a"),), ROOT)
    assert text is not None
    assert is_ours(text)
    assert not is_ours(text.replace(b"eryphc.dev/build", b"other.dev/build"))
    assert not is_ours(b"mine")


def test_text_that_is_no_unicode_is_escaped() -> None:
    facts = FACTS._replace(variables=FrozenMap({"a": "x\udcff"}), spec="\ud800.yaml")
    parameters = definition(facts=facts)["externalParameters"]
    assert (parameters["variables"], parameters["spec"]) == ({"a": "x\\udcff"}, "\\ud800.yaml")


def test_no_value_is_in_the_repr() -> None:
    assert "hello" not in repr(FACTS)
    assert json.dumps(stated()).count("hello") == 1
