import hashlib
import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.json_text import canonical_json, document_bytes
from eryphc.artifacts.manifest import Manifest, ManifestAdapter, ManifestGene, manifest_bytes
from eryphc.artifacts.names import fault_of

MANIFEST = Manifest(
    catlet="web",
    catlet_id="d2034611-3c44-5aa1-811b-e5f58b5a4416",
    target="cloud-init",
    arch="hyperv/amd64",
    guest="linux",
    tool="eryphc 0.1.0",
    network_adapters=(
        ManifestAdapter(name="eth1", mac_address="d2:ab:00:00:00:02"),
        ManifestAdapter(name="eth0", mac_address="d2:ab:00:00:00:01"),
    ),
    genes=(
        ManifestGene(id="gene:a/b/2:z", type="volume", arch="hyperv/any", sha256=None),
        ManifestGene(id="gene:a/b/2:z", type="fodder", arch="any", sha256="0" * 64, form="json"),
        ManifestGene(id="gene:a/b/1:y", type="fodder", arch="any", sha256="1" * 64),
        ManifestGene(id="gene:a/c/1:catlet", type="catlet", arch="any", sha256="2" * 64),
    ),
)
FILES = (
    WrittenFile(path="web.iso", sha256="3" * 64, size=69632, media_type="a/b", secret=True),
    WrittenFile(path="nocloud/meta-data", sha256="4" * 64, size=0, media_type="text/plain"),
)
SCHEMA: dict[str, Any] = json.loads(
    files("eryphc").joinpath("schemas/manifest.schema.json").read_bytes()
)


def test_obeys_its_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(manifest_bytes(MANIFEST, FILES)))


def test_order_of_keys_genes_files_and_adapters() -> None:
    value = json.loads(manifest_bytes(MANIFEST, FILES))
    assert list(value) == SCHEMA["required"]
    assert [(gene["type"], gene["id"]) for gene in value["genes"]] == [
        ("catlet", "gene:a/c/1:catlet"),
        ("fodder", "gene:a/b/1:y"),
        ("fodder", "gene:a/b/2:z"),
        ("volume", "gene:a/b/2:z"),
    ]
    assert [gene.get("form") for gene in value["genes"]] == [None, None, "json", None]
    assert [file["path"] for file in value["artifacts"]] == ["nocloud/meta-data", "web.iso"]
    assert [adapter["name"] for adapter in value["network_adapters"]] == ["eth1", "eth0"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"schema": "eryphc/manifest/v2"}, id="another version"),
        pytest.param({"built": "2020-01-01"}, id="a time"),
        pytest.param({"catlet_id": "D2034611-3C44-5AA1-811B-E5F58B5A4416"}, id="upper case id"),
        pytest.param({"target": "vmware"}, id="an unknown target"),
        pytest.param({"genes": [{"id": "a/b/c:d", "type": "fodder"}]}, id="a gene without arch"),
        pytest.param(
            {
                "artifacts": [
                    {**json.loads(manifest_bytes(MANIFEST, FILES))["artifacts"][0], "path": "../x"}
                ]
            },
            id="a path that leaves the folder",
        ),
    ],
)
def test_schema_refuses(change: dict[str, Any]) -> None:
    value = json.loads(manifest_bytes(MANIFEST, FILES)) | change
    assert list(Draft202012Validator(SCHEMA).iter_errors(value))


def test_json_text() -> None:
    value = {"b": ["ä", {"c": None, "a": [1]}], "a": 1, "none": [], 'quote"': {}}
    assert document_bytes(value).decode() == (
        '{\n  "b": [\n    "ä",\n    {"c": null, "a": [1]}\n  ],\n  "a": 1,\n'
        '  "none": [],\n  "quote\\"": {}\n}\n'
    )
    assert json.loads(document_bytes(value)) == value
    assert canonical_json({"b": ["ä", None], "a": 1}).decode() == '{"a":1,"b":["ä",null]}'
    assert hashlib.sha256(canonical_json({})).hexdigest().startswith("44136fa355b3678a")
    with pytest.raises(ValueError, match="JSON"):
        document_bytes({"a": float("nan")})


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param("web.iso", None, id="plain"),
        pytest.param("nocloud/user-data", None, id="in a folder"),
        pytest.param("a b+ä.iso", None, id="blank, plus and letters"),
        pytest.param("/etc/passwd", "absolute", id="absolute"),
        pytest.param("../web.iso", "leaves", id="the parent"),
        pytest.param("a/../../web.iso", "leaves", id="the parent inside"),
        pytest.param("..\\web.iso", "character", id="a backslash"),
        pytest.param("c:web.iso", "character", id="a drive"),
        pytest.param("a\nb", "character", id="a line feed"),
        pytest.param("a\0b", "character", id="a null"),
        pytest.param("web.", "dot", id="a dot at the end"),
        pytest.param("x" * 256, "255", id="too long"),
        pytest.param("ä" * 128, "255", id="too many bytes"),
        pytest.param("\udc80", "Unicode", id="a lone surrogate"),
        pytest.param("", "empty", id="empty"),
        pytest.param("a//b", "empty", id="an empty part"),
        pytest.param("a/", "empty", id="an empty part at the end"),
        pytest.param("./a", "leaves", id="a dot"),
        pytest.param("manifest.json", "manifest", id="the manifest"),
        pytest.param("Manifest.JSON", "manifest", id="the manifest in another case"),
    ],
)
def test_names(name: str, fault: str | None) -> None:
    found = fault_of(name)
    assert found is None if fault is None else found is not None and fault in found
