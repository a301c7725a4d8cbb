"""Image layouts as pools on the command line, in the environment and in `eryphc.yaml`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from catlets import write_pool
from cli.command_line import CommandLine
from eryphc.genepool.folder import FolderPool
from genepool.images import layout_of, motd_entry, pointer_entry, pool_as_layout

EXAMPLES = Path(__file__).parents[2] / "examples"
SPEC = "name: web\nfodder:\n- source: gene:acme/motd:motd\n"


@pytest.fixture
def vendored(eryphc: CommandLine) -> CommandLine:
    layout_of(eryphc.folder / "vendor", motd_entry(), pointer_entry())
    eryphc.write("spec.yaml", SPEC)
    return eryphc


def codes(text: str) -> list[str]:
    return [each["code"] for each in json.loads(text)]


BUILD = ("build", "spec.yaml", "--target", "cloud-init", "-o", "out")


def test_as_an_option(vendored: CommandLine) -> None:
    done = vendored(*BUILD, "--genepool", "oci-layout:vendor", "-v")
    assert (done.code, "acme/motd/1.0 from vendor:acme/motd/1.0" in done.err) == (0, True)
    assert "Welcome" in (vendored.folder / "out/nocloud/user-data").read_text(encoding="utf-8")
    assert codes(vendored(*BUILD, "--diagnostics", "json").err) == ["E0302"]


@pytest.mark.parametrize("form", ["oci-layout:vendor", "empty{0}oci-layout:vendor{0}{0}empty"])
def test_in_the_environment(
    vendored: CommandLine, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    (vendored.folder / "empty").mkdir()
    monkeypatch.setenv("ERYPHC_GENEPOOL", form.format(os.pathsep))
    assert vendored(*BUILD).code == 0


def test_in_the_project_file(vendored: CommandLine) -> None:
    entry = "pools:\n- {name: theirs, type: oci-layout, path: vendor"
    vendored.write("eryphc.yaml", f"{entry}}}\n")
    assert "from theirs:acme/motd/1.0" in vendored(*BUILD, "-v").err
    vendored.write("eryphc.yaml", f"{entry}, orgs: [other]}}\n")
    assert codes(vendored(*BUILD, "--diagnostics", "json").err) == ["E0302"]
    vendored.write("eryphc.yaml", f"{entry}, fixed: [latest]}}\n")
    assert codes(vendored(*BUILD, "--diagnostics", "json").err) == ["E1017"]
    vendored.write("eryphc.yaml", f"{entry}, fixed: [late*], moving: [1.0]}}\n")
    vendored.write("spec.yaml", SPEC.replace("acme/motd:", "acme/motd/1.0:"))
    assert vendored(*BUILD).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--genepool", "oci-layout:nowhere"), "`nowhere` of --genepool is not a folder"),
        (("--genepool", "oci-layout:."), "`.` of --genepool is no OCI image layout"),
        (("--genepool", "oci-layout:"), "is no OCI image layout"),
    ],
)
def test_what_is_no_layout(vendored: CommandLine, words: tuple[str, ...], said: str) -> None:
    done = vendored(*BUILD, *words)
    assert (done.code, "E0905" in done.err, said in done.err) == (2, True, True)


def test_a_pool_of_the_project_that_is_no_layout(vendored: CommandLine) -> None:
    vendored.write("eryphc.yaml", "pools:\n- {type: oci-layout, path: .}\n")
    done = vendored(*BUILD)
    assert done.code == 1
    assert "error[E0905]: the gene pool `.` of the project file is no OCI image layout" in done.err
    assert "eryphc.yaml:2:28" in done.err


def test_a_fault_shows_the_line_that_names_the_gene_set(vendored: CommandLine) -> None:
    for path in (vendored.folder / "vendor/blobs/sha256").iterdir():
        path.write_bytes(b"")
    done = vendored(*BUILD, "--genepool", "oci-layout:vendor")
    assert done.code == 3
    assert "error[E1019]: `vendor:acme/motd/latest` is no image of a gene set" in done.err
    assert "spec.yaml:3:" in done.err
    assert not (vendored.folder / "out").exists()


def test_the_examples_give_the_same_bytes(eryphc: CommandLine) -> None:
    """Whether their genes lie in a folder or in images."""
    pool_as_layout(eryphc.folder / "vendor", FolderPool(EXAMPLES / "genes"))
    for pool, out in ((str(EXAMPLES / "genes"), "one"), ("oci-layout:vendor", "two")):
        for name in ("web-config", "dev-server", "prod-server"):
            # Away from the folder `genes` that lies beside them.
            text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
            eryphc.write(f"{name}.yaml", text)
            done = eryphc(
                *("build", f"{name}.yaml", "--target", "hyperv", "-o", f"{out}/{name}"),
                *("--genepool", pool, "-q"),
            )
            assert done.code == 0, done.err
    files = {
        out: {
            path.relative_to(eryphc.folder / out).as_posix(): path.read_bytes()
            for path in (eryphc.folder / out).rglob("*")
            if path.is_file()
        }
        for out in ("one", "two")
    }
    assert len(files["one"]) > 5
    assert files["one"] == files["two"]


def test_lists(vendored: CommandLine) -> None:
    listed = vendored("gene", "list", "acme", "--genepool", "oci-layout:vendor")
    assert "acme/motd  A message of the day (1.0, latest)" in listed.out
    shown = vendored("gene", "show", "acme/motd", "--genepool", "oci-layout:vendor")
    assert shown.out.startswith("acme/motd/1.0\n  A message of the day\n  _os_type: linux\n")
    assert "text  string = Welcome" in shown.out


def test_a_gene_in_a_layout_is_no_text_of_the_project(eryphc: CommandLine) -> None:
    """A comment in it silences nothing about security, though the layout lies in the project."""
    gene = (
        "name: food\nfodder:\n- name: base\n  type: cloud-config\n  content: |\n"
        "    # eryphc: allow file-in-tmp -- read once\n"
        "    write_files: [{path: /tmp/x, content: y}]\n"
    )
    folder = write_pool(eryphc.folder / "own", {"acme/kit/1.0": {"fodder/food.yaml": gene}})
    pool_as_layout(eryphc.folder / "vendor", folder)
    eryphc.write("spec.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:food\n")
    words = ("check", "spec.yaml", "--guest", "linux", "--diagnostics", "json", "--genepool")
    assert codes(eryphc(*words, "own").out) == []
    assert codes(eryphc(*words, "oci-layout:vendor").out) == ["W0534"]


def test_external_takes_one_too(vendored: CommandLine) -> None:
    request = json.dumps({"spec": "spec.yaml", "genepool": f"oci-layout:vendor{os.pathsep}vendor"})
    done = vendored.spawn("external", stdin=request.encode())
    assert done.code == 0, done.err
