import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.manifest import Manifest, ManifestAdapter, ManifestGene, manifest_bytes

MANIFEST = Manifest(
    catlet="web",
    catlet_id="d2034611-3c44-5aa1-811b-e5f58b5a4416",
    target="cloud-init",
    arch="hyperv/amd64",
    guest="linux",
    guest_agent="cloud-init",
    guest_agent_from="assumed",
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
