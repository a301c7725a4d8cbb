"""What is exported: gene sets with all that they name, with the identities that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from authoring.sets import tag_json, write_set
from catlets import write_pool
from eryphc.authoring.closure import closure_of
from eryphc.authoring.packing import Packed
from eryphc.diagnostics.shown import show
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.image import (
    LAYER_MEDIA,
    Descriptor,
    Details,
    VolumePart,
    image_of,
    manifest_of,
    signature_annotations,
)
from eryphc.genepool.image_reader import ImageManifest, read_manifest
from eryphc.genepool.layout import LayoutEntry, layout_pool
from eryphc.genepool.model import GenePool
from eryphc.genepool.registry_names import TagRules
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set
from genepool.images import MOTD, disk, layout_of, motd, motd_entry, pointer_entry
from genepool.pools import fodder

RULES = TagRules()


def ids(*names: str) -> list[GeneSetId]:
    parsed = [parse_gene_set(name) for name in names]
    assert all(isinstance(each, GeneSetId) for each in parsed)
    return [each for each in parsed if isinstance(each, GeneSetId)]


def exported(pool: GenePool, *names: str) -> dict[str, Packed]:
    made = closure_of(ids(*names), PoolChain([pool]))
    assert made.value is not None, show(made.diagnostics)
    return {str(each.id): each for each in made.value}


def test_a_closure(tmp_path: Path) -> None:
    catlet = "parent: acme/base\nfodder:\n- source: gene:acme/kit/1.0:one\n"
    pool = write_pool(
        tmp_path,
        {
            "acme/web/1.0": {"catlet.yaml": catlet},
            "acme/base/latest": {"ref": "acme/base/2.0"},
            "acme/base/2.0": {"catlet.yaml": "cpu: 2\n"},
            "acme/kit/1.0": {"fodder/one.yaml": fodder("one"), "fodder/hyperv/o.yaml": fodder("o")},
            "acme/point/latest": {"ref": "acme/kit/1.0"},
            "acme/other/1.0": {"fodder/one.yaml": fodder("one")},
        },
    )
    made = exported(pool, "acme/web/1.0", "acme/point")
    assert list(made) == ["acme/base/2.0", "acme/kit/1.0", "acme/point/latest", "acme/web/1.0"]
    assert [alias.tag for alias in made["acme/base/2.0"].aliases] == ["latest"]
    assert [file.path for file in made["acme/kit/1.0"].contents.files] == [
        "fodder/hyperv/o.yaml",
        "fodder/one.yaml",
        "geneset-tag.json",
    ]
    assert made["acme/point/latest"].contents.ref == "acme/kit/1.0"


def test_the_identity_is_that_of_gene_pack(tmp_path: Path) -> None:
    write_set(tmp_path / "acme/motd")
    made = exported(FolderPool(tmp_path), "acme/motd/1.0")
    assert made["acme/motd/1.0"].image == motd()


def test_an_image_is_exported_as_it_was_found(tmp_path: Path) -> None:
    pool = layout_pool(layout_of(tmp_path, motd_entry(), pointer_entry()), RULES)
    made = exported(pool, "acme/web/latest", "acme/motd/latest")
    assert list(made) == ["acme/motd/1.0", "acme/web/latest"]
    entry = made["acme/motd/1.0"].entry
    assert set(entry.names) == {MOTD, MOTD._replace(tag="latest")}
    assert (entry.image, entry.manifest) == (motd(), motd_entry().manifest)


def test_signatures_and_disks_are_carried_over(tmp_path: Path) -> None:
    volume = disk("sda", 7)
    part = VolumePart(f"sha256:{'1' * 64}", Descriptor(LAYER_MEDIA, f"sha256:{'2' * 64}", 9))
    contents = exported(layout_pool(layout_of(tmp_path / "a", motd_entry()), RULES), str(MOTD))
    made = image_of(contents[str(MOTD)].contents, Details(volumes=(volume,)), (part,))
    manifest = manifest_of(made, signature_annotations(["one", "two"]))
    found = layout_of(tmp_path / "b", LayoutEntry((MOTD,), made, manifest))
    (again,) = exported(layout_pool(found, RULES), str(MOTD)).values()
    assert again.manifest == manifest
    read = read_manifest(again.manifest, "here")
    assert isinstance(read, ImageManifest)
    assert read.signatures == ("one", "two")
    assert read.layers[1] == part.layer


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        pytest.param({"acme/web/1.0": {"catlet.yaml": "parent: acme/gone/1.0\n"}}, "E0302",
                     id="a parent that is nowhere"),
        pytest.param({"acme/web/1.0": {"ref": "acme/web/2.0"}, "acme/web/2.0":
                      {"ref": "acme/web/1.0"}}, "E0304", id="a circle"),
        pytest.param({"acme/web/1.0": {"catlet.yaml": "frob: 1\n"}}, "E0113", id="a broken catlet"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported(
    tmp_path: Path, tags: dict[str, dict[str, str]], code: str
) -> None:
    made = closure_of(ids("acme/web/1.0"), PoolChain([write_pool(tmp_path, tags)]))
    assert made.value is None
    assert code in [each.code.number for each in made.diagnostics]


def test_a_chain_of_aliases_stands_for_its_end(tmp_path: Path) -> None:
    write_set(
        tmp_path / "acme/motd",
        {
            "latest/geneset-tag.json": tag_json("latest", ref="acme/motd/stable"),
            "stable/geneset-tag.json": tag_json("stable", ref="acme/motd/1.0"),
        },
    )
    (made,) = exported(FolderPool(tmp_path), "acme/motd").values()
    assert (made.id, [alias.tag for alias in made.aliases]) == (MOTD, ["latest", "stable"])
