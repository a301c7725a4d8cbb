"""A tag in the original's local pool: JSON genes listed in the manifest.

A gene is there if its file is and its hash is in `genes.json`, or if its packed folder is
complete and waits to be unpacked.
Source: docs/reference/genes-and-pools.md, "The local pool of eryph".
"""

from __future__ import annotations

from pathlib import Path

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Outcome
from eryphc.genepool.files import PoolFiles, decode, digest, place_of
from eryphc.genepool.model import GeneText, ListedGene, Manifest, Variant, Volume
from eryphc.genepool.packed import DamagedError, packed_manifest, unpack
from eryphc.identifiers import GeneId, GeneSetId, GeneType
from eryphc.reads import Reads
from eryphc.source import SourceText, shown_path
from eryphc.syntax.json_nodes import compose_json
from eryphc.syntax.nodes import MappingNode, ScalarNode, SequenceNode


class LocalTag:
    """One tag of a local pool; what is complete is looked up once."""

    def __init__(
        self, files: PoolFiles, folder: Path, geneset: GeneSetId, manifest: Manifest
    ) -> None:
        self.id = geneset
        self.manifest = manifest
        self._files = files
        self._folder = folder
        self._complete: frozenset[str] | None = None
        self._texts: dict[str, Outcome[GeneText]] = {}

    @property
    def reads(self) -> Reads | None:
        """Where it is noted what is read for the tag."""
        return self._files.reads

    def names(self, kind: GeneType) -> tuple[str, ...]:
        return tuple(sorted({gene.name for gene in self.manifest.genes if gene.type is kind}))

    def variants(self, kind: GeneType, name: str) -> Outcome[tuple[Variant, ...]]:
        found: dict[tuple[str, str], Variant] = {}
        for gene in self.manifest.genes:
            if gene.type is not kind or gene.name != name:
                continue
            volume = None
            path = self._path(gene)
            if kind is GeneType.VOLUME:
                at_hand = self._unpacked(gene)
                volume = Volume(path=path if at_hand else None, format="vhdx")
            key = (gene.architecture.hypervisor, gene.architecture.processor)
            found[key] = Variant(
                type=kind,
                name=name,
                architecture=gene.architecture,
                path=path,
                digest=gene.digest,
                volume=volume,
            )
        return Outcome(tuple(found[key] for key in sorted(found)))

    def read(self, variant: Variant) -> Outcome[GeneText]:
        if variant.type is GeneType.VOLUME:
            return Outcome(None)
        key = variant.digest or ""
        known = self._texts.get(key)
        if known is None:
            known = self._texts[key] = self._read(variant)
        return known

    def _read(self, variant: Variant) -> Outcome[GeneText]:
        gene = GeneId(self.id, variant.name)
        path, listed = variant.path, variant.digest
        assert path is not None  # noqa: S101
        assert listed is not None  # noqa: S101
        if listed in self._merged() and self._files.is_file(path):
            read = self._files.read_text(path)
            if read.value is None:
                return Outcome(None, read.diagnostics)
            source = SourceText(shown_path(path), read.value)
            found = GeneText(source=source, raw=read.value, sha256=digest(read.value), form="json")
            return Outcome(found, read.diagnostics)
        folder = self._folder / listed.removeprefix("sha256:")
        try:
            manifest = packed_manifest(self._files, folder, folder.name)
            if manifest is None:
                return Outcome(None, (pools.gene_incomplete(gene, self._missing(path), None),))
            data = unpack(self._files, folder, manifest)
        except DamagedError as damage:
            return Outcome(None, (pools.gene_damaged(gene, str(damage), place_of(folder)),))
        text, _ = decode(data)
        source = SourceText(f"{shown_path(folder)}/{path.name}", text)
        return Outcome(GeneText(source=source, raw=text, sha256=digest(text), form="json"))

    def _missing(self, path: Path) -> str:
        if self._files.is_file(path):
            return "`genes.json` does not list it as complete"
        return f"`{shown_path(path)}` is missing"

    def _path(self, gene: ListedGene) -> Path:
        if gene.type is GeneType.CATLET:
            return self._folder / "catlet.json"
        folder = self._folder / ("fodder" if gene.type is GeneType.FODDER else "volumes")
        for part in (gene.architecture.hypervisor, gene.architecture.processor):
            if part != "any":
                folder /= part
        return folder / f"{gene.name}{'.json' if gene.type is GeneType.FODDER else '.vhdx'}"

    def _unpacked(self, gene: ListedGene) -> bool:
        path = self._path(gene)
        return (
            gene.digest in self._merged()
            and self._files.is_file(path)
            and self._files.leaves(path) is None
        )

    def _merged(self) -> frozenset[str]:
        """Hashes in `genes.json`; none where it is missing or says something else."""
        if self._complete is None:
            self._complete = self._read_merged()
        return self._complete

    def _read_merged(self) -> frozenset[str]:
        path = self._folder / "genes.json"
        if not self._files.is_file(path):
            return frozenset()
        read = self._files.read_text(path)
        root = compose_json(SourceText(shown_path(path), read.value or "", regions=())).value
        if not isinstance(root, MappingNode):
            return frozenset()
        merged: frozenset[str] = frozenset()
        for key, value in root.entries:
            if (
                isinstance(key, ScalarNode)
                and key.value == "MergedGenes"
                and isinstance(value, SequenceNode)
            ):
                merged = frozenset(
                    item.value.lower() for item in value.items if isinstance(item, ScalarNode)
                )
        return merged
