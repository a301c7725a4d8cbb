"""Tags as source files: names, architectures, texts and links."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import GeneSetId, GeneType
from genepool.original import folders, name_of, open_tag, texts
from genepool.pools import fodder, tag_of, variants
from places import PACKED


def test_a_gene_is_found_by_the_name_in_its_file(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/kit/1.0": {"fodder/one.yaml": fodder("TLS"), "fodder/tls.yaml": fodder("other")}},
    )
    tag = tag_of(pool)
    assert variants(tag, GeneType.FODDER, "tls") == {"any": "one.yaml"}
    assert tag.names(GeneType.FODDER) == ("other", "tls")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("name: tls", id="plain"),
        pytest.param('"na\\x6de": "\\x74ls"', id="escaped"),
        pytest.param("name: other\nName: tls", id="the last of two"),
        pytest.param("version: &n tls\nname: *n", id="by an alias"),
        pytest.param("? name\n: tls", id="as an explicit key"),
    ],
)
def test_every_spelling_of_a_name_is_read(tmp_path: Path, written: str) -> None:
    text = f"{written}\nfodder:\n- {{name: a, content: x}}\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/x.yaml": text}})
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "x.yaml"}


def test_a_name_inside_content_is_no_name(tmp_path: Path) -> None:
    text = "name: other\nfodder:\n- name: a\n  content: |\n    name: tls\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/x.yaml": text}})
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {}


def test_folders_give_the_architecture_in_any_letter_case(tmp_path: Path) -> None:
    files = {
        "fodder/tls.YML": fodder("tls"),
        "fodder/HyperV/tls.yaml": fodder("tls"),
        "fodder/HyperV/AMD64/tls.yaml": fodder("tls"),
        "fodder/kvm/tls.yaml": fodder("tls"),
        "fodder/any/amd64/tls.yaml": fodder("tls"),
        "fodder/any/tls.yaml": fodder("tls"),
        "fodder/xen/tls.yaml": fodder("tls"),
        "fodder/kvm/sparc/tls.yaml": fodder("tls"),
        "fodder/tls.txt": fodder("tls"),
    }
    pool = write_pool(tmp_path, {"acme/kit/1.0": files})
    assert list(variants(tag_of(pool), GeneType.FODDER, "tls")) == [
        "any/amd64",
        "any",
        "hyperv/amd64",
        "hyperv/any",
        "kvm/any",
    ]


def test_of_two_files_with_one_name_the_later_counts(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/kit/1.0": {"fodder/a.yaml": fodder("tls"), "fodder/b.yaml": fodder("tls")}},
    )
    found = tag_of(pool).variants(GeneType.FODDER, "tls")
    assert [v.path.name for v in found.value or () if v.path] == ["b.yaml"]
    assert [d.code.number for d in found.diagnostics] == ["W0318"]


def test_a_broken_file_matters_only_where_it_is_meant(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {
                "fodder/good.yaml": fodder("good"),
                "fodder/bad.yaml": "name: bad\nfodder: [good\n",
            }
        },
    )
    tag = tag_of(pool)
    assert variants(tag, GeneType.FODDER, "good") == {"any": "good.yaml"}
    assert variants(tag, GeneType.FODDER, "bad") == {"any": "bad.yaml"}


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param(b"name: a\n", "name: a\n", id="as it is"),
        pytest.param(b"name: a", "name: a\n", id="a final line feed is added"),
        pytest.param(b"name: a\n\n\n", "name: a\n", id="others are dropped"),
        pytest.param(b"name: a\r\nx: y\r\n", "name: a\nx: y\n", id="CR LF becomes LF"),
        pytest.param("\ufeffname: ä\n".encode(), "name: ä\n", id="no byte order mark"),
        pytest.param("name: ä\n".encode("utf-16"), "name: ä\n", id="from UTF-16"),
    ],
)
def test_the_digest_is_over_normal_text(tmp_path: Path, written: bytes, normal: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_bytes(written)
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    text = tag.read(variant).value
    assert text is not None
    assert text.sha256 == hashlib.sha256(normal.encode()).hexdigest()
    assert text.form is None


def test_bytes_that_are_no_text_are_replaced_and_reported(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_bytes(b"name: x\nhostname: a\xff\n")
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    read = tag.read(variant)
    assert read.value is not None
    assert read.value.source.text == "name: x\nhostname: a\ufffd"
    (found,) = read.diagnostics
    assert found.code.number == "W0315"
    assert found.primary is not None
    assert found.primary.span.line == 2


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    with (tmp_path / "acme/kit/1.0/catlet.yaml").open("wb") as file:
        file.truncate(6 * 1024 * 1024)
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0314"]


def test_other_tags_are_never_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")},
            "acme/kit/2.0": {"fodder/tls.yaml": fodder("tls")},
            "acme/other/1.0": {"catlet.yaml": "cpu: 1\n"},
        },
    )
    listed: list[str] = []
    scandir = os.scandir

    def watched(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        listed.append(Path(path).relative_to(tmp_path).as_posix())
        return scandir(path)

    monkeypatch.setattr(os, "scandir", watched)
    variants(tag_of(pool), GeneType.FODDER, "tls")
    assert set(listed) <= {"acme/kit/1.0", "acme/kit/1.0/fodder"}
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("folder", folders("tags/acme/*/*/source"), ids=name_of)
def test_a_source_tree_has_the_genes_that_were_packed(folder: Path, tmp_path: Path) -> None:
    tag_name = folder.parent.relative_to(PACKED / "tags").as_posix()
    root = tmp_path / tag_name
    inner = folder / tag_name
    shutil.copytree(inner if inner.is_dir() else folder, root)
    if tag_name == "acme/broken-manifest/1.0":
        broken = FolderPool(tmp_path).find(GeneSetId(*tag_name.split("/")))
        assert broken is not None
        assert [d.code.number for d in broken.diagnostics] == ["E0308"]
        return
    tag = open_tag(tmp_path, tag_name)
    assert isinstance(tag, SourceTag)
    expected = {path.stem for path in folder.parent.glob("json/*.json")}
    if tag_name == "acme/from-vm/1.0":
        expected = set()  # its catlet and disks came from an exported machine
    # The packer knows one hypervisor and one processor; we know more.
    found = {name for name in texts(tag) if "kvm" not in name and "arm64" not in name}
    assert found == expected
