"""`gene new`, `check`, `pack` and `export` on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from authoring.sets import tag_json, write_set
from cli.command_line import CommandLine
from genepool.images import motd, motd_entry

IDENTITY = "sha256:4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34"
PACKED = f"""\
acme/motd/1.0  {IDENTITY}
  also acme/motd/latest
  fodder/motd.yaml  sha256:8923d2f6198d6727a996453bd70a21a2dbb38edaafd09dd67983dc6b762b478f  174 bytes
  geneset-tag.json  sha256:d3ac9822083acb16c707fdd0c646eb9d5bd774a21dd0df952ad3f85410244806  76 bytes
"""  # noqa: E501
REFERENCES = f"acme/motd/1.0  {IDENTITY}\n  also acme/motd/latest\n"
LATEST = {"latest/geneset-tag.json": tag_json("latest", ref="acme/motd/1.0")}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_day_of_an_author(eryphc: CommandLine) -> None:
    """Begin, check, pack, use."""
    done = eryphc("gene", "new", "genes/acme/hello/1.0")
    assert done.out.splitlines() == [
        "genes/acme/hello/1.0/geneset-tag.json",
        "genes/acme/hello/1.0/fodder/hello.yaml",
        "genes/acme/hello/geneset.json",
        "genes/acme/hello/readme.md",
    ]
    assert done.err == "next: eryphc gene check genes/acme/hello/1.0\n"
    checked = eryphc("gene", "check", "genes/acme/hello", "-v")
    assert (checked.code, checked.out, checked.err) == (0, "", "checked acme/hello/1.0\n")
    packed = eryphc("gene", "pack", "genes/acme/hello", "-o", "layout")
    assert (packed.code, packed.err) == (0, "written to layout\n")
    eryphc.write("spec.yaml", "name: web\nfodder:\n- source: gene:acme/hello/1.0:hello\n")
    shutil.rmtree(eryphc.folder / "genes")
    words = ("build", "spec.yaml", "--target", "cloud-init", "--genepool", "oci-layout:layout")
    assert eryphc(*words).code == 0


def test_pack_prints_identity_and_digests(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    done = eryphc("gene", "pack", "motd")
    assert (done.code, done.out, done.err) == (0, PACKED, "")
    assert sorted(path.name for path in eryphc.folder.iterdir()) == ["motd"]
    (data,) = json.loads(eryphc("gene", "pack", "motd", "--format", "json").out)
    assert data.pop("manifest").startswith("sha256:b14e0c0e36da")
    assert [file["path"] for file in data.pop("files")] == ["fodder/motd.yaml", "geneset-tag.json"]
    assert data == {
        "geneset": "acme/motd",
        "tag": "1.0",
        "digest": IDENTITY,
        "aliases": ["latest"],
        "disks": [],
    }


def test_an_alias_brings_the_tag_beside_it(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    assert eryphc("gene", "pack", "motd/latest").out == PACKED


def test_the_same_layout_each_time(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    eryphc("gene", "pack", "motd", "-o", "one")
    before = files_of(eryphc.folder / "one")
    assert eryphc("gene", "pack", "motd/latest", "-o", "one").code == 0
    assert files_of(eryphc.folder / "one") == before
    exported = eryphc("gene", "export", "acme/motd", "-o", "two", "--genepool", "oci-layout:one")
    assert exported.out == REFERENCES
    assert files_of(eryphc.folder / "two") == before


def test_an_archive(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "genes/acme/motd", LATEST)
    for name in ("a.tar", "b.tar"):
        done = eryphc("gene", "export", "acme/motd", "-o", name, "--archive")
        assert (done.code, done.out) == (0, REFERENCES)
    assert files_of(eryphc.folder)["a.tar"] == files_of(eryphc.folder)["b.tar"]


def test_what_is_no_layout_is_not_replaced(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    eryphc.write("mine/file", "mine")
    done = eryphc("gene", "pack", "motd", "-o", "mine")
    assert (done.code, "E0911" in done.err, done.out) == (1, True, "")
    assert files_of(eryphc.folder / "mine") == {"file": b"mine"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("gene", "pack", "nowhere"), "E0902"),
        (("gene", "check", "nowhere"), "E0902"),
        (("gene", "export", "acme/gone", "-o", "x"), "E0302"),
        (("gene", "export", "nope", "-o", "x"), "E0912"),
        (("gene", "new", "nope"), "E0912"),
    ],
)
def test_faults(eryphc: CommandLine, words: tuple[str, ...], code: str) -> None:
    done = eryphc(*words)
    assert (done.code, code in done.out + done.err) == (1, True)
    assert list(eryphc.folder.iterdir()) == []


def test_a_parent_may_leave_a_value_to_those_who_inherit(eryphc: CommandLine) -> None:
    folder = eryphc.folder / "genes/acme"
    eryphc("gene", "new", "genes/acme/login/1.0")
    gene = "name: login\nvariables:\n- {name: key, required: true}\n"
    gene += "fodder:\n- name: login\n  content: 'ssh_authorized_keys: [\"{{ key }}\"]'\n"
    for path in (folder / "login/1.0/fodder").iterdir():
        path.unlink()
    (folder / "login/1.0/fodder/login.yaml").write_text(gene)
    eryphc("gene", "new", "genes/acme/base/1.0", "--catlet")
    base = "fodder:\n- source: gene:acme/login/1.0:login\n"
    (folder / "base/1.0/catlet.yaml").write_text(base)
    done = eryphc("gene", "check", "genes/acme/base/1.0", "--genepool", "genes")
    assert (done.code, "note[E0413]" in done.out) == (0, True), done
    assert "those who inherit from it have to bind it" in done.out


@pytest.mark.parametrize(
    "words", [("--guest", "linux"), ("--catlet",), ("--fodder",), ("--both", "--guest", "windows")]
)
def test_a_copy_takes_no_kind(eryphc: CommandLine, words: tuple[str, ...]) -> None:
    done = eryphc("gene", "new", "genes/acme/new/1.0", "--from", "eryphc/nginx", *words)
    assert (done.code, "--from copies a gene set as it is" in done.err) == (2, True)


def test_findings_of_check_are_its_data(eryphc: CommandLine) -> None:
    gene = "name: motd\nvariables: [{name: v}]\nfodder:\n- {name: a, content: x}\n"
    write_set(eryphc.folder / "motd", {"1.0/fodder/motd.yaml": gene})
    done = eryphc("gene", "check", "motd")
    assert done.code == 0
    assert done.out == (
        "warning[W1035]: `gene:acme/motd/1.0:motd` declares the variable `v`, and no content of "
        "it holds `{{ v }}`\n"
        " --> motd/1.0/fodder/motd.yaml:2:20\n"
        "  |\n"
        "2 | variables: [{name: v}]\n"
        "  |                    ^ not used\n\n"
    )
    assert eryphc("gene", "check", "motd", "--strict").code == 1
    assert eryphc("gene", "check", "motd", "--strict", "--allow", "W1035").code == 0


def test_a_disk_that_is_full(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    eryphc.write("file", "")
    done = eryphc("gene", "pack", "motd", "-o", "file/layout")
    assert (done.code, "E0914" in done.err) == (3, True)


@pytest.mark.integration
def test_what_skopeo_reads_of_it(eryphc: CommandLine) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("no skopeo")
    write_set(eryphc.folder / "motd", LATEST)
    eryphc("gene", "pack", "motd", "-o", "layout")
    done = subprocess.run(
        ["skopeo", "inspect", "--config", "--raw", "oci:layout:acme/motd:latest"],
        cwd=eryphc.folder,
        capture_output=True,
        check=True,
    )
    assert done.stdout == motd().config == motd_entry().image.config


def test_pack_for_eryph(eryphc: CommandLine) -> None:
    """What it writes is a pool; packing again gives the same, and nothing foreign is replaced."""
    write_set(eryphc.folder / "motd", LATEST)
    done = eryphc("gene", "pack", "motd", "--eryph", "-o", "packed")
    assert (done.code, done.err) == (0, "written to packed\n")
    first, second, third = done.out.splitlines()
    assert first.startswith("acme/motd/1.0  sha256:")
    assert second.startswith("  fodder motd  sha256:")
    assert second.endswith(" bytes")
    assert third.startswith("acme/motd/latest  sha256:")
    folder = eryphc.folder / "packed/acme/motd"
    before = files_of(folder)
    digits = second.split("sha256:")[1][:64]
    assert f"1.0/{digits}/gene.json" in before
    assert json.loads(before["latest/geneset-tag.json"])["ref"] == "acme/motd/1.0"
    assert eryphc("gene", "pack", "motd", "--eryph", "-o", "packed").code == 0
    assert files_of(folder) == before
    (data, _) = json.loads(eryphc("gene", "pack", "motd", "--eryph", "--format", "json").out)
    assert data["genes"][0]["hash"] == f"sha256:{digits}"
    eryphc.write("spec.yaml", "name: web\nfodder:\n- source: gene:acme/motd:motd\n")
    assert eryphc("check", "spec.yaml", "--genepool", "packed").code == 0
    (folder / "1.0/notes.txt").write_text("mine")
    done = eryphc("gene", "pack", "motd/1.0", "--eryph", "-o", "packed")
    assert done.code == 1
    assert "exists already" in done.err
    assert (folder / "1.0/notes.txt").is_file()


def test_pack_for_eryph_refuses_what_it_cannot_say(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "motd", LATEST)
    disk = f"format: vhdx\nurl: https://x.example/y\nsha256: {'0' * 64}\n"
    eryphc.write("motd/1.0/volumes/sda.yaml", disk)
    done = eryphc("gene", "pack", "motd", "--eryph", "-o", "packed")
    assert done.code == 1
    assert "E1033" in done.err
    assert not (eryphc.folder / "packed").exists()


def test_check_compares_with_another_tag(eryphc: CommandLine) -> None:
    write_set(eryphc.folder / "genes/acme/motd", LATEST)
    gene = 'name: motd\nfodder:\n- {name: motd, content: "a: b"}\n'
    tag = {"1.1/geneset-tag.json": tag_json("1.1"), "1.1/fodder/motd.yaml": gene}
    write_set(eryphc.folder / "genes/acme/motd", tag)
    for against in ("acme/motd/1.0", "acme/motd", "genes/acme/motd/1.0", "./genes/acme/motd/1.0"):
        done = eryphc("gene", "check", "genes/acme/motd/1.1", "--against", against)
        assert (done.code, done.out.count("error[E1027]")) == (1, 1), done.err
        assert "motd: the variable `text` is gone" in done.out
    assert eryphc("gene", "check", "genes/acme/motd/1.0", "--against", "acme/motd/1.1").code == 0
    done = eryphc("gene", "check", "genes/acme/motd", "--against", "acme/motd/9.9")
    assert (done.code, "E0302" in done.err) == (1, True)
