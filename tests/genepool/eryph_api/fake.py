"""A gene pool API of eryph that serves packed tags, with the faults that a real one may have.

Source: docs/reference/genes-and-pools.md, "The gene pool API of eryph".
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eryphc.genepool.packed import gene_manifest_of
from net.server import Handler, Route, Server, serving


@dataclass
class PackedGene:
    """A gene as it is uploaded: its manifest, its parts by SHA-1, the text for answers."""

    manifest: dict[str, Any]
    parts: dict[str, bytes]
    content: str = ""

    @property
    def hash(self) -> str:
        return gene_manifest_of(self.manifest).hash


def packed_gene(
    kind: str, name: str, data: Mapping[str, Any], *, arch: str = "any", form: str = "plain"
) -> PackedGene:
    """A gene of our own, in one part."""
    text = json.dumps(data, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 1, mtime=0) if form == "gz" else text.encode()
    part = hashlib.sha1(packed, usedforsecurity=False).hexdigest()
    manifest = {
        "version": "1.1",
        "name": name,
        "type": kind,
        "format": form,
        "filename": f"{name}.json",
        "parts": [f"sha1:{part}"],
        "size": len(packed),
        "original_size": len(text),
        "arch": arch,
    }
    return PackedGene(manifest, {part: packed}, text)


@dataclass
class PackedTag:
    manifest: dict[str, Any]
    genes: dict[str, PackedGene] = field(default_factory=dict)


def packed_tag(
    name: str, genes: Sequence[PackedGene] = (), *, ref: str | None = None, **more: Any
) -> PackedTag:
    """A tag of our own."""
    manifest: dict[str, Any] = {"version": "1.1", "geneset": name}
    if ref is not None:
        manifest["ref"] = ref
    for gene in genes:
        kind, digest = gene.manifest["type"], f"sha256:{gene.hash}"
        if kind == "catlet":
            manifest["catlet"] = digest
        else:
            key = "fodder" if kind == "fodder" else "volumes"
            entry = {"name": gene.manifest["name"], "hash": digest, "arch": gene.manifest["arch"]}
            manifest.setdefault(key, []).append(entry)
    return PackedTag(manifest | more, {gene.hash: gene for gene in genes})


def packed_folder(folder: Path) -> PackedTag:
    """A tag as the original packer wrote it."""
    found = PackedTag(json.loads((folder / "geneset-tag.json").read_text("utf-8")))
    for path in sorted(folder.glob("*/gene.json")):
        manifest = json.loads(path.read_text("utf-8-sig"))
        parts = {part.stem: part.read_bytes() for part in sorted(path.parent.glob("*.part"))}
        found.genes[path.parent.name] = PackedGene(manifest, parts)
    return found


@dataclass
class FakeApi:
    """Serves `tags` by name. `parts` is the server that links lead to.

    `inline`: texts come with their tag. `bare`: a tag brings no manifests of genes. `key`: nothing
    is given without it. `expires` are the ends that links say, one after the other; the last stays.
    `link` takes the place of all links, `faults` take that of an answer: the first whose pattern
    fits the path is used up.
    """

    server: Server
    parts: Server
    tags: dict[str, PackedTag] = field(default_factory=dict)
    inline: bool = False
    bare: bool = False
    key: str | None = None
    link: str | None = None
    expires: list[str] = field(default_factory=lambda: ["2099-01-01T00:00:00Z"])
    faults: list[tuple[str, Route]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.server.address}/v1"

    def publish(self, *tags: PackedTag) -> None:
        for tag in tags:
            self.tags[tag.manifest["geneset"]] = tag
            for gene in tag.genes.values():
                for name, data in gene.parts.items():
                    self.parts.routes[f"/parts/{name}"] = _part(data)

    def route(self, handler: Handler) -> None:
        path = urlsplit(handler.path).path
        for index, (pattern, route) in enumerate(self.faults):
            if re.search(pattern, path):
                del self.faults[index]
                route(handler)
                return
        if self.key is not None and handler.headers.get("X-Api-Key") != self.key:
            error(handler, 401, "an API key is needed")
            return
        if found := re.fullmatch(r"/v1/genesets/([^/]+/[^/]+)/download/([^/]+)", path):
            self._download(handler, f"{found[1]}/{found[2]}")
        elif found := re.fullmatch(r"/v1/genesets/([^/]+/[^/]+)", path):
            self._geneset(handler, found[1])
        elif found := re.fullmatch(r"/v1/genes/([^/]+/[^/]+/[^/]+)/([0-9a-f]{64})", path):
            self._gene(handler, found[1], found[2])
        else:
            error(handler, 404, "no such path")

    def _download(self, handler: Handler, name: str) -> None:
        tag = self.tags.get(name)
        if tag is None:
            error(handler, 404, "no such tag")
            return
        org, geneset, label = name.split("/")
        genes = []
        for digits, gene in tag.genes.items():
            listed = {"gene": digits} | ({} if self.bare else self._offer(gene))
            if self.inline and gene.content:
                listed["content"] = gene.content
            genes.append(listed)
        manifest = {"ref": None, "catlet": None, **tag.manifest}
        value = {
            "name": label,
            "geneset": f"{org}/{geneset}",
            "tag": label,
            "manifest": manifest,
            "genes": genes,
        }
        answer(handler, value)

    def _geneset(self, handler: Handler, name: str) -> None:
        tags = [each.rpartition("/")[2] for each in self.tags if each.startswith(f"{name}/")]
        if not tags:
            error(handler, 404, "no such gene set")
            return
        answer(handler, {"geneset": name, "tags": [{"geneset": name, "tag": tag} for tag in tags]})

    def _gene(self, handler: Handler, name: str, digits: str) -> None:
        gene = self.tags[name].genes.get(digits) if name in self.tags else None
        if gene is None:
            error(handler, 404, "no such gene")
            return
        answer(handler, {"geneset_tag": name, "gene": digits, **self._offer(gene)})

    def _offer(self, gene: PackedGene) -> dict[str, Any]:
        links = [{"part": f"sha1:{name}", "download_uri": self._link(name)} for name in gene.parts]
        expires = self.expires.pop(0) if len(self.expires) > 1 else self.expires[0]
        return {"manifest": gene.manifest, "download_uris": links, "download_expires": expires}

    def _link(self, name: str) -> str:
        link = f"{self.parts.address}/parts/{name}?sig=s3cret"
        return link if self.link is None else self.link


def answer(handler: Handler, value: Mapping[str, Any]) -> None:
    data = {
        "status_code": 200,
        "status_code_string": "OK",
        "response_type": 2,
        "response_type_string": "SingleResult",
        "value": value,
    }
    handler.answer(200, json.dumps(data).encode(), Content_Type="application/json")


def error(handler: Handler, status: int, message: str) -> None:
    data = {"status_code": status, "response_type": 0, "message": message}
    handler.answer(status, json.dumps(data).encode(), Content_Type="application/json")


def _part(data: bytes) -> Route:
    return lambda handler: handler.answer(200, data, Content_Type="application/octet-stream")


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    with serving() as server, serving() as parts:
        api = FakeApi(server, parts)
        server.otherwise = api.route
        yield api
