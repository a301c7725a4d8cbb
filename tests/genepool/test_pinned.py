"""A pool over images answers as the folder does that they were made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.pools import Neighbours
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.contents import ContentFile, TagContents, contents_of, manifest_file, path_of
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.genepool.image import Details, image_of, manifest_of
from eryphc.genepool.image_reader import stored_config
from eryphc.genepool.layout import LayoutEntry, layout_pool
from eryphc.genepool.listing import gene_sets
from eryphc.genepool.model import GenePool, GeneSetTag
from eryphc.genepool.pinned import PinnedPool
from eryphc.genepool.registry_names import TagRules
from eryphc.identifiers import ANY, Architecture, GeneId, GeneSetId, GeneType
from eryphc.passes.resolve import resolve
from genepool.images import (
    MOTD,
    MOTD_TEXT,
    WEB,
    disk,
    layout_of,
    motd_entry,
    pointer_entry,
    pool_as_layout,
)
from genepool.pools import fodder

LATEST = MOTD._replace(tag="latest")
RULES = TagRules()


def tag_of(pool: GenePool, geneset: GeneSetId) -> GeneSetTag:
    found = pool.find(geneset)
    assert found is not None
    assert found.value is not None, found.diagnostics
    return found.value


def answers(pool: GenePool, geneset: GeneSetId) -> dict[str, object]:
    """All that a compile can learn of a tag, but for where it lies."""
    tag = tag_of(pool, geneset)
    manifest = tag.manifest
    found: dict[str, object] = {
        "ref": manifest.ref,
        "metadata": dict(manifest.metadata),
        "os": manifest.os_type,
        "contents": contents_of(tag).value,
    }
    for kind in GeneType:
        for name in tag.names(kind):
            for variant in tag.variants(kind, name).value or ():
                text = tag.read(variant).value
                found[f"{kind} {name} {variant.architecture}"] = (
                    variant.digest,
                    variant.volume,
                    (text.source.text, text.sha256, text.form) if text else None,
                )
    return found


def test_it_answers_like_the_folder(tmp_path: Path) -> None:
    folder = StandardPool()
    images = layout_pool(pool_as_layout(tmp_path, folder), RULES)
    ids = [
        GeneSetId(listed.organization, listed.geneset, tag)
        for listed in gene_sets(PoolChain([folder]))
        for tag in listed.tags
    ]
    assert len(ids) > 10
    assert images.genesets() == tuple(sorted(ids))
    for geneset in ids:
        theirs, ours = answers(folder, geneset), answers(images, geneset)
        refs = [str(each.pop("ref") or "").removesuffix("/latest") for each in (theirs, ours)]
        assert refs[0] == refs[1]
        assert theirs.pop("metadata") == ours.pop("metadata")
        one, two = theirs.pop("contents"), ours.pop("contents")
        assert isinstance(one, TagContents)
        assert isinstance(two, TagContents)
        assert one.files == two.files
        assert theirs == ours
        assert sorted(images.neighbours(geneset).tags) == sorted(folder.neighbours(geneset).tags)


def test_places_in_texts_of_an_image(tmp_path: Path) -> None:
    pool = layout_pool(layout_of(tmp_path, motd_entry()), RULES)
    tag = tag_of(pool, MOTD)
    (variant,) = tag.variants(GeneType.FODDER, "motd").value or ()
    assert variant.path is None
    text = tag.read(variant).value
    assert text is not None
    assert text.source.name == "vendored:acme/motd/1.0/fodder/motd.yaml"
    assert text.raw.encode() == MOTD_TEXT
    assert text.source.foreign
    assert tag.manifest.source.name == "vendored:acme/motd/1.0/geneset-tag.json"
    assert tag.manifest.source.foreign
    assert tag.read(variant) is tag.read(variant)


def test_an_alias_refers_to_the_tag_itself(tmp_path: Path) -> None:
    """So that a closure names the tag, whatever it was asked for by."""
    entry = motd_entry()
    pool = layout_pool(layout_of(tmp_path, entry._replace(names=(LATEST,)), pointer_entry()), RULES)
    tag = tag_of(pool, LATEST)
    assert (tag.id, tag.manifest.ref) == (LATEST, "acme/motd/1.0")
    assert all(not tag.names(kind) for kind in GeneType)
    for geneset in (LATEST, WEB):
        resolved = resolve(geneset, PoolChain([pool]), None)
        assert resolved.value is not None, resolved.diagnostics
        assert resolved.value.id == MOTD
        assert resolved.value.names(GeneType.FODDER) == ("motd",)


def test_the_same_question_gets_the_same_object(tmp_path: Path) -> None:
    pool = layout_pool(layout_of(tmp_path, motd_entry()), RULES)
    assert pool.find(MOTD) is pool.find(MOTD)
    assert pool.find(WEB) is None
    assert pool.labels() == ("vendored",)
    assert pool.neighbours(MOTD) == Neighbours(("1.0", "latest"), ("motd",))


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry())
    for path in (tmp_path / "blobs/sha256").iterdir():
        path.write_bytes(b"other")
    found = layout_pool(layout, RULES).find(MOTD)
    assert found is not None
    assert found.value is None
    assert [each.code.number for each in found.diagnostics] == ["E1019"]


def test_a_text_that_is_not_at_hand() -> None:
    config = stored_config(motd_entry().image.config, "here")

    pool = PinnedPool("corp", lambda _: Outcome(config), lambda _: None, lambda: [MOTD])
    tag = tag_of(pool, MOTD)
    (variant,) = tag.variants(GeneType.FODDER, "motd").value or ()
    (fault,) = tag.read(variant).diagnostics
    assert fault.code.number == "E0310"
    assert fault.form is not None
    assert fault.form.arguments[0] == GeneId(MOTD, "motd")


def entry_of(files: tuple[ContentFile, ...], details: Details) -> LayoutEntry:
    every = sorted((*files, manifest_file(MOTD, None, ())), key=lambda file: file.path)
    made = image_of(TagContents(MOTD, None, (), tuple(every)), details)
    return LayoutEntry((MOTD,), made, manifest_of(made))


def test_genes_for_later_hypervisors_are_passed_over(tmp_path: Path) -> None:
    later = Architecture("vmware", "riscv64")
    files = tuple(
        ContentFile(path_of(GeneType.FODDER, name, each), "fodder", MOTD_TEXT, name, each)
        for name, each in (("motd", later), ("motd", ANY), ("other", later))
    )
    tag = tag_of(layout_pool(layout_of(tmp_path, entry_of(files, Details())), RULES), MOTD)
    assert tag.names(GeneType.FODDER) == ("motd",)
    variants = tag.variants(GeneType.FODDER, "motd").value or ()
    assert [variant.architecture for variant in variants] == [ANY]


DESCRIPTION = b"format: qcow2\nurl: https://images.example.com/x.qcow2\nsha256: %s\n" % (b"a" * 64)


def test_disks_of_an_image_and_described_ones(tmp_path: Path) -> None:
    hyperv = Architecture("hyperv", "any")
    described = ContentFile("volumes/sdb.yaml", "volume", DESCRIPTION, "sdb", ANY)
    broken = ContentFile("volumes/sdc.yaml", "volume", b"- nothing\n", "sdc", ANY)
    entry = entry_of((described, broken), Details())
    config = stored_config(entry.image.config, "here")
    config = config._replace(details=Details(volumes=(disk("sda", 7),)))

    texts = {file.digest: file.text for file in (described, broken)}
    tag = tag_of(PinnedPool("corp", lambda _: Outcome(config), texts.get, lambda: ()), MOTD)
    assert tag.names(GeneType.VOLUME) == ("sda", "sdb", "sdc")
    (sda,) = tag.variants(GeneType.VOLUME, "sda").value or ()
    assert (sda.architecture, sda.digest) == (hyperv, "0" * 64)
    assert sda.volume is not None
    assert (sda.volume.format, sda.volume.size, sda.volume.url) == ("qcow2", 7, None)
    assert tag.read(sda).value is None
    (sdb,) = tag.variants(GeneType.VOLUME, "sdb").value or ()
    assert sdb.volume is not None
    assert sdb.volume.url == "https://images.example.com/x.qcow2"
    assert sdb.digest == "a" * 64
    wrong = tag.variants(GeneType.VOLUME, "sdc")
    assert wrong.value is None
    assert [each.code.number for each in wrong.diagnostics] == ["E0317"]


def test_genes_in_json_are_read_as_they_stand(tmp_path: Path) -> None:
    text = b'{"name":"motd","fodder":[]}\n'
    file = ContentFile("fodder/motd.json", "fodder", text, "motd", ANY, "json")
    tag = tag_of(layout_pool(layout_of(tmp_path, entry_of((file,), Details())), RULES), MOTD)
    (variant,) = tag.variants(GeneType.FODDER, "motd").value or ()
    read = tag.read(variant).value
    assert read is not None
    assert (read.form, read.source.text.encode()) == ("json", text)


def test_lists_for_people(tmp_path: Path) -> None:
    folder = write_pool(tmp_path / "a", {"acme/motd/1.0": {"fodder/motd.yaml": fodder("motd")}})
    layout = layout_of(tmp_path / "b", motd_entry(), pointer_entry())
    chain = PoolChain([FolderPool(folder.root, "near"), layout_pool(layout, RULES)])
    assert [(each.id, each.tags, each.description, each.pool) for each in gene_sets(chain)] == [
        ("acme/motd", ("1.0",), "", "near"),
        ("acme/motd", ("latest",), "A message of the day", "vendored"),
        ("acme/web", ("latest",), "", "vendored"),
    ]


@pytest.mark.parametrize("name", ["geneset-tag.json", "fodder/motd.yaml"])
def test_names_are_no_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nobody who can write a folder of that name decides what a text of the pool is."""
    monkeypatch.chdir(tmp_path)
    pool = layout_pool(layout_of(tmp_path / "x", motd_entry()), RULES)
    fake = tmp_path / "vendored:acme/motd/1.0" / name
    fake.parent.mkdir(parents=True)
    fake.write_text("name: other\n", encoding="utf-8")
    tag = tag_of(pool, MOTD)
    (variant,) = tag.variants(GeneType.FODDER, "motd").value or ()
    text = tag.read(variant).value
    assert text is not None
    assert text.raw.encode() == MOTD_TEXT
