"""The canonical form of a tag: what locks and images pin."""

from pathlib import Path

from eryphc.genepool.contents import TagContents, contents_of
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.genepool.model import GenePool
from eryphc.identifiers import GeneSetId
from eryphc.passes.naming import requires_of
from eryphc.syntax.identifiers import parse_gene_set


def contents(pool: GenePool, name: str) -> TagContents:
    parsed = parse_gene_set(name)
    assert isinstance(parsed, GeneSetId)
    found = pool.find(parsed)
    assert found is not None
    assert found.value is not None
    read = contents_of(found.value)
    assert read.value is not None, read.diagnostics
    return read.value


def shown(tag: TagContents) -> dict[str, str]:
    return {file.path: file.digest.removeprefix("sha256:")[:16] for file in tag.files}


def test_a_standard_base() -> None:
    """Released tags never change, so their digests are known."""
    assert shown(contents(StandardPool(), "dbosoft/ubuntu-22.04/std-1.0")) == {
        "catlet.yaml": "a598b9d2b859f5c4",
        "geneset-tag.json": "ee94f8bf38aa4730",
        "volumes/hyperv/amd64/sda.yaml": "4d895cc1b1c55781",
        "volumes/kvm/amd64/sda.yaml": "4d895cc1b1c55781",
    }


def write(root: Path, files: dict[str, str | bytes]) -> FolderPool:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FolderPool(root)


def test_form_of_a_folder_does_not_matter(tmp_path: Path) -> None:
    """Names of files, line ends, byte order marks and the members' order are no content."""
    fodder = "name: motd\nfodder:\n- name: motd\n  type: shellscript\n  content: '#!/bin/sh'\n"
    one = write(
        tmp_path / "one",
        {
            "acme/motd/1.0/geneset-tag.json": '{"version":"1.1","geneset":"acme/motd/1.0"}',
            "acme/motd/1.0/fodder/motd.yaml": fodder,
            "acme/motd/1.0/fodder/any/arm64/motd.yaml": fodder,
        },
    )
    other = write(
        tmp_path / "other",
        {
            "acme/motd/1.0/geneset-tag.json": '{\n "geneset": "acme/motd/1.0",\n "x": 1 }\n',
            "acme/motd/1.0/fodder/welcome.yml": fodder.replace("\n", "\r\n") + "\r\n\r\n",
            "acme/motd/1.0/fodder/any/arm64/x.yaml": b"\xef\xbb\xbf" + fodder.encode(),
        },
    )
    assert contents(one, "acme/motd/1.0") == contents(other, "acme/motd/1.0")
    assert list(shown(contents(one, "acme/motd/1.0"))) == [
        "fodder/any/arm64/motd.yaml",
        "fodder/motd.yaml",
        "geneset-tag.json",
    ]


def test_a_reference(tmp_path: Path) -> None:
    pool = write(
        tmp_path,
        {
            "acme/motd/latest/geneset-tag.json": '{"version":"1.1","geneset":"acme/motd/latest",'
            '"ref":"Acme/Motd","metadata":{"b":"2","a":"1"}}'
        },
    )
    tag = contents(pool, "acme/motd/latest")
    assert tag.ref == "acme/motd/latest"
    assert tag.files[0].text == (
        b'{"geneset":"acme/motd/latest","metadata":{"a":"1","b":"2"},'
        b'"ref":"acme/motd/latest","version":"1.1"}\n'
    )


def test_what_a_catlet_gene_names(tmp_path: Path) -> None:
    pool = write(
        tmp_path,
        {
            "acme/web/1.0/geneset-tag.json": '{"version":"1.1","geneset":"acme/web/1.0"}',
            "acme/web/1.0/catlet.yaml": "name: web\nparent: dbosoft/ubuntu-22.04\ndrives:\n"
            "- {name: sda}\n- {name: sdb, source: 'gene:acme/disks/1.0:data'}\nfodder:\n"
            "- {source: 'gene:acme/motd:motd'}\n- {source: 'gene:acme/web/1.0:own'}\n"
            "- {source: 'gene:acme/motd:other'}\n",
        },
    )
    assert [str(name) for name in requires_of(contents(pool, "acme/web/1.0")).value or ()] == [
        "acme/disks/1.0",
        "acme/motd/latest",
        "dbosoft/ubuntu-22.04/latest",
    ]
