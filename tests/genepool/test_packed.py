"""Packed genes, as the original packer wrote them."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from eryphc.diagnostics.model import Level, has_errors
from eryphc.genepool.files import decode, gene_source
from eryphc.genepool.packed import DamagedError, canonical_json, read_gene_manifest
from eryphc.identifiers import GeneType
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.source import SourceText
from genepool.original import folders, name_of, open_tag, texts
from places import PACKED


@pytest.mark.parametrize("folder", folders("tags/*/*/*/packed*"), ids=name_of)
def test_packed_folders_that_wait_are_unpacked(folder: Path, tmp_path: Path) -> None:
    tag_name = folder.parent.relative_to(PACKED / "tags").as_posix()
    shutil.copytree(folder, tmp_path / tag_name)
    json_folder = "json-0.10" if folder.name == "packed-0.10" else "json"
    expected = {
        path.stem: path.read_text("utf-8") for path in folder.parent.glob("json/*.json")
    } | {path.stem: path.read_text("utf-8") for path in folder.parent.glob(f"{json_folder}/*.json")}
    assert texts(open_tag(tmp_path, tag_name)) == expected


@pytest.mark.parametrize("victim", ["gene.json", "part"])
def test_a_packed_gene_that_was_changed_is_damaged(tmp_path: Path, victim: str) -> None:
    shutil.copytree(PACKED / "tags/acme/limits/1.0/packed", tmp_path / "acme/limits/1.0")
    tag = open_tag(tmp_path, "acme/limits/1.0")
    (variant,) = tag.variants(GeneType.FODDER, "b2047").value or ()
    assert variant.digest is not None
    folder = tmp_path / "acme/limits/1.0" / variant.digest.removeprefix("sha256:")
    path = folder / victim if victim == "gene.json" else next(folder.glob("*.part"))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"2047", b"2046") if victim == "gene.json" else data + b" ")
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0311"]


def test_a_packed_gene_with_a_part_missing_is_incomplete(tmp_path: Path) -> None:
    shutil.copytree(PACKED / "tags/acme/limits/1.0/packed", tmp_path / "acme/limits/1.0")
    tag = open_tag(tmp_path, "acme/limits/1.0")
    for part in tmp_path.rglob("*.part"):
        part.unlink()
    (variant,) = tag.variants(GeneType.FODDER, "b2047").value or ()
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0310"]


def vectors(member: str) -> list[dict[str, object]]:
    loaded = json.loads((PACKED / "vectors.json").read_text("utf-8"))[member]
    assert isinstance(loaded, list)
    return loaded


@pytest.mark.parametrize("vector", vectors("gene_manifests"), ids=lambda v: str(v["id"]))
def test_the_canonical_form_and_hash_of_gene_manifests(vector: dict[str, object]) -> None:
    manifest = vector["manifest"]
    assert isinstance(manifest, dict)
    # A name that is no valid Unicode is given by its UTF-16 units.
    canonical = canonical_json(
        {
            "filename" if key == "filename_utf16" else key: "".join(map(chr, value))
            if key == "filename_utf16"
            else value
            for key, value in manifest.items()
            if value is not None
        }
    )
    assert canonical == vector["canonical"]
    assert hashlib.sha256(canonical.encode()).hexdigest() == str(vector["sha256"])[-64:]


@pytest.mark.parametrize("vector", vectors("gene_json_read"), ids=lambda v: str(v["id"]))
def test_gene_manifests_are_read_as_the_original_reads_them(vector: dict[str, object]) -> None:
    data = base64.b64decode(str(vector["file_base64"]))
    try:
        manifest = read_gene_manifest(data)
    except DamagedError:
        # We are stricter where the text has no use, never laxer about what is hashed.
        return
    if vector.get("canonical"):
        assert manifest.canonical() == vector["canonical"]


@pytest.mark.parametrize(
    "path", [p for p in folders("json/*/*.yaml") if p.with_suffix(".json").is_file()], ids=name_of
)
def test_a_source_gene_is_read_as_its_packed_form(path: Path) -> None:
    source = gene_source(path.name, decode(path.read_bytes())[0])
    packed = SourceText("packed.json", path.with_suffix(".json").read_text("utf-8"))
    read = read_catlet if path.parent.name == "catlet" else read_fodder_gene
    ours = read(source, notation=Notation.YAML)
    theirs = read(packed, notation=Notation.JSON, strict=False)
    if has_errors(theirs.diagnostics):
        # An ordinal that is no word, which the original writes back as it is.
        assert {d.code.number for d in theirs.diagnostics} == {"E0112"}
        return
    if has_errors(ours.diagnostics):
        codes = {d.code.number for d in ours.diagnostics if d.level is Level.ERROR}
        # What PyYAML or we refuse on purpose.
        assert codes <= {"E0101", "E0102", "E0103", "E0117", "E0119"}, ours.diagnostics
        return
    assert ours.value == theirs.value
