"""Tags in the packed form of eryph, compared with what the original packer wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from eryphc.authoring.eryph_packing import EryphTag, eryph_packed
from eryphc.authoring.sources import authored
from eryphc.canonical import canonical, digest_of
from eryphc.diagnostics.model import Level
from eryphc.genepool.contents import contents_of
from eryphc.genepool.files import decode
from eryphc.genepool.packed import canonical_json
from genepool.original import folders, name_of, open_tag
from places import PACKED

OURS = [
    path
    for path in folders("tags/*/*/*/source")
    # Disks; a manifest that the original replaces; one gene for all architectures, a defect of the
    # original; two files of one name, of which it takes the one that the folder lists last.
    if path.parts[-3] not in ("from-vm", "broken-manifest", "multi-arch", "same-name-twice")
]


def packed(folder: Path) -> EryphTag:
    tag = authored(folder)
    assert tag.value is not None, tag.diagnostics
    made = eryph_packed(tag.value)
    assert made.value is not None, made.diagnostics
    return made.value


def problems(folder: Path) -> list[str]:
    tag = authored(folder)
    assert tag.value is not None, tag.diagnostics
    made = eryph_packed(tag.value)
    assert made.value is None
    return [each.message for each in made.diagnostics if each.level is Level.ERROR]


def newest(source: Path) -> Path:
    """What the original wrote with its newest model."""
    folder = source.parent / "packed-0.10"
    return folder if folder.is_dir() else source.parent / "packed"


def in_a_tag(source: Path, tmp_path: Path) -> Path:
    manifest = json.loads((newest(source) / "geneset-tag.json").read_text())
    folder = tmp_path / str(manifest["geneset"])
    shutil.copytree(source, folder)
    return folder


@pytest.mark.parametrize("source", OURS, ids=name_of)
def test_files_are_those_of_the_original_packer(source: Path, tmp_path: Path) -> None:
    """Those of genes that it compressed differ in what holds compressed bytes, and nothing else."""
    theirs = newest(source)
    files = packed(in_a_tag(source, tmp_path)).files
    compressed: dict[str, dict[str, Any]] = {}
    for path in sorted(theirs.glob("*/gene.json")):
        manifest = json.loads(path.read_text("utf-8-sig"))
        if manifest["format"] != "plain":
            compressed[path.parent.name] = manifest
            continue
        for each in sorted(path.parent.iterdir()):
            name = each.relative_to(theirs).as_posix()
            assert files.get(name) == each.read_bytes(), name
    genes = {path.split("/")[0] for path in files if "/" in path}
    assert len(genes) == len(list(theirs.glob("*/gene.json")))
    text = (theirs / "geneset-tag.json").read_text()
    ours, original = json.loads(files["geneset-tag.json"]), json.loads(text)
    if not compressed and len(original.get("fodder", ())) < 2:
        assert files["geneset-tag.json"].decode() == text
    by_name = {each["name"]: each for each in ours.get("fodder", ())}
    for each in original.get("fodder", ()):
        assert by_name[each["name"]]["arch"] == each["arch"]
        if each["hash"].removeprefix("sha256:") not in compressed:
            assert by_name[each["name"]] == each
    for key in ("version", "geneset", "ref", "parent", "metadata"):
        assert ours.get(key) == original.get(key), key


@pytest.mark.parametrize("source", OURS, ids=name_of)
def test_our_reader_reads_it_like_the_original(source: Path, tmp_path: Path) -> None:
    made = packed(in_a_tag(source, tmp_path))
    assert made.identity == digest_of(canonical(json.loads(made.manifest)))
    pool = tmp_path / "pool"
    for path, data in made.files.items():
        file = pool / str(made.id) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    theirs = tmp_path / "theirs"
    shutil.copytree(newest(source), theirs / str(made.id))
    ours, original = (contents_of(open_tag(root, str(made.id))).value for root in (pool, theirs))
    assert ours is not None
    assert original is not None
    assert ours.files == original.files


@pytest.mark.parametrize(
    "path", [p for p in folders("json/*/*.yaml") if p.with_suffix(".json").is_file()], ids=name_of
)
def test_small_genes_are_written_like_the_original(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "acme/t-geneset/1.0"
    kind = path.parent.name
    place = folder / ("catlet.yaml" if kind == "catlet" else "fodder/x.yaml")
    place.parent.mkdir(parents=True)
    place.write_bytes(path.read_bytes())
    manifest = {"version": "1.1", "geneset": "acme/t-geneset/1.0"}
    (folder / "geneset-tag.json").write_text(json.dumps(manifest))
    tag = authored(folder)
    assert tag.value is not None
    made = eryph_packed(tag.value)
    if made.value is None or not made.value.genes:
        # What PyYAML or we refuse on purpose: tests/genepool/test_packed.py has the codes.
        assert any(each.level is Level.ERROR for each in (*tag.diagnostics, *made.diagnostics)) or (
            not made.value or not made.value.genes
        )
        return
    assert made.value.genes[0].data.decode() == path.with_suffix(".json").read_text("utf-8")


def test_a_name_for_several_architectures(tmp_path: Path) -> None:
    """The original packs the last of them three times."""
    source = PACKED / "tags/acme/multi-arch/1.0/source"
    folder = in_a_tag(source, tmp_path)
    said = "`acme/multi-arch/1.0` cannot be published: no gene is for `{}` there, as `setup` is"
    assert problems(folder) == [said.format(each) for each in ("hyperv/arm64", "kvm/any")]
    for name in ("kvm", "hyperv/arm64"):
        shutil.rmtree(folder / "fodder" / name)
    made = packed(folder)
    assert [(gene.name, str(gene.architecture)) for gene in made.genes] == [
        ("setup", "any"),
        ("only-hyperv", "hyperv/any"),
        ("setup", "hyperv/any"),
        ("setup", "hyperv/amd64"),
    ]
    assert len({gene.data for gene in made.genes}) == 4
    listed = json.loads((PACKED / "tags/acme/multi-arch/1.0/packed/geneset-tag.json").read_text())[
        "fodder"
    ]
    assert [(each["name"], each["arch"]) for each in listed] == [
        (gene.name, str(gene.architecture)) for gene in made.genes
    ]


def write(folder: Path, files: dict[str, str]) -> Path:
    name = "/".join(folder.parts[-3:])
    files = {"geneset-tag.json": json.dumps({"version": "1.1", "geneset": name}), **files}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"catlet.yaml": "fodder:\n- source: gene:acme/kit\n"},
            "a source of fodder names a gene there",
        ),
        ({"fodder/azure/x.yaml": "name: x\nfodder:\n- name: x\n  content: y\n"}, "`azure/any`"),
        ({"volumes/sda.yaml": f"format: vhdx\nurl: http://x/y\nsha256: {'0' * 64}\n"}, "the disk"),
        ({"volumes/hyperv/amd64/sda.vhdx": ""}, "the disk `sda` for `hyperv/amd64`"),
        ({"catlet.yaml": "cpu: many\n"}, "not a whole number for `cpu`"),
    ],
)
def test_what_the_form_cannot_say(tmp_path: Path, files: dict[str, str], says: str) -> None:
    folder = write(tmp_path / "acme/web/1.0", files)
    (problem,) = problems(folder)
    assert says in problem


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    gene = "name: {0}\nfodder:\n- name: {0}\n  content: y\n"
    files = {f"fodder/{name}.yaml": gene.format(name) for name in "zab"}
    one = packed(write(tmp_path / "one/acme/web/1.0", files))
    other = packed(write(tmp_path / "two/acme/web/1.0", dict(reversed(files.items()))))
    assert one == other
    assert [each["name"] for each in json.loads(one.manifest)["fodder"]] == ["a", "b", "z"]


@pytest.mark.parametrize("folder", folders("tags/dbosoft/*/*/packed"), ids=name_of)
def test_published_tags(folder: Path, tmp_path: Path) -> None:
    """Their JSON, read and written again."""
    newer = folder.parent / "packed-0.10"
    folder = newer if newer.is_dir() else folder
    place = tmp_path / "/".join(folder.parts[-4:-1])
    shutil.copytree(folder, place)
    made = packed(place)
    texts = {gene.data for gene in made.genes}
    expected = {
        decode(path.read_bytes())[0].encode()
        for path in (
            *(folder.parent / "json-0.10").glob("*.json"),
            *(
                each
                for each in (folder.parent / "json").glob("*.json")
                if not (folder.parent / "json-0.10" / each.name).is_file()
            ),
        )
    }
    assert texts == expected
    assert canonical_json(json.loads(made.manifest)) == made.manifest
