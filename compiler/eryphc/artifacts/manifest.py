"""What a target folder holds and was made of, as `manifest.json`, and JSON for reviewers.

Its shape is public; `schemas/manifest.schema.json` describes it.
Source: docs/reference/command-line.md, "manifest.json".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from eryphc.artifacts.file import WrittenFile
from eryphc.frozen import NamedTuple
from eryphc.ir.stages import PinnedGene

_ONE_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def document_bytes(value: Mapping[str, object]) -> bytes:
    """A mapping as UTF-8: a line a member and an entry of its lists, keys in the order given.

    People compare such files line by line. Not-a-number and infinities raise `ValueError`; so
    does text with lone surrogates. (The library's own indentation is ten times slower.)
    """
    members = ",\n".join(
        f"  {_ONE_LINE.encode(key)}: {_member(item)}" for key, item in value.items()
    )
    return f"{{\n{members}\n}}\n".encode()


def canonical_json(value: object) -> bytes:
    """The form that is hashed: sorted keys, no white space, UTF-8."""
    return _CANONICAL.encode(value).encode()


class Rendered(str):
    """JSON text of a value, in one line: an entry that many documents have is made once."""

    __slots__ = ()


def one_line(value: object) -> Rendered:
    return Rendered(_ONE_LINE.encode(value))


def _member(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _ONE_LINE.encode(value)
    entries = ",\n".join(
        f"    {entry if isinstance(entry, Rendered) else _ONE_LINE.encode(entry)}"
        for entry in value
    )
    return f"[\n{entries}\n  ]"


MANIFEST_SCHEMA = "eryphc/manifest/v1"
MANIFEST_NAME = "manifest.json"


class ManifestAdapter(NamedTuple):
    """A network adapter with the address it must have, invented ones included."""

    name: str
    mac_address: str


class ManifestGene(NamedTuple):
    """A gene of the closure. `sha256` None: not known; `form`: `json` from a packed pool."""

    id: str
    type: str
    arch: str
    sha256: str | None
    form: str | None = None


class Manifest(NamedTuple):
    """All of a manifest that is known before its files are written."""

    catlet: str
    catlet_id: str
    target: str
    arch: str
    guest: str
    guest_agent: str
    guest_agent_from: str
    tool: str
    network_adapters: tuple[ManifestAdapter, ...] = ()
    genes: tuple[ManifestGene, ...] = ()


def manifest_bytes(manifest: Manifest, files: Iterable[WrittenFile]) -> bytes:
    """The text of `manifest.json`: genes by type and id, files by path."""
    return document_bytes(
        {
            "schema": MANIFEST_SCHEMA,
            "catlet": manifest.catlet,
            "catlet_id": manifest.catlet_id,
            "target": manifest.target,
            "arch": manifest.arch,
            "guest": manifest.guest,
            "guest_agent": manifest.guest_agent,
            "guest_agent_from": manifest.guest_agent_from,
            "tool": manifest.tool,
            "network_adapters": [
                {"name": adapter.name, "mac_address": adapter.mac_address}
                for adapter in manifest.network_adapters
            ],
            "genes": [
                _gene(gene)
                for gene in sorted(manifest.genes, key=lambda gene: (gene.type, gene.id, gene.arch))
            ],
            "artifacts": [
                {
                    "path": file.path,
                    "sha256": file.sha256,
                    "size": file.size,
                    "media_type": file.media_type,
                    "secret": file.secret,
                }
                for file in sorted(files, key=lambda file: file.path)
            ],
        }
    )


def manifest_genes(genes: Iterable[PinnedGene]) -> tuple[ManifestGene, ...]:
    """The genes of a closure as the manifest names them, by type and id."""
    found = (
        ManifestGene(
            id=str(gene.id),
            type=gene.type.value,
            arch=str(gene.architecture),
            sha256=gene.sha256,
            form=gene.form,
        )
        for gene in genes
    )
    return tuple(sorted(found, key=lambda gene: (gene.type, gene.id, gene.arch)))


def gene_entry(gene: ManifestGene) -> dict[str, str | None]:
    """What the manifest says of a gene."""
    entry = {"id": gene.id, "type": gene.type, "arch": gene.arch, "sha256": gene.sha256}
    return entry if gene.form is None else {**entry, "form": gene.form}


@lru_cache(maxsize=1024)
def _gene(gene: ManifestGene) -> Rendered:
    return one_line(gene_entry(gene))
