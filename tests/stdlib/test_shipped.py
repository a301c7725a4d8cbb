"""The genes that ship are sound: they read without a word, and nothing of them is left behind."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from eryphc.genepool.volumes import read_descriptor
from eryphc.ir.catlet import Catlet
from eryphc.passes.read import decode, gene_source, notation_of, read_catlet
from eryphc.source import SourceText
from places import PUBLISHED
from stdlib.shipped import (
    CHECKOUT,
    EXAMPLES,
    catlet_files,
    fodder_files,
    label,
    pools,
    read_gene,
    standard,
    tag_folders,
)

LINUX = ("almalinux-9", "debian-12", "ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04")
WINDOWS = ("win11-24h2-enterprise", "winsrv2022-standard", "winsrv2025-standard")
FODDER = (
    "chocolatey",
    "guest-services",
    "hyperv",
    "powershell",
    "starter-food",
    "winconfig",
    "windomain",
    "windsc",
)

every = pytest.mark.parametrize


def catlet(path: Path) -> Catlet:
    source = gene_source(path.name, decode(path.read_bytes()))
    outcome = read_catlet(source, notation=notation_of(path.name))
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    return outcome.value


def manifest(folder: Path) -> dict[str, object]:
    read = json.loads((folder / "geneset-tag.json").read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


@every("path", [path for pool in pools() for path in fodder_files(pool)], ids=label)
def test_a_fodder_gene_reads_without_diagnostics(path: Path) -> None:
    gene, diagnostics = read_gene(path)
    assert diagnostics == ()
    assert gene.name == path.stem


@every("path", [path for pool in pools() for path in catlet_files(pool)], ids=label)
def test_a_catlet_gene_reads_without_diagnostics(path: Path) -> None:
    catlet(path)


@every("path", sorted(standard().glob("*/*/*/volumes/**/*.yaml")), ids=label)
def test_a_volume_descriptor_reads_without_diagnostics(path: Path) -> None:
    outcome = read_descriptor(SourceText(path.name, path.read_text(encoding="utf-8")))
    assert outcome.diagnostics == ()
    volume = outcome.value
    assert volume is not None
    assert volume.url is not None
    assert volume.checksums_url is not None
    assert volume.url.endswith("/" + (volume.file or "?"))
    # A digest of an image that the vendor renews would be wrong within weeks.
    assert volume.sha256 is None


@every("folder", [folder for pool in pools() for folder in tag_folders(pool)], ids=label)
def test_a_manifest_names_its_folder_and_what_it_points_to(folder: Path) -> None:
    read = manifest(folder)
    assert read["geneset"] == "/".join(folder.parts[-3:])
    genes = list(folder.rglob("*.y*ml"))
    if "ref" in read:
        assert (folder.parents[2] / str(read["ref"]) / "geneset-tag.json").is_file()
        assert genes == []
    else:
        assert genes != []


@every("name", [*LINUX, *WINDOWS])
def test_a_base_has_its_tags_and_says_its_system(name: str) -> None:
    folder = standard() / "dbosoft" / name
    assert {"latest", "starter"} < {path.name for path in folder.iterdir()}
    for tag, fodder in (("latest", None), ("starter", True)):
        target = standard() / str(manifest(folder / tag)["ref"])
        metadata = manifest(target)["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["_os_type"] == ("linux" if name in LINUX else "windows")
        assert metadata["_os_name"]
        document = catlet(target / "catlet.yaml")
        assert (document.fodder is not None) == (fodder is True)
        if fodder:
            assert document.parent == f"dbosoft/{name}/latest"


@every("name", FODDER)
def test_a_set_of_fodder_has_a_latest_tag(name: str) -> None:
    folder = standard() / "dbosoft" / name
    target = standard() / str(manifest(folder / "latest")["ref"])
    assert list(target.glob("fodder/*.yaml")) != []


@every("name", LINUX)
def test_a_linux_base_names_the_vendors_disk_for_its_drive(name: str) -> None:
    for tag in (standard() / "dbosoft" / name).glob("std-?.?"):
        drives = catlet(tag / "catlet.yaml").drives or ()
        for drive in drives:
            for hypervisor in ("hyperv", "kvm"):
                path = tag / "volumes" / hypervisor / "amd64" / f"{drive.name}.yaml"
                assert path.is_file()


@every("name", ["ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04"])
def test_a_dated_disk_is_the_newest_one_of_its_day(name: str) -> None:
    folder = standard() / "dbosoft" / name / "std-1.1"
    texts = {file.read_text() for file in folder.glob("volumes/*/amd64/sda.yaml")}
    (text,) = texts
    volume = read_descriptor(SourceText("sda.yaml", text)).value
    assert volume is not None
    assert volume.dated is not None
    assert volume.url is not None
    newest, dated = (url.rpartition("/") for url in (volume.url, volume.dated.url))
    assert dated[2] == newest[2] == volume.dated.file
    assert re.fullmatch(rf"{re.escape(newest[0])}-[0-9]{{8}}", dated[0])
    assert volume.sha256 is None


def test_no_fixed_tag_of_ours_has_the_name_of_a_published_one() -> None:
    published = {"/".join(path.parts[-3:]) for path in tag_folders(PUBLISHED)}
    ours = {
        "/".join(folder.parts[-3:])
        for folder in tag_folders(standard())
        if "ref" not in manifest(folder)
    }
    assert ours
    assert ours & published == set()


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("dev-server", "fe3b452413855454bc789b9ab622ca6a8ca25497982e76298f6e82643d725b8c"),
        ("prod-server", "753a9b3faa549e5297149643d5464adfb6eed157bf07192690d74e4fa6bfffbd"),
        ("web-config", "4bc8af44048d4fe6dfb0620bc803e63101d044cab4b27a866c1139805395b001"),
    ],
)
def test_the_examples_are_those_everything_started_from(name: str, digest: str) -> None:
    assert hashlib.sha256((EXAMPLES / f"{name}.yaml").read_bytes()).hexdigest() == digest


def test_only_texts_ride_along_and_git_keeps_them_all() -> None:
    installed = Path(str(files("eryph_stdlib_genes")))
    here = sorted(
        path.relative_to(installed).as_posix()
        for path in installed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    kinds = {Path(name).suffix for name in here if name != "__init__.py"}
    assert kinds == {".json", ".md", ".yaml"}
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a checkout")
    # hatchling obeys .gitignore: what git would ignore would silently be missing from a wheel.
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."],
        cwd=CHECKOUT / "stdlib-genes" / "eryph_stdlib_genes",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert sorted(kept.rstrip("\0").split("\0")) == here
