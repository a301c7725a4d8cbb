"""The parts of a machine as a CycloneDX 1.6 document: gene sets with their genes, and disks.

Packages that a cloud-config installs are properties and no parts, because nobody knows which
versions the guest will get. There is no time in it: equal inputs give equal bytes.
Source: docs/build-type.md, "The list of parts"; https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from eryphc.artifacts.manifest import Manifest, ManifestGene
from eryphc.canonical import Json, canonical, digest_of
from eryphc.identifiers import GeneType
from eryphc.passes.given import CATLET_NAMESPACE
from eryphc.provenance.facts import BuildFacts, DiskFacts, SetFacts, told
from eryphc.version import __version__

SUFFIX: Final = ".cdx.json"
_ROOT: Final = "catlet"
_ALGORITHMS: Final = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_LICENSE = re.compile(r"\(*[A-Za-z0-9.-]+\+?\)*\Z")
_OPERATORS: Final = ("AND", "OR", "WITH")
_TOOL_NAME: Final = "eryphc"


def sbom_bytes(facts: BuildFacts, manifest: Manifest) -> bytes:
    """The document, indented for people."""
    sets = sorted(facts.sets)
    components: list[Mapping[str, Json]] = [
        *(_set(each, manifest) for each in sets),
        *(_disk(each) for each in sorted(facts.disks)),
    ]
    parts = sorted(components, key=_reference)
    dependencies = sorted(_dependencies(facts), key=_dependent)
    document: dict[str, Json] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": _machine(facts, manifest),
            "tools": {
                "components": [
                    {
                        "type": "application",
                        "name": _TOOL_NAME,
                        "version": __version__,
                        "purl": f"pkg:pypi/{_TOOL_NAME}@{__version__}",
                    }
                ]
            },
        },
        "components": parts,
        "dependencies": dependencies,
    }
    document = told(document)
    serial = uuid.uuid5(CATLET_NAMESPACE, f"sbom:{digest_of(canonical(document))}")
    whole = {"serialNumber": f"urn:uuid:{serial}", **document}
    return (json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def is_ours(data: bytes) -> bool:
    """Whether bytes are a list of parts that a build wrote."""
    try:
        found = json.loads(data)
        tools = found["metadata"]["tools"]["components"]
        names = [tool["name"] for tool in tools]
    except (ValueError, RecursionError, KeyError, TypeError):
        return False
    return found.get("bomFormat") == "CycloneDX" and names == [_TOOL_NAME]


def _machine(facts: BuildFacts, manifest: Manifest) -> Mapping[str, Json]:
    properties = [
        _property("eryphc:arch", manifest.arch),
        _property("eryphc:guest", manifest.guest),
        *(_property("eryphc:package", name) for name in facts.packages),
        _property("eryphc:spec", facts.spec),
        _property("eryphc:target", manifest.target),
    ]
    return {
        "type": "operating-system",
        "bom-ref": _ROOT,
        "name": manifest.catlet,
        "properties": properties,
    }


def _property(name: str, value: str) -> Mapping[str, Json]:
    return {"name": name, "value": value}


def _set(geneset: SetFacts, manifest: Manifest) -> Mapping[str, Json]:
    name, _, tag = geneset.id.rpartition("/")
    found: dict[str, Json] = {
        "type": "data",
        "bom-ref": geneset.id,
        "name": name,
        "version": tag,
    }
    if geneset.digest is not None:
        found["hashes"] = [_hash(geneset.digest)]
    if geneset.licenses is not None:
        found["licenses"] = [_license(geneset.licenses)]
    purl = _purl(geneset)
    if purl is not None:
        found["purl"] = purl
    genes = [_gene(gene) for gene in manifest.genes if gene.id.split(":")[1] == geneset.id]
    genes.sort(key=_reference)
    if genes:
        found["components"] = genes
    return found


def _purl(geneset: SetFacts) -> str | None:
    """`pkg:oci/...` of a set whose registry is known."""
    if geneset.uri is None or geneset.manifest is None:
        return None
    repository, _, tag = geneset.uri.removeprefix("oci://").rpartition(":")
    name = repository.rpartition("/")[2].lower()
    version = quote(geneset.manifest, safe="")
    where = quote(repository.lower(), safe="/")
    return f"pkg:oci/{name}@{version}?repository_url={where}&tag={quote(tag, safe='')}"


def _gene(gene: ManifestGene) -> Mapping[str, Json]:
    found: dict[str, Json] = {
        "type": "file",
        # A volume gene and a fodder gene may have one name.
        "bom-ref": f"{gene.type}::{gene.id}[{gene.arch}]",
        "name": gene.id,
        "properties": [_property("eryphc:arch", gene.arch), _property("eryphc:type", gene.type)],
    }
    # The digest of a volume is that of its disk, which is a part of its own.
    if gene.sha256 is not None and gene.type != GeneType.VOLUME:
        found["hashes"] = [_hash(f"sha256:{gene.sha256}")]
    return found


def _disk(disk: DiskFacts) -> Mapping[str, Json]:
    found: dict[str, Json] = {
        "type": "operating-system",
        "bom-ref": f"disk:{disk.name}",
        "name": disk.os_name or disk.name,
    }
    if disk.digest is not None:
        found["hashes"] = [_hash(disk.digest)]
    if disk.os_name is not None:
        found["properties"] = [_property("eryphc:disk", disk.name)]
    return found


def _hash(digest: str) -> Mapping[str, Json]:
    algorithm, _, digits = digest.partition(":")
    return {"alg": _ALGORITHMS[algorithm], "content": digits}


def _license(text: str) -> Mapping[str, Json]:
    """As an SPDX expression where it has the form of one, else as a name."""
    words = text.split(" ")
    names = all(_LICENSE.match(word) for word in words[::2])
    if len(words) % 2 and names and all(word in _OPERATORS for word in words[1::2]):
        return {"expression": text}
    return {"license": {"name": text}}


def _dependencies(facts: BuildFacts) -> Iterator[Mapping[str, Json]]:
    known = {geneset.id for geneset in facts.sets}
    disks = [f"disk:{disk.name}" for disk in facts.disks]
    own = sorted({*(name for name in facts.requires if name in known), *disks})
    yield {"ref": _ROOT, "dependsOn": own}
    for geneset in facts.sets:
        needed = sorted(name for name in geneset.requires if name in known)
        yield {"ref": geneset.id, "dependsOn": needed}
    yield from ({"ref": disk} for disk in disks)


def _reference(component: Mapping[str, Json]) -> str:
    return str(component["bom-ref"])


def _dependent(dependency: Mapping[str, Json]) -> str:
    return str(dependency["ref"])
